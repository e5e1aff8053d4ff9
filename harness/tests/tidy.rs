//! Holds the arrows between the modules and the limits of the house (CONTRIBUTING.md), so that they stay true.
//!
//! It reads the sources as text: no layer names one that stands behind it, no file or function grows past its
//! limit.

use std::path::{Path, PathBuf};

#[path = "tidy/anchors.rs"]
mod anchors;
#[path = "tidy/files.rs"]
mod files;
#[path = "tidy/layers.rs"]
mod layers;
#[path = "tidy/limits.rs"]
mod limits;
#[path = "tidy/module_graph.rs"]
mod module_graph;
#[path = "tidy/paths.rs"]
mod paths;
#[path = "tidy/public_face.rs"]
mod public_face;
#[path = "tidy/style.rs"]
mod style;
#[path = "tidy/type_names.rs"]
mod type_names;
#[path = "tidy/words.rs"]
mod words;
#[path = "tidy/workflows.rs"]
mod workflows;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the harness stands in the workspace").to_owned()
}

/// Every Rust source of the workspace with its text; build output and fuzz targets are not ours to tidy.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten().map(|entry| entry.path()) {
            let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if entry.is_dir() && name != "target" && !name.starts_with('.') && name != "node_modules" {
                folders.push(entry);
            } else if name.ends_with(".rs") {
                let text = std::fs::read_to_string(&entry).expect("sources are UTF-8");
                found.push((entry, text));
            }
        }
    }
    found.sort();
    found
}

/// The text without items that are compiled for tests only, wherever they stand.
fn without_tests(text: &str) -> String {
    let mut code = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let attribute = line.trim_start();
        if !(attribute.starts_with("#[cfg(test)]") || attribute.starts_with("#[cfg(all(test")) {
            code.push(line);
            continue;
        }
        let indent = line.len() - attribute.len();
        // Further attributes, and the rest of one that takes several lines.
        while lines.next_if(|line| is_attribute(line)).is_some() {}
        if lines.next().is_some_and(|first| !first.ends_with([';', '}'])) {
            // The body ends at the indentation of the attribute.
            let mut rest =
                lines.by_ref().map(|line| (line.len() - line.trim_start().len(), line.trim_start()));
            rest.find(|(at, line)| *at == indent && line.starts_with('}'));
        }
    }
    code.join("\n")
}

fn is_attribute(line: &str) -> bool {
    let line = line.trim();
    line.starts_with(['#', ')']) || line.starts_with("feature = ")
}

/// The text without comment lines.
fn without_comments(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn is_test_file(path: &Path) -> bool {
    let text = path.to_string_lossy();
    text.contains("/tests/")
        || text.ends_with("/tests.rs")
        || text.contains("/benches/")
        || text.contains("/examples/")
}

#[test]
fn code_after_tests_in_the_middle_of_a_file_is_read() {
    let text = "use a::b;\n#[cfg(test)]\nmod tests;\nfn one() {}\n#[cfg(all(test, feature = \"x\"))]\nmod more {\n    \
                fn two() {}\n}\n#[cfg(test)]\npub use c::d;\nfn three() {}";
    assert_eq!(without_tests(text), "use a::b;\nfn one() {}\nfn three() {}");
}
