use super::*;
use crate::breaks::Class;
use crate::rules::TABLE;
use crate::scenario::Expectation;

#[test]
fn every_rule_and_every_class_has_its_page_in_order() {
    let rules: Vec<_> = Expectation::ALL.iter().map(|rule| rule.id()).collect();
    let classes: Vec<_> = Class::ALL.iter().map(|class| class.word()).collect();
    let words = |pages: &[(&'static str, &str)]| pages.iter().map(|(word, _)| *word).collect::<Vec<_>>();
    assert_eq!(words(RULES), rules);
    assert_eq!(words(CLASSES), classes);
}

#[test]
fn no_word_has_two_meanings() {
    let mut all: Vec<_> = words().collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), words().count());
}

#[test]
fn every_page_begins_with_its_word_and_fits_a_terminal() {
    for (word, page) in PAGES.iter().chain(RULES).chain(CLASSES) {
        assert!(page.starts_with(&format!("# {word}: ")), "{word}");
        assert!(page.ends_with('\n') && !page.ends_with("\n\n"), "{word}");
        // The heading holds the sentence of a rule, which wraps.
        for line in page.lines().skip(1) {
            assert!(line.chars().count() <= 100 || line.contains("://"), "{word}: {line}");
        }
    }
}

#[test]
fn a_rule_is_summed_up_by_its_own_sentence() {
    for (rule, (_, page)) in Expectation::ALL.iter().zip(RULES) {
        assert_eq!(summary(page), rule.about());
    }
}

/// The sections of a class, in the order of their use.
const HEADINGS: &[&str] = &[
    "What it means",
    "What it looks like",
    "Usual causes",
    "How to fix it",
    "The standard",
    "See it happen",
];

#[test]
fn every_class_says_what_why_and_what_to_do() {
    for (word, page) in CLASSES {
        let mut rest = *page;
        for heading in HEADINGS {
            let found = rest.split_once(&format!("\n## {heading}\n\n"));
            rest = found.unwrap_or_else(|| panic!("{word} lacks `{heading}`, or has it too early")).1;
        }
    }
}

/// Classes that only the scenario or the relay contract defines.
const WITHOUT_A_LINK: &[&str] = &["not-crossed", "contract-broken", "undeclared"];

#[test]
fn every_class_of_a_standard_links_to_it() {
    for (word, page) in CLASSES {
        let standard = page.split("## The standard").nth(1).and_then(|rest| rest.split("## ").next());
        let linked = standard.is_some_and(|text| text.contains("https://"));
        assert_eq!(linked, !WITHOUT_A_LINK.contains(word), "{word}");
    }
}

/// A command of a page has to run in the repository: its scenario exists, and the relay knows its fault.
#[cfg(feature = "relays")]
#[test]
fn the_commands_that_show_a_class_name_a_scenario_and_a_fault_that_exist() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let faults: Vec<&str> = relay_model::faults::Fault::ALL.iter().map(|fault| fault.name()).collect();
    let mut commands = 0;
    for (word, page) in CLASSES {
        let words: Vec<&str> = page.split_whitespace().collect();
        for pair in words.windows(2) {
            let [before, after] = pair else { unreachable!("windows of two") };
            match *before {
                "run" if after.starts_with("scenarios/") => {
                    assert!(root.join(after).exists(), "{word}: {after}");
                    commands += 1;
                }
                "--fault" | "`--fault" => {
                    let fault = after.split_once('=').map(|(_, fault)| fault.trim_end_matches(['`', '.']));
                    assert!(fault.is_some_and(|fault| faults.contains(&fault)), "{word}: {after}");
                }
                _ => {}
            }
        }
    }
    assert!(commands > 30, "only {commands} commands are left");
}

#[test]
fn the_page_of_a_rule_names_the_classes_that_it_owns() {
    for (rule, (word, page)) in TABLE.iter().zip(RULES) {
        let mut owned: Vec<_> = rule.classes.iter().map(|class| class.word()).collect();
        let mut named = classes_of(page);
        owned.sort_unstable();
        named.sort_unstable();
        assert_eq!(named, owned, "{word}");
    }
}

fn classes_of(page: &str) -> Vec<&str> {
    let section = page.split("## Breaks that count here").nth(1).and_then(|rest| rest.split("## ").next());
    section.into_iter().flat_map(|text| text.split('`').skip(1).step_by(2)).collect()
}

#[test]
fn a_word_that_is_mistyped_or_half_remembered_is_found() {
    assert_eq!(near("not-inejcted").first(), Some(&"not-injected"));
    assert_eq!(near("keep-relation"), ["hops.keep-relation"]);
    assert_eq!(near("exit codes"), ["exit-codes"]);
    assert!(near("tracestate").contains(&"tracestate.kept"));
    assert!(near("zzzzzz").is_empty());
    assert_eq!(unknown("sampled_out"), "there is no topic `sampled_out`; did you mean `sampled-out`?");
}

#[test]
fn a_topic_is_found_whatever_its_case() {
    assert!(explain(" Not-Injected ").is_some_and(|text| text.starts_with("# not-injected: ")));
    assert_eq!(explain("nothing"), None);
}

#[test]
fn the_list_of_topics() {
    insta::assert_snapshot!(topics());
}
