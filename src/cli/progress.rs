//! Progress on stderr: a bar on a terminal, a line now and then in a log, nothing when asked to be quiet.
//!
//! What is found goes to stdout and is written by `report/`.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::{BinaryBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often the bar is drawn.
const BAR_INTERVAL: Duration = Duration::from_millis(200);
/// How often a line is written: a log of a day's scan stays below 3,000 lines.
const LINE_INTERVAL: Duration = Duration::from_secs(30);
/// The bar, and the spinner where the total is not known.
const BAR: &str = "{bar:24} {binary_bytes} of {binary_total_bytes}  {binary_bytes_per_sec}  {eta} left  {msg}";
const SPINNER: &str = "{spinner} {binary_bytes}  {binary_bytes_per_sec}  {msg}";

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgressMode {
    /// A bar, for a terminal.
    Bar,
    /// A line now and then, for a log.
    Lines,
    /// Nothing.
    Quiet,
}

/// Progress being shown, until it is finished or dropped.
#[derive(Debug)]
pub struct Progress {
    counters: Counters,
    shown_by: Option<(Sender<()>, JoinHandle<()>)>,
}

/// What has been done, counted by any number of threads.
#[derive(Clone, Debug, Default)]
struct Counters {
    total_bytes: Arc<AtomicU64>,
    bytes: Arc<AtomicU64>,
    files: Arc<AtomicU64>,
}

/// Shows progress from a thread of its own; 0 for `total_bytes` where the total is not known yet.
///
/// Where the thread cannot be started, nothing is shown: the scan does not depend on it.
pub fn start(total_bytes: u64, mode: ProgressMode) -> Progress {
    let counters = Counters::default();
    counters.total_bytes.store(total_bytes, Ordering::Relaxed);
    let show: fn(&Counters, &mpsc::Receiver<()>) = match mode {
        ProgressMode::Bar => show_bar,
        ProgressMode::Lines => show_lines,
        ProgressMode::Quiet => return Progress { counters, shown_by: None },
    };
    let (stop, stopped) = mpsc::channel();
    let shared = counters.clone();
    let thread = thread::Builder::new().name("progress".to_owned()).spawn(move || show(&shared, &stopped));
    Progress { counters, shown_by: thread.ok().map(|thread| (stop, thread)) }
}

impl Progress {
    /// Counts bytes of evidence that are done.
    pub fn add(&self, bytes: u64) {
        self.counters.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Returns the counter of bytes done, for a scan that counts them itself.
    pub fn bytes(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.counters.bytes)
    }

    /// Returns the counter of evidence files done.
    pub fn files(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.counters.files)
    }

    /// Returns the total, for a scan that learns it on its way.
    pub fn total_bytes(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.counters.total_bytes)
    }

    /// Takes the bar away, and waits until that is done, so that nothing is drawn over what follows.
    pub fn finish(mut self) {
        self.stop();
    }

    fn stop(&mut self) {
        if let Some((stop, thread)) = self.shown_by.take() {
            drop(stop);
            // The thread can only fail in drawing, and there is nobody left to tell.
            thread.join().unwrap_or_default();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Counters {
    fn read(&self) -> (u64, u64, u64) {
        let [total, bytes, files] =
            [&self.total_bytes, &self.bytes, &self.files].map(|counter| counter.load(Ordering::Relaxed));
        (total, bytes, files)
    }
}

/// Tells whether the scan goes on after waiting for `interval`.
fn goes_on(stopped: &mpsc::Receiver<()>, interval: Duration) -> bool {
    matches!(stopped.recv_timeout(interval), Err(RecvTimeoutError::Timeout))
}

fn show_bar(counters: &Counters, stopped: &mpsc::Receiver<()>) {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let mut known_total = None;
    while goes_on(stopped, BAR_INTERVAL) {
        let (total, bytes, files) = counters.read();
        if known_total != Some(total) {
            known_total = Some(total);
            let template = if total == 0 { SPINNER } else { BAR };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            if total > 0 {
                bar.set_length(total);
            }
        }
        bar.set_message(files_text(files));
        bar.set_position(bytes);
        bar.tick();
    }
    bar.finish_and_clear();
}

fn show_lines(counters: &Counters, stopped: &mpsc::Receiver<()>) {
    let started = Instant::now();
    while goes_on(stopped, LINE_INTERVAL) {
        let (total, bytes, files) = counters.read();
        let line = progress_line(total, bytes, files, started.elapsed());
        if io::stderr().lock().write_all(line.as_bytes()).is_err() {
            return;
        }
    }
}

/// Writes `stormglass: 1.20 GiB of 3.00 GiB, 412 files, 350.00 MiB/s`.
fn progress_line(total: u64, bytes: u64, files: u64, elapsed: Duration) -> String {
    let of_total = if total == 0 { String::new() } else { format!(" of {}", BinaryBytes(total)) };
    let per_second = u128::from(bytes) * 1_000 / elapsed.as_millis().max(1);
    let rate = u64::try_from(per_second).unwrap_or(u64::MAX);
    format!("stormglass: {}{of_total}, {}, {}/s\n", BinaryBytes(bytes), files_text(files), BinaryBytes(rate))
}

fn files_text(files: u64) -> String {
    format!("{files} file{}", if files == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_bytes_files_and_rate() {
        let line = progress_line(3 << 30, 3 << 29, 412, Duration::from_secs(3));
        assert_eq!(line, "stormglass: 1.50 GiB of 3.00 GiB, 412 files, 512.00 MiB/s\n");
        let line = progress_line(0, 0, 1, Duration::ZERO);
        assert_eq!(line, "stormglass: 0 B, 1 file, 0 B/s\n");
    }

    #[test]
    fn threads_count_into_one_progress_and_it_ends_in_every_mode() {
        for mode in [ProgressMode::Quiet, ProgressMode::Lines, ProgressMode::Bar] {
            let progress = start(1_000, mode);
            thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| progress.add(250));
                }
            });
            assert_eq!(progress.bytes().load(Ordering::Relaxed), 1_000);
            progress.finish();
        }
    }
}
