//! Checks of formats: what a drive sends has a word in them, and hops that one tap sees do not differ.

use crate::diagnostic::Diagnostic;
use crate::scenario::build::{Draft, DriveDraft, HopDraft};
use crate::scenario::complaints::Complaints;
use crate::scenario::drive::DriveContext;
use crate::scenario::hop::{Hop, Transport};
use crate::scenario::spelling;
use crate::scenario::tree::{KeyValue, Tree};
use crate::wire::Format;

pub(super) fn check(draft: &Draft<'_>, complaints: &mut Complaints) {
    for drive in &draft.drives {
        sent(draft.hop(drive.drive.send), drive, complaints);
    }
    for (ix, later) in draft.hops.iter().enumerate() {
        if let Some(earlier) = draft.hops[..ix].iter().find(|earlier| is_mixed(&earlier.hop, &later.hop)) {
            mixed(earlier, later, complaints);
        }
    }
}

/// Checks that the formats of the first hop can carry what the drive declares.
fn sent(hop: &Hop, DriveDraft { drive, tree }: &DriveDraft<'_>, complaints: &mut Complaints) {
    let w3c = hop.formats.contains(&Format::TraceContext);
    match &drive.context {
        DriveContext::Valid { decision, random } => {
            let without = hop.formats.iter().find(|format| !format.carries(*decision));
            if let Some(format) = without {
                let message = format!("`{}` has no word for a {} decision", format.word(), decision.word());
                let able = Format::ALL.iter().filter(|format| format.carries(*decision));
                let able: Vec<&str> = able.map(|format| format.word()).collect();
                let help = format!(
                    "use `sampled`, or a hop with formats that have one: {}",
                    spelling::listed(&able)
                );
                let diagnostic = Diagnostic::new("no-word", tree.place_of("decision"), message);
                complaints.report(diagnostic.also(hop.place, "the hop").help(help));
            }
            if let (true, false, Some(stray)) = (*random, w3c, tree.entry("random")) {
                let message = "`random` has no effect: only `tracecontext` has a random flag";
                let diagnostic = Diagnostic::new("stray-key", stray.key.place, message).label("no effect");
                complaints.report(diagnostic.also(hop.place, "the hop").help("remove `random`"));
            }
        }
        DriveContext::Invalid { .. } if !w3c => {
            let message = "`context: invalid` sends a traceparent, and this hop does not carry one";
            let help = "use `context: none`, or send the invalid field with `headers`";
            let diagnostic = Diagnostic::new("stray-key", tree.place_of("context"), message);
            complaints.report(diagnostic.also(hop.place, "the hop").help(help));
        }
        DriveContext::Invalid { .. } | DriveContext::None { .. } | DriveContext::Raw { .. } => {}
    }
    if matches!(drive.context, DriveContext::None { .. } | DriveContext::Raw { .. }) {
        return;
    }
    for KeyValue { key, .. } in tree.get("headers").map_or(&[][..], Tree::entries) {
        let format = Format::of_field(key.value.as_bytes()).filter(|format| *format != Format::TraceContext);
        if format.is_some_and(|format| hop.formats.contains(&format)) {
            let message = format!("the driver sets `{}` itself, in the formats of the hop", key.value);
            let help = "use `sampled`, `decision` or `context` instead";
            let diagnostic = Diagnostic::new("reserved-header", key.place, message);
            complaints.report(diagnostic.also(hop.place, "the hop").help(help));
        }
    }
}

/// Returns whether one tap sees both hops, nothing in a request tells them apart before it is judged, and their
/// formats differ.
fn is_mixed(one: &Hop, other: &Hop) -> bool {
    let same_tap = match (&one.transport, &other.transport) {
        (Transport::Http(_), Transport::Http(_)) | (Transport::Grpc(_), Transport::Grpc(_)) => {
            (one.from, one.to) == (other.from, other.to)
        }
        (Transport::RabbitMq(_), Transport::RabbitMq(_)) => {
            (one.from, one.transport.via()) == (other.from, other.transport.via())
        }
        (
            Transport::Http(_)
            | Transport::Grpc(_)
            | Transport::Kafka(_)
            | Transport::RabbitMq(_)
            | Transport::Sqs(_),
            _,
        ) => false,
    };
    same_tap && one.formats != other.formats
}

fn mixed(earlier: &HopDraft<'_>, later: &HopDraft<'_>, complaints: &mut Complaints) {
    let message = format!(
        "`{}` and `{}` go the same way, and their formats differ: {} and {}",
        earlier.hop.id,
        later.hop.id,
        listed(&earlier.hop.formats),
        listed(&later.hop.formats)
    );
    let place = later.tree.entry("formats").map_or(later.hop.place, |entry| entry.value.place);
    let help = "set the same `formats` for both, or for their sender";
    let diagnostic = Diagnostic::new("mixed-formats", place, message);
    complaints.report(diagnostic.also(earlier.hop.place, "the other hop").help(help));
}

fn listed(formats: &[Format]) -> String {
    let words: Vec<&str> = formats.iter().map(|format| format.word()).collect();
    spelling::listed(&words)
}
