//! Raw bytes against the atoms: where one stands, or where an escape, an encoding or defanging may hide one.
//!
//! The sweep of `observable/candidates` names places; here each is looked at just closely enough to let go of it.

use crate::observable::candidates::{Batch, Kind, Labels, Level, candidates};
use crate::observable::decoding::hints;
use crate::observable::tokens::{Reading, Shapes, colon_tokens, is_token, tokens};

use super::atoms::AtomTable;
use super::filter::Filter;

/// How far around a place a token is searched for: the longest name, and the longest local part before it.
const AROUND_BYTES: usize = 330;
/// How far around a number its borders are looked at.
const NEAR_BYTES: usize = 16;
/// How far a run is followed to both sides.
const RUN_BYTES: usize = 96;
/// How far a line is followed to both sides of what is not ASCII.
const LINE_BYTES: usize = 2048;

/// Tells whether a byte is one of those that names in ASCII are made of.
#[inline]
fn is_name(byte: u8) -> bool {
    is_token(byte) && byte.is_ascii()
}

/// Reads one to three digits that are an octet.
#[inline]
fn octet(digits: &[u8]) -> Option<u32> {
    let digit = |byte: u8| u32::from(byte.wrapping_sub(b'0'));
    let value = match *digits {
        [a] => digit(a),
        [a, b] => digit(a) * 10 + digit(b),
        [a, b, c] => digit(a) * 100 + digit(b) * 10 + digit(c),
        _ => return None,
    };
    (value < 256).then_some(value)
}

/// What stands around the third dot of an address, as text.
enum Quad {
    /// Four octets without leading zeros, all else zero bytes.
    Plain(u128),
    /// More than four octets, or leading zeros.
    Unclear,
    None,
}

/// The lowest and the highest bit of every byte.
const ONES: u128 = u128::MAX / 0xff;
const TOPS: u128 = ONES << 7;

/// The bits of all bytes from the n-th one on.
static FROM: [u128; 17] = shifted(u128::MAX);
/// The highest bit of the n-th byte.
static TOP_OF: [u128; 17] = shifted(0x80);

#[expect(clippy::indexing_slicing, reason = "run by the compiler")]
const fn shifted(bits: u128) -> [u128; 17] {
    let mut all = [0; 17];
    let mut at = 0;
    while at < 16 {
        all[at] = bits << (at * 8);
        at += 1;
    }
    all
}

/// Looks at twelve bytes up to and with a third dot, and four behind it, all at once: the top bit of each byte tells what it
/// is.
#[inline]
fn dotted_quad(window: &[u8; 16]) -> Quad {
    const BEHIND: u32 = 12 * 8;
    let text = u128::from_le_bytes(*window);
    let is_none_of = |byte: u8| {
        let other = text ^ (ONES * u128::from(byte));
        (((other & !TOPS) + !TOPS) | other) & TOPS
    };
    let digits = text ^ (ONES * u128::from(b'0'));
    // Adding 0x76 carries what is above 9 into the top bit.
    let not_digit = (((digits & !TOPS) + ONES * 0x76) | text) & TOPS;
    let dot = !is_none_of(b'.') & TOPS;
    let zero = !is_none_of(b'0') & TOPS;
    let other = not_digit & !dot;
    // The last one before the place that is neither digit nor dot, and the first one behind it that is no digit.
    let before = other & ((1 << BEHIND) - 1);
    let start = (128 - before.leading_zeros()) / 8;
    let behind = not_digit >> BEHIND;
    if behind == 0 {
        return Quad::None;
    }
    let end = BEHIND / 8 + behind.trailing_zeros() / 8;
    let of = |table: &[u128; 17], at: u32| table.get(at as usize).copied().unwrap_or_default();
    let inside = of(&FROM, start) & !of(&FROM, end);
    let dot = dot & inside;
    // A zero at the beginning of an octet, and a digit behind it.
    let leading = zero & (dot << 8 | of(&TOP_OF, start)) & inside & (!not_digit & TOPS) >> 8;
    // Three dots and no more.
    let (two, one) = (dot & dot.wrapping_sub(1), |dots: u128| dots & dots.wrapping_sub(1));
    if one(two) == 0 || one(one(two)) != 0 || leading != 0 {
        return Quad::Unclear;
    }
    Quad::Plain(text & inside)
}

/// What a probe found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// An atom stands here, but for its borders.
    Atom,
    /// Something is hidden here that must be undone to tell.
    Hidden,
}

/// One text, as it is probed.
pub(super) struct Probe<'p> {
    pub text: &'p [u8],
    pub atoms: &'p AtomTable,
    pub filter: &'p Filter,
    pub shapes: Shapes,
    pub level: Level,
}

/// Up to where each kind of place has been dealt with.
#[derive(Default)]
struct Done {
    colon: usize,
    pairs: usize,
    hex_text: usize,
    base64: usize,
    high: usize,
}

impl Probe<'_> {
    /// Calls `each` with every place where something was found. It returns up to where what is hidden is known to be looked
    /// at, whatever it is.
    pub fn run(&self, each: &mut dyn FnMut(usize, Found)) {
        let mut done = Done::default();
        if self.filter.has_odd_names {
            self.confirm(0, self.text.len(), each);
        }
        let has_names = self.shapes.name || self.shapes.email;
        candidates(self.text, self.level, |batch: &Batch<'_>| {
            if self.shapes.v4 {
                batch.places(Kind::V4, |at| self.v4(at, each));
            }
            if has_names {
                batch.names(|at, labels| self.name(at, labels, each));
            }
            batch.places(Kind::Colon, |at| self.colon(at, &mut done, each));
            if self.shapes.hex {
                batch.places(Kind::Hex, |at| self.hex(at, each));
            }
            batch.places(Kind::Pairs, |at| self.pairs(at, &mut done, each));
            batch.places(Kind::HexText, |at| {
                if at >= done.hex_text {
                    done.hex_text = self.hex_text(at, each);
                }
            });
            batch.places(Kind::Base64, |at| self.base64(at, &mut done, each));
            batch.places(Kind::Escape, |at| {
                if self.is_escape(at) {
                    // Where it begins is in the text, even if it ends behind it.
                    each(at.saturating_sub(2), Found::Hidden);
                }
            });
            batch.places(Kind::High, |at| self.high(at, &mut done, each));
        });
    }

    #[inline]
    fn byte(&self, at: usize) -> u8 {
        self.text.get(at).copied().unwrap_or(b'\n')
    }

    #[inline]
    fn before(&self, at: usize) -> u8 {
        at.checked_sub(1).map_or(b'\n', |at| self.byte(at))
    }

    fn slice(&self, from: usize, to: usize) -> &[u8] {
        self.text.get(from..to).unwrap_or_default()
    }

    /// Looks up every token of a stretch of text.
    fn confirm(&self, from: usize, to: usize, each: &mut dyn FnMut(usize, Found)) {
        let to = to.min(self.text.len());
        let window = self.slice(from, to);
        // Behind a host, a URL's path is compared with the rest of the text.
        tokens(window, self.shapes, Reading::Escaped, &mut |token, range| {
            let mut is_known = self.atoms.is_url_host(&token);
            self.atoms.look_up(window, &token, range.clone(), &mut |_, _| is_known = true);
            if is_known {
                each(from + range.start, Found::Atom);
            }
        });
    }

    /// `at` is the digit behind the third dot.
    fn v4(&self, at: usize, each: &mut dyn FnMut(usize, Found)) {
        let window = at.checked_sub(12).and_then(|from| self.text.get(from..)).and_then(|rest| rest.first_chunk());
        let is_listed = match window.map(dotted_quad) {
            Some(Quad::Plain(text)) if !self.filter.has_v4_ranges && !self.filter.has_v4_text(text) => false,
            Some(Quad::Plain(_)) => self.has_parsed_v4(at),
            Some(Quad::None) => false,
            Some(Quad::Unclear) | None => self.has_parsed_v4(at),
        };
        if is_listed {
            self.confirm(at.saturating_sub(12 + NEAR_BYTES), at + NEAR_BYTES, each);
        }
    }

    /// Reads the address whose last octet begins at `at`, octet by octet.
    fn has_parsed_v4(&self, at: usize) -> bool {
        let before = self.slice(at.saturating_sub(12), at);
        let mut octets = before.rsplit(|byte| *byte == b'.').skip(1);
        let (Some(third), Some(second), Some(first)) = (octets.next(), octets.next(), octets.next()) else {
            return false;
        };
        let lead = first.iter().rev().take(3).take_while(|byte| byte.is_ascii_digit()).count();
        let first = first.get(first.len() - lead..).unwrap_or_default();
        let behind = self.slice(at, self.text.len().min(at + 3));
        let last = behind.get(..behind.iter().take_while(|byte| byte.is_ascii_digit()).count()).unwrap_or_default();
        match (octet(first), octet(second), octet(third), octet(last)) {
            (Some(a), Some(b), Some(c), Some(d)) => {
                let address = a << 24 | b << 16 | c << 8 | d;
                self.filter.has_v4(address) && self.atoms.has_v4(address)
            }
            _ => false,
        }
    }

    /// `at` is the second byte behind the last label of a name, which begins with a letter.
    #[inline]
    fn name(&self, at: usize, labels: Labels, each: &mut dyn FnMut(usize, Found)) {
        let end = at - 1;
        if let Some(last) = labels.last()
            && !matches!(self.before(end), b'-' | b'_')
        {
            let top = end - last;
            if !self.filter.has_top(self.text, top..end) {
                return;
            }
            // Where the base begins as most do, there is one place where it may begin.
            if let Some(before_last) = labels.before_last()
                && let Some(base) = top.checked_sub(before_last + 1)
                && !self.filter.has_lone_tops
                && !matches!(self.byte(base), b'-' | b'_')
                && self.before(base) != b'\\'
                && !self.filter.has_base(self.text, base..end)
            {
                return;
            }
        }
        self.any_name(end, each);
    }

    /// A name ends at `end`, but for hyphens and underscores.
    fn any_name(&self, mut end: usize, each: &mut dyn FnMut(usize, Found)) {
        while matches!(self.before(end), b'-' | b'_') {
            end -= 1;
        }
        let Some(dot) = self.label_start(end).checked_sub(1) else { return };
        if !self.filter.has_top(self.text, dot + 1..end) {
            return;
        }
        let mut start = self.label_start(dot);
        if self.filter.has_lone_top(self.text, dot + 1..end) {
            self.confirm(start.saturating_sub(AROUND_BYTES), end + 1, each);
            return;
        }
        if !self.starts(start, dot).any(|from| self.filter.has_base(self.text, from..end)) {
            return;
        }
        let mut label_end = dot;
        loop {
            if self.starts(start, label_end).any(|from| self.is_listed_name(from, end)) {
                self.confirm(start.saturating_sub(AROUND_BYTES), end + 1, each);
                return;
            }
            if self.before(start) != b'.' || end - start > AROUND_BYTES {
                return;
            }
            label_end = start - 1;
            start = self.label_start(label_end);
        }
    }

    /// Tells whether a name may be listed, or be the host of an address that is.
    #[inline]
    fn is_listed_name(&self, from: usize, end: usize) -> bool {
        self.filter.has_name(self.text, from..end)
            && (self.before(from) == b'@' || self.atoms.has_name(self.slice(from, end)))
    }

    /// Returns where the label that ends at `end` starts.
    #[inline]
    fn label_start(&self, end: usize) -> usize {
        let before = self.text.get(..end).unwrap_or_default();
        before.iter().rposition(|&byte| !is_name(byte) || byte == b'.').map_or(0, |at| at + 1)
    }

    /// Returns where a name may start whose first label is this: at its start, behind the letter of an escape, behind
    /// hyphens, or behind hyphens at underscores, which may be of it.
    #[inline]
    fn starts(&self, start: usize, end: usize) -> impl Iterator<Item = usize> {
        let escaped = (self.before(start) == b'\\').then_some(start + 1);
        let trimmed = move |from: usize| {
            let label = self.slice(from, end);
            let edges = label.iter().take_while(|byte| matches!(byte, b'-' | b'_')).count();
            let scores = label.iter().take(edges).rev().take_while(|byte| **byte == b'_').count();
            (edges > 0).then_some([from + edges, from + edges - scores])
        };
        let trimmed = [Some(start), escaped].into_iter().flatten().filter_map(trimmed).flatten();
        [Some(start), escaped].into_iter().flatten().chain(trimmed)
    }

    fn colon(&self, at: usize, done: &mut Done, each: &mut dyn FnMut(usize, Found)) {
        if at < done.colon || !(self.shapes.v4 || self.shapes.v6 || self.shapes.hex) {
            return;
        }
        let is_run = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
        let (mut start, mut end) = (at, at);
        while start > 0 && at - start < AROUND_BYTES && is_run(self.before(start)) {
            start -= 1;
        }
        while end - at < AROUND_BYTES && is_run(self.byte(end)) {
            end += 1;
        }
        done.colon = end.max(at + 1);
        let from = start.saturating_sub(NEAR_BYTES);
        let window = self.slice(from, (end + NEAR_BYTES).min(self.text.len()));
        let mut is_known = false;
        colon_tokens(window, self.shapes, Reading::Escaped, &mut |token, range| {
            is_known |= self.atoms.is_url_host(&token);
            self.atoms.look_up(window, &token, range, &mut |_, _| is_known = true);
        });
        if is_known {
            each(start, Found::Atom);
        }
    }

    /// `at` is the 32nd digit of a run.
    fn hex(&self, at: usize, each: &mut dyn FnMut(usize, Found)) {
        let start = at.saturating_sub(31);
        let rest = self.slice(at, self.text.len().min(at + 100));
        let end = at + rest.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        // The letter of an escape may be a digit: `\b`, `\f`.
        let from = [Some(start), (self.before(start) == b'\\').then_some(start + 1)];
        let is_known = from
            .into_iter()
            .flatten()
            .any(|from| matches!(end - from, 32 | 40 | 64 | 128) && self.filter.has_hex(self.slice(from, end)));
        if is_known {
            self.confirm(start.saturating_sub(4), end + 4, each);
        }
    }

    /// `at` is the gap behind the fourth pair.
    fn pairs(&self, at: usize, done: &mut Done, each: &mut dyn FnMut(usize, Found)) {
        if at < done.pairs {
            return;
        }
        let gap = self.byte(at);
        let start = at.saturating_sub(11);
        let mut end = at + 1;
        while self.byte(end).is_ascii_hexdigit() && self.byte(end + 1).is_ascii_hexdigit() {
            end += 2;
            if self.byte(end) != gap {
                break;
            }
            end += 1;
        }
        done.pairs = end;
        self.confirm(start.saturating_sub(NEAR_BYTES), end + 4, each);
        if hints::is_hex_text(self.slice(start, end)) {
            each(start, Found::Hidden);
        }
    }

    /// Looks at the digits and gaps around a place, and returns where they end.
    fn hex_text(&self, at: usize, each: &mut dyn FnMut(usize, Found)) -> usize {
        let before = self.slice(at.saturating_sub(RUN_BYTES), at);
        let start = at - before.iter().rev().take_while(|byte| hints::is_grouped(**byte)).count();
        let behind = self.slice(at, (at + RUN_BYTES).min(self.text.len()));
        let end = at + behind.iter().take_while(|byte| hints::is_grouped(**byte)).count();
        // One more on each side tells whether letters adjoin, unless that before is the letter of an escape, `\n6576`, which
        // may be a digit itself, `\b6576`.
        let (from, to) = (start.saturating_sub(1), (end + 1).min(self.text.len()));
        let escaped = match (self.before(from), self.before(start)) {
            (b'\\', _) => Some(start),
            (_, b'\\') => Some(start + 1),
            _ => None,
        };
        if [Some(from), escaped].into_iter().flatten().any(|from| hints::is_hex_text(self.slice(from, to))) {
            each(at, Found::Hidden);
            return end;
        }
        at + 1
    }

    /// `at` is in the third or later of four characters that encode text, as far as the sweep sees.
    fn base64(&self, at: usize, done: &mut Done, each: &mut dyn FnMut(usize, Found)) {
        let is_wide = || at >= 3 && self.byte(at) == b'A' && self.byte(at - 3) == b'A';
        if at < done.base64 || !hints::goes_on_to_text(self.text, at) && !is_wide() {
            return;
        }
        let is_base64 = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_');
        let before = self.slice(at.saturating_sub(RUN_BYTES), at);
        let start = at - before.iter().rev().take_while(is_base64).count();
        let behind = self.slice(at, (at + RUN_BYTES).min(self.text.len()));
        let end = at + behind.iter().take_while(is_base64).count();
        // What a later place of this run would see stands before its end, or is looked at from there.
        done.base64 = end.max(at + 1);
        // JSON may write the fourth character of the third group as `\/`.
        let is_escaped = self.byte(end) == b'\\' && self.byte(end + 1) == b'/';
        if is_escaped || hints::is_base64_text(self.slice(start, end)) {
            each(at, Found::Hidden);
        }
    }

    /// Tells whether an escape or defanging stands where the sweep saw the third byte of one.
    fn is_escape(&self, at: usize) -> bool {
        let Some(sign) = at.checked_sub(2) else { return self.byte(at) == b';' };
        match self.byte(sign) {
            0 | 0x1b => true,
            b'\\' | b'%' | b'#' | b'=' | b'&' | b'^' if hints::begins_at(self.text, sign) => true,
            b'(' | b'[' | b'{' => hints::is_defanging(self.text.get(sign..).unwrap_or_default()),
            _ if self.byte(at) == b';' => {
                let name = self.slice(at.saturating_sub(hints::ENTITY_BYTES + 1), at);
                let begin = memchr::memrchr(b'&', name).map(|and| at - name.len() + and);
                begin.is_some_and(|begin| hints::begins_at(self.text, begin))
            }
            _ => false,
        }
    }

    fn high(&self, at: usize, done: &mut Done, each: &mut dyn FnMut(usize, Found)) {
        if hints::is_look_alike_at(self.text, at) {
            each(at, Found::Hidden);
        }
        if at < done.high {
            return;
        }
        let before = self.slice(at.saturating_sub(LINE_BYTES), at);
        let from = memchr::memrchr(b'\n', before).map_or(at - before.len(), |line| at - before.len() + line + 1);
        let behind = self.slice(at, (at + LINE_BYTES).min(self.text.len()));
        let to = at + memchr::memchr(b'\n', behind).unwrap_or(behind.len());
        done.high = to.saturating_sub(if behind.len() == LINE_BYTES { AROUND_BYTES } else { 0 }).max(at + 1);
        self.confirm(from.max(done.high.min(from)), to, each);
    }
}
