//! Entities of HTML. Source: HTML Living Standard, section 13.5, those that stand for ASCII, a letter of Latin-1, a space or nothing visible.

use super::push_code;

/// The longest entity that is looked at, without `&` and semicolon.
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
    let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'#';
    let length = text.iter().take(ENTITY_BYTES + 1).take_while(is_part).count();
    let Some(name) = text.get(..length).filter(|name| (1..=ENTITY_BYTES).contains(&name.len())) else { return 0 };
    let ends = text.get(length) == Some(&b';');
    let used = length + usize::from(ends);
    if let Some(number) = name.strip_prefix(b"#") {
        let (digits, radix) = match number.strip_prefix(b"x").or_else(|| number.strip_prefix(b"X")) {
            Some(digits) => (digits, 16),
            None => (number, 10),
        };
        let code = std::str::from_utf8(digits).ok().and_then(|digits| u32::from_str_radix(digits, radix).ok());
        let Some(code) = code.filter(|code| char::from_u32(*code).is_some()) else { return 0 };
        push_code(out, code);
        return used;
    }
    if !ends {
        return 0;
    }
    let Some((_, plain)) = NAMES.iter().find(|(known, _)| known.as_bytes() == name) else { return 0 };
    out.extend_from_slice(plain.as_bytes());
    used
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
