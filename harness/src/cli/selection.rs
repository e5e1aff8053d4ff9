//! From paths and filters to cases. Every error in every file is printed before anything runs.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::arguments::SelectionArguments;
use super::{exit, print};
use crate::diagnostic::{self, Diagnostic};
use crate::report::phrase;
use crate::run::{SelectedCase, selection};
use crate::scenario::ScenarioReadError;
use crate::scenario::spelling::closest;
use crate::source::Source;

/// The folder of scenarios when no path is given.
const DEFAULT_FOLDER: &str = "scenarios";

/// The cases that a command line selects.
#[derive(Debug, Default)]
pub struct Selection {
    /// In the order of the paths, and by file name in a folder.
    pub cases: Vec<SelectedCase>,
    /// The reasons for which cases were left out, one line each.
    pub left_out: Vec<String>,
    pub files: usize,
    /// The files and folders of the command line, or the default folder.
    pub paths: Vec<PathBuf>,
}

/// Returns the cases, or the exit status after every error has been printed.
pub fn select(arguments: &SelectionArguments) -> Result<Selection, u8> {
    let paths = if arguments.paths.is_empty() {
        vec![PathBuf::from(DEFAULT_FOLDER)]
    } else {
        arguments.paths.clone()
    };
    let files = files(&paths)?;
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
    if let Some((second, diagnostic)) = selection::name_taken(&cases) {
        return Err(show(&cases[second].scenario.source, &[diagnostic]));
    }
    let titles: Vec<String> = cases.iter().map(|case| case.scenario.title()).collect();
    cases.retain(|case| {
        let title = case.scenario.title();
        arguments.filter.is_empty() || arguments.filter.iter().any(|text| title.contains(text.as_str()))
    });
    if cases.is_empty() {
        let why = if files.is_empty() {
            "the folder has no scenario file (`*.yaml`)".to_owned()
        } else {
            no_match(&arguments.filter, &titles)
        };
        print::problem(&format!("error: nothing is selected: {why}"));
        return Err(exit::NOTHING_SELECTED);
    }
    Ok(Selection { cases, left_out: Vec::new(), files: files.len(), paths })
}

/// Returns why no case is left, with what the filter may mean.
fn no_match(filter: &[String], titles: &[String]) -> String {
    let filters: Vec<String> = filter.iter().map(|text| format!("`--filter {text}`")).collect();
    let meant = match filter {
        [text] => meant(text, titles),
        _ => None,
    };
    format!(
        "no case matches {}; {}`unbroken list` prints the {}",
        filters.join(" or "),
        meant.map(|part| format!("did you mean `{part}`? ")).unwrap_or_default(),
        phrase::count(titles.len(), "case")
    )
}

/// Returns the name of a scenario, or the `node.key=value` of a case, that is most like the text.
fn meant<'t>(text: &str, titles: &'t [String]) -> Option<&'t str> {
    let parts =
        titles.iter().flat_map(|title| title.split([' ', '[', ']', ','])).filter(|part| !part.is_empty());
    closest(text, parts)
}

/// Returns the files at the paths, each once, however often it is named.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, u8> {
    let mut files = Vec::new();
    for path in paths {
        match selection::files(path) {
            Ok(found) => files.extend(found),
            Err(error) => {
                print::problem(&format!("error: cannot read `{}`: {error}", path.display()));
                return Err(exit::USAGE);
            }
        }
    }
    let mut known = HashSet::new();
    files.retain(|file| known.insert(std::fs::canonicalize(file).unwrap_or_else(|_| file.clone())));
    Ok(files)
}

/// Returns the cases of one file, or the exit status after its errors have been printed.
pub fn read(file: &Path) -> Result<Vec<SelectedCase>, u8> {
    selection::cases(file).map_err(|error| match error {
        ScenarioReadError::Bad { text, diagnostics } => show(&text, &diagnostics),
        ScenarioReadError::Io { .. } => {
            print::error(&error);
            exit::USAGE
        }
    })
}

fn show(source: &Source, diagnostics: &[Diagnostic]) -> u8 {
    print::problem(diagnostic::render(source, diagnostics, print::colour_in_problems()).trim_end());
    exit::INVALID_SCENARIO
}
