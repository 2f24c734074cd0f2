//! `--cache`: the same reports with and without it, whatever stands in the folder.

#![expect(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const LIST: &str = "192.0.2.7\nevil.example\n198.51.100.0/24\n\
    e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\nhttp://bad.example/a\nbob@evil.example\n";
const LOG: &str =
    "a 192.0.2.7\nb www.Evil.Example\nc 198.51.100.9 http://bad.example/a/b\nd BOB@evil.example\ne bob@evil.exampl\n";

fn stormglass(arguments: &[&str], cache: Option<&Path>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stormglass"));
    command.args(arguments);
    if let Some(cache) = cache {
        command.arg("--cache").arg(cache);
    }
    command.output().unwrap()
}

fn told(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn reports_are_the_same_with_and_without() {
    let folder = tempfile::tempdir().unwrap();
    let (log, list, cache) = (folder.path().join("a.log"), folder.path().join("list.txt"), folder.path().join("cache"));
    fs::write(&log, LOG).unwrap();
    fs::write(&list, LIST).unwrap();
    let (log, list) = (log.to_str().unwrap(), list.to_str().unwrap());
    for arguments in [
        &["scan", log, "--rules", list, "--format", "jsonl", "--quiet", "--coverage", "all"][..],
        &["scan", log, "--rules", list, "--quiet", "--no-builtin"][..],
        &["rules", "list", "--rules", list, "--format", "jsonl"][..],
        &["rules", "list", "--rules", list][..],
        &["rules", "test", "--rules", list][..],
    ] {
        let plain = told(&stormglass(arguments, None));
        for _ in 0..2 {
            assert_eq!(told(&stormglass(arguments, Some(&cache))), plain);
        }
    }
    let kept: Vec<_> = fs::read_dir(&cache).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(kept.len(), 2, "one with the built-in packs, one without: {kept:?}");
    let arguments = &["scan", log, "--rules", list, "--quiet", "--no-builtin"];
    let plain = told(&stormglass(arguments, None));
    for file in &kept {
        fs::write(file, "not a ruleset").unwrap();
    }
    let (code, out, warning) = told(&stormglass(arguments, Some(&cache)));
    assert_eq!((code, out), (plain.0, plain.1.clone()));
    assert!(warning.contains("is not used, and the packs are compiled"), "{warning}");
    assert_eq!(told(&stormglass(arguments, Some(&cache))), plain, "it was written anew");
}

#[test]
fn a_cache_that_cannot_be_written_is_only_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let (log, list) = (folder.path().join("a.log"), folder.path().join("list.txt"));
    fs::write(&log, LOG).unwrap();
    fs::write(&list, LIST).unwrap();
    let arguments = &["scan", log.to_str().unwrap(), "--rules", list.to_str().unwrap(), "--quiet"];
    let (code, out, _) = told(&stormglass(arguments, None));
    let (cached_code, cached_out, warning) = told(&stormglass(arguments, Some(&log)));
    assert_eq!((cached_code, cached_out), (code, out));
    assert!(warning.contains("cannot be written"), "{warning}");
}

#[test]
fn mistakes_are_told_and_nothing_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (list, cache) = (folder.path().join("list.csv"), folder.path().join("cache"));
    fs::write(&list, "type,value\nip,300.1.1.1\n").unwrap();
    let arguments = &["rules", "list", "--rules", list.to_str().unwrap()];
    let plain = told(&stormglass(arguments, None));
    for _ in 0..2 {
        assert_eq!(told(&stormglass(arguments, Some(&cache))), plain);
    }
    assert_eq!(plain.0, Some(2));
    assert!(!cache.exists());
}

#[test]
fn a_list_of_megabytes_is_the_same_with_and_without() {
    let folder = tempfile::tempdir().unwrap();
    let (log, list, cache) = (folder.path().join("a.log"), folder.path().join("list.csv"), folder.path().join("cache"));
    fs::write(&log, "a 10.0.1.2 evilbot/1.0\nb x.n77.example\nc 10.0.200.1 n1@n2.example\n").unwrap();
    let rows = (0..40_000).map(|n| {
        format!("ip,10.0.{}.{}\ndomain,n{n}.example\nemail,n{n}@n{}.example\nmd5,{n:032x}\n", n >> 8, n & 255, n + 1)
    });
    let text = format!("type,value\n{}", rows.collect::<String>());
    assert!(text.len() > 2 << 20);
    let arguments = ["scan", log.to_str().unwrap(), "--rules", list.to_str().unwrap(), "--format", "jsonl", "--quiet"];
    // What a user agent is found by is no value of a table, so that this list is read again.
    for more in ["", "user_agent,evilbot/1.0\n"] {
        fs::write(&list, format!("{text}{more}")).unwrap();
        let plain = told(&stormglass(&arguments, None));
        assert_eq!(plain.0, Some(1));
        assert_eq!(plain.1.matches("\"type\":\"sighting\"").count(), 4 + usize::from(!more.is_empty()));
        for _ in 0..2 {
            assert_eq!(told(&stormglass(&arguments, Some(&cache))), plain);
        }
    }
}
