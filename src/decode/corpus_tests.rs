//! Every decoder over files that others made. They are not part of this project: the tests read them where the folder
//! `../shared/corpus`, or the one that `STORMGLASS_CORPUS` names, is there, and say so where it is not.

use std::path::{Path, PathBuf};

use super::testing::{Collected, decode_within};
use crate::budget::Limits;

/// Limits that keep bombs short.
fn limits() -> Limits {
    Limits { output_bytes: 1 << 30, children: 20_000, ..Limits::default() }
}

fn corpus() -> Option<PathBuf> {
    let folder = std::env::var_os("STORMGLASS_CORPUS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"), PathBuf::from);
    if !folder.is_dir() {
        println!("skipped: no corpus at {}", folder.display());
        return None;
    }
    Some(folder)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().filter_map(Result::ok);
    entries.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path).collect()
}

fn read(path: &Path) -> Collected {
    decode_within("x", &std::fs::read(path).unwrap(), limits())
}

#[test]
fn archives_and_messages_are_read_without_a_panic() {
    let Some(corpus) = corpus() else { return };
    let verbose = std::env::var_os("STORMGLASS_VERBOSE").is_some();
    let folders = [
        "commons-compress",
        "libzip",
        "golang-archive",
        "tika",
        "mimekit",
        "mbox-messageparser",
        "mail-parser",
        "ruby-mail",
        "gmime",
        "kmime",
        "poi",
        "cpython",
    ];
    for folder in folders {
        for path in files(&corpus.join(folder)) {
            let collected = read(&path);
            let problems = collected.problems.iter().filter(|(_, reason, _)| !reason.is_skip());
            if verbose {
                let name = path.strip_prefix(&corpus).unwrap_or(&path).display();
                println!("{name}: {} {} children", collected.decoders[0].1, collected.children.len());
                problems.for_each(|(path, reason, detail)| println!("    {path}: {reason}: {detail}"));
            }
        }
    }
    for path in files(&corpus.join("spamassassin"))
        .iter()
        .filter(|path| path.extension().is_some_and(|e| e == "txt"))
        .step_by(10)
    {
        let collected = read(path);
        let truth = std::fs::read(path).unwrap();
        assert!(matches!(collected.decoders[0].1, "mbox" | "mail"), "{}", path.display());
        assert!(!truth.is_empty());
    }
}

#[test]
fn mailboxes_have_as_many_messages_as_their_makers_say() {
    let Some(corpus) = corpus() else { return };
    for (path, messages) in [
        // The reference of these takes separators inside a multipart, and without an empty line, as text: 13.
        ("mbox-messageparser/t/mailboxes/mailarc-1.txt", 16),
        ("mbox-messageparser/t/mailboxes/mailarc-1-dos.txt", 16),
        ("mbox-messageparser/t/mailboxes/mailarc-2.txt", 5),
        ("mbox-messageparser/t/mailboxes/mailseparators.txt", 3),
        ("mbox-messageparser/t/mailboxes/newlines_at_beginning.txt", 1),
        ("mbox-messageparser/t/mailboxes/separators1.sep", 4),
        ("mbox-messageparser/t/mailboxes/hessbug.txt", 1),
        ("mimekit/mbox/issue1189.mbox.txt", 4),
        ("mimekit/mbox/simple.mbox.txt", 3),
        ("mimekit/mbox/unmunged.mbox.txt", 2),
    ] {
        let collected = read(&corpus.join(path));
        let found = collected.children.iter().filter(|path| path.matches("!/").count() == 1).count();
        assert_eq!((collected.decoders[0].1, found), ("mbox", messages), "{path}");
    }
}
