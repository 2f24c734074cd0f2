//! Which packs are used: the built-in ones and those named on the command line.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::pack::{BUILTIN, Pack, PackError, load_partly};
use crate::scan::Ruleset;

use super::{Refusal, say};

/// The packs to use.
#[derive(Clone, Debug, Args)]
pub(super) struct PackArguments {
    /// A pack or list of indicators to add: YAML, CSV with a header `type,value`, or a plain list; a folder adds every file
    /// in it
    #[arg(long = "rules", value_name = "FILE")]
    pub rules: Vec<PathBuf>,
    /// Leave the built-in packs out
    #[arg(long)]
    pub no_builtin: bool,
}

impl PackArguments {
    /// Loads every pack, and says every mistake of all of them.
    pub fn load(&self, more: &[PathBuf]) -> Result<Vec<Pack>, Refusal> {
        let mut packs = Vec::new();
        let mut errors: Vec<PackError> = Vec::new();
        if !self.no_builtin {
            for builtin in BUILTIN {
                match builtin.load() {
                    Ok(pack) => packs.push(pack),
                    Err(more) => errors.extend(more),
                }
            }
        }
        for argument in self.rules.iter().chain(more) {
            for file in files_of(argument)? {
                let bytes = std::fs::read(&file).map_err(|error| cannot_read(&file, &error))?;
                let (pack, more) = load_partly(&file.to_string_lossy(), &bytes);
                packs.extend(pack);
                errors.extend(more);
            }
        }
        if !errors.is_empty() {
            // What is sound is compiled all the same: the author sees the mistakes that only this shows at once, too.
            errors.extend(Ruleset::compile(packs).err().into_iter().flatten());
            return Err(refuse(&errors));
        }
        if packs.iter().all(|pack| pack.is_empty()) {
            let what = "there is no indicator to look for; name a pack with --rules, or leave --no-builtin out";
            return Err(Refusal::Usage(what.to_owned()));
        }
        distinguish(&mut packs);
        Ok(packs)
    }

    /// Loads and compiles every pack.
    pub fn compile(&self, more: &[PathBuf]) -> Result<Ruleset, Refusal> {
        Ruleset::compile(self.load(more)?).map_err(|errors| refuse(&errors))
    }
}

/// Packs of one name get a number, so that reports tell them apart.
fn distinguish(packs: &mut [Pack]) {
    let mut names = std::collections::BTreeMap::<String, u32>::new();
    for pack in packs {
        let count = names.entry(pack.name.clone()).or_default();
        *count += 1;
        if *count > 1 {
            pack.name = format!("{}-{count}", pack.name);
        }
    }
}

/// Prints every mistake, by file and line, and returns the line that ends them.
pub(super) fn refuse(errors: &[PackError]) -> Refusal {
    let mut sorted: Vec<&PackError> = errors.iter().collect();
    sorted.sort_by_key(|error| (&error.file, error.line, error.column));
    for error in sorted {
        say(&crate::text::escape_lines(&error.to_string()));
    }
    let files: std::collections::BTreeSet<&str> = errors.iter().map(|error| error.file.as_str()).collect();
    Refusal::Usage(format!(
        "{} in {}; nothing was done",
        plural(errors.len(), "mistake"),
        plural(files.len(), "rules file")
    ))
}

/// Counts things in words: `1 mistake`, `2 mistakes`.
pub(super) fn plural(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

fn files_of(argument: &Path) -> Result<Vec<PathBuf>, Refusal> {
    let metadata = std::fs::metadata(argument).map_err(|error| cannot_read(argument, &error))?;
    if !metadata.is_dir() {
        return Ok(vec![argument.to_path_buf()]);
    }
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(argument).sort_by_file_name() {
        let entry = entry.map_err(|error| Refusal::Usage(format!("cannot read rules: {error}")))?;
        let is_hidden = entry.depth() > 0 && entry.file_name().to_string_lossy().starts_with('.');
        if entry.file_type().is_file() && !is_hidden {
            files.push(entry.into_path());
        }
    }
    if files.is_empty() {
        return Err(Refusal::Usage(format!("the rules folder `{}` has no files", argument.display())));
    }
    Ok(files)
}

fn cannot_read(path: &Path, error: &std::io::Error) -> Refusal {
    Refusal::Usage(format!("cannot read the rules file `{}`: {error}", path.display()))
}
