//! The kind `token`: what a JSON Web Token must and must not say.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::Expr;
use super::codes::{DATE, EMPTY, VALUE, WINDOW};
use super::fields::{self, Fields};
use super::located::{Node, Value};
use super::mistakes::Mistakes;
use crate::observable::{RsaKey, TokenForm, key_name};

const KEYS: &[&str] = &[
    "key",
    "key_not",
    "issuer",
    "issuer_not",
    "tenant",
    "tenant_not",
    "audience",
    "app",
    "version",
    "form",
    "issued",
    "issued_at",
    "signed_by",
    "except",
];

const FORMS: &[(&str, TokenForm)] = &[("jws", TokenForm::Jws), ("jwe", TokenForm::Jwe)];

/// What must hold of one token. A list that is empty asks for nothing; of any other, one value is enough.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenTest {
    /// Names of keys, as [`key_name`] spells them.
    pub keys: Vec<String>,
    /// Names that the key must not have.
    pub keys_not: Vec<String>,
    /// Issuers: URLs, or tenant ids that stand in them.
    pub issuers: Vec<String>,
    /// Issuers that it must not have.
    pub issuers_not: Vec<String>,
    /// Tenant ids.
    pub tenants: Vec<String>,
    /// Tenant ids that it must not have.
    pub tenants_not: Vec<String>,
    /// Audiences.
    pub audiences: Vec<String>,
    /// Application ids.
    pub apps: Vec<String>,
    /// Versions.
    pub versions: Vec<String>,
    /// Signed or encrypted.
    pub forms: Vec<TokenForm>,
    /// When it was issued.
    pub issued: Option<Issued>,
    /// The seconds since 1970 at which it was issued.
    pub issued_at: Vec<i64>,
    /// The key that its signature must verify with.
    pub signed_by: Option<RsaKey>,
    /// Tests of which none may hold of the same token.
    pub except: Vec<TokenTest>,
}

/// A time from one moment to before another, in seconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Issued {
    /// The first moment.
    pub from: Option<i64>,
    /// The first moment after it.
    pub before: Option<i64>,
}

impl TokenTest {
    /// Tells whether the test asks for something that a token must have, and not only for what it must not.
    pub(super) fn requires_something(&self) -> bool {
        let lists = [&self.keys, &self.issuers, &self.tenants, &self.audiences, &self.apps, &self.versions];
        lists.iter().any(|list| !list.is_empty())
            || !self.forms.is_empty()
            || self.issued.is_some()
            || !self.issued_at.is_empty()
            || self.signed_by.is_some()
    }
}

impl fmt::Display for TokenTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |values: &[String]| (!values.is_empty()).then(|| values.join(" or "));
        let time = |at: i64| Timestamp::from_second(at).map_or_else(|_| at.to_string(), |time| time.to_string());
        let forms = self.forms.iter().map(|form| match form {
            TokenForm::Jws => "jws".to_owned(),
            TokenForm::Jwe => "jwe".to_owned(),
        });
        let issued_at = self.issued_at.iter().map(|at| time(*at));
        let parts = [
            ("key is", list(&self.keys)),
            ("key is not", list(&self.keys_not)),
            ("issuer is", list(&self.issuers)),
            ("issuer is not", list(&self.issuers_not)),
            ("tenant is", list(&self.tenants)),
            ("tenant is not", list(&self.tenants_not)),
            ("audience is", list(&self.audiences)),
            ("app is", list(&self.apps)),
            ("version is", list(&self.versions)),
            ("form is", list(&forms.collect::<Vec<_>>())),
            ("issued from", self.issued.and_then(|issued| issued.from).map(time)),
            ("issued before", self.issued.and_then(|issued| issued.before).map(time)),
            ("issued at", list(&issued_at.collect::<Vec<_>>())),
            ("signed by", self.signed_by.as_ref().map(|key| format!("an RSA key of {} bits", key.bits()))),
            ("except", list(&self.except.iter().map(|test| format!("({test})")).collect::<Vec<_>>())),
        ];
        let told = parts.into_iter().filter_map(|(what, value)| value.map(|value| format!("{what} {value}")));
        f.write_str(&told.collect::<Vec<_>>().join(", "))
    }
}

/// Reads one test of a token or a list of them.
pub(super) fn read(node: &Node, mistakes: &mut Mistakes<'_>) -> Option<Expr> {
    tests(node, "token", mistakes).map(Expr::Token)
}

fn tests(node: &Node, what: &str, mistakes: &mut Mistakes<'_>) -> Option<Vec<TokenTest>> {
    let elements = fields::elements(node, what, mistakes);
    let tests: Vec<Option<TokenTest>> = elements.iter().map(|one| test(one, mistakes)).collect();
    tests.into_iter().collect::<Option<Vec<_>>>()
}

fn test(node: &Node, mistakes: &mut Mistakes<'_>) -> Option<TokenTest> {
    let fields = Fields::read(node, "a token", KEYS, mistakes)?;
    let keys = |key, mistakes: &mut Mistakes<'_>| {
        fields.texts(key, mistakes).iter().map(|text| key_name(text)).collect::<Vec<String>>()
    };
    let forms: Vec<Option<TokenForm>> = fields
        .get("form")
        .map(|node| fields::elements(node, "form", mistakes))
        .unwrap_or_default()
        .iter()
        .map(|one| fields::word(one, "form", FORMS, mistakes))
        .collect();
    let issued_at: Vec<Option<i64>> = fields
        .get("issued_at")
        .map(|node| fields::elements(node, "issued_at", mistakes))
        .unwrap_or_default()
        .iter()
        .map(|one| seconds(one, mistakes))
        .collect();
    let issued = fields.get("issued").map(|node| issued(node, mistakes));
    let signed_by = fields.get("signed_by").map(|node| signed_by(node, mistakes));
    let except = fields.get("except").map(|node| tests(node, "except", mistakes));
    Some(TokenTest {
        keys: keys("key", mistakes),
        keys_not: keys("key_not", mistakes),
        issuers: fields.texts("issuer", mistakes),
        issuers_not: fields.texts("issuer_not", mistakes),
        tenants: fields.texts("tenant", mistakes),
        tenants_not: fields.texts("tenant_not", mistakes),
        audiences: fields.texts("audience", mistakes),
        apps: fields.texts("app", mistakes),
        versions: fields.texts("version", mistakes),
        forms: forms.into_iter().collect::<Option<_>>()?,
        issued: issued.map_or(Some(None), |issued| issued.map(Some))?,
        issued_at: issued_at.into_iter().collect::<Option<_>>()?,
        signed_by: signed_by.map_or(Some(None), |key| key.map(Some))?,
        except: except.unwrap_or_else(|| Some(Vec::new()))?,
    })
}

fn seconds(node: &Node, mistakes: &mut Mistakes<'_>) -> Option<i64> {
    let text = fields::text(node, "issued_at", mistakes)?;
    let number = text.parse().ok();
    if number.is_none() {
        let help = "write the claim `iat` as the token has it; `issued` takes days and times";
        let problem = format!("`{text}` is no number of seconds");
        mistakes.add(node.at, VALUE, problem, "whole seconds since 1970, as in 1536274711", help);
    }
    number
}

fn issued(node: &Node, mistakes: &mut Mistakes<'_>) -> Option<Issued> {
    let fields = Fields::read(node, "`issued`", &["from", "before"], mistakes)?;
    let mut end = |key| match fields.get(key) {
        None => Some(None),
        Some(node) => moment(node, key, mistakes).map(Some),
    };
    let (from, before) = (end("from"), end("before"));
    let issued = Issued { from: from?, before: before? };
    match (issued.from, issued.before) {
        (None, None) => {
            let help = "add one of the two, or leave `issued` out";
            mistakes.add(node.at, EMPTY, "`issued` has neither end", "`from`, `before`, or both", help);
            None
        }
        (Some(from), Some(before)) if from >= before => {
            let problem = "`issued` ends before it begins, so no token was issued in it";
            mistakes.add(node.at, WINDOW, problem, "`from` earlier than `before`", "exchange the two");
            None
        }
        _ => Some(issued),
    }
}

/// Reads a UTC day, which stands for its first second, or a time of RFC 3339.
fn moment(node: &Node, what: &str, mistakes: &mut Mistakes<'_>) -> Option<i64> {
    let text = fields::text(node, what, mistakes)?;
    let is_day = text.len() == "2021-04-05".len();
    let day = || text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok().map(|day| day.timestamp());
    let time = if is_day { day() } else { text.parse::<Timestamp>().ok() };
    if time.is_none() {
        let help = "write year, month and day in UTC, or a time with its zone";
        let expected = "a day as in 2021-04-05, or a time as in 2021-04-05T14:43:35Z";
        mistakes.add(node.at, DATE, format!("`{text}` is no date"), expected, help);
    }
    time.map(Timestamp::as_second)
}

fn signed_by(node: &Node, mistakes: &mut Mistakes<'_>) -> Option<RsaKey> {
    if !matches!(node.value, Value::Mapping(_)) {
        let problem = format!("`signed_by` is {}", node.describe());
        let help = "write `n` and `e` as a JSON Web Key has them";
        mistakes.add(node.at, VALUE, problem, "a mapping with `n` and `e`", help);
        return None;
    }
    let fields = Fields::read(node, "`signed_by`", &["n", "e"], mistakes)?;
    let n = fields.required("n", "the modulus in base64url", mistakes);
    let n = n.and_then(|node| fields::text(node, "n", mistakes));
    let e = fields.required("e", "AQAB", mistakes).and_then(|node| fields::text(node, "e", mistakes));
    match RsaKey::new(n?, e?) {
        Ok(key) => Some(key),
        Err(problem) => {
            let expected = "`n` and `e` of an RSA key of 1024 to 8192 bits, in base64url";
            let problem = format!("no RSA key: {problem}");
            mistakes.add(node.at, VALUE, problem, expected, "copy both from the JSON Web Key or the certificate");
            None
        }
    }
}
