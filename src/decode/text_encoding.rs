//! How the bytes of a text are its characters: UTF-8, UTF-16 with or without a byte order mark, Latin-1.
//!
//! Source: Unicode 15, sections 3.10 and 23.8; WHATWG Encoding Standard for Windows-1252, the superset of Latin-1.

use std::borrow::Cow;

use encoding_rs::{CoderResult, Decoder, UTF_16BE, UTF_16LE};

use super::Head;

/// How bytes are characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextEncoding {
    /// UTF-8. A byte that breaks its rules further on is kept as it is.
    Utf8,
    /// UTF-16, low byte first.
    Utf16Le,
    /// UTF-16, high byte first.
    Utf16Be,
    /// A single-byte charset that is not declared, read as Windows-1252.
    Latin1,
}

/// The first bytes of a text, decoded.
#[derive(Clone, Debug)]
pub struct TextHead<'a> {
    /// The encoding.
    pub encoding: TextEncoding,
    /// The length of the byte order mark; 0 where there is none.
    pub mark_bytes: usize,
    /// The text as UTF-8, without the mark (as it stands for [`TextEncoding::Latin1`]).
    pub text: Cow<'a, [u8]>,
    /// Whether `text` is all there is.
    pub is_whole: bool,
}

impl<'a> TextHead<'a> {
    /// Recognises a text by its first bytes; none where they are not text.
    pub fn of(head: &Head<'a>) -> Option<Self> {
        let (encoding, mark_bytes) = detect(head)?;
        let body = head.bytes.get(mark_bytes..).unwrap_or_default();
        let text = match Transcoder::new(encoding) {
            None => Cow::Borrowed(body),
            Some(mut transcoder) => {
                let mut text = Vec::new();
                transcoder.decode(body, &mut text, head.is_whole);
                Cow::Owned(text)
            }
        };
        let is_utf16 = matches!(encoding, TextEncoding::Utf16Le | TextEncoding::Utf16Be);
        if is_utf16 && mark_bytes == 0 && has_controls(&text, 50) {
            return None;
        }
        Some(Self { encoding, mark_bytes, text, is_whole: head.is_whole })
    }

    /// Returns the lines of the head that are there whole, without their endings.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        let end = match memchr::memrchr(b'\n', &self.text) {
            _ if self.is_whole => self.text.len(),
            Some(at) => at,
            None => 0,
        };
        self.text.get(..end).unwrap_or_default().split(|&b| b == b'\n').map(|l| l.strip_suffix(b"\r").unwrap_or(l))
    }
}

fn detect(head: &Head<'_>) -> Option<(TextEncoding, usize)> {
    let bytes = head.bytes;
    for (mark, encoding) in [
        (b"\xef\xbb\xbf".as_slice(), TextEncoding::Utf8),
        (b"\xff\xfe", TextEncoding::Utf16Le),
        (b"\xfe\xff", TextEncoding::Utf16Be),
    ] {
        if bytes.starts_with(mark) && !is_utf32(bytes) {
            return Some((encoding, mark.len()));
        }
    }
    if let Some(encoding) = unmarked_utf16(bytes) {
        return Some((encoding, 0));
    }
    let is_utf8 = match std::str::from_utf8(bytes) {
        Ok(_) => true,
        // A sequence that the end of the head cut off is fine.
        Err(error) => error.error_len().is_none() && !head.is_whole,
    };
    if is_utf8 {
        return (!has_controls(bytes, 50)).then_some((TextEncoding::Utf8, 0));
    }
    (memchr::memchr(0, bytes).is_none() && !has_controls(bytes, 500)).then_some((TextEncoding::Latin1, 0))
}

/// Tells whether bytes begin with the byte order mark of UTF-32, which no log was seen in.
pub(super) fn is_utf32(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xff\xfe\0\0") || bytes.starts_with(b"\0\0\xfe\xff")
}

/// Bytes that are looked at for the zeros of UTF-16.
const SAMPLE_BYTES: usize = 8 * 1024;

/// Recognises UTF-16 without a mark by the zero bytes of its ASCII: at every second place, and hardly elsewhere.
fn unmarked_utf16(bytes: &[u8]) -> Option<TextEncoding> {
    let (pairs, _) = bytes.get(..bytes.len().min(SAMPLE_BYTES))?.as_chunks::<2>();
    let zeros = |place: usize| pairs.iter().filter(|pair| pair.get(place) == Some(&0)).count();
    let (first, second) = (zeros(0), zeros(1));
    // Western text is nearly all ASCII, and of other scripts the spaces, digits and markup still are.
    let is_much = |count: usize| count * 5 >= pairs.len() * 2 && count > 1;
    let is_little = |count: usize| count * 20 <= pairs.len();
    // Text that begins an odd byte later would lose its first letter: it is left to the search of raw bytes.
    let begins = |place: usize| pairs.first().and_then(|pair| pair.get(place)) == Some(&0);
    if is_much(second) && is_little(first) && begins(1) {
        Some(TextEncoding::Utf16Le)
    } else if is_much(first) && is_little(second) && begins(0) {
        Some(TextEncoding::Utf16Be)
    } else {
        None
    }
}

/// Tells whether more than one byte in `rate` is a control character that texts do not hold.
fn has_controls(bytes: &[u8], rate: usize) -> bool {
    let is_control = |&&b: &&u8| b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b) || b == 0x7f;
    bytes.iter().filter(is_control).count() * rate > bytes.len()
}

/// Turns UTF-16 into UTF-8, chunk by chunk. Half of a surrogate pair becomes U+FFFD.
pub struct Transcoder(Decoder);

impl Transcoder {
    /// Starts at the first byte behind the mark; none where the bytes are searched as they are.
    pub fn new(encoding: TextEncoding) -> Option<Self> {
        match encoding {
            TextEncoding::Utf8 | TextEncoding::Latin1 => None,
            TextEncoding::Utf16Le => Some(Self(UTF_16LE.new_decoder_without_bom_handling())),
            TextEncoding::Utf16Be => Some(Self(UTF_16BE.new_decoder_without_bom_handling())),
        }
    }

    /// Appends the text of `bytes` to `out`. `is_last` says that no more will come.
    pub fn decode(&mut self, mut bytes: &[u8], out: &mut Vec<u8>, is_last: bool) {
        let mut buffer = [0; 8 * 1024];
        loop {
            let (result, read, written, _) = self.0.decode_to_utf8(bytes, &mut buffer, is_last);
            out.extend_from_slice(buffer.get(..written).unwrap_or_default());
            bytes = bytes.get(read..).unwrap_or_default();
            if result == CoderResult::InputEmpty {
                return;
            }
        }
    }
}

/// Returns how many bytes of UTF-16 this UTF-8 text was. The text begins and ends between characters.
pub fn utf16_bytes(text: &[u8]) -> u64 {
    // One code unit a character, and a second one for those of four bytes.
    text.iter().map(|&b| u64::from(b & 0xc0 != 0x80) + u64::from(b >= 0xf0)).sum::<u64>() * 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detected(bytes: &[u8], is_whole: bool) -> Option<(TextEncoding, usize)> {
        TextHead::of(&Head { bytes, is_whole }).map(|head| (head.encoding, head.mark_bytes))
    }

    fn utf16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(order).collect()
    }

    #[test]
    fn utf16_is_recognised_in_both_orders_with_and_without_a_mark() {
        let text = "date_time_utc,sender_address\r\n2023-06-07,ü@contoso.example\r\n";
        for (order, encoding) in
            [(u16::to_le_bytes as fn(u16) -> [u8; 2], TextEncoding::Utf16Le), (u16::to_be_bytes, TextEncoding::Utf16Be)]
        {
            assert_eq!(detected(&utf16(text, order), true), Some((encoding, 0)));
            assert_eq!(detected(&utf16(&format!("\u{feff}{text}"), order), true), Some((encoding, 2)));
        }
        // Small binary numbers are no text, though every second byte is zero.
        assert_eq!(detected(&[1, 0, 2, 0, 3, 0, 4, 0, 5, 0], true), None);
    }

    #[test]
    fn utf8_may_be_cut_at_the_end_of_the_head_and_nowhere_else() {
        let cut = b"gr\xc3\xbc\xc3";
        assert_eq!(detected(cut, false), Some((TextEncoding::Utf8, 0)));
        assert_eq!(detected(cut, true), Some((TextEncoding::Latin1, 0)));
        assert_eq!(detected(b"gr\xfc\xdfe", true), Some((TextEncoding::Latin1, 0)));
        assert_eq!(detected(b"\xef\xbb\xbfa", true), Some((TextEncoding::Utf8, 3)));
        assert_eq!(detected(b"", true), Some((TextEncoding::Utf8, 0)));
    }

    #[test]
    fn binary_is_not_text() {
        let noise: Vec<u8> = (0..=255).cycle().take(4096).collect();
        assert_eq!(detected(&noise, true), None);
        assert_eq!(detected(b"\x7fELF\x02\x01\x01\0\0\0\0\0", true), None);
    }

    #[test]
    fn the_length_in_utf16_counts_surrogate_pairs_and_halves() {
        let units = [0x61, 0xd83d, 0xde00, 0xd800, 0x62, 0xfc];
        let bytes: Vec<u8> = units.into_iter().flat_map(u16::to_le_bytes).collect();
        let mut text = Vec::new();
        let mut transcoder = Transcoder::new(TextEncoding::Utf16Le).unwrap();
        for byte in &bytes {
            transcoder.decode(&[*byte], &mut text, false);
        }
        transcoder.decode(&[], &mut text, true);
        assert_eq!(String::from_utf8_lossy(&text), "a😀\u{fffd}bü");
        assert_eq!(utf16_bytes(&text), bytes.len() as u64);
    }
}
