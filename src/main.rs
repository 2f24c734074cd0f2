//! The door of the program: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    stormglass::cli::run()
}
