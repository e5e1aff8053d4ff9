//! The layers: each module of the library names only those before it, and no files name each other in a circle.
//!
//! It reads `crate::module` paths as text; a name that a macro builds is not seen.

use std::collections::BTreeSet;

use crate::module_graph::ModuleGraph;
use crate::{is_test_file, root, sources, without_comments, without_tests};

/// For each module of the library, the modules that it may name besides itself. What stands here is
/// ARCHITECTURE.md's table of layers.
const ARROWS: &[(&str, &[&str])] = &[
    ("wire", &[]),
    ("masking", &["wire"]),
    ("source", &[]),
    ("diagnostic", &["source"]),
    ("scenario", &["source", "diagnostic", "wire"]),
    ("plan", &["scenario", "wire", "source"]),
    ("evidence", &["plan", "scenario", "wire", "masking"]),
    ("crossings", &["scenario", "plan", "evidence", "wire"]),
    ("breaks", &["crossings", "scenario", "plan", "evidence", "wire"]),
    ("rules", &["breaks", "crossings", "scenario", "plan", "evidence", "wire", "source"]),
    ("verdict", &["rules", "plan", "scenario", "source"]),
    ("progress", &["plan", "verdict"]),
    ("tap", &["plan", "evidence", "scenario"]),
    ("runtime", &["tap", "plan", "evidence", "scenario", "masking"]),
    ("driver", &["plan", "runtime", "evidence", "wire", "scenario", "masking"]),
    ("conform", &["wire", "source", "diagnostic", "scenario", "plan", "evidence", "runtime", "driver"]),
    ("run", ALL_BEFORE_RUN),
    ("history", &[]),
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
    "masking",
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

/// For each folder of a module, the folders of the module that it may name besides itself. Files that lie beside the
/// folders are not in the table: the test for circles holds them.
type FolderArrows = &'static [(&'static str, &'static [&'static str])];

const RUNTIME_ARROWS: FolderArrows = &[
    ("process", &[]),
    ("broker_admin", &[]),
    ("container", &["process", "broker_admin"]),
    ("broker", &["container", "broker_admin"]),
    ("stub", &["broker_admin"]),
    ("node", &["process", "container", "broker"]),
];

const SCENARIO_ARROWS: FolderArrows =
    &[("format", &[]), ("mounted_file", &[]), ("own_names", &[]), ("build", &[]), ("check", &["build"])];

/// Circles that are still to be removed; one that is gone must leave this list.
const CIRCLES: &[&[&str]] = &[];

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

/// Returns the arrows between the folders of `module` that its table does not allow.
fn wrong_arrows(module: &str, arrows: FolderArrows) -> Vec<String> {
    let graph = module_graph();
    let folder = |path: &[String]| {
        let inside = path.strip_prefix(&[module.to_owned()][..])?;
        let name = inside.first()?;
        arrows.iter().find(|(folder, _)| folder == name)
    };
    let mut wrong = Vec::new();
    for (path, targets) in graph.arrows() {
        let Some((name, allowed)) = folder(path) else { continue };
        for target in targets {
            let named = folder(target).map(|(named, _)| *named);
            if named.is_some_and(|named| named != *name && !allowed.contains(&named)) {
                wrong.push(format!("{} names {}", path.join("/"), target.join("/")));
            }
        }
    }
    wrong
}

/// Returns the folders of `module` that its table lacks.
fn folders_without_arrows(module: &str, arrows: FolderArrows) -> Vec<String> {
    let entries = std::fs::read_dir(root().join("harness/src").join(module)).expect("the module is a folder");
    let paths = entries.map(|entry| entry.expect("it can be read").path()).filter(|path| path.is_dir());
    let names = paths.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()));
    names.filter(|name| !arrows.iter().any(|(known, _)| known == name)).collect()
}

#[test]
fn the_folders_of_a_module_name_only_those_before_them() {
    for (module, arrows) in [("runtime", RUNTIME_ARROWS), ("scenario", SCENARIO_ARROWS)] {
        let wrong = wrong_arrows(module, arrows);
        assert!(wrong.is_empty(), "arrows that point the wrong way:\n{}", wrong.join("\n"));
        assert_eq!(folders_without_arrows(module, arrows), [""; 0], "folders of {module} without arrows");
    }
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
