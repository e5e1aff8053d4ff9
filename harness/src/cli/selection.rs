//! From paths and filters to cases; every mistake in every file is shown before anything is run.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::arguments::Selection;
use super::{exit, print};
use crate::diagnostic::{self, Diagnostic};
use crate::run::Chosen;
use crate::scenario::{self, ReadError};
use crate::source::Source;

/// Where scenarios are looked for when no path is given.
const DEFAULT_FOLDER: &str = "scenarios";

/// What a selection came to.
#[derive(Debug, Default)]
pub struct Selected {
    /// In the order of the paths, files of a folder by name.
    pub cases: Vec<Chosen>,
    pub files: usize,
    /// The files and folders that were named, or the default one.
    pub paths: Vec<PathBuf>,
}

/// The cases, or the exit status once everything that is wrong has been shown.
pub fn select(selection: &Selection) -> Result<Selected, u8> {
    let given =
        if selection.paths.is_empty() { &vec![PathBuf::from(DEFAULT_FOLDER)] } else { &selection.paths };
    let mut files = Vec::new();
    for path in given {
        find(path, &mut files).map_err(|error| {
            print::problem(&format!("error: cannot read `{}`: {error}", path.display()));
            exit::USAGE
        })?;
    }
    let mut cases = Vec::new();
    let mut worst = None;
    for file in &files {
        match read(file) {
            Ok(read) => cases.extend(read),
            Err(status) => worst = worst.max(Some(status)),
        }
    }
    if let Some(status) = worst {
        return Err(status);
    }
    one_title_each(&cases)?;
    let wanted = |chosen: &Chosen| {
        let title = chosen.scenario.title();
        selection.filter.is_empty() || selection.filter.iter().any(|text| title.contains(text.as_str()))
    };
    cases.retain(wanted);
    if cases.is_empty() {
        let why = match files.is_empty() {
            true => "there is no scenario file (`*.yaml`) there",
            false => "no case fits the filter; `unbroken list` shows all",
        };
        print::problem(&format!("error: nothing is selected: {why}"));
        return Err(exit::NOTHING_SELECTED);
    }
    Ok(Selected { cases, files: files.len(), paths: given.clone() })
}

/// The cases of one file, or the exit status once its mistakes have been shown.
pub fn read(file: &Path) -> Result<Vec<Chosen>, u8> {
    let source = match scenario::read(file) {
        Ok(source) => source,
        Err(ReadError::Bad { text, diagnostics }) => return Err(show(&text, &diagnostics)),
        Err(error @ ReadError::Io { .. }) => {
            print::error(&error);
            return Err(exit::USAGE);
        }
    };
    let scenarios = scenario::parse(&source).map_err(|diagnostics| show(&source, &diagnostics))?;
    let folder = file.parent().map(Path::to_owned).unwrap_or_default();
    // Programs are started from elsewhere.
    let folder = std::path::absolute(if folder.as_os_str().is_empty() { Path::new(".") } else { &folder })
        .unwrap_or_else(|_| folder.clone());
    let chosen = |scenario| Chosen { scenario: Arc::new(scenario), folder: folder.clone() };
    Ok(scenarios.into_iter().map(chosen).collect())
}

fn show(source: &Source, diagnostics: &[Diagnostic]) -> u8 {
    print::problem(diagnostic::render(source, diagnostics, print::colour_in_problems()).trim_end());
    exit::INVALID_SCENARIO
}

/// Files as they are, folders with all that is below them.
fn find(path: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
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

/// Reports, baselines and kept evidence are keyed on the title.
fn one_title_each(cases: &[Chosen]) -> Result<(), u8> {
    let mut seen = std::collections::HashMap::new();
    for chosen in cases {
        let scenario = &chosen.scenario;
        let file = scenario.source.name().to_owned();
        if let Some(first) = seen.insert(scenario.title(), file) {
            let message = format!("the name `{}` is taken", scenario.title());
            let help = format!("`{first}` has it, too; give this one another name");
            let mistake = Diagnostic {
                code: "name-taken",
                message,
                place: scenario.name_place,
                label: String::new(),
                help: Some(help),
                also: Vec::new(),
            };
            return Err(show(&scenario.source, &[mistake]));
        }
    }
    Ok(())
}
