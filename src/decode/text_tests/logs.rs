//! W3C logs and plain ones.

use super::*;

const IIS: &str = "#Software: Microsoft Internet Information Services 10.0
#Version: 1.0
#Date: 2023-06-07 03:00:00
#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status sc-bytes cs-bytes time-taken
2023-06-07 03:12:44 192.0.2.20 POST /owa/service.svc action=GetConversationItems&CorrelationID=<empty>; 443 CONTOSO\\user1 198.51.100.7 Mozilla/5.0+(Windows+NT+10.0;+Win64;+x64) - 200 0 0 5400 1200 42
2023-06-07 03:12:45 192.0.2.20 POST /ews/exchange.asmx &CorrelationID=<empty>; 443 user2@contoso.example 198.51.100.8 ExchangeServicesClient/15.0 - 503 0 1236 400 900 30000
";

#[test]
fn a_web_server_log_has_fields_by_name_and_records_by_line() {
    for text in [IIS.to_owned(), format!("\u{feff}{}", IIS.replace('\n', "\r\n"))] {
        let seen = records(text.as_bytes(), "w3c");
        assert!(seen.iter().all(|s| s.number == s.line));
        assert_eq!(seen[3].value("directive").split(' ').count(), 18);
        let first = &seen[4];
        assert_eq!((first.number, first.value("c-ip")), (5, "198.51.100.7"));
        assert_eq!(first.value("cs(User-Agent)"), "Mozilla/5.0+(Windows+NT+10.0;+Win64;+x64)");
        assert_eq!(first.value("cs(Referer)"), "");
        assert_eq!(first.value("cs-username"), "CONTOSO\\user1");
        assert_eq!(first.time.as_deref(), Some("2023-06-07T03:12:44Z"));
        assert_eq!(first.damage, None);
    }
}

#[test]
fn the_fields_may_change_on_the_way_and_the_last_line_may_be_cut() {
    let text = format!(
        "{IIS}#Fields: time c-ip date\n04:00:00 203.0.113.9 2023-06-08\n#Fields: c-ip x\n203.0.113.10 1 2 3\n203.0.113.1"
    );
    let seen = records(text.as_bytes(), "w3c");
    assert_eq!(seen[7].value("c-ip"), "203.0.113.9");
    assert_eq!(seen[7].time.as_deref(), Some("2023-06-08T04:00:00Z"));
    assert_eq!((seen[9].value("c-ip"), seen[9].value("more")), ("203.0.113.10", "2 3"));
    assert!(seen[9].damage.is_some() && seen[10].damage.is_some());
    assert_eq!(seen[10].value("c-ip"), "203.0.113.1");
}

#[test]
fn exchange_proxy_logs_are_rows_below_their_names() {
    let text = "\u{feff}DateTime,RequestId,UserAgent,ClientIpAddress\r\n#Software: Microsoft Exchange Server\r\n#Log-type: HttpProxy Logs\r\n#Fields: DateTime,RequestId,UserAgent,ClientIpAddress\r\n2023-06-07T03:12:44.123Z,1,\"a, b\",203.0.113.5\r\n2023-06-07T03:12:45.123Z,2,c,203.0.113.6\r\n";
    let seen = records(text.as_bytes(), "w3c");
    assert_eq!(seen.len(), 6);
    assert_eq!((seen[4].value("UserAgent"), seen[4].value("ClientIpAddress")), ("a, b", "203.0.113.5"));
    assert_eq!(seen[4].time.as_deref(), Some("2023-06-07T03:12:44.123Z"));
    assert_eq!(
        seen[0].value("directive"),
        "\u{feff}DateTime,RequestId,UserAgent,ClientIpAddress".trim_start_matches('\u{feff}')
    );
    assert!(seen.iter().all(|s| s.damage.is_none()));
}

#[test]
fn a_file_of_comments_is_no_web_server_log() {
    assert_eq!(splitter_of(b"# hosts\n#fields: x\n127.0.0.1 localhost\n").1, "text");
    assert_eq!(splitter_of(b"see #Fields: a b\n").1, "text");
}

#[test]
fn a_firewall_log_says_that_its_time_is_local() {
    let text = "#Version: 1.5\n#Software: Microsoft Windows Firewall\n#Time Format: Local\n#Fields: date time action src-ip\n\n2023-06-07 03:12:44 DROP 192.0.2.1\n";
    let seen = records(text.as_bytes(), "w3c");
    assert_eq!((seen[4].value("src-ip"), seen[4].time.as_deref()), ("192.0.2.1", Some("2023-06-07T03:12:44")));
}
