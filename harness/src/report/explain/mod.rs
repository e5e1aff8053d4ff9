//! What each rule and each class means, where the standard says so, what usually causes it, and how to mend
//! it.
//!
//! The texts are Markdown files beside this one (`explain/`), written to be read on a terminal as they are.
//! They say nothing about a run: what happened stands in its report.

mod texts;

use texts::{CLASSES, PAGES, RULES};

/// The page of a rule (`tracestate.kept`), a class (`not-injected`) or a general topic (`relations`).
pub fn explain(topic: &str) -> Option<&'static str> {
    let topic = topic.trim();
    let all = PAGES.iter().chain(RULES).chain(CLASSES);
    all.into_iter().find(|(word, _)| word.eq_ignore_ascii_case(topic)).map(|(_, text)| *text)
}

/// Topics that may have been meant by one that there is none of, at most three: those that it is a part of,
/// such as `injected`, else those with a typing mistake in them, the nearest first.
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

/// What is said when there is no such topic.
pub fn unknown(topic: &str) -> String {
    match near(topic).as_slice() {
        [] => format!("nothing is called `{topic}`; `unbroken explain` lists all topics"),
        near => {
            let near: Vec<String> = near.iter().map(|word| format!("`{word}`")).collect();
            format!("nothing is called `{topic}`; did you mean {}?", near.join(" or "))
        }
    }
}

/// Every topic with its first line, for `explain` without a word.
pub fn topics() -> String {
    let mut text = String::new();
    for (heading, pages) in [("Topics", PAGES), ("Rules", RULES), ("Classes of breaks", CLASSES)] {
        text += &format!("{heading}\n");
        for (word, page) in pages {
            text += &format!("  {word:<23} {}\n", gist(page));
        }
        text.push('\n');
    }
    text + "unbroken explain WORD tells more.\n"
}

fn words() -> impl Iterator<Item = &'static str> {
    PAGES.iter().chain(RULES).chain(CLASSES).map(|(word, _)| *word)
}

/// `# word: gist` -> `gist`.
fn gist(page: &'static str) -> &'static str {
    page.lines().next().and_then(|line| line.split_once(": ")).map_or("", |(_, gist)| gist)
}

#[cfg(test)]
mod tests;
