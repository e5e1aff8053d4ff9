//! Secrets and masked fields: no output has their values, and no verdict changes.

#![allow(clippy::unwrap_used, reason = "a failed test panics")]

mod folder;

use std::path::Path;

use folder::{Folder, unbroken};

const SERVICE: &str = include_str!("masks/service.py");
const VARIABLE: &str = "UNBROKEN_TEST_SECRET";
const SECRET: &str = "s3cret/with \"quotes\"";
/// Everything that must not be shown, with the forms in which the service prints it.
const VALUES: [&str; 7] = ["s3cret", "blue-house", "alice", "smith", "quotes", "%22quotes", "alice%20smith"];

/// A client sends baggage, a tenant and a key to a shop, which calls a shelf.
fn story(settings: &str) -> String {
    format!(
        "scenario: masks\nnodes:\n  shop:\n    command: [python3, service.py, '${{self.port}}']\n    \
         telemetry: none\n    env: {{ CALLS: '${{shelf.url}}', KEY: '${{secret.{VARIABLE}}}'{settings} }}\n  \
         shelf: {{ stub: {{}} }}\nhops:\n  \
         order: {{ http: {{ from: client, to: shop, method: POST }} }}\n  \
         keep: {{ http: {{ from: shop, to: shelf, method: POST, path: /kept }} }}\ndrive:\n  \
         - send: order\n    headers:\n      baggage: tenant=blue-house,user=alice%20smith;vip\n      \
         x-tenant: blue-house\n      authorization: Bearer ${{secret.{VARIABLE}}}\n\
         expect: [hops.crossed, hops.keep-relation, baggage.kept]\n"
    )
}

/// Runs the story with every report and returns the exit status and all that was printed or written.
fn run(folder: &Folder, settings: &str) -> (Option<i32>, Vec<(String, String)>) {
    folder.write("service.py", SERVICE);
    folder.write("story.yaml", &story(settings));
    let reports = "json=out/report.json,junit=out/report.xml,github=out/report.md,terminal=out/report.txt";
    let arguments = [
        "run",
        "story.yaml",
        "--verbose",
        "--keep-raw",
        "--mask",
        "baggage,header:X-Tenant",
        "--keep-evidence",
        "out",
    ];
    let mut command = unbroken(&folder.0);
    let output = command.args(arguments).args(["--report", reports]).env(VARIABLE, SECRET).output().unwrap();
    let mut texts = vec![
        ("standard output".to_owned(), String::from_utf8(output.stdout).unwrap()),
        ("standard error".to_owned(), String::from_utf8(output.stderr).unwrap()),
    ];
    texts.extend(files(&folder.0.join("out")));
    (output.status.code(), texts)
}

fn files(folder: &Path) -> Vec<(String, String)> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.map(|path| (path.display().to_string(), std::fs::read_to_string(&path).unwrap())).collect()
}

fn assert_without_values(texts: &[(String, String)]) {
    for (what, text) in texts {
        for value in VALUES {
            assert!(!text.contains(value), "{value} in {what}:\n{text}");
        }
    }
}

fn text_of<'t>(texts: &'t [(String, String)], ending: &str) -> &'t str {
    let found = texts.iter().find(|(what, _)| what.ends_with(ending));
    found.map(|(_, text)| text.as_str()).unwrap_or_else(|| panic!("no {ending} among {texts:?}"))
}

fn judged(folder: &Folder) -> (Option<i32>, String) {
    let output =
        unbroken(&folder.0).args(["judge", "story.yaml", "--evidence", "out/masks.json"]).output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn lost_baggage_is_found_and_shown_without_its_values() {
    let folder = Folder::new("lost");
    let (status, texts) = run(&folder, ", KEEP_BAGGAGE: 'no'");
    let printed = text_of(&texts, "standard output");
    assert_eq!(status, Some(4), "{printed}");
    assert_without_values(&texts);
    for part in ["baggage-lost", "tenant=*", ";vip", "key=${secret.UNBROKEN_TEST_SECRET} encoded=${secret."] {
        assert!(printed.contains(part), "{part:?} in {printed}");
    }
    let evidence = text_of(&texts, "masks.json");
    for part in ["\"masked_baggage\"", "Bearer ${secret.UNBROKEN_TEST_SECRET}"] {
        assert!(evidence.contains(part), "{part:?} in {evidence}");
    }
    let log = text_of(&texts, ".shop.log");
    assert!(log.contains("tenant: *") && log.contains("baggage: tenant=*"), "{log}");
    let (status, again) = judged(&folder);
    assert!(status == Some(4) && again.contains("baggage-lost"), "{again}");
}

#[test]
fn kept_baggage_passes_with_masks_and_so_does_its_evidence() {
    let folder = Folder::new("kept");
    let (status, texts) = run(&folder, "");
    assert_eq!(status, Some(0), "{}", text_of(&texts, "standard output"));
    assert_without_values(&texts);
    let (status, again) = judged(&folder);
    assert_eq!(status, Some(0), "{again}");
}

#[test]
fn a_service_that_prints_its_secret_and_dies_is_shown_without_it() {
    let folder = Folder::new("dies");
    let dies = "[sh, -c, 'echo \"cannot log in with $KEY\" >&2; exit 3']";
    folder.write(
        "story.yaml",
        &story(", PORT: '${self.port}'").replace("[python3, service.py, '${self.port}']", dies),
    );
    let output = unbroken(&folder.0).args(["run", "story.yaml"]).env(VARIABLE, SECRET).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(5), "{printed}");
    assert!(printed.contains("cannot log in with ${secret.UNBROKEN_TEST_SECRET}"), "{printed}");
    assert!(!printed.contains("s3cret"), "{printed}");
}

#[test]
fn a_secret_that_is_missing_or_too_short_is_named_with_its_place() {
    let folder = Folder::new("missing");
    folder.write("service.py", SERVICE);
    folder.write("story.yaml", &story(""));
    let checked = unbroken(&folder.0).args(["check", "story.yaml"]).env_remove(VARIABLE).output().unwrap();
    assert_eq!(checked.status.code(), Some(0));
    for (value, message) in [(None, "is not set, but "), (Some("ab"), "has 2 bytes, and ")] {
        let mut command = unbroken(&folder.0);
        command.args(["run", "story.yaml"]).env_remove(VARIABLE);
        value.map(|value| command.env(VARIABLE, value));
        let output = command.output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(5), "{printed}");
        let one_line = printed.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in ["node `shop`", message, "`${secret.UNBROKEN_TEST_SECRET}` at `story.yaml:6:"] {
            assert!(one_line.contains(part), "{part:?} in {printed}");
        }
    }
}

#[test]
fn a_field_that_cannot_be_masked_is_a_usage_error() {
    let folder = Folder::new("usage");
    for (field, message) in [
        ("header:traceparent", "its value is what is judged"),
        ("x-tenant", "use `baggage`, or `header:NAME`"),
    ] {
        let output = unbroken(&folder.0).args(["run", "--mask", field]).output().unwrap();
        let printed = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && printed.contains(message), "{printed}");
    }
}
