//! Zip archives made in memory, whole and damaged.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::super::testing::{decode, decode_within};
use super::*;
use crate::budget::{Limits, RATIO_GRACE_BYTES};

fn archive(members: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        writer.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        b'a' + (state >> 24) as u8 % 16
    };
    (0..length).map(next).collect()
}

#[test]
fn members_are_read_in_order_and_nested() {
    let inner = archive(&[("b.txt", b"evil.example")], CompressionMethod::Deflated);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.add_directory("folder", SimpleFileOptions::default()).unwrap();
    for (name, content) in [("folder/z.zip", &inner[..]), ("a.txt", b"text")] {
        writer.start_file(name, SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
    }
    let collected = decode("x.zip", &writer.finish().unwrap().into_inner());
    assert_eq!(collected.children, ["x.zip!/folder/z.zip", "x.zip!/folder/z.zip!/b.txt", "x.zip!/a.txt"]);
    assert_eq!(collected.holding("evil.example"), ["x.zip!/folder/z.zip!/b.txt"]);
    assert!(collected.problems.is_empty());
    assert!(decode("x.zip", &archive(&[], CompressionMethod::Stored)).problems.is_empty());
}

#[test]
fn a_wrong_checksum_is_listed_after_the_content_was_searched() {
    let mut bytes = archive(&[("a", b"evil.example"), ("b", b"other")], CompressionMethod::Stored);
    let at = memchr::memmem::find(&bytes, b"evil.example").unwrap();
    bytes[at + 11] = b'f';
    let collected = decode("x", &bytes);
    assert_eq!(collected.holding("evil.exampl"), ["x!/a"]);
    assert_eq!(collected.reasons("x!/a"), [Reason::Corrupt]);
    assert_eq!(collected.children, ["x!/a", "x!/b"]);
}

#[test]
fn locked_members_and_unknown_methods_are_listed() {
    let mut bytes = archive(&[("a", b"evil.example"), ("b", b"other")], CompressionMethod::Stored);
    let central = memchr::memmem::find(&bytes, b"PK\x01\x02").unwrap();
    bytes[central + 8] |= 1;
    let second = central + 4 + memchr::memmem::find(&bytes[central + 4..], b"PK\x01\x02").unwrap();
    bytes[second + 10] = 99;
    let local = 4 + memchr::memmem::find(&bytes[4..], b"PK\x03\x04").unwrap();
    bytes[local + 8] = 99;
    let collected = decode("x", &bytes);
    assert_eq!(collected.unopened, [("x!/a".to_owned(), Reason::Encrypted), ("x!/b".to_owned(), Reason::Unsupported)]);
}

#[test]
fn a_truncated_archive_is_read_by_its_members_own_headers() {
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let long = [&b"start.example "[..], &noise(5_000), b" end.example"].concat();
        let bytes = archive(&[("a", b"evil.example"), ("folder/b", &long), ("c", b"x")], method);
        let central = memchr::memmem::find(&bytes, b"PK\x01\x02").unwrap();
        let collected = decode("x", &bytes[..central + 10]);
        assert_eq!(collected.children, ["x!/a", "x!/folder/b", "x!/c"]);
        assert_eq!(collected.holding("end.example"), ["x!/folder/b"]);
        assert_eq!(collected.reasons("x"), [Reason::Truncated]);
        let inside = memchr::memmem::find(&bytes, b"folder/b").unwrap() + 1_500;
        let collected = decode("x", &bytes[..inside]);
        assert_eq!(collected.children, ["x!/a", "x!/folder/b"]);
        assert_eq!(collected.holding("start.example"), ["x!/folder/b"]);
        assert_eq!(collected.reasons("x!/folder/b"), [Reason::Truncated]);
        assert_eq!(collected.reasons("x"), [Reason::Truncated]);
    }
}

#[test]
fn sizes_that_follow_the_data_are_found_without_a_directory() {
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let mut bytes = archive(&[("a", b"evil.example"), ("b", b"other.example")], method);
        let central = memchr::memmem::find(&bytes, b"PK\x01\x02").unwrap();
        bytes.truncate(central);
        let second = 4 + memchr::memmem::find(&bytes[4..], b"PK\x03\x04").unwrap();
        for start in [0, second] {
            bytes[start + 6] |= 8;
            bytes[start + 14..start + 26].fill(0);
        }
        let collected = decode("x", &bytes);
        assert_eq!(collected.children, ["x!/a", "x!/b"]);
        assert_eq!(collected.holding("other.example"), ["x!/b"]);
        assert!(collected.reasons("x!/a").is_empty());
    }
}

#[test]
fn a_damaged_directory_entry_is_followed_by_what_headers_tell() {
    let mut bytes = archive(&[("a", b"evil.example"), ("b", b"other.example")], CompressionMethod::Stored);
    let central = memchr::memmem::find(&bytes, b"PK\x01\x02").unwrap();
    let second = central + 4 + memchr::memmem::find(&bytes[central + 4..], b"PK\x01\x02").unwrap();
    bytes[second] = b'X';
    let collected = decode("x", &bytes);
    assert_eq!(collected.children, ["x!/a", "x!/b"]);
    assert_eq!(collected.reasons("x"), [Reason::Corrupt]);
}

#[test]
fn members_that_share_bytes_are_read_and_listed() {
    let mut bytes = archive(&[("a", b"evil.example"), ("b", b"other.exampl")], CompressionMethod::Stored);
    let central = memchr::memmem::find(&bytes, b"PK\x01\x02").unwrap();
    let second = central + 4 + memchr::memmem::find(&bytes[central + 4..], b"PK\x01\x02").unwrap();
    bytes[second + 42..second + 46].fill(0);
    let collected = decode("x", &bytes);
    assert_eq!(collected.children, ["x!/a", "x!/b"]);
    assert_eq!(collected.reasons("x"), [Reason::Corrupt]);
}

#[test]
fn members_that_the_directory_leaves_out_are_read_and_listed() {
    let hidden = archive(&[("hidden", b"evil.example")], CompressionMethod::Deflated);
    let hidden = &hidden[..memchr::memmem::find(&hidden, b"PK\x01\x02").unwrap()];
    let whole = archive(&[("a", b"text")], CompressionMethod::Stored);
    let local = &whole[..memchr::memmem::find(&whole, b"PK\x01\x02").unwrap()];
    // The directory's offsets are of the second copy: what stands before it is not listed.
    for (before, reasons) in
        [(hidden, &[Reason::Corrupt][..]), (&b"PK\x03\x04, and then evil.example in some more text"[..], &[])]
    {
        let mut bytes = [before, &whole].concat();
        let central = before.len() + local.len();
        let shift = u32::try_from(before.len()).unwrap();
        bytes[central + 42..central + 46].copy_from_slice(&shift.to_le_bytes());
        let end = memchr::memmem::rfind(&bytes, b"PK\x05\x06").unwrap();
        bytes[end + 16..end + 20].copy_from_slice(&u32::try_from(central).unwrap().to_le_bytes());
        let collected = decode("x", &bytes);
        assert_eq!(collected.reasons("x"), reasons);
        assert_eq!(collected.holding("evil.example").len(), 1);
        assert!(collected.children.contains(&"x!/a".to_owned()));
    }
}

#[test]
fn a_bomb_is_cut_off_and_the_next_member_is_read() {
    let bomb = vec![0; usize::try_from(RATIO_GRACE_BYTES).unwrap() + (1 << 20)];
    let bytes = archive(&[("bomb", &bomb), ("next", b"evil.example")], CompressionMethod::Deflated);
    let collected = decode_within("x", &bytes, Limits { ratio: 100, ..Limits::default() });
    assert_eq!(collected.reasons("x!/bomb"), [Reason::Limit]);
    assert_eq!(collected.holding("evil.example"), ["x!/next"]);
    let collected = decode_within("x", &bytes, Limits { output_bytes: 1_000, ..Limits::default() });
    assert_eq!(collected.reasons("x"), [Reason::Limit]);
}

#[test]
fn what_only_begins_like_a_zip_is_searched_as_it_stands() {
    let collected = decode("x", b"PK\x03\x04 evil.example");
    assert_eq!(collected.holding("evil.example"), ["x"]);
    assert_eq!(collected.reasons("x"), [Reason::Truncated]);
    assert!(!Zip.recognises(&Head { bytes: b"PK\x03\x05", is_whole: true }));
}
