//! Packs compiled: atoms to look up, patterns to find, predicates to test, and how an indicator's test combines them.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{ObservableValue, SightingKind};
use crate::observable::candidates::Level;
use crate::observable::table::{ObservableRef, ObservableTable, TableFull, ValueKey};
use crate::observable::{HashKind, Observable};
use crate::pack::{Expr, Indicator, Pack, PackError};
use crate::record::{Field, FieldName};

use super::Hit;
use super::atoms::AtomTable;
use super::condition::{Facts, LeafKind, Test, kind_of};
use super::filter::Filter;
use super::indicators::{CompiledIndicator, IndicatorRun, IndicatorView, Indicators, PackInfo};
use super::patterns::{CompiledPatterns, PatternBuilder, Patterns};
use super::predicate::{self, FieldTest};
use super::screen::Screen;
use super::token::TokenTable;

/// Which leaves were found in a record.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    /// Leaves of which something was seen.
    pub seen: BTreeSet<u32>,
    /// Leaves of which something was seen or quoted.
    pub quoted: BTreeSet<u32>,
}

/// The digests of one artifact, lower-case hexadecimal, as far as they were computed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Digests(pub Vec<(HashKind, String)>);

/// What a scan learns about which indicators could have been found at all.
#[derive(Debug)]
pub struct Evaluated {
    /// For each record leaf, whether some record had every field that it asks for.
    records: Vec<AtomicBool>,
    /// Whether the digest of some artifact was computed.
    pub digests: AtomicBool,
    /// Whether some artifact was examined.
    pub artifacts: AtomicBool,
}

/// Packs compiled.
#[derive(Debug)]
pub struct Ruleset {
    /// The packs.
    pub packs: Vec<PackInfo>,
    pub(super) indicators: Indicators,
    pub(super) atoms: AtomTable,
    pub(super) patterns: Patterns,
    pub(super) tokens: TokenTable,
    pub(super) screen: Screen,
    pub(super) record_leaves: Vec<Vec<FieldTest>>,
    pub(super) required: Vec<Vec<FieldName>>,
    with_records: Vec<u32>,
}

#[derive(Default)]
struct Building {
    atoms: AtomTable,
    patterns: PatternBuilder,
    tokens: TokenTable,
    record_leaves: Vec<Vec<FieldTest>>,
    leaves: u32,
    faults: Vec<(&'static str, String)>,
}

impl Ruleset {
    /// Compiles packs.
    ///
    /// # Errors
    /// Every regular expression and YARA source that yara-x refuses, and every test that nothing could set off.
    pub fn compile(packs: Vec<Pack>) -> Result<Self, Vec<PackError>> {
        Self::compile_with(packs, None)
    }

    /// Compiles packs, with the compiled patterns and the filter of these same packs if they are known.
    pub(super) fn compile_with(
        mut packs: Vec<Pack>,
        known: Option<(CompiledPatterns, Filter)>,
    ) -> Result<Self, Vec<PackError>> {
        let (known, known_filter) = known.unzip();
        let largest = (0..packs.len()).max_by_key(|at| packs.get(*at).map_or(0, |pack| pack.listed.len()));
        let values =
            largest.and_then(|at| packs.get_mut(at)).map(|pack| std::mem::take(&mut pack.listed).into_values());
        let mut own = largest;
        let atoms = AtomTable::starting_from(values.unwrap_or_default());
        let mut building = Building { atoms, patterns: PatternBuilder::new(known), ..Building::default() };
        let mut infos = Vec::new();
        let mut indicators = Indicators::default();
        let mut with_records = Vec::new();
        let mut errors = Vec::new();
        for (pack_index, pack) in packs.into_iter().enumerate() {
            let first = indicators.len();
            for mut indicator in pack.indicators {
                let index = u32::try_from(indicators.len()).unwrap_or(u32::MAX);
                let expr = std::mem::replace(&mut indicator.matches, Expr::All(Vec::new()));
                let kind = kind_of(&expr);
                let records_before = building.record_leaves.len();
                let test = building.test(index, expr);
                if building.record_leaves.len() > records_before {
                    with_records.push(index);
                }
                if !test.can_be_set_off() {
                    building.faults.push((
                        "M001",
                        "nothing that a record holds could set this test off: it only says `not`".into(),
                    ));
                }
                for (code, problem) in building.faults.drain(..) {
                    errors.push(fault(&pack.file, &indicator, code, problem));
                }
                indicators.push(CompiledIndicator { pack: pack_index, indicator, kind, test });
            }
            let added = match own.take_if(|at| *at == pack_index) {
                Some(_) => building.known_values(indicators.len()),
                None => building.values(indicators.len(), pack.listed.values()),
            };
            match added {
                Ok(atoms) => indicators.push_listed(pack_index, atoms),
                Err(TableFull) => errors.push(whole_fault(&pack.file, "there are more atoms than can be numbered")),
            }
            infos.push(PackInfo { name: pack.name, advisory: pack.advisory, indicators: first..indicators.len() });
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let whole = |problem: String| vec![whole_fault("(all packs)", &problem)];
        let patterns = building.patterns.build().map_err(whole)?;
        let screen = Screen::new(&building.atoms, &patterns, &building.record_leaves, &building.tokens, known_filter)
            .map_err(whole)?;
        let required =
            building.record_leaves.iter().map(|leaf| predicate::required_fields(leaf).cloned().collect()).collect();
        Ok(Self {
            packs: infos,
            indicators,
            atoms: building.atoms,
            patterns,
            tokens: building.tokens,
            screen,
            required,
            record_leaves: building.record_leaves,
            with_records,
        })
    }

    /// Chooses the instructions that the first look uses. Tests hold all of them equal.
    #[doc(hidden)]
    pub fn set_level(&mut self, level: Level) {
        self.screen.level = level;
    }

    /// Returns how many indicators there are.
    pub fn len(&self) -> usize {
        self.indicators.len()
    }

    /// Tells whether there is no indicator.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns an indicator by its index: those of all packs are numbered in order.
    pub fn indicator(&self, index: usize) -> Option<IndicatorView<'_>> {
        self.indicators.get(index, &self.atoms)
    }

    /// Returns every indicator in order.
    pub fn indicators(&self) -> impl Iterator<Item = IndicatorView<'_>> {
        (0..self.len()).filter_map(|index| self.indicator(index))
    }

    /// Returns every indicator in runs, each with the index of its first.
    pub fn runs(&self) -> impl Iterator<Item = (usize, IndicatorRun<'_>)> {
        self.indicators.runs(&self.atoms)
    }

    /// Returns the atoms with their indicators, in the order of the packs.
    pub fn atoms(&self) -> impl Iterator<Item = (IndicatorView<'_>, ObservableRef<'_>)> {
        self.atoms.iter().filter_map(|(entry, value)| Some((self.indicator_of(entry.indicator)?, value)))
    }

    /// Tells whether packs brought YARA rules or hex strings, which also look at artifacts as a whole.
    pub fn looks_at_whole(&self) -> bool {
        self.patterns.looks_at_whole()
    }

    /// Returns the kinds of digests that some indicator lists.
    pub fn digest_kinds(&self) -> Vec<HashKind> {
        let kinds = [HashKind::Md5, HashKind::Sha1, HashKind::Sha256, HashKind::Sha512];
        kinds.into_iter().filter(|kind| self.atoms.has_hash(*kind)).collect()
    }

    /// Starts the account of what could be evaluated.
    pub fn evaluated(&self) -> Evaluated {
        Evaluated {
            records: self.record_leaves.iter().map(|_| AtomicBool::new(false)).collect(),
            digests: AtomicBool::new(false),
            artifacts: AtomicBool::new(false),
        }
    }

    /// Tells why an indicator could not have been found in what was scanned; none where it could.
    pub fn why_not_evaluable(&self, indicator: &CompiledIndicator, evaluated: &Evaluated) -> Option<Cow<'static, str>> {
        if !evaluated.artifacts.load(Ordering::Relaxed) {
            return Some(Cow::Borrowed(NO_ARTIFACT));
        }
        self.lacks(&indicator.test, evaluated).map(Cow::Owned)
    }

    fn lacks(&self, test: &Test, evaluated: &Evaluated) -> Option<String> {
        match test {
            Test::All(parts) => parts.iter().find_map(|part| self.lacks(part, evaluated)),
            Test::Any(parts) => {
                let lacks: Vec<String> = parts.iter().map_while(|part| self.lacks(part, evaluated)).collect();
                (lacks.len() == parts.len() && !parts.is_empty()).then(|| lacks.join("; "))
            }
            Test::Not(_) | Test::Found(_, LeafKind::Other) => None,
            Test::Found(_, LeafKind::Digest) => {
                (!evaluated.digests.load(Ordering::Relaxed)).then(|| NO_DIGEST.to_owned())
            }
            Test::Record(leaf) => {
                let known = evaluated.records.get(*leaf).is_some_and(|flag| flag.load(Ordering::Relaxed));
                let fields = self.required.get(*leaf).into_iter().flatten().map(FieldName::as_str);
                let fields = fields.collect::<Vec<_>>().join(", ");
                (!known).then(|| format!("no record has all of the fields it asks for: {fields}"))
            }
        }
    }

    /// Returns the hits of an artifact's own digests.
    pub fn digest_hits(&self, digests: &Digests) -> Vec<Hit> {
        let mut hits = Vec::new();
        for (kind, digits) in &digests.0 {
            self.atoms.look_up_digest(*kind, digits, &mut |id| {
                let (Some(entry), Some(value)) = (self.atoms.entry(id), self.atoms.value(id)) else { return };
                let evidence = Evidence { seen: BTreeSet::from([entry.leaf]), quoted: BTreeSet::from([entry.leaf]) };
                if self.decide(entry.indicator, &evidence, &[]).is_some() {
                    let observable = observable_value(value);
                    hits.push(Hit {
                        seen: entry.seen,
                        ..Hit::of_artifact(entry.indicator, observable, digits.clone(), None)
                    });
                }
            });
        }
        hits
    }

    /// Returns the observable of an atom as reports have it.
    pub(super) fn observable_of(&self, atom: u32) -> Option<ObservableValue> {
        self.atoms.value(atom).map(observable_value)
    }

    pub(super) fn indicator_of(&self, index: u32) -> Option<IndicatorView<'_>> {
        usize::try_from(index).ok().and_then(|index| self.indicator(index))
    }

    /// Returns the indicators that test fields, which may hold without anything having been found.
    pub(super) fn with_records(&self) -> impl Iterator<Item = u32> + '_ {
        self.with_records.iter().copied()
    }

    /// Returns the fields that an indicator's record tests ask for.
    pub(super) fn record_fields(&self, index: u32) -> Vec<&FieldName> {
        let mut leaves = Vec::new();
        if let Some(IndicatorView::Written(indicator)) = self.indicator_of(index) {
            indicator.test.record_leaves(&mut leaves);
        }
        leaves.into_iter().filter_map(|leaf| self.required.get(leaf)).flatten().collect()
    }

    /// Decides whether an indicator's test holds, and whether by what was seen or only by what was quoted; and returns the
    /// leaves by which it does.
    pub(super) fn decide(
        &self,
        index: u32,
        evidence: &Evidence,
        fields: &[Field<'_>],
    ) -> Option<(SightingKind, BTreeSet<u32>)> {
        let mut support = BTreeSet::new();
        let seen = Facts { found: &evidence.seen, fields, leaves: &self.record_leaves };
        let quoted = Facts { found: &evidence.quoted, ..seen };
        let mut holds = |facts: &Facts<'_>| match self.indicator_of(index) {
            Some(IndicatorView::Written(indicator)) => indicator.test.holds(facts, &mut support),
            Some(IndicatorView::Listed { leaf, .. }) => Test::Found(leaf, LeafKind::Other).holds(facts, &mut support),
            None => false,
        };
        let is_seen = holds(&seen);
        let is_quoted = evidence.quoted.len() > evidence.seen.len() && holds(&quoted);
        let kind = if is_seen { SightingKind::Sighting } else { SightingKind::Mention };
        (is_seen || is_quoted).then_some((kind, support))
    }
}

impl Evaluated {
    /// Tells why the values of lists with this key could not have been found in what was scanned; none where they could.
    pub fn why_not_evaluable(&self, key: ValueKey) -> Option<&'static str> {
        if !self.artifacts.load(Ordering::Relaxed) {
            return Some(NO_ARTIFACT);
        }
        (key.is_digest() && !self.digests.load(Ordering::Relaxed)).then_some(NO_DIGEST)
    }

    /// Returns the record leaves for which no record had all the fields yet.
    pub(super) fn open_leaves(&self) -> impl Iterator<Item = usize> + '_ {
        self.records.iter().enumerate().filter(|(_, known)| !known.load(Ordering::Relaxed)).map(|(leaf, _)| leaf)
    }

    /// Notes that some record had all the fields of a leaf.
    pub(super) fn close_leaf(&self, leaf: usize) {
        if let Some(known) = self.records.get(leaf) {
            known.store(true, Ordering::Relaxed);
        }
    }
}

impl Building {
    /// Adds the values that the table was made from as atoms, each of an indicator of its own; returns the atoms.
    fn known_values(&mut self, indicator: usize) -> Result<Range<u32>, TableFull> {
        let indicator = u32::try_from(indicator).map_err(|_| TableFull)?;
        let atoms = self.atoms.add_whole(indicator, self.leaves)?;
        let count = atoms.end - atoms.start;
        for (atom, observable) in self.atoms.spelled(atoms.clone()) {
            let at = atom - atoms.start;
            self.patterns.spellings(indicator + at, self.leaves + at, atom, observable);
        }
        self.leaves += count;
        Ok(atoms)
    }

    /// Adds the values of a list as atoms, each of an indicator of its own; returns the atoms.
    fn values(&mut self, indicator: usize, values: &ObservableTable) -> Result<Range<u32>, TableFull> {
        let number = |atoms: &AtomTable| u32::try_from(atoms.len()).map_err(|_| TableFull);
        let first = number(&self.atoms)?;
        for (indicator, value) in (indicator..).zip(values.iter()) {
            let indicator = u32::try_from(indicator).map_err(|_| TableFull)?;
            let atom = self.atoms.add_value(indicator, self.leaves, value)?;
            if let ObservableRef::Other(observable) = value {
                self.patterns.spellings(indicator, self.leaves, atom, observable);
            }
            self.leaves = self.leaves.checked_add(1).ok_or(TableFull)?;
        }
        Ok(first..number(&self.atoms)?)
    }

    fn test(&mut self, indicator: u32, expr: Expr) -> Test {
        let leaf = self.leaves;
        self.leaves += 1;
        match expr {
            Expr::All(parts) => Test::All(parts.into_iter().map(|part| self.test(indicator, part)).collect()),
            Expr::Any(parts) => Test::Any(parts.into_iter().map(|part| self.test(indicator, part)).collect()),
            Expr::Not(part) => Test::Not(Box::new(self.test(indicator, *part))),
            Expr::Atoms(atoms) => {
                let is_digest = |atom: &crate::pack::Atom| matches!(&atom.observable, Observable::Hash(kind, _) if *kind != HashKind::Thumbprint);
                let kind = if atoms.iter().all(is_digest) { LeafKind::Digest } else { LeafKind::Other };
                for atom in atoms {
                    match self.atoms.add(indicator, leaf, &atom.observable, atom.seen) {
                        Ok(id) => self.patterns.spellings(indicator, leaf, id, &atom.observable),
                        Err(TableFull) => {
                            self.faults.push(("M004", "there are more atoms than can be numbered".to_owned()));
                        }
                    }
                }
                Test::Found(leaf, kind)
            }
            Expr::Text(texts) => {
                for text in &texts {
                    self.patterns.text(indicator, leaf, text);
                }
                Test::Found(leaf, LeafKind::Other)
            }
            Expr::Regex(expressions) => {
                for expression in &expressions {
                    if let Err(problem) = self.patterns.regex(indicator, leaf, expression) {
                        self.faults
                            .push(("M002", format!("the expression `{expression}` is refused by yara-x: {problem}")));
                    }
                }
                Test::Found(leaf, LeafKind::Other)
            }
            Expr::Hex(strings) => {
                for string in &strings {
                    if let Err(problem) = self.patterns.hex(indicator, leaf, string) {
                        self.faults
                            .push(("M005", format!("the hex string `{string}` is refused by yara-x: {problem}")));
                    }
                }
                Test::Found(leaf, LeafKind::Other)
            }
            Expr::Yara(source) => {
                if let Err(problem) = self.patterns.yara(indicator, leaf, &source) {
                    self.faults.push(("M003", format!("the YARA source does not compile: {problem}")));
                }
                Test::Found(leaf, LeafKind::Other)
            }
            Expr::Token(tests) => {
                self.tokens.add(indicator, leaf, tests);
                Test::Found(leaf, LeafKind::Other)
            }
            Expr::Record(predicates) => {
                self.record_leaves.push(predicates.into_iter().map(FieldTest::new).collect());
                Test::Record(self.record_leaves.len() - 1)
            }
        }
    }
}

/// Why nothing may have been found.
const NO_ARTIFACT: &str = "no artifact was examined";

/// Why a listed hash may not have been found.
const NO_DIGEST: &str = "no digest of any file was computed; only text was searched for this hash";

fn observable_value(value: ObservableRef<'_>) -> ObservableValue {
    ObservableValue { kind: value.kind().to_owned(), value: value.value() }
}

fn fault(file: &str, indicator: &Indicator, code: &'static str, problem: String) -> PackError {
    let expected = match code {
        "M001" => "at least one part that is not under `not`",
        "M002" => "a regular expression without look-around and back-references",
        "M005" => "a hex string of YARA, such as { 4D 5A ?? [2-4] 00 }",
        _ => "YARA rules that yara-x compiles, without `include`",
    };
    PackError {
        file: file.to_owned(),
        line: indicator.line,
        column: 1,
        code,
        problem: format!("indicator `{}`: {problem}", indicator.id),
        expected: expected.to_owned(),
        help: "change the `match` of this indicator, and see `docs/pack-format.md`".to_owned(),
    }
}

fn whole_fault(file: &str, problem: &str) -> PackError {
    PackError {
        file: file.to_owned(),
        line: 1,
        column: 1,
        code: "M004",
        problem: format!("the packs do not compile together: {problem}"),
        expected: "patterns that yara-x compiles".to_owned(),
        help: "leave packs out one by one with `--no-builtin` and `--rules` to find the one at fault".to_owned(),
    }
}
