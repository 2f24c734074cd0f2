//! The encodings of a part's body: base64 and quoted-printable, undone as far as they can be, and charsets.
//! Source: RFC 2045, section 6.

use std::borrow::Cow;
use std::io::{self, Read};

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252};
use mail_parser::decoders::charsets::map::charset_decoder;

/// How a body is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transfer {
    /// Not at all, or in a way that is not known: it is read as it stands.
    Identity,
    Base64,
    QuotedPrintable,
}

impl Transfer {
    /// Reads a `Content-Transfer-Encoding`.
    pub fn named(value: &str) -> Self {
        let bare = without_comments(value);
        let token = bare.split(';').next().unwrap_or_default().trim().trim_matches('"');
        if token.eq_ignore_ascii_case("base64") {
            Self::Base64
        } else if token.eq_ignore_ascii_case("quoted-printable") {
            Self::QuotedPrintable
        } else {
            Self::Identity
        }
    }
}

/// Leaves out comments, which may hold others (RFC 5322, section 3.2.2).
fn without_comments(value: &str) -> String {
    let mut depth = 0_usize;
    let is_outside = |c: &char| {
        let before = depth;
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        before == 0 && depth == 0
    };
    value.chars().filter(is_outside).collect()
}

/// Reads base64. Bytes outside its alphabet are left out, as RFC 2045 asks; padding starts anew.
pub(super) struct Base64<'r> {
    raw: &'r [u8],
    bits: u32,
    count: u32,
}

impl<'r> Base64<'r> {
    pub fn new(raw: &'r [u8]) -> Self {
        Self { raw, bits: 0, count: 0 }
    }

    /// Decodes whole groups of four while both sides have room, and returns how many bytes came out.
    fn read_groups(&mut self, buf: &mut [u8]) -> usize {
        let (groups, _) = self.raw.as_chunks::<4>();
        let (outs, _) = buf.as_chunks_mut::<3>();
        let mut n = 0;
        for (group, out) in groups.iter().zip(outs) {
            let [a, b, c, d] = group.map(sextet);
            if (a | b | c | d) & NONE != 0 {
                break;
            }
            *out = [a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d];
            n += 1;
        }
        self.raw = self.raw.get(4 * n..).unwrap_or_default();
        3 * n
    }
}

impl Read for Base64<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut n = 0;
        while n < buf.len() {
            if self.count == 0 {
                n += self.read_groups(buf.get_mut(n..).unwrap_or_default());
            }
            // One byte at a time over line ends and padding, up to the next group.
            let Some(out) = buf.get_mut(n) else { return Ok(n) };
            while self.count < 8 {
                let Some((byte, rest)) = self.raw.split_first() else { return Ok(n) };
                self.raw = rest;
                match sextet(*byte) {
                    NONE if *byte == b'=' => self.count = 0,
                    NONE => {}
                    value => {
                        self.bits = self.bits << 6 | u32::from(value);
                        self.count += 6;
                    }
                }
            }
            self.count -= 8;
            let [_, _, _, byte] = (self.bits >> self.count).to_be_bytes();
            *out = byte;
            n += 1;
        }
        Ok(n)
    }
}

/// What [`sextet`] returns for a byte outside the alphabet.
const NONE: u8 = 0x80;

const SEXTETS: [u8; 256] = sextets();

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "run by the compiler, with codes below 256"
)]
const fn sextets() -> [u8; 256] {
    let mut table = [NONE; 256];
    let mut code = 0_usize;
    while code < 256 {
        let byte = code as u8;
        table[code] = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => NONE,
        };
        code += 1;
    }
    table
}

#[inline]
fn sextet(byte: u8) -> u8 {
    SEXTETS.get(usize::from(byte)).copied().unwrap_or(NONE)
}

/// What is wrong with base64, where something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Damage {
    /// There are bytes in it that are not base64.
    Foreign,
    /// It ends inside a group of four.
    Cut,
}

/// Looks at base64 before it is decoded.
pub(super) fn base64_damage(raw: &[u8]) -> Option<Damage> {
    let mut sextets = 0_usize;
    for line in raw.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        // Nearly every line holds nothing else, which is soon seen.
        if line.iter().fold(0, |all, byte| all | sextet(*byte)) & NONE == 0 {
            sextets += line.len();
            continue;
        }
        for byte in line {
            match byte {
                _ if sextet(*byte) != NONE => sextets += 1,
                b'=' => sextets = 0,
                b' ' | b'\t' | b'\r' => {}
                _ => return Some(Damage::Foreign),
            }
        }
    }
    (sextets % 4 == 1).then_some(Damage::Cut)
}

/// Undoes quoted-printable; what is no escape stays as it is. The second value pairs, for each line of the encoded text,
/// the decoded byte that it begins with and its own first byte.
pub(super) fn quoted_printable(raw: &[u8]) -> (Vec<u8>, Vec<(usize, usize)>) {
    let mut out = Vec::with_capacity(raw.len());
    let mut lines = Vec::new();
    let mut at = 0;
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        lines.push((out.len(), at));
        at += line.len();
        let text = line.trim_ascii_end();
        let end = line.strip_suffix(b"\r\n").map_or(usize::from(line.ends_with(b"\n")), |_| 2);
        let (text, end) = match text.strip_suffix(b"=") {
            Some(soft) => (soft, &[][..]),
            None => (text, line.get(line.len() - end..).unwrap_or_default()),
        };
        let mut rest = text;
        while let Some(escape) = memchr::memchr(b'=', rest) {
            out.extend_from_slice(rest.get(..escape).unwrap_or_default());
            rest = rest.get(escape..).unwrap_or_default();
            let value = rest.get(1..3).and_then(hex);
            out.push(value.unwrap_or(b'='));
            rest = rest.get(if value.is_some() { 3 } else { 1 }..).unwrap_or_default();
        }
        out.extend_from_slice(rest);
        out.extend_from_slice(end);
    }
    (out, lines)
}

fn hex(digits: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
    u8::from_str_radix(digits, 16).ok()
}

/// Text in UTF-8, and how it came to be that.
pub(super) struct Text<'t> {
    pub utf8: Cow<'t, [u8]>,
    /// The charset that was undone; none where the bytes are as they were.
    pub charset: Option<&'static str>,
    /// Set where the declared charset may be a lie: the bytes are to be searched as they stand, too.
    pub is_doubtful: bool,
}

/// Turns bytes into UTF-8 by their byte order mark, else their declared charset, else as UTF-8 or Latin-1.
pub(super) fn text<'t>(bytes: &'t [u8], declared: Option<&str>) -> Text<'t> {
    if let Some((encoding, _)) = Encoding::for_bom(bytes).filter(|(encoding, _)| *encoding != encoding_rs::UTF_8) {
        return decoded(bytes, encoding, label(encoding));
    }
    let declared = declared.unwrap_or("utf-8").trim();
    let encoding = Encoding::for_label(declared.as_bytes());
    match encoding {
        Some(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => decoded(bytes, encoding, label(encoding)),
        _ if bytes.is_ascii() && encoding.is_some_and(is_ascii_safe) => {
            Text { utf8: Cow::Borrowed(bytes), charset: None, is_doubtful: false }
        }
        Some(encoding) if encoding != encoding_rs::UTF_8 && encoding != encoding_rs::REPLACEMENT => {
            let is_latin1 = declared.eq_ignore_ascii_case("iso-8859-1");
            decoded(bytes, encoding, if is_latin1 { "iso-8859-1" } else { label(encoding) })
        }
        None if let Some(decoder) = charset_decoder(declared.as_bytes()) => {
            let charset = if declared.eq_ignore_ascii_case("utf-7") { "utf-7" } else { "charset" };
            Text { utf8: Cow::Owned(decoder(bytes).into_bytes()), charset: Some(charset), is_doubtful: true }
        }
        _ if std::str::from_utf8(bytes).is_ok() => {
            Text { utf8: Cow::Borrowed(bytes), charset: None, is_doubtful: false }
        }
        _ => decoded(bytes, WINDOWS_1252, "windows-1252"),
    }
}

fn decoded<'t>(bytes: &[u8], encoding: &'static Encoding, charset: &'static str) -> Text<'t> {
    let (text, _, had_errors) = encoding.decode(bytes);
    let is_wide = encoding == UTF_16LE || encoding == UTF_16BE;
    let is_doubtful = had_errors || (is_wide && memchr::memchr(0, bytes).is_none());
    Text { utf8: Cow::Owned(text.into_owned().into_bytes()), charset: Some(charset), is_doubtful }
}

/// Tells whether ASCII bytes mean ASCII. In ISO-2022-JP they may follow an escape.
fn is_ascii_safe(encoding: &'static Encoding) -> bool {
    encoding.is_ascii_compatible()
}

/// Returns the name of a charset in lower case.
fn label(encoding: &'static Encoding) -> &'static str {
    match encoding.name() {
        "UTF-16LE" => "utf-16le",
        "UTF-16BE" => "utf-16be",
        "ISO-2022-JP" => "iso-2022-jp",
        "Shift_JIS" => "shift_jis",
        "EUC-JP" => "euc-jp",
        "EUC-KR" => "euc-kr",
        "Big5" => "big5",
        "GBK" => "gbk",
        "KOI8-R" => "koi8-r",
        "KOI8-U" => "koi8-u",
        "IBM866" => "ibm866",
        "ISO-8859-2" => "iso-8859-2",
        "ISO-8859-3" => "iso-8859-3",
        "ISO-8859-4" => "iso-8859-4",
        "ISO-8859-5" => "iso-8859-5",
        "ISO-8859-6" => "iso-8859-6",
        "ISO-8859-7" => "iso-8859-7",
        "ISO-8859-8" => "iso-8859-8",
        "ISO-8859-8-I" => "iso-8859-8-i",
        "ISO-8859-10" => "iso-8859-10",
        "ISO-8859-13" => "iso-8859-13",
        "ISO-8859-14" => "iso-8859-14",
        "ISO-8859-15" => "iso-8859-15",
        "ISO-8859-16" => "iso-8859-16",
        // The others are lower case already.
        name => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base64(raw: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        Base64::new(raw).read_to_end(&mut out).unwrap();
        out
    }

    #[test]
    fn base64_gives_what_it_can() {
        assert_eq!(base64(b"ZXZp\r\nbC5leGFtcGxl"), b"evil.example");
        assert_eq!(base64(b"ZXZ!pbA==bA=="), b"evill");
        assert_eq!(base64(b"ZXZpb"), b"evi");
        assert_eq!(base64(b"Z\r\nXZp\nbC5leGF\ntcGxl!ZXZp"), b"evil.exampleevi");
        assert_eq!(base64_damage(b"ZXZp\r\nbA=="), None);
        assert_eq!(base64_damage(b"ZXZp-bA=="), Some(Damage::Foreign));
        assert_eq!(base64_damage(b"ZXZpb"), Some(Damage::Cut));
        assert_eq!(base64_damage(b"ZXZpbA"), None);
    }

    #[test]
    fn comments_around_an_encoding_are_left_out() {
        for value in ["base64", " (a (b) c) base64 (x)", "\"BASE64\"; x", "base64(x"] {
            assert_eq!(Transfer::named(value), Transfer::Base64, "{value}");
        }
        assert_eq!(Transfer::named("(base64)"), Transfer::Identity);
        assert_eq!(Transfer::named("(base64) quoted-printable"), Transfer::QuotedPrintable);
    }

    #[test]
    fn quoted_printable_keeps_what_is_no_escape() {
        let (out, lines) = quoted_printable(b"a=3Db=\r\nc  \r\nd=ZZ=\n=e9=");
        assert_eq!(out, b"a=bc\r\nd=ZZ\xe9");
        assert_eq!(lines, [(0, 0), (3, 8), (6, 13), (10, 19)]);
    }

    #[test]
    fn charsets_are_named_only_where_they_changed_something() {
        let read = |bytes: &[u8], declared: Option<&str>| {
            let text = text(bytes, declared);
            (String::from_utf8(text.utf8.into_owned()).unwrap(), text.charset, text.is_doubtful)
        };
        assert_eq!(read(b"abc", Some("iso-8859-1")), ("abc".into(), None, false));
        assert_eq!(read(b"\xe9", Some("ISO-8859-1")), ("é".into(), Some("iso-8859-1"), false));
        assert_eq!(read(b"\xe9", None), ("é".into(), Some("windows-1252"), false));
        assert_eq!(read("é".as_bytes(), Some("nonsense")), ("é".into(), None, false));
        assert_eq!(read(b"e\0v\0", Some("utf-16le")), ("ev".into(), Some("utf-16le"), false));
        assert_eq!(read(b"\xff\xfee\0", None), ("e".into(), Some("utf-16le"), false));
        assert!(read(b"evil", Some("utf-16")).2, "ASCII that claims to be UTF-16");
        assert_eq!(read(b"+AGU-vil", Some("utf-7")), ("evil".into(), Some("utf-7"), true));
        assert_eq!(read(b"\x1b$B%O\x1b(B", Some("iso-2022-jp")).0, "ハ");
    }
}
