//! Mailboxes made in memory.

use super::super::testing::{decode, decode_within};
use super::*;
use crate::budget::Limits;
use crate::problem::Reason;

const FROM: &str = "From a@b.example Wed Jul  1 13:17:17 1998\n";

fn message(body: &str) -> String {
    format!("{FROM}From: a@b.example\nSubject: x\n\n{body}\n")
}

/// Returns the text of each message.
fn split(mailbox: &[u8]) -> Vec<String> {
    let mut splitter = Splitter::new(mailbox);
    let mut messages = Vec::new();
    while splitter.next_message().unwrap() {
        let mut message = String::new();
        splitter.read_to_string(&mut message).unwrap();
        messages.push(message);
    }
    messages
}

#[test]
fn messages_are_members_with_their_separator() {
    let mailbox = format!("\r\n\n{}\n{}", message("one.example"), message(">From here\n\nFrom there\nno header"));
    let collected = decode("a.mbox", mailbox.as_bytes());
    assert_eq!(collected.children, ["a.mbox!/message-1", "a.mbox!/message-2"]);
    assert_eq!(collected.decoders[1], ("a.mbox!/message-1".to_owned(), "mail"));
    assert_eq!(collected.holding("one.example"), ["a.mbox!/message-1"]);
    assert!(collected.text("a.mbox!/message-2").contains(">From here"));
    let dos = mailbox.replace('\n', "\r\n");
    assert_eq!(decode("a", dos.as_bytes()).children.len(), 2);
}

#[test]
fn messages_together_are_the_mailbox_wherever_reads_end() {
    for length in CHUNK_BYTES - 120..CHUNK_BYTES + 20 {
        let first = message(&"x".repeat(length));
        let mailbox = format!("{first}\n{}\n{}", message("second"), message("third"));
        let messages = split(mailbox.as_bytes());
        assert_eq!(messages.len(), 3, "{length}");
        assert_eq!(messages.concat(), mailbox);
        assert!(messages.iter().all(|message| message.starts_with(FROM)));
    }
}

#[test]
fn a_missing_empty_line_is_forgiven_before_a_known_header_only() {
    let known = format!("{}{}", message("one"), message("two"));
    assert_eq!(split(known.as_bytes()).len(), 2);
    let unknown = format!("{}{FROM}Year: 1998\n", message("one"));
    assert_eq!(split(unknown.as_bytes()).len(), 1);
    let quoted = format!("{}\n{FROM}no header here\n", message("one"));
    assert_eq!(split(quoted.as_bytes()).len(), 1);
}

#[test]
fn a_content_length_counts_only_where_its_end_is_one() {
    let body = format!("text\n\n{}", message("quoted"));
    for (claimed, messages) in [(body.len(), 2), (body.len() + 1, 2), (body.len() - 3, 3), (body.len() + 9, 3), (7, 3)]
    {
        let mailbox = format!("{FROM}From: a@b.example\nContent-Length: {claimed}\n\n{body}\n{}", message("last"));
        assert_eq!(split(mailbox.as_bytes()).len(), messages, "{claimed}");
    }
    let last = format!("{FROM}Content-Length: {}\n\n{body}", body.len());
    assert_eq!(split(last.as_bytes()).len(), 1);
}

#[test]
fn a_truncated_mailbox_gives_its_last_message_as_far_as_it_goes() {
    struct Cut<'r>(&'r [u8]);
    impl Read for Cut<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buf) {
                Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
                outcome => outcome,
            }
        }
    }
    let mailbox = format!("{}\n{}", message("one"), message("cut off"));
    let mut splitter = Splitter::new(Cut(mailbox.as_bytes()));
    let mut read = Vec::new();
    assert!(splitter.next_message().unwrap());
    splitter.read_to_end(&mut read).unwrap();
    assert!(splitter.next_message().unwrap());
    assert_eq!(splitter.read_to_end(&mut read).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    assert_eq!(read, mailbox.as_bytes());
}

#[test]
fn a_separator_before_headers_tells_a_mailbox() {
    let is_mbox = |text: &str| Mbox.recognises(&Head { bytes: text.as_bytes(), is_whole: true });
    assert!(is_mbox(&message("x")));
    assert!(is_mbox("From - \nFrom: a@b.example\n"));
    assert!(!is_mbox("From here on all is well\nand so on\n"));
    assert!(!is_mbox("From: a@b.example\nTo: x\n"));
    assert!(!is_mbox(""));
}

#[test]
fn messages_are_limited() {
    let mailbox = format!("{}\n{}\n{}", message("one"), message("two"), message("three"));
    let collected = decode_within("a", mailbox.as_bytes(), Limits { children: 2, ..Limits::default() });
    assert_eq!(collected.reasons("a"), [Reason::Limit]);
    assert!(decode_within("a", mailbox.as_bytes(), Limits { children: 3, ..Limits::default() }).problems.is_empty());
}
