//! Visible defanging, by which people keep an indicator from being clicked: `evil[.]example`, `hxxp://`, `bob (at) x.y`.
//!
//! What is found only without it is a mention. Source: spellings of archived advisories, and those that lists of
//! indicators use.

use std::ops::Range;

/// A text without its defanging, and what was taken out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refanged {
    /// The text without its defanging.
    pub text: String,
    /// What was defanged, in order.
    pub marks: Vec<Mark>,
}

/// One defanged place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Where it stands in the defanged text.
    pub range: Range<usize>,
    /// Where it stands in the text without defanging.
    pub plain: Range<usize>,
}

/// How something touches what is defanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Touch {
    /// With spaces between, which may also part two words: `evil.example [.] and`.
    Spaced,
    /// So that it is a part of something longer: `5.2.69.14` in `1[.]5.2.69.14`.
    Tight,
}

/// What a bracketed word stands for, and whether ordinary text may hold it, too.
const WORDS: [(&str, &str, Care); 6] = [
    ("://", "://", Care::None),
    (":", ":", Care::None),
    (".", ".", Care::None),
    ("@", "@", Care::None),
    ("dot", ".", Care::Name),
    ("at", "@", Care::Name),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Care {
    /// Nothing else is written so between brackets.
    None,
    /// Prose may hold it: it counts only where it joins what looks like a name.
    Name,
}

/// How far behind its scheme a host may end, and how many dots before it may be defanged. Source: RFC 1035, section 2.3.4.
const AUTHORITY_BYTES: usize = 255;
const MARKS_OF_AUTHORITY: usize = 128;

const BRACKETS: [(u8, u8); 3] = [(b'[', b']'), (b'(', b')'), (b'{', b'}')];

/// Schemes that are written in another way, and what they stand for.
const SCHEMES: [(&str, &str); 2] = [("hxxp", "http"), ("fxp", "ftp")];

/// Schemes whose slashes are turned round: `http:\\evil.example`.
const TURNED: [&str; 6] = ["http", "https", "ftp", "hxxp", "hxxps", "fxp"];

/// Up to here a text is short.
const SHORT_BYTES: usize = 64;

/// Calls `each` with every place in raw bytes where defanging may begin. It may also begin nowhere there.
pub fn each_beginning(bytes: &[u8], each: &mut dyn FnMut(usize)) {
    let behind = |at: usize| bytes.get(at..).unwrap_or_default();
    let is = |at: usize, wanted: u8| bytes.get(at).is_some_and(|byte| byte.eq_ignore_ascii_case(&wanted));
    for at in memchr::memchr3_iter(b'[', b'(', b'{', bytes) {
        let inside = behind(at + 1);
        let inside = inside.strip_prefix(b" ").unwrap_or(inside);
        let word = match inside.first() {
            Some(b'.' | b':' | b'@') => true,
            Some(b'd' | b'D') => inside.get(..3).is_some_and(|word| word.eq_ignore_ascii_case(b"dot")),
            // `at` closes at once: `(attached)` does not.
            Some(b'a' | b'A') => {
                inside.get(1).is_some_and(|byte| byte.eq_ignore_ascii_case(&b't'))
                    && inside.get(2).is_none_or(|byte| !byte.is_ascii_alphanumeric())
            }
            _ => false,
        };
        if word {
            each(at);
        }
    }
    for at in memchr::memchr2_iter(b'x', b'X', bytes) {
        let start = at.checked_sub(1);
        if start.is_some_and(|start| is(start, b'h') && is(at + 1, b'x') || is(start, b'f') && is(at + 1, b'p')) {
            each(at - 1);
        }
    }
    for at in memchr::memmem::find_iter(bytes, b":\\\\") {
        if at.checked_sub(1).is_some_and(|before| is(before, b'p') || is(before, b's')) {
            each(at - 1);
        }
    }
}

/// Tells whether visible defanging may stand in a text. Where it does not, [`refang`] need not be asked.
pub fn may_hold(bytes: &[u8]) -> bool {
    // Of a short text, one loop costs less than to start three searches.
    if bytes.len() < SHORT_BYTES && !bytes.iter().any(|byte| may_begin(*byte)) {
        return false;
    }
    let is = |at: usize, wanted: u8| bytes.get(at).is_some_and(|byte| byte.eq_ignore_ascii_case(&wanted));
    let is_bracketed = |at: usize| {
        let inside = bytes.get(at + 1..).unwrap_or_default();
        let inside = inside.strip_prefix(b" ").unwrap_or(inside);
        WORDS.iter().any(|(word, ..)| {
            let behind =
                inside.split_at_checked(word.len()).filter(|(have, _)| have.eq_ignore_ascii_case(word.as_bytes()));
            let behind = behind.map(|(_, behind)| behind.strip_prefix(b" ").unwrap_or(behind));
            behind.is_some_and(|behind| matches!(behind.first(), Some(b']' | b')' | b'}')))
        })
    };
    let is_scheme = |at: usize| {
        at.checked_sub(1)
            .is_some_and(|start| is(start, b'h') && is(at + 1, b'x') || is(start, b'f') && is(at + 1, b'p'))
    };
    let is_turned = |at: usize| at.checked_sub(1).is_some_and(|colon| is(colon, b':'));
    memchr::memchr3_iter(b'[', b'(', b'{', bytes).any(is_bracketed)
        || memchr::memchr2_iter(b'x', b'X', bytes).any(is_scheme)
        || memchr::memchr_iter(b'\\', bytes).any(is_turned)
}

/// Undoes visible defanging; none where there is none.
pub fn refang(text: &str) -> Option<String> {
    refanged(text).map(|refanged| refanged.text)
}

/// Undoes visible defanging and tells where it stood; none where there is none.
pub fn refanged(text: &str) -> Option<Refanged> {
    let bytes = text.as_bytes();
    let mut out: Option<Refanged> = None;
    let mut copied = 0;
    let mut at = 0;
    while let Some(skipped) = bytes.get(at..).and_then(|rest| rest.iter().position(|&byte| may_begin(byte))) {
        at += skipped;
        let Some((range, plain)) = mark(text, at, copied) else {
            at += 1;
            continue;
        };
        let out = out.get_or_insert_with(|| Refanged { text: String::with_capacity(text.len()), marks: Vec::new() });
        out.text.push_str(text.get(copied..range.start).unwrap_or_default());
        let start = out.text.len();
        out.text.push_str(plain);
        out.marks.push(Mark { range: range.clone(), plain: start..out.text.len() });
        copied = range.end;
        at = range.end;
    }
    let mut out = out?;
    out.text.push_str(text.get(copied..).unwrap_or_default());
    Some(out)
}

/// Tells whether a byte may be the one by which [`mark`] knows defanging.
fn may_begin(byte: u8) -> bool {
    matches!(byte, b'[' | b'(' | b'{' | b'x' | b'X' | b'\\')
}

/// Returns the defanging known by the byte at `at`, no part of which lies before `from`.
fn mark(text: &str, at: usize, from: usize) -> Option<(Range<usize>, &'static str)> {
    match text.as_bytes().get(at)? {
        b'x' | b'X' => scheme(text, at, from),
        b'\\' => turned(text, at, from),
        &open => bracketed(text, at, from, open),
    }
}

/// Reads `hxxp`, at whose first `x` it stands, where a word begins there.
fn scheme(text: &str, at: usize, from: usize) -> Option<(Range<usize>, &'static str)> {
    let start = at.checked_sub(1).filter(|&start| start >= from)?;
    let before = text.as_bytes().get(..start).unwrap_or_default().last();
    let is_word = before.is_none_or(|byte| !byte.is_ascii_alphanumeric());
    let (scheme, plain) = SCHEMES.into_iter().filter(|_| is_word).find(|(scheme, _)| begins(text, start, scheme))?;
    let behind = text.as_bytes().get(start + scheme.len()..).unwrap_or_default();
    let behind = behind.strip_prefix(b"s").or_else(|| behind.strip_prefix(b"S")).unwrap_or(behind);
    let is_scheme = matches!(behind.first(), Some(b':' | b'[' | b'(' | b'{' | b'%' | b'\\' | b'&'));
    is_scheme.then_some((start..start + scheme.len(), plain))
}

/// Reads `\\` behind `http:`; one of them, where the other was an escape. `http:\/\/` is JSON.
fn turned(text: &str, at: usize, from: usize) -> Option<(Range<usize>, &'static str)> {
    let start = at.checked_sub(1).filter(|&start| start >= from)?;
    let before = text.get(..start)?;
    let is_scheme = TURNED.iter().any(|scheme| {
        before
            .len()
            .checked_sub(scheme.len())
            .is_some_and(|start| begins(before, start, scheme) && is_start(before, start))
    });
    if !is_scheme || text.as_bytes().get(start) != Some(&b':') {
        return None;
    }
    let turned = text.get(at..)?.bytes().take_while(|&byte| byte == b'\\').count();
    let behind = text.as_bytes().get(at + turned);
    let is_host = behind.is_some_and(|&byte| byte.is_ascii_alphanumeric() || byte == b'[' || !byte.is_ascii());
    is_host.then_some((start..at + turned, "://"))
}

fn is_start(text: &str, at: usize) -> bool {
    text.as_bytes().get(..at).unwrap_or_default().last().is_none_or(|byte| !byte.is_ascii_alphanumeric())
}

/// Reads a bracketed word, with the spaces inside and, where it joins a name, one on either side.
fn bracketed(text: &str, at: usize, from: usize, open: u8) -> Option<(Range<usize>, &'static str)> {
    let bytes = text.as_bytes();
    let inside = at + 1 + usize::from(bytes.get(at + 1) == Some(&b' '));
    let (word, plain, care) = WORDS.into_iter().find(|(word, ..)| begins(text, inside, word))?;
    let behind = inside + word.len();
    let end = behind + usize::from(bytes.get(behind) == Some(&b' '));
    let close = BRACKETS.iter().find(|(begin, _)| *begin == open).map(|(_, close)| close);
    if bytes.get(end) != close {
        return None;
    }
    let mark = at..end + 1;
    let before = text.get(from..at).unwrap_or_default();
    let after = text.get(mark.end..).unwrap_or_default();
    let is_begun = before.chars().next_back().map_or(from > 0, goes_on);
    let is_tight = is_begun && after.chars().next().is_some_and(goes_on);
    if is_tight {
        return Some((mark, plain));
    }
    // `bob (at) evil.example`: parted by spaces, it must have a word before it and a dotted name behind it.
    let spaced = before.strip_suffix(' ').zip(after.strip_prefix(' '));
    let is_joined = spaced
        .is_some_and(|(before, after)| before.chars().next_back().is_some_and(goes_on) && begins_name(after, plain));
    if is_joined {
        return Some((mark.start - 1..mark.end + 1, plain));
    }
    (care == Care::None && open == b'[').then_some((mark, plain))
}

/// Tells whether a character may stand beside the dot or at sign of a name; a bracket may begin another mark.
fn goes_on(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_' | '+' | ']' | ')' | '}' | '[' | '(' | '{')
}

/// Tells whether a text begins with a label, and for an address with a host of several.
fn begins_name(text: &str, plain: &str) -> bool {
    let label = text.find(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_'))).unwrap_or(text.len());
    let rest = text.get(label..).unwrap_or_default();
    let dotted = || {
        let mark = rest.strip_prefix(' ').unwrap_or(rest);
        let opened = mark.strip_prefix(['[', '(', '{']).map(|inside| inside.strip_prefix(' ').unwrap_or(inside));
        rest.strip_prefix('.').is_some_and(|tail| tail.starts_with(char::is_alphanumeric))
            || opened.is_some_and(|inside| begins(inside, 0, ".") || begins(inside, 0, "dot"))
    };
    label > 0 && (plain == "." || dotted())
}

fn begins(text: &str, at: usize, word: &str) -> bool {
    text.as_bytes().get(at..at + word.len()).is_some_and(|have| have.eq_ignore_ascii_case(word.as_bytes()))
}

impl Refanged {
    /// Tells how a range of the defanged text touches something defanged, if it does. A scheme touches all of its
    /// authority.
    pub fn touch(text: &str, marks: &[Mark], range: &Range<usize>) -> Option<Touch> {
        let begun = marks.partition_point(|mark| mark.range.start <= range.end);
        let touching = marks.iter().take(begun).rev().take(MARKS_OF_AUTHORITY).filter(|mark| {
            let gap = || text.get(mark.range.end..range.start).is_some_and(is_within_authority);
            mark.range.end >= range.start
                || range.start - mark.range.end <= AUTHORITY_BYTES && mark.is_scheme(text) && gap()
        });
        let is_spaced = |mark: &Mark| text.as_bytes().get(mark.range.start) == Some(&b' ');
        touching.map(|mark| if is_spaced(mark) { Touch::Spaced } else { Touch::Tight }).max()
    }

    /// Maps a range of the text without defanging to the defanged text.
    pub fn source(&self, plain: &Range<usize>) -> Range<usize> {
        let map = |at: usize, is_end: bool| {
            let behind =
                self.marks.partition_point(|mark| if is_end { mark.plain.start < at } else { mark.plain.start <= at });
            match behind.checked_sub(1).and_then(|last| self.marks.get(last)) {
                Some(mark) if at >= mark.plain.end => mark.range.end + (at - mark.plain.end),
                Some(mark) => {
                    if is_end {
                        mark.range.end
                    } else {
                        mark.range.start
                    }
                }
                None => at,
            }
        };
        map(plain.start, false)..map(plain.end, true)
    }
}

impl Mark {
    fn is_scheme(&self, text: &str) -> bool {
        let first = text.as_bytes().get(self.range.start);
        first.is_some_and(u8::is_ascii_alphabetic)
            || text.get(self.range.clone()).is_some_and(|mark| mark.contains(':'))
    }
}

/// Tells whether what stands between a scheme and a name belongs to one URL before its path.
fn is_within_authority(gap: &str) -> bool {
    // The scheme may end with an `s`; slashes behind another word are of a URL in a path or a query.
    let is_scheme = |before: &str| !before.trim_start_matches(['s', 'S']).contains(char::is_alphanumeric);
    let scheme = gap.split_once("//").filter(|(before, _)| is_scheme(before));
    let behind_slashes = scheme.map_or(gap, |(_, authority)| authority);
    !behind_slashes.contains(|c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '<' | '>' | '\'' | ','))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_undone() {
        for defanged in [
            "hxxp://bob@evil.example",
            "hXXp://bob@evil.example",
            "HXXP://bob@evil.example",
            "hxxp[:]//bob[@]evil[.]example",
            "http[:]//bob@evil.example",
            "http:\\\\bob@evil.example",
            "http:\\bob@evil.example",
            "hxxp:\\\\bob{at}evil{dot}example",
            "http://bob[@]evil.example",
            "http://bob(at)evil(dot)example",
            "http://bob [at] evil [dot] example",
            "http://bob (at) evil (.) example",
            "http://bob[ @ ]evil[ . ]example",
            "http://bob@evil(.)example",
            "http://bob@evil{.}example",
            "http://bob@evil[DOT]example",
            "http[://]bob@evil.example",
            "http://bob (at) evil.example",
        ] {
            assert_eq!(refang(defanged).unwrap().to_lowercase(), "http://bob@evil.example", "{defanged}");
            assert!(may_hold(defanged.as_bytes()), "{defanged}");
        }
        assert_eq!(refang("fxp://evil.example hxxps://a").as_deref(), Some("ftp://evil.example https://a"));
        assert_eq!(refang("213[.]32[.]252[.]221").as_deref(), Some("213.32.252.221"));
        assert_eq!(refang("evil[.]example[.]").as_deref(), Some("evil.example."));
    }

    #[test]
    fn prose_and_plain_text_stay() {
        for plain in [
            "meet me (at) noon",
            "meet me (at) noon. Then",
            "evil.example",
            "f(at)",
            "(dot)",
            "a (dot), b",
            "xhxxp://a",
            "hxxp",
            "C:\\\\evil.example",
            "http:\\/\\/evil.example",
            "foo(.) bar",
            "{at: 1}",
            "[attempt]",
            "(data) x",
            "exp(1)",
            "ftphttp",
            "see (at) ",
            "[ ]",
            "\\",
            "x",
            "at (dot) ",
            "[.",
            "[ .x",
            "fxx",
        ] {
            assert_eq!(refang(plain), None, "{plain}");
        }
    }

    #[test]
    fn marks_say_what_they_touch_and_map_back() {
        let text = "see hxxps://u@a.evil[.]example/x and b.test";
        let refanged = refanged(text).unwrap();
        let touches = |word: &str| {
            let at = text.find(word).unwrap();
            Refanged::touch(text, &refanged.marks, &(at..at + word.len())).is_some()
        };
        assert!(touches("a.evil") && touches("example") && touches("hxxps"));
        assert!(!touches("b.test") && !touches("see"));
        let at = refanged.text.find("a.evil.example").unwrap();
        assert_eq!(&text[refanged.source(&(at..at + 14))], "a.evil[.]example");
        assert_eq!(&text[refanged.source(&(at..at + 6))], "a.evil");
        assert_eq!(&text[refanged.source(&(4..9))], "hxxps");
        assert_eq!(&text[refanged.source(&(0..3))], "see");
    }

    #[test]
    fn a_defanged_scheme_touches_its_own_url_and_none_in_its_query() {
        for scheme in ["hxxps://", "https[://]", "hxxps[:]//"] {
            let text = format!("{scheme}a.test/x?u=https://b.test/y");
            let refanged = refanged(&text).unwrap();
            let touches = |word: &str| {
                let at = text.find(word).unwrap();
                Refanged::touch(&text, &refanged.marks, &(at..at + word.len())).is_some()
            };
            assert!(touches("a.test") && !touches("b.test"), "{text}");
        }
    }

    #[test]
    fn whatever_is_undone_begins_somewhere() {
        let begins = |text: &str| {
            let mut found = Vec::new();
            each_beginning(text.as_bytes(), &mut |at| found.push(at));
            !found.is_empty()
        };
        for defanged in [
            "a[.]b",
            "a( dot )b",
            "hxxp://",
            "HXXP://",
            "http:\\\\a",
            "httpS:\\\\a",
            "fxp:",
            "a{ @}b",
            "a[:]",
            "a(AT)b",
            "a[ at ]b",
        ] {
            assert!(begins(defanged) && may_hold(defanged.as_bytes()), "{defanged}");
        }
        for plain in ["(attached)", "{\"a\": [1]}", "exp(1)", "C:\\a", "xx", "[", "(a"] {
            assert!(!begins(plain), "{plain}");
        }
    }
}
