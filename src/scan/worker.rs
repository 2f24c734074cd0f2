//! The workers: each takes blocks that wait to be searched, else the next piece of evidence, until nothing is left.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::budget::Budget;
use crate::evidence::{Item, Source};
use crate::matching::Matcher;
use crate::problem::{Outcome, Problem, Reason};
use crate::record::Block;

use super::Shared;
use super::artifact::{ArtifactState, Content, lock, panic_text, run, search};

/// A block that waits to be searched.
pub(super) struct Job {
    pub state: Arc<ArtifactState>,
    pub block: Box<dyn Block>,
}

/// What waits to be done. Blocks go before new evidence, so that few of them wait.
pub(super) struct Queue {
    state: Mutex<Waiting>,
    changed: Condvar,
    most_jobs: usize,
    items: usize,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    next_item: usize,
    reading: usize,
}

enum Task {
    Search(Job),
    Examine(usize),
}

impl Queue {
    /// Makes a queue of so many pieces of evidence, in which at most `most_jobs` blocks wait.
    pub fn new(items: usize, most_jobs: usize) -> Self {
        Self { state: Mutex::default(), changed: Condvar::new(), most_jobs, items }
    }

    /// Queues a block, or gives it back where enough of them wait.
    pub fn offer(&self, job: Job) -> Option<Job> {
        let mut waiting = lock(&self.state);
        if waiting.jobs.len() >= self.most_jobs {
            return Some(job);
        }
        waiting.jobs.push_back(job);
        self.changed.notify_one();
        None
    }

    fn take(&self) -> Option<Task> {
        let mut waiting = lock(&self.state);
        loop {
            if let Some(job) = waiting.jobs.pop_front() {
                return Some(Task::Search(job));
            }
            if waiting.next_item < self.items {
                let index = waiting.next_item;
                waiting.next_item += 1;
                waiting.reading += 1;
                return Some(Task::Examine(index));
            }
            if waiting.reading == 0 {
                return None;
            }
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn done_reading(&self) {
        lock(&self.state).reading -= 1;
        self.changed.notify_all();
    }
}

/// One thread's part of a scan, with a matcher of its own.
pub(super) struct Worker<'s> {
    pub shared: &'s Shared<'s>,
    matcher: RefCell<Option<Matcher<'s>>>,
}

impl<'s> Worker<'s> {
    /// Makes a worker; its matcher is made when it is first needed.
    pub fn new(shared: &'s Shared<'s>) -> Self {
        Self { shared, matcher: RefCell::new(None) }
    }

    /// Works until nothing is left.
    pub fn work(&self, items: &[Item]) {
        while let Some(task) = self.shared.queue.take() {
            match task {
                Task::Search(job) => search(self, &job),
                Task::Examine(index) => {
                    if let Some(item) = items.get(index) {
                        self.examine(index, item);
                    }
                    self.shared.queue.done_reading();
                }
            }
        }
    }

    /// Lends the matcher. One that panicked is not used again.
    pub fn with_matcher<T>(&self, work: impl FnOnce(&mut Matcher<'s>) -> Result<T, String>) -> Result<T, String> {
        let mut matcher =
            self.matcher.take().unwrap_or_else(|| Matcher::new(self.shared.ruleset, self.shared.evaluated));
        let result =
            catch_unwind(AssertUnwindSafe(|| work(&mut matcher))).map_err(|panic| panic_text(panic.as_ref()))?;
        self.matcher.replace(Some(matcher));
        result
    }

    /// Reads one piece of evidence, members and all.
    fn examine(&self, index: usize, item: &Item) {
        let shared = self.shared;
        let state = Arc::new(ArtifactState::evidence(item.path.clone(), index));
        match &item.source {
            _ if shared.is_cancelled() => {
                state.fail(shared, Reason::Interrupted, "the scan was stopped before this file was read", None)
            }
            Source::Skipped(reason) => {
                let why = match reason {
                    Reason::Symlink => "a symbolic link is not followed; name its target to scan it",
                    Reason::SpecialFile => "a device, pipe or socket is not opened",
                    _ => "left out",
                };
                shared.collector.problem(&state.next_key(), &Problem::new(&state.path, *reason, why, None));
                shared.collector.close(state.place(), "-", Outcome::Skipped(*reason), 0);
                return;
            }
            Source::Unreadable(error) => state.fail(shared, Reason::Unreadable, error, None),
            Source::Memory(bytes) => {
                let budget = Arc::new(Budget::new(shared.limits.clone()));
                run(self, &state, Content::of(&mut bytes.as_slice()), &budget, 0);
            }
            Source::File { path, bytes } => match File::open(path) {
                Ok(mut file) => {
                    let second = File::open(path);
                    let budget = Arc::new(Budget::new(shared.limits.clone()));
                    let mut content = Content::of(&mut file);
                    content.file = second.ok();
                    run(self, &state, content, &budget, 0);
                }
                Err(error) => {
                    let detail = format!("{error}; it was not opened");
                    state.fail(shared, Reason::Unreadable, &detail, Some(*bytes));
                }
            },
        }
        shared.watch.files_done.fetch_add(1, Ordering::Relaxed);
        state.release(shared);
    }
}
