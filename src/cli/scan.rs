//! `stormglass scan`

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};

use crate::budget::{LEAST_RECORD_BYTES, LIMITS, Limits};
use crate::pack::Severity;
use crate::report::{Colour, CoverageDetail, RENDERERS, Report, Style, renderer};
use crate::scan::{Digest, Item, Plan, Source, WORKER_NAME, Watch, evidence_of, scan};

use super::packs::KeptPackArguments;
use super::progress::{self, ProgressMode};
use super::{Exit, Refusal, say, settle};

/// Search evidence for what the packs describe
///
/// Each PATH is a file or a folder; folders are searched whole, links in them are not followed. What a file is, is told by
/// its content. Containers, mailboxes and compressed files are opened, in any nesting.
#[derive(Debug, Args)]
pub(super) struct ScanArguments {
    /// Files and folders of evidence
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    packs: KeptPackArguments,
    /// How to write the report
    #[arg(long, default_value = "text", value_parser = PossibleValuesParser::new(RENDERERS.iter().map(|r| r.name())))]
    format: String,
    /// Write the report to this file, whole or not at all, instead of standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The least severity that makes the exit status 1
    #[arg(long, value_name = "SEVERITY", default_value = "info", value_parser = PossibleValuesParser::new(Severity::ALL.map(Severity::as_str)))]
    fail_on: String,
    /// How much of the coverage to write: `summary`, or `all` for every indicator
    #[arg(long, value_enum, default_value_t = CoverageChoice::Summary)]
    coverage: CoverageChoice,
    /// How many threads to use [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Do not digest evidence files: faster, but files are then known by name and size only, and hashes of whole files
    /// cannot match
    #[arg(long)]
    no_digest: bool,
    /// Change a limit, such as depth=8 or output=10G (repeatable; see docs/decoders.md)
    #[arg(long = "limit", value_name = "NAME=VALUE", value_parser = parse_limit)]
    limits: Vec<(usize, u64)>,
    /// Show no progress
    #[arg(long, short)]
    quiet: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum CoverageChoice {
    Summary,
    All,
}

/// Reads `NAME=VALUE`, where the value may end in K, M, G or T (powers of 1,024).
fn parse_limit(text: &str) -> Result<(usize, u64), String> {
    let names = || LIMITS.iter().map(|(name, _, what)| format!("  {name}: {what}")).collect::<Vec<_>>().join("\n");
    let (name, value) =
        text.split_once('=').ok_or_else(|| format!("expected NAME=VALUE, where NAME is one of\n{}", names()))?;
    let index = LIMITS
        .iter()
        .position(|(known, ..)| *known == name)
        .ok_or_else(|| format!("`{name}` is not a limit; the limits are\n{}", names()))?;
    let digits = value.trim_end_matches(['K', 'M', 'G', 'T', 'k', 'm', 'g', 't']);
    let shift = match value.get(digits.len()..).map(str::to_ascii_uppercase).as_deref() {
        Some("") => 0,
        Some("K") => 10,
        Some("M") => 20,
        Some("G") => 30,
        Some("T") => 40,
        _ => return Err(format!("`{value}` is not a number such as 16, 500M or 2G")),
    };
    let number: u64 = digits.parse().map_err(|_| format!("`{value}` is not a number such as 16, 500M or 2G"))?;
    let least = if name == "record" { LEAST_RECORD_BYTES } else { 1 };
    let product = number.checked_mul(1 << shift).filter(|product| *product >= least);
    product.map(|product| (index, product)).ok_or_else(|| format!("`{value}` must be at least {least} and below 2^64"))
}

/// Scans, and writes the report.
pub(super) fn run(arguments: &ScanArguments) -> Result<Exit, Refusal> {
    arguments.packs.refuse_cache_in(&arguments.paths)?;
    let ruleset = arguments.packs.compile(&[])?;
    let plan = plan(arguments);
    let (items, total_bytes) = evidence_of(&plan)?;
    let output = arguments.output.as_deref().map(|path| Output::create(path, &items)).transpose()?;
    let shown = progress::start(total_bytes, progress_mode(arguments.quiet));
    let watch = Arc::new(Watch { bytes_done: shown.bytes(), files_done: shown.files(), ..Watch::default() });
    stop_on_signal(&watch)?;
    silence_workers();
    let report = scan(&plan, items, &ruleset, &watch)?;
    shown.finish();
    write_report(arguments, &report, output)?;
    Ok(exit_of(arguments, &report))
}

fn plan(arguments: &ScanArguments) -> Plan {
    let mut limits = Limits::default();
    for (index, value) in &arguments.limits {
        if let Some((_, field, _)) = LIMITS.get(*index) {
            *field(&mut limits) = *value;
        }
    }
    Plan {
        paths: arguments.paths.clone(),
        limits,
        threads: arguments.threads.map(usize::from),
        digest: if arguments.no_digest { Digest::Off } else { Digest::Computed },
    }
}

fn progress_mode(quiet: bool) -> ProgressMode {
    match (quiet, io::stderr().is_terminal()) {
        (true, _) => ProgressMode::Quiet,
        (false, true) => ProgressMode::Bar,
        (false, false) => ProgressMode::Lines,
    }
}

/// The first signal stops the scan and reports what was found so far; the second ends the program at once.
fn stop_on_signal(watch: &Arc<Watch>) -> Result<(), Refusal> {
    let watch = Arc::clone(watch);
    let handler = move || {
        if watch.cancelled.swap(true, Ordering::Relaxed) {
            // 128 + SIGINT, as shells report it.
            std::process::exit(130);
        }
        say("stormglass: stopping; what was found so far follows. Press Ctrl-C again to stop at once.");
    };
    ctrlc::set_handler(handler).map_err(|error| Refusal::Usage(format!("cannot wait for Ctrl-C: {error}")))
}

/// A decoder that panics becomes a problem in the report, so its worker prints nothing.
fn silence_workers() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().name() != Some(WORKER_NAME) {
            before(panic);
        }
    }));
}

/// Where a report goes.
enum Output {
    /// A file that appears under its name only when it is whole.
    File { path: PathBuf, file: tempfile::NamedTempFile },
    /// A device or a pipe, which is written to as it is.
    Stream { path: PathBuf, file: File },
}

impl Output {
    /// Makes sure that a report can be written, and that it overwrites no evidence.
    fn create(path: &Path, evidence: &[Item]) -> Result<Self, Refusal> {
        let refuse = |source| Refusal::Output { to: format!("`{}`", path.display()), source };
        let known = std::fs::metadata(path);
        if known.as_ref().is_ok_and(std::fs::Metadata::is_dir) {
            return Err(refuse(io::ErrorKind::IsADirectory.into()));
        }
        if known.as_ref().is_ok_and(|known| !known.is_file()) {
            let file = File::options().write(true).open(path).map_err(refuse)?;
            return Ok(Self::Stream { path: path.to_path_buf(), file });
        }
        // Behind a link, the file that it names is replaced, and not the link.
        let path = if known.is_ok() { path.canonicalize().map_err(refuse)? } else { path.to_path_buf() };
        let is_it = |item: &Item| matches!(&item.source, Source::File { path: known, .. } if known.canonicalize().is_ok_and(|known| known == path));
        if evidence.iter().any(is_it) {
            let what = "is evidence of this scan, and would be overwritten; write the report somewhere else";
            return Err(Refusal::Usage(format!("`{}` {what}", path.display())));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folder.is_dir() {
            let none = format!("there is no folder `{}`", folder.display());
            return Err(refuse(io::Error::new(io::ErrorKind::NotFound, none)));
        }
        // The error would name the temporary file, which nobody asked for: its kind says enough.
        let create = tempfile::Builder::new().prefix(".stormglass-").tempfile_in(folder);
        let file = create.map_err(|error| refuse(error.kind().into()))?;
        Ok(Self::File { path, file })
    }

    fn path(&self) -> &Path {
        match self {
            Self::File { path, .. } | Self::Stream { path, .. } => path,
        }
    }

    fn file(&self) -> &File {
        match self {
            Self::File { file, .. } => file.as_file(),
            Self::Stream { file, .. } => file,
        }
    }

    /// Puts a whole report in its place.
    fn finish(self) -> io::Result<()> {
        match self {
            Self::Stream { .. } => Ok(()),
            Self::File { path, file } => {
                make_readable(file.as_file())?;
                file.as_file().sync_all()?;
                file.persist(path).map(drop).map_err(|error| error.error)
            }
        }
    }
}

/// The buffer of reports, which may be long.
const BUFFER_BYTES: usize = 64 << 10;

fn write_report(arguments: &ScanArguments, report: &Report, output: Option<Output>) -> Result<(), Refusal> {
    let Some(renderer) = renderer(&arguments.format) else {
        return Err(Refusal::Usage(format!("there is no format `{}`", arguments.format)));
    };
    let coverage = match arguments.coverage {
        CoverageChoice::Summary => CoverageDetail::Summary,
        CoverageChoice::All => CoverageDetail::All,
    };
    let Some(output) = output else {
        let stdout = io::stdout();
        let wants_colour = anstream::AutoStream::choice(&stdout) != anstream::ColorChoice::Never;
        let colour = if wants_colour { Colour::Wanted } else { Colour::Unwanted };
        let mut out = BufWriter::with_capacity(BUFFER_BYTES, stdout.lock());
        let written = renderer.render(report, Style { coverage, colour }, &mut out).and_then(|()| out.flush());
        return settle("standard output", written);
    };
    let to = format!("`{}`", output.path().display());
    let refuse = |source| Refusal::Output { to: to.clone(), source };
    let mut out = BufWriter::with_capacity(BUFFER_BYTES, output.file());
    let style = Style { coverage, colour: Colour::Unwanted };
    renderer.render(report, style, &mut out).and_then(|()| out.flush()).map_err(refuse)?;
    drop(out);
    output.finish().map_err(refuse)
}

/// Temporary files are private; a report has the permissions that a redirection would give it on a common system.
fn make_readable(file: &std::fs::File) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.set_permissions(std::fs::Permissions::from_mode(0o640))?;
    }
    let _ = file;
    Ok(())
}

fn exit_of(arguments: &ScanArguments, report: &Report) -> Exit {
    let least =
        Severity::ALL.into_iter().find(|severity| severity.as_str() == arguments.fail_on).unwrap_or(Severity::Info);
    if report.summary.worst.is_some_and(|worst| worst >= least) {
        Exit::Found
    } else if !report.summary.complete || report.ledger.total.examined == 0 {
        Exit::Incomplete
    } else {
        Exit::Clean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_take_names_and_sizes() {
        let named = |text: &str| parse_limit(text).ok().and_then(|(i, v)| LIMITS.get(i).map(|(name, ..)| (*name, v)));
        assert_eq!(named("depth=8"), Some(("depth", 8)));
        assert_eq!(named("output=2G"), Some(("output", 2 << 30)));
        for not in
            ["depth", "depth=", "depth=0", "record=4095", "depth=x", "width=3", "output=1KK", "output=99999999999999T"]
        {
            assert!(parse_limit(not).is_err(), "{not}");
        }
    }
}
