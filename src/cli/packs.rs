//! Which packs are used: the built-in ones and those named on the command line.

use std::fs::File;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::pack::{BUILTIN, Listed, Pack, PackError, load_partly, of_list};
use crate::scan::{CacheError, FileDigest, Ruleset, RulesetCache};

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

/// The packs to use, and where they are kept compiled.
#[derive(Clone, Debug, Args)]
pub(super) struct KeptPackArguments {
    #[command(flatten)]
    packs: PackArguments,
    /// Keep the compiled packs in this folder, and take them from there while they are the same
    #[arg(long, value_name = "FOLDER")]
    cache: Option<PathBuf>,
}

/// A rules file.
struct RulesFile {
    path: PathBuf,
    /// Its name as the user gave it.
    name: String,
    content: Content,
}

/// What is known of a rules file.
enum Content {
    Read(Vec<u8>),
    /// It is long, and perhaps need not be read as a list again.
    Digested(FileDigest),
}

/// Files that are shorter are read at once.
const LONG_BYTES: u64 = 1 << 20;

impl RulesFile {
    fn read(path: PathBuf) -> Result<Self, Refusal> {
        let bytes = std::fs::read(&path).map_err(|error| cannot_read(&path, &error))?;
        Ok(Self { name: path.to_string_lossy().into_owned(), content: Content::Read(bytes), path })
    }

    /// Reads a file, or digests it if it is long and can be read again.
    fn read_or_digest(path: PathBuf) -> Result<Self, Refusal> {
        let refuse = |error| cannot_read(&path, &error);
        // A pipe can be opened only once.
        let metadata = std::fs::metadata(&path).map_err(refuse)?;
        if !metadata.is_file() || metadata.len() < LONG_BYTES {
            return Self::read(path);
        }
        let content = Content::Digested(File::open(&path).and_then(FileDigest::read).map_err(refuse)?);
        Ok(Self { name: path.to_string_lossy().into_owned(), content, path })
    }

    fn digest(&self) -> FileDigest {
        match &self.content {
            Content::Read(bytes) => FileDigest::of(bytes),
            Content::Digested(digest) => *digest,
        }
    }

    fn into_bytes(self) -> Result<Vec<u8>, Refusal> {
        match self.content {
            Content::Read(bytes) => Ok(bytes),
            Content::Digested(digest) => {
                let bytes = std::fs::read(&self.path).map_err(|error| cannot_read(&self.path, &error))?;
                if FileDigest::of(&bytes) != digest {
                    let what = "changed while it was read; try again when nobody writes to it";
                    return Err(Refusal::Usage(format!("the rules file `{}` {what}", self.path.display())));
                }
                Ok(bytes)
            }
        }
    }
}

impl PackArguments {
    /// Loads every pack, and says every mistake of all of them.
    pub fn load(&self, more: &[PathBuf]) -> Result<Vec<Pack>, Refusal> {
        self.load_files(self.read(more, RulesFile::read)?, Vec::new())
    }

    /// Reads every rules file.
    fn read(
        &self,
        more: &[PathBuf],
        read: impl Fn(PathBuf) -> Result<RulesFile, Refusal>,
    ) -> Result<Vec<RulesFile>, Refusal> {
        let mut files = Vec::new();
        for argument in self.rules.iter().chain(more) {
            for file in files_of(argument)? {
                files.push(read(file)?);
            }
        }
        Ok(files)
    }

    /// Loads every pack; lists that are known need not be read again.
    fn load_files(&self, files: Vec<RulesFile>, known: Vec<Option<Listed>>) -> Result<Vec<Pack>, Refusal> {
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
        let mut known = known.into_iter();
        // Each file's bytes are let go of as soon as it has been read.
        for file in files {
            if let Some(Some(listed)) = known.next() {
                packs.push(of_list(&file.name, listed));
                continue;
            }
            let name = file.name.clone();
            let (pack, more) = load_partly(&name, &file.into_bytes()?);
            packs.extend(pack);
            errors.extend(more);
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

    fn builtin_count(&self) -> usize {
        if self.no_builtin { 0 } else { BUILTIN.len() }
    }
}

impl KeptPackArguments {
    /// Refuses a folder for compiled packs that lies in the evidence, to which nothing is ever written, or among the packs.
    pub fn refuse_cache_in(&self, evidence: &[PathBuf]) -> Result<(), Refusal> {
        let Some(folder) = &self.cache else { return Ok(()) };
        let place = std::path::absolute(folder).unwrap_or_else(|_| folder.clone());
        // The folder itself may be yet to be made.
        let known = place.ancestors().find_map(|part| Some((part.canonicalize().ok()?, part)));
        let place = known.map_or(place.clone(), |(real, part)| real.join(place.strip_prefix(part).unwrap_or(&place)));
        for other in evidence.iter().chain(&self.packs.rules) {
            if other.canonicalize().is_ok_and(|other| other.is_dir() && place.starts_with(other)) {
                let (cache, other) = (folder.display(), other.display());
                let why = "what is read there must not change; keep compiled packs somewhere else";
                return Err(Refusal::Usage(format!("the cache `{cache}` lies in `{other}`: {why}")));
            }
        }
        Ok(())
    }

    /// Loads and compiles every pack, or takes what was kept of it.
    pub fn compile(&self, more: &[PathBuf]) -> Result<Ruleset, Refusal> {
        self.refuse_cache_in(more)?;
        let Some(folder) = &self.cache else {
            return Ruleset::compile(self.packs.load(more)?).map_err(|errors| refuse(&errors));
        };
        let files = self.packs.read(more, RulesFile::read_or_digest)?;
        let builtin = BUILTIN.iter().take(self.packs.builtin_count());
        let builtin = builtin.map(|pack| (pack.name, FileDigest::of(pack.text.as_bytes())));
        let own = files.iter().map(|file| (file.name.as_str(), file.digest()));
        let cache = RulesetCache::new(folder, builtin.chain(own));
        let warn = |what: &str, error: &CacheError| {
            let folder = crate::text::escape_for_terminal(&folder.to_string_lossy());
            say(&format!("stormglass: the cache `{folder}` {what}: {error}"));
        };
        match cache.read() {
            Ok(Some(mut stored)) => {
                let known = stored.lists.drain(..).skip(self.packs.builtin_count()).collect();
                let packs = self.packs.load_files(files, known)?;
                return Ruleset::compile_stored(packs, stored).map_err(|errors| refuse(&errors));
            }
            Ok(None) => {}
            Err(error) => warn("is not used, and the packs are compiled", &error),
        }
        let packs = self.packs.load_files(files, Vec::new())?;
        let written = cache.writer().and_then(|mut writer| {
            packs.iter().try_for_each(|pack| writer.add(pack))?;
            Ok(writer)
        });
        let ruleset = Ruleset::compile(packs).map_err(|errors| refuse(&errors))?;
        if let Err(error) = written.and_then(|writer| writer.finish(&ruleset)) {
            warn("cannot be written", &error);
        }
        Ok(ruleset)
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
