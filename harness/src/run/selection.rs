//! From paths to cases: which files there are, and the cases of each.
//!
//! Shows nothing: what is wrong with a file comes back as diagnostics, for the command and the `cargo test`
//! door alike.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Chosen;
use crate::diagnostic::Diagnostic;
use crate::scenario::{self, ReadError};
use crate::source::Source;

/// The scenario files at `path`: a file as it is, of a folder every `*.yaml` and `*.yml` below it, by name.
pub fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    find(path, &mut files)?;
    Ok(files)
}

fn find(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !std::fs::metadata(path)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let entries: Result<Vec<_>, _> = std::fs::read_dir(path)?.map(|entry| entry.map(|e| e.path())).collect();
    let mut entries = entries?;
    entries.sort();
    for entry in entries {
        let hidden = entry.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let is_scenario = entry.extension().is_some_and(|kind| kind == "yaml" || kind == "yml");
        if !hidden && (is_scenario || entry.is_dir()) {
            find(&entry, files)?;
        }
    }
    Ok(())
}

/// The cases of one file.
pub fn cases(file: &Path) -> Result<Vec<Chosen>, ReadError> {
    let source = scenario::read(file)?;
    cases_of(&source, file.parent().unwrap_or(Path::new("")))
}

/// The cases of a text; relative programs are looked up from `folder`.
pub fn cases_of(source: &Arc<Source>, folder: &Path) -> Result<Vec<Chosen>, ReadError> {
    let bad = |diagnostics| ReadError::Bad { text: source.clone(), diagnostics };
    let scenarios = scenario::parse(source).map_err(bad)?;
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    // Programs are started from elsewhere.
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let chosen = |scenario| Chosen { scenario: Arc::new(scenario), folder: folder.clone() };
    Ok(scenarios.into_iter().map(chosen).collect())
}

/// Which case is the first whose title another one has already, and what to say of it. Reports, baselines and kept
/// evidence are keyed on the title.
pub fn name_taken(cases: &[Chosen]) -> Option<(usize, Diagnostic)> {
    let mut seen = HashMap::new();
    for (at, chosen) in cases.iter().enumerate() {
        let scenario = &chosen.scenario;
        if let Some(first) = seen.insert(scenario.title(), scenario.source.name()) {
            let message = format!("the name `{}` is taken", scenario.title());
            let help = format!("`{first}` has it, too; give this one another name");
            return Some((at, Diagnostic::new("name-taken", scenario.name_place, message).help(help)));
        }
    }
    None
}
