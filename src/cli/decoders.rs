//! `stormglass decoders`

use crate::decode::DECODERS;

use super::{Exit, Refusal, print};

/// Lists the formats, in the order in which they are tried.
pub(super) fn run() -> Result<Exit, Refusal> {
    let mut out = String::new();
    let width = DECODERS.iter().map(|decoder| decoder.name().len()).max().unwrap_or_default();
    for decoder in DECODERS {
        out.push_str(&format!("{:width$}  {}\n", decoder.name(), decoder.reads()));
    }
    print(&out)?;
    Ok(Exit::Clean)
}
