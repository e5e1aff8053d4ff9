//! One name, one thing: a type that other modules see has a name of its own in `harness/src`.
//!
//! It reads the sources as text. Private types are not compared: a reader meets them in one file only.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use crate::{is_test_file, root, sources, without_tests};

/// Names that two files define, each with the reason.
const SAME_IDEA: &[(&str, &str)] = &[
    ("FrameReader", "the same part of the taps of HTTP/2 and AMQP"),
    ("Piece", "the same part of the taps of HTTP/2 and AMQP"),
    ("RunContainers", "one file or the other is compiled, by feature"),
    ("Trust", "one file or the other is compiled, by feature"),
];

/// A definition at the top of a file; associated types are indented.
static VISIBLE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)^pub(?:\([^)]*\))? (?:struct|enum|trait|type|union) ([A-Z]\w*)").expect("it is constant")
});

/// Returns the files that define each visible name, where there are two or more.
fn twins(files: &[(String, String)]) -> BTreeMap<String, Vec<String>> {
    let mut defined: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (file, text) in files {
        for found in VISIBLE.captures_iter(text) {
            defined.entry(found[1].to_owned()).or_default().push(file.clone());
        }
    }
    defined.retain(|_, files| files.len() > 1);
    defined
}

#[test]
fn a_type_name_is_defined_once() {
    let mut files = Vec::new();
    for (path, text) in sources(&root().join("harness/src")) {
        if !is_test_file(&path) {
            files.push((path.display().to_string(), without_tests(&text)));
        }
    }
    let twins = twins(&files);
    for (name, files) in &twins {
        let is_listed = SAME_IDEA.iter().any(|(listed, _)| listed == name);
        assert!(is_listed, "`{name}` names two types: rename one after what it means\n{}", files.join("\n"));
    }
    for (listed, _) in SAME_IDEA {
        assert!(twins.contains_key(*listed), "`{listed}` is defined once: remove it from the list");
    }
}

#[test]
fn two_definitions_of_a_name_are_found() {
    let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let files = [
        file("a", "pub struct Key;\nstruct Local;\nimpl X for Y {\n    type Key = u8;\n}\n"),
        file("b", "pub(super) enum Key {}\nstruct Local;\n"),
    ];
    let expected = BTreeMap::from([("Key".to_owned(), vec!["a".to_owned(), "b".to_owned()])]);
    assert_eq!(twins(&files), expected);
}
