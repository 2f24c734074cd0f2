//! Blocks of lines: borders, encodings, limits.

use super::*;
use crate::decode::{Head, decoder_for};

#[test]
fn every_line_that_is_not_empty_is_a_record() {
    let seen = records(b"\nfirst\r\n\r\nsecond \xfc\n\n\nthird", "text");
    let short: Vec<_> = seen.iter().map(|s| (s.number, s.line, s.offset, s.value("message"))).collect();
    assert_eq!(short, [(1, 2, 1, "first"), (2, 4, 10, "second ü"), (3, 7, 21, "third")]);
    assert!(records(b"", "text").is_empty());
    assert!(records(b"\n\r\n\n", "text").is_empty());
    assert_eq!(records(b"one\n", "text").len(), 1);
    assert_eq!(records(b"\r", "text").len(), 0);
}

#[test]
fn syslog_and_prose_are_text() {
    let syslog = "Jun  7 03:12:44 gw sshd[1]: Failed, for root, from 192.0.2.1\nJun  7 03:12:45 gw x: y, z, w\n";
    assert_eq!(records(syslog.as_bytes(), "text").len(), 2);
    let prose = "Dear John, hello\nThis is a letter, of sorts\nBest regards, Jane\n";
    assert_eq!(records(prose.as_bytes(), "text").len(), 3);
    assert_eq!(records(b"[2023-06-07 03:12:44] started\n", "text")[0].time.as_deref(), Some("2023-06-07T03:12:44"));
    assert_eq!(records(b"{{ template }}\n", "text").len(), 1);
    assert_eq!(records(b"Note: a, b\nAgain: c, d\n\nHello, you\n", "text").len(), 3);
}

#[test]
fn offsets_in_utf16_are_those_of_the_artifact() {
    let lines = ["plain ascii line", "ünïcödé", "日本 and 😀 text", "192.0.2.1 last"];
    for (order, mark) in [(u16::to_le_bytes as fn(u16) -> [u8; 2], true), (u16::to_le_bytes, false)]
        .into_iter()
        .chain([(u16::to_be_bytes as fn(u16) -> [u8; 2], true), (u16::to_be_bytes, false)])
    {
        let text = format!("{}{}", if mark { "\u{feff}" } else { "" }, lines.join("\r\n"));
        let bytes: Vec<u8> = text.encode_utf16().flat_map(order).collect();
        let seen = records(&bytes, "text");
        assert_eq!(seen.len(), lines.len());
        for (seen, line) in seen.iter().zip(lines) {
            assert_eq!(seen.text, line);
            let units: Vec<u8> = line.encode_utf16().flat_map(order).collect();
            let start = usize::try_from(seen.offset).unwrap();
            assert_eq!(&bytes[start..start + units.len()], units);
        }
    }
}

#[test]
fn offsets_inside_a_large_utf16_block_are_exact() {
    let line = format!("{}ü😀 needle {}\n", "a".repeat(700), "日".repeat(500));
    let text = line.repeat(60);
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let needle: Vec<u8> = "needle".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut found = 0;
    for block in cut(&bytes, Sizes { block_bytes: 50_000, record_bytes: 1 << 20 }) {
        for at in memchr::memmem::find_iter(block.bytes(), b"needle") {
            let start = usize::try_from(block.source_offset(at)).unwrap();
            assert_eq!(&bytes[start..start + needle.len()], needle);
            found += 1;
            assert_eq!(block.line(at), Some(found));
        }
    }
    assert_eq!(found, 60);
}

#[test]
fn a_record_is_whole_at_the_limit_and_in_parts_beyond_it() {
    for (length, parts) in [(99, 1), (100, 1), (101, 2), (1000, 18)] {
        let text = format!("before\n{}\nafter\n", "x".repeat(length));
        let blocks = cut(text.as_bytes(), Sizes { block_bytes: BLOCK_BYTES, record_bytes: 100 });
        let seen = see(&blocks);
        assert_eq!(blocks.iter().map(|b| b.records()).sum::<u64>(), 3, "{length}");
        let long: Vec<_> = seen.iter().filter(|s| s.number == 2).collect();
        assert!(long.len() >= parts, "{length}: {}", long.len());
        assert!(long.iter().all(|s| s.line == 2));
        assert_eq!(long.iter().any(|s| s.damage.is_some()), length > 100);
        // The parts cover the record, each overlapping the one before.
        let mut end = 7;
        for part in &long {
            assert!(part.offset <= end && part.offset + part.text.len() as u64 >= end, "{length} {long:#?}");
            end = part.offset + part.text.len() as u64;
        }
        assert_eq!(end, 7 + length as u64);
        assert_eq!(seen.last().map(|s| (s.number, s.line, s.text.as_str())), Some((3, 3, "after")));
    }
}

#[test]
fn an_indicator_at_a_cut_is_whole_in_one_part() {
    for before in 0..120 {
        let text = format!("{}needle{}\n", "é".repeat(before), "x".repeat(200));
        let blocks = cut(text.as_bytes(), Sizes { block_bytes: BLOCK_BYTES, record_bytes: 100 });
        assert!(see(&blocks).iter().any(|s| s.text.contains("needle")), "{before}");
        assert!(blocks.iter().all(|b| std::str::from_utf8(b.bytes()).is_ok()));
    }
}

#[test]
fn binary_is_for_no_text_decoder() {
    let noise: Vec<u8> = (0..=255).cycle().take(1000).collect();
    assert_eq!(decoder_for(&Head { bytes: &noise, is_whole: true }).name(), "bytes");
}
