//! The command line: one file a command. It asks `scan/` and prints; exit statuses are here.
//!
//! Nothing is decided here about evidence or indicators.

mod decoders;
mod packs;
mod progress;
mod rules;
mod rules_show;
mod scan;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Tells whether anything that an advisory describes is in mail exports and log archives, and how sure you may be that it
/// is not.
///
/// Evidence is opened for reading only, and nothing is ever resolved or fetched. Findings go to standard output, progress
/// and errors to standard error.
#[derive(Debug, Parser)]
#[command(name = "stormglass", version, max_term_width = 100, after_help = EXIT_STATUSES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXIT_STATUSES: &str = "Exit status:
  0  complete, and nothing found: the only one that means clean
  1  something found, whether the scan is complete or not
  2  could not start: usage, a rules file with mistakes, a named path that does not exist, output that cannot be written
  3  nothing found, but something was not examined";

#[derive(Debug, Subcommand)]
enum Command {
    /// Search evidence for what the packs describe
    Scan(scan::ScanArguments),
    /// List, check, test and show packs of indicators
    Rules(rules::RulesArguments),
    /// List the formats that are opened, and how each is recognised
    Decoders,
}

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    /// Complete and nothing found; or a command that did what it was asked.
    Clean = 0,
    /// Something found.
    Found = 1,
    /// Could not start.
    Refused = 2,
    /// Nothing found, but something was not examined.
    Incomplete = 3,
}

/// Runs the program and returns its exit status.
pub fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Where even the message cannot be written, the status still tells.
            drop(error.print());
            return ExitCode::from(if error.use_stderr() { Exit::Refused as u8 } else { Exit::Clean as u8 });
        }
    };
    let done = match arguments.command {
        Command::Scan(arguments) => scan::run(&arguments),
        Command::Rules(arguments) => rules::run(&arguments),
        Command::Decoders => decoders::run(),
    };
    let exit = done.unwrap_or_else(|refusal| {
        say(&format!("stormglass: {refusal}"));
        Exit::Refused
    });
    ExitCode::from(exit as u8)
}

/// Why a command could not do what it was asked, in words that say what to do.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    /// Anything about arguments and files, already in words.
    #[error("{0}")]
    Usage(String),
    /// The scan could not start.
    #[error(transparent)]
    Scan(#[from] crate::scan::ScanError),
    /// Output cannot be written.
    #[error("cannot write to {to}: {source}")]
    Output {
        /// Where to.
        to: String,
        /// Why.
        source: io::Error,
    },
}

/// Writes one line to standard error; where that fails, there is nobody to tell.
fn say(line: &str) {
    drop(writeln!(io::stderr().lock(), "{line}"));
}

/// Writes to standard output. A reader that has gone away is not an error: `stormglass rules list | head`.
fn print(text: &str) -> Result<(), Refusal> {
    settle("standard output", io::stdout().lock().write_all(text.as_bytes()))
}

fn settle(to: &str, written: io::Result<()>) -> Result<(), Refusal> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|source| Refusal::Output { to: to.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Arguments::command().debug_assert();
    }
}
