//! Every decoder over files that others made. They are not part of this project: the tests read them where the folder
//! `../shared/corpus`, or the one that `STORMGLASS_CORPUS` names, is there, and say so where it is not.

use std::path::{Path, PathBuf};

use super::testing::{Collected, decode_within};
use crate::budget::Limits;

/// Limits that keep bombs short: all that is decoded is kept in memory to be looked at.
fn limits() -> Limits {
    Limits { output_bytes: 64 << 20, children: 20_000, ..Limits::default() }
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
}

/// Files with some bytes changed and their end cut off.
#[test]
fn damaged_files_are_read_without_a_panic() {
    let Some(corpus) = corpus() else { return };
    let mut state = 7_usize;
    let mut next = |most: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % most.max(1)
    };
    for folder in ["libzip", "golang-archive/archive", "mail-parser", "mimekit", "mbox-messageparser/t/mailboxes"] {
        for path in files(&corpus.join(folder)) {
            let whole = std::fs::read(&path).unwrap();
            for _ in 0..if whole.len() < 32 * 1024 { 20 } else { 0 } {
                let mut bytes = whole.clone();
                for _ in 0..next(8) {
                    let at = next(bytes.len());
                    bytes.get_mut(at).into_iter().for_each(|byte| *byte = u8::try_from(next(256)).unwrap());
                }
                bytes.truncate(bytes.len() - next(bytes.len() / 2));
                decode_within("x", &bytes, Limits { output_bytes: 1 << 24, children: 1_000, ..Limits::default() });
            }
        }
    }
}

/// Every line of a message that holds no escape must stand somewhere in what is searched.
#[test]
fn no_line_of_a_message_is_lost() {
    let Some(corpus) = corpus() else { return };
    let (mut lines, mut open) = (0, 0);
    let messages = files(&corpus.join("spamassassin"));
    for path in messages.iter().filter(|path| path.extension().is_some_and(|e| e == "txt")) {
        let raw = std::fs::read(path).unwrap();
        let collected = read(path);
        assert!(matches!(collected.decoders[0].1, "mbox" | "mail"), "{}", path.display());
        let texts = || collected.blocks.iter().map(|(_, block)| block.bytes());
        for line in raw.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii) {
            let is_plain = line.is_ascii() && line.contains(&b' ') && !line.contains(&b'=');
            // Control characters end a run of text, so such a line is found in pieces.
            if is_plain && line.iter().all(|byte| (b' '..=b'~').contains(byte)) && !line.starts_with(b"From ") {
                assert!(
                    texts().any(|text| memchr::memmem::find(text, line).is_some()),
                    "{}: {}",
                    path.display(),
                    String::from_utf8_lossy(line)
                );
                lines += 1;
            }
        }
        open += usize::from(
            collected
                .blocks
                .iter()
                .any(|(_, block)| block.record_at(0).is_some_and(|span| block.record(&span).damage.is_some())),
        );
    }
    println!("{lines} lines of {} messages, {open} of them end inside a multipart", messages.len());
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
        (
            "tika/tika-parsers/tika-parsers-standard/tika-parsers-standard-modules/tika-parser-mail-module/src/test/resources/test-documents/simple.mbox",
            2,
        ),
        ("derived/spamassassin-hard-ham-1.mbox", 250),
        ("mimekit/mbox/issue1189.mbox.txt", 4),
        ("mimekit/mbox/simple.mbox.txt", 3),
        ("mimekit/mbox/unmunged.mbox.txt", 2),
    ] {
        let collected = read(&corpus.join(path));
        let found = collected.children.iter().filter(|path| path.matches("!/").count() == 1).count();
        assert_eq!((collected.decoders[0].1, found), ("mbox", messages), "{path}");
    }
}
