//! A table holds what was put into it, once, and finds it in any letter case.

use proptest::prelude::*;

use super::borrowed::{MOST_DIGEST_BYTES, ObservableRef};
use super::*;
use crate::observable::{AtomKind, CertificatePart, Observable};

fn add(table: &mut ObservableTable, observable: &Observable) -> Added {
    table.add(ObservableRef::new(observable, &mut [0; MOST_DIGEST_BYTES])).unwrap()
}

fn parse(kind: AtomKind, text: &str) -> Observable {
    Observable::parse(kind, text).unwrap()
}

#[test]
fn a_value_takes_eight_bytes() {
    assert_eq!(std::mem::size_of::<values::Slot>(), 8);
}

#[test]
fn names_and_digests_are_found_in_any_case_and_near_misses_are_not() {
    let mut table = ObservableTable::default();
    let name = add(&mut table, &parse(AtomKind::Domain, "bücher-xy.evil.example")).id;
    let email = add(&mut table, &parse(AtomKind::Email, "bob+x@evil.example")).id;
    let digits = "d4b4cccda9228624656bff33d8110955779632aa";
    let sha1 = add(&mut table, &Observable::Hash(HashKind::Sha1, digits.into())).id;
    let thumbprint = add(&mut table, &Observable::Hash(HashKind::Thumbprint, digits.into())).id;
    assert_eq!(table.find_domain(b"XN--Bcher-XY-65A.Evil.Example"), Some(name));
    assert_eq!(table.find_email(b"BOB+X@EVIL.EXAMPLE"), Some(email));
    for not in ["xn--bcher-xy-65a.evil.exampl", "xn--bcher-xy-65a.evil.example.", "", "xn--bcher\rxy-65a.evil.example"]
    {
        assert_eq!(table.find_domain(not.as_bytes()), None, "{not}");
    }
    assert_eq!(table.find_domain(b"bob+x@evil.example"), None);
    let mut bytes = [0; MOST_DIGEST_BYTES];
    let pairs = "D4:B4-CC CD:A9:22:86:24:65:6B:FF:33:D8:11:09:55:77:96:32:AA";
    let digest = borrowed::from_hex(pairs.as_bytes(), &mut bytes).unwrap();
    assert_eq!(table.find_digest(HashKind::Sha1, digest), Some(sha1));
    assert_eq!(table.find_digest(HashKind::Thumbprint, digest), Some(thumbprint));
    assert_eq!(table.find_digest(HashKind::Md5, digest.get(..16).unwrap()), None);
}

#[test]
fn every_url_of_a_host_is_met_once() {
    let mut table = ObservableTable::default();
    for path in ["a", "b", "a", "c?d=e"] {
        add(&mut table, &parse(AtomKind::Url, &format!("http://evil.example/{path}")));
    }
    add(&mut table, &parse(AtomKind::Url, "http://evil.example:8080/a"));
    add(&mut table, &parse(AtomKind::Url, "http://other.example/a"));
    let mut met = Vec::new();
    table.urls_of(b"EVIL.example", &mut |_, url| met.push(url.to_pattern().value()));
    met.sort();
    assert_eq!(met, ["evil.example/a", "evil.example/b", "evil.example/c?d=e", "evil.example:8080/a"]);
    assert!(table.has_url_host(b"other.example") && !table.has_url_host(b"r.example"));
}

#[test]
fn digits_are_bytes_with_or_without_what_parts_them() {
    let read = |text: &str| borrowed::from_hex(text.as_bytes(), &mut [0; MOST_DIGEST_BYTES]).map(<[u8]>::to_vec);
    assert_eq!(read("00fFA9"), Some(vec![0, 255, 0xa9]));
    for parted in ["00:fF:A9", "00-fF-A9", "00 fF A9"] {
        assert_eq!(read(parted), Some(vec![0, 255, 0xa9]));
    }
    assert_eq!(read(&"ab".repeat(64)), Some(vec![0xab; 64]));
    for not in ["0", "00f", "0g", "g0", "00.ff", "00-f", &"ab".repeat(65)] {
        assert_eq!(read(not), None, "{not}");
    }
}

fn observables() -> impl Strategy<Value = Observable> {
    let parsed = |kind| move |text: String| Observable::parse(kind, &text).ok();
    prop_oneof![
        any::<u16>().prop_map(|n| parse(AtomKind::Ip, &format!("10.0.{}.{}", n >> 8, n & 255))),
        any::<u16>().prop_map(|n| parse(AtomKind::Ip, &format!("2001:db8::{n:x}"))),
        (any::<u16>(), 0..=32_u8).prop_map(|(n, p)| parse(AtomKind::Ip, &format!("10.{}.{}.0/{p}", n >> 8, n & 255))),
        "[a-zé]{1,3}\\.[a-z]{2}".prop_filter_map("no domain", parsed(AtomKind::Domain)),
        "[a-z+]{1,3}@[a-z]{1,3}\\.[a-z]{2}".prop_filter_map("no address", parsed(AtomKind::Email)),
        "http://[ab]\\.example(:[1-9])?(/[a-c]{0,2}){0,2}".prop_filter_map("no URL", parsed(AtomKind::Url)),
        "[01]{32}|[ab]{40}".prop_filter_map("no hash", parsed(AtomKind::Hash)),
        "[ab]{40}".prop_filter_map("no hash", parsed(AtomKind::HashOf(HashKind::Thumbprint))),
        "[ab]{40}".prop_filter_map("no thumbprint", parsed(AtomKind::Certificate(CertificatePart::Thumbprint))),
        "bot/[0-9]".prop_filter_map("no user agent", parsed(AtomKind::UserAgent)),
    ]
}

proptest! {
    #[test]
    fn a_table_is_the_list_of_its_values_each_once(list in prop::collection::vec(observables(), 0..200)) {
        let mut table = ObservableTable::default();
        let mut expected: Vec<Observable> = Vec::new();
        for observable in &list {
            let added = add(&mut table, observable);
            prop_assert_eq!(added.is_new, !expected.contains(observable));
            if added.is_new {
                expected.push(observable.clone());
            }
            prop_assert_eq!(&expected[usize::try_from(added.id).unwrap()], observable);
        }
        prop_assert_eq!(table.iter().map(ObservableRef::to_observable).collect::<Vec<_>>(), expected.clone());
        for (value, observable) in table.iter().zip(&expected) {
            prop_assert_eq!((value.kind(), value.value()), (observable.kind(), observable.value()));
        }
        let counts = table.counts();
        let sum = counts.v4 + counts.v6 + counts.ranges + counts.domains + counts.emails + counts.hashes + counts.urls;
        prop_assert_eq!(sum + counts.others, expected.len());
        for (id, observable) in (0..).zip(&expected) {
            let found = match observable {
                Observable::Domain(name) => table.find_domain(name.to_uppercase().as_bytes()),
                Observable::Email(address) => table.find_email(address.to_uppercase().as_bytes()),
                _ => Some(id),
            };
            prop_assert_eq!(found, Some(id));
        }
    }
}

#[test]
fn batches_and_expected_numbers_make_the_same_table() {
    let name = |number: u32| format!("n{}.example", number % 3_000);
    let (mut single, mut batched, mut batch) =
        (ObservableTable::default(), ObservableTable::default(), Batch::default());
    let (mut added_single, mut added_batched) = (Vec::new(), Vec::new());
    for number in 0..9_000 {
        let name = name(number);
        let value = if number % 2 == 0 { ObservableRef::Domain(&name) } else { ObservableRef::V4(number) };
        added_single.push(single.add(value));
        batch.put(&batched, value).unwrap();
        if batch.is_full() || number == 8_999 {
            batched.add_batch(&batch, &mut |added| added_batched.push(added));
            batch.clear();
        }
        if number == 1_000 {
            batched.expect(1, 3);
        }
    }
    assert_eq!(added_batched, added_single);
    assert_eq!(batched, single);
    assert_eq!(batched.counts(), single.counts());
    for number in 0..9_000 {
        assert_eq!(batched.find_v4(number).is_some(), number % 2 == 1);
        let id = batched.find_domain(name(number).as_bytes());
        let value = id.and_then(|id| batched.get(id));
        assert_eq!(value.map(ObservableRef::value), (number % 2 == 0).then(|| name(number)));
    }
}
