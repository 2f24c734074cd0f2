//! JSON Web Tokens in everything that carries them, graded by the built-in pack, and never printed whole.

#![expect(clippy::string_slice, reason = "a test says what is wrong by panicking")]

use std::fmt::Write as _;
use std::io::Write;

use serde_json::{Value, json};
use stormglass::budget::Limits;
use stormglass::pack::{BUILTIN, load};
use stormglass::report::{CoverageDetail, Style, renderer};
use stormglass::scan::{Digest, Plan, Ruleset, Watch, evidence_of, scan};

use super::{pack, sightings, zip_of};

const STOLEN: &str = "1LTMzakihiRla_8z2BEJVXeWMqo";
const CONSUMER: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
const TENANT: &str = "11111111-2222-3333-4444-555555555555";
/// 2021-04-05T00:00:00Z
const FIRST_DAY: i64 = 1_617_580_800;

fn base64(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().chain(&[0, 0]).take(3).fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        for place in 0..=chunk.len() {
            out.push(char::from(alphabet[bits >> (18 - 6 * place) & 63]));
        }
    }
    out
}

pub(super) fn url_safe(bytes: &[u8]) -> String {
    base64(bytes, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
}

pub(super) fn standard(bytes: &[u8]) -> String {
    let mut out = base64(bytes, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    out.push_str(&"=".repeat((4 - out.len() % 4) % 4));
    out
}

/// A signature as long as that of a key of 2,048 bits, and of no pattern.
pub(super) fn signature() -> String {
    let bytes: Vec<u8> = (0_u32..256).map(|n| (n * n * 7 + n * 13 + 5).to_le_bytes()[0] ^ 0x5a).collect();
    url_safe(&bytes)
}

pub(super) fn jws(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| url_safe(value.to_string().as_bytes());
    format!("{}.{}.{}", part(header), part(claims), signature())
}

pub(super) fn header(kid: &str) -> Value {
    json!({"typ": "JWT", "alg": "RS256", "kid": kid})
}

pub(super) fn claims(tenant: &str, issued_at: i64) -> Value {
    json!({
        "aud": "https://outlook.office365.com", "iss": format!("https://sts.windows.net/{tenant}/"),
        "iat": issued_at, "nbf": issued_at, "exp": issued_at + 3900,
        "appid": "aaaaaaaa-0000-4000-8000-000000000001", "tid": tenant, "upn": "user1@contoso.example", "ver": "1.0",
    })
}

pub(super) fn forged() -> String {
    jws(&header(STOLEN), &claims(TENANT, 1_686_107_564))
}

pub(super) fn builtin() -> &'static str {
    BUILTIN[0].text
}

pub(super) fn grades(evidence: impl AsRef<[u8]>) -> Vec<String> {
    let told = |s: &Value| format!("{} {}", s["severity"].as_str().unwrap(), s["indicator"].as_str().unwrap());
    sightings(builtin(), evidence).iter().map(told).collect()
}

/// The whole report in both formats.
pub(super) fn printed(packs: &[&str], evidence: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("evidence");
    std::fs::write(&path, evidence).unwrap();
    let packs = packs.iter().map(|pack| load("pack", pack.as_bytes()).unwrap()).collect();
    let ruleset = Ruleset::compile(packs).unwrap();
    let mut out = Vec::new();
    for format in ["jsonl", "text"] {
        let plan =
            Plan { paths: vec![path.clone()], limits: Limits::default(), threads: Some(1), digest: Digest::Computed };
        let (items, _) = evidence_of(&plan).unwrap();
        let report = scan(&plan, items, &ruleset, &Watch::default()).unwrap();
        let style = Style { coverage: CoverageDetail::All, ..Style::default() };
        renderer(format).unwrap().render(&report, style, &mut out).unwrap();
    }
    String::from_utf8(out).unwrap()
}

/// Pieces of a signature that no report may hold, as they are and in base64 once more.
pub(super) fn secrets() -> Vec<String> {
    let signature = signature();
    let mut pieces: Vec<String> =
        (0..signature.len() - 24).step_by(6).map(|at| signature[at..at + 24].to_owned()).collect();
    for before in ["", "x", "xx"] {
        let encoded = standard(format!("{before}{signature}").as_bytes());
        pieces.extend((8..encoded.len() - 40).step_by(16).map(|at| encoded[at..at + 24].to_owned()));
    }
    pieces
}

fn quoted_printable(text: &str) -> String {
    let text = text.replace('=', "=3D");
    let lines: Vec<&str> = (0..text.len()).step_by(70).map(|at| &text[at..text.len().min(at + 70)]).collect();
    lines.join("=\r\n")
}

fn folded(text: &str, width: usize, line_end: &str) -> String {
    let lines: Vec<&str> = (0..text.len()).step_by(width).map(|at| &text[at..text.len().min(at + width)]).collect();
    lines.join(line_end)
}

fn mail(fields: &str, body: &str) -> String {
    format!(
        "From: a@b.example\r\nTo: c@d.example\r\nSubject: x\r\nDate: Wed, 07 Jun 2023 10:00:00 +0000\r\n\
         Message-ID: <1@b.example>\r\nMIME-Version: 1.0\r\n{fields}\r\n\r\n{body}\r\n"
    )
}

/// Everything that carries a token, by name. An address of the built-in pack stands beside it.
fn carriers(token: &str) -> Vec<(&'static str, Vec<u8>)> {
    let address = "195.26.87.219";
    let plain = "Content-Type: text/plain; charset=utf-8";
    let encoded = |encoding: &str| format!("{plain}\r\nContent-Transfer-Encoding: {encoding}");
    let percent = token.replace('.', "%2E").replace('-', "%2D").replace('_', "%5F");
    let har = json!({"log": {"entries": [{"request": {
        "url": format!("https://a.example/#id_token={token}"),
        "headers": [{"name": "Authorization", "value": format!("Bearer {token}")}],
        "cookies": [{"name": "session", "value": token}],
        "postData": {"text": format!("access_token={percent}&a=b")},
    }, "serverIPAddress": address}]}});
    let inner = json!({"token": token}).to_string();
    let list = [
        ("alone", token.to_owned()),
        ("log", format!("{address} GET /x Authorization: Bearer {token} 200")),
        ("percent", format!("{address} GET /?access_token={percent}&x=1")),
        ("json", json!({"ClientIP": address, "token": token}).to_string()),
        ("json in json", json!({"ClientIP": address, "a": json!({"b": inner}).to_string()}).to_string()),
        ("json escapes", format!("{{\"ClientIP\":\"{address}\",\"t\":\"{}\"}}", token.replace('.', "\\u002e"))),
        ("har", har.to_string()),
        ("csv", format!("CreationDate,AuditData\n2023-06-01,\"{}\"\n", inner.replace('"', "\"\""))),
        (
            "w3c",
            format!(
                "#Version: 1.0\n#Fields: date time c-ip cs-uri-query cs(Cookie)\n2023-06-07 01:02:03 {address} id_token={percent} a=1;+s={token};+b=2\n"
            ),
        ),
        ("script", format!("$token = \"{token}\"\n# {address}\n")),
        ("markup", mail("Content-Type: text/html", &format!("<p>{address} {}</p>", token.replace('.', "&#x2e;")))),
        (
            "quoted-printable",
            mail(&encoded("quoted-printable"), &quoted_printable(&format!("{address} token={token} end"))),
        ),
        (
            "base64 part",
            mail(&encoded("base64"), &folded(&standard(format!("{address} t: {token} e").as_bytes()), 76, "\r\n")),
        ),
        ("wrapped at 76", mail(plain, &format!("{address}, see\r\n{}\r\nThanks\r\nUser", folded(token, 76, "\r\n")))),
        ("wrapped at 78", mail(plain, &format!("{address}, see\r\n{}\r\nThanks\r\nUser", folded(token, 78, "\r\n")))),
        ("folded field", mail(&format!("X-Token: {}\r\n{plain}", folded(token, 70, "\r\n ")), address)),
        ("folded far", mail(&format!("X-Token:\r\n\t{}\r\n{plain}", folded(token, 70, "\r\n\t")), address)),
    ];
    let utf16: Vec<u8> = format!("\u{feff}{address} {token}\r\n").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let zip = zip_of("a.log", format!("{address} {token}\n").as_bytes());
    list.into_iter().map(|(name, text)| (name, text.into_bytes())).chain([("utf-16", utf16), ("zip", zip)]).collect()
}

#[test]
fn a_token_is_found_in_everything_that_carries_it() {
    let token = forged();
    let expected: Vec<Value> = sightings(builtin(), &token);
    let expected = &expected[0]["matched"];
    for (name, evidence) in carriers(&token) {
        let found: Vec<Value> = sightings(builtin(), &evidence);
        let tokens: Vec<&Value> = found.iter().filter(|s| s["observable"]["type"] == "token").collect();
        assert_eq!(tokens.len(), 1, "{name}: {found:?}");
        assert_eq!((&tokens[0]["severity"], &tokens[0]["matched"]), (&"critical".into(), expected), "{name}");
        // The key is not reported a second time as a text.
        let others: Vec<&Value> = found.iter().filter(|s| s["observable"]["type"] != "token").collect();
        assert!(others.iter().all(|s| s["observable"]["type"] == "ip"), "{name}: {others:?}");
        // The near miss: one character of the key's id is another.
        let near = jws(&header("1LTMzakihiRla_8z2BEJVXeWMqp"), &claims(TENANT, 1_686_107_564));
        let (_, evidence) = carriers(&near).into_iter().find(|(other, _)| *other == name).unwrap();
        let found = sightings(builtin(), &evidence);
        assert!(found.iter().all(|s| s["observable"]["type"] == "ip"), "{name}: {found:?}");
    }
}

#[test]
fn a_sighting_tells_what_the_token_says() {
    let found = sightings(builtin(), format!("x {}\ny {}\n", forged(), forged()));
    assert_eq!(found.len(), 2);
    let matched = found[0]["matched"].as_str().unwrap();
    let told = "kid=1LTMzakihiRla_8z2BEJVXeWMqo alg=RS256 \
                iss=https://sts.windows.net/11111111-2222-3333-4444-555555555555/ tid=11111111-2222-3333-4444-555555555555 \
                aud=https://outlook.office365.com appid=aaaaaaaa-0000-4000-8000-000000000001 ver=1.0 \
                iat=2023-06-07T03:12:44Z nbf=2023-06-07T03:12:44Z exp=2023-06-07T04:17:44Z sha256=";
    assert!(matched.starts_with(told) && matched.len() == told.len() + 64, "{matched}");
    assert_eq!(found[0]["observable"], json!({"type": "token", "value": STOLEN}));
    assert_eq!((&found[1]["line"], &found[1]["occurrences"]), (&2.into(), &1.into()));
    // Two tokens of one key are two, and one token twice is one.
    let other = jws(&header(STOLEN), &claims(TENANT, 1_686_107_565));
    let counts = |evidence: String| {
        sightings(builtin(), evidence).iter().map(|s| s["occurrences"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(counts(format!("{} {other}\n", forged())), [1, 1]);
    assert_eq!(counts(format!("{} {}\n", forged(), forged())), [2]);
}

#[test]
fn one_token_has_one_grade() {
    let v2 = |tenant: &str, issued_at: i64| {
        let mut claims = claims(tenant, issued_at);
        claims["iss"] = format!("https://login.microsoftonline.com/{tenant}/v2.0").into();
        claims["ver"] = "2.0".into();
        claims
    };
    let with = |mut claims: Value, changes: &[(&str, Value)]| {
        for (name, value) in changes {
            match value {
                Value::Null => drop(claims.as_object_mut().unwrap().remove(*name)),
                value => claims[*name] = value.clone(),
            }
        }
        claims
    };
    let sample =
        |tenant: &str| with(v2(tenant, 1_536_274_711), &[("aud", "6cb04018-a3f5-46a7-b995-940c78f5aef3".into())]);
    let consumer_url = format!("https://login.microsoftonline.com/{CONSUMER}/v2.0");
    let other = header("xP_zn6I1YkXcUUmlBoPuXTGsaxk");
    let critical = "critical storm-0558-forged-token";
    let foreign = "high storm-0558-consumer-key-token";
    let late = "high storm-0558-key-after-certificate";
    let early = "medium storm-0558-consumer-era-token";
    let made_up = "info storm-0558-sample-token";
    let thumbprint = json!({"alg": "RS256", "x5t": STOLEN, "kid": "other"});
    let hexadecimal = json!({"alg": "RS256", "kid": "D4B4CCCDA9228624656BFF33D8110955779632AA"});
    let table = [
        (header(STOLEN), claims(TENANT, 1_686_107_564), critical),
        (header(STOLEN), v2(TENANT, 1_469_765_135), critical),
        (thumbprint, v2(TENANT, 1_686_107_564), critical),
        (hexadecimal, v2(TENANT, 1_686_107_564), critical),
        (header(STOLEN), with(v2(TENANT, 1), &[("iss", consumer_url.clone().into())]), critical),
        (header(STOLEN), with(v2(TENANT, 1), &[("tid", CONSUMER.into())]), critical),
        (header(STOLEN), with(v2(TENANT, 1), &[("tid", Value::Null)]), critical),
        (header(STOLEN), with(v2(TENANT, 1), &[("iss", Value::Null)]), critical),
        (header(STOLEN), json!({"aud": "a"}), critical),
        (header(STOLEN), with(sample(TENANT), &[("iat", 1_536_274_712.into())]), critical),
        (header(STOLEN), v2(CONSUMER, FIRST_DAY), late),
        (header(STOLEN), v2(CONSUMER, 1_686_107_564), late),
        (header(STOLEN), with(v2(CONSUMER, FIRST_DAY), &[("iat", Value::Null)]), late),
        (header(STOLEN), v2(CONSUMER, FIRST_DAY - 1), early),
        (header(STOLEN), v2(CONSUMER, 1_469_765_135), early),
        (header(STOLEN), with(v2(CONSUMER, 1_469_765_135), &[("tid", Value::Null)]), early),
        (header(STOLEN), with(v2(CONSUMER, 1_469_765_135), &[("iss", Value::Null)]), early),
        (header(STOLEN), with(v2(CONSUMER, 1), &[("iat", Value::Null), ("nbf", Value::Null)]), early),
        (other.clone(), claims(TENANT, 1_686_107_564), foreign),
        (other.clone(), v2(CONSUMER, 1_686_107_564), ""),
        (header(STOLEN), sample("3338040d-6c67-4c5b-b112-36a304b66dad"), made_up),
        (header(STOLEN), sample("9122040d-6c67-4c5b-b112-36a304b66dad"), made_up),
        (header(STOLEN), sample(TENANT), made_up),
        (header(STOLEN), sample(CONSUMER), made_up),
        (header(STOLEN), v2("tenant-id", 1_731_696_400), made_up),
        (header("nOo3ZDrODXEK1jKWhXslHR_KXEg"), claims(TENANT, 1_686_107_564), ""),
        (header("1LTMzakihiRla_8z2BEJVXeWMqp"), claims(TENANT, 1_686_107_564), ""),
        (
            header("k"),
            with(claims(TENANT, 1_686_107_564), &[("kid", STOLEN.into()), ("x5t", STOLEN.into())]),
            "info storm-0558-signing-key",
        ),
    ];
    for (header, claims, expected) in table {
        let expected: Vec<&str> = Some(expected).filter(|one| !one.is_empty()).into_iter().collect();
        let token = jws(&header, &claims);
        assert_eq!(grades(format!("Bearer {token}\n")), expected, "{header} {claims}");
    }
}

#[test]
fn what_is_no_token_is_a_text_at_most() {
    let token = forged();
    let two_parts = token.rsplit_once('.').unwrap().0.to_owned();
    let header_part = token.split_once('.').unwrap().0;
    assert_eq!(grades(&two_parts), ["info storm-0558-signing-key"]);
    assert_eq!(grades(format!("{header_part}.bm90IGpzb24.c2ln")), ["info storm-0558-signing-key"]);
    assert_eq!(grades(format!("{{\"kid\":\"{STOLEN}\"}}")), ["info storm-0558-signing-key"]);
    // Beside a token, the text says nothing more.
    assert_eq!(grades(format!("{STOLEN} {token}")), ["critical storm-0558-forged-token"]);
    assert_eq!(grades(format!("{STOLEN}\n{token}\n")).len(), 2);
    // Unsigned, and with a signature that the log left out.
    for token in [format!("{two_parts}."), format!("{two_parts}.[REDACTED]"), format!("{two_parts}.***")] {
        assert_eq!(grades(&token), ["critical storm-0558-forged-token"], "{token}");
    }
    // A token that is quoted is a mention; that its header stands there is seen.
    let quoted = sightings(builtin(), token.replace('.', "[.]"));
    let told = |s: &Value| format!("{} {}", s["kind"].as_str().unwrap(), s["indicator"].as_str().unwrap());
    let expected = ["sighting storm-0558-signing-key", "mention storm-0558-forged-token"];
    assert_eq!(quoted.iter().map(told).collect::<Vec<_>>(), expected);
    assert!(quoted.iter().all(|s| s["severity"] == "info"));
}

#[test]
fn an_encrypted_token_is_known_by_its_header() {
    let jwe = |kid: &str| {
        let header = json!({"alg": "RSA-OAEP", "enc": "A256GCM", "kid": kid}).to_string();
        format!("{}.T0tvZS1tYWRl.bWFkZS11cC1pdg.Y2lwaGVydGV4dA.dGFn", url_safe(header.as_bytes()))
    };
    assert_eq!(grades(format!("Bearer {}\n", jwe(STOLEN))), ["medium storm-0558-encrypted-token"]);
    assert!(grades(format!("Bearer {}\n", jwe("1LTMzakihiRla_8z2BEJVXeWMqp"))).is_empty());
}

#[test]
fn every_test_of_a_token_must_hold() {
    let token = jws(&header("k1"), &claims(TENANT, 1_686_107_564));
    let found = |test: &str| !sightings(&pack(&format!("token: {test}")), &token).is_empty();
    for yes in [
        "{key: [k0, k1]}",
        "{key_not: k2}",
        "{issuer: 'https://sts.windows.net/11111111-2222-3333-4444-555555555555'}",
        "{issuer: 11111111-2222-3333-4444-555555555555}",
        "{tenant: 11111111-2222-3333-4444-555555555555, issuer_not: 9188040d-6c67-4c5b-b112-36a304b66dad}",
        "{audience: ['https://outlook.office365.com/']}",
        "{app: AAAAAAAA-0000-4000-8000-000000000001, version: '1.0', form: jws}",
        "{issued: {from: 2023-06-07, before: 2023-06-08}}",
        "{issued: {from: '2023-06-07T03:12:44Z'}}",
        "{issued_at: [1, 1686107564]}",
        "{key: k1, except: {key: k2}}",
        "[{key: k2}, {key: k1}]",
    ] {
        assert!(found(yes), "{yes}");
    }
    for no in [
        "{key: K1}",
        "{key_not: [k0, k1]}",
        "{issuer: 'https://sts.windows.net/'}",
        "{issuer_not: 11111111-2222-3333-4444-555555555555}",
        "{tenant_not: 11111111-2222-3333-4444-555555555555}",
        "{tenant: 11111111-2222-3333-4444-55555555555}",
        "{audience: 'https://outlook.office.com'}",
        "{app: a, key: k1}",
        "{version: '2.0'}",
        "{form: jwe}",
        "{issued: {from: 2023-06-08}}",
        "{issued: {before: '2023-06-07T03:12:44Z'}}",
        "{issued_at: 1686107565}",
        "{key: k1, except: [{key: k2}, {version: '1.0'}]}",
    ] {
        assert!(!found(no), "{no}");
    }
    // Each token is judged by itself.
    let other = jws(&header("k2"), &claims(CONSUMER, 1));
    let both = pack("token: {key: k1, tenant: 9188040d-6c67-4c5b-b112-36a304b66dad}");
    assert!(sightings(&both, format!("{token} {other}")).is_empty());
    // Without a listed key, the indicator is what was found.
    let found = sightings(&pack("token: {version: '1.0'}"), &token);
    assert_eq!(found[0]["observable"], json!({"type": "token", "value": "t"}));
    let either = pack("any:\n  - token: {key: k1}\n  - text: nothing");
    assert_eq!(sightings(&either, &token).len(), 1);
    let never = pack("all:\n  - text: Bearer\n  - not: {token: {key: k1}}");
    assert!(sightings(&never, format!("Bearer {token}")).is_empty());
    assert_eq!(sightings(&never, format!("Bearer {other}")).len(), 1);
}

/// A key made with openssl, another, and a token signed with the first.
const N: &str = "m9NVNl1ZIl_Dpp1SLcSN2qq7p-t2RFF6dPvLMlDENP-r5bDdzNc-WdZBMHlIzrqOm6UQ4Mp6OHDOUqHn-VM1eaj9aqGjUw_U\
    4HnYNW3Ckk2bSa_rR-36hX011Hul8QB5JwECcH5uDrQ0QtzU5rbGrU5G5ALr_lEb0Eh4g-JdtqphS0ieLtpfdfK9LfMklRDI\
    EAktwwAVjxnCNydalTDVEiGVolTFHW8MDOJEfc1E1XvvbEHM26xWRf9bhSHS1gS7WdeWIneU9U7S25bFwkEj5ccFqtE4eO8O\
    RMarxs1Kdi6CMTW4OKhbYiNLuTjLTpqEpPbTpfTpfPWwrQFAzp1QuQ";
const OTHER_N: &str = "0-V2fi64bOogcUq6_F0r63WV0k24gVFkHVitnFxJGPVrQTxyCbpC6jc5rlXjE5_EMISAtoot1tMviYx9w_hTP56-u6ETVVee\
    hExAKt-Pw6Bvzr23mmJ_4tuDQSaPi6NVCXKnldBFin5XpOMCrylAeI5-p3Puq5UXryc9tkNs5AvN6Ne2SmIZ11udbijfBgDJ\
    O-t6SC0qN_68N5wzEQXLenCwXeGN-Kc7FhJwVWBEuxZtZWyrlq97dw4fkrLa_3yo48KosyR_F7i6jWDZABSuHMtGLehN9Ufc\
    TucneW4anfXlAksHZT1yz73e4FTIjdJGjk2EPXu75oZw3od_uXQcxQ";
const SIGNED: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL3N0cy53aW5kb3dzLm5ldC8xMTExMTExMS0yMjI\
    yLTMzMzMtNDQ0NC01NTU1NTU1NTU1NTUvIiwiaWF0IjoxNjg2MTA3NTY0fQ.ap4r9nrgQo6x-VprTCnT6PishToTjMUMAbrH\
    WGzNQLnq_mqAM_qw4ZfyOEN6uoDjEnQN37jjdPAbxRHRXYVce7R9YRYyD-lchs87FR7lxZi9FwHe31PI8BaBFTJMOP0P3Dt9\
    31HCkqHrd2dIY071IE6R3GWq_4dxVUgGTyYGRhQzrAPNaLDK3LIR5RugPYuRjAjQ3kdlfQHWhQFVM2RNlwUAy-H65rhs8xUC\
    Y8bRgj3wWJtvnzCEkK3r40T7EPzdPl9dv9-0iL7pjoC7xbAGaju7f3rJB51z0X9dVHmptgj2QqqtMYg-Eh6NNGEu-0DjyY_z\
    6D4AKrtHiJDKxc2Z7A";

#[test]
fn a_signature_decides_where_a_test_asks_for_it() {
    let by = |n: &str, more: &str| pack(&format!("token: {{signed_by: {{n: {n}, e: AQAB}}{more}}}"));
    assert_eq!(sightings(&by(N, ""), format!("Bearer {SIGNED}\n")).len(), 1);
    assert_eq!(sightings(&by(N, ""), folded(SIGNED, 76, "\r\n")).len(), 1, "wrapped lines are joined");
    assert_eq!(sightings(&by(N, ""), mail("Content-Type: text/plain", &folded(SIGNED, 76, "\r\n"))).len(), 1);
    assert!(sightings(&by(OTHER_N, ""), SIGNED).is_empty());
    assert!(sightings(&by(N, ", key: k"), SIGNED).is_empty());
    let changed = SIGNED.replacen("NTY0fQ", "NTY1fQ", 1);
    assert!(changed != SIGNED && sightings(&by(N, ""), changed).is_empty());
    assert!(sightings(&by(N, ""), SIGNED.rsplit_once('.').unwrap().0.to_owned() + ".").is_empty());
    let none =
        SIGNED.replacen(&url_safe(br#"{"typ":"JWT","alg":"RS256"}"#), &url_safe(br#"{"typ":"JWT","alg":"none"}"#), 1);
    assert!(none != SIGNED && sightings(&by(N, ""), none).is_empty());
    let except = pack(&format!("token: {{form: jws, except: {{signed_by: {{n: {N}, e: AQAB}}}}}}"));
    assert!(sightings(&except, SIGNED).is_empty());
    assert_eq!(sightings(&except, forged()).len(), 1);
}

#[test]
fn no_report_holds_a_token() {
    let token = forged();
    let secrets = secrets();
    let mut all = String::from("format: stormglass/1\nindicators:\n");
    for (number, test) in [
        "{regex: 'eyJ[\\w.-]+'}",
        "{regex: '[\\w-]{60}'}",
        "{text: Bearer}",
        "{ip: 195.26.87.219}",
        "{email: c@d.example}",
        "{yara: 'rule long { strings: $a = /[A-Za-z0-9_+-]{50,400}/ condition: $a }'}",
        "{record: {token|contains: eyJ}}",
        "{record: {cs-uri-query|contains: eyJ}}",
        "{record: {X-Token|contains: eyJ}}",
    ]
    .iter()
    .enumerate()
    {
        writeln!(all, "  - {{id: i{number}, severity: low, source: s, examples: {{hit: a, miss: b}}, match: {test}}}")
            .unwrap();
    }
    let mut odd = carriers(&token);
    let key = json!({token.clone(): "195.26.87.219"}).to_string().into_bytes();
    let far = format!("{}{token} {} 195.26.87.219\n", "word ".repeat(300), "x".repeat(400)).into_bytes();
    let near = format!("{token} 195.26.87.219\n").into_bytes();
    let again = format!("195.26.87.219 t={}\n", standard(token.as_bytes())).into_bytes();
    let subject = mail(&format!("X-A: 1\r\nSubject: {token} 195.26.87.219"), "b").into_bytes();
    let mut binary = vec![0x7f, b'E', b'L', b'F', 0, 1, 2, 3];
    write!(binary, "{token}").unwrap();
    binary.extend([0, 0xff, 0]);
    odd.extend([
        ("key", key),
        ("far", far),
        ("near", near),
        ("again", again),
        ("subject", subject),
        ("binary", binary),
    ]);
    for (name, evidence) in odd {
        let printed = printed(&[&all, builtin()], &evidence);
        assert!(printed.contains("\"sighting\""), "{name}");
        if let Some(secret) = secrets.iter().find(|secret| printed.contains(secret.as_str())) {
            panic!("{name}: {secret} in {printed}");
        }
    }
}

#[test]
fn a_token_is_found_where_a_text_was_wrapped() {
    let token = forged();
    let token = format!("{token}{}", "c2lnbmF0dXJl".repeat(20));
    for (width, end) in [(76, "\n"), (64, "\r\n"), (78, "\n    ")] {
        let lines: Vec<&str> = token.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect();
        let text = format!("# a script\n$t = {}\n\nend\n", lines.join(end));
        assert_eq!(grades(&text), ["critical storm-0558-forged-token"], "{width}");
    }
    let three = format!("# list\n{token}\n{token}\nword\n");
    assert_eq!(grades(&three).len(), 2);
}
