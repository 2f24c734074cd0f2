//! Percent-encoding, as links and form values have it. Source: RFC 3986, section 2.1; `%uXXXX`: ECMA-262, annex B.2.1.

use super::{hex_digit, hex_number, mend, push_code};

/// Undoes `%2E` and `%u002E`; bytes that are not UTF-8 become U+FFFD.
pub(super) fn undo(text: &[u8], out: &mut Vec<u8>) -> bool {
    undo_with(text, out, b'+')
}

/// Undoes what a form does to its values, where a plus sign stands for a space.
pub(super) fn undo_form(text: &[u8], out: &mut Vec<u8>) -> bool {
    undo_with(text, out, b' ')
}

/// Tells whether an encoded byte or character stands at `at`.
pub(super) fn is_at(text: &[u8], at: usize) -> bool {
    match text.get(at + 1..) {
        Some([b'u' | b'U', digits @ ..]) => hex_number(digits.get(..4)).is_some(),
        Some([high, low, ..]) => hex_digit(Some(high)).is_some() && hex_digit(Some(low)).is_some(),
        _ => false,
    }
}

fn undo_with(text: &[u8], out: &mut Vec<u8>, plus: u8) -> bool {
    let mut found = false;
    let mut at = 0;
    let mut run_start = None;
    while let Some(&byte) = text.get(at) {
        if byte == b'%'
            && let (Some(high), Some(low)) = (hex_digit(text.get(at + 1)), hex_digit(text.get(at + 2)))
        {
            run_start.get_or_insert(out.len());
            out.push(high << 4 | low);
            at += 3;
            found = true;
            continue;
        }
        mend(out, &mut run_start);
        if byte == b'%'
            && let Some(b'u' | b'U') = text.get(at + 1)
            && let Some(code) = hex_number(text.get(at + 2..at + 6))
        {
            push_code(out, code);
            at += 6;
            found = true;
        } else {
            out.push(if byte == b'+' { plus } else { byte });
            at += 1;
        }
    }
    mend(out, &mut run_start);
    found
}
