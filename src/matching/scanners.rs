//! Compiled patterns at work on one thread, within limits that never cut in silence. Only this file and `patterns.rs` know
//! yara-x.

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

use yara_x::{Pattern as Found, ScanError, ScanResults, Scanner};

use super::patterns::{Patterns, Program, Role};
use crate::observable::is_in_word;

/// How often a pattern may match in one scan. Each match takes memory; the default of yara-x, a million, takes 24 MB a
/// pattern and cuts without a word.
pub(super) const MOST_MATCHES: usize = 100_000;

/// How long one scan may take. No ordinary one comes near it: it only ends a rule that would never end.
const MOST_SCAN: Duration = Duration::from_secs(600);

/// The scanners of one thread.
pub(super) struct Scanners<'r> {
    strings: Option<Scanner<'r>>,
    rules: Option<Runner<'r>>,
    hexes: Option<Runner<'r>>,
    patterns: &'r Patterns,
    /// What limits were met since they were last asked for.
    limits: BTreeSet<String>,
}

struct Runner<'r> {
    scanner: Scanner<'r>,
    program: &'r Program,
}

/// A rule of a pack's YARA source, or a hex string, that matched.
#[derive(Clone, Debug)]
pub(super) struct RuleHit {
    pub indicator: u32,
    pub leaf: u32,
    /// `yara` or `hex`.
    pub kind: &'static str,
    /// The rule's identifier, or the hex string.
    pub rule: String,
    /// Where its first string stands; the start where it has none.
    pub range: Range<usize>,
    /// How many of its strings were found.
    pub count: u64,
}

/// Whether a screen saw all there was to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Screened {
    /// Every place was told.
    Whole,
    /// A limit cut it off: anything may stand anywhere.
    Cut,
}

fn limited<'r>(mut scanner: Scanner<'r>) -> Scanner<'r> {
    scanner.max_matches_per_pattern(MOST_MATCHES).set_timeout(MOST_SCAN);
    scanner
}

fn met_timeout() -> String {
    format!("a search with yara-x took longer than {} seconds and was ended", MOST_SCAN.as_secs())
}

fn met_matches(what: &str) -> String {
    format!("{what} matches {MOST_MATCHES} times or more; places beyond were not looked at")
}

fn is_cut(pattern: &Found<'_, '_>) -> bool {
    pattern.matches().len() >= MOST_MATCHES
}

impl Role {
    /// Tells whether what yara-x found in a text stands there by itself, as far as this must be so.
    fn stands(&self, text: &[u8], at: &Range<usize>) -> bool {
        match self {
            Self::Whole(whole) => whole.stands(text, at),
            Self::Word => !is_in_word(text, at),
            Self::Exact | Self::Screen | Self::Anchored(_) | Self::Far { .. } => true,
        }
    }
}

impl<'r> Scanners<'r> {
    /// Makes the scanners of one thread.
    pub fn new(patterns: &'r Patterns) -> Self {
        let runner = |program: &'r Program| Runner { scanner: limited(Scanner::new(&program.rules)), program };
        Self {
            strings: patterns.strings.as_ref().map(|rules| limited(Scanner::new(rules))),
            rules: patterns.rules.as_ref().map(runner),
            hexes: patterns.hexes.as_ref().map(runner),
            patterns,
            limits: BTreeSet::new(),
        }
    }

    /// Returns the limits that were met since this was last asked.
    pub fn take_limits(&mut self) -> BTreeSet<String> {
        std::mem::take(&mut self.limits)
    }

    /// Calls `each` with every place in raw bytes where one of the wanted patterns, or a plain part of one, stands.
    pub fn screen(
        &mut self,
        bytes: &[u8],
        wanted: &[bool],
        each: &mut dyn FnMut(Range<usize>),
    ) -> Result<Screened, String> {
        if !wanted.contains(&true) {
            return Ok(Screened::Whole);
        }
        let is_wanted = |index: usize| wanted.get(index).is_none_or(|wanted| *wanted);
        let found = self.scan(bytes)?;
        // What is cut here is searched again, record by record, and only there counts as cut.
        if !self.take_limits().is_empty() {
            return Ok(Screened::Cut);
        }
        found.into_iter().filter(|(index, _)| is_wanted(*index)).for_each(|(_, range)| each(range));
        for pattern in &self.patterns.patterns {
            if let Role::Far { screen, .. } = &pattern.role {
                screen.find_iter(bytes).for_each(|found| each(found.range()));
            }
        }
        Ok(Screened::Whole)
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
            let is_within = |view: &Range<usize>| view.start <= range.start && range.end <= view.end;
            match (&pattern.role, views.get(first)) {
                (Role::Screen, _) => {}
                (Role::Exact, Some(view)) if is_within(view) => within.push((index, first, range)),
                (role @ (Role::Whole(_) | Role::Word), Some(view)) if is_within(view) => {
                    let at = range.start - view.start..range.end - view.start;
                    if role.stands(bytes.get(view.clone()).unwrap_or_default(), &at) {
                        within.push((index, first, range));
                    }
                }
                (Role::Whole(_), _) => {}
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
                Some(role) => {
                    let found = self.scan(text)?.into_iter().filter(|(other, _)| *other == index);
                    found.map(|(_, at)| at).filter(|at| role.stands(text, at)).collect()
                }
                None => Vec::new(),
            };
            within.extend(alone.into_iter().map(|at| (index, number, view.start + at.start..view.start + at.end)));
        }
        for (index, pattern) in self.patterns.patterns.iter().enumerate() {
            let Role::Far { whole, .. } = &pattern.role else { continue };
            for (number, view) in views.iter().enumerate() {
                let text = bytes.get(view.clone()).unwrap_or_default();
                let found = whole.find_iter(text).take(MOST_MATCHES).map(|found| found.range());
                let before = within.len();
                within.extend(found.map(|at| (index, number, view.start + at.start..view.start + at.end)));
                if within.len() - before >= MOST_MATCHES {
                    self.limits.insert(met_matches(&format!("{} `{}`", pattern.kind, pattern.value)));
                }
            }
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
        let mut found = Vec::new();
        let Some(results) = finished(scanner.scan(bytes), &mut self.limits)? else { return Ok(found) };
        for rule in results.matching_rules() {
            for pattern in rule.patterns() {
                let Some(index) = pattern.identifier().strip_prefix("$p").and_then(|n| n.parse::<usize>().ok()) else {
                    continue;
                };
                if is_cut(&pattern) {
                    let own = self.patterns.patterns.get(index).map(|own| format!("{} `{}`", own.kind, own.value));
                    self.limits.insert(met_matches(&own.unwrap_or_default()));
                }
                found.extend(pattern.matches().map(|one| (index, one.range())));
            }
        }
        Ok(found)
    }

    /// Returns the rules of the packs' own YARA sources that match these bytes as a whole.
    pub fn rules(&mut self, bytes: &[u8]) -> Result<Vec<RuleHit>, String> {
        run(self.rules.as_mut(), bytes, &mut self.limits)
    }

    /// Returns the hex strings that stand in these bytes.
    pub fn hexes(&mut self, bytes: &[u8]) -> Result<Vec<RuleHit>, String> {
        run(self.hexes.as_mut(), bytes, &mut self.limits)
    }
}

/// Returns the results of a scan; none where it was ended for the time that it took.
fn finished<'a, 'r>(
    results: Result<ScanResults<'a, 'r>, ScanError>,
    limits: &mut BTreeSet<String>,
) -> Result<Option<ScanResults<'a, 'r>>, String> {
    match results {
        Ok(results) => Ok(Some(results)),
        Err(ScanError::Timeout) => {
            limits.insert(met_timeout());
            Ok(None)
        }
        Err(error) => Err(error.to_string()),
    }
}

fn run(runner: Option<&mut Runner<'_>>, bytes: &[u8], limits: &mut BTreeSet<String>) -> Result<Vec<RuleHit>, String> {
    let mut hits = Vec::new();
    let Some(Runner { scanner, program }) = runner else { return Ok(hits) };
    let Some(results) = finished(scanner.scan(bytes), limits)? else { return Ok(hits) };
    // No pattern matches more often than there are bytes. A rule that counts may fail for what was cut.
    if bytes.len() >= MOST_MATCHES {
        for rule in results.matching_rules().chain(results.non_matching_rules()) {
            if rule.patterns().any(|pattern| is_cut(&pattern)) {
                limits.insert(met_matches(&format!("a string of the rule `{}`", rule.identifier())));
            }
        }
    }
    for far in &program.far {
        let is_its = |rule: &yara_x::Rule<'_, '_>| {
            rule.identifier() == far.rule && rule.namespace().parse::<usize>() == Ok(far.source)
        };
        let rule = results.matching_rules().chain(results.non_matching_rules()).find(is_its);
        let string =
            rule.and_then(|rule| rule.patterns().include_private(true).find(|one| one.identifier() == far.name));
        let starts: Vec<usize> =
            string.iter().flat_map(|string| string.matches()).map(|one| one.range().start).collect();
        limits.extend(far.dropped(bytes, &starts));
    }
    for rule in results.matching_rules() {
        let Some(source) = rule.namespace().parse::<usize>().ok().and_then(|n| program.sources.get(n)) else {
            continue;
        };
        let matches = || rule.patterns().flat_map(|pattern| pattern.matches().map(|one| one.range()));
        let first = matches().min_by_key(|range| range.start).unwrap_or(0..0);
        hits.push(RuleHit {
            indicator: source.indicator,
            leaf: source.leaf,
            kind: if source.hex.is_some() { "hex" } else { "yara" },
            rule: source.hex.clone().unwrap_or_else(|| rule.identifier().to_owned()),
            range: first,
            count: u64::try_from(matches().count()).unwrap_or(u64::MAX).max(1),
        });
    }
    Ok(hits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matching::patterns::PatternBuilder;
    use crate::pack::{Borders, LetterCase, TextPattern};

    fn found(build: impl FnOnce(&mut PatternBuilder), text: &str) -> Vec<String> {
        let mut builder = PatternBuilder::default();
        build(&mut builder);
        let patterns = builder.build().unwrap();
        let mut scanners = Scanners::new(&patterns);
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
        let word = || text("word", LetterCase::Ignored, Borders::Word);
        assert_eq!(one(word(), "éword wordé жword wordж 1word word\u{301} ｘword"), 0);
        assert_eq!(one(word(), "word “word” 日word本 —word。 _word_"), 5);
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
        let hits = Scanners::new(&patterns).rules(b"two one two").unwrap();
        assert_eq!((hits[0].rule.as_str(), hits[0].range.clone(), hits[0].count, hits[0].leaf), ("a", 0..3, 3, 7));
        assert!(Scanners::new(&patterns).rules(b"two").unwrap().is_empty());
    }

    #[test]
    fn limits_are_told_and_only_once_they_are_met() {
        let mut builder = PatternBuilder::default();
        builder.text(0, 0, &text("ab", LetterCase::Counts, Borders::Anywhere));
        builder.yara(0, 1, "rule a { strings: $x = \"ab\" condition: #x > 10000000 }").unwrap();
        let patterns = builder.build().unwrap();
        let mut scanners = Scanners::new(&patterns);
        let below = "ab".repeat(MOST_MATCHES - 1);
        let whole = 0..below.len();
        scanners.search(below.as_bytes(), &[whole], &mut |_, _| {}).unwrap();
        assert!(scanners.rules(below.as_bytes()).unwrap().is_empty());
        assert!(scanners.take_limits().is_empty());
        let at = "ab".repeat(MOST_MATCHES);
        let mut count = 0;
        let whole = 0..at.len();
        scanners.search(at.as_bytes(), &[whole], &mut |_, _| count += 1).unwrap();
        let limits = scanners.take_limits();
        assert_eq!((count, limits.len()), (MOST_MATCHES, 1));
        assert!(limits.first().unwrap().starts_with("text `ab` matches 100000 times"), "{limits:?}");
        assert!(scanners.rules(at.as_bytes()).unwrap().is_empty());
        assert!(scanners.take_limits().first().unwrap().contains("rule `a`"));
        assert_eq!(scanners.screen(at.as_bytes(), &[true], &mut |_| {}), Ok(Screened::Cut));
        assert_eq!(scanners.screen(below.as_bytes(), &[true], &mut |_| {}), Ok(Screened::Whole));
        assert!(scanners.take_limits().is_empty());
    }

    #[test]
    fn what_yara_x_does_not_follow_is_told() {
        let mut builder = PatternBuilder::default();
        builder.yara(0, 1, "rule far { strings: $x = /begin[a-z ]*end/ condition: $x }").unwrap();
        let patterns = builder.build().unwrap();
        let mut scanners = Scanners::new(&patterns);
        let text = |length: usize| format!("begin{}end", " ".repeat(length));
        assert_eq!(scanners.rules(text(4000).as_bytes()).unwrap().len(), 1);
        assert!(scanners.take_limits().is_empty());
        let hits = scanners.rules(text(20_000).as_bytes()).unwrap();
        let limits = scanners.take_limits();
        assert!(hits.is_empty(), "yara-x follows as far as this now: this test and `reach.rs` can go");
        assert!(limits.first().is_some_and(|told| told.contains("`$x` of the rule `far`")), "{limits:?}");
    }

    #[test]
    fn hex_strings_have_jumps_and_wildcards() {
        let mut builder = PatternBuilder::default();
        builder.hex(1, 2, "{ 4D 5A ?? [2-4] 00 }").unwrap();
        assert!(builder.hex(1, 2, "{ 4D 5 }").is_err());
        let patterns = builder.build().unwrap();
        let mut scanners = Scanners::new(&patterns);
        let hits = scanners.hexes(b"xxMZabcd\0").unwrap();
        assert_eq!((hits[0].range.clone(), hits[0].kind, hits[0].leaf), (2..9, "hex", 2));
        assert!(scanners.hexes(b"MZa\0").unwrap().is_empty());
        let mut found = Vec::new();
        let whole = 0..8;
        scanners.search(b"xxMZabc\0", &[whole], &mut |index, range| found.push((index, range))).unwrap();
        assert_eq!(found, [(0, 2..8)]);
    }

    #[test]
    fn a_search_that_takes_too_long_is_told_and_ends_nothing_else() {
        let mut limits = BTreeSet::new();
        assert!(finished(Err(ScanError::Timeout), &mut limits).is_ok_and(|results| results.is_none()));
        assert!(limits.first().unwrap().contains("longer than 600 seconds"));
        assert!(finished(Err(ScanError::UnknownModule { module: "x".into() }), &mut limits).is_err());
    }
}
