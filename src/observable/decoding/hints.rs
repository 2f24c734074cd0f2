//! Where in the bytes of many records runs and signs stand that a reading may reveal something behind. For prefilters.

use std::ops::Range;

use super::signs::{LEAST_HEX, is_grouped};
use super::{base64, hex, quoted_printable};

/// Calls `each` with runs of base64 and hexadecimal that may be text.
pub fn runs(bytes: &[u8], each: &mut dyn FnMut(Range<usize>)) {
    base64::each_text(bytes, each);
    let (mut decoded, mut texts) = (Vec::new(), [Vec::new(), Vec::new(), Vec::new()]);
    let least = usize::try_from(LEAST_HEX).unwrap_or(usize::MAX);
    let mut at = 0;
    while at < bytes.len() {
        let rest = bytes.get(at..).unwrap_or_default();
        let length = rest.iter().take_while(|byte| is_grouped(**byte)).count();
        let run = rest.get(..length).unwrap_or_default();
        if length >= least
            && run.iter().filter(|byte| byte.is_ascii_hexdigit()).count() >= least
            && hex::collect_texts(run, &mut decoded, &mut texts) > 0
        {
            texts.iter_mut().for_each(Vec::clear);
            each(at..at + length);
        }
        at += length + 1;
    }
}

/// Tells whether something that one of the guesses undoes begins at an equals sign, number sign, caret or backslash.
pub fn begins_at(bytes: &[u8], at: usize) -> bool {
    let octal = |byte: &u8| (b'0'..=b'7').contains(byte);
    match bytes.get(at..).unwrap_or_default() {
        [b'=', b'?', ..] => true,
        [b'=', ..] => quoted_printable::is_sure_at(bytes, at),
        [b'#', b'0', a, b, ..] => octal(a) && octal(b),
        [b'#', b'1', b'7', b'7', ..] => true,
        [b'^', next, ..] => matches!(next, b'[' | b'I' | b'J' | b'M'),
        [b'\\', b'x' | b'X' | b'e' | b'E' | b'u', ..] => true,
        [b'\\', a, b, c, ..] if octal(a) && octal(b) && octal(c) => true,
        // An escaped slash may stand inside base64.
        [b'\\', b'/', next, ..] => {
            next.is_ascii_alphanumeric()
                && at.checked_sub(1).and_then(|i| bytes.get(i)).is_some_and(u8::is_ascii_alphanumeric)
        }
        _ => false,
    }
}
