//! Damaged samples: nothing that could be an indicator falls between records, whatever the size of the blocks.

use super::*;

const SAMPLES: &[&str] = &[
    "{\"value\":[\n{\"id\":11,\"s\":\"a\\\"22\"},\n{\"id\":33,\"l\":[{\"n\":44},{\"n\":55}]}\n],\"next\":\"66\",\"m\":{\"k\":[77]}}\n",
    "[\n  {\n    \"id\": 11,\n    \"s\": \"22]}\"\n  },\n  {\"id\": 33}, 44, \"55\", true, [66]\n]\n[{\"id\":77}]\n",
    "{\"id\":11}\n{\"id\":22,\"s\":\"a{33\"}\n{\"id\":44}\n",
    "id,note,AuditData\n11,\"a, \"\"22\"\"\nb\",\"{\"\"k\"\":33}\"\n44,55,66\n77,x,\"{\"\"k\"\":\n88}\"\n",
    "#Software: x\n#Fields: c-ip cs-method x\n11 22 33\n\n44 55 66\n#Fields: x\n77\n",
];

/// A small generator of numbers that are the same on every run. Source: Knuth, MMIX.
fn next(state: &mut u64) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) as usize
}

#[test]
fn damage_hides_nothing() {
    let mut state = 558;
    for round in 0..3000 {
        let sample = SAMPLES[round % SAMPLES.len()];
        // The first line is left alone, so that the format stays what it is.
        let first = sample.find('\n').unwrap() + 1;
        let mut bytes = sample.as_bytes().to_vec();
        for _ in 0..1 + next(&mut state) % 4 {
            let at = first + next(&mut state) % (bytes.len() - first).max(1);
            match next(&mut state) % 3 {
                0 if bytes.len() > first + 1 => drop(bytes.remove(at)),
                1 => bytes.insert(at, b"\"\n,[]{}\\: "[next(&mut state) % 10]),
                2 => bytes.truncate(at.max(first + 1)),
                _ => {}
            }
        }
        let expected = see(&cut(&bytes, Sizes { block_bytes: BLOCK_BYTES, record_bytes: 1 << 20 }));
        for (block_bytes, record_bytes) in [(BLOCK_BYTES, 1 << 20), (1, 1 << 20), (7, 1 << 20), (64, 20), (64, 3)] {
            let seen = see(&cut(&bytes, Sizes { block_bytes, record_bytes }));
            let shown = String::from_utf8_lossy(&bytes);
            if record_bytes == 1 << 20 {
                assert_eq!(seen, expected, "{shown}");
            }
            let mut is_covered = vec![false; bytes.len()];
            for record in &seen {
                let start = usize::try_from(record.offset).unwrap();
                is_covered[start..start + record.text.len()].fill(true);
            }
            let hidden = (0..bytes.len()).find(|&at| bytes[at].is_ascii_digit() && !is_covered[at]);
            assert_eq!(hidden, None, "{block_bytes} {record_bytes} {shown}\n{seen:#?}");
        }
    }
}
