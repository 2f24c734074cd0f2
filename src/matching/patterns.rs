//! Text, regular expressions and YARA rules through yara-x. The only file that knows yara-x.

use std::ops::Range;

use yara_x::{Compiler, Rules, Scanner, SourceCode};

use crate::pack::{Borders, LetterCase, TextPattern};

use super::screen::longest_plain_part;

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
    /// Adds a text.
    pub fn text(&mut self, indicator: u32, leaf: u32, text: &TextPattern) {
        let declare = |value: &str, borders: Borders| {
            let case = if text.case == LetterCase::Ignored { " nocase" } else { "" };
            let borders = if borders == Borders::Word { " fullword" } else { "" };
            format!("\"{}\" ascii{case}{borders}", quote(value))
        };
        let pattern = |role| Pattern { indicator, leaf, kind: "text", value: text.value.clone(), role };
        self.patterns.push((pattern(Role::Exact), declare(&text.value, text.borders)));
        let plain = longest_plain_part(&text.value);
        if plain != text.value && !plain.is_empty() {
            self.patterns.push((pattern(Role::Screen), declare(&plain, Borders::Anywhere)));
        }
    }

    /// Adds a regular expression, and says what is wrong with it.
    pub fn regex(&mut self, indicator: u32, leaf: u32, expression: &str) -> Result<(), String> {
        let (flags, body) = split_flags(expression);
        let bare = body.strip_prefix('^').unwrap_or(body);
        let bare = match bare.strip_suffix('$') {
            Some(head) if head.bytes().rev().take_while(|&b| b == b'\\').count() % 2 == 0 => head,
            _ => bare,
        };
        let role = if bare == body {
            Role::Exact
        } else {
            let built = regex::bytes::RegexBuilder::new(body)
                .case_insensitive(flags.contains('i'))
                .dot_matches_new_line(flags.contains('s'))
                .build();
            Role::Anchored(built.map_err(|error| error.to_string())?)
        };
        let declared = format!("/{}/{flags}", quote_slashes(bare));
        compile(&format!("rule probe {{ strings: $p = {declared} condition: $p }}"))?;
        self.patterns.push((Pattern { indicator, leaf, kind: "regex", value: expression.to_owned(), role }, declared));
        Ok(())
    }

    /// Adds a YARA source, and says what is wrong with it.
    pub fn yara(&mut self, indicator: u32, leaf: u32, source: &str) -> Result<(), String> {
        compile(source)?;
        self.sources.push(YaraSource { indicator, leaf, source: source.to_owned() });
        Ok(())
    }

    /// Compiles all of it.
    pub fn build(self) -> Result<Patterns, String> {
        let mut text = String::new();
        for (number, chunk) in self.patterns.chunks(STRINGS_PER_RULE).enumerate() {
            text.push_str(&format!("rule strings_{number} {{ strings:\n"));
            for (index, (_, declared)) in chunk.iter().enumerate() {
                text.push_str(&format!("$p{} = {declared}\n", number * STRINGS_PER_RULE + index));
            }
            text.push_str("condition: any of them }\n");
        }
        let strings = if text.is_empty() { None } else { Some(compile(&text)?) };
        let rules = if self.sources.is_empty() {
            None
        } else {
            let mut compiler = compiler();
            for (number, source) in self.sources.iter().enumerate() {
                compiler.new_namespace(&format!("{number}"));
                compiler.add_source(SourceCode::from(source.source.as_str())).map_err(|error| error.to_string())?;
            }
            Some(compiler.build())
        };
        let patterns: Vec<Pattern> = self.patterns.into_iter().map(|(pattern, _)| pattern).collect();
        let has_regex = patterns.iter().any(|pattern| pattern.kind == "regex");
        Ok(Patterns { strings, rules, patterns, sources: self.sources, has_regex })
    }
}

/// Splits `(?is)` off the front of a regular expression; yara-x takes the flags behind it.
fn split_flags(expression: &str) -> (&str, &str) {
    expression
        .strip_prefix("(?")
        .and_then(|rest| rest.split_once(')'))
        .filter(|(flags, _)| !flags.is_empty() && flags.chars().all(|c| matches!(c, 'i' | 's')))
        .unwrap_or(("", expression))
}

fn quote(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'"' => "\\\"".to_owned(),
            b'\\' => "\\\\".to_owned(),
            0x20..=0x7e => char::from(byte).to_string(),
            _ => format!("\\x{byte:02x}"),
        })
        .collect()
}

/// Escapes slashes that are not escaped yet, and line ends, which a YARA regular expression may not hold.
fn quote_slashes(expression: &str) -> String {
    let mut out = String::new();
    let mut is_escaped = false;
    for c in expression.chars() {
        match c {
            '/' if !is_escaped => out.push_str("\\/"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            c => out.push(c),
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    out
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

/// What a search for strings is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To find records worth parsing: parts of patterns count.
    Screen,
    /// To find what matches.
    Evaluate,
}

impl Scanners<'_> {
    /// Calls `each` with every string found: the pattern's index in [`Patterns::patterns`], and where.
    ///
    /// For [`Purpose::Evaluate`], `around` gives the text that an anchored expression must match as a whole.
    pub fn strings(
        &mut self,
        bytes: &[u8],
        purpose: Purpose,
        around: &dyn Fn(usize) -> Range<usize>,
        each: &mut dyn FnMut(usize, Range<usize>),
    ) -> Result<(), String> {
        let Some(scanner) = &mut self.strings else { return Ok(()) };
        let results = scanner.scan(bytes).map_err(|error| error.to_string())?;
        for rule in results.matching_rules() {
            for found in rule.patterns() {
                let Some(index) = found.identifier().strip_prefix("$p").and_then(|n| n.parse::<usize>().ok()) else {
                    continue;
                };
                let Some(pattern) = self.patterns.patterns.get(index) else { continue };
                let mut confirmed = None;
                for one in found.matches() {
                    let range = one.range();
                    match (&pattern.role, purpose) {
                        (Role::Screen, Purpose::Evaluate) => {}
                        (Role::Anchored(regex), Purpose::Evaluate) => {
                            let text = around(range.start);
                            let is_new = confirmed.replace(text.start) != Some(text.start);
                            if is_new && let Some(whole) = bytes.get(text.clone()).and_then(|text| regex.find(text)) {
                                each(index, text.start + whole.start()..text.start + whole.end());
                            }
                        }
                        _ => each(index, range),
                    }
                }
            }
        }
        Ok(())
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
        let whole = |_| 0..text.len();
        scanners
            .strings(text.as_bytes(), Purpose::Evaluate, &whole, &mut |_, range| out.push(text[range].to_owned()))
            .unwrap();
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
    }

    #[test]
    fn regular_expressions_take_slashes_flags_and_anchors() {
        let one = |expression: &str, on: &str| found(|b| b.regex(0, 0, expression).unwrap(), on);
        assert_eq!(one(r"POST /ecp/\w\.js", "a POST /ecp/x.js b"), ["POST /ecp/x.js"]);
        assert_eq!(one("(?i)abc", "xABCx"), ["ABC"]);
        assert_eq!(one("^abc$", "abc"), ["abc"]);
        assert!(one("^abc$", "xabc").is_empty());
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
