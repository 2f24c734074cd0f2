//! Tokens in forms that are seldom: white space before the header's JSON, parts in an object, quoted lines of mails.

use serde_json::json;

use super::tokens::{builtin, claims, forged, grades, header, printed, secrets, signature, standard, url_safe};

const TENANT: &str = "11111111-2222-3333-4444-555555555555";
const STOLEN: &str = "1LTMzakihiRla_8z2BEJVXeWMqo";
const FOUND: [&str; 1] = ["critical storm-0558-forged-token"];

fn is_found(evidence: &str) {
    assert_eq!(grades(evidence), FOUND, "{evidence}");
    let printed = printed(&[builtin()], evidence.as_bytes());
    assert!(secrets().iter().all(|secret| !printed.contains(secret)), "{printed}");
}

#[test]
fn white_space_may_stand_before_the_json_of_a_header_and_of_claims() {
    let claims = claims(TENANT, 1_686_107_564).to_string();
    for space in [" ", "\n", "\t", "\r\n", "\n ", "  ", "\r\n\t", "\n    ", " \n\t\r\n"] {
        let header = url_safe(format!("{space}{}", header(STOLEN)).as_bytes());
        let token = format!("{header}.{}.{}", url_safe(format!("{space}{claims}").as_bytes()), signature());
        for text in [
            format!("{token}\n"),
            format!("Authorization: Bearer {token} 200\n"),
            format!("{}\n", json!({"t": token})),
            format!("GET /?t={}\n", token.replace('.', "%2E")),
            format!("x {}\n", standard(token.as_bytes())),
        ] {
            is_found(&text);
        }
    }
    // Nothing but white space is no header.
    let empty = url_safe(b" \n ");
    assert!(grades(format!("{empty}.{}.{}\n", url_safe(claims.as_bytes()), signature())).is_empty());
}

#[test]
fn the_parts_of_a_token_may_be_members_of_an_object() {
    let token = forged();
    let parts: Vec<&str> = token.split('.').collect();
    let flattened = json!({"payload": parts[1], "protected": parts[0], "signature": parts[2]});
    let general = json!({"payload": parts[1], "signatures": [{"protected": parts[0], "signature": parts[2]}]});
    for object in [flattened, general] {
        let text = object.to_string();
        let pretty = serde_json::to_string_pretty(&object).unwrap();
        for evidence in [
            format!("{text}\n"),
            format!("posted {text} to /owa\n"),
            format!("{}\n", json!({"time": "2023-06-07T00:00:00Z", "body": object})),
            format!("{}\n", json!({"body": text})),
            format!("{}\n", json!({"body": pretty})),
            format!("{}\n", json!({"record": json!({"body": text}).to_string()})),
            format!("a,b\n1,\"{}\"\n", text.replace('"', "\"\"")),
            format!("x {}\n", standard(text.as_bytes())),
            format!("q={}\n", text.replace('"', "%22").replace('{', "%7B").replace('}', "%7D").replace(':', "%3A")),
            pretty,
        ] {
            is_found(&evidence);
        }
    }
    // A payload of one object, and a header of another.
    let apart = json!([{"payload": parts[1], "signature": parts[2]}, {"protected": parts[0]}]);
    assert!(grades(format!("{apart}\n")).iter().all(|grade| !grade.contains("forged")));
}

#[test]
fn a_wrapped_token_in_quoted_lines_of_a_mail_is_found() {
    let token = forged();
    for mark in ["> ", ">", "> > ", ">> ", ">>> "] {
        for width in [60, 72, 76] {
            let lines: Vec<&str> =
                token.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect();
            let quoted: String = lines.iter().map(|line| format!("{mark}{line}\r\n")).collect();
            is_found(&format!(
                "From: a@b.example\r\nSubject: x\r\nDate: Thu, 1 Jun 2023 00:00:00 +0000\r\n\r\nSee:\r\n\r\n{quoted}{mark}\r\n{mark}Thanks\r\n"
            ));
        }
    }
    // `>` that is no mark of a line parts what stands beside it.
    let split = format!("{}>{}", &token[..40], &token[40..]);
    assert!(grades(format!("{split}\n")).iter().all(|grade| !grade.contains("forged")), "{split}");
}
