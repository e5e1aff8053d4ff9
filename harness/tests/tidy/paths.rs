//! Each path that CONTRIBUTING.md and ARCHITECTURE.md name exists: from the root, or as the end of a path, such as
//! `rules/wording/` or `mod.rs`.

use std::sync::LazyLock;

use regex::Regex;

use crate::files;

const PAGES: &[&str] = &["ARCHITECTURE.md", "CONTRIBUTING.md"];

/// A code span that is a folder or a file with an extension.
static PATH: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"`([\w.-]*(?:/[\w.-]+)*(?:/|\.(?:rs|md|yaml|txt|toml|json)))`").expect("it is constant")
});

/// Returns the paths in code spans that are no file and no folder of the list, nor the end of one.
fn missing<'a>(text: &'a str, names: &[String]) -> Vec<&'a str> {
    let paths = PATH.captures_iter(text).filter_map(|found| found.get(1)).map(|found| found.as_str());
    let is_missing = |path: &&str| !names.iter().any(|name| names_it(name, path));
    paths.filter(is_missing).collect()
}

/// Returns true when the name of a file is the path, lies in it, or ends with it.
fn names_it(name: &str, path: &str) -> bool {
    let is_in = |at: usize| path.ends_with('/') || at + path.len() == name.len();
    name.match_indices(path).any(|(at, _)| (at == 0 || name.as_bytes()[at - 1] == b'/') && is_in(at))
}

#[test]
fn each_path_that_a_page_names_exists() {
    let extensions = ["rs", "md", "yaml", "txt", "toml", "json", "py", "mjs", "sh", "Dockerfile"];
    let names: Vec<String> =
        files::below(&crate::root(), &extensions).into_iter().map(|(name, _)| name).collect();
    for page in PAGES {
        let text = std::fs::read_to_string(crate::root().join(page)).expect("the page exists");
        let missing: Vec<&str> =
            missing(&text, &names).into_iter().filter(|path| !crate::root().join(path).exists()).collect();
        assert!(missing.is_empty(), "{page} names what does not exist: {missing:?}");
    }
}

#[test]
fn a_path_that_does_not_exist_is_found() {
    let names = ["harness/src/rules/mod.rs".to_owned(), "harness/src/rules/wording/hops.rs".to_owned()];
    let text = "`rules/wording/`, `mod.rs`, `harness/src/rules/mod.rs`, `ules/mod.rs`, `rules/telling.rs`, `voice/`, `a.b`";
    assert_eq!(missing(text, &names), ["ules/mod.rs", "rules/telling.rs", "voice/"]);
}
