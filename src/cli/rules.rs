//! `stormglass rules list | check | test | show`

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use crate::pack::{Pack, lint};
use crate::scan::{Ruleset, test_examples};
use crate::text::escape_for_terminal;

use super::packs::{KeptPackArguments, PackArguments, plural, refuse};
use super::{Exit, Refusal, print, rules_show, say};

/// List, check, test and show packs of indicators
#[derive(Debug, Args)]
pub(super) struct RulesArguments {
    #[command(subcommand)]
    command: RulesCommand,
}

#[derive(Debug, Subcommand)]
enum RulesCommand {
    /// List every indicator; as JSON Lines, every atom
    List {
        #[command(flatten)]
        packs: KeptPackArguments,
        /// How to write the list: `text`, or `jsonl` with one object an atom
        #[arg(long, value_enum, default_value_t = ListFormat::Text)]
        format: ListFormat,
    },
    /// Report every mistake of packs at once, and what is doubtful in them
    Check {
        /// Packs to check besides those of --rules
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
        #[command(flatten)]
        packs: PackArguments,
    },
    /// Run the examples of packs through the same path as evidence
    Test {
        /// Packs to test besides those of --rules
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
        #[command(flatten)]
        packs: KeptPackArguments,
    },
    /// Show one indicator whole: what it matches, where it comes from, its examples
    Show {
        /// The indicator's id, or `PACK/ID` where several packs have it
        #[arg(value_name = "ID")]
        id: String,
        #[command(flatten)]
        packs: PackArguments,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ListFormat {
    Text,
    Jsonl,
}

/// Runs the command.
pub(super) fn run(arguments: &RulesArguments) -> Result<Exit, Refusal> {
    match &arguments.command {
        RulesCommand::List { packs, format: ListFormat::Text } => list_text(&packs.compile(&[])?),
        RulesCommand::List { packs, format: ListFormat::Jsonl } => list_jsonl(&packs.compile(&[])?),
        RulesCommand::Check { files, packs } => check(packs.load(files)?),
        RulesCommand::Test { files, packs } => test(&packs.compile(files)?),
        RulesCommand::Show { id, packs } => {
            print(&rules_show::show(&packs.load(&[])?, id)?)?;
            Ok(Exit::Clean)
        }
    }
}

/// Text that is gathered before it is written: lists run to a million lines.
const PAGE_BYTES: usize = 64 << 10;

fn list_text(ruleset: &Ruleset) -> Result<Exit, Refusal> {
    let mut out = String::new();
    for pack in &ruleset.packs {
        let advisory = pack.advisory.as_ref().map(|a| format!(": {} {}", a.id, a.title)).unwrap_or_default();
        out.push_str(&format!("{}{}\n", escape_for_terminal(&pack.name), escape_for_terminal(&advisory)));
        print(&std::mem::take(&mut out))?;
        let own = || pack.indicators.clone().filter_map(|index| ruleset.indicator(index));
        let width = own().map(|indicator| indicator.id().chars().count()).max().unwrap_or_default();
        let kind_width = own().map(|indicator| indicator.kind().len()).max().unwrap_or_default().max(6);
        for indicator in own() {
            let (severity, kind) = (indicator.severity().as_str(), indicator.kind());
            let (id, name) = (indicator.id(), indicator.name());
            let (id, name) = (escape_for_terminal(&id), escape_for_terminal(&name));
            out.push_str(&format!("  {severity:8}  {kind:kind_width$}  {id:width$}  {name}\n"));
            if out.len() > PAGE_BYTES {
                print(&std::mem::take(&mut out))?;
            }
        }
    }
    print(&out)?;
    Ok(Exit::Clean)
}

fn list_jsonl(ruleset: &Ruleset) -> Result<Exit, Refusal> {
    let mut out = String::new();
    for (indicator, observable) in ruleset.atoms() {
        let advisory =
            ruleset.packs.get(indicator.pack()).and_then(|pack| pack.advisory.as_ref()).map(|a| a.id.as_str());
        let line = json!({
            "indicator": indicator.id(),
            "advisory": advisory,
            "observable": {"type": observable.kind(), "value": observable.value()},
        });
        out.push_str(&format!("{line}\n"));
        if out.len() > PAGE_BYTES {
            print(&std::mem::take(&mut out))?;
        }
    }
    print(&out)?;
    Ok(Exit::Clean)
}

fn check(packs: Vec<Pack>) -> Result<Exit, Refusal> {
    let mut out = String::new();
    for pack in &packs {
        let warnings = lint(pack);
        let name = escape_for_terminal(&pack.name);
        let (count, warned) = (plural(pack.len(), "indicator"), plural(warnings.len(), "warning"));
        out.push_str(&format!("{name}: {count}, no mistakes, {warned}\n"));
        for warning in warnings {
            let problem = escape_for_terminal(&warning.problem);
            out.push_str(&format!("  line {}: warning[{}]: {problem}\n", warning.line, warning.code));
            out.push_str(&format!("    help: {}\n", warning.help));
        }
    }
    Ruleset::compile(packs).map_err(|errors| refuse(&errors))?;
    print(&out)?;
    Ok(Exit::Clean)
}

fn test(ruleset: &Ruleset) -> Result<Exit, Refusal> {
    let (count, failures) = test_examples(ruleset)?;
    for failure in &failures {
        let did = if failure.expected == "hit" { "was not found in" } else { "was found in" };
        let example = escape_for_terminal(&crate::text::cut_around(&failure.example, 0, 200));
        say(&format!(
            "{}: `{}` {did} its example {}-{}:",
            failure.pack, failure.indicator, failure.expected, failure.number
        ));
        say(&format!("    {example}"));
    }
    let failed = failures.len();
    let indicators = plural(ruleset.len(), "indicator");
    print(&format!("{} of {indicators}: {} passed, {failed} failed\n", plural(count, "example"), count - failed))?;
    Ok(if failed == 0 { Exit::Clean } else { Exit::Refused })
}
