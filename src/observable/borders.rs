//! Where a token ends in text beyond ASCII: `“evil.example”`, `地址：192.0.2.7。`, a no-break space.

use std::ops::Range;

/// What a character beyond ASCII is to a token beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    /// A letter, digit or mark of a script that parts words with spaces: the token goes on.
    Inside,
    /// A letter of a script without spaces: a token may go on (`例え.example`) or begin and end there.
    Either,
    /// Punctuation, a space, a symbol.
    Border,
}

/// From here on letters belong to scripts that are written without spaces between words, or with particles joined to
/// them: Thai, Lao, Khmer, Han, Kana, Hangul. Source: Unicode 16, "Blocks".
const FIRST_UNSPACED: char = '\u{0e00}';

fn side(c: char) -> Side {
    match c {
        c if c.is_ascii() => Side::Inside,
        '\u{0300}'..='\u{036f}' => Side::Inside,
        c if !c.is_alphanumeric() => Side::Border,
        c if c >= FIRST_UNSPACED => Side::Either,
        _ => Side::Inside,
    }
}

/// Returns the character that a byte outside UTF-8 is read as. Source: WHATWG Encoding Standard, "windows-1252".
fn lone(byte: u8) -> char {
    match byte {
        0x83 | 0x8a | 0x8c | 0x8e | 0x9a | 0x9c | 0x9e | 0x9f => '\u{0192}',
        // The other ones of this row are punctuation or unassigned.
        0x80..=0x9f => '\u{201c}',
        _ => char::from(byte),
    }
}

/// Calls `each` with every character of a run, what it is, and where it begins and ends.
fn sides(run: &[u8], each: &mut dyn FnMut(Side, Range<usize>)) {
    let mut at = 0;
    for chunk in run.utf8_chunks() {
        for c in chunk.valid().chars() {
            each(side(c), at..at + c.len_utf8());
            at += c.len_utf8();
        }
        let invalid = chunk.invalid();
        for &byte in invalid {
            // The beginning of a character that was cut off is none; a byte by itself is of another charset.
            let what = if invalid.len() > 1 { Side::Border } else { side(lone(byte)) };
            each(what, at..at + 1);
            at += 1;
        }
    }
}

/// Calls `each` with every stretch of a run between borders, and with every stretch between letters of scripts without
/// spaces, each once.
pub(super) fn pieces(run: &[u8], each: &mut dyn FnMut(Range<usize>)) {
    let (mut wide, mut narrow) = (0, 0);
    let mut emit = |range: Range<usize>| {
        if range.len() >= 4 {
            each(range);
        }
    };
    sides(run, &mut |side, at| {
        if side == Side::Inside {
            return;
        }
        emit(narrow..at.start);
        narrow = at.end;
        if side == Side::Border {
            if wide < at.start && wide_has_more(run, wide..at.start) {
                emit(wide..at.start);
            }
            wide = at.end;
        }
    });
    emit(narrow..run.len());
    if wide_has_more(run, wide..run.len()) {
        emit(wide..run.len());
    }
}

/// Tells whether a stretch between borders holds letters at which the narrower reading cuts it.
fn wide_has_more(run: &[u8], range: Range<usize>) -> bool {
    let mut has_more = false;
    sides(run.get(range).unwrap_or_default(), &mut |side, _| has_more |= side == Side::Either);
    has_more
}

/// Returns the place behind the first border: a character beyond ASCII that is one, or a byte that `is_border`.
pub(super) fn behind_first(text: &[u8], is_border: fn(u8) -> bool) -> Option<usize> {
    if text.is_ascii() {
        return text.iter().position(|&byte| is_border(byte)).map(|at| at + 1);
    }
    let mut found = None;
    sides(text, &mut |side, at| {
        let is_soft = || text.get(at.start).is_some_and(|&byte| byte.is_ascii() && is_border(byte));
        if found.is_none() && (side != Side::Inside || is_soft()) {
            found = Some(at.end);
        }
    });
    found
}

/// Tells whether a letter or digit stands right before `at`, so that what begins there goes on from it.
pub(super) fn is_tied_before(text: &[u8], at: usize) -> bool {
    let before = text.get(at.saturating_sub(4)..at).unwrap_or_default();
    let mut is_tied = false;
    sides(before, &mut |side, at| is_tied = is_letter(before, side, &at));
    is_tied
}

/// Tells whether a letter or digit stands right at `at`, so that what ends there goes on with it.
pub(super) fn is_tied_behind(text: &[u8], at: usize) -> bool {
    let behind = text.get(at..text.len().min(at + 4)).unwrap_or_default();
    let mut is_tied = false;
    sides(behind, &mut |side, at| is_tied |= at.start == 0 && is_letter(behind, side, &at));
    is_tied
}

fn is_letter(text: &[u8], side: Side, at: &Range<usize>) -> bool {
    side == Side::Inside && text.get(at.start).is_some_and(|byte| !byte.is_ascii() || byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(run: &[u8]) -> Vec<String> {
        let mut out = Vec::new();
        pieces(run, &mut |range| out.push(String::from_utf8_lossy(&run[range]).into_owned()));
        out
    }

    #[test]
    fn punctuation_of_any_script_is_a_border_and_letters_are_not() {
        assert_eq!(cut("“evil.example”".as_bytes()), ["evil.example"]);
        assert_eq!(cut("\u{a0}evil.example\u{a0}—x".as_bytes()), ["evil.example"]);
        assert_eq!(cut("éevil.example".as_bytes()), ["éevil.example"]);
        assert_eq!(cut("e\u{301}vil.example".as_bytes()), ["e\u{301}vil.example"]);
        assert_eq!(cut(b"\x93evil.example\x94"), ["evil.example"]);
        assert_eq!(cut(b"\xa0evil.example"), ["evil.example"]);
        assert_eq!(cut(b"\xe9evil.example").len(), 1);
    }

    #[test]
    fn letters_of_scripts_without_spaces_are_read_both_ways() {
        assert_eq!(cut("访问evil.example下载".as_bytes()), ["evil.example", "访问evil.example下载"]);
        assert_eq!(cut("地址：192.0.2.7。".as_bytes()), ["地址", "192.0.2.7"]);
        assert_eq!(cut("例え.example".as_bytes()), [".example", "例え.example"]);
    }

    #[test]
    fn letters_tie_a_token_to_what_goes_on() {
        for (before, behind) in [("x", "x"), ("9", "9"), ("é", "é"), ("日é", "é日")] {
            assert!(
                is_tied_before(before.as_bytes(), before.len()) && is_tied_behind(behind.as_bytes(), 0),
                "{before}"
            );
        }
        for (before, behind) in [("", ""), ("é ", " é"), ("日", "本"), ("“", "”"), ("_", "-")] {
            assert!(
                !is_tied_before(before.as_bytes(), before.len()) && !is_tied_behind(behind.as_bytes(), 0),
                "{before}"
            );
        }
    }

    #[test]
    fn what_stands_behind_a_border_is_found() {
        assert_eq!(behind_first("“bob".as_bytes(), |_| false), Some(3));
        assert_eq!(behind_first("a=bob".as_bytes(), |byte| byte == b'='), Some(2));
        assert_eq!(behind_first("ébob".as_bytes(), |_| false), None);
    }
}
