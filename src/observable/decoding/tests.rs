//! Each encoding and its near misses, encodings inside one another, and limits at their value.

use super::*;

fn undone(undo: fn(&[u8], &mut Vec<u8>) -> bool, text: &str) -> Option<String> {
    let mut out = Vec::new();
    let found = undo(text.as_bytes(), &mut out);
    assert!(found || out == text.as_bytes() || out.is_empty(), "{text}");
    found.then(|| String::from_utf8(out).unwrap())
}

#[track_caller]
fn check(undo: fn(&[u8], &mut Vec<u8>) -> bool, text: &str, expected: impl Into<Option<&'static str>>) {
    assert_eq!(undone(undo, text).as_deref(), expected.into(), "{text}");
}

#[test]
fn percent_entities_and_json_are_undone_and_plain_text_is_left() {
    check(percent::undo, "a%2Eb%40c%zz%u002e%u2e", "a.b@c%zz.%u2e");
    check(percent::undo, "%ff%C3%A9%C3x", "\u{fffd}é\u{fffd}x");
    check(percent::undo, "100%", None);
    check(percent::undo, "%2", None);
    check(percent::undo_form, "a+b%2Bc", "a b+c");
    check(json_escapes::undo, r"a\u002eb\/c\n\ud83d\ude00\q", "a.b/c\n😀\\q");
    check(json_escapes::undo, "plain", None);
    check(json_escapes::undo, r"\u00", None);
    check(json_escapes::undo, "\\", None);
    check(entities::undo, "a&#46;b&#x40;c&amp;d&period;e&lowbar;&NegativeVeryThinSpace;", "a.b@c&d.e_\u{200b}");
    check(entities::undo, "&#0000000000000000000046;", ".");
    check(entities::undo, "a&b=c&amp=d", None);
    check(entities::undo, "&#", None);
    check(entities::undo, "&#99999999;", None);
    check(entities::undo, "&#101vil&#46com &#x2eorg &#X2Ezip&#147x&#9y", "evil.com .org .zip“x\ty");
    check(entities::undo, "&#x2ecom", "\u{2ec}om");
    check(entities::undo, &format!("&#{}46com", "0".repeat(60)), ".com");
    for not in ["&#x", "&#x;", "&#;", "&#y46", "?a=1&#5", "?a=1&#x7fz", "&#xd800z", "&lowbarx", "&ampx;"] {
        assert_eq!(undone(entities::undo, not), None, "{not}");
    }
}

#[test]
fn a_path_has_no_escapes_and_anything_else_may() {
    check(json_escapes::undo, r"open C:\nevil.example\test", None);
    check(json_escapes::undo, r#""C:\nevil.example""#, None);
    check(json_escapes::undo, r"C:\\nevil.example", r"C:\nevil.example");
    check(json_escapes::undo, r"C:\x\u002ey", r"C:\x.y");
    check(json_escapes::undo, r"from\nevil.example", "from\nevil.example");
    check(json_escapes::undo_all, r"C:\nevil.example", "C:\nevil.example");
}

#[test]
fn what_is_not_seen_is_taken_out_and_what_looks_alike_is_ascii() {
    check(look_alikes::undo, "e\u{200b}vi\u{ad}l “x” it’s", "evil \"x\" it's");
    check(look_alikes::undo, "ｅｖｉｌ．ｅｘａｍｐｌｅ　１９５．２６", "evil.example　195.26");
    check(look_alikes::undo, "𝐞𝓿𝕚𝗅。ⓔⓧ @ 𝟙𝟗", "evil.ex @ 19");
    check(look_alikes::undo, "grüße 日本", None);
    check(terminal::undo, "\u{1b}[1;31mevil.example\u{1b}[0m\u{1b}[", "evil.example");
    check(terminal::undo, "\u{1b}(Bevil.example\u{1b}(B\u{1b}[m\u{9b}1mx\u{1b}7y\u{1b}", "evil.examplexy");
    check(terminal::undo, "\u{1b}é\u{1b}\u{1b}", "é");
    check(terminal::undo, "plain Â", None);
    check(terminal::undo_written, r"#033[1mx#011y^[[0m\e[mz^I", "\u{1b}[1mx\ty\u{1b}[0m\u{1b}[mz\t");
    check(terminal::undo_written, "#1 #099 ^x \\ew", None);
    check(zero_bytes::undo, "e\0v\0i\0l\0", "evil");
}

#[test]
fn codes_words_and_signs_are_undone_where_they_are_meant() {
    check(backslash_codes::undo_hex, r"evil\x2eexample\x2", r"evil.example\x2");
    check(backslash_codes::undo_octal, r"evil\056example\303\251\08", r"evil.exampleé\08");
    check(backslash_codes::undo_octal, r"C:\12\9", None);
    check(quoted_printable::undo, "evil=2Eexam=\r\nple =C3=A9 a=zz", "evil.example é a=zz");
    check(quoted_printable::undo, "user=40evil.example", "user@evil.example");
    check(quoted_printable::undo, "id=20&a=1b", None);
    check(rfc2047::undo, "a =?utf-8?B?ZXZpbC5leGFtcGxl?= =?x?q?=2E_b?= c =?", "a evil.example. b c =?");
    check(rfc2047::undo, "=?UTF-16LE?B?ZQB2AA==?=", "ev");
    check(rfc2047::undo, "=?utf-8?X?ZXZpbC5leGFtcGxl?= ?a=?b", None);
}

#[test]
fn words_are_in_the_charset_that_they_name() {
    for (text, plain) in [
        ("=?windows-1252?B?YvxjaGVyLmV4YW1wbGU=?=", "bücher.example"),
        ("=?windows-1252?Q?b=FCcher=2Eexample?=", "bücher.example"),
        ("=?ISO-2022-JP?B?GyRCTmMkKBsoQi5leGFtcGxl?=", "例え.example"),
        ("=?ISO-2022-JP?Q?=1B=24BNc=24=28=1B=28B=2Eexample?=", "例え.example"),
        ("=?koi8-r?B?0NLJzcXSLmV4YW1wbGU=?=", "пример.example"),
        ("=?koi8-r?Q?=D0=D2=C9=CD=C5=D2=2Eexample?=", "пример.example"),
        ("=?GB18030?B?wP3X0y5leGFtcGxl?=", "例子.example"),
        ("=?GB18030?Q?=C0=FD=D7=D3=2Eexample?=", "例子.example"),
        ("=?shift_jis?B?l+GCpi5leGFtcGxl?=", "例え.example"),
        ("=?shift_jis?Q?=97=E1=82=A6=2Eexample?=", "例え.example"),
        ("=?iso-8859-15*de?B?YvxjaGVyLmV4YW1wbGU=?=", "bücher.example"),
        ("=?iso-8859-15*de?Q?b=FCcher=2Eexample?=", "bücher.example"),
        ("=?gb2312?B?wP3X?=\r\n =?GB2312?B?0y5leGFtcGxl?=", "例子.example"),
        ("=?utf-8?B?5L6L5Q==?= =?utf-8?B?rZAuZXhhbXBsZQ==?=", "例子.example"),
        ("=?windows-1252?Q?=93evil?= =?windows-1252?Q?=2Eexample=94?=", "“evil.example”"),
        ("=?unicode?B?ZQB2AA==?=", "ev"),
        // A charset that is not known; one that no browser reads.
        ("=?x-none?Q?b=FCcher=2Eexample?=", "b\u{fffd}cher.example"),
        ("=?iso-2022-kr?Q?evil=2Eexample?=", "evil.example"),
    ] {
        assert_eq!(undone(rfc2047::undo, text).as_deref(), Some(plain), "{text}");
        shows(text, plain, "rfc2047");
    }
    // Where the name is a lie, another reading stands beside; of what is UTF-8 there is one.
    shows("=?iso-8859-1?Q?b=C3=BCcher=2Eexample?=", "bücher.example", "rfc2047");
    shows("=?gbk?B?gWV2aWwuZXhhbXBsZQ==?=", "\u{fffd}evil.example", "rfc2047");
    check(rfc2047::undo_as_utf8, "=?utf-8?Q?b=C3=BCcher?= =?x?Q?=FC?= =?", None);
}

fn readings(text: &[u8]) -> Vec<(String, String)> {
    let mut unfolder = Unfolder::default();
    unfolder.unfold(text, Runs::MayHoldText, &mut Allowance::of(text.len()));
    let shown = |text: &[u8]| String::from_utf8(text.to_vec()).unwrap().trim_end().to_owned();
    unfolder.readings().map(|(text, path)| (shown(text), path.names().collect::<Vec<_>>().join("+"))).collect()
}

#[track_caller]
fn shows(text: &str, plain: &str, path: &str) {
    let found = readings(text.as_bytes());
    assert!(found.contains(&(plain.to_owned(), path.to_owned())), "{text}: {found:?}");
}

#[test]
fn base64_is_read_at_any_place_and_only_where_it_is_text() {
    shows("ZXZpbC5leGFtcGxl", "evil.example", "base64");
    shows("/redirect/ZXZpbC5leGFtcGxl", "evil.example", "base64");
    for before in ["", "/", "a/", "go_", "abc-", "x="] {
        for behind in ["", "/", "_x", "-more/path", "&b=c"] {
            let text = format!("{before}aHR0cHM6Ly9ldmlsLmV4YW1wbGU{behind}");
            let found = readings(text.as_bytes());
            assert!(found.iter().any(|(plain, _)| plain.contains("https://evil.example")), "{text}: {found:?}");
        }
    }
    shows("aXdyIGV2aWwuZXhhbXBsZQ==", "iwr evil.example", "base64");
    shows("aQB3AHIAIABlAHYAaQBsAC4AZQB4AGEAbQBwAGwAZQA=", "iwr evil.example", "base64+utf-16le");
    shows("AGkAdwByACAAZQB2AGkAbAAuAGUAeABhAG0AcABsAGU=", "iwr evil.example", "base64+utf-16be");
    // Eleven characters; what is not text; a digest.
    assert!(readings(b"ZXZpbC5leGF ").is_empty());
    assert!(readings(b"AAECAwQFBgcICQoLDA0ODw==").is_empty());
    assert!(readings(b"d4b4cccda9228624656bff33d8110955779632aa").is_empty());
    let folded = format!("{}\r\n{}", "YWFh".repeat(18) + "ZXZp", "bC5leGFtcGxl");
    assert!(readings(folded.as_bytes()).iter().any(|(plain, _)| plain.contains("aaevil.example")));
}

#[test]
fn hexadecimal_text_is_read_in_rows_and_groups() {
    shows("6576696c2e6578616d706c65", "evil.example", "hex");
    shows("x 0x6576696C2E6578616D706C65,", "evil.example", "hex");
    shows("65 76 69 6c 2e 65 78 61 6d 70 6c 65", "evil.example", "hex");
    shows("0x65, 0x76, 0x69,0x6c,0x2e,0x65,0x78,0x61,0x6d,0x70,0x6c,0x65", "evil.example", "hex");
    shows("00000010: 6576 696c 2e65 7861 6d70 6c65  evil", "evil.example", "hex");
    shows("6500760069006c002e006500780061006d0070006c006500", "evil.example", "hex+utf-16le");
    shows(r"\x65\x76\x69\x6c\x2e\x65\x78\x61\x6d\x70\x6c\x65", "evil.example", "hex");
    for no in [
        "6576696c2e6578",
        "65 76 69 6c 2e 65 78",
        "1bee2d9f-3a5b-4c0f-8c9a-0123456789ab",
        "d4b4cccda9228624656bff33d8110955779632aa",
        "2023-06-01 01:02:03 10 20 30",
    ] {
        assert!(readings(no.as_bytes()).is_empty(), "{no}: {:?}", readings(no.as_bytes()));
    }
}

#[test]
fn encodings_inside_one_another_are_undone() {
    shows("ZXZpbCUyRWV4YW1wbGU=", "evil.example", "base64+percent");
    shows("WlhacGJDNWxlR0Z0Y0d4bA==", "evil.example", "base64+base64");
    shows("q=ZXZpbC5leGFtcGxl%3D%3D", "evil.example", "percent+base64");
}

#[test]
fn what_a_record_may_take_is_bounded_and_said() {
    let met = |text: &str, record_bytes: usize| {
        let mut allowance = Allowance::of(record_bytes);
        Unfolder::default().unfold(text.as_bytes(), Runs::MayHoldText, &mut allowance);
        allowance.met
    };
    let nested = |times: usize| (0..times).fold("%2E".to_owned(), |text, _| text.replace('%', "%25"));
    assert_eq!((met(&nested(14), 100), met(&nested(16), 100)), (None, Some(DecodingLimit::Depth)));
    let large = "%2E".repeat(24 << 10);
    assert_eq!((met(&large, large.len()), met(&large[..3 * (24 << 10)], 0)), (None, None));
    let larger = "%2E".repeat((64 << 10) + 1);
    assert_eq!((met(&larger[3..], 0), met(&larger, 0)), (None, Some(DecodingLimit::Bytes)));
}

#[test]
fn defanging_is_undone_and_plain_text_is_left() {
    assert_eq!(refang::refang("hxxps://evil[.]example a[@]b").as_deref(), Some("https://evil.example a@b"));
    assert_eq!(refang::refang("evil.example"), None);
}

#[test]
fn the_plain_part_is_what_no_export_changes() {
    assert_eq!(longest_plain_part("\"Microsoft Edge\";v=\"113\""), "Microsoft Edge");
    assert_eq!(longest_plain_part("GetAccessTokenForResource"), "GetAccessTokenForResource");
    assert_eq!(longest_plain_part("\"\\/"), "");
}
