//! The shape of the source: which room may use which, how long a file may be, what stands in which table, which crate is
//! known to which file. `ARCHITECTURE.md` tells the same in words; where the two differ, this file is right.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;
use stormglass::decode::DECODERS;
use stormglass::pack::BUILTIN;
use stormglass::report::RENDERERS;

/// Files directly in `src/` that every room may use.
const LEAVES: &[&str] = &["artifact_path", "problem", "budget", "spool", "text"];

/// What each room may use besides the leaves. Everything goes one way: a room stands below those that it may use.
const MAY_USE: &[(&str, &[&str])] = &[
    ("artifact_path", &[]),
    ("problem", &["artifact_path"]),
    ("budget", &[]),
    ("spool", &[]),
    ("text", &[]),
    ("evidence", &[]),
    ("record", &[]),
    ("observable", &[]),
    ("decode", &["evidence", "record"]),
    ("pack", &["observable"]),
    ("matching", &["record", "observable", "pack"]),
    ("finding", &["evidence", "record", "observable", "pack", "matching"]),
    ("report", &["evidence", "record", "observable", "pack", "finding"]),
    ("scan", &["evidence", "record", "observable", "decode", "pack", "matching", "finding", "report"]),
    ("cli", &["decode", "pack", "report", "scan"]),
    ("main", &["cli"]),
];

/// Crates that stand behind one file, or behind the few that are named: what they do can be replaced there.
const BEHIND: &[(&str, &[&str])] = &[
    ("aho_corasick", &["matching/needles.rs", "matching/screen.rs"]),
    ("anstream", &["cli/scan.rs"]),
    ("anstyle", &["report/text/page.rs"]),
    ("ctrlc", &["cli/scan.rs"]),
    ("flate2", &["decode/gzip.rs", "decode/zip_member.rs"]),
    ("indicatif", &["cli/progress.rs"]),
    ("mail_parser", &["decode/mail.rs", "decode/mime_parts.rs", "decode/transfer.rs"]),
    ("md5", &["scan/tee.rs"]),
    ("prefix_trie", &["matching/atoms.rs"]),
    ("rayon", &["scan/mod.rs"]),
    ("rsa", &["observable/signature.rs"]),
    ("serde_yaml", &["pack/located.rs"]),
    ("sha1", &["observable/token_key.rs", "scan/tee.rs"]),
    ("sha2", &["matching/cache.rs", "observable/token_key.rs", "scan/tee.rs"]),
    ("tar", &["decode/tar.rs"]),
    ("walkdir", &["cli/packs.rs", "evidence/mod.rs"]),
    ("yara_x", &["matching/patterns.rs", "matching/scanners.rs"]),
    ("yara_x_parser", &["matching/reach.rs"]),
    ("zip", &["decode/zip.rs"]),
];

/// Lines that are neither blank nor only a comment; tests in the file count.
const MOST_LINES: usize = 400;

struct SourceFile {
    /// The path below `src/`, with `/`.
    path: String,
    text: String,
}

impl SourceFile {
    /// The folder below `src/`, or the file's name for a leaf.
    fn room(&self) -> &str {
        self.path.split('/').next().unwrap().trim_end_matches(".rs")
    }

    /// Tells whether the file is only compiled for tests.
    fn is_test(&self) -> bool {
        let is_test = |name: &str| name == "tests" || name.ends_with("_tests") || name == "testing";
        self.path.split('/').any(|part| is_test(part.trim_end_matches(".rs")))
    }

    /// How many modules deep the file is: 1 for `decode/mod.rs` and `text.rs`.
    fn depth(&self) -> usize {
        self.path.trim_end_matches("/mod.rs").split('/').count()
    }

    /// The lines that are neither blank nor only a comment, with their numbers.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
        lines.filter(|(_, line)| !line.is_empty() && !line.starts_with("//"))
    }

    /// The code before the file's own tests.
    fn code_without_tests(&self) -> impl Iterator<Item = (usize, &str)> {
        let most = if self.is_test() { 0 } else { usize::MAX };
        self.code().take(most).take_while(|(_, line)| *line != "mod tests {")
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every file below a folder of the project, by its path below that folder.
fn files_below(folder: &str) -> BTreeMap<String, PathBuf> {
    let folder = root().join(folder);
    let name = |path: &Path| path.strip_prefix(&folder).unwrap().to_string_lossy().replace('\\', "/");
    let files = walkdir::WalkDir::new(&folder).into_iter().map(Result::unwrap).filter(|e| e.file_type().is_file());
    files.map(|entry| (name(entry.path()), entry.into_path())).collect()
}

static SOURCE: LazyLock<Vec<SourceFile>> = LazyLock::new(|| {
    let files = files_below("src").into_iter().filter(|(path, _)| path.ends_with(".rs"));
    files.map(|(path, file)| SourceFile { path, text: std::fs::read_to_string(file).unwrap() }).collect()
});

fn matches_of<'t>(pattern: &str, text: &'t str) -> Vec<&'t str> {
    let pattern = Regex::new(pattern).unwrap();
    pattern.captures_iter(text).map(|found| found.get(1).unwrap().as_str()).collect()
}

fn none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn each_room_uses_only_what_it_may() {
    let mut faults = Vec::new();
    let paths = Regex::new(r"\b(?:crate|stormglass)::([a-z_]+)(::(?:\{[^}]*\}|\w+))?").unwrap();
    let above = Regex::new(r"\b(?:super::)+").unwrap();
    for file in SOURCE.iter().filter(|file| file.path != "lib.rs") {
        let room = file.room();
        let Some((_, may_use)) = MAY_USE.iter().find(|(name, _)| *name == room) else {
            faults.push(format!("src/{}: a room that MAY_USE does not know", file.path));
            continue;
        };
        // Joined, since the items of a `use` may stand on several lines.
        let code: String = file.code_without_tests().map(|(_, line)| line).collect::<Vec<_>>().join(" ");
        if code.contains("crate::{") {
            faults.push(format!("src/{}: write one `use crate::ROOM` a room", file.path));
        }
        for found in above.find_iter(&code) {
            if found.as_str().matches("super").count() >= file.depth() {
                faults.push(format!("src/{}: `{}` leaves the room; write `crate::ROOM`", file.path, found.as_str()));
            }
        }
        for found in paths.captures_iter(&code) {
            let used = found.get(1).unwrap().as_str();
            let items = found.get(2).map_or("", |items| items.as_str());
            let is_leaf = LEAVES.contains(&used) && !LEAVES.contains(&room);
            if used == room || is_leaf || may_use.contains(&used) {
                continue;
            }
            for item in matches_of(r"(\w+)", items) {
                faults.push(format!("src/{}: {room}/ may not use {used}::{item}", file.path));
            }
        }
    }
    none(&faults);
}

#[test]
fn every_room_is_in_the_table_and_used_one_way() {
    let rooms: BTreeSet<&str> = SOURCE.iter().map(SourceFile::room).filter(|room| *room != "lib").collect();
    assert_eq!(rooms, MAY_USE.iter().map(|(room, _)| *room).collect());
    for (index, (room, may_use)) in MAY_USE.iter().enumerate() {
        for used in *may_use {
            let stands_at = MAY_USE.iter().position(|(name, _)| name == used).unwrap();
            assert!(stands_at < index, "{room}/ and {used}/ would use each other");
        }
    }
    let told = read("ARCHITECTURE.md");
    for room in rooms {
        assert!(
            told.contains(&format!("`{room}/`")) || told.contains(&format!("`{room}.rs`")),
            "{room} is not told of"
        );
    }
}

#[test]
fn no_file_is_longer_than_a_reader_can_hold() {
    let long = SOURCE.iter().map(|file| (file, file.code().count())).filter(|(_, lines)| *lines > MOST_LINES);
    none(&long.map(|(file, lines)| format!("src/{}: {lines} lines of code", file.path)).collect::<Vec<_>>());
}

#[test]
fn every_file_says_what_belongs_in_it() {
    let silent = SOURCE.iter().filter(|file| !file.text.starts_with("//! "));
    none(&silent.map(|file| format!("src/{}: does not begin with `//! `", file.path)).collect::<Vec<_>>());
}

/// The types below `src/ROOM` that implement a trait, told as `module::Type`, and the text of the room's table.
fn implementors(room: &str, name: &str, table: &str) -> (BTreeSet<String>, String) {
    let mut found = BTreeSet::new();
    for file in SOURCE.iter().filter(|file| file.room() == room) {
        let code: String = file.code_without_tests().map(|(_, line)| format!("{line}\n")).collect();
        for implementor in matches_of(&format!(r"(?m)^impl {name} for (\w+)"), &code) {
            found.insert(implementor.to_owned());
        }
    }
    let tables = SOURCE.iter().filter(|file| file.room() == room).filter_map(|file| {
        let start = file.text.find(&format!("{table}: &["))?;
        let text = file.text.get(start..)?;
        Some(text.split("];").next()?.to_owned())
    });
    (found, tables.collect())
}

#[test]
fn every_decoder_is_in_its_table_and_described() {
    let (found, table) = implementors("decode", "Decoder", "DECODERS");
    let told = read("docs/decoders.md");
    let mut faults = Vec::new();
    for decoder in &found {
        if matches_of(&format!(r"\b({decoder})\b"), &table).len() != 1 {
            faults.push(format!("`{decoder}` implements Decoder and must stand in DECODERS once"));
        }
    }
    for decoder in DECODERS {
        if !told.contains(&format!("\n| `{}` |", decoder.name())) {
            faults.push(format!("docs/decoders.md has no row for `{}`", decoder.name()));
        }
    }
    none(&faults);
    assert_eq!(found.len(), DECODERS.len());
    let names: BTreeSet<&str> = DECODERS.iter().map(|decoder| decoder.name()).collect();
    assert_eq!(names.len(), DECODERS.len(), "two decoders have one name");
}

#[test]
fn every_renderer_is_in_its_table_and_described() {
    let (found, table) = implementors("report", "Renderer", "RENDERERS");
    let told = read("docs/report-formats.md");
    for renderer in &found {
        assert_eq!(matches_of(&format!(r"\b({renderer})\b"), &table).len(), 1, "{renderer}");
    }
    for renderer in RENDERERS {
        assert!(told.contains(&format!("`{}`", renderer.name())), "docs/report-formats.md: {}", renderer.name());
    }
    assert_eq!(found.len(), RENDERERS.len());
}

#[test]
fn every_pack_of_rules_is_built_in() {
    let files: BTreeMap<String, PathBuf> = files_below("rules")
        .into_iter()
        .filter(|(path, _)| path.ends_with(".yaml") || path.ends_with(".yml"))
        .collect();
    let built_in: BTreeSet<String> = BUILTIN.iter().map(|pack| pack.file.replacen("rules/", "", 1)).collect();
    assert_eq!(files.keys().cloned().collect::<BTreeSet<_>>(), built_in);
    for pack in BUILTIN {
        assert_eq!(pack.text, read(pack.file), "{} is built in from another file", pack.name);
        assert_eq!(format!("rules/{}.yaml", pack.name), pack.file);
    }
}

/// The files below `src/` whose code names a crate. Where a module has the crate's name, only `::NAME` is the crate.
fn files_that_name(name: &str) -> BTreeSet<&'static str> {
    let names = |before: &str| Regex::new(&format!(r"(?:^|[^:\w.]){before}{name}(?:::|;)")).unwrap();
    let (anywhere, absolute) = (names("(?:::)?"), names("::"));
    let with = SOURCE.iter().filter(|file| {
        let declares = file.code().any(|(_, line)| line.ends_with(&format!("mod {name};")));
        let pattern = if declares { &absolute } else { &anywhere };
        file.code_without_tests().any(|(_, line)| pattern.is_match(line))
    });
    with.map(|file| file.path.as_str()).collect()
}

#[test]
fn crates_stay_behind_their_files() {
    let told = read("docs/dependencies.md");
    let mut faults = Vec::new();
    for (name, files) in BEHIND {
        let found = files_that_name(name);
        if found != files.iter().copied().collect() {
            faults.push(format!("{name} stands behind {files:?} and is named in {found:?}"));
        }
        let row = told.lines().find(|line| crate_of(line).is_some_and(|told| in_code(&told) == *name));
        for file in *files {
            if !row.is_some_and(|row| row.contains(&format!("`{file}`"))) {
                faults.push(format!("docs/dependencies.md does not say that {name} stands behind `{file}`"));
            }
        }
    }
    none(&faults);
}

/// The crate that a row of `docs/dependencies.md` is about.
fn crate_of(line: &str) -> Option<String> {
    let cell = line.strip_prefix("| `")?;
    cell.split_once("` |").map(|(name, _)| name.to_owned())
}

/// A package's name as code writes it.
fn in_code(package: &str) -> String {
    if package == "md-5" { "md5".to_owned() } else { package.replace('-', "_") }
}

#[test]
fn every_dependency_is_accounted_for_and_none_more() {
    let mut section = String::new();
    let mut direct = BTreeSet::new();
    for line in read("Cargo.toml").lines() {
        if let Some(header) = line.strip_prefix('[') {
            section = header.trim_end_matches(']').to_owned();
        } else if section.ends_with("dependencies")
            && let Some((name, _)) = line.split_once('=')
            && !name.starts_with('#')
        {
            direct.insert(name.trim().to_owned());
        }
    }
    assert!(direct.len() > 20 && direct.contains("yara-x") && direct.contains("trycmd"), "{direct:?}");
    let told: Vec<String> = read("docs/dependencies.md").lines().filter_map(crate_of).collect();
    assert_eq!(told.len(), told.iter().collect::<BTreeSet<_>>().len(), "a crate is told of twice");
    assert_eq!(told.into_iter().collect::<BTreeSet<_>>(), direct);
}
