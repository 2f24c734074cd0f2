//! Regular expressions in the YARA rules of packs that ask for more than yara-x follows: what it let go of is told.
//!
//! yara-x follows an expression for 4,096 bytes to each side of where it saw a part of it, and then drops the match without
//! a word. The regex crate knows no such bound, so it says where a match stands that yara-x does not have.

use regex::bytes::{Regex, RegexBuilder};
use yara_x_parser::ast::{AST, Pattern, PatternModifier};

use super::expression::may_run_on;

/// The longest match that yara-x follows wherever its part stands. Source: `DEFAULT_SCAN_LIMIT` of yara-x 1.22.
const FOLLOWED_BYTES: usize = 4096;

/// An expression whose parts may stand further apart than yara-x follows.
#[derive(Debug)]
pub(super) struct FarString {
    /// The number of the YARA source.
    pub source: usize,
    /// The identifiers of its rule and of the string, such as `$a`.
    pub rule: String,
    pub name: String,
    regex: Option<Regex>,
    is_wide: bool,
}

impl FarString {
    /// Returns those of a YARA source. A source that cannot be parsed has none: it is refused elsewhere.
    pub fn all_of(number: usize, source: &str) -> Vec<Self> {
        let ast = AST::from(source);
        let mut all = Vec::new();
        for rule in ast.rules() {
            for pattern in rule.patterns.iter().flatten() {
                let Pattern::Regexp(pattern) = pattern else { continue };
                if !may_run_on(pattern.regexp.src) {
                    continue;
                }
                let mut is_wide = false;
                let mut ignores_case = pattern.regexp.case_insensitive;
                for modifier in pattern.modifiers.iter() {
                    is_wide |= matches!(modifier, PatternModifier::Wide { .. });
                    ignores_case |= matches!(modifier, PatternModifier::Nocase { .. });
                }
                let built = RegexBuilder::new(pattern.regexp.src)
                    .case_insensitive(ignores_case)
                    .dot_matches_new_line(pattern.regexp.dot_matches_new_line)
                    .unicode(false)
                    .build();
                all.push(Self {
                    source: number,
                    rule: rule.identifier.name.to_owned(),
                    name: pattern.identifier.name.to_owned(),
                    regex: built.ok(),
                    is_wide,
                });
            }
        }
        all
    }

    /// Returns what to tell where the expression stands in a text over more bytes than yara-x follows, and yara-x has no
    /// match that begins there. `starts` are the beginnings of those that it has.
    pub fn dropped(&self, text: &[u8], starts: &[usize]) -> Option<String> {
        if text.len() <= FOLLOWED_BYTES {
            return None;
        }
        let Self { rule, name, .. } = self;
        let Some(regex) = &self.regex else {
            return Some(format!(
                "the string `{name}` of the rule `{rule}` may stand in more bytes than yara-x follows"
            ));
        };
        let is_dropped = |found: &regex::bytes::Match<'_>| !starts.contains(&found.start());
        let mut long = regex.find_iter(text).filter(|found| found.len() > FOLLOWED_BYTES);
        let mut length = long.find(is_dropped).map(|found| found.len());
        if length.is_none() && self.is_wide && starts.is_empty() {
            let narrow: Vec<u8> = text.iter().copied().filter(|byte| *byte != 0).collect();
            length = regex.find_iter(&narrow).map(|found| found.len() * 2).find(|length| *length > FOLLOWED_BYTES);
        }
        length.map(|length| {
            format!(
                "the string `{name}` of the rule `{rule}` stands in {length} bytes, of which yara-x follows \
                 {FOLLOWED_BYTES}; the rule may hold"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = r#"
        rule near { strings: $a = "text" $b = /a[0-9]{1,8}b/ condition: any of them }
        rule far { strings: $a = "x" $c = /begin.*end/s $d = { 01 02 } $w = /Begin.+End/ wide nocase condition: all of them }
    "#;

    #[test]
    fn expressions_that_run_on_are_told_from_others() {
        let all = FarString::all_of(3, SOURCE);
        let named: Vec<_> = all.iter().map(|far| (far.source, far.rule.as_str(), far.name.as_str())).collect();
        assert_eq!(named, [(3, "far", "$c"), (3, "far", "$w")]);
        assert!(FarString::all_of(0, "rule {").is_empty());
    }

    #[test]
    fn a_match_is_dropped_beyond_what_is_followed_and_only_there() {
        let all = FarString::all_of(0, SOURCE);
        let [plain, wide] = all.as_slice() else { panic!("{all:?}") };
        let text = |length: usize| format!("  begin{}end", ".".repeat(length - 8)).into_bytes();
        assert_eq!(plain.dropped(&text(FOLLOWED_BYTES), &[]), None);
        let told = plain.dropped(&text(FOLLOWED_BYTES + 1), &[]);
        assert!(
            told.as_ref().is_some_and(|told| told.contains("`$c` of the rule `far` stands in 4097 bytes")),
            "{told:?}"
        );
        assert_eq!(plain.dropped(&text(FOLLOWED_BYTES + 1), &[2]), None, "yara-x has it");
        assert_eq!(plain.dropped(&[b'x'; 10_000], &[]), None);
        let zeros = |text: Vec<u8>| text.into_iter().flat_map(|byte| [byte, 0]).collect::<Vec<u8>>();
        assert!(wide.dropped(&zeros(text(3000)), &[]).is_some());
        assert_eq!(wide.dropped(&zeros(text(2000)), &[]), None);
    }
}
