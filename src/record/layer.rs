//! Text that was decoded out of a record and still knows where each part of it stood in the record's own bytes.
//!
//! A cell of JSON in a CSV row is read through two such layers; a value that no layer changed is borrowed from the
//! record, so that its exact place can be told.

use std::borrow::Cow;
use std::ops::Range;

use encoding_rs::WINDOWS_1252;

/// From `at` on, the text of a layer stands at `outer` in the layer outside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jump {
    /// The offset in the decoded text.
    pub at: usize,
    /// The offset in the text that it was decoded from.
    pub outer: usize,
}

/// Text, and how it was made from a record's bytes.
#[derive(Clone, Copy, Debug)]
pub struct Layer<'l, 'a> {
    bytes: &'l [u8],
    origin: Origin<'l, 'a>,
}

#[derive(Clone, Copy, Debug)]
enum Origin<'l, 'a> {
    Record(&'a [u8]),
    /// `jumps` are in order, and the first is at 0.
    Decoded {
        label: &'static str,
        jumps: &'l [Jump],
        outer: &'l Layer<'l, 'a>,
    },
}

impl<'a> Layer<'a, 'a> {
    /// Makes the outermost layer: the record's bytes themselves.
    pub fn record(bytes: &'a [u8]) -> Self {
        Self { bytes, origin: Origin::Record(bytes) }
    }
}

impl<'l, 'a> Layer<'l, 'a> {
    /// Makes a layer of `bytes`, decoded from `outer` by undoing the encoding `label`.
    ///
    /// `jumps` are in order, the first is at 0, and there is one after each place where the two texts differ in length.
    pub fn decoded(bytes: &'l [u8], label: &'static str, jumps: &'l [Jump], outer: &'l Layer<'l, 'a>) -> Self {
        Self { bytes, origin: Origin::Decoded { label, jumps, outer } }
    }

    /// Returns the text.
    pub fn bytes(&self) -> &'l [u8] {
        self.bytes
    }

    /// Returns the value that stands at `range`, borrowed from the record where it stands there as it is, and the
    /// encodings that had to be undone to see it, outermost first.
    pub fn value(&self, range: Range<usize>) -> (Cow<'a, str>, Vec<&'static str>) {
        let mut decode = Vec::new();
        let value = match self.trace(range.clone(), &mut decode) {
            Some(bytes) => readable(bytes),
            None => Cow::Owned(readable(self.bytes.get(range).unwrap_or_default()).into_owned()),
        };
        (value, decode)
    }

    /// Adds the encodings of this and the outer layers that changed something in `range`; none of them: returns the
    /// record's own bytes.
    pub fn trace(&self, range: Range<usize>, decode: &mut Vec<&'static str>) -> Option<&'a [u8]> {
        match self.origin {
            Origin::Record(bytes) => bytes.get(range),
            Origin::Decoded { label, jumps, outer } => {
                let start = outer_offset(jumps, range.start)?;
                let straight = start..start + range.len();
                if self.bytes.get(range.clone()) == outer.bytes.get(straight.clone()) {
                    return outer.trace(straight, decode);
                }
                let end = outer_offset(jumps, range.end).unwrap_or(start).max(start);
                outer.trace(start..end, decode);
                decode.push(label);
                None
            }
        }
    }
}

fn outer_offset(jumps: &[Jump], at: usize) -> Option<usize> {
    let behind = jumps.partition_point(|jump| jump.at <= at);
    let jump = jumps.get(behind.checked_sub(1)?)?;
    Some(jump.outer + (at - jump.at))
}

/// Returns text for bytes of which some may not be UTF-8: those are read as Windows-1252, the superset of Latin-1 that
/// logs without a declared charset use. Source: WHATWG Encoding Standard, "windows-1252".
pub fn readable(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        out.push_str(&WINDOWS_1252.decode_without_bom_handling(chunk.invalid()).0);
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_layer_changed_is_borrowed_and_needs_no_decoding() {
        let record = br#"x,"{""a"":""b""}""#;
        let raw = Layer::record(record);
        // The cell without its quotes, each pair of quotes undone.
        let cell = br#"{"a":"b"}"#;
        let jumps = [(0, 3), (2, 6), (4, 9), (6, 12), (8, 15)].map(|(at, outer)| Jump { at, outer });
        let layer = Layer::decoded(cell, "csv", &jumps, &raw);
        let (value, decode) = layer.value(6..7);
        assert_eq!((value.as_ref(), decode.len()), ("b", 0));
        assert!(matches!(value, Cow::Borrowed(_)));
        let (value, decode) = layer.value(0..9);
        assert_eq!((value.as_ref(), decode.as_slice()), (r#"{"a":"b"}"#, ["csv"].as_slice()));
    }

    #[test]
    fn bytes_that_are_not_utf8_are_read_as_latin_1_and_the_rest_is_kept() {
        assert_eq!(readable(b"gr\xfc\xdfe"), "gr\u{fc}\u{df}e");
        assert_eq!(readable("日本 \u{e9}".as_bytes()), "日本 \u{e9}");
        assert_eq!(readable(b"\xe6\x97\xa5 \x80"), "日 €");
    }
}
