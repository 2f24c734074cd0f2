//! Text, regular expressions and YARA rules through yara-x. The only file that knows yara-x.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use yara_x::{Compiler, Rules, Scanner, SourceCode};

use crate::observable::decoding::longest_plain_part;
use crate::pack::{Borders, LetterCase, TextPattern};

use super::expression::{in_any_case, quote, quote_slashes, split_flags, without_anchors};

/// One string that yara-x looks for on behalf of a leaf.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    /// The indicator's index.
    pub indicator: u32,
    /// The leaf of the indicator's test.
    pub leaf: u32,
    /// `text` or `regex`.
    pub kind: &'static str,
    /// The pattern as the pack has it.
    pub value: String,
    /// What the string in yara-x stands for.
    role: Role,
}

#[derive(Clone, Debug)]
enum Role {
    /// The pattern itself.
    Exact,
    /// A part of the pattern that no encoding changes: good for screening only.
    Screen,
    /// The pattern without its anchors; the whole of it must be confirmed on the text that it was found in.
    Anchored(regex::bytes::Regex),
}

/// One YARA source of a pack.
#[derive(Clone, Debug)]
pub(super) struct YaraSource {
    /// The indicator's index.
    pub indicator: u32,
    /// The leaf of the indicator's test.
    pub leaf: u32,
    source: String,
}

/// Collects patterns before they are compiled.
#[derive(Debug, Default)]
pub(super) struct PatternBuilder {
    patterns: Vec<(Pattern, String)>,
    sources: Vec<YaraSource>,
    is_hidden: bool,
    known: Option<CompiledPatterns>,
}

/// The version of yara-x, whose compiled rules no other version reads.
pub(super) const YARA_VERSION: &str = yara_x::VERSION;

/// The patterns of some packs as yara-x compiled them before.
pub(super) struct CompiledPatterns {
    strings: Option<Rules>,
    rules: Option<Rules>,
}

impl fmt::Debug for CompiledPatterns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompiledPatterns").finish_non_exhaustive()
    }
}

impl CompiledPatterns {
    /// Reads what [`Patterns::to_bytes`] wrote; none where yara-x does not take it.
    pub fn read(strings: Option<&[u8]>, rules: Option<&[u8]>) -> Option<Self> {
        let read = |bytes: Option<&[u8]>| bytes.map(Rules::deserialize).transpose().ok();
        Some(Self { strings: read(strings)?, rules: read(rules)? })
    }
}

/// How many strings one generated rule holds: compiling costs by rule, not by string.
const STRINGS_PER_RULE: usize = 500;

/// The compiled patterns.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    strings: Option<Rules>,
    rules: Option<Rules>,
    pub patterns: Vec<Pattern>,
    sources: Vec<YaraSource>,
    /// Whether some pattern is a regular expression, whose text any escape may change.
    pub has_regex: bool,
    /// Whether no part of some text surely stands in raw bytes as it is.
    pub is_hidden: bool,
}

/// A rule of a pack's YARA source that matched.
#[derive(Clone, Debug)]
pub(super) struct RuleHit {
    pub indicator: u32,
    pub leaf: u32,
    /// The rule's identifier.
    pub rule: String,
    /// Where its first string stands; the start where it has none.
    pub range: Range<usize>,
    /// How many of its strings were found.
    pub count: u64,
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
        let pattern = |role| Pattern { indicator, leaf, kind: "text", value: text.value.clone(), role };
        self.patterns.push((pattern(Role::Exact), declare(&text.value, text.borders)));
        let plain = longest_plain_part(&text.value);
        self.is_hidden |= plain.is_empty();
        if plain != text.value && !plain.is_empty() {
            self.patterns.push((pattern(Role::Screen), declare(&plain, Borders::Anywhere)));
        }
    }

    /// Adds a regular expression, and says what is wrong with it.
    pub fn regex(&mut self, indicator: u32, leaf: u32, expression: &str) -> Result<(), String> {
        let (flags, body) = split_flags(expression);
        let bare = without_anchors(body);
        let role = if bare.is_none() {
            Role::Exact
        } else {
            let built = regex::bytes::RegexBuilder::new(body)
                .case_insensitive(flags.contains('i'))
                .dot_matches_new_line(flags.contains('s'))
                .build();
            Role::Anchored(built.map_err(|error| error.to_string())?)
        };
        let declared = format!("/{}/{flags}", quote_slashes(bare.as_deref().unwrap_or(body)));
        self.check(&format!("rule probe {{ strings: $p = {declared} condition: $p }}"))?;
        self.patterns.push((Pattern { indicator, leaf, kind: "regex", value: expression.to_owned(), role }, declared));
        Ok(())
    }

    /// Adds a YARA source, and says what is wrong with it.
    pub fn yara(&mut self, indicator: u32, leaf: u32, source: &str) -> Result<(), String> {
        self.check(source)?;
        self.sources.push(YaraSource { indicator, leaf, source: source.to_owned() });
        Ok(())
    }

    /// Compiles all of it.
    pub fn build(self) -> Result<Patterns, String> {
        let (strings, rules) = match self.known {
            Some(known) => (known.strings, known.rules),
            None => (compile_strings(&self.patterns)?, compile_sources(&self.sources)?),
        };
        let patterns: Vec<Pattern> = self.patterns.into_iter().map(|(pattern, _)| pattern).collect();
        let has_regex = patterns.iter().any(|pattern| pattern.kind == "regex");
        Ok(Patterns { strings, rules, patterns, sources: self.sources, has_regex, is_hidden: self.is_hidden })
    }
}

fn compile_strings(patterns: &[(Pattern, String)]) -> Result<Option<Rules>, String> {
    if patterns.is_empty() {
        return Ok(None);
    }
    let mut text = String::new();
    for (number, chunk) in patterns.chunks(STRINGS_PER_RULE).enumerate() {
        text.push_str(&format!("rule strings_{number} {{ strings:\n"));
        for (index, (_, declared)) in chunk.iter().enumerate() {
            text.push_str(&format!("$p{} = {declared}\n", number * STRINGS_PER_RULE + index));
        }
        text.push_str("condition: any of them }\n");
    }
    compile(&text).map(Some)
}

fn compile_sources(sources: &[YaraSource]) -> Result<Option<Rules>, String> {
    if sources.is_empty() {
        return Ok(None);
    }
    let mut compiler = compiler();
    for (number, source) in sources.iter().enumerate() {
        compiler.new_namespace(&format!("{number}"));
        compiler.add_source(SourceCode::from(source.source.as_str())).map_err(|error| error.to_string())?;
    }
    Ok(Some(compiler.build()))
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
    /// Returns the compiled strings and the compiled rules of packs as bytes; none where there are none.
    ///
    /// # Errors
    /// What yara-x failed with.
    pub fn to_bytes(&self) -> Result<[Option<Vec<u8>>; 2], String> {
        let bytes = |rules: &Option<Rules>| rules.as_ref().map(Rules::serialize).transpose();
        let failed = |error: yara_x::errors::SerializationError| error.to_string();
        Ok([bytes(&self.strings).map_err(failed)?, bytes(&self.rules).map_err(failed)?])
    }

    /// Tells whether a pack brought YARA rules of its own.
    pub fn has_rules(&self) -> bool {
        self.rules.is_some()
    }

    /// Makes the scanners of one thread.
    pub fn scanners(&self) -> Scanners<'_> {
        Scanners {
            strings: self.strings.as_ref().map(Scanner::new),
            rules: self.rules.as_ref().map(Scanner::new),
            patterns: self,
        }
    }
}

/// The scanners of one thread.
pub(super) struct Scanners<'r> {
    strings: Option<Scanner<'r>>,
    rules: Option<Scanner<'r>>,
    patterns: &'r Patterns,
}

impl Scanners<'_> {
    /// Calls `each` with every place in raw bytes where a pattern, or a plain part of one, stands.
    pub fn screen(&mut self, bytes: &[u8], each: &mut dyn FnMut(Range<usize>)) -> Result<(), String> {
        for (_, range) in self.scan(bytes)? {
            each(range);
        }
        Ok(())
    }

    /// Calls `each` with every pattern found in the views of a record, which stand in `bytes` one behind the other: the
    /// pattern's index in [`Patterns::patterns`], and where. No match crosses from one view into the next.
    pub fn search(
        &mut self,
        bytes: &[u8],
        views: &[Range<usize>],
        each: &mut dyn FnMut(usize, Range<usize>),
    ) -> Result<(), String> {
        let mut crossed: BTreeSet<(usize, usize)> = BTreeSet::new();
        let mut within = Vec::new();
        for (index, range) in self.scan(bytes)? {
            let Some(pattern) = self.patterns.patterns.get(index) else { continue };
            let first = views.partition_point(|view| view.end < range.start);
            let touched = views.iter().enumerate().skip(first).take_while(|(_, view)| view.start < range.end);
            match (&pattern.role, views.get(first)) {
                (Role::Screen, _) => {}
                (Role::Exact, Some(view)) if view.start <= range.start && range.end <= view.end => {
                    within.push((index, first, range));
                }
                _ => crossed.extend(touched.map(|(view, _)| (index, view))),
            }
        }
        within.retain(|(index, view, _)| !crossed.contains(&(*index, *view)));
        for (index, number) in crossed {
            let Some((view, text)) = views.get(number).and_then(|view| Some((view, bytes.get(view.clone())?))) else {
                continue;
            };
            let alone: Vec<Range<usize>> = match self.patterns.patterns.get(index).map(|pattern| &pattern.role) {
                Some(Role::Anchored(regex)) => regex.find_iter(text).map(|found| found.range()).collect(),
                _ => self.scan(text)?.into_iter().filter(|(other, _)| *other == index).map(|(_, at)| at).collect(),
            };
            within.extend(alone.into_iter().map(|at| (index, number, view.start + at.start..view.start + at.end)));
        }
        within.sort_by_key(|(index, view, range)| (*index, *view, range.start));
        let mut last = (usize::MAX, 0);
        for (index, _, range) in within {
            // An expression such as `a+b` matches from each of its `a`: that is one place.
            if last.0 != index || range.start >= last.1 {
                last = (index, range.end);
                each(index, range);
            }
        }
        Ok(())
    }

    fn scan(&mut self, bytes: &[u8]) -> Result<Vec<(usize, Range<usize>)>, String> {
        let Some(scanner) = &mut self.strings else { return Ok(Vec::new()) };
        let results = scanner.scan(bytes).map_err(|error| error.to_string())?;
        let mut found = Vec::new();
        for rule in results.matching_rules() {
            for pattern in rule.patterns() {
                if let Some(index) = pattern.identifier().strip_prefix("$p").and_then(|n| n.parse::<usize>().ok()) {
                    found.extend(pattern.matches().map(|one| (index, one.range())));
                }
            }
        }
        Ok(found)
    }

    /// Returns the rules of the packs' own YARA sources that match these bytes as a whole.
    pub fn rules(&mut self, bytes: &[u8]) -> Result<Vec<RuleHit>, String> {
        let Some(scanner) = &mut self.rules else { return Ok(Vec::new()) };
        let results = scanner.scan(bytes).map_err(|error| error.to_string())?;
        let mut hits = Vec::new();
        for rule in results.matching_rules() {
            let Some(source) = rule.namespace().parse::<usize>().ok().and_then(|n| self.patterns.sources.get(n)) else {
                continue;
            };
            let ranges: Vec<Range<usize>> =
                rule.patterns().flat_map(|p| p.matches().map(|m| m.range()).collect::<Vec<_>>()).collect();
            let first = ranges.iter().min_by_key(|range| range.start).cloned().unwrap_or(0..0);
            let count = u64::try_from(ranges.len()).unwrap_or(u64::MAX).max(1);
            hits.push(RuleHit {
                indicator: source.indicator,
                leaf: source.leaf,
                rule: rule.identifier().to_owned(),
                range: first,
                count,
            });
        }
        Ok(hits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(build: impl FnOnce(&mut PatternBuilder), text: &str) -> Vec<String> {
        let mut builder = PatternBuilder::default();
        build(&mut builder);
        let patterns = builder.build().unwrap();
        let mut scanners = patterns.scanners();
        let mut out = Vec::new();
        let whole = 0..text.len();
        scanners.search(text.as_bytes(), &[whole], &mut |_, range| out.push(text[range].to_owned())).unwrap();
        out
    }

    fn text(value: &str, case: LetterCase, borders: Borders) -> TextPattern {
        TextPattern { value: value.into(), case, borders }
    }

    #[test]
    fn texts_keep_their_case_and_borders() {
        let one = |t: TextPattern, on: &str| found(|b| b.text(0, 0, &t), on).len();
        assert_eq!(one(text("Get\"A\\B", LetterCase::Counts, Borders::Anywhere), "xGet\"A\\By"), 1);
        assert_eq!(one(text("get", LetterCase::Counts, Borders::Anywhere), "GET"), 0);
        assert_eq!(one(text("get", LetterCase::Ignored, Borders::Anywhere), "GETaget"), 2);
        assert_eq!(one(text("get", LetterCase::Ignored, Borders::Word), "GETa get."), 1);
        assert_eq!(one(text("grün", LetterCase::Counts, Borders::Anywhere), "x grün"), 1);
        assert_eq!(one(text("grün", LetterCase::Ignored, Borders::Word), "GRÜN Grün grünx"), 2);
    }

    #[test]
    fn regular_expressions_take_slashes_flags_and_anchors() {
        let one = |expression: &str, on: &str| found(|b| b.regex(0, 0, expression).unwrap(), on);
        assert_eq!(one(r"POST /ecp/\w\.js", "a POST /ecp/x.js b"), ["POST /ecp/x.js"]);
        assert_eq!(one("(?i)abc", "xABCx"), ["ABC"]);
        assert_eq!(one("^abc$", "abc"), ["abc"]);
        assert!(one("^abc$", "xabc").is_empty());
        assert_eq!(one("(^|;)sid=[0-9]", "sid=1;sid=2 sid=3"), ["sid=1", ";sid=2"]);
        assert_eq!(one("[^,]*end", "an end"), ["an end"]);
        assert!(PatternBuilder::default().regex(0, 0, "a(").is_err());
    }

    #[test]
    fn rules_of_packs_are_named() {
        let mut builder = PatternBuilder::default();
        builder.yara(3, 7, "rule a { strings: $x = \"one\" $y = \"two\" condition: all of them }").unwrap();
        assert!(builder.yara(3, 7, "rule {").is_err());
        let patterns = builder.build().unwrap();
        let hits = patterns.scanners().rules(b"two one two").unwrap();
        assert_eq!((hits[0].rule.as_str(), hits[0].range.clone(), hits[0].count, hits[0].leaf), ("a", 0..3, 3, 7));
        assert!(patterns.scanners().rules(b"two").unwrap().is_empty());
    }
}
