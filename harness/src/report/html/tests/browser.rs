//! The page in a real browser, headless and without a driver: a script that walks over the page is put behind the
//! page's own, and Chromium prints the document that it leaves. Without Chromium the tests say so, and pass.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{data, hostile, large, outcome, render};
use crate::report::{Outcome, samples};

const WALK: &str = include_str!("browser.js");

const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

fn chromium() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let mut places = std::env::split_paths(&path).flat_map(|folder| NAMES.map(|name| folder.join(name)));
    let found = places.find(|place| place.is_file());
    if found.is_none() {
        assert!(std::env::var_os("UNBROKEN_REQUIRE_BROWSER").is_none(), "no Chromium in `PATH`");
        // Not by `eprintln`, whose lines the test runner hides.
        let _ =
            writeln!(std::io::stderr(), "skipped: no Chromium for the HTML report (`apt install chromium`)");
    }
    found
}

/// Returns what a walk over the page saw, or `None` without Chromium.
fn walk(name: &str, outcome: &Outcome) -> Option<Value> {
    let chromium = chromium()?;
    let folder = std::env::temp_dir().join(format!("unbroken-page-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("page.html");
    let page = render(outcome).replace("</body>", &format!("<script>\n{WALK}</script>\n</body>"));
    std::fs::write(&file, page).unwrap();
    let output = Command::new(chromium)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000", "--dump-dom"])
        .args(["--enable-logging=stderr", &format!("--user-data-dir={}", folder.join("profile").display())])
        .arg(format!("file://{}", file.display()))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let _ = std::fs::remove_dir_all(&folder);
    let document = String::from_utf8_lossy(&output.stdout);
    let log = String::from_utf8_lossy(&output.stderr);
    let console: Vec<_> = log.lines().filter(|line| line.contains(":CONSOLE")).collect();
    assert!(console.is_empty(), "{name}: {console:#?}");
    let mut seen = data(&document).remove("walk");
    if seen.is_none() {
        // Chromium prints the attributes in the order in which they were set.
        panic!("{name}: the walk left nothing behind:\n{log}");
    }
    seen.take()
}

#[test]
fn every_case_and_finding_of_every_sample_is_reached() {
    let every = samples::all().into_iter().flat_map(|(name, outcome)| {
        let named = outcome.cases.into_iter().map(move |mut case| {
            case.title = format!("{name}: {}", case.title);
            case
        });
        named.collect::<Vec<_>>()
    });
    let every = outcome(every.collect());
    let Some(seen) = walk("samples", &every) else { return };
    assert_eq!(seen["problems"], serde_json::json!([]));
    assert_eq!(seen["error"], Value::Null);
    assert_eq!(seen["lost"], serde_json::json!([]));
    assert_eq!(seen["cases"], every.cases.len());
    assert_eq!((&seen["unmatched"], &seen["all_again"]), (&0.into(), &every.cases.len().into()));
    let failed = seen["failed"].as_u64().unwrap();
    assert!(failed > 0 && failed < every.cases.len() as u64, "{failed}");
    assert!(seen["findings"].as_u64().unwrap() > 5, "{seen}");
    assert_eq!((&seen["theme"], &seen["loaded"]), (&"light".into(), &0.into()));
    assert_eq!(seen["unknown"], "No such case");
}

#[test]
fn hostile_text_is_shown_and_does_nothing() {
    let Some(seen) = walk("hostile", &outcome(vec![hostile()])) else { return };
    assert_eq!((&seen["hostile"], &seen["problems"]), (&"".into(), &serde_json::json!([])));
    assert_eq!(seen["lost"], serde_json::json!([]));
    let text = seen["text"].as_str().unwrap();
    assert!(text.contains("</script><script>document.body") && text.contains("\\u{202e}txt"), "{text}");
    assert!(!text.contains('\u{202e}') && !text.contains('\u{1b}'), "{text}");
}

#[test]
fn a_run_of_five_hundred_cases_opens_with_its_list_and_without_its_details() {
    let Some(seen) = walk("large", &large()) else { return };
    assert_eq!((&seen["cases"], &seen["lost"]), (&500.into(), &serde_json::json!([])));
    let elements = seen["opened_elements"].as_u64().unwrap();
    assert!((500..20_000).contains(&elements), "{elements}");
}
