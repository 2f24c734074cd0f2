//! Real evidence made by others, with ground truth, read in place. Skipped, saying so, where it is absent.

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

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

fn shared(below: &str) -> Option<PathBuf> {
    let corpus = std::env::var_os("STORMGLASS_CORPUS").map(PathBuf::from);
    let path = match (below.strip_prefix("corpus/"), corpus) {
        (Some(rest), Some(corpus)) => corpus.join(rest),
        _ => Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(below),
    };
    if path.exists() {
        return path.canonicalize().ok();
    }
    println!("skipped: {} is not here", path.display());
    None
}

struct Scan {
    status: i32,
    lines: Vec<Value>,
}

impl Scan {
    fn of_type<'s>(&'s self, kind: &'s str) -> impl Iterator<Item = &'s Value> {
        self.lines.iter().filter(move |line| line["type"] == kind)
    }

    fn summary(&self) -> &Value {
        self.lines.last().unwrap()
    }
}

/// What a scan of anything in the corpus may take.
const MOST_MEMORY_KIB: u64 = 1 << 20;

/// The most memory that a process has had so far, where the system tells.
fn peak_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok()).unwrap_or(0)
}

/// Runs the program in `folder`, watches its memory, and reads its report.
fn scan(folder: &Path, arguments: &[&str]) -> Scan {
    let report = tempfile::NamedTempFile::new().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_stormglass"))
        .args(["scan", "--format", "jsonl", "--quiet"])
        .args(arguments)
        .current_dir(folder)
        .stdout(report.reopen().unwrap())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut most_kib = 0;
    while child.try_wait().unwrap().is_none() {
        most_kib = most_kib.max(peak_kib(child.id()));
        assert!(most_kib < MOST_MEMORY_KIB, "{most_kib} KiB of memory");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let output = child.wait_with_output().unwrap();
    let status = output.status.code().unwrap_or(-1);
    assert!(matches!(status, 0 | 1 | 3), "{status}: {}", String::from_utf8_lossy(&output.stderr));
    let text = std::fs::read_to_string(report.path()).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let scan = Scan { status, lines };
    let ledger = &scan.summary()["ledger"];
    let count = |key: &str| ledger[key].as_u64().unwrap();
    assert_eq!(count("met"), count("examined") + count("skipped") + count("failed"));
    assert_eq!(scan.summary()["type"], "summary");
    assert!(scan.of_type("problem").all(|problem| problem["reason"] != "panic"), "something panicked");
    scan
}

/// 64 indicators picked from real mail: every file of the truth is found, and each file beyond it has a reason.
#[test]
fn indicators_of_real_mail_are_found_in_every_file_of_the_truth() {
    let (Some(corpus), Some(truth)) = (shared("corpus"), shared("corpus/_truth/ioc_mail_A.json")) else { return };
    let rules = corpus.join("_truth/indicators_mail_A.csv");
    let rules = rules.to_str().unwrap();
    let found =
        scan(&corpus, &["--no-builtin", "--rules", rules, "spamassassin/easy-ham-2", "spamassassin/hard-ham-1"]);
    assert_eq!(found.status, 1);
    let mut files: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for sighting in found.of_type("sighting") {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let key = (text(&sighting["observable"]["type"]), text(&sighting["observable"]["value"]));
        let file = text(&sighting["artifact"]).split("!/").next().unwrap().to_owned();
        files.entry(key).or_default().insert(file);
    }
    let truth: Value = serde_json::from_slice(&std::fs::read(truth).unwrap()).unwrap();
    let mut beyond: BTreeSet<String> = BTreeSet::new();
    let mut absent = 0;
    for indicator in truth["indicators"].as_array().unwrap() {
        let (kind, value) = (indicator["type"].as_str().unwrap(), indicator["value"].as_str().unwrap());
        let expected: BTreeSet<String> =
            indicator["files"].as_array().unwrap().iter().map(|file| file.as_str().unwrap().to_owned()).collect();
        let found = files.remove(&(kind.to_owned(), value.to_owned())).unwrap_or_default();
        let missed: Vec<_> = expected.difference(&found).collect();
        assert!(missed.is_empty(), "{kind} {value} was not found in {missed:?}");
        absent += usize::from(expected.is_empty() && found.is_empty());
        beyond.extend(found.difference(&expected).map(|file| format!("{kind}\t{value}\t{file}")));
    }
    assert_eq!(absent, 3, "the three indicators that are in no file");
    assert!(files.is_empty(), "indicators that the truth does not know: {:?}", files.keys());
    let kept =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/mail_a_beyond_truth.tsv"))
            .unwrap();
    let kept: BTreeMap<String, String> = kept
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let (place, reason) = line.rsplit_once('\t').unwrap();
            assert!(!reason.is_empty(), "{place} has no reason");
            (place.to_owned(), reason.to_owned())
        })
        .collect();
    let kept: BTreeSet<String> = kept.into_keys().collect();
    assert_eq!(beyond, kept, "files beyond the truth must stand in tests/corpus/mail_a_beyond_truth.tsv with a reason");
}

/// Everything there is: no panic, bounded memory, a ledger that adds up, and the resource bombs cut off and listed.
#[test]
fn the_whole_corpus_ends_with_a_ledger_that_adds_up() {
    let Some(corpus) = shared("corpus") else { return };
    let found = scan(&corpus, &["."]);
    let problems: Vec<&Value> = found.of_type("problem").collect();
    for bomb in ["tika/droste.zip", "tika/quine.gz"] {
        let is_cut = |problem: &&&Value| {
            let artifact = problem["artifact"].as_str().unwrap();
            artifact.contains(bomb.rsplit('/').next().unwrap()) && problem["reason"] == "limit"
        };
        assert!(problems.iter().filter(is_cut).count() > 0, "{bomb} is not listed as cut off");
    }
    assert!(found.summary()["evidence"].as_u64().unwrap() > 8_000);
    assert_eq!(found.summary()["complete"], false);
}

/// Generated corpora with planted hits and decoys: all hits, no decoy, nothing else.
#[test]
fn every_planted_hit_is_found_and_no_decoy_is() {
    let Some(generator) = shared("perf/gen.py") else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut made = Command::new("python3");
    made.arg(generator).arg("--out").arg(folder.path());
    let Some(()) = generated(made.args(["--scale", "0.05", "--only", "iocs,ual,csv,iis,mbox,eml,syslog"])) else {
        return;
    };
    for corpus in ["ual.jsonl", "ual.csv", "iis.log", "syslog.log", "mail.mbox", "eml"] {
        let found = scan(folder.path(), &["--no-builtin", "--rules", "iocs/s10k.csv", corpus]);
        let mut sightings: BTreeSet<(u64, String, String)> = found
            .of_type("sighting")
            .map(|sighting| {
                let value = sighting["observable"]["value"].as_str().unwrap().to_owned();
                (record_of(corpus, sighting), value, sighting["kind"].as_str().unwrap().to_owned())
            })
            .collect();
        let truth = std::fs::read_to_string(folder.path().join(format!("truth/{corpus}.tsv"))).unwrap();
        let mut planted = 0;
        for row in truth.lines().skip(1) {
            let [record, form, _, indicator, _, hit] = row.split('\t').collect::<Vec<_>>()[..] else { panic!("{row}") };
            let kind = if form == "defanged" { "mention" } else { "sighting" };
            let was_found = sightings.remove(&(record.parse().unwrap(), indicator.to_owned(), kind.to_owned()));
            let expected = hit == "1";
            assert_eq!(was_found, expected, "{corpus}: {row}");
            planted += usize::from(expected);
        }
        assert!(planted > 0, "{corpus} has no planted hits");
        assert!(sightings.is_empty(), "{corpus}: neither planted nor a decoy: {sightings:?}");
    }
}

/// Forms that hold all indicators behind what this version does not open.
const NOT_OPENED_YET: &[&str] = &["flate.pdf", "plain.7z", "plain.txt.bz2", "plain.txt.xz", "plain.txt.zst"];

/// One small file for each encoding and container: all indicators in each, defanged ones as mentions, and no decoy.
#[test]
fn every_form_shows_its_indicators() {
    let Some(generator) = shared("perf/gen.py") else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut made = Command::new("python3");
    made.arg(generator).arg("--out").arg(folder.path());
    let Some(()) = generated(made.args(["--scale", "0.02", "--only", "forms,iocs"])) else { return };
    let list = std::fs::read_to_string(folder.path().join("iocs/s50.csv")).unwrap();
    let all: BTreeSet<&str> = list.lines().skip(1).map(|row| row.split_once(',').unwrap().1).collect();
    assert_eq!(all.len(), 50);
    let found = scan(folder.path(), &["--no-builtin", "--rules", "iocs/s50.csv", "forms"]);
    let mut forms: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for sighting in found.of_type("sighting") {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let artifact = text(&sighting["artifact"]);
        let form = artifact.strip_prefix("forms/").unwrap().split("!/").next().unwrap().to_owned();
        forms.entry(form).or_default().insert(text(&sighting["observable"]["value"]), text(&sighting["kind"]));
    }
    let mut complete = 0;
    for entry in std::fs::read_dir(folder.path().join("forms")).unwrap() {
        let form = entry.unwrap().file_name().into_string().unwrap();
        let values = forms.remove(&form).unwrap_or_default();
        if form == "DECOYS.txt" || NOT_OPENED_YET.contains(&form.as_str()) {
            assert!(values.is_empty(), "{form}: {values:?}");
        } else if !form.starts_with("hash-") {
            let missed: Vec<_> = all.iter().filter(|value| !values.contains_key(**value)).collect();
            assert!(missed.is_empty(), "{form} does not show {missed:?}");
            complete += 1;
        }
        for (value, kind) in values {
            let is_quoted = form == "defanged.txt" && value.contains('.');
            assert_eq!(kind == "mention", is_quoted, "{form}: {value} is a {kind}");
        }
    }
    assert!(complete > 30, "{complete} forms");
}

/// Runs the generator; none, saying so, where there is no Python.
fn generated(command: &mut Command) -> Option<()> {
    match command.output() {
        Ok(output) if output.status.success() => Some(()),
        Ok(output) => panic!("{}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => {
            println!("skipped: python3 does not run here: {error}");
            None
        }
    }
}

/// The number of a sighting's record as the generator counts: lines, rows, messages or files.
fn record_of(corpus: &str, sighting: &Value) -> u64 {
    let artifact = sighting["artifact"].as_str().unwrap();
    let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap();
    match corpus {
        "mail.mbox" => digits(artifact.split_once("!/message-").unwrap().1),
        "eml" => digits(artifact.splitn(3, '/').nth(2).unwrap()),
        _ => sighting["record"].as_u64().unwrap(),
    }
}
