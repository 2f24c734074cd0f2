//! One line that holds thousands of things: what it costs grows with its length and no faster. There is no clock in these
//! tests; with the square of the number, each takes minutes.

use serde_json::json;

use super::sightings;
use super::tokens::{builtin, claims, header, jws, printed};

#[test]
fn thousands_of_tokens_in_one_line_are_found_and_none_is_printed() {
    let token = |n: i64| jws(&header("1LTMzakihiRla_8z2BEJVXeWMqo"), &claims("t", n));
    let tokens: Vec<String> = (0..4_000).map(token).collect();
    let secret = &tokens[0].rsplit('.').next().unwrap()[100..130];
    let line = tokens.join(" ");
    for evidence in [
        format!("{line}\n"),
        format!("{}\n", json!({"UserId": line, "m": "a\nb"})),
        format!("{}\n", json!({"m": format!("\"{line}")})),
        format!("a,b\n1,\"{}\"\n", tokens.join(",")),
        format!("{}\n", line.replace('.', "%2E")),
    ] {
        let found = sightings(builtin(), &evidence);
        assert_eq!(found.iter().filter(|hit| hit["observable"]["type"] == "token").count(), tokens.len());
    }
    let printed = printed(&[builtin()], line.as_bytes());
    assert!(!printed.contains(secret));
}

#[test]
fn thousands_of_atoms_in_one_line_are_found() {
    let atoms: Vec<String> = (0..20_000_u32).map(|n| format!("10.{}.{}.7", n >> 8, n & 255)).collect();
    let list = atoms.join("\n");
    let line = atoms.join("|");
    for evidence in [
        format!("x {line}\n"),
        format!("{}\n", json!({"UserId": line, "m": "a\nb"})),
        format!("{}\n", json!({"m": format!("\"{line}")})),
        format!("x {}\n", line.replace('.', "[.]")),
        format!("x {}\n", line.replace('.', "%2E")),
        format!(
            "{}\n",
            json!(atoms.iter().map(|atom| (atom.clone(), atom)).collect::<std::collections::BTreeMap<_, _>>())
        ),
    ] {
        assert_eq!(sightings(&list, &evidence).len(), atoms.len());
    }
}
