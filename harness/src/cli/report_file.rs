//! `--report KIND=FILE`: which reports to write besides the one on the terminal, and where.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::print;
use crate::report::terminal::{Detail, Layout};
use crate::report::{Outcome, github, json, junit, terminal};

/// Where GitHub Actions reads a job's summary from.
const GITHUB_SUMMARY: &str = "GITHUB_STEP_SUMMARY";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportFile {
    kind: Kind,
    to: To,
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
enum To {
    StandardOutput,
    File(PathBuf),
    /// What the environment says, for `github`.
    Environment,
}

#[derive(Debug, thiserror::Error)]
#[error("the report `{}` could not be written: see that its folder may be written to", path.display())]
pub struct ReportError {
    path: PathBuf,
    source: std::io::Error,
}

impl FromStr for ReportFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, to) = text.split_once('=').map_or((text, None), |(kind, to)| (kind, Some(to)));
        let kind = match kind {
            "json" => Kind::Json,
            "junit" => Kind::Junit,
            "terminal" => Kind::Terminal,
            "github" => Kind::Github,
            other => {
                return Err(format!("`{other}` is no kind of report: `json`, `junit`, `terminal`, `github`"));
            }
        };
        let to = match (kind, to) {
            (Kind::Github, None) => To::Environment,
            (_, None | Some("")) => return Err(format!("`{text}` names no file: `{text}=FILE`")),
            (_, Some("-")) => To::StandardOutput,
            (_, Some(path)) => To::File(path.into()),
        };
        Ok(ReportFile { kind, to })
    }
}

impl ReportFile {
    /// Whether it takes the place of the terminal report on standard output.
    pub fn is_on_standard_output(&self) -> bool {
        self.to == To::StandardOutput && self.kind != Kind::Github
    }

    /// Whether it can be written, before anything is run; what is in the file stays until there is a report.
    pub fn is_writable(&self) -> Result<(), ReportError> {
        match &self.to {
            To::File(path) => append(path, "").map_err(|source| ReportError { path: path.clone(), source }),
            To::StandardOutput | To::Environment => Ok(()),
        }
    }

    pub fn write(&self, outcome: &Outcome) -> Result<(), ReportError> {
        let text = match self.kind {
            Kind::Json => json::render(outcome),
            Kind::Junit => junit::render(outcome),
            Kind::Terminal => {
                terminal::render(outcome, Layout { detail: Detail::Everything, ..Layout::default() })
            }
            Kind::Github => {
                print::out(&github::annotations(outcome));
                github::summary(outcome)
            }
        };
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| ReportError { path, source }
        };
        match &self.to {
            To::StandardOutput => print::out(&text),
            To::File(path) if self.kind == Kind::Github => append(path, &text).map_err(failed(path))?,
            To::File(path) => create(path, &text).map_err(failed(path))?,
            To::Environment => {
                if let Some(path) = std::env::var_os(GITHUB_SUMMARY).map(PathBuf::from) {
                    append(&path, &text).map_err(failed(&path))?;
                }
            }
        }
        Ok(())
    }
}

fn create(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, text)
}

/// Several steps of a job write to one summary.
fn append(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::OpenOptions::new().create(true).append(true).open(path)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_a_kind_and_a_place() {
        let read = |text: &str| text.parse::<ReportFile>();
        assert_eq!(read("json=a=b"), Ok(ReportFile { kind: Kind::Json, to: To::File("a=b".into()) }));
        assert!(read("json=-").is_ok_and(|report| report.is_on_standard_output()));
        assert_eq!(read("github"), Ok(ReportFile { kind: Kind::Github, to: To::Environment }));
        assert!(read("json").is_err() && read("json=").is_err() && read("html=x").is_err());
    }
}
