//! Reading a rules file of any kind, told by its content: a YAML pack, a CSV list or a plain list.

use std::path::Path;

use super::codes::{ENCODING, TOO_LARGE};
use super::list::{self, Columns};
use super::mistakes::Mistakes;
use super::source::Position;
use super::yaml::load_yaml_partly;
use super::{Listed, Pack, PackError};

/// The largest YAML pack. A hundred thousand indicators take some 10 MB; lists of values have no limit.
pub const MOST_YAML_BYTES: usize = 64 << 20;

/// Reads a rules file. `file` is its path as the user named it; the pack takes its name from it.
///
/// # Errors
/// Returns every mistake of the file, in the order of the file.
pub fn load(file: &str, bytes: &[u8]) -> Result<Pack, Vec<PackError>> {
    whole(load_partly(file, bytes))
}

/// Reads what is sound of a rules file, with every mistake of the file in its order.
///
/// A pack that comes with mistakes serves only to find more of them by compiling it: its indicators are not all there,
/// and what is missing in one may be a stand-in.
pub fn load_partly(file: &str, bytes: &[u8]) -> (Option<Pack>, Vec<PackError>) {
    let name = name_of(file);
    let text = match text(file, bytes) {
        Ok(text) => text,
        Err(errors) => return (None, errors),
    };
    if is_yaml(text) {
        if text.len() > MOST_YAML_BYTES {
            let problem = format!("the pack has {} bytes", text.len());
            let expected = format!("at most {MOST_YAML_BYTES} bytes");
            let help = "split the pack, or put plain values into a CSV list";
            return refused(file, Position::START, TOO_LARGE, problem, &expected, help);
        }
        return load_yaml_partly(&name, file, text);
    }
    match first_line(text).and_then(Columns::read) {
        Some(columns) => list::load_csv(&name, file, text, &columns),
        None => list::load_plain(&name, file, text),
    }
}

/// Makes the pack of a list that was read before.
pub fn of_list(file: &str, listed: Listed) -> Pack {
    Pack { name: name_of(file), file: file.to_owned(), advisory: None, indicators: Vec::new(), listed }
}

/// Returns the name of the pack in a file: the file's name without its ending.
fn name_of(file: &str) -> String {
    Path::new(file).file_stem().map_or_else(|| file.to_owned(), |stem| stem.to_string_lossy().into_owned())
}

/// Refuses a pack that comes with a mistake.
pub(super) fn whole((pack, errors): (Option<Pack>, Vec<PackError>)) -> Result<Pack, Vec<PackError>> {
    match pack {
        Some(pack) if errors.is_empty() => Ok(pack),
        _ => Err(errors),
    }
}

fn refused(
    file: &str,
    at: Position,
    code: &'static str,
    problem: String,
    expected: &str,
    help: &str,
) -> (Option<Pack>, Vec<PackError>) {
    let mut mistakes = Mistakes::new(file);
    mistakes.add(at, code, problem, expected, help);
    (None, mistakes.into_errors())
}

/// Returns the bytes as text without a byte order mark.
fn text<'b>(file: &str, bytes: &'b [u8]) -> Result<&'b str, Vec<PackError>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let error = match std::str::from_utf8(bytes) {
        Ok(text) => return Ok(text),
        Err(error) => error,
    };
    let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
    let line = before.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let column = String::from_utf8_lossy(before.get(start..).unwrap_or_default()).chars().count() as u64 + 1;
    let problem = if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        "the file is UTF-16".to_owned()
    } else {
        "the file is not UTF-8".to_owned()
    };
    let mut mistakes = Mistakes::new(file);
    mistakes.add(Position { line, column }, ENCODING, problem, "UTF-8", "save the file as UTF-8");
    Err(mistakes.into_errors())
}

/// Returns the first line that is neither empty nor a comment.
fn first_line(text: &str) -> Option<&str> {
    text.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#'))
}

/// Tells whether a text is meant as YAML: it says its format, or begins as a mapping, a list or a document does.
fn is_yaml(text: &str) -> bool {
    let Some(first) = first_line(text) else { return false };
    let begins = first.starts_with("---")
        || first.starts_with('%')
        || first.starts_with(['{', '['])
        || first.starts_with("- ")
        || begins_with_key(first);
    begins && !is_address(first)
        || text.starts_with("format:")
        || memchr::memmem::find(text.as_bytes(), b"\nformat:").is_some()
}

/// `[2001:db8::1]` begins like a YAML list.
fn is_address(line: &str) -> bool {
    crate::observable::Observable::guess(line).is_some()
}

fn begins_with_key(line: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '"' | '\'');
    line.split_once(':').is_some_and(|(key, rest)| {
        !key.is_empty() && key.chars().all(is_word) && (rest.trim().is_empty() || rest.starts_with([' ', '\t']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_tells_the_kind_of_file() {
        for yaml in [
            "format: stormglass/1\n",
            "# c\n\nindicators:\n",
            "---\na: b\n",
            "{\"format\": 1}",
            "title: x\n",
            "x\nformat: y",
        ] {
            assert!(is_yaml(yaml), "{yaml}");
        }
        for other in [
            "type,value\n",
            "192.0.2.1\n",
            "fe80::\n",
            "http://evil.example/a: b\n",
            "[2001:db8::1]\n",
            "",
            "# format: x\n",
        ] {
            assert!(!is_yaml(other), "{other}");
        }
    }

    #[test]
    fn the_name_is_the_files_stem_and_marks_are_accepted() {
        let pack = load("lists/bad.hosts.csv", "\u{feff}value,type\r\nevil.example,domain\r\n".as_bytes()).unwrap();
        assert_eq!((pack.name.as_str(), pack.len()), ("bad.hosts", 1));
        let error = |bytes: &[u8]| load("a", bytes).unwrap_err().remove(0);
        assert_eq!(error(b"192.0.2.1\n1\xff").column, 2);
        assert_eq!((error(b"192.0.2.1\n1\xff").line, error(b"").code), (2, "P043"));
        assert_eq!(error(b"\xff\xfea\0").problem, "the file is UTF-16");
    }
}
