//! Masks the text of a case that has ended: secrets everywhere, and in what services printed also the values of masked
//! fields. Names, ids, rules and the scenario file stay.

use compact_str::CompactString;

use super::case_run::CaseRun;
use crate::evidence::{Answer, Capture, Completion, Evidence, Field, Message, Span};
use crate::masking::{self, FieldMask};
use crate::rules::Finding;
use crate::rules::details::{Details, ValueDetails};
use crate::rules::finding::Line;
use crate::verdict::{CaseEnd, CaseError, CaseVerdict, GapVerdict};

/// Masks the case. It must not be shown or kept before.
pub(super) fn masked(mut run: CaseRun, mask: &FieldMask) -> CaseRun {
    let texts = Texts { mask };
    run.logs.iter_mut().for_each(|(_, lines)| texts.printed(lines));
    match &mut run.end {
        CaseEnd::Judged(verdict) => texts.verdict(verdict),
        CaseEnd::CouldNotRun(error) => texts.error(error),
    }
    if let Some(evidence) = &mut run.evidence {
        texts.evidence(evidence);
    }
    run
}

struct Texts<'m> {
    mask: &'m FieldMask,
}

impl Texts<'_> {
    fn secret(&self, text: &mut String) {
        if let Some(hidden) = masking::hide(text) {
            *text = hidden.text;
        }
    }

    fn secrets<'t>(&self, texts: impl IntoIterator<Item = &'t mut String>) {
        texts.into_iter().for_each(|text| self.secret(text));
    }

    fn printed<'t>(&self, lines: impl IntoIterator<Item = &'t mut String>) {
        for line in lines {
            self.secret(line);
            *line = self.mask.printed(line);
        }
    }

    fn error(&self, error: &mut CaseError) {
        let CaseError { scenario: _, case: _, message, caused_by, lines } = error;
        self.secret(message);
        self.printed(caused_by);
        self.printed(lines);
    }

    fn verdict(&self, verdict: &mut CaseVerdict) {
        for (_, lines) in &mut verdict.outputs {
            self.printed(lines);
        }
        for GapVerdict { what, lines } in &mut verdict.gaps {
            self.secret(what);
            self.printed(lines);
        }
        verdict.findings.iter_mut().for_each(|finding| self.finding(finding));
        verdict.notes.iter_mut().for_each(|note| self.secret(&mut note.text));
        verdict.undeclared.iter_mut().for_each(|(call, _)| self.secret(call));
        verdict.examples.iter_mut().for_each(|example| self.secrets(example.texts_mut()));
    }

    fn finding(&self, finding: &mut Finding) {
        self.secrets([&mut finding.message, &mut finding.expected, &mut finding.actual]);
        self.secrets(&mut finding.try_next);
        self.secrets(&mut finding.missing_witness);
        self.secrets(&mut finding.inside);
        finding.lines.iter_mut().for_each(|line| self.line(line));
        let Details { expected, actual, span, capture, .. } = &mut finding.details;
        for ValueDetails { values, concerned, reason, .. } in [expected, actual] {
            self.secrets(values);
            self.secrets(concerned);
            self.secrets(reason);
        }
        self.secrets(span.iter_mut().map(|span| &mut span.name));
        if let Some(capture) = capture {
            let texts = [&mut capture.path, &mut capture.destination, &mut capture.routing_key];
            self.secrets(texts.into_iter().flatten());
        }
    }

    /// Masks the bytes of a line; its caret stays under what it points out.
    fn line(&self, line: &mut Line) {
        self.secrets([&mut line.label, &mut line.caption]);
        if let Some(hidden) = masking::hide(&line.text) {
            line.caret = line.caret.take().map(|caret| hidden.range(caret));
            line.text = hidden.text;
        }
    }

    fn evidence(&self, evidence: &mut Evidence) {
        for gap in &mut evidence.gaps {
            self.secret(&mut gap.what);
            self.printed(&mut gap.lines);
        }
        for exchange in &mut evidence.exchanges {
            if let Answer::Failed(why) = &mut exchange.answer {
                self.secret(why);
            }
        }
        for completion in &mut evidence.completions {
            if let Completion::Unknown(why) = completion {
                self.secret(why);
            }
        }
        if masking::has_secrets() {
            evidence.captures.iter_mut().for_each(|capture| self.capture(capture));
            evidence.spans.iter_mut().for_each(|span| self.span(span));
            evidence.logs.iter_mut().for_each(|record| self.secret(&mut record.body));
            evidence.masked_baggage.iter_mut().flatten().flatten().for_each(bytes);
        }
    }

    fn capture(&self, capture: &mut Capture) {
        short_texts([&mut capture.method, &mut capture.path]);
        for Field { name, value, .. } in capture.headers.iter_mut().chain(&mut capture.trailers) {
            bytes(name);
            value.iter_mut().for_each(bytes);
        }
        let Some(message) = &mut capture.message else { return };
        let Message { destination, routing_key, reader, id, moved_from, refused, .. } = message;
        self.secret(destination);
        self.secrets([routing_key, reader, id, moved_from, refused].into_iter().flatten());
    }

    fn span(&self, span: &mut Span) {
        short_texts([&mut span.name, &mut span.trace_state]);
        short_texts(&mut span.service_name);
        short_texts(span.attributes.iter_mut().map(|(_, value)| value));
        short_texts(span.links.iter_mut().map(|link| &mut link.trace_state));
    }
}

/// Masks secrets in texts of evidence.
fn short_texts<'t>(texts: impl IntoIterator<Item = &'t mut CompactString>) {
    for text in texts {
        if let Some(hidden) = masking::hide(text) {
            *text = hidden.text.into();
        }
    }
}

fn bytes(bytes: &mut Vec<u8>) {
    if let Some(hidden) = masking::hide_bytes(bytes) {
        *bytes = hidden;
    }
}
