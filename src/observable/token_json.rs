//! Tokens in JSON form, whose parts are members of an object: flattened, with several signatures, or encrypted. Source: RFC
//! 7515, section 7.2; RFC 7516, section 7.2.
//!
//! The object is not parsed as JSON: inside a string of another text its quotes are written `\"`, `""` or in other ways,
//! and what of it stands on a cut-off line counts, too.

use std::borrow::Cow;
use std::ops::Range;

use super::token::{HEADER_MAX, PART_MAX, Token, TokenForm};
use super::token_claims::{claims, header};
use super::token_found::FoundToken;
use super::token_key::{decode, sextet};

/// The deepest object that is remembered.
const DEPTH_MAX: usize = 64;
/// The most signatures of one object that are looked at.
const SIGNATURES_MAX: usize = 64;
/// The most white space, and the most quotes and backslashes, between a name and its value.
const GAP_MAX: usize = 64;

/// The members that are asked for, in the order of [`Object::parts`].
const NAMES: [&[u8]; 7] = [b"protected", b"payload", b"signature", b"encrypted_key", b"iv", b"ciphertext", b"tag"];
const PROTECTED: usize = 0;
const PAYLOAD: usize = 1;
const SIGNATURE: usize = 2;
const CIPHERTEXT: usize = 5;

/// An object that is open.
#[derive(Clone, Default)]
struct Object {
    start: usize,
    /// Whether it is the value of `header`.
    is_header: bool,
    parts: [Option<Range<usize>>; 7],
    header: Option<Range<usize>>,
    /// Objects inside it that have a signature and no payload.
    signatures: Vec<Object>,
}

/// Calls `each` with every token in JSON form, from left to right as their objects end.
pub(super) fn tokens_in_json<'t>(text: &'t [u8], each: &mut dyn FnMut(FoundToken<'t>)) {
    // Most texts are short values of fields: what costs least tells first.
    let Some(from) = memchr::memchr(b'{', text) else { return };
    let is_any = |name: &str| memchr::memmem::find(text, name.as_bytes()).is_some();
    if !is_any("payload") && !is_any("ciphertext") {
        return;
    }
    let mut open: Vec<Object> = Vec::new();
    let mut at = from;
    while let Some(skipped) = text.get(at..).and_then(|rest| memchr::memchr3(b'{', b'}', b':', rest)) {
        at += skipped;
        match text.get(at) {
            Some(b'{') => {
                if open.len() == DEPTH_MAX {
                    open.remove(0);
                }
                let is_header = text.get(..at).is_some_and(is_behind_header);
                open.push(Object { start: at, is_header, ..Object::default() });
            }
            Some(b'}') => close(text, &mut open, at + 1, each),
            _ => {
                if let Some((name, range)) = member(text, at)
                    && let Some(part) = open.last_mut().and_then(|object| object.parts.get_mut(name))
                {
                    at = range.end.saturating_sub(1);
                    part.get_or_insert(range);
                }
            }
        }
        at += 1;
    }
    while !open.is_empty() {
        close(text, &mut open, text.len(), each);
    }
}

/// Takes off the innermost object, which ends before `end`.
fn close<'t>(text: &'t [u8], open: &mut Vec<Object>, end: usize, each: &mut dyn FnMut(FoundToken<'t>)) {
    let Some(object) = open.pop() else { return };
    let has = |object: &Object, part: usize| object.parts.get(part).is_some_and(Option::is_some);
    if object.is_header {
        if let Some(outer) = open.last_mut() {
            outer.header.get_or_insert(object.start..end);
        }
    } else if has(&object, CIPHERTEXT) {
        read(text, &object, &object, end).into_iter().for_each(each);
    } else if has(&object, PAYLOAD) {
        let own = has(&object, SIGNATURE).then_some(&object);
        own.into_iter().chain(&object.signatures).filter_map(|signed| read(text, &object, signed, end)).for_each(each);
    } else if has(&object, SIGNATURE)
        && let Some(outer) = open.last_mut().filter(|outer| outer.signatures.len() < SIGNATURES_MAX)
    {
        outer.signatures.push(object);
    }
}

/// Reads a token whose payload is in one object and whose header and signature are in another, or in the same.
fn read<'t>(text: &'t [u8], object: &Object, signed: &Object, end: usize) -> Option<FoundToken<'t>> {
    let part = |of: &Object, index: usize| {
        let range = of.parts.get(index)?.clone()?;
        Some(text.get(range)?.iter().copied().filter(|byte| *byte != b'\\').collect::<Vec<u8>>())
    };
    let mut token = Token::default();
    let protected = part(signed, PROTECTED).unwrap_or_default();
    let is_protected = protected.len() <= HEADER_MAX && header(decode(&protected)?.into_iter(), &mut token);
    // What the header says that is not signed names keys, too.
    let unsigned = signed.header.clone().and_then(|range| text.get(range)).unwrap_or_default();
    let mut plain = unsigned.iter().copied().take(HEADER_MAX).filter(|byte| *byte != b'\\').peekable();
    let unquoted = std::iter::from_fn(|| {
        let byte = plain.next()?;
        while byte == b'"' && plain.next_if_eq(&b'"').is_some() {}
        Some(byte)
    });
    if !header(unquoted, &mut token) && !is_protected {
        return None;
    }
    let parts = if object.parts.get(CIPHERTEXT)?.is_some() {
        token.form = TokenForm::Jwe;
        let rest = (SIGNATURE + 1..NAMES.len()).map(|index| part(object, index).unwrap_or_default());
        std::iter::once(protected).chain(rest).collect::<Vec<_>>()
    } else {
        let payload = part(object, PAYLOAD).filter(|payload| payload.len() <= PART_MAX)?;
        if !claims(decode(&payload)?.into_iter(), &mut token) {
            return None;
        }
        vec![protected, payload, part(signed, SIGNATURE)?]
    };
    let bytes = Cow::Owned(parts.join(&b'.'));
    Some(FoundToken { token, range: object.start..end, header_end: object.start, bytes })
}

/// Returns the name of the member whose colon stands at `colon`, if it is asked for, and where its value stands.
fn member(text: &[u8], colon: usize) -> Option<(usize, Range<usize>)> {
    let before = text.get(colon.saturating_sub(GAP_MAX)..colon)?;
    let before = before.trim_ascii_end();
    let name_end = before.len() - before.iter().rev().take_while(|byte| is_quote(**byte)).count();
    let name = before.get(..name_end)?;
    let index = NAMES
        .iter()
        .position(|known| name.strip_suffix(*known).and_then(<[u8]>::last).is_some_and(|byte| is_quote(*byte)))?;
    let behind = text.get(colon + 1..)?;
    let near = behind.get(..behind.len().min(GAP_MAX))?;
    let gap = near.len() - near.trim_ascii_start().len();
    let quotes = near.get(gap..)?.iter().take_while(|byte| is_quote(**byte)).count();
    let start = colon + 1 + gap + quotes;
    let is_value = |byte: &&u8| sextet(**byte).is_some() || matches!(byte, b'=' | b'\\');
    let length = text.get(start..)?.iter().take_while(is_value).count();
    // A backslash at the end is of the quote behind it.
    let value = text.get(start..start + length)?;
    let length = length - value.iter().rev().take_while(|byte| **byte == b'\\').count();
    (name_end < before.len() && quotes > 0).then_some((index, start..start + length))
}

fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\')
}

fn is_behind_header(before: &[u8]) -> bool {
    let near = before.get(before.len().saturating_sub(GAP_MAX)..).unwrap_or_default().trim_ascii_end();
    let name = near.strip_suffix(b":").unwrap_or_default().trim_ascii_end();
    let bare = name.iter().rev().skip_while(|byte| is_quote(**byte)).take(6);
    bare.copied().eq(*b"redaeh")
}

#[cfg(test)]
mod tests {
    use super::super::token_key::encode;
    use super::*;

    const CLAIMS: &[u8] = br#"{"iss":"https://a.example/","tid":"t"}"#;

    fn found(text: &str) -> Vec<(String, Vec<String>, Option<String>)> {
        let mut out = Vec::new();
        tokens_in_json(text.as_bytes(), &mut |found| {
            let compact = String::from_utf8(found.bytes.to_vec()).unwrap();
            out.push((compact, found.token.keys.clone(), found.token.tenant.clone()));
        });
        out
    }

    fn parts() -> (String, String) {
        (encode(br#"{"alg":"RS256","kid":"k"}"#), encode(CLAIMS))
    }

    #[test]
    fn a_flattened_token_is_found_in_any_order_and_however_its_quotes_are_written() {
        let (protected, payload) = parts();
        let compact = format!("{protected}.{payload}.c2ln");
        let members = [
            format!("\"payload\":\"{payload}\""),
            format!("\"protected\": \"{protected}\""),
            "\"signature\" :\n\"c2ln\"".to_owned(),
        ];
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 2, 0]] {
            let object = format!("{{{}}}", order.map(|index| members[index].as_str()).join(", "));
            for text in [
                object.clone(),
                format!("x {{\"a\":{{}}}} token: {object} }} y"),
                format!("[{{\"b\":1}},{object}]"),
                object.replace('"', "\\\""),
                object.replace('"', "\\\\\\\""),
                object.replace('"', "\"\""),
                object.trim_end_matches('}').to_owned(),
                format!("{{\"payload\":\"{{\",\"token\":{object}}}"),
            ] {
                let wanted = (compact.clone(), vec!["k".to_owned()], Some("t".to_owned()));
                assert_eq!(found(&text), [wanted], "{text}");
            }
        }
    }

    #[test]
    fn each_signature_and_each_object_is_a_token_of_its_own() {
        let (protected, payload) = parts();
        let other = encode(br#"{"alg":"RS256"}"#);
        let general = format!(
            r#"{{"payload":"{payload}","signatures":[{{"protected":"{protected}","signature":"YQ"}},{{"protected":"{other}","header":{{"kid":"l"}},"signature":"Yg"}},{{"header":{{"alg":"none","kid":"m"}},"signature":""}}]}}"#
        );
        let told: Vec<_> = found(&general).into_iter().map(|(compact, keys, _)| (compact, keys.join(","))).collect();
        let expected = [
            (format!("{protected}.{payload}.YQ"), "k".to_owned()),
            (format!("{other}.{payload}.Yg"), "l".to_owned()),
            (format!(".{payload}."), "m".to_owned()),
        ];
        assert_eq!(told, expected);
        let list = format!(
            r#"[{{"protected":"{protected}","signature":"YQ","payload":"{payload}"}},{{"protected":"{other}","signature":"Yg","payload":"e30"}}]"#
        );
        let told: Vec<_> = found(&list).into_iter().map(|(compact, ..)| compact).collect();
        assert_eq!(told, [format!("{protected}.{payload}.YQ"), format!("{other}.e30.Yg")]);
        let jwe = encode(br#"{"alg":"dir","enc":"A256GCM","kid":"k"}"#);
        let encrypted = format!(r#"{{"protected":"{jwe}","iv":"aXY","ciphertext":"Yw","tag":"dA"}}"#);
        assert_eq!(found(&encrypted), [(format!("{jwe}..aXY.Yw.dA"), vec!["k".to_owned()], None)]);
    }

    #[test]
    fn what_has_not_all_of_a_token_is_none() {
        let (protected, payload) = parts();
        for no in [
            format!(r#"{{"payload":"{payload}","protected":"{protected}"}}"#),
            format!(r#"{{"payload":"{payload}","signature":"c2ln"}}"#),
            format!(r#"{{"protected":"{protected}","signature":"c2ln"}}"#),
            format!(r#"{{"payload":"bm8","protected":"{protected}","signature":"c2ln"}}"#),
            format!(r#"{{"payload":"{payload}","protected":"bm8","signature":"c2ln"}}"#),
            format!(r#"{{"a":{{"payload":"{payload}","signature":"c2ln"}},"protected":"{protected}"}}"#),
            format!(r#"{{"payloads":"{payload}","protected":"{protected}","signature":"c2ln"}}"#),
            format!(r#"payload:{payload},protected:{protected},signature:c2ln"#),
        ] {
            assert!(found(&no).is_empty(), "{no}");
        }
    }
}
