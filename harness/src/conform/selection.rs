//! The requirements and vectors that are tried: by suite, id, prefix or vector, at a level of the W3C documents.

use std::sync::Arc;

use super::suite::{Requirement, Suite, Vector};

/// The selection on the command line; empty lists mean everything.
#[derive(Clone, Debug)]
pub struct Selection {
    pub suites: Vec<String>,
    /// `TP-12`, `TP`, or `TP-12/version.ff`.
    pub only: Vec<String>,
    pub level: u8,
}

/// A requirement that is tried, with those of its vectors that are.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub suite: String,
    pub requirement: Arc<Requirement>,
    pub vectors: Vec<Vector>,
}

impl Selection {
    /// The requirements in the order of the suites; an error names what is unknown.
    pub fn of(&self, suites: &[Suite]) -> Result<Vec<Wanted>, String> {
        let names: Vec<&str> = suites.iter().map(|suite| suite.name.as_str()).collect();
        if let Some(unknown) = self.suites.iter().find(|name| !names.contains(&name.as_str())) {
            return Err(format!("there is no suite `{unknown}`; there are {}", listed(&names)));
        }
        if let Some(unknown) = self.only.iter().find(|only| !is_known(only, suites)) {
            return Err(format!(
                "`{unknown}` is not a requirement, a prefix of one, or one of its vectors{}",
                near(unknown, suites)
            ));
        }
        let chosen =
            suites.iter().filter(|suite| self.suites.is_empty() || self.suites.contains(&suite.name));
        Ok(chosen
            .flat_map(|suite| suite.requirements.iter().filter_map(|one| self.wanted(suite, one)))
            .collect())
    }

    fn wanted(&self, suite: &Suite, requirement: &Requirement) -> Option<Wanted> {
        if requirement.level > self.level {
            return None;
        }
        let named = |vector: &Vector| {
            self.only.is_empty()
                || self.only.iter().any(|only| selects(only, &requirement.id, Some(&vector.name)))
        };
        let at_level = requirement.vectors.iter().filter(|vector| vector.levels.contains(&self.level));
        let mut vectors: Vec<Vector> = at_level.clone().filter(|vector| named(vector)).cloned().collect();
        // What a vector proves depends on its twin.
        let twins: Vec<&String> = vectors.iter().filter_map(|vector| vector.twin.as_ref()).collect();
        let missing: Vec<Vector> =
            at_level.filter(|vector| twins.contains(&&vector.name) && !named(vector)).cloned().collect();
        vectors.extend(missing);
        let requirement = Arc::new(requirement.clone());
        (!vectors.is_empty()).then(|| Wanted { suite: suite.name.clone(), requirement, vectors })
    }
}

/// Returns true when a word of `--only` means this requirement, or this vector of it.
fn selects(only: &str, id: &str, vector: Option<&str>) -> bool {
    match only.split_once('/') {
        Some((requirement, name)) => requirement == id && vector.is_none_or(|vector| vector == name),
        None => id == only || id.starts_with(&format!("{}-", only.trim_end_matches('-'))),
    }
}

fn is_known(only: &str, suites: &[Suite]) -> bool {
    let requirements = || suites.iter().flat_map(|suite| &suite.requirements);
    requirements().any(|requirement| match only.split_once('/') {
        Some((id, name)) => {
            requirement.id == id && requirement.vectors.iter().any(|vector| vector.name == name)
        }
        None => selects(only, &requirement.id, None),
    })
}

fn near(word: &str, suites: &[Suite]) -> String {
    let id = word.split('/').next().unwrap_or_default().to_uppercase();
    let ids = suites.iter().flat_map(|suite| &suite.requirements).map(|requirement| requirement.id.as_str());
    let nearest =
        ids.map(|known| (strsim::jaro_winkler(&id, known), known)).max_by(|(a, _), (b, _)| a.total_cmp(b));
    match nearest {
        Some((closeness, known)) if closeness > 0.7 => format!("; did you mean `{known}`?"),
        _ => "; `--list` shows all".to_owned(),
    }
}

fn listed(names: &[&str]) -> String {
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
