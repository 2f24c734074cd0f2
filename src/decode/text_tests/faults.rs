//! Texts that end too early or are broken between records say so, and whole ones do not.

use super::*;

/// Returns the reasons and the bytes that they name, which no size of the blocks changes.
fn faults(bytes: &[u8]) -> Vec<(Reason, String)> {
    let run = |block_bytes| {
        let mut sink = Blocks::default();
        let mut reader = Cursor::new(bytes);
        let mut splitter = splitter_of(bytes).0;
        let sizes = Sizes { block_bytes, record_bytes: 1 << 20 };
        cut_into_blocks(&mut Input::new(&mut reader), &mut sink, splitter.as_mut(), sizes).unwrap();
        sink.problems
    };
    let expected = run(BLOCK_BYTES);
    for block_bytes in 1..bytes.len() + 2 {
        assert_eq!(run(block_bytes), expected, "{block_bytes} {}", String::from_utf8_lossy(bytes));
    }
    expected
}

fn reasons(text: &str) -> Vec<Reason> {
    faults(text.as_bytes()).into_iter().map(|(reason, _)| reason).collect()
}

const ROWS: &str = "id,note,x\n1,a,b\n2,c,d\n";

#[test]
fn texts_that_end_too_early_are_truncated() {
    let cut_row = format!("{ROWS}3,\"10.");
    let cut_lines = format!("{ROWS}3,\"a\nb\nc");
    let cut_at_line = format!("{ROWS}3,\"a\n");
    for text in [
        r#"[{"ClientIP":"10.0.0.1"},{"ClientIP":"10."#,
        r#"[{"ClientIP":"10.0.0.1"},"#,
        "[\n  {\"ClientIP\":\"10.0.0.1\"}\n",
        r#"{"ClientIP":"10.0.0.1","x":[1,2"#,
        r#"{"ClientIP":"10."#,
        r#"[{"ClientIP":"10."#,
        r#"["10.0.0.1","10."#,
        r#"[1,{"a":2},3"#,
        r#"{"value":[{"id":1},{"id":2}"#,
        r#"{"value":[{"id":1},{"id":2}],"next":"x""#,
        "{\"id\":1}\n{\"id\":2}\n{\"id\":\"10.",
        "{\"id\":1}\n{\"id\":2}\n{",
        &cut_row,
        &cut_lines,
        &cut_at_line,
    ] {
        assert_eq!(reasons(text), [Reason::Truncated], "{text}");
    }
}

#[test]
fn whole_texts_have_no_fault() {
    let quoted = format!("{ROWS}3,\"a\n\"\"b\"\"\",c\n4,5\" disk,6\n7,8,\"9\"");
    let deep = format!("[{{\"a\":{}1{}}},{{\"a\":{}}}]", "[".repeat(150), "]".repeat(150), "[]");
    for text in [
        r#"[{"id":1},{"id":"]}"}]"#,
        "[{\"id\":1},]\n\n",
        "[{\"id\":1}]\n\n[{\"id\":2},\n]\n\n",
        "{\"value\":[{\"id\":1},{\"id\":2}],\"m\":{\"n\":[7]}}\n",
        "{\"log\":{\"entries\":[{\"id\":1},{\"id\":[2]}]}}\n{\"log\":{\"entries\":[{\"id\":3}]}}",
        "{\n\"id\": 1},\n{\"id\":2},\n",
        "{\"id\":1}\n{\"id\":\nbad line\n{\"id\":3}\n",
        "{\"id\":1}\n{\"id\":2}",
        "{\"id\":1}\n{\"id\":2}\nlast line of text",
        "{\n\"id\": 1}\n\nline of text\n{\n\"id\":2}\n",
        "[\"192.0.2.1\", 5, true, [1,2], \"a]b\"]",
        ROWS,
        &quoted,
        &deep,
        "first line\nlast {\"line",
    ] {
        assert_eq!(reasons(text), [], "{text}");
    }
}

#[test]
fn damage_inside_json_is_corrupt_once_at_its_first_byte() {
    for (text, at) in [
        ("[\n{\"id\":1},\nrubbish in between\n{\"id\":2},\nmore\n{\"id\":3}]\n", 12),
        ("[\n{\"id\":1},\n{\"id\":\"2},\n{\"id\":3},\n{\"id\":\"4},\n{\"id\":5}]\n", 22),
        ("[{\"id\":[1},{\"id\":2}]\n", 9),
        ("[{\"id\":1}},{\"id\":2}\n", 9),
    ] {
        let found = faults(text.as_bytes());
        let corrupt: Vec<_> = found.iter().filter(|(reason, _)| *reason == Reason::Corrupt).collect();
        assert_eq!(corrupt.len(), 1, "{text} {found:?}");
        assert!(corrupt[0].1.starts_with(&format!("at byte {at} ")), "{text} {found:?}");
    }
    let stray = faults(format!("{ROWS}3,\"a,b\n4,5,6\n7,8,9\n").as_bytes());
    assert_eq!(stray.len(), 1, "{stray:?}");
    assert!(stray[0].0 == Reason::Corrupt && stray[0].1.starts_with("at byte 22 "), "{stray:?}");
}

#[test]
fn half_a_code_unit_at_the_end_is_truncated() {
    let text: Vec<u8> = "\u{feff}first line\nsecond line\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(faults(&text), []);
    let odd = faults(&text[..text.len() - 1]);
    assert_eq!(odd.iter().map(|(reason, _)| *reason).collect::<Vec<_>>(), [Reason::Truncated]);
}

#[test]
fn an_error_while_reading_is_not_called_an_early_end_as_well() {
    let mut sink = Blocks::default();
    let mut reader = Breaks(b"[{\"id\":1},{\"id\":");
    let mut input = Input::new(&mut reader);
    let mut splitter = super::super::json::Shape::Stream.splitter();
    let sizes = Sizes { block_bytes: BLOCK_BYTES, record_bytes: 1 << 20 };
    assert!(cut_into_blocks(&mut input, &mut sink, splitter.as_mut(), sizes).is_err());
    assert_eq!(sink.problems, []);
}

#[test]
fn single_byte_text_behind_utf16_is_searched_as_it_stands() {
    for order in [u16::to_le_bytes as fn(u16) -> [u8; 2], u16::to_be_bytes] {
        let mut bytes: Vec<u8> = "\u{feff}a first line\r\n".encode_utf16().flat_map(order).collect();
        let at = bytes.len() as u64;
        bytes.extend(b"from 192.0.2.66 seen\r\n");
        bytes.extend("and a last line\r\n".encode_utf16().flat_map(order));
        let collected = crate::decode::testing::decode("x", &bytes);
        let block = collected
            .blocks
            .iter()
            .map(|(_, block)| block)
            .find(|block| memchr::memmem::find(block.bytes(), b"from 192.0.2.66 seen").is_some());
        let block = block.expect("the line that is not UTF-16 is searched");
        assert_eq!(block.source_offset(0), at);
    }
}
