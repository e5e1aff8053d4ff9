//! Any bytes as a scenario file are reported as errors, in bounded time and space, without a panic.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use unbroken::diagnostic::{self, Diagnostic};
use unbroken::scenario::{self, ScenarioReadError};
use unbroken::source::Source;

/// Returns the diagnostics of a text. Each place must lie in it, and all of them can be rendered.
fn said_of(text: &str) -> Vec<Diagnostic> {
    let source = Source::new("input.yaml", text);
    let diagnostics = scenario::parse(&source).err().unwrap_or_default();
    for Diagnostic { place, also, .. } in &diagnostics {
        for place in also.iter().map(|(place, _)| place).chain([place]) {
            assert!(text.is_char_boundary(place.start) && text.is_char_boundary(place.end), "{place:?}");
            assert!(place.start <= place.end, "{place:?}");
        }
    }
    let shown = diagnostic::render(&source, &diagnostics, false);
    assert!(shown.len() < 1_000_000, "the diagnostics have {} bytes", shown.len());
    diagnostics
}

fn codes(text: &str) -> Vec<&'static str> {
    said_of(text).iter().map(|diagnostic| diagnostic.code).collect()
}

/// Good and bad scenarios to change a little.
fn samples() -> Vec<String> {
    let folders = ["good-scenarios", "bad-scenarios"];
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut samples = Vec::new();
    for entry in folders.iter().flat_map(|folder| fs::read_dir(tests.join(folder)).unwrap()) {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            samples.extend(fs::read_to_string(path).ok());
        }
    }
    samples.sort();
    samples
}

/// Pieces that mean something to YAML or to the format.
const PIECES: &[&str] = &[
    "\t",
    "\r",
    "\n",
    "\r\n",
    "\u{feff}",
    "\u{85}",
    "\u{2028}",
    "\u{0}",
    "\u{1f600}",
    "ü",
    "[",
    "]",
    "{",
    "}",
    ":",
    ": ",
    ",",
    "- ",
    "? ",
    "& a",
    "*a",
    "!",
    "|",
    ">",
    "'",
    "\"",
    "#",
    " #",
    "%",
    "@",
    "`",
    "---",
    "...",
    "<<: ",
    "~",
    "${",
    "}",
    "  ",
    "client",
    "shop",
    "within: ",
    "[model, rust]",
    "18446744073709551616",
    "-0",
    "%TAG ! x:\n",
    "\\",
    "\\x",
];

fn changed() -> impl Strategy<Value = String> {
    let change = (any::<prop::sample::Index>(), 0_usize..12, prop::sample::select(PIECES));
    let sample = prop::sample::select(samples());
    (sample, prop::collection::vec(change, 1..6)).prop_map(|(mut text, changes)| {
        for (at, cut, piece) in changes {
            let boundary = |mut at: usize| {
                while !text.is_char_boundary(at) {
                    at -= 1;
                }
                at
            };
            let start = boundary(at.index(text.len() + 1));
            let end = boundary((start + cut).min(text.len())).max(start);
            text.replace_range(start..end, piece);
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        said_of(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_pieces_are_read_without_a_panic(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40)) {
        said_of(&pieces.concat());
    }

    #[test]
    fn a_changed_scenario_is_read_without_a_panic(text in changed()) {
        said_of(&text);
    }
}

/// The bounds on time are far above what is needed (a second or two without optimisation) and far below what
/// quadratic work would take.
#[test]
fn megabytes_of_anything_are_refused_in_seconds() {
    for (unit, bytes, code) in [
        ("a: 1\n", 9_999_990, "duplicate-key"),
        ("# ü\n", 3_000_000, "empty-file"),
        ("- a\n", 3_000_000, "too-much"),
        ("a\n", 3_000_000, "wrong-type"),
        ("[\n", 3_000_000, "yaml-syntax"),
        ("- - - a\n", 3_000_000, "too-much"),
        ("ü", 3_000_000, "too-much"),
    ] {
        let text = unit.repeat(bytes / unit.len());
        let started = Instant::now();
        let codes = codes(&text);
        assert!(codes.contains(&code), "{unit:?} gives {codes:?}");
        assert!(started.elapsed() < Duration::from_secs(60), "{unit:?} took {:?}", started.elapsed());
    }
}

#[test]
fn a_scenario_of_many_hops_is_checked_in_seconds() {
    let hop = |number| format!("  h{number}: {{ http: {{ from: client, to: shop, path: /{number} }} }}\n");
    let hops: String = (0..1_000).map(hop).collect();
    let text =
        format!("scenario: a\nnodes: {{ shop: {{ relay: model }} }}\nhops:\n{hops}drive: [{{ send: h0 }}]\n");
    let started = Instant::now();
    assert!(codes(&text).contains(&"never-driven"));
    assert!(started.elapsed() < Duration::from_secs(60), "took {:?}", started.elapsed());
}

#[test]
fn more_than_ten_megabytes_and_a_missing_file_are_different_errors() {
    let folder = std::env::temp_dir().join(format!("unbroken-scenario-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let large = folder.join("large.yaml");
    fs::write(&large, "#".repeat(10_000_001)).unwrap();
    let said = scenario::read(&large);
    let missing = scenario::read(&folder.join("missing.yaml"));
    fs::remove_dir_all(&folder).unwrap();
    match said {
        Err(ScenarioReadError::Bad { text, diagnostics }) => {
            assert_eq!(diagnostics[0].code, "too-large");
            assert!(diagnostic::render(&text, &diagnostics, false).contains("larger than 10 MB"));
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(missing, Err(ScenarioReadError::Io { .. })), "{missing:?}");
    assert_eq!(codes(&"#".repeat(10_000_001)), ["too-large"]);
}

#[test]
fn line_ends_and_a_byte_order_mark_change_no_meaning() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let plain = fs::read_to_string(tests.join("good-scenarios/services.yaml")).unwrap();
    for text in [plain.replace('\n', "\r\n"), format!("\u{feff}{plain}"), format!("---\n{plain}...\n")] {
        assert_eq!(said_of(&text), []);
        let wrong = text.replace("relation: unchanged", "relation: unchanget");
        let said = said_of(&wrong);
        assert_eq!(said.len(), 1);
        assert_eq!(&wrong[said[0].place.start..said[0].place.end], "unchanget");
    }
}
