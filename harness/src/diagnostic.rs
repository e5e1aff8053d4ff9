//! Errors in a scenario file: reported all at once, each with its place and a help.
//!
//! A diagnostic is never a finding about the system under test, and never an error of the machine.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::source::{Place, Source};

/// One error in a scenario file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// A short stable name, such as `unknown-key`.
    pub code: &'static str,
    /// Lower case, literals in backticks, no full stop.
    pub message: String,
    pub place: Place,
    /// The text under the caret.
    pub label: String,
    /// The next step, if one can be named.
    pub help: Option<String>,
    /// Other places that belong to the error, such as the first of two equal keys.
    pub also: Vec<(Place, String)>,
}

impl Diagnostic {
    pub fn new(code: &'static str, place: Place, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), place, label: String::new(), help: None, also: Vec::new() }
    }

    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Sets the help, if there is one.
    pub fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }

    pub fn also(mut self, place: Place, label: impl Into<String>) -> Self {
        self.also.push((place, label.into()));
        self
    }
}

/// The code of the diagnostic that stands for all that are not shown.
pub const TOO_MANY: &str = "too-many-errors";

/// The distance up to which another place is drawn with a diagnostic's own line. A place further away is named by line
/// and column.
const DRAWN_BYTES: usize = 64 * 1024;

/// The most bytes of a line that are drawn after the last place in it.
const LINE_BYTES: usize = 4 * 1024;

/// Renders every diagnostic with its lines and carets, and one line that counts them; ends with a line feed.
pub fn render(source: &Source, diagnostics: &[Diagnostic], color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let mut out = String::new();
    for diagnostic in diagnostics {
        out.push_str(&renderer.render(&groups(source, diagnostic)));
        out.push_str("\n\n");
    }
    let count = diagnostics.iter().filter(|diagnostic| diagnostic.code != TOO_MANY).count();
    let more = if count < diagnostics.len() { "more than " } else { "" };
    let noun = if count == 1 { "error" } else { "errors" };
    out.push_str(&format!("{}: {more}{count} {noun}\n", shown(source.name())));
    out
}

fn groups<'a>(source: &'a Source, diagnostic: &'a Diagnostic) -> Vec<Group<'a>> {
    let (near, far): (Vec<_>, Vec<_>) = diagnostic
        .also
        .iter()
        .partition(|(place, _)| place.start.abs_diff(diagnostic.place.start) < DRAWN_BYTES);
    let window = window(source, diagnostic.place, &near);
    let text = &source.text()[window.start..window.end];
    let mut snippet = Snippet::source(text)
        .path(shown(source.name()))
        .line_start(source.line_column(window.start).0)
        .annotation(labelled(
            AnnotationKind::Primary.span(range_in(source, window, diagnostic.place)),
            &diagnostic.label,
        ));
    for (place, label) in near {
        snippet = snippet
            .annotation(labelled(AnnotationKind::Context.span(range_in(source, window, *place)), label));
    }
    let message = shown(&diagnostic.message);
    let mut group = Level::ERROR.primary_title(message).id(diagnostic.code).element(snippet);
    for (place, label) in far {
        let (line, column) = source.line_column(place.start);
        let text = format!("{}, at {}:{line}:{column}", shown(label), shown(source.name()));
        group = group.element(Level::NOTE.message(text));
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(shown(help)));
    }
    vec![group]
}

/// Returns the bytes of a place, counted from the start of the window.
fn range_in(source: &Source, window: Place, place: Place) -> std::ops::Range<usize> {
    let start = source.boundary_at(place.start) - window.start;
    start..source.boundary_at(place.end).saturating_sub(window.start).max(start)
}

fn labelled<'a>(
    annotation: annotate_snippets::Annotation<'a>,
    label: &str,
) -> annotate_snippets::Annotation<'a> {
    if label.is_empty() { annotation } else { annotation.label(shown(label)) }
}

/// Returns the lines that are needed; a file of many megabytes is not searched once for each diagnostic.
fn window(source: &Source, place: Place, near: &[&(Place, String)]) -> Place {
    let first = near.iter().map(|(near, _)| near.start).fold(place.start, usize::min);
    let last = near.iter().map(|(near, _)| near.end).fold(place.end, usize::max);
    let text = source.text();
    let first = source.boundary_at(first);
    let last = source.boundary_at(last);
    let start = text[..first].rfind('\n').map_or(0, |at| at + 1);
    // A line without end is cut behind what matters.
    let rest = &text[last..source.boundary_at(last + LINE_BYTES)];
    let end = last + rest.find('\n').unwrap_or(rest.len());
    Place::new(start, end)
}

/// Escapes control characters from the file, which must not reach a terminal.
fn shown(text: &str) -> String {
    if !text.contains(is_unsafe) {
        return text.to_owned();
    }
    text.chars().map(|c| if is_unsafe(c) { c.escape_default().to_string() } else { c.to_string() }).collect()
}

fn is_unsafe(c: char) -> bool {
    c.is_control() && c != '\n'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diagnostic_shows_file_line_column_caret_and_help() {
        let source = Source::new("a.yaml", "nodes:\n  ä: { realy: model }\n");
        let start = source.text().find("realy").unwrap();
        let diagnostic = Diagnostic::new("unknown-key", Place::new(start, start + 5), "unknown key `realy`")
            .label("not known here")
            .help("did you mean `relay`?");
        let text = render(&source, &[diagnostic], false);
        assert!(text.contains("error[unknown-key]: unknown key `realy`"), "{text}");
        assert!(text.contains("a.yaml:2:8"), "{text}");
        assert!(text.contains("^^^^^ not known here"), "{text}");
        assert!(text.ends_with("a.yaml: 1 error\n"), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
    }

    #[test]
    fn colour_is_used_only_on_request() {
        let source = Source::new("a.yaml", "x");
        let diagnostic = [Diagnostic::new("empty-file", Place::new(0, 1), "nothing")];
        assert!(render(&source, &diagnostic, true).contains('\u{1b}'));
    }

    #[test]
    fn a_distant_place_is_named_in_words_and_one_past_the_end_does_not_panic() {
        let source = Source::new("a.yaml", format!("a: 1\n{}a: 2", "#\n".repeat(DRAWN_BYTES)));
        let end = source.text().len();
        let diagnostic = Diagnostic::new("duplicate-key", Place::new(end - 4, end + 9), "key `a` twice")
            .also(Place::new(0, 1), "first here");
        let text = render(&source, &[diagnostic], false);
        assert!(text.contains("first here, at a.yaml:1:1"), "{text}");
    }
}
