//! Tests of the located tree and of whole packs that need the room's insides; the goldens are in `tests/packs/`.

use proptest::prelude::*;

use super::located::{self, Fault, Node, Value};
use super::source::Position;
use super::*;

fn at(line: u64, column: u64) -> Position {
    Position { line, column }
}

/// Lists every key and scalar with its position, in the order of the file.
fn places(node: &Node, out: &mut Vec<(String, Position)>) {
    match &node.value {
        Value::List(elements) => elements.iter().for_each(|element| places(element, out)),
        Value::Mapping(entries) => entries.iter().for_each(|entry| {
            out.push((entry.key.clone(), entry.at));
            places(&entry.value, out);
        }),
        Value::Null => out.push(("null".to_owned(), node.at)),
        _ => out.push((node.scalar().unwrap().to_owned(), node.at)),
    }
}

fn placed(text: &str) -> Vec<(String, Position)> {
    let mut out = Vec::new();
    places(&located::read(text).root.unwrap(), &mut out);
    out
}

#[test]
fn every_scalar_keeps_its_text_and_place() {
    let text = "\u{feff}a: 1.10\nü: [0x1f, 007, 1e3, Yes, True, ~, 'x''y']\nlist:\n  - {value: 1_0, \"q\": +12}\n  -\n  - |\n    block\n    two\n  - plain\n    folded\n  - !!int 5\n  - &n 6\n  - *n\n";
    let expected = [
        ("a", 1, 1),
        ("1.10", 1, 4),
        ("ü", 2, 1),
        ("0x1f", 2, 5),
        ("007", 2, 11),
        ("1e3", 2, 16),
        ("Yes", 2, 21),
        ("True", 2, 26),
        ("null", 2, 32),
        ("x'y", 2, 35),
        ("list", 3, 1),
        ("value", 4, 6),
        ("1_0", 4, 13),
        ("q", 4, 18),
        ("+12", 4, 23),
        ("null", 5, 4),
        ("block\ntwo\n", 6, 5),
        ("plain folded", 9, 5),
        ("5", 11, 5),
        ("6", 12, 5),
        ("6", 12, 5),
    ];
    let expected: Vec<_> = expected.iter().map(|(text, l, c)| ((*text).to_owned(), at(*l, *c))).collect();
    assert_eq!(placed(text), expected);
}

#[test]
fn empty_collections_stand_near_their_key() {
    let tree = located::read("a:\n  b: []\n").root.unwrap();
    let Value::Mapping(entries) = &tree.value else { panic!() };
    let Value::Mapping(inner) = &entries[0].value.value else { panic!() };
    assert_eq!(inner[0].value, Node { at: at(2, 3), value: Value::List(Vec::new()) });
}

#[test]
fn faults_are_told_apart() {
    let deep = |levels: usize| format!("{}x{}", "[".repeat(levels), "]".repeat(levels));
    let fault = |text: &str| located::read(text).faults.first().map_or(Ok(()), |(fault, at, _)| Err((*fault, *at)));
    assert_eq!(fault(&deep(128)), Ok(()));
    assert_eq!(fault(&deep(129)).unwrap_err().0, Fault::Nesting);
    assert_eq!(fault(&deep(200_000)).unwrap_err(), (Fault::Nesting, at(1, 10_001)));
    assert_eq!(fault("a: &a [*a]\n").unwrap_err().0, Fault::Nesting);
    assert_eq!(fault("a: 1\nb: 2\n---\nc: 3\n"), Err((Fault::Documents, at(4, 1))));
    assert_eq!(fault("a: 1\n...\n"), Ok(()));
    assert_eq!(fault("a: 1\nb: !x 2\n"), Err((Fault::Tag, at(2, 4))));
    assert_eq!(fault("a: 1\n? [x]\n: 2\n").unwrap_err().0, Fault::Key);
    assert_eq!(fault("a:\n  - b\n \tc: d\n").unwrap_err().0, Fault::Syntax);
    assert_eq!(fault("a: *b\n"), Err((Fault::Syntax, at(1, 4))));
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let alias = format!("*a{}, ", level - 1);
        bomb.push_str(&format!("a{level}: &a{level} [{}]\n", alias.repeat(9)));
    }
    assert_eq!(fault(&bomb).unwrap_err().0, Fault::Aliases);
    let large = format!("a: &a [{}]\nb: [{}]\n", "x,".repeat(100_000), "*a,".repeat(1_000));
    assert_eq!(fault(&large).unwrap_err().0, Fault::Aliases);
    assert_eq!(fault("a: &a [x, y]\nb: *a\n"), Ok(()));
}

#[test]
fn tags_and_keys_that_are_lists_hide_nothing() {
    let text = "a: !x 1\nb: &n !y [!z v, w]\n[k]: 2\nc: *n\n!t d: 3\n---\ne: 4\n";
    let tree = located::read(text);
    let faults: Vec<_> = tree.faults.iter().map(|(fault, at, _)| (*fault, at.line, at.column)).collect();
    let tags = [(1, 4), (2, 4), (2, 11)].map(|(l, c)| (Fault::Tag, l, c));
    let expected = [&tags[..], &[(Fault::Key, 3, 2), (Fault::Tag, 5, 1), (Fault::Documents, 7, 1)]].concat();
    assert_eq!(faults, expected);
    let mut out = Vec::new();
    places(&tree.root.unwrap(), &mut out);
    let words: Vec<_> = out.iter().map(|(word, _)| word.as_str()).collect();
    assert_eq!(words, ["a", "1", "b", "v", "w", "c", "v", "w", "d", "3"]);
    let broken = located::read("a: !x 1\nb: '\n");
    assert!(broken.root.is_none());
    assert_eq!(broken.faults.iter().map(|(fault, ..)| *fault).collect::<Vec<_>>(), [Fault::Tag, Fault::Syntax]);
}

#[test]
fn numbers_on_one_long_line_are_found_quickly() {
    let text = format!("[{}]", "1.10, ".repeat(200_000));
    assert!(placed(&text).iter().all(|(text, _)| text == "1.10"));
}

#[test]
fn built_in_packs_load_without_a_warning() {
    for builtin in BUILTIN {
        let pack = builtin.load().unwrap_or_else(|errors| panic!("{}", errors[0]));
        assert_eq!(pack.name, builtin.name);
        assert_eq!(lint(&pack), []);
    }
}

proptest! {
    #[test]
    fn words_stand_where_they_are_said_to(
        lists in prop::collection::vec(prop::collection::vec("[a-zA-Z0-9.+-]{1,6}|'[^'\r\n\\p{C}\\p{Z}]{0,6}'", 0..5), 1..6),
        flow in prop::bool::ANY,
    ) {
        let mut text = String::new();
        for (number, list) in lists.iter().enumerate() {
            if flow {
                text.push_str(&format!("\"é {number}\": [{}]\n", list.join(", ")));
            } else {
                text.push_str(&format!("\"é {number}\":\n"));
                list.iter().for_each(|word| text.push_str(&format!("  - {word}\n")));
            }
        }
        // Words such as `-` or `...` are not plain scalars.
        prop_assume!(located::read(&text).faults.is_empty());
        for (word, at) in placed(&text) {
            let line = text.lines().nth(at.line as usize - 1).unwrap();
            let rest: String = line.chars().skip(at.column as usize - 1).collect();
            let rest = rest.strip_prefix(['\'', '"']).unwrap_or(&rest).replace("''", "'");
            prop_assert!(word == "null" || rest.starts_with(&word), "{word} {rest}\n{text}");
        }
    }

    #[test]
    fn no_text_makes_a_panic(text in "\\PC{0,60}|[\\[\\]{}:,&*!|>'\"# \t\na-c-]{0,60}") {
        drop(load("a", text.as_bytes()));
        drop(load_yaml("a", "a", &text));
    }
}
