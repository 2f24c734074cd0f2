//! JSON values as a flat list of named fields. Source: RFC 8259.
//!
//! Names are joined with dots and array positions left out. Strings that are JSON themselves are read in turn, and lists
//! of `Name` and `Value` become addressable by name. Which bytes are one value is decided in `decode/`.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr2;

use super::Field;
use super::json_escapes::unescape;
use super::layer::{Jump, Layer, readable};

/// Containers inside containers that are followed; the audit logs seen stay below 10.
pub const NESTING_MAX: u32 = 128;
/// JSON texts inside strings of JSON texts that are followed.
const TEXTS_MAX: u32 = 8;
/// Fields of one record; the largest audit record seen has some 10,000.
const FIELDS_MAX: usize = 200_000;
/// Bytes of all names of one record together, so that long keys times many values stay bounded.
const NAME_BYTES_MAX: usize = 64 << 20;

/// Why a text is not one JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonError {
    /// The text ends inside the value.
    Ends {
        /// Where, in bytes of the text.
        offset: usize,
    },
    /// A byte stands where it may not.
    Unexpected {
        /// Where, in bytes of the text.
        offset: usize,
    },
    /// The value is larger than a record may be: nesting, number of fields, or length of names.
    TooLarge,
}

/// Adds the fields of the one JSON value that `layer` holds, their names beginning with `prefix`.
///
/// # Errors
/// The text is not one JSON value. The fields before the fault have been added.
pub fn flatten<'a>(layer: &Layer<'_, 'a>, prefix: &str, fields: &mut Vec<Field<'a>>) -> Result<(), JsonError> {
    let mut flattener = Flattener::new(layer, prefix, fields);
    flattener.whole()
}

/// Adds the fields of what stands around an array that was taken apart: `{"@odata.context":"…","value":[` before it
/// or `],"@odata.nextLink":"…"}` after it. What cannot be read is left out.
pub fn flatten_envelope<'a>(layer: &Layer<'_, 'a>, fields: &mut Vec<Field<'a>>) {
    let mut flattener = Flattener::new(layer, "", fields);
    flattener.skip(|b| is_space(b) || b == b']' || b == b'}' || b == b',');
    // An envelope ends inside a container by its nature, so how the reading ends tells nothing.
    if flattener.peek() == Some(b'{') {
        flattener.value(0).ok()
    } else {
        flattener.members(0).ok()
    };
}

/// Tells whether a byte may stand between the tokens of JSON.
pub fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

struct Flattener<'f, 'l, 'a> {
    layer: &'f Layer<'l, 'a>,
    bytes: &'f [u8],
    at: usize,
    path: String,
    texts: u32,
    name_bytes: usize,
    fields: &'f mut Vec<Field<'a>>,
}

/// A string token: its bytes between the quotes.
struct Token {
    range: Range<usize>,
    has_escapes: bool,
}

impl<'f, 'l, 'a> Flattener<'f, 'l, 'a> {
    fn new(layer: &'f Layer<'l, 'a>, prefix: &str, fields: &'f mut Vec<Field<'a>>) -> Self {
        Self { layer, bytes: layer.bytes(), at: 0, path: prefix.to_owned(), texts: 0, name_bytes: 0, fields }
    }

    fn whole(&mut self) -> Result<(), JsonError> {
        self.value(0)?;
        self.skip(is_space);
        if self.at < self.bytes.len() { Err(JsonError::Unexpected { offset: self.at }) } else { Ok(()) }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip(&mut self, what: fn(u8) -> bool) {
        while self.peek().is_some_and(what) {
            self.at += 1;
        }
    }

    fn fault<T>(&self) -> Result<T, JsonError> {
        let offset = self.at;
        Err(if offset >= self.bytes.len() { JsonError::Ends { offset } } else { JsonError::Unexpected { offset } })
    }

    fn value(&mut self, depth: u32) -> Result<(), JsonError> {
        self.skip(is_space);
        match self.peek() {
            Some(b'{') => {
                self.at += 1;
                self.members(depth + 1)
            }
            Some(b'[') => {
                self.at += 1;
                self.elements(depth + 1)
            }
            Some(b'"') => {
                let token = self.string()?;
                self.text(&token)
            }
            Some(b't') => self.literal(b"true"),
            Some(b'f') => self.literal(b"false"),
            Some(b'n') => self.literal(b"null"),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.fault(),
        }
    }

    /// Reads an object from behind its brace.
    fn members(&mut self, depth: u32) -> Result<(), JsonError> {
        if depth > NESTING_MAX {
            return Err(JsonError::TooLarge);
        }
        let (path, first_field) = (self.path.len(), self.fields.len());
        let (mut has_name, mut has_value) = (false, false);
        self.skip(is_space);
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.skip(is_space);
            if self.peek() != Some(b'"') {
                return self.fault();
            }
            let token = self.string()?;
            let raw = self.bytes.get(token.range.clone()).unwrap_or_default();
            has_name |= is_one_of(raw, NAME_KEYS);
            has_value |= is_one_of(raw, VALUE_KEYS);
            if path > 0 {
                self.path.push('.');
            }
            if token.has_escapes {
                self.path.push_str(&readable(&unescape(raw, 0).0));
            } else {
                self.path.push_str(&readable(raw));
            }
            self.skip(is_space);
            if self.peek() != Some(b':') {
                return self.fault();
            }
            self.at += 1;
            self.value(depth)?;
            self.path.truncate(path);
            self.skip(is_space);
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    break;
                }
                _ => return self.fault(),
            }
        }
        if has_name && has_value && path > 0 {
            self.address_by_name(first_field);
        }
        Ok(())
    }

    /// Reads an array from behind its bracket.
    fn elements(&mut self, depth: u32) -> Result<(), JsonError> {
        if depth > NESTING_MAX {
            return Err(JsonError::TooLarge);
        }
        self.skip(is_space);
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value(depth)?;
            self.skip(is_space);
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return self.fault(),
            }
        }
    }

    fn string(&mut self) -> Result<Token, JsonError> {
        let start = self.at + 1;
        let (mut at, mut has_escapes) = (start, false);
        loop {
            match memchr2(b'"', b'\\', self.bytes.get(at..).unwrap_or_default()) {
                None => {
                    self.at = self.bytes.len();
                    return self.fault();
                }
                Some(n) if self.bytes.get(at + n) == Some(&b'"') => {
                    self.at = at + n + 1;
                    return Ok(Token { range: start..at + n, has_escapes });
                }
                Some(n) => {
                    has_escapes = true;
                    at += n + 2;
                }
            }
        }
    }

    fn literal(&mut self, word: &[u8]) -> Result<(), JsonError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word) {
            if word.starts_with(rest) {
                self.at = self.bytes.len();
            }
            return self.fault();
        }
        // A null is a field without a value, at the place where the value would stand.
        let shown = if word == b"null" { 0 } else { word.len() };
        let range = self.at..self.at + shown;
        self.at += word.len();
        let (value, decode) = self.layer.value(range);
        self.push(value, decode)
    }

    fn number(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        self.digits()?;
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        let (value, decode) = self.layer.value(start..self.at);
        self.push(value, decode)
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        self.skip(|b| b.is_ascii_digit());
        if self.at == start { self.fault() } else { Ok(()) }
    }

    /// Adds a string, or what it holds where it is JSON text itself.
    fn text(&mut self, token: &Token) -> Result<(), JsonError> {
        let raw = self.bytes.get(token.range.clone()).unwrap_or_default();
        if !token.has_escapes {
            if looks_like_json(raw) && self.inner(raw, &[Jump { at: 0, outer: token.range.start }]) {
                return Ok(());
            }
            let (value, decode) = self.layer.value(token.range.clone());
            return self.push(value, decode);
        }
        let (decoded, jumps) = unescape(raw, token.range.start);
        if looks_like_json(&decoded) && self.inner(&decoded, &jumps) {
            return Ok(());
        }
        let mut decode = Vec::new();
        self.layer.trace(token.range.clone(), &mut decode);
        decode.push("json");
        let value = String::from_utf8(decoded).unwrap_or_else(|e| readable(e.as_bytes()).into_owned());
        self.push(Cow::Owned(value), decode)
    }

    /// Reads a string's text as JSON. Adds nothing and returns false where it is none, or holds no values.
    fn inner(&mut self, text: &[u8], jumps: &[Jump]) -> bool {
        if self.texts >= TEXTS_MAX {
            return false;
        }
        let before = self.fields.len();
        let layer = Layer::decoded(text, "json", jumps, self.layer);
        let mut inner = Flattener {
            layer: &layer,
            bytes: text,
            at: 0,
            path: self.path.clone(),
            texts: self.texts + 1,
            name_bytes: self.name_bytes,
            fields: self.fields,
        };
        let is_json = inner.whole().is_ok();
        self.name_bytes = inner.name_bytes;
        if !is_json {
            self.fields.truncate(before);
        }
        self.fields.len() > before
    }

    fn push(&mut self, value: Cow<'a, str>, decode: Vec<&'static str>) -> Result<(), JsonError> {
        self.name_bytes += self.path.len();
        if self.fields.len() >= FIELDS_MAX || self.name_bytes > NAME_BYTES_MAX {
            return Err(JsonError::TooLarge);
        }
        self.fields.push(Field { name: Cow::Owned(self.path.clone()), value, decode });
        Ok(())
    }

    /// Renames the values of an object such as `{"Name":"MailAccessType","Value":"Bind"}`, whose fields begin at
    /// `first_field`: `OperationProperties.Value` becomes `OperationProperties.MailAccessType`, and `….NewValue`
    /// `….AccountEnabled.NewValue`. The name stays a field as well.
    fn address_by_name(&mut self, first_field: usize) {
        let prefix = self.path.len() + 1;
        let fields = self.fields.get_mut(first_field..).unwrap_or_default();
        let Some(name) = NAME_KEYS.iter().find_map(|key| {
            let field = fields.iter().find(|field| is_key(field, prefix, key))?;
            (!field.value.is_empty()).then(|| field.value.clone().into_owned())
        }) else {
            return;
        };
        for field in fields {
            let Some(rest) = field.name.get(prefix..) else { continue };
            let (key, below) = rest.split_once('.').map_or((rest, ""), |(key, below)| (key, below));
            if !is_one_of(key.as_bytes(), VALUE_KEYS) {
                continue;
            }
            let mut renamed = format!("{}.{name}", self.path);
            if !key.eq_ignore_ascii_case("value") {
                renamed = format!("{renamed}.{key}");
            }
            if !below.is_empty() {
                renamed = format!("{renamed}.{below}");
            }
            self.name_bytes += renamed.len();
            field.name = Cow::Owned(renamed);
        }
    }
}

/// Keys whose value names its neighbour, most telling first.
const NAME_KEYS: &[&str] = &["Name", "Key"];
/// Keys of a named value.
const VALUE_KEYS: &[&str] = &["Value", "NewValue", "OldValue"];

fn is_one_of(key: &[u8], keys: &[&str]) -> bool {
    keys.iter().any(|k| k.as_bytes().eq_ignore_ascii_case(key))
}

fn is_key(field: &Field<'_>, prefix: usize, key: &str) -> bool {
    field.name.get(prefix..).is_some_and(|rest| rest.eq_ignore_ascii_case(key))
}

/// Tells whether a text begins and ends as a JSON object or array does.
pub fn looks_like_json(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    matches!((text.first(), text.last()), (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']'))) && text.len() > 2
}
