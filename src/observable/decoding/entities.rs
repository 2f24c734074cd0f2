//! Entities of HTML. Source: HTML Living Standard, section 13.2.5.80 for numbers; section 13.5 for names, those that stand
//! for ASCII, a letter of Latin-1, a space or nothing visible.

use encoding_rs::WINDOWS_1252;

/// The longest name that is looked at, without `&` and semicolon.
pub const ENTITY_BYTES: usize = 24;

/// Undoes numeric entities, and named ones with their semicolon: `&amp=` in a query string is a parameter.
pub(super) fn undo(text: &[u8], out: &mut Vec<u8>) -> bool {
    let mut found = false;
    let mut from = 0;
    while let Some(skipped) = text.get(from..).and_then(|rest| memchr::memchr(b'&', rest)) {
        let at = from + skipped;
        out.extend_from_slice(text.get(from..at).unwrap_or_default());
        let used = entity(text.get(at + 1..).unwrap_or_default(), out);
        if used == 0 {
            out.push(b'&');
        }
        found |= used > 0;
        from = at + 1 + used;
    }
    out.extend_from_slice(text.get(from..).unwrap_or_default());
    found
}

/// Tells whether an entity stands behind an ampersand.
pub(super) fn is_at(text: &[u8]) -> bool {
    entity(text, &mut Vec::new()) > 0
}

/// Writes what the entity at the beginning of a text stands for, and returns its length; 0 if there is none.
fn entity(text: &[u8], out: &mut Vec<u8>) -> usize {
    if let Some(number) = text.strip_prefix(b"#") {
        return numeric(number, out).map_or(0, |used| used + 1);
    }
    let length = text.iter().take(ENTITY_BYTES + 1).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let Some(name) = text.get(..length).filter(|_| length <= ENTITY_BYTES && text.get(length) == Some(&b';')) else {
        return 0;
    };
    let Some((_, plain)) = NAMES.iter().find(|(known, _)| known.as_bytes() == name) else { return 0 };
    out.extend_from_slice(plain.as_bytes());
    length + 1
}

/// Writes the character of a number behind `&#`, and returns its length. It ends with its last digit; a semicolon behind
/// that belongs to it. Without one, what is no text is not meant: `?a=1&#5`.
fn numeric(number: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let (digits, radix) = match number.strip_prefix(b"x").or_else(|| number.strip_prefix(b"X")) {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    let length = digits.iter().take_while(|&&byte| char::from(byte).is_digit(radix)).count();
    let written = std::str::from_utf8(digits.get(..length)?).ok()?;
    let code = u32::from_str_radix(written, radix).ok()?;
    let ends = digits.get(length) == Some(&b';');
    let c = character(code).filter(|c| ends || c.is_whitespace() || !c.is_control())?;
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    Some(number.len() - digits.len() + length + usize::from(ends))
}

/// Returns the character of a number: 128 to 159 are those of windows-1252.
fn character(code: u32) -> Option<char> {
    match u8::try_from(code) {
        Ok(byte @ 0x80..=0x9f) => WINDOWS_1252.decode_without_bom_handling(&[byte]).0.chars().next(),
        _ => char::from_u32(code),
    }
}

const NAMES: &[(&str, &str)] = &[
    ("Agrave", "À"),
    ("Aacute", "Á"),
    ("Acirc", "Â"),
    ("Atilde", "Ã"),
    ("Auml", "Ä"),
    ("Aring", "Å"),
    ("AElig", "Æ"),
    ("Ccedil", "Ç"),
    ("Egrave", "È"),
    ("Eacute", "É"),
    ("Ecirc", "Ê"),
    ("Euml", "Ë"),
    ("Igrave", "Ì"),
    ("Iacute", "Í"),
    ("Icirc", "Î"),
    ("Iuml", "Ï"),
    ("ETH", "Ð"),
    ("Ntilde", "Ñ"),
    ("Ograve", "Ò"),
    ("Oacute", "Ó"),
    ("Ocirc", "Ô"),
    ("Otilde", "Õ"),
    ("Ouml", "Ö"),
    ("Oslash", "Ø"),
    ("Ugrave", "Ù"),
    ("Uacute", "Ú"),
    ("Ucirc", "Û"),
    ("Uuml", "Ü"),
    ("Yacute", "Ý"),
    ("THORN", "Þ"),
    ("szlig", "ß"),
    ("agrave", "à"),
    ("aacute", "á"),
    ("acirc", "â"),
    ("atilde", "ã"),
    ("auml", "ä"),
    ("aring", "å"),
    ("aelig", "æ"),
    ("ccedil", "ç"),
    ("egrave", "è"),
    ("eacute", "é"),
    ("ecirc", "ê"),
    ("euml", "ë"),
    ("igrave", "ì"),
    ("iacute", "í"),
    ("icirc", "î"),
    ("iuml", "ï"),
    ("eth", "ð"),
    ("ntilde", "ñ"),
    ("ograve", "ò"),
    ("oacute", "ó"),
    ("ocirc", "ô"),
    ("otilde", "õ"),
    ("ouml", "ö"),
    ("oslash", "ø"),
    ("ugrave", "ù"),
    ("uacute", "ú"),
    ("ucirc", "û"),
    ("uuml", "ü"),
    ("yacute", "ý"),
    ("thorn", "þ"),
    ("yuml", "ÿ"),
    ("amp", "&"),
    ("AMP", "&"),
    ("lt", "<"),
    ("LT", "<"),
    ("gt", ">"),
    ("GT", ">"),
    ("quot", "\""),
    ("QUOT", "\""),
    ("apos", "'"),
    ("nbsp", " "),
    ("NonBreakingSpace", " "),
    ("Tab", "\t"),
    ("NewLine", "\n"),
    ("excl", "!"),
    ("num", "#"),
    ("dollar", "$"),
    ("percnt", "%"),
    ("lpar", "("),
    ("rpar", ")"),
    ("ast", "*"),
    ("midast", "*"),
    ("plus", "+"),
    ("comma", ","),
    ("period", "."),
    ("sol", "/"),
    ("colon", ":"),
    ("semi", ";"),
    ("equals", "="),
    ("quest", "?"),
    ("commat", "@"),
    ("lsqb", "["),
    ("lbrack", "["),
    ("bsol", "\\"),
    ("rsqb", "]"),
    ("rbrack", "]"),
    ("Hat", "^"),
    ("lowbar", "_"),
    ("UnderBar", "_"),
    ("grave", "`"),
    ("DiacriticalGrave", "`"),
    ("lcub", "{"),
    ("lbrace", "{"),
    ("verbar", "|"),
    ("vert", "|"),
    ("VerticalLine", "|"),
    ("rcub", "}"),
    ("rbrace", "}"),
    ("fjlig", "fj"),
    ("hyphen", "-"),
    ("dash", "-"),
    ("shy", "\u{ad}"),
    ("ZeroWidthSpace", "\u{200b}"),
    ("NegativeVeryThinSpace", "\u{200b}"),
    ("NegativeThinSpace", "\u{200b}"),
    ("NegativeMediumSpace", "\u{200b}"),
    ("NegativeThickSpace", "\u{200b}"),
    ("zwnj", "\u{200c}"),
    ("zwj", "\u{200d}"),
    ("lrm", "\u{200e}"),
    ("rlm", "\u{200f}"),
    ("NoBreak", "\u{2060}"),
    ("ensp", " "),
    ("emsp", " "),
    ("thinsp", " "),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_short_enough_to_be_looked_at() {
        for (index, (name, _)) in NAMES.iter().enumerate() {
            assert!(name.len() <= ENTITY_BYTES, "{name}");
            assert!(NAMES[index + 1..].iter().all(|(other, _)| other != name), "{name}");
        }
    }
}
