//! A YAML pack: its header, its advisory and its indicators, read with every mistake at once.
//!
//! What stands under `match` is read in `expr.rs`; how YAML becomes a located tree, in `located.rs`.

use std::collections::HashMap;

use super::codes::*;
use super::expr;
use super::fields::{self, Fields};
use super::located::{self, Fault, Node, Value};
use super::mistakes::Mistakes;
use super::source::Position;
use super::{Examples, Indicator, Listed, Pack, PackError, Severity, advisory};

/// The first line of every pack.
const FORMAT_WORD: &str = "stormglass/1";

/// The confidence of an indicator that gives none.
pub(super) const DEFAULT_CONFIDENCE: u8 = 50;

const PACK_KEYS: &[&str] = &["format", "advisory", "indicators"];

const INDICATOR_KEYS: &[&str] = &[
    "id",
    "name",
    "severity",
    "confidence",
    "attack",
    "source",
    "note",
    "benign",
    "match",
    "outside_seen",
    "examples",
];

/// The words of `severity`.
const SEVERITIES: &[(&str, Severity)] = &[
    ("info", Severity::Info),
    ("low", Severity::Low),
    ("medium", Severity::Medium),
    ("high", Severity::High),
    ("critical", Severity::Critical),
];

/// Reads a YAML pack.
///
/// # Errors
/// Returns every mistake of the file, in the order of the file.
pub fn load_yaml(name: &str, file: &str, text: &str) -> Result<Pack, Vec<PackError>> {
    super::load::whole(load_yaml_partly(name, file, text))
}

/// Reads what is sound of a YAML pack, with every mistake of the file.
pub(super) fn load_yaml_partly(name: &str, file: &str, text: &str) -> (Option<Pack>, Vec<PackError>) {
    let mut mistakes = Mistakes::new(file);
    let tree = located::read(text);
    for (fault, at, message) in &tree.faults {
        not_plain(*fault, *at, message, &mut mistakes);
    }
    let pack = tree.root.and_then(|root| pack(name, file, &root, &mut mistakes));
    (pack, mistakes.into_errors())
}

fn not_plain(fault: Fault, at: Position, message: &str, mistakes: &mut Mistakes<'_>) {
    let (code, problem, expected, help) = match fault {
        Fault::Syntax => (
            SYNTAX,
            format!("not YAML: {message}"),
            "YAML 1.1, indented with spaces",
            "look at this line and the one before it: a tab, an open quote or bracket, or `: ` or ` #` in a text \
             without quotes; put such a text in single quotes",
        ),
        Fault::Nesting => (
            NESTING,
            "lists and mappings are nested too deeply".to_owned(),
            "at most 128 levels",
            "flatten the lists, or split the indicator",
        ),
        Fault::Aliases => (
            ALIASES,
            "aliases (`*name`) unfold to more than the file holds".to_owned(),
            "no more values than the file has bytes",
            "write the values out instead of repeating an anchor",
        ),
        Fault::Tag => (
            YAML_FEATURE,
            "a YAML tag (`!name`) stands here".to_owned(),
            "a plain value",
            "put the value in single quotes if it begins with `!`",
        ),
        Fault::Key => (
            YAML_FEATURE,
            "a list or mapping stands as a key".to_owned(),
            "a word as a key",
            "put the key in single quotes if it begins with `[` or `{`",
        ),
        Fault::Documents => (
            DOCUMENTS,
            "a second document begins in this file".to_owned(),
            "one pack a file",
            "put each pack in a file of its own, and take out the lines `---` between them",
        ),
    };
    mistakes.add(at, code, problem, expected, help);
}

fn pack(name: &str, file: &str, root: &Node, mistakes: &mut Mistakes<'_>) -> Option<Pack> {
    if let Value::Mapping(entries) = &root.value
        && !entries.iter().any(|entry| PACK_KEYS.contains(&entry.key.as_str()))
    {
        // A file of another format: its keys are no mistakes of a pack's author.
        no_format(root.at, mistakes);
        return None;
    }
    let pack = Fields::read(root, "a pack", PACK_KEYS, mistakes)?;
    format_line(&pack, mistakes);
    let advisory = pack.get("advisory").and_then(|node| advisory::read(node, mistakes));
    let listed = pack.required("indicators", "[...]", mistakes)?;
    if !matches!(listed.value, Value::List(_)) {
        let problem = format!("`indicators` is {}", listed.describe());
        mistakes.add(listed.at, WRONG_TYPE, problem, "a list of indicators", "begin each indicator with `- id: ...`");
        return None;
    }
    let mut ids = HashMap::new();
    let nodes = fields::elements(listed, "indicators", mistakes);
    let indicators = nodes.iter().filter_map(|node| indicator(node, &mut ids, mistakes)).collect();
    Some(Pack { name: name.to_owned(), file: file.to_owned(), advisory, indicators, listed: Listed::default() })
}

fn no_format(at: Position, mistakes: &mut Mistakes<'_>) {
    let expected = format!("`format: {FORMAT_WORD}` as the first line");
    let help = format!("add the line `format: {FORMAT_WORD}`; rules of other formats are not read as packs");
    mistakes.add(at, FORMAT, "the pack does not say its format", expected, help);
}

fn format_line(pack: &Fields<'_>, mistakes: &mut Mistakes<'_>) {
    let Some(node) = pack.get("format") else { return no_format(pack.at, mistakes) };
    if node.scalar() != Some(FORMAT_WORD) {
        let problem = format!("the format is `{}`", node.scalar().unwrap_or(node.describe()));
        let help = "a pack of a later format needs a later version of this program";
        mistakes.add(node.at, FORMAT, problem, format!("`{FORMAT_WORD}`"), help);
    }
}

fn indicator<'n>(node: &'n Node, ids: &mut HashMap<&'n str, u64>, mistakes: &mut Mistakes<'_>) -> Option<Indicator> {
    let fields = Fields::read(node, "an indicator", INDICATOR_KEYS, mistakes)?;
    let id = fields.required("id", "name-in-lower-case", mistakes).and_then(|node| id(node, ids, mistakes));
    let name = fields.text("name", mistakes);
    let severity = fields.required("severity", "medium", mistakes);
    let severity = severity.and_then(|node| fields::word(node, "severity", SEVERITIES, mistakes));
    let confidence = fields.get("confidence").map_or(Some(DEFAULT_CONFIDENCE), |node| confidence(node, mistakes));
    let attack = techniques(&fields, mistakes);
    let source = fields.required("source", "the page and table that it is taken from", mistakes);
    let source = source.and_then(|node| fields::text(node, "source", mistakes));
    let note = note(&fields, mistakes);
    let matches = fields.required("match", "{ip: 192.0.2.1}", mistakes);
    let matches = matches.and_then(|node| expr::read(node, mistakes));
    let outside_seen = fields.get("outside_seen").map(|node| fields::word(node, "outside_seen", SEVERITIES, mistakes));
    let examples = fields.required("examples", "{hit: [...], miss: [...]}", mistakes);
    let examples = examples.and_then(|node| read_examples(node, mistakes));
    // Stand-ins never leave a refused pack: an indicator whose test is sound is kept so that the test gets compiled.
    let id = id.unwrap_or("without an id");
    let severity = severity.unwrap_or(Severity::Info);
    Some(Indicator {
        name: name.unwrap_or_else(|| id.to_owned()),
        id: id.to_owned(),
        severity,
        confidence: confidence.unwrap_or(DEFAULT_CONFIDENCE),
        attack,
        source: source.map(str::to_owned),
        note,
        matches: matches?,
        outside_seen: outside_seen.flatten().unwrap_or(severity.lower()),
        examples: examples.unwrap_or_default(),
        line: node.at.line,
    })
}

fn id<'n>(node: &'n Node, ids: &mut HashMap<&'n str, u64>, mistakes: &mut Mistakes<'_>) -> Option<&'n str> {
    let id = fields::text(node, "id", mistakes)?;
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if !id.bytes().all(|byte| is_word(byte) || byte == b'-') || !id.bytes().next().is_some_and(is_word) {
        let expected = "lower-case letters, digits and `-`, a letter or digit first";
        let meant: String =
            id.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let help = format!("write `{}`", meant.trim_matches('-'));
        mistakes.add(node.at, BAD_ID, format!("`{id}` is no id"), expected, help);
    }
    if let Some(line) = ids.insert(id, node.at.line) {
        let problem = format!("the id `{id}` is given twice; the first is on line {line}");
        mistakes.add(node.at, DUPLICATE_ID, problem, "an id of its own for each indicator", "give it another id");
    }
    Some(id)
}

fn confidence(node: &Node, mistakes: &mut Mistakes<'_>) -> Option<u8> {
    let text = fields::text(node, "confidence", mistakes)?;
    let confidence = text.parse().ok().filter(|value| *value <= 100);
    if confidence.is_none() {
        let help = "STIX 2.1 calls 15 low, 50 medium, 85 high";
        mistakes.add(node.at, CONFIDENCE, format!("`{text}` is no confidence"), "a whole number from 0 to 100", help);
    }
    confidence
}

fn techniques(fields: &Fields<'_>, mistakes: &mut Mistakes<'_>) -> Vec<String> {
    let Some(node) = fields.get("attack") else { return Vec::new() };
    for one in node.elements() {
        let Some(text) = one.scalar() else { continue };
        if !is_technique(text) {
            let help = "look the number up on attack.mitre.org; tactics (TA...) and names are not taken";
            mistakes.add(one.at, TECHNIQUE, format!("`{text}` is no technique"), "T1114 or T1114.002", help);
        }
    }
    fields.texts("attack", mistakes)
}

fn is_technique(text: &str) -> bool {
    let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some(number) = text.strip_prefix('T') else { return false };
    number.split_once('.').map_or(digits(number, 4), |(main, sub)| digits(main, 4) && digits(sub, 3))
}

/// Joins `note` and `benign` into the note that stands beside a finding.
fn note(fields: &Fields<'_>, mistakes: &mut Mistakes<'_>) -> Option<String> {
    let note = fields.text("note", mistakes).map(|note| note.trim().to_owned());
    let benign = fields.text("benign", mistakes).map(|benign| format!("Known benign causes: {}", benign.trim()));
    match (note, benign) {
        (Some(note), Some(benign)) => Some(format!("{note} {benign}")),
        (note, benign) => note.or(benign),
    }
}

fn read_examples(node: &Node, mistakes: &mut Mistakes<'_>) -> Option<Examples> {
    let fields = Fields::read(node, "`examples`", &["hit", "miss"], mistakes)?;
    for (key, what) in [("hit", "a text that must match"), ("miss", "a near miss: a text that must not match")] {
        if fields.get(key).is_none() {
            let help = format!("add `{key}: ['...']`; both kinds prove the indicator alive");
            mistakes.add(fields.at, EXAMPLES, format!("there is no `{key}` example"), what, help);
        }
    }
    Some(Examples { hit: fields.texts("hit", mistakes), miss: fields.texts("miss", mistakes) })
}
