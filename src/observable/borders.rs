//! Where a token ends in text beyond ASCII: `“evil.example”`, `地址：192.0.2.7。`, a no-break space.

use std::ops::Range;

use super::idna::DOTS;

/// What a character beyond ASCII is to a token beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    /// A letter, digit or mark of a script that parts words with spaces: the token goes on.
    Inside,
    /// A letter of a script without spaces: a token may go on (`例え.example`) or begin and end there.
    Either,
    /// A full stop of such a script, which parts the labels of a name (`evil。example`) or ends a sentence.
    Dot,
    /// Punctuation, a space, a symbol.
    Border,
}

/// From here on letters belong to scripts that are written without spaces between words, or with particles joined to
/// them: Thai, Lao, Khmer, Han, Kana, Hangul. Source: Unicode 16, "Blocks".
const FIRST_UNSPACED: char = '\u{0e00}';

/// Tells whether a character is a letter or digit that goes on from one beside it: not of a script without spaces, at which
/// a token may end.
pub(super) fn is_spaced_letter(c: char) -> bool {
    let is_wide_ascii = matches!(c, '\u{ff00}'..='\u{ff5e}');
    c.is_alphanumeric() && (c < FIRST_UNSPACED || c.is_numeric() || is_wide_ascii)
}

fn side(c: char) -> Side {
    match c {
        c if c.is_ascii() => Side::Inside,
        '\u{0300}'..='\u{036f}' => Side::Inside,
        c if DOTS.contains(&c) => Side::Dot,
        // Wide forms of ASCII letters and digits, which names are read without.
        '\u{ff10}'..='\u{ff19}' | '\u{ff21}'..='\u{ff3a}' | '\u{ff41}'..='\u{ff5a}' => Side::Inside,
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

/// Calls `each` with every stretch of a run between borders, with every stretch between letters of scripts without
/// spaces, and with every stretch between their full stops, each once.
pub(super) fn pieces(run: &[u8], each: &mut dyn FnMut(Range<usize>)) {
    let (mut wide, mut middle, mut narrow) = (0, 0, 0);
    let mut emit = |range: Range<usize>| {
        if range.len() >= 4 {
            each(range);
        }
    };
    let more = |range: Range<usize>, side| Some(without_dots(run, range)).filter(|range| holds(run, range, side));
    sides(run, &mut |side, at| {
        if side == Side::Inside {
            return;
        }
        emit(narrow..at.start);
        narrow = at.end;
        if side == Side::Dot {
            return;
        }
        more(middle..at.start, Side::Dot).into_iter().for_each(&mut emit);
        middle = at.end;
        if side == Side::Border {
            more(wide..at.start, Side::Either).into_iter().for_each(&mut emit);
            wide = at.end;
        }
    });
    emit(narrow..run.len());
    more(middle..run.len(), Side::Dot).into_iter().for_each(&mut emit);
    more(wide..run.len(), Side::Either).into_iter().for_each(&mut emit);
}

/// Takes full stops beyond ASCII off both ends.
fn without_dots(run: &[u8], range: Range<usize>) -> Range<usize> {
    let (mut start, mut end) = (range.end, range.start);
    sides(run.get(range.clone()).unwrap_or_default(), &mut |side, at| {
        if side != Side::Dot {
            start = start.min(range.start + at.start);
            end = range.start + at.end;
        }
    });
    start.min(end)..end
}

/// Tells whether a stretch holds what cuts it in the narrower reading.
fn holds(run: &[u8], range: &Range<usize>, wanted: Side) -> bool {
    let mut holds = false;
    sides(run.get(range.clone()).unwrap_or_default(), &mut |side, _| holds |= side == wanted);
    holds
}

/// Tells whether a character is a digit of another script, with which a number goes on.
fn is_digit(c: char) -> bool {
    matches!(c, '\u{660}'..='\u{669}' | '\u{6f0}'..='\u{6f9}' | '\u{966}'..='\u{96f}' | '\u{ff10}'..='\u{ff19}')
}

/// Calls `each` with every stretch of a run that may hold an address or a digest: letters beyond ASCII, of any script, are
/// borders of these (`адрес192.0.2.7`), digits of other scripts are not.
pub(super) fn numbers(run: &[u8], each: &mut dyn FnMut(Range<usize>)) {
    let (mut start, mut at) = (0, 0);
    for chunk in run.utf8_chunks() {
        for c in chunk.valid().chars() {
            if !(c.is_ascii() || is_digit(c)) {
                each(start..at);
                start = at + c.len_utf8();
            }
            at += c.len_utf8();
        }
        if !chunk.invalid().is_empty() {
            each(start..at);
            at += chunk.invalid().len();
            start = at;
        }
    }
    each(start..run.len());
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

/// Tells whether a letter or digit adjoins a text, of a script that parts words with spaces: the text is a part of a word.
pub fn is_in_word(text: &[u8], at: &Range<usize>) -> bool {
    let joins = |c: char| if c.is_ascii() { c.is_ascii_alphanumeric() } else { side(c) == Side::Inside };
    // The longest character has four bytes; one byte outside UTF-8 is of another charset, more are what was cut off.
    let before = text.get(at.start.saturating_sub(4)..at.start).unwrap_or_default().utf8_chunks().last();
    let is_before = before.is_some_and(|chunk| match chunk.invalid() {
        [] => chunk.valid().chars().next_back().is_some_and(joins),
        [byte] => joins(lone(*byte)),
        _ => false,
    });
    let behind = text.get(at.end..text.len().min(at.end.saturating_add(4))).unwrap_or_default().utf8_chunks().next();
    let is_behind = || {
        behind.is_some_and(|chunk| match (chunk.valid().chars().next(), chunk.invalid()) {
            (Some(c), _) => joins(c),
            (None, [byte]) => joins(lone(*byte)),
            (None, _) => false,
        })
    };
    is_before || is_behind()
}

/// Tells whether a letter of ASCII or a digit stands right before `at`, so that an address that begins there is none.
pub(super) fn is_tied_before(text: &[u8], at: usize) -> bool {
    match text.get(..at).unwrap_or_default().last() {
        Some(last) if last.is_ascii() => last.is_ascii_alphanumeric(),
        Some(_) => {
            let before = text.get(at.saturating_sub(4)..at).unwrap_or_default();
            before
                .utf8_chunks()
                .last()
                .is_some_and(|chunk| chunk.invalid().is_empty() && chunk.valid().ends_with(is_digit))
        }
        None => false,
    }
}

/// Tells whether a letter of ASCII or a digit stands right at `at`, so that an address that ends there is none.
pub(super) fn is_tied_behind(text: &[u8], at: usize) -> bool {
    match text.get(at) {
        Some(first) if first.is_ascii() => first.is_ascii_alphanumeric(),
        Some(_) => {
            let behind = text.get(at..text.len().min(at + 4)).unwrap_or_default();
            behind.utf8_chunks().next().is_some_and(|chunk| chunk.valid().starts_with(is_digit))
        }
        None => false,
    }
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
    fn full_stops_of_other_scripts_part_labels_or_end_sentences() {
        assert_eq!(cut("evil。example".as_bytes()), ["evil", "example", "evil。example"]);
        assert_eq!(cut("a.evil｡example。".as_bytes()), ["a.evil", "example", "a.evil｡example"]);
        assert_eq!(cut("见evil．example".as_bytes()), ["evil", "example", "evil．example", "见evil．example"]);
        assert_eq!(cut("evil.example。".as_bytes()), ["evil.example"]);
        assert!(cut("。。".as_bytes()).is_empty());
    }

    #[test]
    fn addresses_and_digests_end_at_letters_of_other_scripts_and_not_at_digits() {
        let cut = |run: &[u8]| {
            let mut out = Vec::new();
            numbers(run, &mut |range| out.push(String::from_utf8_lossy(&run[range]).into_owned()));
            out.retain(|piece| !piece.is_empty());
            out
        };
        assert_eq!(cut("é192.0.2.7é".as_bytes()), ["192.0.2.7"]);
        assert_eq!(cut("адрес192.0.2.7".as_bytes()), ["192.0.2.7"]);
        assert_eq!(cut(b"\xe9192.0.2.7"), ["192.0.2.7"]);
        assert_eq!(cut("１192.0.2.7".as_bytes()), ["１192.0.2.7"]);
    }

    #[test]
    fn letters_of_ascii_and_digits_tie_an_address_to_what_goes_on() {
        for (before, behind) in [("x", "x"), ("9", "9"), ("日9", "9日"), ("１", "１"), ("٣", "٣")] {
            assert!(
                is_tied_before(before.as_bytes(), before.len()) && is_tied_behind(behind.as_bytes(), 0),
                "{before}"
            );
        }
        for (before, behind) in [("", ""), ("é", "é"), ("日", "本"), ("“", "”"), ("_", "-")] {
            assert!(
                !is_tied_before(before.as_bytes(), before.len()) && !is_tied_behind(behind.as_bytes(), 0),
                "{before}"
            );
        }
    }

    #[test]
    fn a_word_goes_on_with_letters_and_digits_of_any_script_that_has_spaces() {
        let is_in = |before: &[u8], behind: &[u8]| {
            is_in_word(&[before, b"w", behind].concat(), &(before.len()..before.len() + 1))
        };
        for (before, behind) in
            [("x", "x"), ("9", "9"), ("é", "é"), ("ж", "ж"), ("e\u{301}", "\u{301}"), ("１", "ａ"), ("٣", "٣")]
        {
            assert!(is_in(before.as_bytes(), b"") && is_in(b"", behind.as_bytes()), "{before}");
        }
        for (before, behind) in
            [("", ""), ("日", "本"), ("ไ", "ไ"), ("한", "은"), ("“", "”"), ("。", "。"), ("_", "-"), ("\u{a0}", "😀")]
        {
            assert!(!is_in(before.as_bytes(), behind.as_bytes()), "{before}");
        }
        assert!(is_in(b"\xe9", b"") && is_in(b"", b"\xe9") && !is_in(b"\x93", b"\x94"));
        assert!(!is_in(b"\xe2\x80", b"\xf0\x9f\x98"));
    }

    #[test]
    fn what_stands_behind_a_border_is_found() {
        assert_eq!(behind_first("“bob".as_bytes(), |_| false), Some(3));
        assert_eq!(behind_first("a=bob".as_bytes(), |byte| byte == b'='), Some(2));
        assert_eq!(behind_first("ébob".as_bytes(), |_| false), None);
    }
}
