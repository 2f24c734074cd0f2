//! Where a decoder's output goes in a scan: blocks to the matchers, members to their own decoders.

use std::io;
use std::sync::Arc;

use crate::budget::Budget;
use crate::decode::{Child, Sink};
use crate::problem::{Outcome, Problem, Reason};
use crate::record::Block;

use super::artifact::{ArtifactState, run, submit};
use super::worker::Worker;

/// The sink of one artifact.
pub(super) struct ArtifactSink<'w, 's> {
    worker: &'w Worker<'s>,
    state: Arc<ArtifactState>,
    budget: Arc<Budget>,
    depth: u64,
    children: u32,
}

impl<'w, 's> ArtifactSink<'w, 's> {
    /// Makes the sink of the artifact at `depth` (evidence is 0).
    pub fn new(worker: &'w Worker<'s>, state: Arc<ArtifactState>, budget: Arc<Budget>, depth: u64) -> Self {
        Self { worker, state, budget, depth, children: 0 }
    }

    fn next_child(&mut self, name: &str) -> ArtifactState {
        let index = self.children;
        self.children = self.children.saturating_add(1);
        self.state.member(name, index)
    }
}

impl Sink for ArtifactSink<'_, '_> {
    fn block(&mut self, block: Box<dyn Block>) {
        submit(self.worker, &self.state, block);
    }

    fn child(&mut self, child: Child<'_>) -> io::Result<()> {
        if let Err(exceeded) = self.budget.enter(self.depth + 1) {
            if exceeded.limit == "depth" {
                self.unopened(child.name, Reason::Limit, &exceeded.to_string(), child.claimed_size);
                return Ok(());
            }
            return Err(exceeded.into());
        }
        let state = Arc::new(self.next_child(child.name));
        let error = run(self.worker, &state, child.into(), &self.budget, self.depth + 1);
        state.release(self.worker.shared);
        error.map_or(Ok(()), Err)
    }

    fn unopened(&mut self, name: &str, reason: Reason, detail: &str, bytes: Option<u64>) {
        let state = self.next_child(name);
        self.worker.shared.collector.problem(&state.next_key(), &Problem::new(&state.path, reason, detail, bytes));
        let outcome = if reason.is_skip() { Outcome::Skipped(reason) } else { Outcome::Failed(reason) };
        self.worker.shared.collector.close(state.place(), "-", outcome, 0);
    }

    fn problem(&mut self, reason: Reason, detail: &str, bytes: Option<u64>) {
        self.state.fail(self.worker.shared, reason, detail, bytes);
    }

    fn mentions_only(&mut self) {
        self.state.mentions_only();
    }

    fn budget(&self) -> Arc<Budget> {
        Arc::clone(&self.budget)
    }

    fn file_name(&self) -> String {
        self.state.path.file_name().to_owned()
    }

    fn is_cancelled(&self) -> bool {
        self.worker.shared.is_cancelled()
    }
}
