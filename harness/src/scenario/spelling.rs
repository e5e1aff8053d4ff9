//! "Did you mean": the known word that is closest to one that is not known.

/// Returns the closest of `known`, if it is close enough to be meant.
pub(crate) fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Longer than any word of the format: nothing is close, and distances cost length times length.
    if word.len() > 80 {
        return None;
    }
    let lower = word.to_lowercase();
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.chars().count() / 5)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Returns the closest word as a help, else all of them.
pub(super) fn help(word: &str, known: &[&str], what: &str) -> String {
    match closest(word, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None if known.is_empty() => format!("there are no {what}"),
        None => format!("{what}: {}", listed(known)),
    }
}

/// Returns `a`, `b`, `c`; of very many only the first.
pub(super) fn listed(words: &[&str]) -> String {
    let more = if words.len() > 40 { ", ..." } else { "" };
    words.iter().take(40).map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ") + more
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_is_corrected_and_another_word_is_not() {
        let known = ["relation", "within", "times"];
        assert_eq!(closest("realtion", known), Some("relation"));
        assert_eq!(closest("Within", known), Some("within"));
        assert_eq!(closest("topic", known), None);
    }
}
