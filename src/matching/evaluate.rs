//! One record against a ruleset, exactly: what stands in which field, which tests hold, which hits follow.

use std::cell::OnceCell;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::{ObservableValue, SightingKind};
use crate::observable::decoding::DecodingLimit;
use crate::observable::refang::{Mark, Refanged, Touch, refanged};
use crate::observable::table::ObservableRef;
use crate::observable::tokens::{Reading, tokens};
use crate::observable::tokens_in;
use crate::record::{Block, Record, Span};
use crate::text::cut_around;

use super::Hit;
use super::quoted::{Known, VALUE_BYTES};
use super::ruleset::{Evidence, Ruleset};
use super::scanners::Scanners;
use super::screen::{Candidate, Suspicion};
use super::token::{Checked, TokenHit, excerpt, summary, without_tokens};
use super::views::{View, Views};

/// The most bytes of a record that a hit carries.
const EXCERPT_BYTES: usize = 240;

/// What was found, in the order in which it is reported.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Thing {
    Atom(u32),
    Pattern(usize),
    Rule { indicator: u32, leaf: u32, name: String },
    Token(TokenHit),
}

/// Where one thing stands in a record.
#[derive(Clone, Debug, Default)]
struct Places {
    /// Counts by field and reading, for plain readings.
    plain: BTreeMap<(Option<usize>, usize), u64>,
    /// The first plain place: view and range in the views' bytes.
    first: Option<(usize, Range<usize>)>,
    /// Counts by field and reading, for refanged readings.
    quoted: BTreeMap<(Option<usize>, usize), u64>,
    first_quoted: Option<(usize, Range<usize>)>,
    /// View and end of what was added last: an address may be found by two of its shapes.
    last: Option<(usize, usize)>,
}

impl Places {
    fn add(&mut self, index: usize, view: &View, range: Range<usize>, is_quoted: bool, count: u64) {
        if self.last.replace((index, range.end)) == Some((index, range.end)) {
            return;
        }
        let (counts, first) =
            if is_quoted { (&mut self.quoted, &mut self.first_quoted) } else { (&mut self.plain, &mut self.first) };
        *counts.entry((view.field, view.reading)).or_default() += count;
        if first.as_ref().is_none_or(|(known, at)| (index, range.start) < (*known, at.start)) {
            *first = Some((index, range));
        }
    }

    /// Readings of one field repeat each other, and the record's bytes repeat its fields: the largest count is the true one.
    fn occurrences(counts: &BTreeMap<(Option<usize>, usize), u64>) -> u64 {
        let mut by_field: BTreeMap<Option<usize>, u64> = BTreeMap::new();
        for ((field, _), count) in counts {
            let most = by_field.entry(*field).or_default();
            *most = (*most).max(*count);
        }
        let raw = by_field.remove(&None).unwrap_or_default();
        by_field.values().sum::<u64>().max(raw)
    }
}

/// Tells whether an escape adjoins a token in a record's own bytes: `\nevil.example` is no name that begins with `n`, and
/// `evil.example\u0073` does not end there. The field that it stands in says what it is.
fn touches_escape(text: &[u8], range: &Range<usize>) -> bool {
    let joins = |byte: &&u8| matches!(byte, b'.' | b'-' | b'_');
    let before = text.get(..range.start).unwrap_or_default().iter().rev().find(|byte| !joins(byte));
    let behind = text.get(range.end..).unwrap_or_default().iter().find(|byte| !joins(byte));
    before == Some(&b'\\') || behind == Some(&b'\\')
}

/// Where the text of each view is defanged, as far as that was asked.
struct Defanged<'v> {
    views: &'v Views,
    /// Whether some view was refanged; if not, none is defanged.
    is_any: bool,
    known: BTreeMap<usize, (String, Vec<Mark>)>,
}

impl<'v> Defanged<'v> {
    fn of(views: &'v Views) -> Self {
        Self { views, is_any: views.list.iter().any(|view| view.is_refanged), known: BTreeMap::new() }
    }

    /// Tells whether and how a token touches visible defanging, so that it is a part of something quoted.
    fn touch(&mut self, index: usize, range: &Range<usize>) -> Option<Touch> {
        let view = self.views.list.get(index).filter(|view| self.is_any && !view.is_refanged)?;
        let (text, marks) = self.known.entry(index).or_insert_with(|| {
            let text = with_its_length(self.views.bytes.get(view.range.clone()).unwrap_or_default());
            let marks = refanged(&text).map(|refanged| refanged.marks).unwrap_or_default();
            (text, marks)
        });
        let within = range.start.saturating_sub(view.range.start)..range.end.saturating_sub(view.range.start);
        Refanged::touch(text, marks, &within)
    }
}

/// Returns text of the same length in bytes, with `?` for each byte that is not UTF-8.
fn with_its_length(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        out.extend(chunk.invalid().iter().map(|_| '?'));
    }
    out
}

/// What one record gave.
pub(super) struct Evaluation {
    /// The hits, by indicator and thing.
    pub hits: Vec<Hit>,
    /// What kept an encoding from being undone.
    pub limit: Option<DecodingLimit>,
}

/// Searches one record. `views` lends its memory.
pub(super) fn evaluate(
    ruleset: &Ruleset,
    scanners: &mut Scanners<'_>,
    views: &mut Views,
    block: &dyn Block,
    Candidate { span, by }: &Candidate,
    record: &Record<'_>,
) -> Result<Evaluation, String> {
    views.read(block, span, record, by.runs());
    let limit = views.limit;
    let things = find(ruleset, scanners, views, *by)?;
    let mut by_indicator: BTreeMap<u32, Vec<(u32, &Thing, &Places)>> = BTreeMap::new();
    let mut evidence = Evidence::default();
    for (thing, places) in &things {
        let (indicator, leaf) = match thing {
            Thing::Atom(id) => match ruleset.atoms.entry(*id) {
                Some(entry) => (entry.indicator, entry.leaf),
                None => continue,
            },
            Thing::Pattern(index) => match ruleset.patterns.patterns.get(*index) {
                Some(pattern) => (pattern.indicator, pattern.leaf),
                None => continue,
            },
            Thing::Rule { indicator, leaf, .. } => (*indicator, *leaf),
            Thing::Token(hit) => match ruleset.tokens.leaf(hit.index) {
                Some(known) => (known.indicator, known.leaf),
                None => continue,
            },
        };
        if places.first.is_some() {
            evidence.seen.insert(leaf);
        }
        evidence.quoted.insert(leaf);
        by_indicator.entry(indicator).or_default().push((leaf, thing, places));
    }
    let mut touched: BTreeSet<u32> = by_indicator.keys().copied().collect();
    touched.extend(ruleset.with_records());
    let mut hits = Vec::new();
    let context = Context { ruleset, block, span, record, views, known: Known::default(), written: OnceCell::new() };
    for index in touched {
        let Some((kind, support)) = ruleset.decide(index, &evidence, &record.fields) else { continue };
        let found = by_indicator.get(&index).map(Vec::as_slice).unwrap_or_default();
        let mut own: Vec<Hit> = Vec::new();
        for (_, thing, places) in found.iter().filter(|(leaf, ..)| support.contains(leaf)) {
            own.extend(context.hit(index, kind, thing, places));
        }
        if own.is_empty() {
            own.push(context.record_hit(index));
        }
        hits.extend(each_once(own));
    }
    Ok(Evaluation { hits, limit })
}

/// Leaves one hit of each value, which an indicator may list with several windows: the one whose window fits.
fn each_once(hits: Vec<Hit>) -> Vec<Hit> {
    if hits.len() < 2 {
        return hits;
    }
    let fits = |hit: &Hit| match (hit.seen, hit.time) {
        (Some(seen), Some(time)) => (seen.first..=seen.last).contains(&time.day()),
        _ => true,
    };
    let mut kept: Vec<Hit> = Vec::new();
    let mut known: BTreeMap<(String, String, Option<String>), usize> = BTreeMap::new();
    for hit in hits {
        let ObservableValue { kind, value } = hit.observable.clone();
        // Two tokens of one key are two things; what was matched tells them apart.
        let matched = (kind == "token").then(|| hit.matched.clone());
        match known.entry((kind, value, matched)) {
            Entry::Occupied(place) => {
                if let Some(known) = kept.get_mut(*place.get()).filter(|known| !fits(known) && fits(&hit)) {
                    *known = hit;
                }
            }
            Entry::Vacant(place) => {
                place.insert(kept.len());
                kept.push(hit);
            }
        }
    }
    kept
}

fn find(
    ruleset: &Ruleset,
    scanners: &mut Scanners<'_>,
    views: &Views,
    by: Suspicion,
) -> Result<BTreeMap<Thing, Places>, String> {
    let mut things: BTreeMap<Thing, Places> = BTreeMap::new();
    let bytes = views.bytes.as_slice();
    let mut partly = Vec::new();
    let mut defanged = Defanged::of(views);
    if by == Suspicion::All && ruleset.screen.may_hold_atom(bytes, &ruleset.atoms) {
        tokens(bytes, ruleset.atoms.shapes(), Reading::Exact, &mut |token, range| {
            let Some(index) = views.at(range.start) else { return };
            let Some(view) = views.list.get(index) else { return };
            ruleset.atoms.look_up(bytes, &token, range, &mut |id, covered| {
                if views.has_json && view.field.is_none() && touches_escape(bytes, &covered) {
                    return;
                }
                if let Some(touch) = defanged.touch(index, &covered) {
                    partly.push((id, index, covered, touch));
                } else {
                    things.entry(Thing::Atom(id)).or_default().add(index, view, covered, view.is_refanged, 1);
                }
            });
        });
    }
    // What touches defanging is quoted if it is found without it, too: `5.2.69.14` is not in `1[.]5.2.69.14`.
    for (id, index, covered, touch) in partly {
        let Some(view) = views.list.get(index) else { continue };
        let is_quoted = things.get(&Thing::Atom(id)).is_some_and(|places| places.first_quoted.is_some());
        if is_quoted || touch == Touch::Spaced {
            things.entry(Thing::Atom(id)).or_default().add(index, view, covered, is_quoted, 1);
        }
    }
    scanners.search(bytes, &views.ranges, &mut |pattern, range| {
        if let Some(index) = views.at(range.start)
            && let Some(view) = views.list.get(index)
            && !view.is_refanged
        {
            let atom = ruleset.patterns.patterns.get(pattern).and_then(|pattern| pattern.atom);
            let thing = atom.map_or(Thing::Pattern(pattern), Thing::Atom);
            things.entry(thing).or_default().add(index, view, range, false, 1);
        }
    })?;
    for view in views.list.iter().filter(|view| !view.is_refanged) {
        let text = bytes.get(view.range.clone()).unwrap_or_default();
        let rules = scanners.rules(text)?;
        for rule in rules {
            let range = view.range.start + rule.range.start..view.range.start + rule.range.end;
            let index = views.at(view.range.start).unwrap_or_default();
            let thing = Thing::Rule { indicator: rule.indicator, leaf: rule.leaf, name: rule.rule };
            things.entry(thing).or_default().add(index, view, range, false, rule.count);
        }
    }
    if by == Suspicion::All && ruleset.screen.may_hold_token(bytes) {
        let mut checked = Checked::default();
        for (index, view) in views.list.iter().enumerate() {
            let text = bytes.get(view.range.clone()).unwrap_or_default();
            ruleset.tokens.search(text, &mut checked, &mut |hit, range| {
                let range = view.range.start + range.start..view.range.start + range.end;
                things.entry(Thing::Token(hit)).or_default().add(index, view, range, view.is_refanged, 1);
            });
        }
    }
    Ok(things)
}

/// By the atom, or none for a token.
type Written<'c> = BTreeMap<(Option<u32>, &'c [u8]), usize>;

struct Context<'c> {
    ruleset: &'c Ruleset,
    block: &'c dyn Block,
    span: &'c Span,
    record: &'c Record<'c>,
    views: &'c Views,
    known: Known,
    /// Where in the record's own bytes each text of an atom, and of a token, stands first.
    written: OnceCell<Written<'c>>,
}

impl<'c> Context<'c> {
    fn hit(&self, indicator: u32, kind: SightingKind, thing: &Thing, places: &Places) -> Option<Hit> {
        let (kind, first, counts) = match (&places.first, &places.first_quoted) {
            (Some(first), _) => (kind, first, &places.plain),
            (None, Some(first)) => (SightingKind::Mention, first, &places.quoted),
            (None, None) => return None,
        };
        let (index, range) = first;
        let view = self.views.list.get(*index)?;
        let matched = self.views.bytes.get(range.clone()).unwrap_or_default();
        let within = range.start - view.range.start;
        let raw = self.block.bytes().get(self.span.range.clone()).unwrap_or_default();
        let may_be_written = view.literal_at.is_none() && view.reading == 0 && !matched.is_empty();
        let as_written = if may_be_written { self.as_written(thing, raw, matched) } else { None };
        let (at, decode) = match (view.literal_at, as_written) {
            (Some(base), _) => (base + within, view.decode(self.record)),
            // The field had an escape somewhere, but what matched stands in the record as it is.
            (None, Some(offset)) => (self.span.range.start + offset, Vec::new()),
            // What was decoded stands nowhere as it is: the field that it was decoded from is the place.
            _ => (self.views.literal_start(view.field).unwrap_or(self.span.range.start), view.decode(self.record)),
        };
        let (observable, seen) = self.observable(indicator, thing);
        let (quoted, shown_at) = self.as_quoted(view, range, matched);
        let told = match thing {
            Thing::Token(hit) => summary(matched, &hit.sha256),
            // What an indicator lists is no secret.
            Thing::Atom(_) if !view.is_refanged => quoted.clone(),
            Thing::Pattern(_) if observable.kind == "text" => quoted.clone(),
            _ if view.is_refanged => without_tokens(&quoted),
            _ => {
                let text = self.views.bytes.get(view.range.clone()).unwrap_or_default();
                let hiding = self.known.hiding(Some(view.range.start), text);
                let shown = hiding.shown(text, within..within + matched.len());
                cut_around(&shown, 0, VALUE_BYTES)
            }
        };
        Some(Hit {
            excerpt: self.excerpt(at, view, shown_at),
            matched: told,
            observable,
            seen,
            occurrences: Places::occurrences(counts),
            field: view.field.and_then(|index| self.record.fields.get(index)).map(|field| without_tokens(&field.name)),
            decode,
            ..self.base(indicator, kind, at)
        })
    }

    /// Returns where in the record's bytes a thing stands as it was matched; for an atom, by its borders.
    fn as_written(&self, thing: &Thing, raw: &'c [u8], matched: &'c [u8]) -> Option<usize> {
        let find = || memchr::memmem::find(raw, matched);
        match thing {
            Thing::Pattern(_) | Thing::Rule { .. } => find(),
            Thing::Atom(id) if matches!(self.ruleset.atoms.value(*id), Some(ObservableRef::Other(_))) => find(),
            Thing::Atom(id) => self.written(raw).get(&(Some(*id), matched)).copied(),
            Thing::Token(_) => self.written(raw).get(&(None, matched)).copied(),
        }
    }

    fn written(&self, raw: &'c [u8]) -> &Written<'c> {
        self.written.get_or_init(|| {
            let mut written = Written::new();
            let mut add = |id: Option<u32>, range: Range<usize>| {
                let first = written.entry((id, raw.get(range.clone()).unwrap_or_default())).or_insert(range.start);
                *first = (*first).min(range.start);
            };
            let atoms = &self.ruleset.atoms;
            tokens(raw, atoms.shapes(), Reading::Escaped, &mut |token, range| {
                atoms.look_up(raw, &token, range, &mut |id, covered| add(Some(id), covered));
            });
            if !self.ruleset.tokens.is_empty() {
                tokens_in(raw, &mut |found| add(None, found.range));
            }
            written
        })
    }

    /// What stood in the evidence, and where in its text: of a refanged reading, the defanged text.
    fn as_quoted(&self, view: &View, at: &Range<usize>, matched: &[u8]) -> (String, usize) {
        let within = at.start.saturating_sub(view.range.start)..at.end.saturating_sub(view.range.start);
        if let Some(source) = self.known.source(self.views, view)
            && let Some((word, start)) = source.word(&within)
        {
            return (cut_around(word, 0, VALUE_BYTES), start);
        }
        (cut_around(&String::from_utf8_lossy(matched), 0, VALUE_BYTES), within.start)
    }

    fn record_hit(&self, indicator: u32) -> Hit {
        let at = self.span.range.start;
        let raw = self.block.bytes().get(self.span.range.clone()).unwrap_or_default();
        let id = self.ruleset.indicator_of(indicator).map(|i| i.id().into_owned()).unwrap_or_default();
        let asked = self.ruleset.record_fields(indicator).into_iter().filter_map(|name| {
            let field = self.record.fields.iter().find(|field| name.is(&field.name))?;
            Some(format!("{}={}", name.as_str(), without_tokens(&field.value)))
        });
        let matched = asked.collect::<Vec<_>>().join(" ");
        Hit {
            observable: ObservableValue { kind: "record".to_owned(), value: id },
            matched: cut_around(&matched, 0, VALUE_BYTES),
            excerpt: excerpt(raw, &self.known.hiding(None, raw), 0, EXCERPT_BYTES),
            ..self.base(indicator, SightingKind::Sighting, at)
        }
    }

    fn base(&self, indicator: u32, kind: SightingKind, at: usize) -> Hit {
        Hit {
            indicator: usize::try_from(indicator).unwrap_or(usize::MAX),
            kind,
            observable: ObservableValue { kind: String::new(), value: String::new() },
            seen: None,
            matched: String::new(),
            occurrences: 1,
            record: Some(self.span.number),
            line: self.block.line(at),
            offset: Some(self.block.source_offset(at)),
            field: None,
            decode: Vec::new(),
            time: self.record.time,
            fields: self.known.about(self.record),
            excerpt: String::new(),
        }
    }

    fn observable(&self, indicator: u32, thing: &Thing) -> (ObservableValue, Option<crate::pack::Seen>) {
        match thing {
            Thing::Atom(id) => match (self.ruleset.atoms.entry(*id), self.ruleset.observable_of(*id)) {
                (Some(entry), Some(observable)) => (observable, entry.seen),
                _ => (ObservableValue { kind: "record".to_owned(), value: String::new() }, None),
            },
            Thing::Pattern(index) => {
                let pattern = self.ruleset.patterns.patterns.get(*index);
                let kind = pattern.map_or("text", |p| p.kind).to_owned();
                (ObservableValue { kind, value: pattern.map(|p| p.value.clone()).unwrap_or_default() }, None)
            }
            Thing::Rule { name, .. } => (ObservableValue { kind: "yara".to_owned(), value: name.clone() }, None),
            Thing::Token(hit) => {
                let id = || self.ruleset.indicator_of(indicator).map(|one| one.id().into_owned()).unwrap_or_default();
                let value = hit.key.clone().unwrap_or_else(id);
                (ObservableValue { kind: "token".to_owned(), value }, None)
            }
        }
    }

    /// Cuts the record's own bytes around a literal place in one line, and the text that was searched around any other.
    fn excerpt(&self, at: usize, view: &View, within: usize) -> String {
        let start = self.span.range.start;
        let raw = self.block.bytes().get(self.span.range.clone()).unwrap_or_default();
        let from = at.saturating_sub(4 * EXCERPT_BYTES).max(start);
        let to = (at + 4 * EXCERPT_BYTES).min(self.span.range.end);
        let near = self.block.bytes().get(from..to).unwrap_or_default();
        if view.literal_at.is_some() && memchr::memchr(b'\n', near).is_none() {
            return excerpt(raw, &self.known.hiding(None, raw), at - start, EXCERPT_BYTES);
        }
        let view = view.refanged_from.and_then(|source| self.views.list.get(source)).unwrap_or(view);
        let text = self.views.bytes.get(view.range.clone()).unwrap_or_default();
        excerpt(text, &self.known.hiding(Some(view.range.start), text), within, EXCERPT_BYTES)
    }
}
