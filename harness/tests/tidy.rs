//! Holds the arrows between the modules and the limits of the house (CONTRIBUTING.md), so that they stay true.
//!
//! It reads the sources as text: no layer names one that stands behind it, no file or function grows past its
//! limit.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

#[path = "tidy/anchors.rs"]
mod anchors;
#[path = "tidy/files.rs"]
mod files;
#[path = "tidy/module_graph.rs"]
mod module_graph;
#[path = "tidy/words.rs"]
mod words;

use module_graph::ModuleGraph;

/// For each module of the library, the modules that it may name besides itself. What stands here is
/// ARCHITECTURE.md's table of layers.
const ARROWS: &[(&str, &[&str])] = &[
    ("wire", &[]),
    ("source", &[]),
    ("diagnostic", &["source"]),
    ("scenario", &["source", "diagnostic", "wire"]),
    ("plan", &["scenario", "wire", "source"]),
    ("evidence", &["plan", "scenario", "wire"]),
    ("crossings", &["scenario", "plan", "evidence", "wire"]),
    ("breaks", &["crossings", "scenario", "plan", "evidence", "wire"]),
    ("rules", &["breaks", "crossings", "scenario", "plan", "evidence", "wire", "source"]),
    ("verdict", &["rules", "plan", "scenario", "source"]),
    ("progress", &["plan", "verdict"]),
    ("tap", &["plan", "evidence", "scenario"]),
    ("runtime", &["tap", "plan", "evidence", "scenario"]),
    ("driver", &["plan", "runtime", "evidence", "wire", "scenario"]),
    ("conform", &["wire", "source", "diagnostic", "scenario", "plan", "evidence", "runtime", "driver"]),
    ("run", ALL_BEFORE_RUN),
    ("report", &["progress", "verdict", "rules", "source", "diagnostic", "breaks", "scenario", "conform"]),
    (
        "testing",
        &[
            "run",
            "report",
            "scenario",
            "source",
            "diagnostic",
            "plan",
            "evidence",
            "tap",
            "runtime",
            "progress",
            "verdict",
            "rules",
            "breaks",
        ],
    ),
];

const ALL_BEFORE_RUN: &[&str] = &[
    "wire",
    "source",
    "diagnostic",
    "scenario",
    "plan",
    "evidence",
    "crossings",
    "breaks",
    "rules",
    "verdict",
    "progress",
    "tap",
    "runtime",
    "driver",
];

/// For each folder of `runtime`, the folders of `runtime` that it may name besides itself. Files that lie beside the
/// folders are not in the table: the test for circles holds them.
const RUNTIME_ARROWS: &[(&str, &[&str])] = &[
    ("process", &[]),
    ("broker_admin", &[]),
    ("container", &["process", "broker_admin"]),
    ("broker", &["container", "broker_admin"]),
    ("stub", &["broker_admin"]),
    ("node", &["process", "container", "broker"]),
];

/// Circles that are still to be removed; one that is gone must leave this list.
const CIRCLES: &[&[&str]] = &[
    &["breaks/sender", "breaks/sender_spans"],
    &["cli/arguments", "cli/conform/arguments"],
    &["conform/judge/context", "conform/judge/lists"],
    &["crossings/attribution", "crossings/messages", "crossings/sent_by"],
    &["crossings/expected", "crossings/trace_owner"],
    &["crossings/receiver", "crossings/span_claims"],
    &["report/outcome", "report/phrase"],
    &["rules/details", "rules/finding", "rules/lines"],
];

const FILE_LINES: usize = 400;
const FUNCTION_LINES: usize = 70;
const LINE_LENGTH: usize = 120;
const FORBIDDEN_NAMES: &[&str] = &["util", "utils", "helpers", "common", "core", "misc", "manager"];

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

/// Top-level modules that a text names as `crate::module`.
fn named(text: &str) -> BTreeSet<String> {
    let code = without_comments(text);
    let after = code.match_indices("crate::").filter(|(at, _)| !code[..*at].ends_with('$'));
    let word =
        |at: usize| code[at..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    after
        .map(|(at, found)| word(at + found.len()))
        .filter(|name| name.chars().next().is_some_and(char::is_lowercase))
        .collect()
}

#[test]
fn every_layer_names_only_those_before_it() {
    let src = root().join("harness/src");
    let mut wrong = Vec::new();
    for (path, text) in sources(&src).into_iter().filter(|(path, _)| !is_test_file(path)) {
        let inside = path.strip_prefix(&src).expect("found below it");
        let first = inside.components().next().expect("a file has a name").as_os_str().to_string_lossy();
        let module = first.trim_end_matches(".rs");
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == module) else { continue };
        for name in named(&text) {
            let known = ARROWS.iter().any(|(module, _)| *module == name) || name == "cli";
            if known && name != module && !allowed.contains(&name.as_str()) {
                wrong.push(format!("{} names `{name}`", inside.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that point the wrong way:\n{}", wrong.join("\n"));
}

/// The modules of the library and the arrows between them.
fn module_graph() -> ModuleGraph {
    let src = root().join("harness/src");
    let sources = sources(&src).into_iter().filter(|(path, _)| !is_test_file(path));
    let code = sources.map(|(path, text)| (path, without_comments(&without_tests(&text))));
    ModuleGraph::new(&src, &code.collect::<Vec<_>>())
}

#[test]
fn the_folders_of_the_runtime_name_only_those_before_them() {
    let graph = module_graph();
    let folder = |module: &[String]| {
        let inside = module.strip_prefix(&["runtime".to_owned()][..])?;
        let name = inside.first()?;
        RUNTIME_ARROWS.iter().find(|(folder, _)| folder == name)
    };
    let mut wrong = Vec::new();
    for (module, targets) in graph.arrows() {
        let Some((name, allowed)) = folder(module) else { continue };
        for target in targets {
            let named = folder(target).map(|(named, _)| *named);
            if named.is_some_and(|named| named != *name && !allowed.contains(&named)) {
                wrong.push(format!("{} names {}", module.join("/"), target.join("/")));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that point the wrong way:\n{}", wrong.join("\n"));
}

#[test]
fn no_files_name_each_other_in_a_circle() {
    let found = module_graph().circles();
    let known: BTreeSet<Vec<String>> =
        CIRCLES.iter().map(|circle| circle.iter().map(|file| (*file).to_owned()).collect()).collect();
    let new: Vec<_> = found.difference(&known).collect();
    assert!(new.is_empty(), "files that name each other in a circle: {new:#?}");
    let gone: Vec<_> = known.difference(&found).collect();
    assert!(gone.is_empty(), "these circles are gone, and must leave `CIRCLES`: {gone:#?}");
}

#[test]
fn code_after_tests_in_the_middle_of_a_file_is_read() {
    let text = "use a::b;\n#[cfg(test)]\nmod tests;\nfn one() {}\n#[cfg(all(test, feature = \"x\"))]\nmod more {\n    \
                fn two() {}\n}\n#[cfg(test)]\npub use c::d;\nfn three() {}";
    assert_eq!(without_tests(text), "use a::b;\nfn one() {}\nfn three() {}");
}

#[test]
fn the_judging_side_names_no_fixture_and_only_the_command_prints() {
    let src = root().join("harness/src");
    let mut wrong = Vec::new();
    for (path, text) in sources(&src) {
        let inside = path.strip_prefix(&src).expect("found below it").to_string_lossy().into_owned();
        let code = without_tests(&text);
        let relays = inside.starts_with("cli") || inside.starts_with("testing") || inside == "main.rs";
        if !relays
            && !is_test_file(&path)
            && (["relay_model::", "relay_rust::", "stand_in_brokers::"]
                .iter()
                .any(|fixture| code.contains(fixture)))
        {
            wrong.push(format!("{inside} names a fixture"));
        }
        let prints = ["println!", "eprintln!", "print!(", "eprint!("].iter().any(|call| code.contains(call));
        if prints && !inside.starts_with("cli") && !is_test_file(&path) {
            wrong.push(format!("{inside} prints"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_functions_and_lines_stay_short() {
    let mut wrong = Vec::new();
    for (path, text) in sources(&root()) {
        let shown = path.strip_prefix(root()).expect("found below it").display().to_string();
        let test = is_test_file(&path);
        let code = without_tests(&text);
        if !test && code.lines().count() > FILE_LINES {
            wrong.push(format!("{shown} has {} lines, limit {FILE_LINES}", code.lines().count()));
        }
        for (number, line) in text.lines().enumerate() {
            if line.chars().count() > LINE_LENGTH && !line.contains("http") && !line.contains('"') {
                wrong.push(format!("{shown}:{} is longer than {LINE_LENGTH}", number + 1));
            }
        }
        wrong.extend(long_functions(&text).into_iter().map(|at| format!("{shown}:{at}")));
    }
    assert!(wrong.is_empty(), "over the limits:\n{}", wrong.join("\n"));
}

/// `line: a function of N lines`, found by the brace that closes at the indentation of its `fn`.
fn long_functions(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Option<(usize, usize)> = None;
    for (number, line) in text.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let code = line.trim_start();
        let begins = code.starts_with("fn ")
            || (code.starts_with("pub") || code.starts_with("async ")) && code.contains("fn ");
        match open {
            None if begins && !code.ends_with(';') && !code.ends_with('}') => open = Some((number, indent)),
            Some((start, at)) if indent == at && code.starts_with('}') => {
                if number - start + 1 > FUNCTION_LINES {
                    found.push(format!("{}: a function of {} lines", start + 1, number - start + 1));
                }
                open = None;
            }
            _ => {}
        }
    }
    found
}

#[test]
fn no_file_is_named_for_what_it_is_not() {
    let named = sources(&root()).into_iter().filter(|(path, _)| {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let folder =
            path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
        FORBIDDEN_NAMES.contains(&stem.as_str()) || FORBIDDEN_NAMES.contains(&folder.as_str())
    });
    let wrong: Vec<String> = named.map(|(path, _)| path.display().to_string()).collect();
    assert!(wrong.is_empty(), "name them for what is in them: {wrong:?}");
}

#[test]
fn every_file_says_what_it_is() {
    let bare = sources(&root())
        .into_iter()
        .filter(|(path, text)| !path.ends_with("tests.rs") && !text.starts_with("//!"));
    let wrong: Vec<String> = bare.map(|(path, _)| path.display().to_string()).collect();
    assert!(wrong.is_empty(), "files that do not open with `//!`: {wrong:#?}");
}

#[test]
fn versions_stand_in_the_workspace_manifest_only() {
    let mut wrong = Vec::new();
    let root = root();
    let manifests =
        ["harness", "in-memory-collector"].map(|name| root.join(name).join("Cargo.toml")).into_iter();
    let fixtures = std::fs::read_dir(root.join("fixtures")).into_iter().flatten().flatten();
    for path in manifests.chain(fixtures.map(|entry| entry.path().join("Cargo.toml"))) {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let below = text.split("dependencies]").skip(1);
        for line in below.flat_map(|part| part.lines().skip(1).take_while(|line| !line.starts_with('['))) {
            if line.contains("version =") || line.contains("= \"") {
                wrong.push(format!("{}: {line}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_sleeps_and_nothing_is_left_open() {
    let mut wrong = Vec::new();
    let own = Path::new(file!()).file_name();
    for (path, text) in sources(&root()).into_iter().filter(|(path, _)| path.file_name() != own) {
        let shown = path.display().to_string();
        // The benchmark's sink throws away at an interval; that is what is measured.
        let fixture = shown.contains("/fixtures/") || shown.contains("/in-memory-collector/bench/");
        for (number, line) in text.lines().enumerate() {
            let open =
                ["todo!(", "unimplemented!(", "#[ignore", "dbg!("].iter().any(|left| line.contains(left));
            let sleeps = !fixture && (line.contains("time::sleep(") || line.contains("thread::sleep("));
            if open || sleeps {
                wrong.push(format!("{shown}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn workflows() -> Vec<(PathBuf, String)> {
    let folder = root().join(".github/workflows");
    let entries = std::fs::read_dir(folder).expect("the workflows are in the repository").flatten();
    entries
        .map(|entry| entry.path())
        .map(|path| (path.clone(), std::fs::read_to_string(path).expect("workflows are UTF-8")))
        .collect()
}

#[test]
fn actions_are_pinned_by_commit() {
    let mut wrong = Vec::new();
    for (path, text) in workflows() {
        for line in
            text.lines().filter_map(|line| line.trim().trim_start_matches("- ").strip_prefix("uses: "))
        {
            let (action, release) = line.split_once(" # ").unwrap_or((line, ""));
            let commit = action.rsplit('@').next().unwrap_or_default();
            if commit.len() != 40
                || !commit.bytes().all(|byte| byte.is_ascii_hexdigit())
                || !release.starts_with('v')
            {
                wrong.push(format!("{}: {line}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "write `action@COMMIT # RELEASE`: {wrong:#?}");
}

#[test]
fn the_oldest_rust_of_the_workflow_is_the_one_of_the_manifest() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).expect("the workspace has a manifest");
    let oldest = manifest.lines().find_map(|line| line.strip_prefix("rust-version = ")).expect("it is set");
    let (_, check) =
        workflows().into_iter().find(|(path, _)| path.ends_with("check.yml")).expect("the workflow exists");
    assert!(check.contains(&format!("RUSTUP_TOOLCHAIN: {oldest}")), "`oldest-rust` is not {oldest}");
}
