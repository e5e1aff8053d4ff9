//! From paths and filters to cases; every mistake in every file is shown before anything is run.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::arguments::Selection;
use super::{exit, print};
use crate::diagnostic::{self, Diagnostic};
use crate::run::Chosen;
use crate::run::selection as found;
use crate::scenario::ReadError;
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
        files.extend(found::files(path).map_err(|error| {
            print::problem(&format!("error: cannot read `{}`: {error}", path.display()));
            exit::USAGE
        })?);
    }
    // `run scenarios scenarios/a.yaml`: named twice, run once.
    let mut known = HashSet::new();
    files.retain(|file| known.insert(std::fs::canonicalize(file).unwrap_or_else(|_| file.clone())));
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
    if let Some((second, mistake)) = found::name_taken(&cases) {
        return Err(show(&cases[second].scenario.source, &[mistake]));
    }
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
    found::cases(file).map_err(|error| match error {
        ReadError::Bad { text, diagnostics } => show(&text, &diagnostics),
        ReadError::Io { .. } => {
            print::error(&error);
            exit::USAGE
        }
    })
}

fn show(source: &Source, diagnostics: &[Diagnostic]) -> u8 {
    print::problem(diagnostic::render(source, diagnostics, print::colour_in_problems()).trim_end());
    exit::INVALID_SCENARIO
}
