//! The commands by which a reader runs a case again.

use super::Case;

/// Returns the command that runs just this case again.
pub fn again(case: &Case, seed: u64) -> String {
    format!("{} --seed {seed}", retry(case))
}

/// Returns the command for a case without a seed.
pub fn retry(case: &Case) -> String {
    let with: String = case.with.iter().map(|word| format!(" {}", quoted(word))).collect();
    format!("unbroken run {} --filter {}{with}", quoted(&case.file), quoted(&case.title))
}

/// Returns the command for a case that `cargo test` runs.
pub fn test_again(with: &[String], name: Option<&str>, seed: Option<u64>) -> String {
    let with: String = with.iter().map(|variable| format!("{} ", quoted(variable))).collect();
    let seed = seed.map(|seed| format!("UNBROKEN_SEED={seed} ")).unwrap_or_default();
    let name = name.map(|name| format!(" -- --exact {}", quoted(name))).unwrap_or_default();
    format!("{with}{seed}cargo test{name}")
}

/// Returns the text as one word of a POSIX shell.
pub fn quoted(word: &str) -> String {
    if !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./=,:@%+".contains(c)) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn a_command_survives_the_shell() {
        let (file, title) = ("a b.yaml".into(), "it's [x=1]".into());
        let with = ["--fault".into(), "shop=odd one".into()].into();
        let case = Case { file, title, with, ..samples::case(samples::healthy()) };
        assert_eq!(
            again(&case, 7),
            r"unbroken run 'a b.yaml' --filter 'it'\''s [x=1]' --fault 'shop=odd one' --seed 7"
        );
        assert_eq!(
            test_again(&["UNBROKEN_RUNTIME=container".into()], None, Some(7)),
            "UNBROKEN_RUNTIME=container UNBROKEN_SEED=7 cargo test"
        );
    }
}
