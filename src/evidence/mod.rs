//! Which files are evidence: walking the arguments (walkdir), in a fixed order, links and devices left alone.
//!
//! What is in a file belongs to `decode/`. Evidence is opened for reading only.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::artifact_path::ArtifactPath;
use crate::problem::Reason;

/// One thing that the walk met.
#[derive(Debug)]
pub struct Item {
    /// Its name in reports: the argument as written, then the path below it.
    pub path: ArtifactPath,
    /// What it is.
    pub source: Source,
}

/// What an item is.
#[derive(Debug)]
pub enum Source {
    /// A file to read.
    File {
        /// Where to open it.
        path: PathBuf,
        /// Its size when it was met.
        bytes: u64,
    },
    /// Bytes in memory: an example of a pack.
    Memory(Vec<u8>),
    /// Something that is not opened, by rule.
    Skipped(Reason),
    /// Something that could not be looked at.
    Unreadable(String),
}

/// A named path that cannot be walked at all.
#[derive(Debug, thiserror::Error)]
#[error("cannot read `{path}`: {source}; name a file or folder that exists and may be read")]
pub struct PathError {
    /// The argument.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// Lists everything below the arguments, each thing once, sorted by its name in reports.
///
/// An argument that is itself a link is followed, since the user named it; links below it are not.
///
/// # Errors
/// The first argument that does not exist.
pub fn walk(arguments: &[PathBuf]) -> Result<Vec<Item>, PathError> {
    // Two names that are not UTF-8 may look alike in reports: the path keeps them apart.
    let mut met: BTreeMap<(String, PathBuf), Source> = BTreeMap::new();
    for argument in arguments {
        std::fs::metadata(argument).map_err(|source| PathError { path: argument.clone(), source })?;
        for entry in WalkDir::new(argument).sort_by_file_name() {
            let (path, source) = match entry {
                Ok(entry) if entry.file_type().is_dir() || entry.depth() == 0 && entry.path().is_dir() => continue,
                Ok(entry) => (entry.path().to_path_buf(), source_of(&entry)),
                Err(error) => {
                    let path = error.path().unwrap_or(argument).to_path_buf();
                    (path, Source::Unreadable(error.to_string()))
                }
            };
            met.entry((name_of(argument, &path), path)).or_insert(source);
        }
    }
    // Two arguments may reach one file under two names: the first name in order stands for it.
    let mut files = std::collections::BTreeSet::new();
    let mut is_first = |path: &Path| path.canonicalize().map_or(true, |real| files.insert(real));
    let items = met.into_iter().filter_map(|((name, path), source)| {
        let keep = !matches!(source, Source::File { .. }) || is_first(&path);
        keep.then(|| Item { path: ArtifactPath::evidence(&name), source })
    });
    Ok(items.collect())
}

fn source_of(entry: &walkdir::DirEntry) -> Source {
    let is_argument = entry.depth() == 0;
    if entry.file_type().is_symlink() && !is_argument {
        return Source::Skipped(Reason::Symlink);
    }
    let metadata =
        if is_argument { std::fs::metadata(entry.path()) } else { entry.metadata().map_err(io::Error::from) };
    let kind = match &metadata {
        Ok(metadata) => metadata.file_type(),
        Err(_) => entry.file_type(),
    };
    if !kind.is_file() {
        return Source::Skipped(Reason::SpecialFile);
    }
    match metadata {
        Ok(metadata) => Source::File { path: entry.path().to_path_buf(), bytes: metadata.len() },
        Err(error) => Source::Unreadable(error.to_string()),
    }
}

/// Names a path in reports: the argument without slashes at its end, `/`, and the path below it.
fn name_of(argument: &Path, path: &Path) -> String {
    let text = argument.to_string_lossy();
    let trimmed = text.trim_end_matches('/');
    let base = if trimmed.is_empty() && text.starts_with('/') { "" } else { trimmed };
    match path.strip_prefix(argument) {
        Ok(below) if !below.as_os_str().is_empty() => format!("{base}/{}", below.to_string_lossy()),
        _ => trimmed.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_begin_with_the_argument_as_written() {
        assert_eq!(name_of(Path::new("a/"), Path::new("a/b/c")), "a/b/c");
        assert_eq!(name_of(Path::new("./a"), Path::new("./a/b")), "./a/b");
        assert_eq!(name_of(Path::new("a/f.log"), Path::new("a/f.log")), "a/f.log");
        assert_eq!(name_of(Path::new("/"), Path::new("/etc/x")), "/etc/x");
    }

    #[test]
    fn each_file_is_met_once_and_links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("b.log"), "b").unwrap();
        std::fs::write(folder.path().join("a.log"), "a").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink("a.log", folder.path().join("link")).unwrap();
        let both = [folder.path().to_path_buf(), folder.path().join("a.log")];
        let items = walk(&both).unwrap();
        let files = items.iter().filter(|item| matches!(item.source, Source::File { .. })).count();
        assert_eq!(files, 2);
        #[cfg(unix)]
        assert!(items.iter().any(|item| matches!(item.source, Source::Skipped(Reason::Symlink))));
        #[cfg(unix)]
        assert!(matches!(
            walk(&[folder.path().join("link")]).unwrap()[..],
            [Item { source: Source::File { bytes: 1, .. }, .. }]
        ));
        assert!(walk(&[folder.path().join("absent")]).is_err());
        #[cfg(target_os = "linux")]
        for name in [b"x\xff", b"x\xfe"] {
            use std::os::unix::ffi::OsStrExt;
            std::fs::write(folder.path().join(std::ffi::OsStr::from_bytes(name)), "x").unwrap();
        }
        #[cfg(target_os = "linux")]
        assert_eq!(walk(&both).unwrap().iter().filter(|item| matches!(item.source, Source::File { .. })).count(), 4);
    }
}
