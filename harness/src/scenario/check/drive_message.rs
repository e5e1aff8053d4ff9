//! Checks of a drive that sends a message: it gets no answer, and each broker has its own rules for headers.

use crate::diagnostic::Diagnostic;
use crate::scenario::build::{Draft, DriveDraft};
use crate::scenario::complaints::Complaints;
use crate::scenario::drive::DriveContext;
use crate::scenario::hop::Transport;
use crate::scenario::tree::Tree;

use super::fan_out::readers;

/// Amazon SQS, message quotas.
const MOST_ATTRIBUTES: usize = 10;

pub(super) fn check(draft: &Draft<'_>, sent: &DriveDraft<'_>, complaints: &mut Complaints) {
    let hop = draft.hop(sent.drive.send);
    if hop.transport.via().is_none() {
        return;
    }
    for key in ["answers", "within", "hangs-up-after"] {
        if let Some(stray) = sent.tree.entry(key) {
            let message = format!(
                "`{key}` has no effect: `{}` goes over {}, where a message gets no answer",
                hop.id,
                hop.transport.word()
            );
            let diagnostic = Diagnostic::new("stray-key", stray.key.place, message).label("no effect");
            complaints.report(diagnostic.also(hop.place, "through a broker").help(format!("remove `{key}`")));
        }
    }
    if hop.transport.keeps_names_once() {
        once_each(sent.tree, hop.transport.word(), complaints);
    }
    if matches!(hop.transport, Transport::Sqs(_)) {
        attributes(sent, complaints);
        let instructed =
            readers(draft, sent.drive.send).into_iter().any(|ix| draft.is_relay(draft.hop(ix).to));
        if sent.tree.entry("body").is_none() && !instructed {
            let message = "SQS requires a message body";
            let help = "add `body`: text, or a mapping, which is sent as JSON";
            complaints.report(Diagnostic::new("missing-key", sent.drive.place, message).help(help));
        }
    }
}

/// Reports a name with several values where clients keep each name once: in a table of AMQP, among attributes of SQS.
fn once_each(tree: &Tree, word: &str, complaints: &mut Complaints) {
    for header in tree.get("headers").map_or(&[][..], Tree::entries) {
        if header.value.one_or_more().len() > 1 {
            let message = format!("a message over {word} has one value of `{}`", header.key.value);
            let help = "write one value; only Kafka, HTTP and gRPC carry several";
            complaints.report(Diagnostic::new("repeated-header", header.value.place, message).help(help));
        }
    }
}

/// Reports attributes that Amazon SQS does not accept: wrong names, and too many.
fn attributes(DriveDraft { drive, tree }: &DriveDraft<'_>, complaints: &mut Complaints) {
    let entries = tree.get("headers").map_or(&[][..], Tree::entries);
    for header in entries {
        let name = &header.key.value;
        let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        let reserved = ["aws.", "amazon."].iter().any(|prefix| name.to_ascii_lowercase().starts_with(prefix));
        if !plain || reserved {
            let message = format!("`{name}` is not a valid SQS attribute name");
            let help = "use letters, digits, `-`, `_` and `.`, and do not start with `AWS.` or `Amazon.`";
            complaints.report(Diagnostic::new("bad-name", header.key.place, message).help(help));
        }
    }
    let context = usize::from(!matches!(drive.context, DriveContext::None { .. }));
    let count = context + entries.len();
    if count > MOST_ATTRIBUTES {
        let message =
            format!("an SQS message has at most {MOST_ATTRIBUTES} attributes, and this one has {count}");
        let place = tree.place_of("headers");
        let help = if context == 1 { "remove some; `traceparent` counts too" } else { "remove some" };
        complaints.report(Diagnostic::new("too-much", place, message).help(help));
    }
}
