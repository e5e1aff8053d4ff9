//! `--report KIND=FILE` of `unbroken conform`.

use std::path::PathBuf;
use std::str::FromStr;

use crate::cli::argument_error::ArgumentError;
use crate::cli::print;
use crate::conform::Results;
use crate::report::conformance::{github, html, json, markdown};

/// The variable that names the file of a job's summary.
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
    Markdown,
    Html,
    /// Annotations on standard output, and the step summary in the file.
    Github,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum To {
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
        let (kind, to) = text.split_once('=').map_or((text, None), |(kind, to)| (kind, Some(to)));
        let kind = match kind {
            "json" => Kind::Json,
            "junit" => Kind::Junit,
            "markdown" => Kind::Markdown,
            "html" => Kind::Html,
            "github" => Kind::Github,
            other => {
                let known = "`json`, `junit`, `markdown`, `html` or `github`";
                return Err(ArgumentError::ReportKind { kind: other.to_owned(), known });
            }
        };
        let to = match (kind, to) {
            (Kind::Github, None) => To::Environment,
            (_, None | Some("")) => {
                return Err(ArgumentError::ReportFile(text.trim_end_matches('=').to_owned()));
            }
            (_, Some("-")) => To::StandardOutput,
            (_, Some(path)) => To::File(path.into()),
        };
        Ok(ReportFile { kind, to })
    }
}

impl ReportFile {
    /// Returns true when it replaces the terminal report on standard output.
    pub fn is_on_standard_output(&self) -> bool {
        self.to == To::StandardOutput && self.kind != Kind::Github
    }

    /// Checks that it can be written, before anything is tried; the file keeps its content until there is a report.
    pub fn check(&self) -> Result<(), ReportError> {
        match &self.to {
            To::File(path) => append(path, ""),
            To::StandardOutput | To::Environment => Ok(()),
        }
    }

    pub fn write(&self, results: &Results) -> Result<(), ReportError> {
        let text = match self.kind {
            Kind::Json => json::render(results),
            Kind::Junit => crate::report::conformance::junit::render(results),
            Kind::Markdown => markdown::render(results),
            Kind::Html => html::render(results),
            Kind::Github => {
                print::document(&github::annotations(results));
                github::summary(results)
            }
        };
        match &self.to {
            To::StandardOutput => {
                print::document(&text);
                Ok(())
            }
            To::File(path) if self.kind == Kind::Github => append(path, &text),
            To::File(path) => {
                std::fs::write(path, text).map_err(|source| ReportError { path: path.clone(), source })
            }
            To::Environment => match std::env::var_os(GITHUB_SUMMARY) {
                Some(path) => append(&PathBuf::from(path), &text),
                None => Ok(()),
            },
        }
    }
}

/// Appends, since several steps of a job write to one summary.
fn append(path: &std::path::Path, text: &str) -> Result<(), ReportError> {
    try_append(path, text).map_err(|source| ReportError { path: path.to_owned(), source })
}

fn try_append(path: &std::path::Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
    std::io::Write::write_all(&mut file, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_a_kind_and_a_place() {
        let read = |text: &str| text.parse::<ReportFile>();
        assert_eq!(read("html=a=b"), Ok(ReportFile { kind: Kind::Html, to: To::File("a=b".into()) }));
        assert!(read("json=-").is_ok_and(|report| report.is_on_standard_output()));
        assert_eq!(read("github"), Ok(ReportFile { kind: Kind::Github, to: To::Environment }));
        assert!(read("json").is_err() && read("markdown=").is_err() && read("pdf=x").is_err());
    }
}
