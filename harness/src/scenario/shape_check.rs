//! Checks a file against the tables of the format: unknown keys and words, wrong types, missing keys.

use super::complaints::Complaints;
use super::shape::{Object, Pattern, Shape, Words};
use super::spelling;
use super::tree::{KeyValue, Tree, TreeValue};
use crate::diagnostic::Diagnostic;
use crate::source::Place;

/// The key or list that a value belongs to.
#[derive(Clone, Copy)]
struct ValueOwner<'a> {
    /// The key's name.
    name: &'a str,
    /// It is one of several in a list.
    item: bool,
    /// The place of the caret for what is missing in the value.
    place: Place,
}

/// Checks the whole file.
pub(crate) fn check(root: &Tree, object: &'static Object, complaints: &mut Complaints) {
    let place = root.entries().first().map_or(root.place, |entry| entry.key.place);
    fit(root, &Shape::Object(object), ValueOwner { name: "the file", item: false, place }, complaints);
}

fn fit(tree: &Tree, shape: &Shape, owner: ValueOwner<'_>, complaints: &mut Complaints) {
    match (&tree.value, shape) {
        (_, Shape::Json) => {}
        (TreeValue::Nothing, _) => complaints.report(empty(tree, shape, owner)),
        (TreeValue::Scalar { text, .. }, Shape::Words(words)) => {
            complaints.extend(word(tree, text, words, owner));
        }
        (TreeValue::List(items), Shape::List(of) | Shape::OneOrList(of)) => {
            list(tree, items, of, owner, complaints)
        }
        (_, Shape::OneOrList(of)) => fit(tree, of, owner, complaints),
        (TreeValue::Map(entries), Shape::Named { names, of }) => named(entries, names, of, owner, complaints),
        (TreeValue::Map(_), Shape::Object(of)) => object(tree, of, owner, complaints),
        (_, Shape::Either(shapes)) => either(tree, shapes, owner, complaints),
        _ if scalar_fits(tree, shape) => {}
        _ => complaints.report(wrong(tree, shape, owner)),
    }
}

fn scalar_fits(tree: &Tree, shape: &Shape) -> bool {
    match (&tree.value, shape) {
        (TreeValue::Scalar { text, .. }, Shape::Text(pattern)) => (pattern.fits)(text),
        (TreeValue::Scalar { text, .. }, Shape::Words(words)) => (words.words)().contains(&text.as_str()),
        (TreeValue::Scalar { .. }, Shape::Bool) => tree.boolean().is_some(),
        (TreeValue::Scalar { .. }, Shape::True) => tree.boolean() == Some(true),
        (TreeValue::Scalar { .. }, Shape::Whole { min, max }) => {
            tree.number().is_some_and(|number| (*min..=*max).contains(&number))
        }
        _ => false,
    }
}

fn empty(tree: &Tree, shape: &Shape, owner: ValueOwner<'_>) -> Diagnostic {
    let place = if tree.place.start == tree.place.end { owner.place } else { tree.place };
    Diagnostic::new("empty-value", place, format!("`{}` is empty", owner.name))
        .label("no value")
        .help(format!("write {}, or remove the key", shape.what()))
}

fn wrong(tree: &Tree, shape: &Shape, owner: ValueOwner<'_>) -> Diagnostic {
    let message = match owner.name {
        "the file" => format!("a scenario must be {}", shape.what()),
        name if owner.item => format!("each item of `{name}` must be {}", shape.what()),
        name => format!("`{name}` must be {}", shape.what()),
    };
    let whole_number = matches!(shape, Shape::Whole { .. }) && tree.number().is_some();
    let pattern = matches!(shape, Shape::Text(_)) && tree.text().is_some();
    let label = match tree.text() {
        Some(text) if whole_number || pattern => format!("found `{}`", shortened(text)),
        _ => format!("found {}", tree.what()),
    };
    let code = match shape {
        _ if whole_number => "out-of-range",
        Shape::Text(pattern)
            if tree.text().is_some() && std::ptr::eq(*pattern, &super::pattern::DURATION) =>
        {
            "bad-duration"
        }
        _ if pattern => "bad-text",
        _ => "wrong-type",
    };
    let help = match (shape, tree.text()) {
        (Shape::Bool, Some("yes" | "on" | "no" | "off")) => Some("write `true` or `false`".to_owned()),
        (Shape::List(_), Some(text)) => Some(format!("write a list: `[{}]`", items(text))),
        (Shape::True, Some("false")) => Some("remove the key: its default is `false`".to_owned()),
        (Shape::Text(pattern), Some(text)) => pattern_help(pattern, text),
        _ => None,
    };
    Diagnostic::new(code, tree.place, message).label(label).maybe_help(help)
}

/// Returns the start of a text that is too long for a label.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((at, _)) => format!("{} ...", &text[..at]),
        None => text.to_owned(),
    }
}

/// Returns a text as items of a list: a command is one item a word.
fn items(text: &str) -> String {
    if text.contains(',') || !text.contains(' ') {
        return text.to_owned();
    }
    let words: Vec<String> = text.split_whitespace().map(|word| format!("\"{word}\"")).collect();
    words.join(", ")
}

fn pattern_help(pattern: &Pattern, text: &str) -> Option<String> {
    use super::pattern::{DURATION, LISTEN, PATH, URL};
    if std::ptr::eq(pattern, &DURATION) && text.bytes().all(|b| b.is_ascii_digit()) {
        return Some(format!("add a unit: `{text}ms` or `{text}s`"));
    }
    if std::ptr::eq(pattern, &URL) && text.starts_with("https://") {
        return Some("write `http://`, and `tls: true` at the hops that reach it".to_owned());
    }
    if std::ptr::eq(pattern, &LISTEN) {
        return listen_help(text);
    }
    if std::ptr::eq(pattern, &PATH) && !text.starts_with('/') {
        return Some(format!("write `/{text}`"));
    }
    None
}

fn listen_help(text: &str) -> Option<String> {
    use super::pattern::listen_address;
    let address = text.trim_start_matches("http://").trim_end_matches('/');
    let address = address.strip_prefix(':').unwrap_or(address);
    if address != text && listen_address(address).is_ok() {
        return Some(format!("write `{address}`"));
    }
    let with_port = format!("{address}:4318");
    listen_address(&with_port).is_ok().then(|| format!("add a port, such as `{with_port}`"))
}

fn word(tree: &Tree, text: &str, words: &Words, owner: ValueOwner<'_>) -> Option<Diagnostic> {
    let known = (words.words)();
    if known.contains(&text) {
        return None;
    }
    let what = words.what;
    if words.later.contains(&text) {
        let message = format!("this version has no {what} `{text}`");
        let help = format!("use one of {}", spelling::listed(&known));
        return Some(Diagnostic::new("not-in-this-version", tree.place, message).label("planned").help(help));
    }
    if let [only] = known.as_slice() {
        let message = format!("`{}` can only be `{only}`", owner.name);
        let help = match owner.name {
            "tap" if super::pattern::listen_address(text).is_ok() => {
                format!("an address is written `tap: {{ listen: {text} }}`")
            }
            _ => "remove the key for the default".to_owned(),
        };
        return Some(Diagnostic::new("unknown-word", tree.place, message).label("unknown").help(help));
    }
    let help = spelling::help(text, &known, &format!("{what}s"));
    let message = format!("unknown {what} `{text}`");
    Some(Diagnostic::new("unknown-word", tree.place, message).label("unknown").help(help))
}

fn list(tree: &Tree, items: &[Tree], of: &Shape, owner: ValueOwner<'_>, complaints: &mut Complaints) {
    if items.is_empty() {
        let message = format!("the list `{}` is empty", owner.name);
        let help = "write at least one item, or remove the key";
        complaints.report(Diagnostic::new("empty-value", tree.place, message).help(help));
    }
    for item in items {
        fit(item, of, ValueOwner { name: owner.name, item: true, place: item.place }, complaints);
    }
}

fn named(
    entries: &[KeyValue],
    names: &Pattern,
    of: &Shape,
    owner: ValueOwner<'_>,
    complaints: &mut Complaints,
) {
    if entries.is_empty() {
        let message = format!("`{}` is empty", owner.name);
        complaints.report(Diagnostic::new("empty-value", owner.place, message).label("no value"));
    }
    for KeyValue { key, value } in entries {
        if !(names.fits)(&key.value) {
            let message = format!("`{}` is not {}", key.value, names.what);
            complaints.report(Diagnostic::new("bad-name", key.place, message));
        }
        fit(value, of, ValueOwner { name: &key.value, item: false, place: key.place }, complaints);
    }
}

/// Checks a value against the shapes of its kind; a scalar may have any of the scalar shapes.
fn either(tree: &Tree, shapes: &'static [Shape], owner: ValueOwner<'_>, complaints: &mut Complaints) {
    let fitting: Vec<&Shape> = match &tree.value {
        TreeValue::Scalar { .. } => shapes.iter().filter(|shape| shape.is_scalar()).collect(),
        TreeValue::List(_) => shapes.iter().filter(|shape| matches!(shape, Shape::List(_))).collect(),
        _ => shapes.iter().filter(|shape| matches!(shape, Shape::Object(_) | Shape::Named { .. })).collect(),
    };
    match fitting.as_slice() {
        [only] => fit(tree, only, owner, complaints),
        some if some.iter().any(|shape| scalar_fits(tree, shape)) => {}
        _ => complaints.report(wrong(tree, &Shape::Either(shapes), owner)),
    }
}

fn object(tree: &Tree, object: &'static Object, owner: ValueOwner<'_>, complaints: &mut Complaints) {
    let kinds: Vec<_> = object.kinds().iter().filter(|kind| tree.entry(kind.key.name).is_some()).collect();
    let reported = tag(tree, object, owner, complaints);
    for KeyValue { key, value } in tree.entries() {
        let of_kinds = kinds.iter().flat_map(|kind| kind.keys().chain([&kind.key]));
        match of_kinds.chain(object.keys).find(|known| known.name == key.value) {
            Some(known) => {
                let owner = ValueOwner { name: known.name, item: false, place: key.place };
                fit(value, &known.shape, owner, complaints);
            }
            None if reported == Some(key.place) => {}
            // Whether it belongs here depends on the kind, which is missing.
            None if kinds.is_empty() && object.all_keys().iter().any(|known| known.name == key.value) => {}
            None => unknown_key(&key.value, key.place, object, complaints),
        }
    }
    let required = kinds.iter().flat_map(|kind| kind.keys()).chain(object.keys).filter(|key| key.required);
    for key in required.filter(|key| tree.entry(key.name).is_none()) {
        let message = format!("{} needs the key `{}`", object.what, key.name);
        let label = format!("`{}` is missing", key.name);
        complaints.report(Diagnostic::new("missing-key", owner.place, message).label(label).help(key.about));
    }
}

/// Checks that exactly one kind is named. Returns the place of a key that was reported on the way.
fn tag(tree: &Tree, object: &Object, owner: ValueOwner<'_>, complaints: &mut Complaints) -> Option<Place> {
    let tag = object.tag?;
    let what = tag.what;
    let known: Vec<&str> = tag.kinds.iter().map(|kind| kind.key.name).collect();
    let mut named = tree.entries().iter().filter(|entry| known.contains(&entry.key.value.as_str()));
    if let (Some(first), second) = (named.next(), named.next()) {
        let second = second?;
        let (one, two) = (&first.key.value, &second.key.value);
        let message = format!("{} has one {what}, and both `{one}` and `{two}` are given", object.what);
        let diagnostic = Diagnostic::new("two-kinds", second.key.place, message)
            .label("second")
            .also(first.key.place, "first")
            .help("remove one of them");
        complaints.report(diagnostic);
        return None;
    }
    let later = tree.entries().iter().find(|entry| tag.later.contains(&entry.key.value.as_str()));
    if let Some(KeyValue { key, .. }) = later {
        let message = format!("this version has no {what} `{}`", key.value);
        let help = format!("use one of {}", spelling::listed(&known));
        complaints
            .report(Diagnostic::new("not-in-this-version", key.place, message).label("planned").help(help));
        return Some(key.place);
    }
    let all: Vec<&str> = object.all_keys().iter().map(|key| key.name).collect();
    let mut unknown =
        tree.entries().iter().map(|entry| &entry.key).filter(|key| !all.contains(&key.value.as_str()));
    if let Some(key) = unknown.next() {
        let message = format!("unknown {what} `{}`", key.value);
        let help = spelling::help(&key.value, &known, &format!("{what}s"));
        complaints.report(Diagnostic::new("unknown-key", key.place, message).label("unknown").help(help));
        return Some(key.place);
    }
    let message = format!("{} needs a {what}: one of {}", object.what, spelling::listed(&known));
    let label = format!("no {what}");
    complaints.report(Diagnostic::new("missing-key", owner.place, message).label(label));
    None
}

fn unknown_key(name: &str, place: Place, object: &'static Object, complaints: &mut Complaints) {
    let owners: Vec<&str> = object
        .kinds()
        .iter()
        .filter(|kind| kind.keys().any(|key| key.name == name))
        .map(|kind| kind.key.name)
        .collect();
    if !owners.is_empty() {
        let message = format!("the key `{name}` is not allowed here");
        let help = format!("it is a key of {}", spelling::listed(&owners));
        complaints
            .report(Diagnostic::new("unknown-key", place, message).label("key of another kind").help(help));
        return;
    }
    let known: Vec<&str> = object.all_keys().iter().map(|key| key.name).collect();
    let help = spelling::help(name, &known, &format!("keys of {}", object.what));
    let message = format!("{} has no key `{name}`", object.what);
    complaints.report(Diagnostic::new("unknown-key", place, message).label("unknown").help(help));
}
