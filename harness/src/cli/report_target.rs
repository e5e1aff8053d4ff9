//! The place that a report is written to, for `--report KIND=FILE` of every command.
//!
//! The kinds of reports and their texts are with the commands.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::argument_error::ArgumentError;

/// The file that GitHub Actions reads the summary of a job from.
const GITHUB_SUMMARY: &str = "GITHUB_STEP_SUMMARY";

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReportTarget {
    StandardOutput,
    File(PathBuf),
    /// The file that the environment names, for `github`.
    Environment,
}

#[derive(Debug, thiserror::Error)]
#[error("cannot write the report `{}`: check that its folder is writable", path.display())]
pub struct ReportError {
    pub path: PathBuf,
    pub source: std::io::Error,
}

impl ReportTarget {
    /// Parses the text after `KIND=`; only a report that is `for_github` needs none.
    pub fn parse(kind: &str, target: Option<&str>, for_github: bool) -> Result<ReportTarget, ArgumentError> {
        match target {
            None if for_github => Ok(ReportTarget::Environment),
            None | Some("") => Err(ArgumentError::ReportFile(kind.to_owned())),
            Some("-") => Ok(ReportTarget::StandardOutput),
            Some(path) => Ok(ReportTarget::File(path.into())),
        }
    }

    /// Checks that the report can be written. An existing file keeps its content until there is a report.
    pub fn check_writable(&self) -> Result<(), ReportError> {
        match self {
            ReportTarget::File(path) => append(path, ""),
            ReportTarget::StandardOutput | ReportTarget::Environment => Ok(()),
        }
    }
}

/// Returns the file of the job's summary, if the environment names one.
pub fn github_summary() -> Option<PathBuf> {
    std::env::var_os(GITHUB_SUMMARY).map(PathBuf::from)
}

/// Appends, since several steps of a job write to one summary.
pub fn append(path: &Path, text: &str) -> Result<(), ReportError> {
    let written = create_folder(path).and_then(|()| {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
        file.write_all(text.as_bytes())
    });
    written.map_err(|source| ReportError { path: path.to_owned(), source })
}

/// Replaces the file as a whole, so that a run that is killed leaves the report of before or the new one. Where the
/// folder does not allow that, and for a device, the text is written in place.
pub fn replace(path: &Path, text: &str) -> Result<(), ReportError> {
    try_replace(path, text).map_err(|source| ReportError { path: path.to_owned(), source })
}

fn try_replace(path: &Path, text: &str) -> std::io::Result<()> {
    create_folder(path)?;
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let is_regular = target.metadata().map_or(true, |file| file.is_file());
    let name = target.file_name().map(|name| format!(".{}.partial", name.to_string_lossy()));
    let Some(beside) = name.map(|name| target.with_file_name(name)) else {
        return std::fs::write(path, text);
    };
    if !is_regular {
        return std::fs::write(path, text);
    }
    match std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, &target)) {
        Ok(()) => Ok(()),
        Err(_) => {
            let _ = std::fs::remove_file(&beside);
            std::fs::write(path, text)
        }
    }
}

fn create_folder(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(folder) => std::fs::create_dir_all(folder),
        None => Ok(()),
    }
}
