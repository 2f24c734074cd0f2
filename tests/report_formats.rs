//! Every renderer over reports built by hand, compared with `tests/golden/report/CASE.FORMAT`.
//!
//! A new renderer or case needs its goldens: `STORMGLASS_BLESS=1 cargo test --release --test report_formats` writes
//! them, to be read before they are committed.

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
#![expect(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use stormglass::artifact_path::ArtifactPath;
use stormglass::finding::{ObservableValue, Sighting, SightingKind, TimeZone};
use stormglass::pack::Severity;
use stormglass::problem::{Ledger, Outcome, Problem, Reason};
use stormglass::report::{
    Colour, Coverage, CoverageDetail, CoverageList, CoverageStatus, EvidenceLine, Note, PackLine, RENDERERS, Report,
    Style, Summary, renderer,
};
use stormglass::spool::{Runs, Sorted};

fn sorted<T: serde::Serialize + serde::de::DeserializeOwned>(items: &[T]) -> Sorted<T> {
    let mut runs = Runs::new(1 << 20);
    for (place, item) in items.iter().enumerate() {
        runs.push(u64::try_from(place).unwrap().to_be_bytes().to_vec(), item).unwrap();
    }
    runs.finish()
}

/// A sighting inside its window in the record of this number.
fn sighting(record: u64) -> Sighting {
    let fields = [("MailboxOwnerUPN", "user1@contoso.example"), ("AppId", "00000002-0000-0ff1-ce00-000000000000")];
    Sighting {
        advisory: Some("AA23-193A".to_owned()),
        pack: "aa23-193a/storm-0558".to_owned(),
        indicator: "storm-0558-token-panel".to_owned(),
        name: "Token web panel".to_owned(),
        severity: Severity::High,
        confidence: 90,
        kind: SightingKind::Sighting,
        observable: ObservableValue { kind: "ip".to_owned(), value: "195.26.87.219".to_owned() },
        matched: "195.26.87.219".to_owned(),
        occurrences: 1,
        artifact: "case/audit.csv".to_owned(),
        record: Some(record),
        line: Some(record + 1),
        offset: Some(record * 1_000),
        field: Some("AuditData.ClientIPAddress".to_owned()),
        decode: vec!["json".to_owned()],
        time: Some("2023-06-07T03:12:44Z".to_owned()),
        time_zone: TimeZone::Known,
        fields: fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        excerpt: r#""ClientIPAddress":"195.26.87.219","ClientInfoString":"Client=OWA;Action=ViaProxy""#.to_owned(),
        window: Some("inside".to_owned()),
    }
}

fn found_sightings() -> Vec<Sighting> {
    let mut list = vec![Sighting {
        indicator: "listed-attachment".to_owned(),
        name: "Attachment of the advisory".to_owned(),
        severity: Severity::Critical,
        observable: ObservableValue { kind: "sha256".to_owned(), value: "ab".repeat(32) },
        matched: "ab".repeat(32),
        artifact: "case/a.zip!/export.mbox!/message-4!/report.docx".to_owned(),
        record: None,
        line: None,
        offset: None,
        field: None,
        decode: Vec::new(),
        time: None,
        time_zone: TimeZone::Unknown,
        fields: BTreeMap::new(),
        excerpt: String::new(),
        window: None,
        ..sighting(1)
    }];
    // Twelve, of which the last two are the worst and must not be among those left out.
    for record in 1..=12 {
        let severity = if record > 10 { Severity::High } else { Severity::Low };
        let window = if record > 10 { "inside" } else { "outside" };
        list.push(Sighting { severity, window: Some(window.to_owned()), ..sighting(record) });
    }
    list.push(Sighting {
        pack: "own-list".to_owned(),
        advisory: None,
        indicator: "own-list-2".to_owned(),
        name: "evil\u{9b}31m.example".to_owned(),
        severity: Severity::Medium,
        observable: ObservableValue { kind: "domain".to_owned(), value: "evil.example".to_owned() },
        matched: "a.evil.example".to_owned(),
        occurrences: 3,
        artifact: "case/new\nline\u{202e}gpj.exe\x1b[31m.log".to_owned(),
        time: Some("2023-06-07T03:12:44".to_owned()),
        time_zone: TimeZone::Unknown,
        field: Some("cs(Referer)\x07".to_owned()),
        decode: vec!["base64".to_owned(), "utf-16le".to_owned()],
        fields: BTreeMap::from([("cs-username".to_owned(), "CONTOSO\\user1\x1b]0;title\x07".to_owned())]),
        excerpt: format!("{}a.evil.example\u{200b}\r\n\x1b[2J{}", "日本語".repeat(30), "x".repeat(200)),
        window: Some("time unknown".to_owned()),
        ..sighting(7)
    });
    list.push(Sighting {
        severity: Severity::Info,
        kind: SightingKind::Mention,
        matched: "195[.]26[.]87[.]219".to_owned(),
        artifact: "case/mail.mbox!/message-2".to_owned(),
        decode: Vec::new(),
        field: Some("body".to_owned()),
        excerpt: "Please block 195[.]26[.]87[.]219 at the gateway".to_owned(),
        window: None,
        ..sighting(1)
    });
    list
}

fn found_problems() -> Vec<Problem> {
    let archive = ArtifactPath::evidence("case/locked.zip");
    let locked = "locked, and no password opens it; give candidates with --password-list";
    let mut list: Vec<Problem> = (1..=21)
        .map(|n| Problem::new(&archive.member(&format!("m{n}.eml")), Reason::Encrypted, locked, Some(1_000)))
        .collect();
    let log = ArtifactPath::evidence("case/cut\x1b[8m.log.gz");
    list.push(Problem::new(&log, Reason::Truncated, "the stream ends before its last block", None));
    list.push(Problem::new(&ArtifactPath::evidence("case/link"), Reason::Symlink, "links are not followed", None));
    list
}

type CoverageLine = (&'static str, &'static str, &'static str, CoverageStatus, u64);

/// Pack, id, kind, status and records of each indicator.
#[derive(Debug)]
struct Lines(Vec<CoverageLine>);

impl CoverageList for Lines {
    fn each<'s>(&'s self, each: &mut dyn FnMut(Coverage<'s>)) {
        for (index, (pack, _, kind, status, records)) in self.0.iter().enumerate() {
            let why = (*status == CoverageStatus::NotEvaluable)
                .then_some(Cow::Borrowed("no record has the field OperationProperties.MailAccessType"));
            let indexes = index..index + 1;
            each(Coverage { indexes, pack, kind, status: *status, records: *records, why });
        }
    }

    fn write_id(&self, index: usize, to: &mut String) {
        to.push_str(self.0[index].1);
    }
}

fn found() -> Report<'static> {
    use CoverageStatus::{Found, NotEvaluable, NotFound};
    let storm = "aa23-193a/storm-0558";
    let mut ledger = Ledger::default();
    ledger.add("csv", Outcome::Examined);
    ledger.add("zip", Outcome::Failed(Reason::Encrypted));
    for _ in 0..21 {
        ledger.add("-", Outcome::Failed(Reason::Encrypted));
    }
    ledger.add("gzip", Outcome::Failed(Reason::Truncated));
    ledger.add("-", Outcome::Skipped(Reason::Symlink));
    let advisory =
        ("AA23-193A".to_owned(), "Enhanced Monitoring to Detect APT Activity Targeting Outlook Online".to_owned());
    let digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    Report {
        packs: vec![
            PackLine { name: storm.to_owned(), advisory: Some(advisory), indicators: 5 },
            PackLine { name: "own-list".to_owned(), advisory: None, indicators: 2 },
        ],
        evidence: vec![
            EvidenceLine { path: "case/audit.csv".to_owned(), bytes: 1_234_567, sha256: Some(digest.to_owned()) },
            EvidenceLine { path: "case/cut\x1b[8m.log.gz".to_owned(), bytes: 0, sha256: None },
        ],
        sightings: sorted(&found_sightings()),
        problems: sorted(&found_problems()),
        notes: vec![
            Note {
                code: "throttled".to_owned(),
                artifact: Some("case/audit.csv".to_owned()),
                detail: "mailbox access was throttled for user1@contoso.example\x1b[0m".to_owned(),
            },
            Note { code: "no-digest".to_owned(), artifact: None, detail: "no file was hashed".to_owned() },
        ],
        coverage: Box::new(Lines(vec![
            (storm, "storm-0558-token-panel", "ip", Found, 1_234),
            (storm, "storm-0558-softether-1", "ip", NotFound, 1_234),
            (storm, "storm-0558-softether-2", "ip", NotFound, 1_200),
            (storm, "mail-sync", "record", NotEvaluable, 0),
            (storm, "listed-attachment", "hash", Found, 25),
            ("own-list", "own-list-1", "domain", NotFound, 1_234),
            ("own-list", "own-list-2", "domain", Found, 1_234),
        ])),
        ledger,
        summary: Summary {
            worst: None,
            evidence: 4,
            artifacts: 25,
            records: 1_234,
            bytes: 1_234_567,
            sightings: 14,
            mentions: 1,
            findings: 3,
            complete: false,
            interrupted: false,
        },
    }
}

fn clean() -> Report<'static> {
    let mut ledger = Ledger::default();
    ledger.add("csv", Outcome::Examined);
    let records = 1_234;
    Report {
        sightings: sorted(&[]),
        problems: sorted(&[]),
        notes: Vec::new(),
        coverage: Box::new(Lines(vec![("own-list", "own-list-1", "ip", CoverageStatus::NotFound, records)])),
        ledger,
        packs: vec![PackLine { name: "own-list".to_owned(), advisory: None, indicators: 1 }],
        evidence: vec![EvidenceLine { path: "audit.csv".to_owned(), bytes: 9, sha256: Some("0".repeat(64)) }],
        summary: Summary { evidence: 1, artifacts: 1, records, bytes: 9, complete: true, ..Summary::default() },
    }
}

fn doubtful() -> Report<'static> {
    let mut report = clean();
    report.ledger.add("gzip", Outcome::Failed(Reason::Corrupt));
    report.ledger.add("-", Outcome::Skipped(Reason::SpecialFile));
    report.ledger.add("-", Outcome::Skipped(Reason::Excluded));
    let pipe = ArtifactPath::evidence("pipe");
    let gzip = ArtifactPath::evidence("a.gz");
    report.problems = sorted(&[
        Problem::new(&gzip, Reason::Corrupt, "the checksum is wrong", Some(1)),
        Problem::new(&pipe, Reason::SpecialFile, "it is a pipe; copy its content to a file", None),
    ]);
    report.summary = Summary { artifacts: 4, complete: false, ..report.summary };
    report
}

fn interrupted() -> Report<'static> {
    let mut report = found();
    report.summary.interrupted = true;
    report
}

fn quoted() -> Report<'static> {
    let mention = found_sightings().pop().unwrap();
    let mut report = clean();
    report.sightings = sorted(&[mention]);
    report.summary = Summary { mentions: 1, findings: 1, ..report.summary };
    report
}

fn interrupted_empty() -> Report<'static> {
    let mut report = clean();
    report.summary.interrupted = true;
    report.summary.complete = false;
    report
}

type Case = (&'static str, fn() -> Report<'static>, CoverageDetail);

const CASES: &[Case] = &[
    ("found", found, CoverageDetail::Summary),
    ("found-all", found, CoverageDetail::All),
    ("clean", clean, CoverageDetail::Summary),
    ("doubtful", doubtful, CoverageDetail::Summary),
    ("interrupted", interrupted, CoverageDetail::Summary),
    ("quoted", quoted, CoverageDetail::Summary),
];

fn render(report: &Report, format: &str, style: Style) -> String {
    let mut out = Vec::new();
    renderer(format).unwrap().render(report, style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn every_renderer_writes_its_goldens() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/report");
    for (case, report, coverage) in CASES {
        for renderer in RENDERERS {
            let text = render(&report(), renderer.name(), Style { coverage: *coverage, colour: Colour::Unwanted });
            let golden = folder.join(format!("{case}.{}", renderer.name()));
            if std::env::var_os("STORMGLASS_BLESS").is_some() {
                std::fs::create_dir_all(&folder).unwrap();
                std::fs::write(&golden, &text).unwrap();
            }
            let wanted = std::fs::read_to_string(&golden).unwrap_or_else(|_| panic!("no golden {}", golden.display()));
            assert_eq!(text, wanted, "{}", golden.display());
        }
    }
}

#[test]
fn nothing_from_evidence_reaches_a_terminal_unescaped() {
    for renderer in RENDERERS {
        let text = render(&found(), renderer.name(), Style::default());
        let bad = |c: &char| (c.is_control() && *c != '\n') || matches!(c, '\u{202e}' | '\u{200b}');
        assert_eq!(text.chars().find(bad), None, "{}", renderer.name());
        assert!(text.contains("case/new\\nline\\u"), "{}", renderer.name());
    }
}

#[test]
fn colour_is_the_only_difference_that_colour_makes() {
    let plain = render(&found(), "text", Style::default());
    let coloured = render(&found(), "text", Style { colour: Colour::Wanted, ..Style::default() });
    let mut stripped = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, after)) = rest.split_once('\x1b') {
        stripped.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    stripped.push_str(rest);
    assert!(coloured.len() > plain.len());
    assert_eq!(stripped, plain);
}

#[test]
fn each_jsonl_line_has_its_keys_in_order_and_none_is_missing() {
    let keys = |line: &str| -> Vec<String> {
        let mut found = Vec::new();
        let mut depth = 0;
        let mut strings = line.split('"');
        while let (Some(outside), Some(string)) = (strings.next(), strings.next()) {
            depth += outside.matches(['{', '[']).count();
            depth -= outside.matches(['}', ']']).count();
            if depth == 1 && (outside.ends_with('{') || outside.ends_with(',')) {
                found.push(string.to_owned());
            }
        }
        found
    };
    let wanted = BTreeMap::from([
        (
            "sighting",
            "type advisory pack indicator name severity confidence kind observable matched occurrences artifact record \
             line offset field decode time time_zone fields",
        ),
        ("problem", "type artifact reason detail bytes"),
        ("note", "type code artifact detail bytes sha256"),
        ("indicator", "type id status records"),
        ("coverage", "type pack kind indicators status records"),
        ("summary", "type evidence artifacts records bytes ledger sightings mentions findings complete"),
    ]);
    let report = render(&found(), "jsonl", Style::default());
    let mut types = Vec::new();
    for line in report.lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        let kind = value.get("type").and_then(|kind| kind.as_str()).unwrap().to_owned();
        // The hostile lines hold quotes inside strings, which this reader of keys does not know.
        if !line.contains("\\\"") {
            assert_eq!(keys(line).join(" "), *wanted.get(kind.as_str()).unwrap(), "{line}");
        }
        if types.last() != Some(&kind) {
            types.push(kind);
        }
    }
    assert_eq!(types, ["sighting", "problem", "note", "indicator", "coverage", "summary"]);
}

#[test]
fn jsonl_strings_read_back_as_they_were() {
    let report = render(&found(), "jsonl", Style::default());
    let hostile = found_sightings().into_iter().nth(13).unwrap();
    let line: serde_json::Value = serde_json::from_str(report.lines().nth(13).unwrap()).unwrap();
    for (key, value) in [("artifact", hostile.artifact), ("name", hostile.name)] {
        assert_eq!(line.get(key).and_then(|text| text.as_str()), Some(value.as_str()));
    }
}

#[test]
fn the_worst_sightings_are_never_the_ones_left_out() {
    let text = render(&found(), "text", Style::default());
    let spelled = text.split("storm-0558-token-panel").nth(1).unwrap();
    assert_eq!(spelled.matches("high  2023").count(), 2, "{spelled}");
    assert!(spelled.contains("… and 2 more"), "{spelled}");
}

#[test]
fn twenty_problems_alike_are_listed_and_twenty_one_are_drawn_together() {
    let archive = ArtifactPath::evidence("a.zip");
    for (count, together) in [(20, false), (21, true)] {
        let problems: Vec<Problem> = (0..count)
            .map(|n| Problem::new(&archive.member(&format!("m{n}")), Reason::Corrupt, "bad checksum", Some(2)))
            .collect();
        let report = Report { problems: sorted(&problems), ..doubtful() };
        let text = render(&report, "text", Style::default());
        assert_eq!(text.contains("a.zip!/m19"), !together, "{text}");
        assert_eq!(text.contains("21 problems in a.zip"), together, "{text}");
    }
}

#[test]
fn only_a_complete_scan_that_looked_at_something_sounds_clean() {
    let verdict = |report: &Report| {
        let text = render(report, "text", Style::default());
        text.strip_prefix("Stormglass report\n").unwrap().split("\n\n").next().unwrap().to_owned()
    };
    assert_eq!(verdict(&clean()), "Nothing found, and everything was examined.");
    for (report, words) in [
        (doubtful(), "2 artifacts were not fully examined"),
        (Report { ledger: Ledger::default(), ..clean() }, "nothing was examined"),
        (Report { packs: Vec::new(), ..clean() }, "no indicator was searched for"),
        (interrupted_empty(), "INTERRUPTED"),
    ] {
        let line = verdict(&report);
        assert!(line.contains(words) && line.contains("NOT a clean result"), "{line}");
    }
}
