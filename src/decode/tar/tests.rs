//! Tar archives made in memory.

use tar::{Builder, EntryType, Header};

use super::super::testing::{decode, decode_within};
use super::*;
use crate::budget::{Limits, RATIO_GRACE_BYTES};

fn header(name: &str, kind: EntryType, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_path(name).unwrap();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_cksum();
    header
}

fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (name, content) in members {
        let mut header = Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_entry_type(EntryType::Regular);
        builder.append_data(&mut header, name, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

#[test]
fn files_are_members_and_links_and_devices_are_listed() {
    let mut builder = Builder::new(Vec::new());
    builder.append(&header("folder/", EntryType::Directory, 0), &b""[..]).unwrap();
    builder.append(&header("folder/a.txt", EntryType::Regular, 12), &b"evil.example"[..]).unwrap();
    let mut link = header("link", EntryType::Symlink, 0);
    link.set_link_name("/etc/passwd").unwrap();
    link.set_cksum();
    builder.append(&link, &b""[..]).unwrap();
    builder.append(&header("device", EntryType::Char, 0), &b""[..]).unwrap();
    let collected = decode("a.tar", &builder.into_inner().unwrap());
    assert_eq!(collected.children, ["a.tar!/folder/a.txt"]);
    assert_eq!(collected.holding("evil.example"), ["a.tar!/folder/a.txt"]);
    let unopened = [("a.tar!/link".to_owned(), Reason::Symlink), ("a.tar!/device".to_owned(), Reason::SpecialFile)];
    assert_eq!(collected.unopened, unopened);
}

#[test]
fn long_names_are_whole() {
    let name = format!("{}/end.txt", "folder".repeat(60));
    let collected = decode("a", &archive(&[(&name, b"x"), ("short", b"y")]));
    assert_eq!(collected.children, [format!("a!/{name}"), "a!/short".to_owned()]);
    assert!(collected.problems.is_empty());
    let mut builder = Builder::new(Vec::new());
    builder.append_pax_extensions([("path", name.as_bytes())]).unwrap();
    builder.append(&header("cut", EntryType::Regular, 1), &b"x"[..]).unwrap();
    assert_eq!(decode("a", &builder.into_inner().unwrap()).children, [format!("a!/{name}")]);
}

#[test]
fn a_truncated_archive_gives_what_can_be_read() {
    let whole = archive(&[("one", b"first.example"), ("two", &[b"second.example ".repeat(100)].concat())]);
    let collected = decode("a", &whole[..512 * 3 + 600]);
    assert_eq!(collected.children, ["a!/one", "a!/two"]);
    assert_eq!(collected.holding("second.example"), ["a!/two"]);
    assert_eq!(collected.reasons("a!/two"), [Reason::Truncated]);
    assert_eq!(collected.reasons("a"), [Reason::Truncated]);
    let inside_header = decode("a", &whole[..512 * 2 + 300]);
    assert_eq!(inside_header.reasons("a"), [Reason::Truncated]);
    // Without the zero blocks at its end an archive is whole.
    assert!(decode("a", &whole[..whole.len() - 1024]).problems.is_empty());
}

#[test]
fn damaged_headers_are_searched_and_passed_over() {
    let mut bytes = archive(&[("one", b"first.example"), ("two", b"second.example"), ("three", b"third.example")]);
    bytes[1024 + 150] ^= 0x55;
    let collected = decode("a", &bytes);
    assert_eq!(collected.children, ["a!/one", "a!/three"]);
    assert_eq!(collected.holding("second.example"), ["a"]);
    assert_eq!(collected.reasons("a"), [Reason::Corrupt]);
    let (_, block) = collected.blocks.iter().find(|(path, _)| path == "a").unwrap();
    let at = memchr::memmem::find(block.bytes(), b"second.example").unwrap();
    assert_eq!(block.source_offset(at), 1024 + 512);
}

#[test]
fn an_absurd_size_allocates_nothing() {
    let mut header = header("huge", EntryType::Regular, 0);
    header.set_size(u64::MAX >> 2);
    header.set_cksum();
    let bytes = [header.as_bytes(), &b"evil.example"[..]].concat();
    let collected = decode("a", &bytes);
    assert_eq!(collected.holding("evil.example"), ["a!/huge"]);
    assert_eq!(collected.reasons("a"), [Reason::Truncated]);
    let mut long_name = self::header("x", EntryType::GNULongName, 0);
    long_name.set_size(u64::MAX >> 2);
    long_name.set_cksum();
    assert_eq!(decode("a", long_name.as_bytes()).reasons("a"), [Reason::Truncated]);
}

#[test]
fn sparse_files_have_their_holes_and_the_ratio_limits_them() {
    let sparse = |offset: u64| {
        let mut header = Header::new_gnu();
        header.set_path("sparse").unwrap();
        header.set_entry_type(EntryType::GNUSparse);
        header.set_size(12);
        let gnu = header.as_gnu_mut().unwrap();
        gnu.sparse[0].set_offset(offset);
        gnu.sparse[0].set_length(12);
        gnu.set_real_size(offset + 12);
        header.set_cksum();
        let mut bytes = [header.as_bytes(), &b"evil.example"[..]].concat();
        bytes.resize(1024, 0);
        bytes.extend(archive(&[("next", b"x")]));
        bytes
    };
    let collected = decode("a", &sparse(1000));
    assert!(collected.problems.is_empty());
    assert_eq!(collected.blocks[0].1.source_offset(0), 1000);
    assert_eq!(collected.children, ["a!/sparse", "a!/next"]);
    let collected = decode_within("a", &sparse(RATIO_GRACE_BYTES * 2), Limits { ratio: 100, ..Limits::default() });
    assert_eq!(collected.reasons("a!/sparse"), [Reason::Limit]);
    assert_eq!(collected.children, ["a!/sparse", "a!/next"]);
}

#[test]
fn the_mark_or_the_checksum_tell_a_tar() {
    let is_tar = |bytes: &[u8]| Tar.recognises(&Head { bytes, is_whole: true });
    let gnu = archive(&[("a", b"x")]);
    assert!(is_tar(&gnu));
    let mut old = Header::new_old();
    old.set_path("a").unwrap();
    old.set_size(1);
    old.set_cksum();
    assert!(is_tar(old.as_bytes()));
    let mut wrong = *old.as_bytes();
    wrong[0] = b'b';
    assert!(!is_tar(&wrong));
    assert!(!is_tar(&[0; 1024]));
    assert!(!is_tar(&gnu[..511]));
}

#[test]
fn children_are_limited() {
    let bytes = archive(&[("one", b"1"), ("two", b"2"), ("three", b"3")]);
    for (children, met) in [(3, 3), (2, 3), (1, 2)] {
        let collected = decode_within("a", &bytes, Limits { children, ..Limits::default() });
        assert_eq!(collected.children.len(), met);
        assert_eq!(collected.reasons("a").len(), usize::from(children < 3));
    }
}
