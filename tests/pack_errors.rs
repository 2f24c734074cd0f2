//! Mistakes in packs, as their authors see them: each sample in `tests/packs/` has its golden `.out` beside it.
//!
//! `UPDATE_GOLDEN=1 cargo test --release --test pack_errors` writes the goldens anew. The examples of
//! `docs/pack-format.md` are loaded here, too, and its tables compared with the codes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::cast_possible_truncation,
    clippy::print_stdout,
    reason = "a test may panic and print"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use stormglass::pack::{self, CODES, COMPILE_CODES, WARNINGS};
use stormglass::scan::Ruleset;

fn samples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/packs");
    let mut samples: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    samples.retain(|path| path.extension().is_some_and(|ending| ending != "out"));
    samples.sort();
    samples
}

fn outcome(name: &str, bytes: &[u8]) -> String {
    let mut out = String::new();
    let (pack, mut errors) = pack::load_partly(name, bytes);
    errors.extend(Ruleset::compile(pack.clone().into_iter().collect()).err().into_iter().flatten());
    errors.sort_by_key(|error| (error.line, error.column));
    match pack {
        Some(pack) if errors.is_empty() => {
            writeln!(out, "ok: {} indicators", pack.len()).unwrap();
            for warning in pack::lint(&pack) {
                writeln!(out, "{name}:{}: warning[{}]: {}", warning.line, warning.code, warning.problem).unwrap();
                writeln!(out, "    help: {}", warning.help).unwrap();
            }
        }
        _ => errors.iter().for_each(|error| writeln!(out, "{error}").unwrap()),
    }
    out
}

#[test]
fn every_sample_gives_its_golden() {
    let samples = samples();
    assert!(!samples.is_empty(), "tests/packs holds no sample");
    let mut wrong = Vec::new();
    for sample in samples {
        let name = sample.file_name().unwrap().to_str().unwrap().to_owned();
        let out = outcome(&name, &fs::read(&sample).unwrap());
        let golden = sample.with_extension("out");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&golden, &out).unwrap();
        } else if fs::read_to_string(&golden).unwrap_or_default() != out {
            wrong.push(format!("{name}:\n{out}"));
        }
    }
    assert!(wrong.is_empty(), "these differ from their goldens:\n{}", wrong.join("\n"));
}

/// Mistakes of several files stand by file and line, whether reading or compiling shows them, under the names given.
#[test]
fn the_program_tells_mistakes_of_all_files_at_once() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/packs");
    let program = std::process::Command::new(env!("CARGO_BIN_EXE_stormglass"))
        .args(["rules", "check", "--no-builtin", "./tag.yaml", "compiled.yaml", "ok-plain.txt"])
        .current_dir(folder)
        .output()
        .unwrap();
    assert_eq!(program.status.code(), Some(2));
    let told = String::from_utf8(program.stderr).unwrap();
    let heads = told.lines().filter(|line| line.contains(": error[P") || line.contains(": error[M"));
    let heads: Vec<&str> = heads.map(|line| line.split_once("]: ").unwrap().0).collect();
    let of = |file: &str| heads.iter().filter(|head| head.starts_with(file)).copied().collect::<Vec<_>>();
    assert_eq!([of("./tag.yaml"), of("compiled.yaml")].concat(), heads);
    let expected = [
        "3:1: error[M001",
        "4:15: error[P014",
        "8:1: error[M003",
        "14:1: error[M002",
        "19:1: error[M005",
        "32:17: error[P030",
    ];
    assert_eq!(of("compiled.yaml"), expected.map(|place| format!("compiled.yaml:{place}")));
    assert!(of("./tag.yaml").len() > 5);
}

fn format_page() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pack-format.md")).unwrap()
}

#[test]
fn every_example_of_the_page_loads() {
    let page = format_page();
    let blocks: Vec<&str> = page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(blocks.len() > 5, "{} examples", blocks.len());
    for block in blocks {
        let text = if block.starts_with("format:") { block.to_owned() } else { in_a_pack(block) };
        let out = outcome("example.yaml", text.as_bytes());
        assert!(out.starts_with("ok:"), "{out}\n{text}");
    }
    let lists: Vec<&str> = page.split("```csv\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!lists.is_empty());
    for list in lists {
        let out = outcome("example.csv", list.as_bytes());
        assert!(out.starts_with("ok:"), "{out}\n{list}");
    }
}

/// An example that begins with `match:` is that part of an indicator.
fn in_a_pack(block: &str) -> String {
    assert!(block.starts_with("match:"), "neither a pack nor a match:\n{block}");
    let mut text = "format: stormglass/1\nindicators:\n  - id: a\n    severity: low\n    source: the page\n    \
                    examples: {hit: [x], miss: [y]}\n"
        .to_owned();
    block.lines().for_each(|line| writeln!(text, "    {line}").unwrap());
    text
}

#[test]
fn the_page_lists_every_code() {
    let page = format_page();
    for (code, meaning) in CODES.iter().chain(COMPILE_CODES).chain(WARNINGS) {
        assert!(page.contains(&format!("| {code} | {meaning} |")), "| {code} | {meaning} |");
    }
}
