//! Formats that are recognised and not opened yet: containers, compressed and encrypted files. Their bytes are searched
//! as they stand, and they are listed as not examined: what is packed inside them cannot be seen.

use super::text_encoding::is_utf32;
use super::{DecodeError, Decoder, Head, Input, Sink, bytes};
use crate::problem::Reason;

/// A format's name, the bytes that it has, and where. A magic number of two bytes is chance, so it has a test besides.
struct Magic(usize, &'static [u8], &'static str, fn(&[u8]) -> bool);

/// What is recognised. Sources: the specifications of the formats; `docs/decoders.md` lists them.
const MAGICS: &[Magic] = &[
    Magic(0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", always),
    Magic(0, b"Rar!\x1a\x07\x00", "a rar archive", always),
    Magic(0, b"Rar!\x1a\x07\x01\x00", "a rar 5 archive", always),
    Magic(0, b"\xfd7zXZ\x00", "xz", always),
    Magic(0, b"BZh", "bzip2", is_bzip2),
    Magic(0, b"\x28\xb5\x2f\xfd", "zstd", always),
    Magic(0, b"\x04\x22\x4d\x18", "lz4", always),
    Magic(0, b"\x02\x21\x4c\x18", "lz4 of the old format", always),
    Magic(0, b"LZIP\x01", "lzip", always),
    Magic(0, b"\x5d\x00\x00", "lzma", is_lzma),
    Magic(0, b"\x89LZO\x00\x0d\x0a\x1a\x0a", "lzop", always),
    Magic(0, b"\xff\x06\x00\x00sNaPpY", "snappy", always),
    Magic(0, b"\x1f\x9d", "compress (.Z)", is_compress),
    Magic(0, b"MSCF\x00\x00\x00\x00", "a cabinet", always),
    Magic(0, b"MSWIM\x00\x00\x00", "a Windows image", always),
    Magic(0, b"ITSF\x03\x00\x00\x00", "compiled help (chm)", always),
    Magic(0, b"0707", "a cpio archive", is_cpio),
    Magic(0, b"!<arch>\n", "an ar archive", always),
    Magic(0, b"xar!\x00\x1c", "a xar archive", always),
    Magic(2, b"-lh", "an lzh archive", is_lzh),
    Magic(0, b"\x60\xea", "an arj archive", is_arj),
    Magic(0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an OLE2 file (msg, doc, xls)", always),
    Magic(0, b"!BDN", "an Outlook data file (pst, ost)", always),
    Magic(0, b"\x78\x9f\x3e\x22", "TNEF (winmail.dat)", always),
    Magic(0, b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d", "a OneNote section", always),
    Magic(0, b"ElfFile\x00", "a Windows event log (evtx)", always),
    Magic(0, b"\x30\x00\x00\x00LfLe", "a Windows event log (evt)", always),
    Magic(0, b"regf", "a registry hive", is_binary),
    Magic(4, b"\xef\xcd\xab\x89", "an ESE database (edb)", always),
    Magic(0, b"SQLite format 3\x00", "a SQLite database", always),
    Magic(0, b"\x00\x01\x00\x00Standard ", "an Access database", always),
    Magic(0, b"PAR1", "parquet", is_binary),
    Magic(0, b"Obj\x01", "avro", always),
    Magic(0, b"ORC", "orc", is_binary),
    Magic(0, b"%PDF-", "PDF", always),
    Magic(0, b"-----BEGIN PGP MESSAGE-----", "a PGP message", always),
    Magic(0, b"\x85\x01\x0c\x03", "a PGP message", always),
    Magic(0, b"\x85\x02\x0c\x03", "a PGP message", always),
    Magic(0, b"\x30", "an S/MIME message", is_enveloped),
    Magic(0, b"Salted__", "a file that openssl encrypted", always),
    Magic(0, b"age-encryption.org/v1\n", "a file that age encrypted", always),
    Magic(0, b"LUKS\xba\xbe", "a LUKS volume", always),
    Magic(3, b"-FVE-FS-", "a BitLocker volume", always),
    Magic(0x8001, b"CD001", "an ISO 9660 image", always),
    Magic(0, b"vhdxfile", "a virtual disk (vhdx)", always),
    Magic(0, b"KDMV", "a virtual disk (vmdk)", is_binary),
    Magic(0, b"QFI\xfb", "a virtual disk (qcow)", always),
    Magic(0, b"\xff\xfe\0\0", "text in UTF-32", is_utf32),
    Magic(0, b"\0\0\xfe\xff", "text in UTF-32", is_utf32),
];

/// Recognises formats that no decoder opens.
pub struct Signature;

impl Decoder for Signature {
    fn name(&self) -> &'static str {
        "signature"
    }

    fn reads(&self) -> &'static str {
        "nothing: names containers, compressed and encrypted formats that are not opened yet"
    }

    fn recognises(&self, head: &Head<'_>) -> bool {
        format(head.bytes).is_some()
    }

    fn decode(&self, input: &mut Input<'_>, sink: &mut dyn Sink) -> Result<(), DecodeError> {
        let format = format(input.head().bytes).unwrap_or("an unknown format");
        let detail = format!("recognised as {format}; no decoder opens it yet, its bytes were searched as they stand");
        sink.problem(Reason::Unsupported, &detail, None);
        bytes::search_runs(input, 0, 1, sink)?;
        Ok(())
    }
}

/// Returns the name of the format that begins like this.
fn format(head: &[u8]) -> Option<&'static str> {
    let found = MAGICS
        .iter()
        .find(|Magic(at, magic, _, test)| head.get(*at..).is_some_and(|bytes| bytes.starts_with(magic)) && test(head));
    found.map(|Magic(.., name, _)| *name)
}

fn always(_: &[u8]) -> bool {
    true
}

/// The level, then a block or the end of the stream.
fn is_bzip2(head: &[u8]) -> bool {
    let after = head.get(4..).unwrap_or_default();
    matches!(head.get(3), Some(b'1'..=b'9'))
        && (after.starts_with(b"\x31\x41\x59\x26\x53\x59") || after.starts_with(b"\x17\x72\x45\x38\x50\x90"))
}

/// A dictionary of a power of two, then a size that is unknown or below 256 GiB, then a zero byte.
fn is_lzma(head: &[u8]) -> bool {
    let Some(&[_, _, _, a, b, c @ ..]) = head.first_chunk::<14>() else { return false };
    let dictionary = u32::from_le_bytes([0, 0, a, b]);
    dictionary.is_power_of_two() && (c.starts_with(&[0xff; 8]) || c.get(5..8) == Some(&[0; 3])) && c.get(8) == Some(&0)
}

/// Codes of 9 to 16 bits.
fn is_compress(head: &[u8]) -> bool {
    head.get(2).is_some_and(|flags| flags & 0x60 == 0 && (9..=16).contains(&(flags & 0x1f)))
}

/// All headers of the ASCII variants are digits.
fn is_cpio(head: &[u8]) -> bool {
    matches!(head.get(4..6), Some(b"01" | b"02" | b"07"))
        && head.get(..76).is_some_and(|header| header.iter().all(u8::is_ascii_hexdigit))
}

fn is_lzh(head: &[u8]) -> bool {
    head.get(5).is_some_and(u8::is_ascii_alphanumeric) && head.get(6) == Some(&b'-')
}

/// The size of the main header, and the type of that header.
fn is_arj(head: &[u8]) -> bool {
    matches!(head.get(2..4), Some([low, high]) if (1..=2_600).contains(&u16::from_le_bytes([*low, *high])))
        && head.get(10) == Some(&2)
}

/// Text may begin with any word.
fn is_binary(head: &[u8]) -> bool {
    head.iter().take(64).any(|byte| *byte < 9)
}

/// The object identifiers of CMS enveloped-data and encrypted-data stand in the outermost sequence.
fn is_enveloped(head: &[u8]) -> bool {
    let start = head.get(..32.min(head.len())).unwrap_or_default();
    [3, 6].iter().any(|kind| {
        let identifier = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, *kind];
        memchr::memmem::find(start, &identifier).is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::decode;
    use super::*;

    #[test]
    fn what_is_recognised_is_searched_and_listed() {
        let mut bytes = b"7z\xbc\xaf\x27\x1c\x00".to_vec();
        bytes.extend(b"evil.example\x00");
        let collected = decode("a", &bytes);
        assert_eq!(collected.holding("evil.example"), ["a"]);
        assert_eq!(collected.reasons("a"), [Reason::Unsupported]);
        assert_eq!(collected.decoders[0].1, "signature");
    }

    #[test]
    fn magic_numbers_and_their_near_misses() {
        let iso = [vec![0; 0x8001], b"CD001".to_vec()].concat();
        let cpio = [&b"070701"[..], &[b'0'; 104]].concat();
        for (bytes, name) in [
            (&b"BZh9\x31\x41\x59\x26\x53\x59"[..], Some("bzip2")),
            (b"BZh is a prefix", None),
            (b"\x1f\x9d\x90x", Some("compress (.Z)")),
            (b"\x1f\x9d\xffx", None),
            (&cpio, Some("a cpio archive")),
            (b"070701 is a number", None),
            (b"!!-lh5-x", Some("an lzh archive")),
            (b"ls-lh and more", None),
            (b"regf\x01\0\0\0", Some("a registry hive")),
            (b"regfile, a text", None),
            (&iso, Some("an ISO 9660 image")),
            (&iso[..0x8005], None),
            (b"\x30\x82\x01\x00\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03\xa0", Some("an S/MIME message")),
            (b"\x30\x82\x01\x00\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0", None),
            (b"\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff\0", Some("lzma")),
            (b"]\0\0\x81\0\xff\xff\xff\xff\xff\xff\xff\xff\0", None),
            (b"\xff\xfe\0\0a\0\0\0", Some("text in UTF-32")),
            (b"\0\0\xfe\xff\0\0\0a", Some("text in UTF-32")),
            (b"\xff\xfea\0", None),
            (b"\0\0\xff\xfe", None),
            (b"\x89PNG\x0d\x0a\x1a\x0a", None),
            (b"", None),
        ] {
            assert_eq!(format(bytes), name, "{bytes:?}");
        }
    }
}
