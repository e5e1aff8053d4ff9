//! The types that `unbroken::testing` re-exports have documentation, and enums that may grow are `#[non_exhaustive]`.
//!
//! rustc's `missing_docs` does not see them: they are defined in modules that are `#[doc(hidden)]`. This reads the
//! sources as text: each type with its fields, variants and methods.

use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

use crate::{root, sources, without_tests};

/// Enums that cannot grow, each with the reason.
const CLOSED: &[(&str, &str)] = &[
    ("Side", "a break is at one of the two ends, between them, or unknown"),
    ("RestartSide", "a hop has two ends"),
];

static RE_EXPORTS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"pub use crate::(\w+)::(?:\{([^}]*)\}|(\w+));").expect("it is constant"));
static ITEM: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\s*(?:pub (?:const |async )?(?:fn |const |struct |enum )?(\w+)|([A-Z]\w*)(?:[,({].*|)$)")
        .expect("it is constant")
});

/// Returns each re-exported type with the module that defines it.
fn re_exports(face: &str) -> Vec<(String, String)> {
    let mut types = Vec::new();
    for found in RE_EXPORTS.captures_iter(face) {
        let names = found.get(2).or(found.get(3)).map_or("", |names| names.as_str());
        types.extend(names.split(',').map(|name| (found[1].to_owned(), name.trim().to_owned())));
    }
    types
}

/// Returns the lines of a definition or an `impl` block, from its first line to the end of its body.
fn block<'a>(lines: &[&'a str], first: usize) -> Vec<&'a str> {
    let indent = lines[first].len() - lines[first].trim_start().len();
    let end = format!("{}}}", " ".repeat(indent));
    let is_short = lines[first].ends_with([';', '}']);
    let length = if is_short { 0 } else { lines[first..].iter().position(|line| *line == end).unwrap_or(0) };
    lines[first..=first + length].to_vec()
}

/// Returns the names of public items in a block that have no documentation. Bodies of methods are not read.
fn undocumented(block: &[&str]) -> Vec<String> {
    let is_enum = block.first().is_some_and(|first| first.contains("enum "));
    let indent = |line: &str| line.len() - line.trim_start().len();
    let inner = block.get(1).map_or(0, |line| indent(line));
    let mut missing = Vec::new();
    let mut is_documented = false;
    for line in &block[1..] {
        let code = line.trim_start();
        if indent(line) != inner || code.starts_with("#[") && !code.starts_with("#[doc") {
            continue;
        }
        if code.starts_with("///") || code.starts_with("#[doc") {
            is_documented = true;
            continue;
        }
        if let Some(item) = ITEM.captures(line)
            && let Some(name) = item.get(1).or(if is_enum { item.get(2) } else { None })
            && !is_documented
        {
            missing.push(name.as_str().to_owned());
        }
        is_documented = false;
    }
    missing
}

/// Returns what is wrong with a type in the text of a file; `None` where the file does not define it.
fn faults(name: &str, text: &str) -> Option<Vec<String>> {
    let lines: Vec<&str> = text.lines().collect();
    let forms = [format!("pub struct {name}"), format!("pub enum {name}")];
    let at = lines.iter().position(|line| defines(line, &forms))?;
    let before: Vec<&str> = lines[..at]
        .iter()
        .rev()
        .take_while(|line| line.trim_start().starts_with(['/', '#']))
        .copied()
        .collect();
    let mut wrong = Vec::new();
    if !before.iter().any(|line| line.trim_start().starts_with("///")) {
        wrong.push(format!("`{name}` has no documentation"));
    }
    let may_grow = lines[at].contains("enum ") && !CLOSED.iter().any(|(closed, _)| *closed == name);
    if may_grow && !before.iter().any(|line| line.contains("non_exhaustive")) {
        wrong.push(format!("`{name}` may grow: make it `#[non_exhaustive]`, or list it as closed"));
    }
    let methods = (0..lines.len()).filter(|at| lines[*at].trim() == format!("impl {name} {{"));
    for first in std::iter::once(at).chain(methods) {
        let missing = undocumented(&block(&lines, first));
        wrong.extend(missing.iter().map(|item| format!("`{name}::{item}` has no documentation")));
    }
    Some(wrong)
}

/// Returns true when the line begins with one of the forms and a word ends there.
fn defines(line: &str, forms: &[String]) -> bool {
    let code = line.trim_start();
    let rest = forms.iter().find_map(|form| code.strip_prefix(form.as_str()));
    rest.is_some_and(|rest| rest.starts_with([' ', '<', '(', ';']))
}

fn face() -> String {
    std::fs::read_to_string(root().join("harness/src/testing/mod.rs")).expect("the face is a file")
}

fn module_sources(module: &str) -> Vec<String> {
    let source = root().join("harness/src").join(module);
    let single = source.with_extension("rs");
    let files = sources(&source).into_iter().map(|(_, text)| without_tests(&text));
    let file = |path: &Path| std::fs::read_to_string(path).ok().map(|text| without_tests(&text));
    files.chain(file(&single)).collect()
}

#[test]
fn what_testing_re_exports_is_documented_and_may_grow() {
    let mut wrong = Vec::new();
    for (module, name) in re_exports(&face()) {
        match module_sources(&module).iter().find_map(|text| faults(&name, text)) {
            Some(faults) => wrong.extend(faults),
            None => wrong.push(format!("no file of `{module}` defines `{name}`")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn closed_enums_are_re_exported() {
    let face = re_exports(&face());
    for (closed, _) in CLOSED {
        assert!(face.iter().any(|(_, name)| name == closed), "{closed}");
    }
}

#[test]
fn what_is_missing_is_found() {
    let text = "/// A.\n#[derive(Debug)]\npub enum Word {\n    /// Yes.\n    Yes,\n    No,\n    With(u8),\n}\n\
                impl Word {\n    pub fn one(self) -> u8 {\n        Self::ALL\n    }\n\n    \
                /// Returns two.\n    #[must_use]\n    pub fn two() {}\n\n    fn three() {}\n    \
                #[doc(hidden)]\n    pub fn four() {}\n}\n\
                pub struct Place {\n    pub start: usize,\n    end: usize,\n}\n";
    let missing = |item: &str| format!("`{item}` has no documentation");
    let growing = "`Word` may grow: make it `#[non_exhaustive]`, or list it as closed".to_owned();
    let expected = vec![growing, missing("Word::No"), missing("Word::With"), missing("Word::one")];
    assert_eq!(faults("Word", text), Some(expected));
    assert_eq!(faults("Place", text), Some(vec![missing("Place"), missing("Place::start")]));
    assert_eq!(faults("Other", text), None);
    let face = "pub use crate::a::{B, C};\npub use crate::d::E;\npub use run::Run;\n";
    let pair = |module: &str, name: &str| (module.to_owned(), name.to_owned());
    assert_eq!(re_exports(face), [pair("a", "B"), pair("a", "C"), pair("d", "E")]);
}
