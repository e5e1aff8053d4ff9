//! The language in which the format is written down (`format`): what may stand where.
//!
//! Files are checked against it (`shape_check`) and the JSON Schema is made of it (`schema`), so the two cannot drift.
//! It says nothing about how the parts of a file fit together; that is `check`.

/// The shape of a value.
#[derive(Clone, Copy)]
pub(crate) enum Shape {
    /// Text that keeps a pattern.
    Text(&'static Pattern),
    /// One of a few words.
    Words(&'static Words),
    Bool,
    /// Only `true`: the default is `false`.
    True,
    /// A whole number.
    Whole {
        min: u64,
        max: u64,
    },
    /// At least one.
    List(&'static Shape),
    /// One, or a list of at least one: several at once, or a matrix.
    OneOrList(&'static Shape),
    /// A mapping whose keys are the author's own names.
    Named {
        names: &'static Pattern,
        of: &'static Shape,
    },
    Object(&'static Object),
    /// Several shapes that the value distinguishes.
    Either(&'static [Shape]),
    /// Anything that JSON can say.
    Json,
}

/// A kind of text.
pub(crate) struct Pattern {
    /// As in "must be ...".
    pub what: &'static str,
    /// The same as `fits`, for the schema.
    pub regex: &'static str,
    pub fits: fn(&str) -> bool,
    /// True when a plain YAML number or boolean may stand for its text.
    pub any_scalar: bool,
}

pub(crate) struct Words {
    /// As in "unknown ...".
    pub what: &'static str,
    pub words: fn() -> Vec<&'static str>,
    /// Words that are planned and not in this version.
    pub later: &'static [&'static str],
}

pub(crate) struct Object {
    /// As in "... has no key".
    pub what: &'static str,
    pub keys: &'static [KeyShape],
    pub tag: Option<&'static Tag>,
}

/// Exactly one of these keys says what kind of thing it is.
pub(crate) struct Tag {
    /// "kind", "transport".
    pub what: &'static str,
    pub kinds: &'static [TaggedKind],
    /// Kinds that are planned and not in this version.
    pub later: &'static [&'static str],
}

pub(crate) struct TaggedKind {
    pub key: KeyShape,
    /// Keys that may stand beside this one.
    pub with: &'static [&'static [KeyShape]],
}

#[derive(Clone, Copy)]
pub(crate) struct KeyShape {
    pub name: &'static str,
    pub required: bool,
    pub shape: Shape,
    pub about: &'static str,
}

pub(crate) const fn must(name: &'static str, shape: Shape, about: &'static str) -> KeyShape {
    KeyShape { name, required: true, shape, about }
}

pub(crate) const fn may(name: &'static str, shape: Shape, about: &'static str) -> KeyShape {
    KeyShape { name, required: false, shape, about }
}

impl TaggedKind {
    pub fn keys(&self) -> impl Iterator<Item = &'static KeyShape> {
        self.with.iter().flat_map(|keys| keys.iter())
    }
}

impl Object {
    pub fn kinds(&self) -> &'static [TaggedKind] {
        self.tag.map_or(&[], |tag| tag.kinds)
    }

    /// Returns every key that some such object can have, in the order of the tables.
    pub fn all_keys(&self) -> Vec<&'static KeyShape> {
        let mut keys: Vec<&'static KeyShape> = self.kinds().iter().map(|kind| &kind.key).collect();
        for key in self.kinds().iter().flat_map(TaggedKind::keys).chain(self.keys) {
            if !keys.iter().any(|known| known.name == key.name) {
                keys.push(key);
            }
        }
        keys
    }
}

impl Shape {
    /// Returns whether a scalar, rather than a list or mapping, has this shape.
    pub fn is_scalar(&self) -> bool {
        match self {
            Shape::Text(_) | Shape::Words(_) | Shape::Bool | Shape::True | Shape::Whole { .. } => true,
            Shape::List(_)
            | Shape::OneOrList(_)
            | Shape::Named { .. }
            | Shape::Object(_)
            | Shape::Either(_)
            | Shape::Json => false,
        }
    }

    /// Returns the shape in words, as in "must be ...".
    pub fn what(&self) -> String {
        match self {
            Shape::Text(pattern) => pattern.what.to_owned(),
            Shape::Words(words) => match (words.words)().as_slice() {
                [one] => format!("`{one}`"),
                many => format!("one of {}", super::spelling::listed(many)),
            },
            Shape::Bool => "`true` or `false`".to_owned(),
            Shape::True => "`true`".to_owned(),
            Shape::Whole { min, max } => format!("a whole number from {min} to {max}"),
            Shape::List(_) => "a list".to_owned(),
            Shape::OneOrList(shape) => format!("{}, or a list", shape.what()),
            Shape::Named { .. } | Shape::Object(_) => "a mapping".to_owned(),
            Shape::Either(shapes) => shapes.iter().map(Shape::what).collect::<Vec<_>>().join(", or "),
            Shape::Json => "any value".to_owned(),
        }
    }
}
