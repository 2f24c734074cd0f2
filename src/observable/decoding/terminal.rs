//! Sequences that steer a terminal, and the ways in which logs write control characters as text.

/// Takes out what only steers a terminal. Source: ECMA-48, sections 5.3 to 5.6; ECMA-35, section 13.2.
pub(super) fn undo(text: &[u8], out: &mut Vec<u8>) -> bool {
    let mut from = 0;
    let mut found = false;
    while let Some(begin) = next_beginning(text, from) {
        out.extend_from_slice(text.get(from..begin).unwrap_or_default());
        let behind_begin = |length: usize| text.get(begin + length..).unwrap_or_default();
        let (length, is_control) = match text.get(begin..) {
            Some([0xc2, 0x9b, ..] | [0x1b, b'[', ..]) => (2, true),
            _ => (1, false),
        };
        let goes_on = |byte: &&u8| {
            if is_control { !(b'@'..=b'~').contains(*byte) } else { (b' '..=b'/').contains(*byte) }
        };
        let rest = behind_begin(length);
        let inner = rest.iter().take_while(goes_on).count();
        let ends = rest.get(inner).is_some_and(u8::is_ascii_graphic);
        from = begin + length + inner + usize::from(ends);
        found = true;
    }
    out.extend_from_slice(text.get(from..).unwrap_or_default());
    found
}

/// Returns where the next escape character or one-character introducer (U+009B) stands.
fn next_beginning(text: &[u8], from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    let places = memchr::memchr2_iter(0x1b, 0xc2, rest).map(|at| from + at);
    places.into_iter().find(|&at| text.get(at) == Some(&0x1b) || text.get(at + 1) == Some(&0x9b))
}

/// Writes control characters that stand as text as themselves: `#033` and `#011` (rsyslog), `^[` and `^I` (caret
/// notation), `\e`. Source: rsyslog, "Parser Options"; ECMA-48, section 5.2.
pub(super) fn undo_written(text: &[u8], out: &mut Vec<u8>) -> bool {
    let mut from = 0;
    let mut found = false;
    while let Some(skipped) = text.get(from..).and_then(|rest| memchr::memchr3(b'#', b'^', b'\\', rest)) {
        let at = from + skipped;
        out.extend_from_slice(text.get(from..at).unwrap_or_default());
        let (control, used) = match text.get(at..).unwrap_or_default() {
            [b'#', b'0', high @ b'0'..=b'3', low @ b'0'..=b'7', ..] => (Some((high - b'0') << 3 | (low - b'0')), 4),
            [b'#', b'1', b'7', b'7', ..] => (Some(0x7f), 4),
            [b'^', b'[', b'[' | b'(' | b']', ..] => (Some(0x1b), 2),
            [b'^', letter @ (b'I' | b'J' | b'M'), ..] => (Some(letter - b'@'), 2),
            [b'\\', b'e' | b'E', b'[', ..] => (Some(0x1b), 2),
            _ => (None, 1),
        };
        match control {
            Some(control) => out.push(control),
            None => out.extend(text.get(at)),
        }
        found |= control.is_some();
        from = at + used;
    }
    out.extend_from_slice(text.get(from..).unwrap_or_default());
    found
}
