//! Every command and every output that the README and the docs show is run and compared.

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

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The README and every page of `docs/`.
fn pages() -> Vec<(PathBuf, String)> {
    let mut paths = vec![root().join("README.md")];
    paths.extend(fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path()));
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    paths.sort();
    assert!(paths.len() > 5);
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

/// The fenced blocks of one kind.
fn blocks<'p>(page: &'p str, kind: &str) -> Vec<&'p str> {
    let fence = format!("```{kind}\n");
    page.split(fence.as_str()).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

/// A folder that stands for a user's machine: evidence, lists, and places for reports.
fn machine() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let below = |path: &str| folder.path().join(path);
    for evidence in ["case", "srv/evidence/mail", "srv/evidence/logs", "srv/export"] {
        fs::create_dir_all(below(evidence)).unwrap();
        for entry in fs::read_dir(root().join("tests/evidence")).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), below(evidence).join(entry.file_name())).unwrap();
        }
    }
    for place in ["var/spool/siem", "var/lib/audit", "var/lib/stormglass", "bin"] {
        fs::create_dir_all(below(place)).unwrap();
    }
    fs::write(below("iocs.csv"), "type,value\ndomain,evil.example\n").unwrap();
    let pack = blocks(&fs::read_to_string(root().join("docs/pack-format.md")).unwrap(), "yaml")
        .into_iter()
        .find(|block| block.starts_with("format:"))
        .expect("the format page begins with a whole pack")
        .to_owned();
    fs::write(below("my-pack.yaml"), pack).unwrap();
    folder
}

fn shell(folder: &Path, script: &str) -> (i32, String) {
    let program = Path::new(env!("CARGO_BIN_EXE_stormglass")).parent().unwrap();
    let path = format!("{}:{}:{}", folder.join("bin").display(), program.display(), std::env::var("PATH").unwrap());
    let output = Command::new("sh").arg("-c").arg(script).current_dir(folder).env("PATH", path).output().unwrap();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn the_readme_shows_what_the_program_prints() {
    let output = Command::new(env!("CARGO_BIN_EXE_stormglass"))
        .args(["scan", "tests/evidence"])
        .current_dir(root())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let printed = String::from_utf8(output.stdout).unwrap();
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let shown = blocks(&readme, "text");
    assert_eq!(shown.len(), 2);
    for block in shown {
        assert!(printed.contains(block.trim_end()), "the README shows what is not printed:\n{block}");
    }
}

#[test]
fn commands_of_the_docs_run() {
    let mut count = 0;
    for (path, page) in pages() {
        for block in blocks(&page, "console") {
            for command in block.lines().filter_map(|line| line.strip_prefix("$ ")) {
                let folder = machine();
                let (status, errors) = shell(folder.path(), command);
                assert!(matches!(status, 0 | 1), "{}: {command}: {status}: {errors}", path.display());
                count += 1;
            }
        }
    }
    assert!(count > 4);
}

#[test]
#[cfg(unix)]
fn scripts_of_the_docs_run() {
    let mut count = 0;
    for (path, page) in pages() {
        for block in blocks(&page, "sh").into_iter().filter(|block| block.contains("stormglass scan")) {
            let folder = machine();
            let today = Command::new("date").arg("+%F").output().unwrap().stdout;
            let today = folder.path().join("srv/export").join(String::from_utf8(today).unwrap().trim());
            fs::create_dir_all(today).unwrap();
            for name in ["mail", "page-the-on-call"] {
                let program = folder.path().join("bin").join(name);
                fs::write(&program, "#!/bin/sh\nexit 1\n").unwrap();
                fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
            }
            let here = folder.path().display();
            let script = block.replace("/srv/", &format!("{here}/srv/")).replace("/var/", &format!("{here}/var/"));
            let (status, errors) = shell(folder.path(), &script);
            assert!(matches!(status, 0 | 1 | 3), "{}: {status}: {errors}\n{script}", path.display());
            assert!(!errors.contains("stormglass:"), "{}: {errors}", path.display());
            count += 1;
        }
    }
    assert!(count > 1);
}
