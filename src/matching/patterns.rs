//! Text, regular expressions, hex strings and YARA rules, compiled by yara-x. They are run in `scanners.rs`.

use std::fmt;

use yara_x::{Compiler, Rules, SourceCode};

use crate::observable::decoding::{longest_plain_part, plain_words};
use crate::observable::{Observable, Spelling, Whole};
use crate::pack::{Borders, LetterCase, TextPattern};

use super::expression::{
    in_any_case, literal_parts, may_run_on, quote, quote_slashes, spelled, split_flags, without_anchors,
};
use super::needles::Demand;
use super::reach::FarString;

/// One string that yara-x looks for on behalf of a leaf.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    /// The indicator's index.
    pub indicator: u32,
    /// The leaf of the indicator's test.
    pub leaf: u32,
    /// `text`, `regex` or `hex`; the kind of the atom that it is a spelling of.
    pub kind: &'static str,
    /// The pattern as the pack has it; the text of a spelling.
    pub value: String,
    /// The atom that it is a spelling of.
    pub atom: Option<u32>,
    /// What the string in yara-x stands for.
    pub(super) role: Role,
}

impl Pattern {
    /// Returns what must stand in raw bytes as it is, or in some reading, for the pattern to be found there; none where that
    /// cannot be told.
    pub fn needles(&self) -> Option<Demand> {
        let parts: Vec<&str> = match (&self.role, self.kind) {
            (Role::Exact | Role::Screen, "text") => plain_words(&self.value).collect(),
            (Role::Whole(_), _) => literal_parts(&self.value).collect(),
            _ => Vec::new(),
        };
        (!parts.is_empty()).then(|| parts.into_iter().map(|part| vec![part.to_owned()]).collect())
    }
}

#[derive(Clone, Debug)]
pub(super) enum Role {
    /// The pattern itself.
    Exact,
    /// A text that must not be a part of a word, of which yara-x knows the letters of ASCII only.
    Word,
    /// A part of the pattern that no encoding changes: good for screening only.
    Screen,
    /// The pattern without its anchors; the whole of it must be confirmed on the text that it was found in.
    Anchored(regex::bytes::Regex),
    /// A spelling of an atom, which must be the whole of what it is.
    Whole(Whole),
    /// An expression whose parts may stand further apart than yara-x follows. `screen` is it without its anchors.
    Far { whole: regex::bytes::Regex, screen: regex::bytes::Regex },
}

/// One YARA source of a pack.
#[derive(Clone, Debug)]
pub(super) struct YaraSource {
    /// The indicator's index.
    pub indicator: u32,
    /// The leaf of the indicator's test.
    pub leaf: u32,
    /// The hex string that it was made of; none for a source of the pack.
    pub hex: Option<String>,
    source: String,
}

/// Collects patterns before they are compiled.
#[derive(Debug, Default)]
pub(super) struct PatternBuilder {
    patterns: Vec<(Pattern, String)>,
    sources: Vec<YaraSource>,
    hexes: Vec<YaraSource>,
    is_hidden: bool,
    known: Option<CompiledPatterns>,
}

/// The version of yara-x, whose compiled rules no other version reads.
pub(super) const YARA_VERSION: &str = yara_x::VERSION;

/// The patterns of some packs as yara-x compiled them before.
#[derive(Default)]
pub(super) struct CompiledPatterns {
    strings: Option<Rules>,
    rules: Option<Rules>,
    hexes: Option<Rules>,
}

/// What yara-x compiled, as bytes: the strings, the rules of packs, the hex strings; none where there are none.
pub(super) type PatternBytes = [Option<Vec<u8>>; 3];

impl fmt::Debug for CompiledPatterns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompiledPatterns").finish_non_exhaustive()
    }
}

impl CompiledPatterns {
    /// Reads what [`Patterns::to_bytes`] wrote; none where yara-x does not take it.
    pub fn read([strings, rules, hexes]: &PatternBytes) -> Option<Self> {
        let read = |bytes: &Option<Vec<u8>>| bytes.as_deref().map(Rules::deserialize).transpose().ok();
        Some(Self { strings: read(strings)?, rules: read(rules)?, hexes: read(hexes)? })
    }
}

/// How many strings one generated rule holds: compiling costs by rule, not by string.
const STRINGS_PER_RULE: usize = 500;

/// The compiled patterns.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    pub(super) strings: Option<Rules>,
    pub(super) rules: Option<Program>,
    /// The hex strings alone, for artifacts as a whole.
    pub(super) hexes: Option<Program>,
    pub patterns: Vec<Pattern>,
    /// Whether some pattern is a regular expression or a hex string, whose text any escape may change.
    pub has_regex: bool,
    /// Whether no part of some text surely stands in raw bytes as it is.
    pub is_hidden: bool,
}

/// YARA sources compiled together; a rule's namespace is the number of its source.
#[derive(Debug)]
pub(super) struct Program {
    pub rules: Rules,
    pub sources: Vec<YaraSource>,
    /// Expressions that ask for more than yara-x follows.
    pub far: Vec<FarString>,
}

impl PatternBuilder {
    /// Starts with what is known of these same patterns: then none of them is compiled again.
    pub fn new(known: Option<CompiledPatterns>) -> Self {
        Self { known, ..Self::default() }
    }

    fn check(&self, source: &str) -> Result<(), String> {
        if self.known.is_none() {
            compile(source)?;
        }
        Ok(())
    }

    /// Adds a text.
    pub fn text(&mut self, indicator: u32, leaf: u32, text: &TextPattern) {
        let declare = |value: &str, borders: Borders| {
            let case = if text.case == LetterCase::Ignored { " nocase" } else { "" };
            let borders = if borders == Borders::Word { " fullword" } else { "" };
            match in_any_case(value).filter(|_| text.case == LetterCase::Ignored) {
                Some(expression) => format!("/{expression}/{borders}"),
                None => format!("{} ascii{case}{borders}", quote(value)),
            }
        };
        let pattern = |role| Pattern { indicator, leaf, kind: "text", value: text.value.clone(), atom: None, role };
        let role = if text.borders == Borders::Word { Role::Word } else { Role::Exact };
        self.patterns.push((pattern(role), declare(&text.value, text.borders)));
        let plain = longest_plain_part(&text.value);
        self.is_hidden |= plain.is_empty();
        // In raw bytes a word may stand behind the letter of an escape, `\npanel`.
        if (plain != text.value || text.borders == Borders::Word) && !plain.is_empty() {
            self.patterns.push((pattern(Role::Screen), declare(&plain, Borders::Anywhere)));
        }
    }

    /// Adds a regular expression, and says what is wrong with it.
    pub fn regex(&mut self, indicator: u32, leaf: u32, expression: &str) -> Result<(), String> {
        let (flags, body) = split_flags(expression);
        let bare = without_anchors(body);
        let mut builder = regex::bytes::RegexBuilder::new(body);
        builder.case_insensitive(flags.contains('i')).dot_matches_new_line(flags.contains('s'));
        let built = || builder.build().map_err(|error| error.to_string());
        let mut declared = format!("/{}/{flags}", quote_slashes(bare.as_deref().unwrap_or(body)));
        self.check(&format!("rule probe {{ strings: $p = {declared} condition: $p }}"))?;
        let role = if may_run_on(body) {
            declared.clear();
            Role::Far { whole: built()?, screen: far_screen(bare.as_deref().unwrap_or(body), flags)? }
        } else if bare.is_some() {
            Role::Anchored(built()?)
        } else {
            Role::Exact
        };
        let value = expression.to_owned();
        self.patterns.push((Pattern { indicator, leaf, kind: "regex", value, atom: None, role }, declared));
        Ok(())
    }

    /// Adds the texts by which an atom is found that has no shape of its own. `atom` is its number in the table of atoms.
    pub fn spellings(&mut self, indicator: u32, leaf: u32, atom: u32, observable: &Observable) {
        for spelling in observable.spellings() {
            let declared = spelled(&spelling);
            let Spelling { text: value, whole } = spelling;
            let (kind, role) = (observable.kind(), Role::Whole(whole));
            self.patterns.push((Pattern { indicator, leaf, kind, value, atom: Some(atom), role }, declared));
        }
    }

    /// Adds a hex string, and says what is wrong with it.
    pub fn hex(&mut self, indicator: u32, leaf: u32, hex: &str) -> Result<(), String> {
        let source = format!("rule hex {{ strings: $p = {hex} condition: $p }}");
        self.check(&source)?;
        self.hexes.push(YaraSource { indicator, leaf, hex: Some(hex.to_owned()), source });
        let value = hex.to_owned();
        let pattern = Pattern { indicator, leaf, kind: "hex", value, atom: None, role: Role::Exact };
        self.patterns.push((pattern, hex.to_owned()));
        Ok(())
    }

    /// Adds a YARA source, and says what is wrong with it.
    pub fn yara(&mut self, indicator: u32, leaf: u32, source: &str) -> Result<(), String> {
        self.check(source)?;
        self.sources.push(YaraSource { indicator, leaf, hex: None, source: source.to_owned() });
        Ok(())
    }

    /// Compiles all of it.
    pub fn build(self) -> Result<Patterns, String> {
        let known = self.known.unwrap_or_default();
        let strings = if self.patterns.iter().all(|(_, declared)| declared.is_empty()) {
            None
        } else {
            Some(known.strings.map_or_else(|| compile_strings(&self.patterns), Ok)?)
        };
        let patterns: Vec<Pattern> = self.patterns.into_iter().map(|(pattern, _)| pattern).collect();
        let has_regex = patterns.iter().any(|pattern| matches!(pattern.kind, "regex" | "hex"));
        let (rules, hexes) = (program(self.sources, known.rules)?, program(self.hexes, known.hexes)?);
        Ok(Patterns { strings, rules, hexes, patterns, has_regex, is_hidden: self.is_hidden })
    }
}

/// Compiles an expression, without its anchors, for a search over many records.
fn far_screen(expression: &str, flags: &str) -> Result<regex::bytes::Regex, String> {
    let mut builder = regex::bytes::RegexBuilder::new(expression);
    builder.case_insensitive(flags.contains('i')).dot_matches_new_line(flags.contains('s'));
    builder.build().map_err(|error| error.to_string())
}

fn compile_strings(patterns: &[(Pattern, String)]) -> Result<Rules, String> {
    let mut text = String::new();
    let declared = patterns.iter().enumerate().filter(|(_, (_, declared))| !declared.is_empty());
    let declared: Vec<(usize, &String)> = declared.map(|(index, (_, declared))| (index, declared)).collect();
    for (number, chunk) in declared.chunks(STRINGS_PER_RULE).enumerate() {
        text.push_str(&format!("rule strings_{number} {{ strings:\n"));
        for (index, declared) in chunk {
            text.push_str(&format!("$p{index} = {declared}\n"));
        }
        text.push_str("condition: any of them }\n");
    }
    compile(&text)
}

fn program(sources: Vec<YaraSource>, known: Option<Rules>) -> Result<Option<Program>, String> {
    if sources.is_empty() {
        return Ok(None);
    }
    let rules = known.map_or_else(|| compile_sources(&sources), Ok)?;
    let far = |(number, source): (usize, &YaraSource)| FarString::all_of(number, &source.source);
    // A hex string has no expression, and its jumps have no end that yara-x does not reach.
    let far = sources.iter().enumerate().filter(|(_, source)| source.hex.is_none()).flat_map(far).collect();
    Ok(Some(Program { rules, sources, far }))
}

fn compile_sources(sources: &[YaraSource]) -> Result<Rules, String> {
    let mut compiler = compiler();
    for (number, source) in sources.iter().enumerate() {
        compiler.new_namespace(&format!("{number}"));
        compiler.add_source(SourceCode::from(source.source.as_str())).map_err(|error| error.to_string())?;
    }
    Ok(compiler.build())
}

fn compiler<'a>() -> Compiler<'a> {
    let mut compiler = Compiler::new();
    compiler.relaxed_re_syntax(true);
    compiler.enable_includes(false);
    compiler
}

fn compile(source: &str) -> Result<Rules, String> {
    let mut compiler = compiler();
    compiler.add_source(SourceCode::from(source)).map_err(|error| error.to_string())?;
    Ok(compiler.build())
}

impl Patterns {
    /// Returns what was compiled as bytes.
    ///
    /// # Errors
    /// What yara-x failed with.
    pub fn to_bytes(&self) -> Result<PatternBytes, String> {
        let bytes = |rules: Option<&Rules>| rules.map(Rules::serialize).transpose().map_err(|error| error.to_string());
        let of = |program: &Option<Program>| bytes(program.as_ref().map(|program| &program.rules));
        Ok([bytes(self.strings.as_ref())?, of(&self.rules)?, of(&self.hexes)?])
    }

    /// Tells whether a pack brought YARA rules of its own.
    pub fn has_rules(&self) -> bool {
        self.rules.is_some()
    }

    /// Tells whether something looks at artifacts as a whole.
    pub fn looks_at_whole(&self) -> bool {
        self.rules.is_some() || self.hexes.is_some()
    }
}
