//! The values of a table: eight bytes each, and what does not fit there.

use ipnet::IpNet;

use super::borrowed::{ObservableRef, UrlRef, ValueKey};
use crate::observable::{HashKind, Observable, WILDCARD};

/// One value: itself, or where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum Slot {
    V4(u32),
    V6(u32),
    Range(u32),
    Domain { length: u16, at: u32 },
    Email { length: u16, at: u32 },
    Hash { kind: HashKind, at: u32 },
    Url(u32),
    Other(u32),
}

impl Slot {
    /// Returns which of the indexes of a table has the value.
    #[inline]
    pub fn index_number(self) -> usize {
        match self {
            Self::V4(_) => 0,
            Self::V6(_) => 1,
            Self::Range(_) => 2,
            Self::Domain { .. } => 3,
            Self::Email { .. } => 4,
            Self::Hash { .. } => 5,
            Self::Url(_) => 6,
            Self::Other(_) => 7,
        }
    }
}

/// Ends a chain of URLs of one host.
pub(super) const NO_URL: u32 = u32::MAX;

/// Where the parts of a URL stand in the text: the host, and behind it the path.
#[derive(Clone, Copy, Debug)]
pub(super) struct UrlSlot {
    pub at: u32,
    pub path_length: u32,
    pub host_length: u16,
    pub port: Option<u16>,
    /// The number of another value, a URL with the same host.
    pub next: u32,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Values {
    pub slots: Vec<Slot>,
    pub text: String,
    pub digests: Vec<u8>,
    pub v6: Vec<u128>,
    pub ranges: Vec<IpNet>,
    pub urls: Vec<UrlSlot>,
    pub others: Vec<Observable>,
    pub noted: Noted,
}

/// What a look-up must know of all values.
#[derive(Clone, Debug, Default)]
pub(super) struct Noted {
    /// The kinds of the digests, in the order in which they came.
    pub hash_kinds: Vec<HashKind>,
    /// Whether some domain begins with `*.`.
    pub has_wildcards: bool,
}

impl Noted {
    /// Notes what a value brings.
    #[inline]
    pub fn note(&mut self, value: ObservableRef<'_>) {
        match value {
            ObservableRef::Domain(name) => self.has_wildcards |= name.starts_with(WILDCARD),
            ObservableRef::Hash(kind, _) if !self.hash_kinds.contains(&kind) => self.hash_kinds.push(kind),
            _ => {}
        }
    }
}

fn place(at: usize) -> Option<u32> {
    u32::try_from(at).ok().filter(|at| *at != u32::MAX)
}

fn index(at: u32) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

impl Values {
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Takes all values out, and keeps the room for others.
    pub fn clear(&mut self) {
        let Self { slots, text, digests, v6, ranges, urls, others, noted: _ } = self;
        slots.clear();
        text.clear();
        digests.clear();
        v6.clear();
        ranges.clear();
        urls.clear();
        others.clear();
    }

    /// Adds a value; none where its place cannot be numbered.
    pub fn push(&mut self, value: ObservableRef<'_>) -> Option<u32> {
        let id = place(self.slots.len())?;
        let slot = match value {
            ObservableRef::V4(address) => Slot::V4(address),
            ObservableRef::V6(address) => Slot::V6(push(&mut self.v6, address)?),
            ObservableRef::Range(range) => Slot::Range(push(&mut self.ranges, range)?),
            // No name and no address is longer than its parser allows, which is far less than a `u16` counts.
            ObservableRef::Domain(name) => {
                Slot::Domain { length: u16::try_from(name.len()).ok()?, at: self.push_text(name)? }
            }
            ObservableRef::Email(address) => {
                Slot::Email { length: u16::try_from(address.len()).ok()?, at: self.push_text(address)? }
            }
            ObservableRef::Hash(kind, digest) => {
                let at = place(self.digests.len())?;
                self.digests.extend_from_slice(digest);
                Slot::Hash { kind, at }
            }
            ObservableRef::Url(url) => Slot::Url(self.push_url(url)?),
            ObservableRef::Other(observable) => Slot::Other(push(&mut self.others, observable.clone())?),
        };
        self.slots.push(slot);
        self.noted.note(value);
        Some(id)
    }

    fn push_text(&mut self, text: &str) -> Option<u32> {
        let at = place(self.text.len())?;
        self.text.push_str(text);
        Some(at)
    }

    fn push_url(&mut self, url: UrlRef<'_>) -> Option<u32> {
        let host_length = u16::try_from(url.host.len()).ok()?;
        let path_length = u32::try_from(url.path.len()).ok()?;
        let at = self.push_text(url.host)?;
        self.text.push_str(url.path);
        push(&mut self.urls, UrlSlot { at, path_length, host_length, port: url.port, next: NO_URL })
    }

    /// Puts a URL into the chain behind another one.
    pub fn link_url(&mut self, first: u32, id: u32) {
        let Some(before) = self.url_slot(first).map(|slot| slot.next) else { return };
        for (of, next) in [(id, before), (first, id)] {
            if let Some(Slot::Url(at)) = self.slots.get(index(of))
                && let Some(slot) = self.urls.get_mut(index(*at))
            {
                slot.next = next;
            }
        }
    }

    fn url_slot(&self, id: u32) -> Option<&UrlSlot> {
        match self.slots.get(index(id))? {
            Slot::Url(at) => self.urls.get(index(*at)),
            _ => None,
        }
    }

    pub fn url(&self, id: u32) -> Option<UrlRef<'_>> {
        self.url_of(self.url_slot(id)?)
    }

    fn url_of(&self, slot: &UrlSlot) -> Option<UrlRef<'_>> {
        let at = index(slot.at);
        let path_at = at + usize::from(slot.host_length);
        let host = self.text.get(at..path_at)?;
        let path = self.text.get(path_at..path_at + index(slot.path_length))?;
        Some(UrlRef { host, port: slot.port, path })
    }

    /// Calls `each` with a URL and all that follow it in its chain.
    pub fn each_url_from(&self, first: Option<u32>, each: &mut dyn FnMut(u32, UrlRef<'_>)) {
        let mut next = first;
        // A chain from a file may be a ring.
        for _ in 0..=self.urls.len() {
            let Some(id) = next else { return };
            let Some(slot) = self.url_slot(id) else { return };
            if let Some(url) = self.url_of(slot) {
                each(id, url);
            }
            next = Some(slot.next).filter(|next| *next != NO_URL);
        }
    }

    pub fn get(&self, id: u32) -> Option<ObservableRef<'_>> {
        self.value(self.slots.get(index(id))?)
    }

    /// Returns the key of a value, which asks for less than the value itself.
    pub fn key(&self, id: u32) -> Option<ValueKey> {
        Some(match *self.slots.get(index(id))? {
            Slot::V4(_) | Slot::V6(_) | Slot::Range(_) => ValueKey::Ip,
            Slot::Domain { .. } => ValueKey::Domain,
            Slot::Email { .. } => ValueKey::Email,
            Slot::Hash { kind, .. } => ValueKey::Hash(kind),
            Slot::Url(_) => ValueKey::Url,
            Slot::Other(at) => ValueKey::of(self.others.get(index(at))?),
        })
    }

    pub fn iter(&self) -> impl Iterator<Item = ObservableRef<'_>> {
        self.slots.iter().filter_map(|slot| self.value(slot))
    }

    #[inline]
    pub fn value(&self, slot: &Slot) -> Option<ObservableRef<'_>> {
        let text = |at: u32, length: u16| self.text.get(index(at)..index(at) + usize::from(length));
        Some(match *slot {
            Slot::V4(address) => ObservableRef::V4(address),
            Slot::V6(at) => ObservableRef::V6(*self.v6.get(index(at))?),
            Slot::Range(at) => ObservableRef::Range(*self.ranges.get(index(at))?),
            Slot::Domain { length, at } => ObservableRef::Domain(text(at, length)?),
            Slot::Email { length, at } => ObservableRef::Email(text(at, length)?),
            Slot::Hash { kind, at } => {
                ObservableRef::Hash(kind, self.digests.get(index(at)..index(at) + kind.digits() / 2)?)
            }
            Slot::Url(at) => ObservableRef::Url(self.url_of(self.urls.get(index(at))?)?),
            Slot::Other(at) => ObservableRef::Other(self.others.get(index(at))?),
        })
    }
}

fn push<T>(to: &mut Vec<T>, value: T) -> Option<u32> {
    let at = place(to.len())?;
    to.push(value);
    Some(at)
}
