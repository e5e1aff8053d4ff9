//! Finds the scenario files at a path, and reads the cases of each.
//!
//! It prints nothing: errors in a file are returned as diagnostics, for the command and for `testing`.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::SelectedCase;
use crate::diagnostic::Diagnostic;
use crate::input_file;
use crate::runtime::{find_collector, gateway};
use crate::scenario::{self, NodeKind, ScenarioReadError};
use crate::source::Source;

/// Returns the scenario files at `path`: a file itself, or every `*.yaml` and `*.yml` below a folder, by name. A folder
/// that is reached twice, through links, is read once.
pub fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut search = Search::default();
    search.find(path)?;
    Ok(search.files)
}

#[derive(Default)]
struct Search {
    files: Vec<PathBuf>,
    folders: HashSet<PathBuf>,
}

impl Search {
    fn find(&mut self, path: &Path) -> io::Result<()> {
        if !std::fs::metadata(path)?.is_dir() {
            self.files.push(path.to_owned());
            return Ok(());
        }
        if !self.folders.insert(std::fs::canonicalize(path)?) {
            return Ok(());
        }
        let entries: Result<Vec<_>, _> =
            std::fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path())).collect();
        let mut entries = entries?;
        entries.sort();
        for entry in entries {
            let hidden = entry.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            let is_yaml = entry.extension().is_some_and(|kind| kind == "yaml" || kind == "yml");
            let is_scenario = is_yaml && !is_of_another_kind(&entry);
            if !hidden && (is_scenario || entry.is_dir()) {
                self.find(&entry)?;
            }
        }
        Ok(())
    }
}

/// The first keys of other YAML files: requirements of the reference suite, and configurations of Collectors.
const OTHER_KINDS: [&str; 6] =
    ["suite:", "receivers:", "processors:", "exporters:", "extensions:", "service:"];

/// Returns whether the first key of a file shows that it is no scenario.
fn is_of_another_kind(path: &Path) -> bool {
    use std::io::{BufRead, BufReader, Read};
    // Other files than regular ones are for their reader to refuse.
    if input_file::check(path).is_err() {
        return false;
    }
    let Ok(file) = std::fs::File::open(path) else { return false };
    let mut lines = BufReader::new(file.take(64 * 1024)).lines().map_while(Result::ok);
    let first = lines.find(|line| !line.trim().is_empty() && !line.starts_with('#'));
    first.is_some_and(|line| OTHER_KINDS.iter().any(|key| line.starts_with(key)))
}

/// The file of accepted findings that a folder may have.
pub const BASELINE: &str = "baseline.json";

/// Returns the baselines of a folder that is run: its own, and those beside scenario files below it.
pub fn baselines(path: &Path) -> Vec<PathBuf> {
    if !path.is_dir() {
        return Vec::new();
    }
    let files = files(path).unwrap_or_default();
    let folders = files.iter().filter_map(|file| file.parent()).chain(std::iter::once(path));
    let found: BTreeSet<PathBuf> =
        folders.map(|folder| folder.join(BASELINE)).filter(|file| file.is_file()).collect();
    found.into_iter().collect()
}

/// Set, a case whose gateway is not installed could not run; otherwise it is left out where a folder is run.
const REQUIRE_GATEWAYS: &str = "UNBROKEN_REQUIRE_GATEWAYS";

/// The same for a case with a Collector.
const REQUIRE_COLLECTORS: &str = "UNBROKEN_REQUIRE_COLLECTORS";

/// Returns the reason for leaving out a case: its gateway or Collector is not installed, and nobody named its file.
pub fn missing_program(case: &SelectedCase, paths: &[PathBuf]) -> Option<String> {
    let is_named = paths.iter().any(|path| path == Path::new(case.scenario.source.name()));
    if is_named {
        return None;
    }
    let collects = case.scenario.collectors().any(|(_, collector)| collector.command.argv.is_empty());
    if collects && !is_set(REQUIRE_COLLECTORS) && find_collector().is_none() {
        return Some(
            "an OpenTelemetry Collector is not installed (`fixtures/collector/install` builds one)"
                .to_owned(),
        );
    }
    if is_set(REQUIRE_GATEWAYS) {
        return None;
    }
    let products = case.scenario.nodes.iter().filter_map(|node| match &node.kind {
        NodeKind::Command(command) if command.argv.is_empty() => command.gateway,
        _ => None,
    });
    let missing = products.into_iter().find(|product| gateway::find(*product).is_none())?;
    let (product, install) = (missing.word(), gateway::to_install(missing));
    Some(format!(
        "`{product}` is not installed (`{install}`, or `fixtures/gateways/install` for all gateways)"
    ))
}

fn is_set(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| !value.is_empty())
}

/// Returns the cases of one file.
pub fn cases(file: &Path) -> Result<Vec<SelectedCase>, ScenarioReadError> {
    input_file::check(file).map_err(|source| ScenarioReadError::Io { path: file.to_owned(), source })?;
    let source = scenario::read(file)?;
    cases_of(&source, file.parent().unwrap_or(Path::new("")))
}

/// Returns the cases of a text. Relative paths of programs start at `folder`.
pub fn cases_of(source: &Arc<Source>, folder: &Path) -> Result<Vec<SelectedCase>, ScenarioReadError> {
    let scenarios = scenario::parse(source)
        .map_err(|diagnostics| ScenarioReadError::Bad { text: source.clone(), diagnostics })?;
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    // Programs are started in another folder.
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let cases = scenarios.into_iter().map(Arc::new);
    Ok(cases.map(|scenario| SelectedCase { scenario, folder: folder.clone() }).collect())
}

/// Returns the first case whose title another case already has, with a diagnostic. Reports, baselines and kept evidence
/// are keyed by title.
pub fn name_taken(cases: &[SelectedCase]) -> Option<(usize, Diagnostic)> {
    let mut seen = HashMap::new();
    for (at, case) in cases.iter().enumerate() {
        let scenario = &case.scenario;
        if let Some(first) = seen.insert(scenario.title(), scenario.source.name()) {
            let message = format!("the name `{}` is taken", scenario.title());
            let help = format!("`{first}` has the same name; rename one of the two");
            return Some((at, Diagnostic::new("name-taken", scenario.name_place, message).help(help)));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_folder_in_a_circle_of_links_is_read_once() {
        let folder = std::env::temp_dir().join(format!("unbroken-links-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(folder.join("a")).unwrap();
        std::fs::write(folder.join("a/story.yaml"), "").unwrap();
        symlink(&folder, folder.join("a/up")).unwrap();
        symlink(folder.join("a"), folder.join("b")).unwrap();
        assert_eq!(files(&folder).unwrap(), [folder.join("a/story.yaml")]);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
