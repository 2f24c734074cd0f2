//! CSV: cells, headers, and what stands in them.

use super::*;

const PURVIEW: &str = r#"RecordId,CreationDate,RecordType,Operation,UserId,AuditData,AssociatedAdminUnits,AssociatedAdminUnitsNames
7d3c1f52-0b1e-4c6a-9a55-0f3c2a7be001,"2023-06-07T03:12:44.0000000Z ",50,MailItemsAccessed,user1@contoso.example,"{""CreationTime"":""2023-06-07T03:12:44"",""Operation"":""MailItemsAccessed"",""OrganizationId"":""11111111-2222-3333-4444-555555555555"",""Workload"":""Exchange"",""ClientIPAddress"":""195.26.87.219"",""ClientInfoString"":""Client=REST;Client=RESTSystem;;"",""ForwardTo"":""x\u0040evil.example"",""OperationProperties"":[{""Name"":""MailAccessType"",""Value"":""Bind""}],""Folders"":[{""Path"":""\\Inbox"",""FolderItems"":[{""InternetMessageId"":""<m1@contoso.example>""}]}]}",,
7d3c1f52-0b1e-4c6a-9a55-0f3c2a7be002,9/20/2023 4:05:03 AM,8,Add service principal.,Certificate,"{""CreationTime"":""2023-09-20T04:05:03"",""Operation"":""Add service principal."",""RecordType"":8,""ExtendedProperties"":[{""Name"":""additionalDetails"",""Value"":""{\""AppId\"":\""66666666-0000-4000-8000-000000000001\""}""}],""ModifiedProperties"":[{""Name"":""AccountEnabled"",""NewValue"":""[\r\n  true\r\n]"",""OldValue"":""[]""}]}",,
"#;

#[test]
fn an_audit_export_is_unwrapped() {
    for text in [PURVIEW.to_owned(), format!("\u{feff}{}", PURVIEW.replace('\n', "\r\n"))] {
        let seen = records(text.as_bytes(), "csv");
        assert_eq!(seen.iter().map(|s| (s.number, s.line)).collect::<Vec<_>>(), [(1, 2), (2, 3)]);
        assert_eq!(seen[0].value("Operation"), "MailItemsAccessed");
        assert_eq!(seen[0].value("AuditData.ClientIPAddress"), "195.26.87.219");
        assert_eq!(seen[0].value("AuditData.OperationProperties.MailAccessType"), "Bind");
        assert_eq!(seen[0].value("AuditData.ForwardTo"), "x@evil.example");
        assert_eq!(seen[0].value("AuditData.Folders.Path"), "\\Inbox");
        assert_eq!(seen[0].value("AuditData"), "(none)");
        assert_eq!(seen[0].time.as_deref(), Some("2023-06-07T03:12:44Z"));
        let id = "66666666-0000-4000-8000-000000000001";
        assert_eq!(seen[1].value("AuditData.ExtendedProperties.additionalDetails.AppId"), id);
        assert_eq!(seen[1].value("AuditData.ModifiedProperties.AccountEnabled.NewValue"), "true");
        assert_eq!(seen[1].time.as_deref(), Some("2023-09-20T04:05:03Z"));
        assert!(seen.iter().all(|s| s.damage.is_none()));
    }
}

#[test]
fn values_tell_their_place_and_only_the_decoding_that_they_needed() {
    let blocks = cut(PURVIEW.as_bytes(), Sizes { block_bytes: BLOCK_BYTES, record_bytes: 1 << 20 });
    let span = blocks[0].record_at(PURVIEW.find("7d3c").unwrap()).unwrap();
    let record = blocks[0].record(&span);
    let field = |name: &str| record.fields.iter().find(|f| f.name == name).unwrap();
    let ip = field("AuditData.ClientIPAddress");
    assert_eq!(ip.decode, Vec::<&str>::new());
    let at = ip.value.as_ptr() as usize - blocks[0].bytes().as_ptr() as usize;
    assert_eq!(PURVIEW.find("195.26.87.219"), Some(at));
    assert_eq!(field("AuditData.ForwardTo").decode, ["json"]);
    let text = "AuditData,B\n\"{\"\"v\"\":\"\"a\\u0022b\"\",\"\"w\"\":\"\"say \\\"\"hi\\\"\"\"\"}\",x\n";
    let seen = records(text.as_bytes(), "csv");
    assert_eq!((seen[0].value("AuditData.v"), seen[0].value("AuditData.w")), ("a\"b", "say \"hi\""));
    let blocks = cut(text.as_bytes(), Sizes { block_bytes: BLOCK_BYTES, record_bytes: 1 << 20 });
    let record = blocks[0].record(&blocks[0].record_at(20).unwrap());
    assert_eq!(record.fields[0].decode, ["json"]);
    assert_eq!(record.fields[1].decode, ["csv", "json"]);
}

#[test]
fn a_truncated_cell_is_searched_as_text() {
    let cut_off = "RecordId,AuditData\n1,\"{\"\"Operation\"\":\"\"Send\"\",\"\"ClientIP\"\":\"\"192.0\"\n2,\"{\"\"Operation\"\":\"\"New\"\"}\"\n";
    let seen = records(cut_off.as_bytes(), "csv");
    assert_eq!(seen.len(), 2);
    assert!(seen[0].damage.as_deref().unwrap().contains("AuditData is cut off or not valid JSON"));
    assert_eq!(seen[0].value("AuditData"), "{\"Operation\":\"Send\",\"ClientIP\":\"192.0");
    assert_eq!(seen[0].value("AuditData.Operation"), "Send");
    assert_eq!((seen[1].value("AuditData.Operation"), &seen[1].damage), ("New", &None));
    // The file itself ends inside a quoted cell.
    let ends = &PURVIEW[..PURVIEW.len() - 40];
    let seen = records(ends.as_bytes(), "csv");
    assert_eq!(seen.len(), 2);
    assert!(seen[1].damage.is_some());
}

#[test]
fn cells_may_hold_line_ends_quotes_and_delimiters() {
    let text = "id,createdDateTime,auditData\n1,x,\"{\n  \"\"Operation\"\": \"\"Send\"\",\n  \"\"n\"\": 1\n}\"\n2,\"a,\"\"b\"\"\r\nc\",\n\n3\n4,y,z,more\n";
    let seen = records(text.as_bytes(), "csv");
    assert_eq!(seen.iter().map(|s| (s.number, s.line)).collect::<Vec<_>>(), [(1, 2), (2, 6), (3, 9), (4, 10)]);
    assert_eq!(seen[0].value("auditData.Operation"), "Send");
    assert_eq!(seen[1].value("createdDateTime"), "a,\"b\"\r\nc");
    assert_eq!(seen[2].fields, [("id".to_owned(), "3".to_owned())]);
    assert_eq!(seen[3].value("column 4"), "more");
}

#[test]
fn a_stray_quote_does_not_swallow_the_file() {
    let bare = "name,size,note\nscreen,15\",x\ndisk,2,y\nlamp,3,z\n";
    assert_eq!(records(bare.as_bytes(), "csv").len(), 3);
    let rows: String = (0..50).map(|n| format!("{n},b,c\n")).collect();
    let opening = format!("name,size,note\n1,\"oops,x\n{rows}");
    let seen = records(opening.as_bytes(), "csv");
    assert_eq!(seen.len(), 51);
    assert!(seen[0].damage.is_some() && seen[1].damage.is_none());
    // Before the end of the file is known, the limit tells.
    let seen = see(&cut(opening.as_bytes(), Sizes { block_bytes: 16, record_bytes: 100 }));
    assert_eq!(seen.len(), 51);
}

#[test]
fn a_repeated_header_is_no_row_and_other_delimiters_are_known() {
    let text = "type,value\nip,192.0.2.1\ntype,value\nip,192.0.2.2\n";
    assert_eq!(records(text.as_bytes(), "csv").len(), 2);
    for delimiter in [";", "\t", "|"] {
        let text = format!(
            "Date (UTC){delimiter}Application ID {delimiter}IP address\n2025-12-04T08:19:41Z{delimiter}a{delimiter}192.0.2.1\n"
        );
        let seen = records(text.as_bytes(), "csv");
        assert_eq!(seen[0].value("Application ID "), "a");
        assert_eq!(seen[0].time.as_deref(), Some("2025-12-04T08:19:41Z"));
    }
    let typed = "#TYPE Selected.System.Management.Automation.PSObject\n\"CreationDate\",\"UserIds\"\n\"9/20/2023 4:05:03 AM\",\"a@b.example\"\n";
    assert_eq!(records(typed.as_bytes(), "csv")[0].value("UserIds"), "a@b.example");
}

#[test]
fn a_trace_in_utf16_has_exact_offsets() {
    let text = "date_time_utc,sender_address,message_subject\r\n2023-06-07T03:12:44Z,ü@contoso.example,\"a, b\"\r\n2023-06-07T03:12:45Z,b@evil.example,c\r\n";
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let seen = records(&bytes, "csv");
    assert_eq!(seen[1].value("sender_address"), "b@evil.example");
    let units = text[..text.rfind("2023").unwrap()].encode_utf16().count() as u64;
    assert_eq!(seen[1].offset, units * 2);
    assert_eq!(seen[1].time.as_deref(), Some("2023-06-07T03:12:45Z"));
}

#[test]
fn what_only_has_commas_is_no_csv() {
    for text in [
        "192.0.2.1,evil.example\n192.0.2.2,bad.example\n",
        "a@b.example,c@d.example\n",
        "2023-06-07T03:12:44Z,started,ok\n2023-06-07T03:12:45Z,stopped,ok\n",
        "hello, world\n",
        "name,value\n",
        "use std::io, fmt\nlet x, y\nz, 1\n",
    ] {
        assert_eq!(splitter_of(text.as_bytes()).1, "text", "{text}");
    }
}
