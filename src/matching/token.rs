//! Tests of JSON Web Tokens, and how a token is shown: by what it says of itself, never as it stands.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::observable::{FoundToken, Hiding, RsaKey, Token, tokens_in};
use crate::pack::TokenTest;
use crate::record::EventTime;
use crate::text::cut_around;

/// The most bytes of one claim in a summary.
const CLAIM_BYTES: usize = 200;
/// Bytes on both sides of a place that an excerpt is cut from.
const AROUND: usize = 1024;

/// The tests of tokens of a ruleset.
#[derive(Debug, Default)]
pub(super) struct TokenTable {
    leaves: Vec<TokenLeaf>,
    /// Each key that some test verifies with, once.
    keys: Vec<RsaKey>,
}

/// The tests of one leaf, of which one is enough.
#[derive(Debug)]
pub(super) struct TokenLeaf {
    /// The indicator's index.
    pub indicator: u32,
    /// The leaf of the indicator's test.
    pub leaf: u32,
    tests: Vec<TokenTest>,
}

/// A token that a leaf's test holds of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TokenHit {
    /// The leaf's index in the table.
    pub index: usize,
    /// The key that the test lists; none where it lists none of the token's.
    pub key: Option<String>,
    /// The token's SHA-256.
    pub sha256: String,
}

/// Signatures that were checked in one record: the readings of a field repeat its tokens.
#[derive(Default)]
pub(super) struct Checked(BTreeMap<(String, usize), bool>);

impl TokenTable {
    /// Adds a leaf.
    pub fn add(&mut self, indicator: u32, leaf: u32, tests: Vec<TokenTest>) {
        tests.iter().for_each(|test| self.add_keys(test));
        self.leaves.push(TokenLeaf { indicator, leaf, tests });
    }

    fn add_keys(&mut self, test: &TokenTest) {
        self.keys.extend(test.signed_by.iter().filter(|key| !self.keys.contains(key)).cloned().collect::<Vec<_>>());
        test.except.iter().for_each(|test| self.add_keys(test));
    }

    /// Tells whether no indicator asks for tokens.
    pub fn is_empty(&self) -> bool {
        self.leaves.is_empty()
    }

    /// Returns a leaf by its index.
    pub fn leaf(&self, index: usize) -> Option<&TokenLeaf> {
        self.leaves.get(index)
    }

    /// Calls `each` with every token of a text that some leaf's test holds of, once a leaf, and where it stands.
    pub fn search(&self, text: &[u8], checked: &mut Checked, each: &mut dyn FnMut(TokenHit, Range<usize>)) {
        tokens_in(text, &mut |found| {
            let mut one = OneToken { table: self, found: &found, sha256: found.sha256(), checked };
            for (index, leaf) in self.leaves.iter().enumerate() {
                if let Some(test) = leaf.tests.iter().find(|test| one.satisfies(test)) {
                    let key = test.keys.iter().find(|key| found.token.keys.contains(key)).cloned();
                    each(TokenHit { index, key, sha256: one.sha256.clone() }, found.range.clone());
                }
            }
        });
    }
}

struct OneToken<'o> {
    table: &'o TokenTable,
    found: &'o FoundToken<'o>,
    sha256: String,
    checked: &'o mut Checked,
}

impl OneToken<'_> {
    fn satisfies(&mut self, test: &TokenTest) -> bool {
        let token = &self.found.token;
        let asks = |list: &[String], is: &dyn Fn(&String) -> bool| list.is_empty() || list.iter().any(is);
        let same = |value: &Option<String>, wanted: &str| {
            value.as_ref().is_some_and(|value| value.eq_ignore_ascii_case(wanted.trim()))
        };
        let has_key = |key: &String| token.keys.contains(key);
        let has_issuer = |wanted: &String| is_issuer(token, wanted);
        let has_tenant = |wanted: &String| is_tenant(token, wanted);
        let has_audience = |wanted: &String| token.audiences.iter().any(|audience| is_same_address(audience, wanted));
        // A token without the time of its issue was issued when it began to be valid, as far as it tells.
        let issued_at = token.issued_at.or(token.not_before);
        asks(&test.keys, &has_key)
            && !test.keys_not.iter().any(has_key)
            && (test.forms.is_empty() || test.forms.contains(&token.form))
            && asks(&test.issuers, &has_issuer)
            && !test.issuers_not.iter().any(has_issuer)
            && asks(&test.tenants, &has_tenant)
            && !test.tenants_not.iter().any(has_tenant)
            && asks(&test.audiences, &has_audience)
            && asks(&test.apps, &|wanted| same(&token.app, wanted))
            && asks(&test.versions, &|wanted| same(&token.version, wanted))
            && test.issued.is_none_or(|issued| {
                issued_at.is_some_and(|at| {
                    issued.from.is_none_or(|from| at >= from) && issued.before.is_none_or(|end| at < end)
                })
            })
            && (test.issued_at.is_empty() || token.issued_at.is_some_and(|at| test.issued_at.contains(&at)))
            && test.signed_by.as_ref().is_none_or(|key| self.is_signed_by(key))
            && !test.except.iter().any(|except| self.satisfies(except))
    }

    fn is_signed_by(&mut self, key: &RsaKey) -> bool {
        let Some(index) = self.table.keys.iter().position(|known| known == key) else { return false };
        let found = self.found;
        *self.checked.0.entry((self.sha256.clone(), index)).or_insert_with(|| {
            let algorithm = found.token.algorithm.as_deref().unwrap_or_default();
            found.signed().is_some_and(|(message, signature)| key.verifies(algorithm, &message, &signature))
        })
    }
}

/// Tells whether a token's issuer is the listed URL, or names the listed tenant. The tenant stands in for an issuer that is
/// not there.
fn is_issuer(token: &Token, wanted: &str) -> bool {
    match &token.issuer {
        Some(issuer) if wanted.contains('/') => is_same_address(issuer, wanted),
        Some(issuer) => names_tenant(issuer, wanted),
        None => token.tenant.as_ref().is_some_and(|tenant| tenant.eq_ignore_ascii_case(wanted.trim())),
    }
}

/// Tells whether a token's tenant is the listed one. The tenant that the issuer names stands in for one that is not there.
fn is_tenant(token: &Token, wanted: &str) -> bool {
    match (&token.tenant, &token.issuer) {
        (Some(tenant), _) => tenant.trim().eq_ignore_ascii_case(wanted.trim()),
        (None, Some(issuer)) => names_tenant(issuer, wanted),
        (None, None) => false,
    }
}

fn names_tenant(issuer: &str, tenant: &str) -> bool {
    issuer.split('/').any(|part| part.trim().eq_ignore_ascii_case(tenant.trim()))
}

fn is_same_address(one: &str, other: &str) -> bool {
    one.trim().trim_end_matches('/').eq_ignore_ascii_case(other.trim().trim_end_matches('/'))
}

/// Tells what a token of a text says of itself, for people: never the token nor its signature.
pub(super) fn summary(text: &[u8], sha256: &str) -> String {
    let mut out = String::new();
    tokens_in(text, &mut |found| {
        // Several signatures in one object are several tokens.
        if !out.is_empty() && found.sha256() != sha256 {
            return;
        }
        let Token { algorithm, key_id, keys, key_url, issuer, tenant, audiences, app, .. } = &found.token;
        let time = |at: Option<i64>| at.and_then(EventTime::from_seconds).map(EventTime::to_text);
        let key = keys.first().filter(|_| key_id.is_none()).cloned();
        let audiences = (!audiences.is_empty()).then(|| audiences.join(","));
        let claims = [
            ("kid", key_id.clone()),
            ("key", key),
            ("alg", algorithm.clone()),
            ("jku", key_url.clone()),
            ("iss", issuer.clone()),
            ("tid", tenant.clone()),
            ("aud", audiences),
            ("appid", app.clone()),
            ("ver", found.token.version.clone()),
            ("iat", time(found.token.issued_at)),
            ("nbf", time(found.token.not_before)),
            ("exp", time(found.token.expires)),
            ("sha256", Some(sha256.to_owned())),
        ];
        let told = claims.into_iter().filter_map(|(name, value)| {
            value.map(|value| format!("{name}={}", cut_around(&without_tokens(&value), 0, CLAIM_BYTES)))
        });
        out = told.collect::<Vec<_>>().join(" ");
    });
    out
}

/// Returns a text with the tokens in it hidden.
pub(super) fn without_tokens(text: &str) -> String {
    Hiding::of(text.as_bytes()).shown(text.as_bytes(), 0..text.len())
}

/// Cuts at most `most` bytes around the byte `at` of a text, with its tokens hidden.
pub(super) fn excerpt(text: &[u8], hiding: &Hiding, at: usize, most: usize) -> String {
    let is_inside = |byte: &u8| byte & 0xc0 == 0x80;
    let mut from = at.saturating_sub(AROUND);
    while from < at && text.get(from).is_some_and(is_inside) {
        from += 1;
    }
    let mut to = (at + AROUND).min(text.len());
    while to > at && text.get(to).is_some_and(is_inside) {
        to -= 1;
    }
    let at = hiding.border_before(at).max(from);
    let mut out = hiding.shown(text, from..at);
    let length = out.len();
    out.push_str(&hiding.shown(text, at..to));
    cut_around(&out, length, most)
}
