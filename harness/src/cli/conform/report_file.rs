//! `--report KIND=FILE` of `unbroken conform`.

use std::str::FromStr;

use crate::cli::argument_error::ArgumentError;
use crate::cli::print;
use crate::cli::report_target::{ReportError, ReportTarget, append, github_summary};
use crate::conform::Results;
use crate::report::conformance::{github, html, json, markdown};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConformanceReportFile {
    kind: Kind,
    target: ReportTarget,
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

impl FromStr for ConformanceReportFile {
    type Err = ArgumentError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, target) = text.split_once('=').map_or((text, None), |(name, to)| (name, Some(to)));
        let kind = match name {
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
        let target = ReportTarget::parse(name, target, kind == Kind::Github)?;
        Ok(ConformanceReportFile { kind, target })
    }
}

impl ConformanceReportFile {
    /// Returns true when it replaces the terminal report on standard output.
    pub fn is_on_standard_output(&self) -> bool {
        self.target == ReportTarget::StandardOutput && self.kind != Kind::Github
    }

    /// Checks that it can be written, before anything is tried; the file keeps its content until there is a report.
    pub fn check(&self) -> Result<(), ReportError> {
        self.target.check_writable()
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
        match &self.target {
            ReportTarget::StandardOutput => {
                print::document(&text);
                Ok(())
            }
            ReportTarget::File(path) if self.kind == Kind::Github => append(path, &text),
            ReportTarget::File(path) => {
                std::fs::write(path, text).map_err(|source| ReportError { path: path.clone(), source })
            }
            ReportTarget::Environment => match github_summary() {
                Some(path) => append(&path, &text),
                None => Ok(()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_a_kind_and_a_place() {
        let read = |text: &str| text.parse::<ConformanceReportFile>();
        assert_eq!(
            read("html=a=b"),
            Ok(ConformanceReportFile { kind: Kind::Html, target: ReportTarget::File("a=b".into()) })
        );
        assert!(read("json=-").is_ok_and(|report| report.is_on_standard_output()));
        assert_eq!(
            read("github"),
            Ok(ConformanceReportFile { kind: Kind::Github, target: ReportTarget::Environment })
        );
        assert!(read("json").is_err() && read("markdown=").is_err() && read("pdf=x").is_err());
    }
}
