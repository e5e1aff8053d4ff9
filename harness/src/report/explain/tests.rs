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
        for line in page.lines() {
            assert!(line.chars().count() <= 100 || line.contains("://"), "{word}: {line}");
        }
    }
}

#[test]
fn a_rule_is_summed_up_by_its_own_sentence() {
    for (rule, (_, page)) in Expectation::ALL.iter().zip(RULES) {
        assert_eq!(gist(page), rule.about());
    }
}

#[test]
fn every_class_says_what_why_and_what_to_do() {
    for (word, page) in CLASSES {
        for heading in ["What it means", "The standard", "Usual causes", "How to mend it", "See it happen"] {
            assert!(page.contains(&format!("\n## {heading}\n\n")), "{word} lacks `{heading}`");
        }
    }
}

/// What only the scenario or the relay contract can demand.
const WITHOUT_A_LINK: &[&str] = &["not-crossed", "contract-broken", "undeclared"];

#[test]
fn every_class_of_a_standard_links_to_it() {
    for (word, page) in CLASSES {
        let standard = page.split("## The standard").nth(1).and_then(|rest| rest.split("## ").next());
        let linked = standard.is_some_and(|text| text.contains("https://"));
        assert_eq!(linked, !WITHOUT_A_LINK.contains(word), "{word}");
    }
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
    assert_eq!(unknown("sampled_out"), "nothing is called `sampled_out`; did you mean `sampled-out`?");
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
