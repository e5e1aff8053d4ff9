//! Every link of the repository leads somewhere: to a page and an anchor of `anchors.txt`, or to a file in this tree.
//!
//! It does not open the network: `anchors.txt` is made from the sources of the pages. Addresses of examples
//! (`https://shop.example`, `http://127.0.0.1`, `http://host:port`) are not links.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

use crate::files;

const LIST: &str = include_str!("anchors.txt");

/// Top-level domains that are reserved for examples (RFC 2606) or for inside a network.
const RESERVED: &[&str] = &["example", "test", "invalid", "localhost", "internal"];

static LINK: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"https?://[^\s<>"'`)\]|\\]+"#).expect("it is constant"));

static RELATIVE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\]\(([^)\s]+)\)").expect("it is constant"));

type Pages<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

fn pages(list: &str) -> Pages<'_> {
    let mut pages = Pages::new();
    let mut page = "";
    for line in list.lines().filter(|line| !line.starts_with("# ")) {
        if let Some(anchors) = line.strip_prefix("    ") {
            let anchors = anchors.split(' ').map(|anchor| anchor.trim_start_matches('#'));
            pages.entry(page).or_default().extend(anchors);
        } else if !line.is_empty() {
            page = line;
            pages.entry(page).or_default();
        }
    }
    pages
}

/// Returns why the link leads nowhere.
fn wrong(link: &str, pages: &Pages<'_>) -> Option<String> {
    let (page, anchor) = link.split_once('#').unwrap_or((link, ""));
    match pages.get(page) {
        None => Some(format!("{page} is not in anchors.txt")),
        Some(anchors) if !anchor.is_empty() && !anchors.contains(anchor) => {
            Some(format!("{page} has no anchor `{anchor}`"))
        }
        Some(_) => None,
    }
}

fn links(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let found = text.lines().enumerate().flat_map(|(number, line)| {
        LINK.find_iter(line)
            .map(move |found| (number + 1, found.as_str().trim_end_matches(['.', ',', ';', ':', '*'])))
    });
    found.filter(|(_, link)| !is_an_example(link))
}

fn is_an_example(link: &str) -> bool {
    let rest = link.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '#', '?']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default().split(':').next().unwrap_or_default();
    let numeric = host.chars().all(|letter| letter.is_ascii_digit() || letter == '.');
    let last = host.rsplit('.').next().unwrap_or_default();
    link.contains(['{', '$']) || !host.contains('.') || numeric || RESERVED.contains(&last)
}

#[test]
fn every_link_leads_to_a_page_and_an_anchor_that_exist() {
    let pages = pages(LIST);
    let mut dead = Vec::new();
    for (name, path) in files::below(&crate::root(), &["md", "rs", "toml"]) {
        if crate::is_test_file(&path) {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("it is UTF-8");
        for (line, link) in links(&text) {
            dead.extend(wrong(link, &pages).map(|why| format!("{name}:{line}: {why}")));
        }
    }
    assert!(dead.is_empty(), "links that lead nowhere:\n{}", dead.join("\n"));
}

#[test]
fn every_relative_link_of_a_page_leads_to_a_file_and_a_heading() {
    let mut dead = Vec::new();
    for (name, path) in files::below(&crate::root(), &["md"]) {
        let text = std::fs::read_to_string(&path).expect("it is UTF-8");
        let targets =
            RELATIVE.captures_iter(&text).map(|found| found.get(1).map_or("", |target| target.as_str()));
        for target in targets.filter(|target| !target.contains("://")) {
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() { path.clone() } else { path.with_file_name(file) };
            let Ok(there) = std::fs::read_to_string(&file).or_else(|error| match file.is_dir() {
                true => Ok(String::new()),
                false => Err(error),
            }) else {
                dead.push(format!("{name}: {target} does not exist"));
                continue;
            };
            if !heading.is_empty() && !headings(&there).contains(heading) {
                dead.push(format!("{name}: {target} has no such heading"));
            }
        }
    }
    assert!(dead.is_empty(), "links that lead nowhere:\n{}", dead.join("\n"));
}

/// Returns the anchors that a forge makes of the headings of a Markdown page.
fn headings(page: &str) -> BTreeSet<String> {
    let lines = page.lines().filter(|line| line.starts_with('#'));
    let kept = |letter: char| letter.is_alphanumeric() || letter == '-' || letter == '_' || letter == ' ';
    let anchor = |line: &str| line.trim_start_matches('#').trim().to_lowercase().replace(|c| !kept(c), "");
    lines.map(|line| anchor(line).replace(' ', "-")).collect()
}

#[test]
fn a_page_and_an_anchor_that_are_not_listed_are_found() {
    let pages = pages("# by hand\nhttps://a.org/x/\n    #one #two\n    #three\nhttps://a.org/y\n");
    for link in ["https://a.org/x/", "https://a.org/x/#three", "https://a.org/y", "https://a.org/y#"] {
        assert_eq!(wrong(link, &pages), None, "{link}");
    }
    assert_eq!(wrong("https://a.org/x", &pages).as_deref(), Some("https://a.org/x is not in anchors.txt"));
    assert_eq!(wrong("https://a.org/y#one", &pages).as_deref(), Some("https://a.org/y has no anchor `one`"));
}

#[test]
fn links_are_read_without_the_punctuation_around_them() {
    let text = "see (https://a.org/x#one), <https://a.org/y>.\n[z](https://a.org/z): \"https://b.org/q\"\n";
    let found: Vec<_> = links(text).collect();
    let expected =
        [(1, "https://a.org/x#one"), (1, "https://a.org/y"), (2, "https://a.org/z"), (2, "https://b.org/q")];
    assert_eq!(found, expected);
    let examples = "http://127.0.0.1:80/x https://shop.example/a http://host:1 https://me:secret@shop:80/a https://a.{b}/";
    assert_eq!(links(examples).count(), 0);
}

#[test]
fn headings_become_anchors_as_on_a_forge() {
    assert!(headings("# A page\n## `batch: N`, and more\n").contains("batch-n-and-more"));
}
