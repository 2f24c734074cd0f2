//! What goes wrong in one artifact stays there, and is said.

use std::io::{self, Read};

use super::*;
use crate::artifact_path::ArtifactPath;
use crate::decode::{Child, DecodeError, Decoder, Head, Input, Sink};
use crate::pack::load;
use crate::problem::Reason;
use crate::record::Block;

/// A container whose members are a decoder that panics, a sound text, and a block whose search panics.
struct Hostile;
struct Panicking;
struct PanickingBlock;

impl Decoder for Hostile {
    fn name(&self) -> &'static str {
        "hostile"
    }
    fn reads(&self) -> &'static str {
        "a test"
    }
    fn recognises(&self, _: &Head<'_>) -> bool {
        true
    }
    fn decode(&self, _: &mut Input<'_>, sink: &mut dyn Sink) -> Result<(), DecodeError> {
        let text = b"before\nseen evil.example here\n".as_slice();
        for (name, decoder) in [("panics", Some(&Panicking as &'static dyn Decoder)), ("sound", None)] {
            let mut content = text;
            sink.child(Child { name, content: &mut content, decoder, claimed_size: None })?;
        }
        sink.block(Box::new(PanickingBlock));
        Ok(())
    }
}

impl Decoder for Panicking {
    fn name(&self) -> &'static str {
        "panicking"
    }
    fn reads(&self) -> &'static str {
        "a test"
    }
    fn recognises(&self, _: &Head<'_>) -> bool {
        true
    }
    fn decode(&self, _: &mut Input<'_>, _: &mut dyn Sink) -> Result<(), DecodeError> {
        panic!("a decoder's fault")
    }
}

impl Block for PanickingBlock {
    fn bytes(&self) -> &[u8] {
        b"evil.example"
    }
    fn records(&self) -> u64 {
        1
    }
    fn record_at(&self, _: usize) -> Option<crate::record::Span> {
        panic!("a block's fault")
    }
    fn record(&self, _: &crate::record::Span) -> crate::record::Record<'_> {
        crate::record::Record::default()
    }
    fn source_offset(&self, offset: usize) -> u64 {
        offset as u64
    }
    fn line(&self, _: usize) -> Option<u64> {
        None
    }
    fn may_have_field(&self, _: &str) -> bool {
        true
    }
}

fn ruleset() -> Ruleset {
    Ruleset::compile(vec![load("list.txt", b"evil.example\n").unwrap()]).unwrap()
}

fn plan() -> Plan {
    Plan { paths: Vec::new(), limits: Limits::default(), threads: Some(2), digest: Digest::Computed }
}

fn memory(name: &str, bytes: &[u8]) -> Item {
    Item { path: ArtifactPath::evidence(name), source: Source::Memory(bytes.to_vec()) }
}

fn problems(report: &Report) -> Vec<(String, Reason)> {
    report.problems.iter().map(Result::unwrap).map(|problem| (problem.artifact, problem.reason)).collect()
}

#[test]
fn a_panic_is_a_problem_of_its_artifact_and_of_no_other() {
    let ruleset = ruleset();
    let evaluated = ruleset.evaluated();
    let watch = Watch::default();
    let shared = Shared {
        ruleset: &ruleset,
        evaluated: &evaluated,
        watch: &watch,
        limits: Limits::default(),
        digest: Digest::Computed,
        needed: Vec::new(),
        collector: Collector::new(1),
        queue: Queue::new(0, 0),
    };
    let worker = Worker::new(&shared);
    let state = std::sync::Arc::new(artifact::ArtifactState::evidence(ArtifactPath::evidence("case"), 0));
    let budget = std::sync::Arc::new(crate::budget::Budget::default());
    let mut bytes = b"anything".as_slice();
    let child = Child { name: "", content: &mut bytes, decoder: Some(&Hostile), claimed_size: None };
    assert!(artifact::run(&worker, &state, child.into(), &budget, 0).is_none());
    state.release(&shared);
    drop(worker);
    let collected = shared.collector.finish().unwrap();
    let report = sum_up(&plan(), &ruleset, evaluated, collected, false);
    assert_eq!(problems(&report), [("case".to_owned(), Reason::Panic), ("case!/panics".to_owned(), Reason::Panic)]);
    assert_eq!((report.ledger.total.met, report.ledger.total.examined, report.ledger.total.failed), (3, 1, 2));
    let found: Vec<_> = report.sightings.iter().map(Result::unwrap).map(|sighting| sighting.artifact).collect();
    assert_eq!(found, ["case!/sound"]);
}

#[test]
fn what_stands_in_parts_of_one_record_is_told_once() {
    // Every value in the middle of the second half of a part stands in the next part, too.
    let words = "word ".repeat(600);
    let text = format!("{words}evil.example {words}evil.example {words}EVIL.example {words}evil.example {words}\n");
    let limits = Limits { record_bytes: 4096, ..Limits::default() };
    let ruleset = ruleset();
    for threads in [1, 2, 8] {
        let plan = Plan { limits: limits.clone(), threads: Some(threads), ..plan() };
        let report = scan(&plan, vec![memory("a", text.as_bytes())], &ruleset, &Watch::default()).unwrap();
        let found: Vec<_> = report.sightings.iter().map(Result::unwrap).collect();
        let [one] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((one.record, one.offset), (Some(1), Some(words.len() as u64)));
        // What stands where two parts overlap is counted in both.
        assert!((4..=8).contains(&one.occurrences), "{}", one.occurrences);
        assert_eq!(report.summary.sightings, 1);
        assert_eq!(problems(&report), [("a".to_owned(), Reason::Limit)]);
    }
}

#[test]
fn a_stopped_scan_lists_what_it_did_not_read_and_is_not_complete() {
    let watch = Watch::default();
    watch.cancelled.store(true, Ordering::Relaxed);
    let items = vec![memory("a", b"evil.example\n"), memory("b", b"x\n")];
    let ruleset = ruleset();
    let report = scan(&plan(), items, &ruleset, &watch).unwrap();
    assert_eq!(problems(&report), [("a".to_owned(), Reason::Interrupted), ("b".to_owned(), Reason::Interrupted)]);
    assert!(!report.summary.complete && report.summary.interrupted);
}

/// Gives some bytes, then an error, as a failing disk does.
struct Failing(usize);

impl Read for Failing {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::Error::other("the disk failed"));
        }
        let n = self.0.min(buf.len());
        buf.iter_mut().take(n).for_each(|byte| *byte = b'x');
        self.0 -= n;
        Ok(n)
    }
}

#[test]
fn what_was_read_before_an_error_is_counted_and_not_digested() {
    for good in [0, 10, 200_000] {
        let mut failing = Failing(good);
        let mut tee = tee::Tee::new(&mut failing, tee::Digester::new(&[HashKind::Sha256]), 0, None);
        tee.drain();
        let learnt = tee.finish(true);
        assert_eq!(learnt.bytes, good as u64);
        assert!(learnt.error.is_some() && learnt.digests.is_none());
    }
}
