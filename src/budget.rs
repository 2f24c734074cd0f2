//! Every limit of a scan, in one object that all decoders share: depth, output, ratio, children, record size.
//!
//! Limits are counts, never clocks, so the same evidence is cut at the same byte on any machine.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The limits, each with the name that `--limit NAME=VALUE` takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `depth`: containers inside containers.
    pub depth: u64,
    /// `output`: bytes that one evidence file may unfold to, all its members together.
    pub output_bytes: u64,
    /// `ratio`: bytes out for each byte in, of one compressed stream, once it has passed `RATIO_GRACE_BYTES`.
    pub ratio: u64,
    /// `children`: members of one evidence file, all containers in it together.
    pub children: u64,
    /// `message`: bytes of one mail message, which is read whole.
    pub message_bytes: u64,
    /// `record`: bytes of one line, row or JSON value; a longer one is cut into pieces of this size.
    pub record_bytes: u64,
}

/// Output below which the ratio of a stream is not judged: small files legitimately compress very well.
pub const RATIO_GRACE_BYTES: u64 = 64 << 20;

/// The least that `record` may be: pieces of a longer record overlap by half of one at most, in which the longest
/// indicators must have room.
pub const LEAST_RECORD_BYTES: u64 = 4096;

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 16,
            output_bytes: 1 << 40,
            // Deflate cannot pass 1,032 to 1; real logs stay below 200 to 1.
            ratio: 1_000,
            children: 2_000_000,
            message_bytes: 256 << 20,
            record_bytes: 16 << 20,
        }
    }
}

/// A limit's name, its field, and its meaning, as `--limit` and its help take them.
pub type LimitEntry = (&'static str, fn(&mut Limits) -> &mut u64, &'static str);

/// Every limit. A new limit is one field and one line here.
pub const LIMITS: &[LimitEntry] = &[
    ("depth", |l| &mut l.depth, "containers inside containers"),
    ("output", |l| &mut l.output_bytes, "bytes that one evidence file may unfold to"),
    ("ratio", |l| &mut l.ratio, "bytes out for each compressed byte in"),
    ("children", |l| &mut l.children, "members of one evidence file"),
    ("message", |l| &mut l.message_bytes, "bytes of one mail message"),
    ("record", |l| &mut l.record_bytes, "bytes of one line, row or JSON value"),
];

/// Says which limit was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// The limit's name in `LIMITS`.
    pub limit: &'static str,
    /// The value that was in force.
    pub value: u64,
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cut off by the limit {}={}; raise it with --limit {}=N", self.limit, self.value, self.limit)
    }
}

impl std::error::Error for Exceeded {}

impl From<Exceeded> for io::Error {
    fn from(exceeded: Exceeded) -> Self {
        io::Error::other(exceeded)
    }
}

/// Returns the limit behind an I/O error, where it was one that ended the read.
pub fn exceeded(error: &io::Error) -> Option<Exceeded> {
    error.get_ref().and_then(|inner| inner.downcast_ref::<Exceeded>()).copied()
}

/// What one evidence file has used of its limits. Shared by all decoders that work on it.
#[derive(Debug, Default)]
pub struct Budget {
    limits: Limits,
    output_bytes: AtomicU64,
    children: AtomicU64,
}

impl Budget {
    /// Starts a budget with nothing used.
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Returns the limits in force.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Counts one member at `depth` (evidence is 0, its members 1).
    ///
    /// # Errors
    /// `Exceeded` when the member would pass `depth` or `children`; it must then not be opened.
    pub fn enter(&self, depth: u64) -> Result<(), Exceeded> {
        if depth > self.limits.depth {
            return Err(Exceeded { limit: "depth", value: self.limits.depth });
        }
        let before = self.children.fetch_add(1, Ordering::Relaxed);
        if before >= self.limits.children {
            return Err(Exceeded { limit: "children", value: self.limits.children });
        }
        Ok(())
    }

    /// Counts `bytes` of unfolded output.
    ///
    /// # Errors
    /// `Exceeded` when `output` is passed.
    pub fn spend(&self, bytes: u64) -> Result<(), Exceeded> {
        let before = self.output_bytes.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > self.limits.output_bytes {
            return Err(Exceeded { limit: "output", value: self.limits.output_bytes });
        }
        Ok(())
    }
}

/// Counts the compressed bytes that a decompressor has taken in.
#[derive(Debug)]
pub struct Counted<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Counted<R> {
    /// Wraps the compressed side; the second value is the count to hand to [`Limited`].
    pub fn new(inner: R) -> (Self, Arc<AtomicU64>) {
        let count = Arc::new(AtomicU64::new(0));
        (Self { inner, count: Arc::clone(&count) }, count)
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.count.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// Reads the unfolded side of a container's member within the budget: every decompressor is read through this.
///
/// A limit that is met ends the read with an `io::Error` that [`exceeded`] recognises; bytes before it are valid.
#[derive(Debug)]
pub struct Limited<'b, R> {
    inner: R,
    budget: &'b Budget,
    taken_in: Option<Arc<AtomicU64>>,
    given_out: u64,
}

impl<'b, R: Read> Limited<'b, R> {
    /// Wraps `inner`; `taken_in` counts its compressed bytes where it has any (see [`Counted`]).
    pub fn new(inner: R, budget: &'b Budget, taken_in: Option<Arc<AtomicU64>>) -> Self {
        Self { inner, budget, taken_in, given_out: 0 }
    }
}

impl<R: Read> Read for Limited<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.budget.spend(n as u64)?;
        self.given_out += n as u64;
        if let Some(count) = &self.taken_in
            && self.given_out > RATIO_GRACE_BYTES
        {
            let taken_in = count.load(Ordering::Relaxed).max(1);
            if self.given_out / taken_in > self.budget.limits.ratio {
                return Err(Exceeded { limit: "ratio", value: self.budget.limits.ratio }.into());
            }
        }
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(output_bytes: u64, children: u64) -> Budget {
        Budget::new(Limits { output_bytes, children, ..Limits::default() })
    }

    #[test]
    fn output_is_cut_after_the_limit_and_not_at_it() {
        for (size, fits) in [(9_u64, true), (10, true), (11, false)] {
            let budget = budget(10, 1);
            let mut out = Vec::new();
            let read = Limited::new(io::repeat(b'x').take(size), &budget, None).read_to_end(&mut out);
            assert_eq!(read.is_ok(), fits, "{size}");
            if let Err(error) = read {
                assert_eq!(exceeded(&error), Some(Exceeded { limit: "output", value: 10 }));
            }
        }
    }

    #[test]
    fn children_and_depth_are_cut_after_the_limit() {
        let budget = budget(10, 2);
        assert!(budget.enter(16).is_ok());
        assert!(budget.enter(1).is_ok());
        assert_eq!(budget.enter(1).unwrap_err().limit, "children");
        assert_eq!(budget.enter(17).unwrap_err().limit, "depth");
    }

    #[test]
    fn the_ratio_is_judged_only_beyond_the_grace() {
        let budget = Budget::new(Limits { ratio: 10, ..Limits::default() });
        let count = Arc::new(AtomicU64::new(1));
        let small = io::repeat(0).take(RATIO_GRACE_BYTES);
        assert!(io::copy(&mut Limited::new(small, &budget, Some(Arc::clone(&count))), &mut io::sink()).is_ok());
        let large = io::repeat(0).take(RATIO_GRACE_BYTES + (1 << 20));
        let error = io::copy(&mut Limited::new(large, &budget, Some(count)), &mut io::sink()).unwrap_err();
        assert_eq!(exceeded(&error).map(|e| e.limit), Some("ratio"));
    }
}
