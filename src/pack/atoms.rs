//! Lists of atoms under a key of `match`: addresses, domains, URLs, e-mail addresses, hashes, certificates and user agents,
//! with their windows.

use super::advisory::date;
use super::codes::{MISSING_KEY, VALUE, WINDOW};
use super::fields::{self, Fields};
use super::located::{Node, Value};
use super::mistakes::Mistakes;
use super::{Atom, Expr, Seen};
use crate::observable::{AtomKind, CertificatePart, HashKind, Observable};

/// The words of `algorithm`.
pub(super) const ALGORITHMS: &[(&str, HashKind)] = &[
    ("md5", HashKind::Md5),
    ("sha1", HashKind::Sha1),
    ("sha256", HashKind::Sha256),
    ("sha512", HashKind::Sha512),
    ("thumbprint", HashKind::Thumbprint),
];

/// Reads one atom or a list of them.
pub(super) fn read(node: &Node, what: &str, kind: AtomKind, mistakes: &mut Mistakes<'_>) -> Option<Expr> {
    let elements = fields::elements(node, what, mistakes);
    let atoms: Vec<Option<Atom>> = elements.iter().map(|one| atom(one, what, kind, mistakes)).collect();
    atoms.into_iter().collect::<Option<Vec<_>>>().map(Expr::Atoms)
}

/// The keys of a certificate.
const PARTS: [(&str, CertificatePart); 3] = [
    ("thumbprint", CertificatePart::Thumbprint),
    ("serial", CertificatePart::Serial),
    ("subject", CertificatePart::Subject),
];

/// Reads one certificate or a list of them. Each thing that is known of one is an atom of its own: one is enough.
pub(super) fn certificates(node: &Node, mistakes: &mut Mistakes<'_>) -> Option<Expr> {
    let elements = fields::elements(node, "certificate", mistakes);
    let atoms: Vec<Option<Vec<Atom>>> = elements.iter().map(|one| certificate(one, mistakes)).collect();
    let atoms = atoms.into_iter().collect::<Option<Vec<_>>>()?;
    Some(Expr::Atoms(atoms.into_iter().flatten().collect()))
}

fn certificate(node: &Node, mistakes: &mut Mistakes<'_>) -> Option<Vec<Atom>> {
    let part = |part, node: &Node, mistakes: &mut Mistakes<'_>| {
        observable(node, "certificate", AtomKind::Certificate(part), mistakes)
    };
    if !matches!(node.value, Value::Mapping(_)) {
        let observable = part(CertificatePart::Thumbprint, node, mistakes)?;
        return Some(vec![Atom { observable, seen: None }]);
    }
    let fields = Fields::read(node, "a certificate", &["thumbprint", "serial", "subject", "seen"], mistakes)?;
    let mut values = Vec::new();
    for (key, kind) in PARTS {
        let elements = fields.get(key).map(|node| fields::elements(node, key, mistakes));
        for one in elements.unwrap_or_default() {
            values.push(part(kind, one, mistakes));
        }
    }
    if PARTS.iter().all(|(key, _)| fields.get(key).is_none()) {
        let expected = "at least one of: thumbprint, serial, subject";
        mistakes.add(
            node.at,
            MISSING_KEY,
            "a certificate has nothing to tell it by",
            expected,
            "add `thumbprint: ...`",
        );
        return None;
    }
    let seen = fields.get("seen").map(|node| window(node, mistakes));
    let seen = seen.map_or(Some(None), |seen| seen.map(Some))?;
    let values = values.into_iter().collect::<Option<Vec<_>>>()?;
    Some(values.into_iter().map(|observable| Atom { observable, seen }).collect())
}

fn atom(node: &Node, what: &str, kind: AtomKind, mistakes: &mut Mistakes<'_>) -> Option<Atom> {
    if !matches!(node.value, Value::Mapping(_)) {
        return observable(node, what, kind, mistakes).map(|observable| Atom { observable, seen: None });
    }
    let known: &[&str] = match kind {
        AtomKind::Hash => &["value", "seen", "algorithm"],
        _ => &["value", "seen"],
    };
    let fields = Fields::read(node, "a value with its window", known, mistakes)?;
    let algorithm = fields.get("algorithm").filter(|_| kind == AtomKind::Hash);
    let algorithm = algorithm.map(|node| fields::word(node, "algorithm", ALGORITHMS, mistakes));
    let value = fields.required("value", "...", mistakes);
    let observable = match algorithm {
        // Without knowing the algorithm, the value cannot be judged.
        Some(None) => None,
        Some(Some(algorithm)) => value.and_then(|node| observable(node, what, AtomKind::HashOf(algorithm), mistakes)),
        None => value.and_then(|node| observable(node, what, kind, mistakes)),
    };
    let seen = fields.get("seen").map(|node| window(node, mistakes));
    Some(Atom { observable: observable?, seen: seen.map_or(Some(None), |seen| seen.map(Some))? })
}

fn observable(node: &Node, what: &str, kind: AtomKind, mistakes: &mut Mistakes<'_>) -> Option<Observable> {
    let text = fields::text(node, what, mistakes)?;
    match Observable::parse(kind, text) {
        Ok(observable) => Some(observable),
        Err(error) => {
            let help = match Observable::guess(text).map(|other| key_of(&other)) {
                Some("hash") if what == "hash" => "leave `algorithm` out, or name the one of this length".to_owned(),
                Some(other) if other != what => format!("it looks like a value for `{other}`"),
                _ => "correct the value; use `text` for what is none of the typed kinds".to_owned(),
            };
            mistakes.add(node.at, VALUE, error.problem, error.expected, help);
            None
        }
    }
}

/// Returns the key of `match` under which a value belongs.
pub(super) fn key_of(observable: &Observable) -> &'static str {
    match observable {
        Observable::Ip(_) => "ip",
        Observable::Domain(_) => "domain",
        Observable::Url(_) => "url",
        Observable::Email(_) => "email",
        Observable::Hash(..) => "hash",
        Observable::Certificate(_) => "certificate",
        Observable::UserAgent(_) => "user_agent",
    }
}

fn window(node: &Node, mistakes: &mut Mistakes<'_>) -> Option<Seen> {
    let expected = "the first and the last day, as in [2023-05-15, 2023-06-25]";
    let Value::List(days) = &node.value else {
        let problem = format!("`seen` is {}", node.describe());
        mistakes.add(node.at, WINDOW, problem, expected, "write both days; they may be the same");
        return None;
    };
    let [first, last] = days.as_slice() else {
        let problem = format!("`seen` lists {} where two days are needed", days.len());
        mistakes.add(node.at, WINDOW, problem, expected, "write both days; they may be the same");
        return None;
    };
    let (from, to) = (date(first, "seen", mistakes), date(last, "seen", mistakes));
    let (from, to) = (from?, to?);
    if from > to {
        let problem = format!("`seen` ends on {to}, before it begins on {from}");
        mistakes.add(first.at, WINDOW, problem, expected, "exchange the two days");
        return None;
    }
    Some(Seen { first: from, last: to })
}
