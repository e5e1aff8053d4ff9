//! `--report KIND=FILE`: the reports besides the one on the terminal, and their files.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::argument_error::ArgumentError;
use super::option_error::RunOptionError;
use super::print;
use super::report_target::{ReportError, ReportTarget, append, github_summary, replace};
use crate::report::terminal::{Detail, Layout};
use crate::report::{Outcome, github, html, json, junit, terminal};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportFile {
    kind: Kind,
    target: ReportTarget,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Json,
    Junit,
    Html,
    Terminal,
    /// Annotations on standard output, and the step summary in the file.
    Github,
}

impl FromStr for ReportFile {
    type Err = ArgumentError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, target) = text.split_once('=').map_or((text, None), |(name, to)| (name, Some(to)));
        let kind = match name {
            "json" => Kind::Json,
            "junit" => Kind::Junit,
            "html" => Kind::Html,
            "terminal" => Kind::Terminal,
            "github" => Kind::Github,
            other => {
                let known = "`html`, `json`, `junit`, `terminal` or `github`";
                return Err(ArgumentError::ReportKind { kind: other.to_owned(), known });
            }
        };
        let target = ReportTarget::parse(name, target, kind == Kind::Github)?;
        Ok(ReportFile { kind, target })
    }
}

/// Checks that no two outputs of a run go to the same file, or to standard output.
pub fn check_distinct(reports: &[ReportFile], others: &[PathBuf]) -> Result<(), RunOptionError> {
    let on_output = reports.iter().filter(|report| report.target == ReportTarget::StandardOutput).count();
    if on_output > 1 {
        return Err(RunOptionError::SameOutput);
    }
    let files = reports.iter().filter_map(|report| match &report.target {
        ReportTarget::File(path) => Some(path),
        ReportTarget::StandardOutput | ReportTarget::Environment => None,
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
        self.target == ReportTarget::StandardOutput && self.kind != Kind::Github
    }

    /// Checks before a run that the report can be written. An existing file keeps its content until there is a report.
    pub fn check_writable(&self) -> Result<(), ReportError> {
        self.target.check_writable()
    }

    /// Returns whether the report can be written again while the run is under way: a regular file that it replaces.
    pub fn is_replaceable(&self) -> bool {
        match &self.target {
            ReportTarget::File(path) => {
                self.kind != Kind::Github && path.metadata().is_ok_and(|file| file.is_file())
            }
            ReportTarget::StandardOutput | ReportTarget::Environment => false,
        }
    }

    pub fn write(&self, outcome: &Outcome) -> Result<(), ReportError> {
        let text = self.render(outcome);
        if self.kind == Kind::Github {
            print::document(&github::annotations(outcome));
        }
        match &self.target {
            ReportTarget::StandardOutput if matches!(self.kind, Kind::Terminal | Kind::Github) => {
                print::out(&text);
                Ok(())
            }
            ReportTarget::StandardOutput => {
                print::document(&text);
                Ok(())
            }
            ReportTarget::File(path) if self.kind == Kind::Github => append(path, &text),
            ReportTarget::File(path) => replace(path, &text),
            ReportTarget::Environment => match github_summary() {
                Some(path) => append(&path, &text),
                None => Ok(()),
            },
        }
    }

    fn render(&self, outcome: &Outcome) -> String {
        match self.kind {
            Kind::Json => json::render(outcome),
            Kind::Junit => junit::render(outcome),
            Kind::Html => html::render(outcome),
            Kind::Terminal => {
                terminal::render(outcome, Layout { detail: Detail::Everything, ..Layout::default() })
            }
            Kind::Github => github::summary(outcome),
        }
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
        assert_eq!(
            read("json=a=b"),
            Ok(ReportFile { kind: Kind::Json, target: ReportTarget::File("a=b".into()) })
        );
        assert!(read("json=-").is_ok_and(|report| report.replaces_terminal()));
        assert_eq!(read("github"), Ok(ReportFile { kind: Kind::Github, target: ReportTarget::Environment }));
        assert_eq!(read("json="), Err(ArgumentError::ReportFile("json".into())));
        assert!(read("json").is_err() && read("yaml=x").is_err());
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
