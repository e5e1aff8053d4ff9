//! The pages of `unbroken explain`: meaning, bytes, usual causes, fix and clause of each class and rule, and general
//! topics.
//!
//! The pages are Markdown files in this folder, printed to the terminal unchanged. They contain nothing about a run:
//! the report of the run does.

mod texts;

use texts::{CLASSES, PAGES, RULES};

/// Returns the page of a rule (`tracestate.kept`), a class (`not-injected`) or a general topic (`relations`).
pub fn explain(topic: &str) -> Option<&'static str> {
    let topic = topic.trim();
    let all = PAGES.iter().chain(RULES).chain(CLASSES);
    all.into_iter().find(|(word, _)| word.eq_ignore_ascii_case(topic)).map(|(_, text)| *text)
}

/// Returns at most three topics that the user may have meant by an unknown word: those that contain it, such as
/// `injected`, otherwise the most similar ones, the closest first.
pub fn near(topic: &str) -> Vec<&'static str> {
    const ENOUGH: f64 = 0.7;
    const SHOWN: usize = 3;
    let topic = topic.trim().to_lowercase().replace([' ', '_'], "-");
    let parts: Vec<_> = words().filter(|word| topic.len() >= 3 && word.contains(&topic)).collect();
    if !parts.is_empty() {
        return parts.into_iter().take(SHOWN).collect();
    }
    let mut near: Vec<(f64, &str)> = words()
        .map(|word| (strsim::jaro_winkler(&topic, word), word))
        .filter(|(closeness, _)| *closeness >= ENOUGH)
        .collect();
    near.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    near.into_iter().take(SHOWN).map(|(_, word)| word).collect()
}

/// Returns the message for an unknown topic, with suggestions.
pub fn unknown(topic: &str) -> String {
    match near(topic).as_slice() {
        [] => format!("there is no topic `{topic}`; `unbroken explain` lists all topics"),
        near => {
            let near: Vec<String> = near.iter().map(|word| format!("`{word}`")).collect();
            format!("there is no topic `{topic}`; did you mean {}?", near.join(" or "))
        }
    }
}

/// Returns every topic with its summary, for `explain` without a topic.
pub fn topics() -> String {
    let mut text = String::new();
    for (heading, pages) in [("Topics", PAGES), ("Rules", RULES), ("Classes of breaks", CLASSES)] {
        text += &format!("{heading}\n");
        for (word, page) in pages {
            text += &format!("  {word:<23} {}\n", summary(page));
        }
        text.push('\n');
    }
    text + "`unbroken explain TOPIC` prints the page of a topic, and `unbroken explain TP-12` that of a requirement of \
            `unbroken conform --list`.\n"
}

fn words() -> impl Iterator<Item = &'static str> {
    PAGES.iter().chain(RULES).chain(CLASSES).map(|(word, _)| *word)
}

/// Returns the summary in the first line of a page, `# topic: summary`.
fn summary(page: &'static str) -> &'static str {
    page.lines().next().and_then(|line| line.split_once(": ")).map_or("", |(_, summary)| summary)
}

#[cfg(test)]
mod tests;
