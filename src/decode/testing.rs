//! A sink for the decoders' own tests: it decodes children in turn and keeps everything that it was given.

use std::io::{self, Read};
use std::sync::Arc;

use super::{Child, DecodeError, Input, Sink, decoder_for};
use crate::artifact_path::ArtifactPath;
use crate::budget::{Budget, Limits, exceeded};
use crate::problem::Reason;
use crate::record::Block;

/// Everything that one evidence file gave.
#[derive(Default)]
pub struct Collected {
    pub blocks: Vec<(String, Box<dyn Block>)>,
    pub children: Vec<String>,
    pub decoders: Vec<(String, &'static str)>,
    pub problems: Vec<(String, Reason, String)>,
    pub unopened: Vec<(String, Reason)>,
    pub child_bytes: u64,
}

impl Collected {
    /// Returns the text of all blocks of an artifact, one after the other.
    pub fn text(&self, artifact: &str) -> String {
        let blocks = self.blocks.iter().filter(|(path, _)| path == artifact);
        blocks.map(|(_, block)| String::from_utf8_lossy(block.bytes()).into_owned()).collect()
    }

    /// Returns the artifacts whose text holds `needle`.
    pub fn holding(&self, needle: &str) -> Vec<&str> {
        let holds = |bytes: &[u8]| memchr::memmem::find(bytes, needle.as_bytes()).is_some();
        self.blocks.iter().filter(|(_, block)| holds(block.bytes())).map(|(path, _)| path.as_str()).collect()
    }

    /// Returns the reasons given for an artifact.
    pub fn reasons(&self, artifact: &str) -> Vec<Reason> {
        self.problems.iter().filter(|(path, ..)| path == artifact).map(|(_, reason, _)| *reason).collect()
    }
}

/// Decodes bytes as the evidence file `name`.
pub fn decode(name: &str, bytes: &[u8]) -> Collected {
    decode_within(name, bytes, Limits::default())
}

/// Decodes bytes within limits.
pub fn decode_within(name: &str, mut bytes: &[u8], limits: Limits) -> Collected {
    let mut collected = Collected::default();
    let budget = Arc::new(Budget::new(limits));
    let path = ArtifactPath::evidence(name);
    let outcome = run(&path, 0, &budget, &mut bytes, None, &mut collected);
    assert!(outcome.is_ok(), "a slice cannot fail to be read");
    collected
}

fn run(
    path: &ArtifactPath,
    depth: u64,
    budget: &Arc<Budget>,
    content: &mut dyn Read,
    decoder: Option<&'static dyn super::Decoder>,
    collected: &mut Collected,
) -> io::Result<()> {
    let mut watched = Watched { inner: content, error: None, bytes: 0 };
    let mut input = Input::new(&mut watched);
    let decoder = decoder.unwrap_or_else(|| decoder_for(&input.head()));
    collected.decoders.push((path.to_string(), decoder.name()));
    let mut sink = Collecting { path: path.clone(), depth, budget: Arc::clone(budget), collected };
    let outcome = decoder.decode(&mut input, &mut sink);
    if outcome.is_ok() {
        // What ends this is in `watched`.
        io::copy(&mut input, &mut io::sink()).ok();
    }
    drop(input);
    collected.child_bytes += watched.bytes;
    match outcome {
        Err(DecodeError::Damaged { reason, detail }) => collected.problems.push((path.to_string(), reason, detail)),
        Err(DecodeError::Read(error)) if watched.error.is_none() => panic!("a read error of its own: {error}"),
        _ => {}
    }
    match watched.error {
        None => Ok(()),
        Some(error) => {
            let reason = match error.kind() {
                _ if exceeded(&error).is_some() => Reason::Limit,
                io::ErrorKind::UnexpectedEof => Reason::Truncated,
                _ => Reason::Corrupt,
            };
            collected.problems.push((path.to_string(), reason, error.to_string()));
            Err(error)
        }
    }
}

/// Keeps the error that a reader ended with.
struct Watched<'r> {
    inner: &'r mut dyn Read,
    error: Option<io::Error>,
    bytes: u64,
}

impl Read for Watched<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if let Some(error) = &self.error {
            return Err(again(error));
        }
        match self.inner.read(buf) {
            Ok(n) => {
                self.bytes += n as u64;
                Ok(n)
            }
            Err(error) => {
                self.error = Some(again(&error));
                Err(error)
            }
        }
    }
}

fn again(error: &io::Error) -> io::Error {
    match exceeded(error) {
        Some(limit) => limit.into(),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}

struct Collecting<'c> {
    path: ArtifactPath,
    depth: u64,
    budget: Arc<Budget>,
    collected: &'c mut Collected,
}

impl Sink for Collecting<'_> {
    fn block(&mut self, block: Box<dyn Block>) {
        self.collected.blocks.push((self.path.to_string(), block));
    }

    fn child(&mut self, child: Child<'_>) -> io::Result<()> {
        let path = self.path.member(child.name);
        self.collected.children.push(path.to_string());
        if let Err(limit) = self.budget.enter(self.depth + 1) {
            self.collected.problems.push((path.to_string(), Reason::Limit, limit.to_string()));
            return Err(limit.into());
        }
        run(&path, self.depth + 1, &self.budget, child.content, child.decoder, self.collected)
    }

    fn unopened(&mut self, name: &str, reason: Reason, detail: &str, _: Option<u64>) {
        let path = self.path.member(name);
        self.collected.unopened.push((path.to_string(), reason));
        self.collected.problems.push((path.to_string(), reason, detail.to_owned()));
    }

    fn problem(&mut self, reason: Reason, detail: &str, _: Option<u64>) {
        self.collected.problems.push((self.path.to_string(), reason, detail.to_owned()));
    }

    fn mentions_only(&mut self) {}

    fn budget(&self) -> Arc<Budget> {
        Arc::clone(&self.budget)
    }

    fn file_name(&self) -> String {
        self.path.file_name().to_owned()
    }

    fn is_cancelled(&self) -> bool {
        false
    }
}
