//! JSON: lines, arrays, pretty-printed objects, and text inside text.

use super::*;

const BIND: &str = r#"{"CreationTime":"2023-06-07T03:12:44","Id":"f2b6c9d4-0000-4000-8000-000000000001","Operation":"MailItemsAccessed","OrganizationId":"11111111-2222-3333-4444-555555555555","RecordType":50,"ResultStatus":"Succeeded","UserKey":"10032001AAAAAAAA","UserType":0,"Version":1,"Workload":"Exchange","UserId":"user1@contoso.example","AppId":"00000002-0000-0ff1-ce00-000000000000","ClientAppId":"","ClientIPAddress":"203.0.113.77","ExternalAccess":false,"OperationProperties":[{"Name":"MailAccessType","Value":"Bind"},{"Name":"IsThrottled","Value":"False"}],"OriginatingServer":"DB9PR04MB0000 (15.20.8005.017)\n","SizeInBytes":1156492.00,"Item":null,"Folders":[{"Id":"LgAAAA==","Path":"\\Inbox","FolderItems":[{"Id":"RgAAAA==","InternetMessageId":"<m1@contoso.example>"},{"Id":"RgAAAB==","InternetMessageId":"<m2@contoso.example>"}]}]}"#;

#[test]
fn an_audit_record_has_its_fields_by_path_and_by_name() {
    let seen = &records(BIND.as_bytes(), "json")[0];
    assert_eq!(seen.value("Operation"), "MailItemsAccessed");
    assert_eq!(seen.value("OperationProperties.MailAccessType"), "Bind");
    assert_eq!(seen.value("OperationProperties.IsThrottled"), "False");
    assert_eq!(seen.values("OperationProperties.Name"), ["MailAccessType", "IsThrottled"]);
    assert_eq!(seen.value("SizeInBytes"), "1156492.00");
    assert_eq!(seen.value("ExternalAccess"), "false");
    assert_eq!(seen.value("Item"), "");
    assert_eq!(seen.value("Folders.Path"), "\\Inbox");
    assert_eq!(seen.values("Folders.FolderItems.InternetMessageId"), ["<m1@contoso.example>", "<m2@contoso.example>"]);
    assert_eq!(seen.time.as_deref(), Some("2023-06-07T03:12:44Z"));
    assert_eq!(seen.damage, None);
}

#[test]
fn lines_of_json_are_records_and_a_damaged_one_is_text() {
    let text = format!("{BIND}\n{}\n\n{BIND}\n", &BIND[..300]);
    let seen = records(text.as_bytes(), "json");
    assert_eq!(seen.iter().map(|s| s.line).collect::<Vec<_>>(), [1, 2, 4]);
    assert!(seen[1].damage.as_deref().unwrap().contains("ends too early"));
    assert_eq!(seen[1].value("message"), &BIND[..300]);
    assert_eq!(seen[1].value("Operation"), "MailItemsAccessed");
    assert_eq!(seen[2].damage, None);
    let damaged_first = format!("{}\n{BIND}\n{BIND}\n", &BIND[..100]);
    assert_eq!(records(damaged_first.as_bytes(), "json").len(), 3);
}

#[test]
fn a_value_is_borrowed_where_it_stands_as_it_is() {
    let text = r#"{"a":"plain","b":"esc\u0040ped","c":"{\"d\":\"inner\",\"e\":\"in\\u0040ner\"}"}"#;
    let blocks = cut(text.as_bytes(), Sizes { block_bytes: 100, record_bytes: 1000 });
    let record = blocks[0].record(&blocks[0].record_at(0).unwrap());
    let decodes: Vec<_> = record.fields.iter().map(|f| (f.name.as_ref(), f.value.as_ref(), f.decode.clone())).collect();
    assert_eq!(
        decodes,
        [
            ("a", "plain", vec![]),
            ("b", "esc@ped", vec!["json"]),
            ("c.d", "inner", vec![]),
            ("c.e", "in@ner", vec!["json", "json"]),
        ]
    );
    let place = |i: usize| record.fields[i].value.as_ptr() as usize - blocks[0].bytes().as_ptr() as usize;
    assert_eq!(&text[place(0)..place(0) + 5], "plain");
    assert_eq!(&text[place(2)..place(2) + 5], "inner");
}

#[test]
fn json_inside_strings_is_read_and_text_that_looks_similar_is_not() {
    let text = r#"{"AuditData":"{\"Operation\":\"Send\",\"P\":[{\"Name\":\"x\",\"Value\":\"{\\\"AppId\\\":\\\"1\\\"}\"}]}","M":[{"Name":"On","NewValue":"[\r\n  true\r\n]","OldValue":"[]"}],"ip":"[10.11.12.13]","t":"[see below]"}"#;
    let seen = &records(text.as_bytes(), "json")[0];
    assert_eq!(seen.value("AuditData.Operation"), "Send");
    assert_eq!(seen.value("AuditData.P.x.AppId"), "1");
    assert_eq!(seen.value("M.On.NewValue"), "true");
    assert_eq!(seen.value("M.On.OldValue"), "[]");
    assert_eq!(seen.value("ip"), "[10.11.12.13]");
    assert_eq!(seen.value("t"), "[see below]");
}

fn ids(seen: &[Seen]) -> Vec<&str> {
    seen.iter().map(|s| s.value("id")).collect()
}

#[test]
fn arrays_and_concatenated_values_are_given_element_by_element() {
    for text in [
        r#"[{"id":1},{"id":2},{"id":3}]"#,
        "[\n  {\n    \"id\": 1,\n    \"s\": \"}]\\\"{\"\n  },\n  {\"id\": 2},\n  {\"id\":3}\n]\n",
        "[{\"id\":1}]\r\n\r\n[{\"id\":2},\n{\"id\":3}]\r\n",
        "{\n\"id\": 1}{\"id\":2}\n{\"id\":\n3\n}\n",
        "\u{feff}[{\"id\":1}]\n\u{feff}[{\"id\":2}]\n{\"id\":3}",
        "{\"value\":[{\"id\":1},{\"id\":2},\n{\"id\":3}]}",
        "{\"Records\": [ {\"id\":1, \"value\":[{\"x\":2}]} , {\"id\":2}, {\"id\":3} ] }\n",
        "{\"log\":{\"entries\":[{\"id\":1},{\"id\":2},{\"id\":3}]}}",
    ] {
        let seen = records(text.as_bytes(), "json");
        assert_eq!(ids(&seen), ["1", "2", "3"], "{text}");
        assert!(seen.iter().all(|s| s.damage.is_none()), "{seen:#?}");
    }
    let scalars = records(br#"["192.0.2.1", 5, true, [1,2], "a]b"]"#, "json");
    assert_eq!(scalars.iter().map(|s| s.value("")).collect::<Vec<_>>(), ["192.0.2.1", "5", "true", "1", "a]b"]);
}

#[test]
fn what_stands_around_an_array_is_a_record_of_its_own() {
    let text = "{\"@odata.context\":\"https://a.example/x\",\"value\":[\n{\"id\":1},\n{\"id\":2}\n],\"@odata.nextLink\":\"https://b.example/\",\"n\":{\"m\":7}}\n";
    let seen = records(text.as_bytes(), "json");
    assert_eq!(ids(&seen), ["(none)", "1", "2", "(none)"]);
    assert_eq!(seen[0].value("@odata.context"), "https://a.example/x");
    assert_eq!(seen[3].value("@odata.nextLink"), "https://b.example/");
    assert_eq!(seen[3].value("n.m"), "7");
    assert!(seen.iter().all(|s| s.damage.is_none()));
}

#[test]
fn a_damaged_stream_goes_on_with_the_next_value() {
    let text = "[\n{\"id\":1},\n{\"id\":\"2},\n{\"id\":3},\nrubbish in between\n{\"id\":4}\n]\n";
    let seen = records(text.as_bytes(), "json");
    assert_eq!(ids(&seen), ["1", "(none)", "3", "(none)", "4"]);
    assert!(seen[1].damage.is_some() && seen[3].damage.is_some());
    let cut_off = records(b"[{\"id\":1},{\"id\":2},{\"id\":3,\"x\":\"192.0.2", "json");
    assert_eq!(ids(&cut_off), ["1", "2", "3"]);
    assert!(cut_off[2].damage.is_some());
    assert!(cut_off[2].value("message").ends_with("192.0.2"));
}

#[test]
fn a_value_beyond_the_limit_is_taken_apart_or_cut() {
    let items: Vec<_> = (0..100).map(|n| format!("{{\"id\":{n},\"tags\":[{{\"t\":1}}]}}")).collect();
    let text = format!("{{\n\"kind\":\"odd\",\"things\":[{}],\"end\":1}}", items.join(","));
    let whole = cut(text.as_bytes(), Sizes { block_bytes: 64, record_bytes: 1 << 20 });
    assert_eq!(see(&whole).len(), 1);
    let parts = see(&cut(text.as_bytes(), Sizes { block_bytes: 64, record_bytes: 500 }));
    assert_eq!(parts.iter().filter(|s| s.value("id") != "(none)").count(), 100);
    assert!(parts.iter().all(|s| s.damage.is_none()), "{parts:#?}");
    // In one string there is nothing to take apart.
    let text = format!("[{{\"s\":\"{}needle{}\"}},{{\"id\":2}}]", "x ".repeat(400), "y".repeat(600));
    let blocks = cut(text.as_bytes(), Sizes { block_bytes: 64, record_bytes: 500 });
    let seen = see(&blocks);
    assert!(seen.iter().any(|s| s.text.contains("needle")));
    assert_eq!(seen.last().map(|s| (s.number, s.value("id"))), Some((2, "2")));
    assert_eq!(blocks.iter().map(|b| b.records()).sum::<u64>(), 2);
}

#[test]
fn hostile_nesting_is_damage_and_no_crash() {
    for text in ["[".repeat(100_000), format!("{{\"a\":{}", "[".repeat(100_000)), "{\"a\":".repeat(50_000)] {
        let seen = see(&cut(text.as_bytes(), Sizes { block_bytes: BLOCK_BYTES, record_bytes: 1 << 20 }));
        assert_eq!(seen.len(), 1);
        assert!(seen[0].damage.is_some());
    }
    let text = format!("{{\"a\":{}1{}}}", "[".repeat(127), "]".repeat(127));
    assert_eq!(see(&cut(text.as_bytes(), Sizes { block_bytes: 999, record_bytes: 9999 }))[0].damage, None);
    let text = format!("{{\"a\":{}1{}}}", "[".repeat(128), "]".repeat(128));
    assert!(see(&cut(text.as_bytes(), Sizes { block_bytes: 999, record_bytes: 9999 }))[0].damage.is_some());
}
