//! Checks that each expectation applies to something; one that does not would always pass.

use crate::diagnostic::Diagnostic;
use crate::scenario::build::{Draft, TemplateSubject};
use crate::scenario::complaints::Complaints;
use crate::scenario::drive::{Drive, DriveContext};
use crate::scenario::expectation::{Expectation, Expectations};
use crate::scenario::hop::{Hop, PathPattern, Step, Transport};
use crate::scenario::index::{HopIx, NodeIx};
use crate::scenario::node::{Marker, Node};
use crate::scenario::relation::Relation;
use crate::source::Place;

use super::fan_out::readers;
use super::instruction::service_before;

pub(super) fn check(draft: &Draft<'_>, driven: &[bool], complaints: &mut Complaints) {
    let mut isolation = match &draft.expect {
        Expectations::All => Some(None),
        Expectations::Only(_) => None,
    };
    if let Expectations::Only(rules) = &draft.expect {
        for (rule, place) in rules {
            if *rule == Expectation::Isolation {
                isolation = Some(Some(*place));
            }
            if let Some((why, help)) = nothing_to_look_at(draft, *rule) {
                let message = format!("the rule `{}` applies to no hop", rule.id());
                let diagnostic =
                    Diagnostic::new("expectation-without-hop", *place, message).label(why).help(help);
                complaints.report(diagnostic);
            }
        }
    }
    if let Some(place) = isolation {
        unmarked(draft, driven, place, complaints);
    }
}

/// Returns why a rule can find nothing in this scenario, and what would change that.
fn nothing_to_look_at(draft: &Draft<'_>, rule: Expectation) -> Option<(&'static str, &'static str)> {
    let hops = || draft.hops.iter().map(|hop| &hop.hop);
    let nodes = || draft.nodes.iter().map(|node| &node.node).skip(1);
    let traces = || nodes().any(Node::exports_telemetry);
    match rule {
        Expectation::HopsKeepRelation | Expectation::SamplingWholePath => hops()
            .all(|hop| hop.relation == Relation::None)
            .then_some(("no hop carries a context", "add a hop with a relation other than `none`")),
        Expectation::ContextNotLeaked => (!hops().any(Hop::drops_baggage)).then_some((
            "no hop has the relation `none` or `baggage: dropped`",
            "use `relation: none` at a hop that no context may cross, or `baggage: dropped` at one without baggage",
        )),
        Expectation::ContextNotAdopted => {
            let invalid = |context: &DriveContext| {
                matches!(context, DriveContext::Invalid { .. } | DriveContext::Raw { .. })
            };
            (!draft.drives.iter().any(|drive| invalid(&drive.drive.context)))
                .then_some(("no drive sends an invalid context", "add a drive with `context: invalid`"))
        }
        Expectation::TracestateKept => kept(draft, "tracestate"),
        Expectation::BaggageKept => kept(draft, "baggage"),
        Expectation::Isolation => {
            (draft.drives.iter().map(|drive| u64::from(drive.drive.times)).sum::<u64>() < 2)
                .then_some(("there is only one stimulus", "set `times` and `concurrency` at a drive"))
        }
        Expectation::TelemetryMatchesWire
        | Expectation::SpansWellFormed
        | Expectation::SpansConnected
        | Expectation::SpansKind
        | Expectation::ResourceNamed => {
            (!traces()).then_some(("no node exports spans", "remove the rule, or add a node with telemetry"))
        }
        Expectation::LogsCorrelated => {
            let logs = hops().any(|hop| hop.steps.iter().any(|step| matches!(step, Step::Log(_))));
            let services = nodes().any(|node| node.kind.is_users_service());
            (!logs && !services).then_some(("no node writes logs", "add a step `{ log: \"...\" }`"))
        }
        Expectation::TracesKept => (draft.expect_traces.is_empty())
            .then_some(("the scenario has no `expect-traces`", "add `expect-traces: [{ kept: whole }]`")),
        Expectation::CollectorsUnchanged => (nodes().all(|node| node.kind.as_collector().is_none()))
            .then_some(("no node is a collector", "remove the rule, or add a node of kind `collector`")),
        Expectation::RelayKeepsContract => (!nodes().any(|node| node.kind.keeps_relay_contract()))
            .then_some(("no node is a relay", "remove the rule")),
        Expectation::HopsCrossed | Expectation::HopsOnlyDeclared => None,
    }
}

/// Returns why nothing of this header can be lost: no drive sends it, or no service forwards it.
fn kept(draft: &Draft<'_>, header: &str) -> Option<(&'static str, &'static str)> {
    if !draft.drives.iter().any(|drive| sends(&drive.drive, header)) {
        return Some(match header {
            "tracestate" => (
                "no drive sends tracestate with a valid context",
                "add `headers: { tracestate: \"acme=1\" }` to a drive",
            ),
            _ => ("no drive sends baggage", "add `headers: { baggage: \"tenant=blue\" }` to a drive"),
        });
    }
    let mut hops = draft.hops.iter().map(|hop| &hop.hop);
    let forwarded = hops.any(|hop| hop.from != NodeIx::CLIENT && hop.relation != Relation::None);
    (!forwarded)
        .then_some(("no service forwards it", "add a hop from a service to another node, or to a `stub: {}`"))
}

fn sends(drive: &Drive, header: &str) -> bool {
    if let DriveContext::Raw { lines, .. } = &drive.context
        && lines.iter().any(|(name, _)| name.eq_ignore_ascii_case(header))
    {
        return true;
    }
    // Without a valid context the receiver starts a new trace, and its tracestate is empty.
    let starts = header == "tracestate"
        && !matches!(drive.context, DriveContext::Valid { .. } | DriveContext::Raw { .. });
    !starts && drive.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(header))
}

/// Reports a hop without marks under concurrency: a swapped context would look healthy under the wrong stimulus there.
fn unmarked(draft: &Draft<'_>, driven: &[bool], place: Option<Place>, complaints: &mut Complaints) {
    let Some(concurrent) = draft.drives.iter().find(|drive| drive.drive.concurrency > 1) else { return };
    let marks = draft.uses.iter().any(|used| used.what == TemplateSubject::Mark);
    for (index, hop) in draft.hops.iter().enumerate().filter(|(index, _)| driven[*index]) {
        let hop = &hop.hop;
        if hop.from == NodeIx::CLIENT
            || service_before(draft, HopIx(index)).is_none()
            || hop.relation == Relation::None
        {
            continue;
        }
        let (from, to) = (draft.node(hop.from), draft.node(hop.to));
        let marker = from.marker.is_some() || to.marker.is_some();
        if marker && (marks || driver_fills(draft, HopIx(index))) {
            continue;
        }
        let message = hop.transport.via().is_some();
        let what = if message { "messages" } else { "requests" };
        let label = match (marker, message) {
            (true, _) => "its marker is never set",
            (false, true) => "cannot tell whose message it is",
            (false, false) => "cannot tell whose request it is",
        };
        let help = if marker {
            "add `${mark}` to `headers` or `body` of the drive".to_owned()
        } else {
            format!(
                "give `{}` a marker, as in `marker: {{ header: x-request-id }}` or `marker: {{ body: id }}`, and send \
                 `${{mark}}` there",
                from.name
            )
        };
        let message =
            format!("`isolation` cannot be judged on `{}`: concurrent {what} carry no mark", hop.id);
        let at_once = concurrent.tree.value_place("concurrency");
        let mut diagnostic =
            Diagnostic::new("isolation-without-mark", hop.place, message).label(label).help(help);
        diagnostic = diagnostic.also(at_once, "concurrent");
        if let Some(place) = place {
            diagnostic = diagnostic.also(place, "expected here");
        }
        complaints.report(diagnostic);
    }
}

/// Returns whether the driver sends the mark: in the instruction of a relay, or where another receiver declares it.
fn driver_fills(draft: &Draft<'_>, hop: HopIx) -> bool {
    let mut at = hop;
    while let Some(cause) = draft.hop(at).within {
        at = cause;
    }
    let first = draft.hop(at);
    let http = match &first.transport {
        Transport::Http(http) => Some(http),
        Transport::Grpc(_) | Transport::Kafka(_) | Transport::RabbitMq(_) | Transport::Sqs(_) => None,
    };
    let declared = match &draft.node(first.to).marker {
        Some(Marker::Path) => http.is_some_and(|http| http.path.as_ref().is_none_or(PathPattern::has_room)),
        Some(Marker::Query(_)) => http.is_some(),
        Some(Marker::Body(_)) => !matches!(first.transport, Transport::Grpc(_)),
        Some(Marker::Header(_)) => true,
        None => false,
    };
    declared || readers(draft, at).into_iter().any(|reader| draft.is_relay(draft.hop(reader).to))
}
