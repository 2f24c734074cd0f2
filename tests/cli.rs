//! The program as its users meet it. What can be told as a transcript is in `tests/cli/*.trycmd`, with its files beside it
//! in `NAME.in/`; `TRYCMD=overwrite cargo test --release --test cli` writes the answers anew, to be read before they are
//! committed. What needs files of its own, threads or signals is here.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what is wrong by panicking"
)]

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_stormglass");
const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Runs the program where the project is, so that `tests/evidence` is named in reports as a user names it.
fn stormglass(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).current_dir(ROOT).stdin(Stdio::null()).output().unwrap()
}

fn status(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

/// The last line of a report in `jsonl`.
fn summary(report: &[u8]) -> Value {
    let text = std::str::from_utf8(report).unwrap();
    let summary: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(summary["type"], "summary");
    summary
}

/// The names in a folder, hidden ones among them.
fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn transcripts() {
    trycmd::TestCases::new()
        .register_bin("stormglass", trycmd::schema::Bin::Path(PROGRAM.into()))
        .case("tests/cli/*.trycmd");
}

#[test]
fn the_same_bytes_with_any_number_of_threads_and_a_second_time() {
    for format in ["text", "jsonl"] {
        let scan = |threads: &str| stormglass(&["scan", "--format", format, "--threads", threads, "tests/evidence"]);
        let first = scan("1");
        assert_eq!(status(&first), 1);
        for threads in ["1", "2", "8"] {
            let again = scan(threads);
            assert_eq!(status(&again), 1);
            assert!(first.stdout == again.stdout, "{format} with {threads} threads differs from 1 thread");
        }
    }
}

#[test]
fn the_order_of_arguments_and_naming_a_file_twice_change_nothing() {
    let files = ["tests/evidence/mailbox.mbox", "tests/evidence/u_ex230607.log"];
    let scan = |paths: &[&str]| stormglass(&[&["scan", "--format", "jsonl"], paths].concat()).stdout;
    let first = scan(&files);
    assert_eq!(summary(&first)["evidence"], 2);
    assert!(first == scan(&[files[1], files[0]]));
    assert!(first == scan(&[files[0], files[1], files[0]]));
}

#[test]
fn a_report_file_is_what_standard_output_would_be_and_replaces_the_one_before() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("report.jsonl");
    std::fs::write(&path, "the report of yesterday\n").unwrap();
    let printed = stormglass(&["scan", "--format", "jsonl", "tests/evidence"]);
    let written = stormglass(&["scan", "--format", "jsonl", "--output", path.to_str().unwrap(), "tests/evidence"]);
    assert_eq!((status(&written), written.stdout.len()), (1, 0));
    assert!(std::fs::read(&path).unwrap() == printed.stdout);
    assert_eq!(names_in(folder.path()), ["report.jsonl"]);
}

#[test]
fn a_scan_that_cannot_start_leaves_the_report_before_and_nothing_else() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("report.txt");
    std::fs::write(&path, "the report of yesterday\n").unwrap();
    let output = path.to_str().unwrap();
    for arguments in [["absent-evidence", "--quiet"], ["tests/evidence", "--rules=absent.yaml"]] {
        let refused = stormglass(&[&["scan", "--output", output], arguments.as_slice()].concat());
        assert_eq!((status(&refused), refused.stdout.len()), (2, 0));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "the report of yesterday\n");
        assert_eq!(names_in(folder.path()), ["report.txt"]);
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = Command::new(PROGRAM)
        .args(["rules", "list", "--format", "jsonl"])
        .current_dir(ROOT)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((status(&output), String::from_utf8_lossy(&output.stderr).as_ref()), (0, ""));
}

#[test]
fn quiet_says_nothing_on_standard_error() {
    let scan = stormglass(&["scan", "--quiet", "tests/evidence"]);
    assert_eq!((status(&scan), String::from_utf8_lossy(&scan.stderr).as_ref()), (1, ""));
}

#[cfg(unix)]
mod unix {
    use std::io::{BufWriter, Write};
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn links_leave_a_scan_complete_and_pipes_do_not() {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("app.log"), "nothing to see\n").unwrap();
        std::os::unix::fs::symlink("app.log", folder.path().join("link")).unwrap();
        let scan = || stormglass(&["scan", "--format", "jsonl", folder.path().to_str().unwrap()]);
        let with_link = scan();
        assert_eq!((status(&with_link), &summary(&with_link.stdout)["ledger"]["skipped"]), (0, &Value::from(1)));
        let pipe = folder.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let with_pipe = scan();
        assert_eq!((status(&with_pipe), &summary(&with_pipe.stdout)["complete"]), (3, &Value::from(false)));
    }

    #[test]
    fn evidence_is_left_as_it_was() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("app.log");
        std::fs::write(&file, "from 195.26.87.219\n").unwrap();
        let mut permissions = std::fs::metadata(&file).unwrap().permissions();
        permissions.set_readonly(true);
        std::fs::set_permissions(&file, permissions).unwrap();
        let before = std::fs::metadata(&file).unwrap();
        assert_eq!(status(&stormglass(&["scan", folder.path().to_str().unwrap()])), 1);
        let after = std::fs::metadata(&file).unwrap();
        assert_eq!((before.modified().unwrap(), before.len()), (after.modified().unwrap(), after.len()));
        assert_eq!(names_in(folder.path()), ["app.log"]);
    }

    /// Writes a log that takes a while to search: every line has a dotted number that is nearly an indicator.
    #[cfg(target_os = "linux")]
    fn large_log(folder: &Path, megabytes: usize) -> PathBuf {
        let path = folder.join("large.log");
        let mut file = BufWriter::new(std::fs::File::create(&path).unwrap());
        let mut chunk = String::from("2023-06-07T03:12:44Z login from 195.26.87.219\n");
        while chunk.len() < 1 << 20 {
            chunk.push_str("2023-06-07T03:12:44Z gw01 192.0.2.77 -> 195.26.87.21:443 host www.contoso.example %2e\n");
        }
        for _ in 0..megabytes {
            file.write_all(chunk.as_bytes()).unwrap();
        }
        file.into_inner().unwrap();
        path
    }

    /// Tells whether a process holds a file open.
    #[cfg(target_os = "linux")]
    fn has_open(process: u32, file: &Path) -> bool {
        let Ok(entries) = std::fs::read_dir(format!("/proc/{process}/fd")) else { return false };
        entries.flatten().any(|entry| std::fs::read_link(entry.path()).is_ok_and(|target| target == file))
    }

    /// Scans on one thread and stops the scan as soon as it reads; none where it was done before the signal.
    #[cfg(target_os = "linux")]
    fn interrupted(log: &Path, report: &Path) -> Option<Output> {
        let paths = [report.to_str().unwrap(), log.to_str().unwrap()];
        let mut child = Command::new(PROGRAM)
            .args(["scan", "--format", "jsonl", "--threads", "1", "--output", paths[0], paths[1]])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        while !has_open(child.id(), log) {
            if child.try_wait().unwrap().is_some() {
                return None;
            }
            std::thread::yield_now();
        }
        // A scan that is done is not waited for yet, so its id is nobody else's.
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        let stopped = String::from_utf8_lossy(&output.stderr).contains("stopping");
        stopped.then_some(output)
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn ctrl_c_reports_what_was_found_so_far_and_that_it_is_not_all() {
        let (folder, reports) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let root = folder.path().canonicalize().unwrap();
        let report = reports.path().join("report.jsonl");
        let stopped = [64, 512, 2048].into_iter().find_map(|megabytes| {
            let log = large_log(&root, megabytes);
            interrupted(&log, &report)
        });
        let Some(output) = stopped else {
            println!("skipped: each scan was done before it could be stopped");
            return;
        };
        let summary = summary(&std::fs::read(&report).unwrap());
        assert!(matches!(status(&output), 1 | 3), "{output:?}");
        assert_eq!(summary["complete"], false);
        assert_eq!(status(&output) == 1, summary["findings"] != 0);
        let ledger = &summary["ledger"];
        let count = |key: &str| ledger[key].as_u64().unwrap();
        assert_eq!(count("met"), count("examined") + count("skipped") + count("failed"));
        assert_eq!(names_in(reports.path()), ["report.jsonl"]);
    }
}

/// A report never takes the place of evidence, of a device or of a link.
#[test]
#[cfg(unix)]
fn a_report_overwrites_no_evidence_and_replaces_no_device() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("case.log");
    std::fs::write(&log, "nothing here\n").unwrap();
    let scan = |output: &std::path::Path| {
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_stormglass"));
        program.arg("scan").arg("--quiet").arg(&log).arg("--output").arg(output).output().unwrap()
    };
    let refused = scan(&log);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("is evidence of this scan"));
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "nothing here\n");
    assert_eq!(scan(std::path::Path::new("/dev/null")).status.code(), Some(0));
    assert!(!std::fs::metadata("/dev/null").unwrap().is_file());
    let (report, link) = (folder.path().join("report.txt"), folder.path().join("link"));
    std::fs::write(&report, "old").unwrap();
    std::os::unix::fs::symlink("report.txt", &link).unwrap();
    assert_eq!(scan(&link).status.code(), Some(0));
    assert!(link.symlink_metadata().unwrap().is_symlink());
    assert!(std::fs::read_to_string(&report).unwrap().starts_with("Stormglass report"));
}
