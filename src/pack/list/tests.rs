//! Each line of a list is an indicator, or a mistake with its place.

use super::super::load::whole;
use super::*;

fn csv(text: &str) -> Result<Pack, Vec<PackError>> {
    let columns = Columns::read(text.lines().next().unwrap()).unwrap();
    whole(load_csv("list", "list.csv", text, &columns))
}

#[test]
fn each_line_is_an_indicator_and_repeats_are_one() {
    let pack = csv("Type,VALUE,comment,campaign\r\nDomain,Evil[.]Example,seen by us,x\nip,192.0.2.1\n\n# no\ndomain,evil.example,later,\n").unwrap();
    let all: Vec<_> = pack.all().collect();
    let of = |at: usize| (all[at].id.as_str(), all[at].name.as_str(), all[at].line);
    assert_eq!(pack.len(), 2);
    assert_eq!(of(0), ("domain:evil.example", "evil.example", 2));
    assert_eq!(of(1), ("ip:192.0.2.1", "192.0.2.1", 3));
    assert_eq!(pack.all().next().unwrap().note.as_deref(), Some("seen by us; campaign: x"));
    assert_eq!(all[1].note, None);
}

#[test]
fn certificates_and_user_agents_are_listed_too() {
    let thumbprint = "d4b4cccda9228624656bff33d8110955779632aa";
    let text = format!(
        "type,value,comment\ncertificate,1LTMzakihiRla_8z2BEJVXeWMqo,a\ncertificate,{thumbprint},b\n\
         thumbprint,{thumbprint},\nuser_agent,Mozilla/5.0+(X11),c\nuser_agent,\"Mozilla/5.0 (X11)\",\n"
    );
    let all: Vec<_> = csv(&text).unwrap().all().map(|i| (i.id.clone(), i.note.clone(), i.line)).collect();
    let expected = [("certificate", thumbprint, Some("a"), 2), ("thumbprint", thumbprint, None, 4)];
    let expected = expected.into_iter().chain([("user_agent", "Mozilla/5.0 (X11)", Some("c"), 5)]);
    let expected = expected.map(|(kind, value, note, line)| (format!("{kind}:{value}"), note.map(str::to_owned), line));
    assert_eq!(all, expected.collect::<Vec<_>>());
    let errors = csv("type,value\ncertificate,CN=evil\nuser_agent,x\nmd5,96:abc:def\n").unwrap_err();
    assert_eq!(errors.iter().map(|e| (e.line, e.code)).collect::<Vec<_>>(), [(2, VALUE), (3, VALUE), (4, VALUE)]);
}

#[test]
fn nothing_but_white_space_before_the_header_is_no_header() {
    for text in ["  \ntype,value\nip,192.0.2.1\n", "\t\ntype,\"value\"\n\"ip\",192.0.2.1\n"] {
        let columns = Columns::read("type,value").unwrap();
        assert_eq!(whole(load_csv("list", "list.csv", text, &columns)).unwrap().len(), 1, "{text}");
    }
}

#[test]
fn a_cell_is_located_behind_quotes_comments_and_line_ends() {
    let text = "comment,type,value\n\"a, \"\"b\"\"\nc\",ip,300.1.1.1\n# x\n\n\"y\",ip,1.2.3\nz,ipv5,1.2.3.4\n";
    let errors = csv(text).unwrap_err();
    let at: Vec<_> = errors.iter().map(|e| (e.line, e.column, e.code)).collect();
    assert_eq!(at, [(3, 7, VALUE), (6, 8, VALUE), (7, 3, LIST_TYPE)]);
}

#[test]
fn cells_may_stand_between_semicolons_or_tabs() {
    for delimiter in [";", "\t"] {
        let text = "comment|Type|value\n\"a|b\"|ip|192.0.2.1\n\"a|b\"|ip|192.0.2.1,c\n|url|hxxp://evil[.]example/a,b\n";
        let text = text.replace('|', delimiter);
        let (pack, errors) = load_csv("list", "list.csv", &text, &Columns::read(text.lines().next().unwrap()).unwrap());
        let pack = pack.unwrap();
        assert_eq!(errors.iter().map(|e| (e.line, e.column, e.code)).collect::<Vec<_>>(), [(3, 10, VALUE)]);
        assert_eq!(pack.all().next().unwrap().note.as_deref(), Some(format!("a{delimiter}b").as_str()));
        assert_eq!(pack.len(), 2);
    }
    assert!(Columns::read("type value").is_none() && Columns::read("type;value,comment").is_none());
}

#[test]
fn a_quote_that_is_never_closed_swallows_no_line_silently() {
    let errors = csv("type,value\nip,192.0.2.1\ndomain,\"evil.example\nip,192.0.2.2\n").unwrap_err();
    assert_eq!((errors[0].line, errors[0].code), (3, SYNTAX));
    assert_eq!(csv("type,value,comment\nip,192.0.2.1,12\" disk\nip,192.0.2.2,\n").unwrap().len(), 2);
}

#[test]
fn plain_lists_tell_kinds_by_shape() {
    let text = "# list\nhxxps://evil[.]example/a#top\r\n\n  192.0.2.0/24   # net\nsomeone@evil.example\n";
    let pack = whole(load_plain("list", "list.txt", text)).unwrap();
    let ids: Vec<_> = pack.all().map(|i| i.id.clone()).collect();
    assert_eq!(ids.len(), 3, "{ids:?}");
    assert_eq!(ids[1..], ["ip:192.0.2.0/24", "email:someone@evil.example"]);
    let errors = whole(load_plain("list", "list.txt", "192.0.2.1\n\tno value\n")).unwrap_err();
    assert_eq!((errors[0].line, errors[0].column, errors[0].code), (2, 2, SHAPE));
}
