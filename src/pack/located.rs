//! YAML as a tree in which every key and scalar knows its line and column. The only file that knows serde_yaml.
//!
//! serde_yaml tells where a node stands only in an error that leaves a visitor. So each scalar is read by a visitor
//! that keeps the value and then fails on purpose: the error's text carries the position. Lists and mappings stand
//! where their first key or element stands. What a tree means as a pack is in `yaml.rs`.

use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, IgnoredAny, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::source::{Position, Source};

/// A tree may have at most this many nodes more than the file has bytes; only aliases can bring more.
const SPARE_NODES: usize = 1_000;

/// Unpaired opening brackets that a file may hold. Texts may hold some, but serde_yaml's own limit of 128 levels is
/// judged only after a parse whose time grows with the square of the depth.
const MOST_OPEN_BRACKETS: usize = 10_000;

/// One value of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub at: Position,
    pub value: Value,
}

/// What a value is. Scalars keep the text of the source: `1.10` stays `1.10`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    Boolean(String),
    Number(String),
    Text(String),
    List(Vec<Node>),
    Mapping(Vec<Entry>),
}

/// One key of a mapping with its value, in the order of the file. Keys may repeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub at: Position,
    pub key: String,
    pub value: Node,
}

impl Node {
    /// Returns a scalar's text; none for null, lists and mappings.
    pub(super) fn scalar(&self) -> Option<&str> {
        match &self.value {
            Value::Boolean(text) | Value::Number(text) | Value::Text(text) => Some(text),
            Value::Null | Value::List(_) | Value::Mapping(_) => None,
        }
    }

    /// Returns the elements of a list; any other value is a list of itself.
    pub(super) fn elements(&self) -> &[Node] {
        match &self.value {
            Value::List(elements) => elements,
            _ => std::slice::from_ref(self),
        }
    }

    /// Names what stands here, for messages.
    pub(super) fn describe(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Boolean(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Mapping(_) => "a mapping",
        }
    }
}

/// Why a text is no tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Syntax,
    Nesting,
    Aliases,
    Tag,
    Key,
    Documents,
}

/// What could be read of a file.
pub(super) struct Tree {
    /// The first document; none where a fault broke it off.
    pub root: Option<Node>,
    /// Every fault with its position and the parser's words for it. Tags, and lists and mappings as keys, break nothing
    /// off: a tagged value is read without its tag, and what stands behind such a key is left out.
    pub faults: Vec<(Fault, Position, String)>,
}

/// Reads one YAML document.
pub(super) fn read(text: &str) -> Tree {
    // To libyaml, a byte order mark moves the first line to the right, out of line with those below it.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader {
        source: Source::new(text),
        nodes_left: text.len().saturating_add(SPARE_NODES),
        refused: None,
        passed: Vec::new(),
    };
    if let Some(at) = too_many_open_brackets(text) {
        let at = reader.source.position(at);
        return Tree { root: None, faults: vec![(Fault::Nesting, at, "too many brackets are open".to_owned())] };
    }
    let (root, broken) = first_document(text, &mut reader);
    // An alias repeats the faults of what it stands for.
    reader.passed.sort_by_key(|(_, at)| *at);
    reader.passed.dedup_by_key(|(_, at)| *at);
    let mut faults: Vec<_> = reader.passed.iter().map(|(fault, at)| (*fault, *at, String::new())).collect();
    faults.extend(broken);
    Tree { root, faults }
}

fn first_document(text: &str, reader: &mut Reader<'_>) -> (Option<Node>, Option<(Fault, Position, String)>) {
    let mut documents = serde_yaml::Deserializer::from_str(text);
    let Some(first) = documents.next() else {
        return (Some(Node { at: Position::START, value: Value::Null }), None);
    };
    let seed = NodeSeed { reader: &mut *reader, near: Position::START };
    let root = match seed.deserialize(first) {
        Ok(root) => root,
        Err(error) => return (None, Some(reader.fault(&error))),
    };
    let Some(second) = documents.next() else { return (Some(root), None) };
    // What follows the first document may also be what broke it off.
    let (fault, at, message) = match Nowhere::deserialize(second) {
        Err(error) => reader.fault(&error),
        Ok(Nowhere) => (Fault::Documents, Position::START, String::new()),
    };
    if message.contains(NO_SECOND) || fault == Fault::Documents {
        return (Some(root), Some((Fault::Documents, at, message)));
    }
    (None, Some((fault, at, message)))
}

fn too_many_open_brackets(text: &str) -> Option<usize> {
    let mut open = 0_usize;
    text.bytes().position(|byte| {
        match byte {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        open > MOST_OPEN_BRACKETS
    })
}

fn position_of(error: &serde_yaml::Error) -> Position {
    error.location().map_or(Position::START, |at| Position { line: at.line() as u64, column: at.column() as u64 })
}

/// Reads the position from an error's text: inside a visitor its type is unknown, but not how it is displayed.
fn position_in(message: &str) -> Option<Position> {
    let (_, place) = message.rsplit_once(" at line ")?;
    let (line, column) = place.split_once(" column ")?;
    Some(Position { line: line.parse().ok()?, column: column.parse().ok()? })
}

struct Reader<'t> {
    source: Source<'t>,
    nodes_left: usize,
    refused: Option<(Fault, &'static str)>,
    /// Faults behind which reading goes on.
    passed: Vec<(Fault, Position)>,
}

impl Reader<'_> {
    fn refuse<E: serde::de::Error>(&mut self, fault: Fault, why: &'static str) -> E {
        self.refused = Some((fault, why));
        E::custom(why)
    }

    fn fault(&self, error: &serde_yaml::Error) -> (Fault, Position, String) {
        let at = position_of(error);
        if let Some((fault, why)) = self.refused {
            return (fault, at, why.to_owned());
        }
        let message = error.to_string();
        let fault = if message.contains("recursion limit exceeded") {
            Fault::Nesting
        } else if message.contains("repetition limit exceeded") {
            Fault::Aliases
        } else {
            Fault::Syntax
        };
        (fault, at, message)
    }
}

/// What its visitor has kept: a scalar, or whatever stands behind a tag. Numbers and booleans hold a stand-in for the
/// text in the source.
enum Kept {
    Tagged(Node),
    Null,
    Boolean(String),
    Number(String),
    Text(String),
}

struct NodeSeed<'r, 't> {
    reader: &'r mut Reader<'t>,
    /// Where an empty list or mapping is said to stand: it has no position of its own.
    near: Position,
}

impl<'de> DeserializeSeed<'de> for NodeSeed<'_, '_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        let Some(left) = self.reader.nodes_left.checked_sub(1) else {
            return Err(self.reader.refuse(Fault::Aliases, "aliases unfold to more than the file holds"));
        };
        self.reader.nodes_left = left;
        let mut kept = None;
        let visitor = NodeVisitor { reader: &mut *self.reader, near: self.near, kept: &mut kept };
        let error = match deserializer.deserialize_any(visitor) {
            Ok(node) => return Ok(node),
            Err(error) => error,
        };
        let Some(kept) = kept else { return Err(error) };
        let at = position_in(&error.to_string()).unwrap_or(Position::START);
        let mut written = |stand_in: String| self.reader.source.word_at(at).map_or(stand_in, str::to_owned);
        let value = match kept {
            Kept::Tagged(node) => {
                self.reader.passed.push((Fault::Tag, at));
                return Ok(node);
            }
            Kept::Null => Value::Null,
            Kept::Text(text) => Value::Text(text),
            Kept::Number(text) => Value::Number(written(text)),
            Kept::Boolean(text) => Value::Boolean(written(text)),
        };
        Ok(Node { at, value })
    }
}

struct NodeVisitor<'r, 't> {
    reader: &'r mut Reader<'t>,
    near: Position,
    kept: &'r mut Option<Kept>,
}

impl NodeVisitor<'_, '_> {
    fn keep<E: serde::de::Error>(self, kept: Kept) -> Result<Node, E> {
        *self.kept = Some(kept);
        Err(E::custom("position"))
    }
}

impl<'de> Visitor<'de> for NodeVisitor<'_, '_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Node, E> {
        self.keep(Kept::Boolean(value.to_string()))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Node, E> {
        self.keep(Kept::Number(value.to_string()))
    }

    fn visit_i128<E: serde::de::Error>(self, value: i128) -> Result<Node, E> {
        self.keep(Kept::Number(value.to_string()))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Node, E> {
        self.keep(Kept::Number(value.to_string()))
    }

    fn visit_u128<E: serde::de::Error>(self, value: u128) -> Result<Node, E> {
        self.keep(Kept::Number(value.to_string()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Node, E> {
        self.keep(Kept::Number(value.to_string()))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Node, E> {
        self.keep(Kept::Text(value.to_owned()))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Node, E> {
        self.keep(Kept::Null)
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<Node, E> {
        self.keep(Kept::Null)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Node, A::Error> {
        let (IgnoredAny, value) = tagged.variant()?;
        let node = value.newtype_variant_seed(NodeSeed { reader: &mut *self.reader, near: self.near })?;
        self.keep(Kept::Tagged(node))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let Self { reader, mut near, .. } = self;
        let mut elements: Vec<Node> = Vec::new();
        while let Some(element) = list.next_element_seed(NodeSeed { reader: &mut *reader, near })? {
            near = element.at;
            elements.push(element);
        }
        let at = elements.first().map_or(near, |element| element.at);
        Ok(Node { at, value: Value::List(elements) })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut mapping: A) -> Result<Node, A::Error> {
        let Self { reader, near, .. } = self;
        let mut entries: Vec<Entry> = Vec::new();
        while let Some(key) = mapping.next_key_seed(NodeSeed { reader: &mut *reader, near })? {
            let at = key.at;
            let key = match key.value {
                Value::Text(text) | Value::Number(text) | Value::Boolean(text) => Some(text),
                Value::Null => Some("null".to_owned()),
                Value::List(_) | Value::Mapping(_) => None,
            };
            let value = mapping.next_value_seed(NodeSeed { reader: &mut *reader, near: at })?;
            match key {
                Some(key) => entries.push(Entry { at, key, value }),
                None => reader.passed.push((Fault::Key, at)),
            }
        }
        let at = entries.first().map_or(near, |entry| entry.at);
        Ok(Node { at, value: Value::Mapping(entries) })
    }
}

/// What [`Nowhere`] expects.
const NO_SECOND: &str = "no second document";

/// Refuses every value: only the error's position is of use.
struct Nowhere;

impl<'de> Deserialize<'de> for Nowhere {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl Visitor<'_> for Nowhere {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NO_SECOND)
    }
}
