//! What is listed is found in every spelling that its token may have, and by its own atom.

use super::*;
use crate::observable::{AtomKind, CertificatePart};

const SHA1: &str = "d4b4cccda9228624656bff33d8110955779632aa";

/// Makes a table of these values, each with the number of its place as its leaf.
fn table(values: &[(AtomKind, &str)]) -> AtomTable {
    let mut table = AtomTable::default();
    for (leaf, (kind, value)) in (0..).zip(values) {
        assert_eq!(table.add(0, leaf, &Observable::parse(*kind, value).unwrap(), None), Ok(leaf));
    }
    table
}

/// Returns the leaves of the atoms that a token is, in order.
fn found(table: &AtomTable, token: Token<'_>) -> Vec<u32> {
    let mut leaves = Vec::new();
    table.look_up(b"", &token, 0..0, &mut |id, _| leaves.push(table.entry(id).unwrap().leaf));
    leaves.sort_unstable();
    leaves
}

/// The bytes of [`SHA1`].
const DIGEST: &str =
    "Hash([212, 180, 204, 205, 169, 34, 134, 36, 101, 107, 255, 51, 216, 17, 9, 85, 119, 150, 50, 170])";

#[test]
fn every_key_is_told_and_equal_values_are_told_apart_by_their_atoms() {
    let table = table(&[
        (AtomKind::Ip, "192.0.2.1"),
        (AtomKind::Ip, "192.0.2.0/24"),
        (AtomKind::Ip, "2001:db8::1"),
        (AtomKind::Ip, "2001:db8::/64"),
        (AtomKind::Domain, "Evil.Example"),
        (AtomKind::Email, "Bob@evil.example"),
        (AtomKind::Url, "http://evil.example/a"),
        (AtomKind::Ip, "192.0.2.1"),
        (AtomKind::Domain, "*.wild.example"),
        (AtomKind::HashOf(HashKind::Sha1), SHA1),
        (AtomKind::Certificate(CertificatePart::Thumbprint), SHA1),
        (AtomKind::UserAgent, "curl/7.88.1"),
    ]);
    let mut keys = Vec::new();
    table.each_key(&mut |key| keys.push(format!("{key:?}")));
    let expected = [
        "V4(3221225985)",
        "V4Range(192.0.2.0/24)",
        "V6(42540766411282592856903984951653826561)",
        "V6Range(2001:db8::/64)",
        "Name(\"evil.example\")",
        "Email(\"bob@evil.example\")",
        "UrlHost(\"evil.example\")",
        "Name(\"wild.example\")",
        DIGEST,
        DIGEST,
    ];
    assert_eq!(keys, expected);
    let found = |token| found(&table, token);
    assert_eq!(found(Token::Address([192, 0, 2, 1].into())), [0, 1, 7]);
    assert_eq!(found(Token::Address([192, 0, 3, 1].into())), [0_u32; 0]);
    assert_eq!(found(Token::Name(b"A.EVIL.example")), [4]);
    assert_eq!(found(Token::Name(b"notevil.example")), [0_u32; 0]);
    assert_eq!(found(Token::Email(b"BOB", b"evil.example")), [5]);
    assert_eq!(found(Token::Email(b"bobb", b"evil.example")), [0_u32; 0]);
    assert!(table.is_url_host(&Token::Name(b"evil.EXAMPLE")) && !table.is_url_host(&Token::Name(b"a.evil.example")));
}

#[test]
fn a_wildcard_is_found_below_its_name_and_beside_it() {
    let table = table(&[
        (AtomKind::Domain, "*.evil.example"),
        (AtomKind::Domain, "evil.example"),
        (AtomKind::Domain, "*.onion"),
        (AtomKind::Domain, "*.a.evil.example"),
    ]);
    let found = |name: &str| found(&table, Token::Name(name.as_bytes()));
    assert_eq!(found("evil.example"), [1]);
    assert_eq!(found("A.Evil.Example"), [0, 1]);
    assert_eq!(found("b.a.evil.example"), [0, 1, 3]);
    assert_eq!(found("abc.ONION"), [2]);
    for not in ["onion", "notevil.example", "evil.example.net", "*.evil.exampl"] {
        assert_eq!(found(not), [0_u32; 0], "{not}");
    }
}

#[test]
fn names_beyond_ascii_are_compared_in_ascii() {
    let table = table(&[
        (AtomKind::Domain, "münchen.example"),
        (AtomKind::Email, "bob@münchen.example"),
        (AtomKind::Url, "http://münchen.example/"),
        (AtomKind::Domain, "*.bücher.example"),
    ]);
    for name in ["MÜNCHEN.example", "xn--Mnchen-3ya.example", "a.münchen。example"] {
        assert_eq!(found(&table, Token::Name(name.as_bytes())).first(), Some(&0), "{name}");
    }
    assert_eq!(found(&table, Token::Name(b"x.m\xfcnchen.example")), [0]);
    assert_eq!(found(&table, Token::Name("a.BÜCHER.example".as_bytes())), [3]);
    assert_eq!(found(&table, Token::Email(b"BOB", "MÜNCHEN.example".as_bytes())), [1]);
    assert_eq!(found(&table, Token::Email(b"Bob", b"xn--mnchen-3ya.example")), [1]);
    assert!(table.is_url_host(&Token::Name("MÜNCHEN.example".as_bytes())));
    for not in ["munchen.example", "münchen.examples", "bücher.example"] {
        assert_eq!(found(&table, Token::Name(not.as_bytes())), [0_u32; 0], "{not}");
    }
}

#[test]
fn digits_are_every_digest_that_they_may_be() {
    let sha256 = "ab".repeat(32);
    let table = table(&[
        (AtomKind::HashOf(HashKind::Sha1), SHA1),
        (AtomKind::HashOf(HashKind::Thumbprint), SHA1),
        (AtomKind::Certificate(CertificatePart::Thumbprint), SHA1),
        (AtomKind::Certificate(CertificatePart::Thumbprint), &sha256),
        (AtomKind::Certificate(CertificatePart::Thumbprint), SHA1),
    ]);
    let pairs = |digits: &str, gap: &str| {
        let pairs: Vec<String> = digits.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).into()).collect();
        pairs.join(gap).to_uppercase()
    };
    for gap in ["", ":", "-", " "] {
        assert_eq!(found(&table, Token::Hex(pairs(SHA1, gap).as_bytes())), [0, 1, 2, 4], "`{gap}`");
        assert_eq!(found(&table, Token::Hex(pairs(&sha256, gap).as_bytes())), [3], "`{gap}`");
    }
    for not in [SHA1.get(2..).unwrap(), sha256.get(..40).unwrap(), ""] {
        assert_eq!(found(&table, Token::Hex(not.as_bytes())), [0_u32; 0], "{not}");
    }
    let mut digests = Vec::new();
    for kind in [HashKind::Sha1, HashKind::Sha256] {
        table.look_up_digest(kind, if kind == HashKind::Sha1 { SHA1 } else { &sha256 }, &mut |id| digests.push(id));
    }
    assert_eq!(digests, [0], "a certificate is no file");
    assert!(table.shapes().hex && table.has_hash(HashKind::Sha1) && !table.has_hash(HashKind::Sha256));
}

#[test]
fn the_longest_names_are_found_and_longer_ones_only_by_what_they_end_in() {
    let long = format!("{}{}.example", "a.".repeat(122), "b");
    assert_eq!(long.len(), NAME_BYTES);
    let wildcard = format!("*.{long}");
    let table = table(&[(AtomKind::Domain, &long), (AtomKind::Domain, &wildcard)]);
    let found = |name: &str| found(&table, Token::Name(name.as_bytes()));
    assert_eq!(found(&long), [0]);
    assert_eq!(found(&format!("c.{long}")), [0, 1]);
    assert_eq!(found(&format!("{}{long}", "c.".repeat(100_000))), [0, 1]);
    assert_eq!(found(&format!("c{long}")), [0_u32; 0]);
}

#[test]
fn a_zone_belongs_to_the_host_before_it() {
    let table = table(&[(AtomKind::Url, "http://[fe80::1]:8080/a")]);
    let covered = |text: &str| {
        let mut all = Vec::new();
        let host = Token::Address("fe80::1".parse().unwrap());
        let start = text.find("fe80").unwrap();
        table.look_up(text.as_bytes(), &host, start..start + 7, &mut |_, range| all.push(text[range].to_owned()));
        all
    };
    assert_eq!(covered("http://[fe80::1]:8080/a/b"), ["fe80::1]:8080/a"]);
    assert_eq!(covered("http://[fe80::1%25eth0]:8080/a"), ["fe80::1%25eth0]:8080/a"]);
    assert_eq!(covered("http://[fe80::1%25eth0]:8081/a"), [""; 0]);
}

#[test]
fn a_whole_list_stands_among_other_atoms_in_its_place() {
    let observables = [(AtomKind::Ip, "192.0.2.1"), (AtomKind::Domain, "evil.example"), (AtomKind::Ip, "192.0.2.0/24")];
    let parse = |(kind, text): (AtomKind, &str)| Observable::parse(kind, text).unwrap();
    let mut values = ObservableTable::default();
    for observable in observables {
        values.add(ObservableRef::new(&parse(observable), &mut [0; size_of::<DigestBytes>()])).unwrap();
    }
    let mut table = AtomTable::starting_from(values);
    let other = parse((AtomKind::Domain, "other.example"));
    assert_eq!(table.add(0, 0, &parse(observables[1]), None), Ok(0));
    assert_eq!(table.add(0, 1, &other, None), Ok(1));
    assert_eq!(table.add_whole(7, 10), Ok(2..5));
    assert_eq!(table.add(20, 30, &parse(observables[1]), None), Ok(5));
    assert_eq!(table.add(20, 31, &other, None), Ok(6));
    assert_eq!((table.len(), table.iter().count()), (7, 7));
    let entries: Vec<_> = table.iter().map(|(entry, value)| (entry.indicator, entry.leaf, value.value())).collect();
    let [address, name, range, other] =
        ["192.0.2.1", "evil.example", "192.0.2.0/24", "other.example"].map(str::to_owned);
    let expected = [
        (0, 0, name.clone()),
        (0, 1, other.clone()),
        (7, 10, address),
        (8, 11, name.clone()),
        (9, 12, range),
        (20, 30, name),
        (20, 31, other),
    ];
    assert_eq!(entries, expected);
    let atoms = |token: Token<'_>| {
        let mut atoms = Vec::new();
        table.look_up(b"", &token, 0..0, &mut |id, _| atoms.push(id));
        atoms
    };
    assert_eq!(atoms(Token::Name(b"evil.example")), [5, 3, 0], "the last one first");
    assert_eq!(atoms(Token::Name(b"other.example")), [6, 1]);
    assert_eq!(atoms(Token::Address([192, 0, 2, 1].into())), [2, 4]);
    assert_eq!(table.add_whole(u32::MAX - 1, 0), Err(TableFull));
}
