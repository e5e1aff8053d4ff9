//! The requirements and vectors that are tried: by suite, id, prefix or vector, at a level of the W3C documents.

use std::sync::Arc;

use super::suite::{Requirement, Suite, Vector};

/// The name that selects every suite.
const ALL: &str = "all";

/// The selection on the command line; empty lists select the suites that are tried by default.
#[derive(Clone, Debug)]
pub struct RequirementSelection {
    /// `all` selects the suites on request, too.
    pub suites: Vec<String>,
    /// `TP-12`, `TP`, or `TP-12/version.ff`.
    pub only: Vec<String>,
    pub level: u8,
}

/// A requirement that is tried, with the vectors of it that are tried.
#[derive(Clone, Debug)]
pub struct SelectedRequirement {
    pub suite: String,
    pub requirement: Arc<Requirement>,
    pub vectors: Vec<Vector>,
}

/// A word on the command line that names nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    #[error("there is no suite `{name}`; the suites are {}", listed(known))]
    Suite { name: String, known: Vec<String> },
    #[error(
        "`{word}` is not a requirement, a prefix of one, or one of its vectors; {}",
        near.as_ref().map_or("`--list` shows all".to_owned(), |near| format!("did you mean `{near}`?"))
    )]
    Requirement { word: String, near: Option<String> },
}

impl RequirementSelection {
    /// Returns the selected requirements in the order of the suites.
    pub fn of(&self, suites: &[Suite]) -> Result<Vec<SelectedRequirement>, SelectionError> {
        let known: Vec<String> = suites.iter().map(|suite| suite.name.clone()).collect();
        if let Some(name) = self.suites.iter().find(|name| *name != ALL && !known.contains(name)) {
            return Err(SelectionError::Suite { name: name.clone(), known });
        }
        if let Some(word) = self.only.iter().find(|only| !is_known(only, suites)) {
            return Err(SelectionError::Requirement { word: word.clone(), near: near(word, suites) });
        }
        let chosen = suites.iter().filter(|suite| self.has(suite));
        Ok(chosen
            .flat_map(|suite| suite.requirements.iter().filter_map(|one| self.select(suite, one)))
            .collect())
    }

    /// Returns true when a suite is selected: named, or tried by default.
    fn has(&self, suite: &Suite) -> bool {
        if self.suites.is_empty() {
            return !suite.is_on_request || !self.only.is_empty();
        }
        self.suites.iter().any(|name| name == ALL || *name == suite.name)
    }

    fn select(&self, suite: &Suite, requirement: &Requirement) -> Option<SelectedRequirement> {
        if requirement.level > self.level {
            return None;
        }
        let id = &requirement.id;
        let at_level = requirement.vectors.iter().filter(|vector| vector.levels.contains(&self.level));
        let mut vectors: Vec<Vector> =
            at_level.clone().filter(|vector| self.names(id, vector)).cloned().collect();
        // What a vector proves depends on its twin.
        let twins: Vec<&String> = vectors.iter().filter_map(|vector| vector.twin.as_ref()).collect();
        let missing: Vec<Vector> = at_level
            .filter(|vector| twins.contains(&&vector.name) && !self.names(id, vector))
            .cloned()
            .collect();
        vectors.extend(missing);
        let requirement = Arc::new(requirement.clone());
        (!vectors.is_empty()).then(|| SelectedRequirement { suite: suite.name.clone(), requirement, vectors })
    }

    fn names(&self, requirement: &str, vector: &Vector) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| selects(only, requirement, Some(&vector.name)))
    }
}

/// Returns true when a word of `--only` means this requirement, or this vector of it.
pub(super) fn selects(only: &str, id: &str, vector: Option<&str>) -> bool {
    match only.split_once('/') {
        Some((requirement, name)) => requirement == id && vector.is_none_or(|vector| vector == name),
        None => id == only || id.starts_with(&format!("{}-", only.trim_end_matches('-'))),
    }
}

fn is_known(only: &str, suites: &[Suite]) -> bool {
    suites.iter().flat_map(|suite| &suite.requirements).any(|requirement| match only.split_once('/') {
        Some((id, name)) => {
            requirement.id == id && requirement.vectors.iter().any(|vector| vector.name == name)
        }
        None => selects(only, &requirement.id, None),
    })
}

/// Returns the requirement whose id is most like the word, if one is.
fn near(word: &str, suites: &[Suite]) -> Option<String> {
    let id = word.split('/').next().unwrap_or_default().to_uppercase();
    let ids = suites.iter().flat_map(|suite| &suite.requirements).map(|requirement| requirement.id.as_str());
    let nearest =
        ids.map(|known| (strsim::jaro_winkler(&id, known), known)).max_by(|(a, _), (b, _)| a.total_cmp(b));
    let (closeness, known) = nearest?;
    (closeness > 0.7).then(|| known.to_owned())
}

fn listed(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_selects_a_requirement_a_family_or_a_vector() {
        assert!(selects("TP-12", "TP-12", Some("a")) && selects("TP", "TP-12", Some("a")));
        assert!(selects("TP-", "TP-12", Some("a")) && selects("TP-12/a", "TP-12", Some("a")));
        assert!(!selects("TP-1", "TP-12", Some("a")) && !selects("TP-12/a", "TP-12", Some("b")));
        assert!(!selects("T", "TP-12", Some("a")));
    }
}
