//! `--report KIND=FILE`: the reports besides the one on the terminal, and their files.

use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::argument_error::ArgumentError;
use super::option_error::RunOptionError;
use super::print;
use crate::report::terminal::{Detail, Layout};
use crate::report::{Outcome, github, json, junit, terminal};

/// The file that GitHub Actions reads the summary of a job from.
const GITHUB_SUMMARY: &str = "GITHUB_STEP_SUMMARY";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportFile {
    kind: Kind,
    target: Target,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Json,
    Junit,
    Terminal,
    /// Annotations on standard output, and the step summary in the file.
    Github,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    StandardOutput,
    File(PathBuf),
    /// The file that the environment names, for `github`.
    Environment,
}

#[derive(Debug, thiserror::Error)]
#[error("cannot write the report `{}`: check that its folder is writable", path.display())]
pub struct ReportError {
    path: PathBuf,
    source: std::io::Error,
}

impl FromStr for ReportFile {
    type Err = ArgumentError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, target) = text.split_once('=').map_or((text, None), |(kind, to)| (kind, Some(to)));
        let kind = match kind {
            "json" => Kind::Json,
            "junit" => Kind::Junit,
            "terminal" => Kind::Terminal,
            "github" => Kind::Github,
            other => {
                let known = "`json`, `junit`, `terminal` or `github`";
                return Err(ArgumentError::ReportKind { kind: other.to_owned(), known });
            }
        };
        let target = match (kind, target) {
            (Kind::Github, None) => Target::Environment,
            (_, None | Some("")) => {
                return Err(ArgumentError::ReportFile(text.trim_end_matches('=').to_owned()));
            }
            (_, Some("-")) => Target::StandardOutput,
            (_, Some(path)) => Target::File(path.into()),
        };
        Ok(ReportFile { kind, target })
    }
}

/// Checks that no two outputs of a run go to the same file, or to standard output.
pub fn check_distinct(reports: &[ReportFile], others: &[PathBuf]) -> Result<(), RunOptionError> {
    let on_output = reports.iter().filter(|report| report.target == Target::StandardOutput).count();
    if on_output > 1 {
        return Err(RunOptionError::SameOutput);
    }
    let files = reports.iter().filter_map(|report| match &report.target {
        Target::File(path) => Some(path),
        Target::StandardOutput | Target::Environment => None,
    });
    let mut known = HashSet::new();
    for path in files.chain(others) {
        if !known.insert(resolved(path)) {
            return Err(RunOptionError::SameFile { path: path.display().to_string() });
        }
    }
    Ok(())
}

/// Returns the path without links and detours. A file that does not exist yet is resolved by its folder.
fn resolved(path: &Path) -> PathBuf {
    if let Ok(resolved) = std::fs::canonicalize(path) {
        return resolved;
    }
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    match (absolute.parent().map(std::fs::canonicalize), absolute.file_name()) {
        (Some(Ok(folder)), Some(name)) => folder.join(name),
        _ => absolute,
    }
}

impl ReportFile {
    /// Returns whether the report replaces the terminal report on standard output.
    pub fn replaces_terminal(&self) -> bool {
        self.target == Target::StandardOutput && self.kind != Kind::Github
    }

    /// Checks before a run that the report can be written. An existing file keeps its content until there is a report.
    pub fn check_writable(&self) -> Result<(), ReportError> {
        match &self.target {
            Target::File(path) => {
                append(path, "").map_err(|source| ReportError { path: path.clone(), source })
            }
            Target::StandardOutput | Target::Environment => Ok(()),
        }
    }

    /// Returns whether the report can be written again while the run is under way: a regular file that it replaces.
    pub fn is_replaceable(&self) -> bool {
        match &self.target {
            Target::File(path) => {
                self.kind != Kind::Github && path.metadata().is_ok_and(|file| file.is_file())
            }
            Target::StandardOutput | Target::Environment => false,
        }
    }

    pub fn write(&self, outcome: &Outcome) -> Result<(), ReportError> {
        let text = self.render(outcome);
        if self.kind == Kind::Github {
            print::document(&github::annotations(outcome));
        }
        let (path, written) = match &self.target {
            Target::StandardOutput if matches!(self.kind, Kind::Terminal | Kind::Github) => {
                print::out(&text);
                return Ok(());
            }
            Target::StandardOutput => {
                print::document(&text);
                return Ok(());
            }
            Target::File(path) if self.kind == Kind::Github => (path.clone(), append(path, &text)),
            Target::File(path) => (path.clone(), replace(path, &text)),
            Target::Environment => match std::env::var_os(GITHUB_SUMMARY).map(PathBuf::from) {
                Some(path) => {
                    let written = append(&path, &text);
                    (path, written)
                }
                None => return Ok(()),
            },
        };
        written.map_err(|source| ReportError { path, source })
    }

    fn render(&self, outcome: &Outcome) -> String {
        match self.kind {
            Kind::Json => json::render(outcome),
            Kind::Junit => junit::render(outcome),
            Kind::Terminal => {
                terminal::render(outcome, Layout { detail: Detail::Everything, ..Layout::default() })
            }
            Kind::Github => github::summary(outcome),
        }
    }
}

/// Replaces the file as a whole, so that a run that is killed leaves the report of before or the new one. Where the
/// folder does not allow that, and for a device, the text is written in place.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
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

/// Appends, since several steps of a job write to one summary.
fn append(path: &Path, text: &str) -> std::io::Result<()> {
    create_folder(path)?;
    std::fs::OpenOptions::new().create(true).append(true).open(path)?.write_all(text.as_bytes())
}

fn create_folder(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(folder) => std::fs::create_dir_all(folder),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ReportFile, ArgumentError> {
        text.parse()
    }

    #[test]
    fn a_report_is_a_kind_and_a_file() {
        assert_eq!(read("json=a=b"), Ok(ReportFile { kind: Kind::Json, target: Target::File("a=b".into()) }));
        assert!(read("json=-").is_ok_and(|report| report.replaces_terminal()));
        assert_eq!(read("github"), Ok(ReportFile { kind: Kind::Github, target: Target::Environment }));
        assert_eq!(read("json="), Err(ArgumentError::ReportFile("json".into())));
        assert!(read("json").is_err() && read("html=x").is_err());
    }

    #[test]
    fn two_reports_in_one_file_are_an_error_however_it_is_spelled() {
        let all = |texts: &[&str]| texts.iter().map(|text| read(text).unwrap()).collect::<Vec<_>>();
        let check = |texts: &[&str]| check_distinct(&all(texts), &["target/base.json".into()]);
        assert_eq!(check(&["json=a", "junit=b", "github", "terminal=-"]), Ok(()));
        for same in [["json=a", "junit=./a"], ["json=../x/a", "junit=./../x/a"], ["json=a", "json=a"]] {
            assert!(matches!(check(&same), Err(RunOptionError::SameFile { .. })), "{same:?}");
        }
        assert!(check(&["json=target/base.json"]).is_err());
        assert_eq!(check(&["json=-", "junit=-"]), Err(RunOptionError::SameOutput));
    }
}
