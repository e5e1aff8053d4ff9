//! The names of the files of `--keep-evidence`: each case has its own name on every file system, in this run and in the
//! next.
//!
//! A name depends on its title alone, not on the cases that run beside it.

use crate::plan::Seed;

/// With a repeat, a node and an extension a name stays below the 255 bytes that file systems accept.
const MOST_BYTES: usize = 150;

/// Returns `NAME--CASE`, or `NAME` without a matrix, with the repeat where there are several.
///
/// Characters that a file name cannot hold are replaced. `~` and eight digits of the title then distinguish the name
/// from others that would be the same. They also distinguish names that differ in capital letters only, since not every
/// file system does.
pub(super) fn of_case(name: &str, case: &str, repeat: Option<u32>) -> String {
    let whole = if case.is_empty() { name.to_owned() } else { format!("{name}--{case}") };
    let unclear = name.contains("--") || name.ends_with('-');
    let title = format!("{name} [{case}]");
    let kept = if unclear || !is_plain(&whole) { replaced(&whole, &title) } else { whole };
    repeat.map_or(kept.clone(), |repeat| format!("{kept}.{repeat}"))
}

/// Returns the name of a node as a part of a file name, distinct from nodes that differ in capital letters only.
pub(super) fn of_node<'a>(node: &str, mut all: impl Iterator<Item = &'a str>) -> String {
    let taken = all.any(|other| other != node && other.eq_ignore_ascii_case(node));
    if taken { replaced(node, node) } else { node.to_owned() }
}

/// Returns whether the text is a valid file name on every system, and differs from every other as it is.
fn is_plain(text: &str) -> bool {
    let begins_well = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    begins_well
        && text.len() <= MOST_BYTES
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.=,+".contains(&byte))
}

fn replaced(text: &str, title: &str) -> String {
    let mut kept = String::new();
    for c in text.trim_start_matches(|c: char| !c.is_alphanumeric()).chars() {
        let c = if c.is_alphanumeric() || "-_.=,+".contains(c) { c } else { '-' };
        if kept.len() + c.len_utf8() > MOST_BYTES {
            break;
        }
        kept.push(c);
    }
    // The same in every run, whatever its seed.
    let digits = Seed(0).part(title).0 >> 32;
    let kept = kept.trim_end_matches(['-', '.']);
    format!("{}~{digits:08x}", if kept.is_empty() { "case" } else { kept })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn usual_titles_are_file_names_as_they_are() {
        let cases = [
            (of_case("order-is-billed", "", None), "order-is-billed"),
            (of_case("order-is-billed", "", Some(2)), "order-is-billed.2"),
            (of_case("order", "shop.relay=model,sampled=true", None), "order--shop.relay=model,sampled=true"),
            (of_node("orderService", ["orderService", "shop"].into_iter()), "orderService"),
        ];
        for (name, expected) in cases {
            assert_eq!(name, expected);
        }
    }

    #[test]
    fn titles_that_look_alike_have_names_of_their_own() {
        let long = "a".repeat(400);
        let longer = format!("{long}b");
        let (wide, wider) = ("ä".repeat(200), "ä".repeat(201));
        let titles = [
            ("a/b", ""),
            ("a_b", ""),
            ("a-b", ""),
            ("a b", ""),
            ("a:b", ""),
            ("A-b", ""),
            ("a--b", ""),
            ("a", "b"),
            ("a-", "b"),
            ("a ", "b"),
            ("-a", "b"),
            ("../a", ""),
            ("..", ""),
            ("/", ""),
            ("a [b]", ""),
            ("a", "x=1,y=2"),
            ("a", "x=1-y=2"),
            ("a", "x=1+y=2"),
            (&long, ""),
            (&longer, ""),
            (&wide, ""),
            (&wider, ""),
        ];
        let names: Vec<String> = titles.map(|(name, case)| of_case(name, case, None)).to_vec();
        let folded: HashSet<String> = names.iter().map(|name| name.to_lowercase()).collect();
        assert_eq!(folded.len(), titles.len(), "{names:#?}");
        for name in &names {
            let longest = format!("{name}.{}.{}~12345678.log", u32::MAX, "n".repeat(64));
            assert!(longest.len() <= 255, "{} bytes: {name}", longest.len());
            assert!(!name.starts_with(['.', '-']) && !name.contains('/'), "{name}");
        }
    }

    #[test]
    fn a_name_is_the_same_in_every_run() {
        assert_eq!(of_case("a/b", "", None), of_case("a/b", "", None));
        assert_eq!(of_case("Who pays?", "", Some(1)), "Who-pays~02a6b974.1");
    }

    #[test]
    fn nodes_that_differ_in_capitals_only_get_distinct_names() {
        let nodes = ["shop", "Shop"];
        let names = nodes.map(|node| of_node(node, nodes.into_iter()).to_lowercase());
        assert_ne!(names[0], names[1]);
    }
}
