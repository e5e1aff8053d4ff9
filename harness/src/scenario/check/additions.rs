//! Checks what a gateway is there to add: headers of its own, to requests that it forwards.

use crate::diagnostic::Diagnostic;
use crate::scenario::build::{Draft, NodeDraft};
use crate::scenario::complaints::Complaints;
use crate::scenario::index::NodeIx;
use crate::scenario::tree::{KeyValue, Tree};

pub(super) fn check(draft: &Draft<'_>, complaints: &mut Complaints) {
    for (index, node) in draft.nodes.iter().enumerate() {
        let Some(adds) = node.tree.and_then(|tree| tree.entry("adds")) else { continue };
        if !node.known {
            continue;
        }
        complaints.extend(without_effect(draft, NodeIx(index), node, adds));
        for name in adds.value.items() {
            complaints.extend(not_its_own(node, name));
        }
    }
}

/// Returns the error of additions that no request can show.
fn without_effect(
    draft: &Draft<'_>,
    ix: NodeIx,
    node: &NodeDraft<'_>,
    adds: &KeyValue,
) -> Option<Diagnostic> {
    let name = &node.node.name;
    if !node.node.is_gateway {
        let message = format!("`adds` lists what a gateway adds, and `{name}` is not a gateway");
        return Some(
            stray(adds, message).help("add `role: forwarder` or `role: participant`, or remove `adds`"),
        );
    }
    let requests = draft.hops.iter().filter(|hop| hop.hop.from == ix && hop.hop.transport.via().is_none());
    if requests.clone().next().is_none() {
        let message =
            format!("`adds` is seen on the requests of `{name}`, and no `http` or `grpc` hop leaves it");
        let help = "add a hop from it to the node behind it, or remove `adds`";
        return (!draft.incomplete).then(|| stray(adds, message).help(help));
    }
    let unseen = requests.into_iter().find(|hop| !hop.hop.tapped)?;
    let message = format!("nothing shows what `{name}` adds on `{}`: it has no tap", unseen.hop.id);
    let diagnostic = Diagnostic::new("no-witness", unseen.tree.place_of("tap"), message).label("no tap");
    Some(diagnostic.also(adds.key.place, "needs a tap").help("remove `tap: none`, or `adds`"))
}

fn stray(adds: &KeyValue, message: String) -> Diagnostic {
    Diagnostic::new("stray-key", adds.key.place, message).label("no effect")
}

/// Returns the error of a header that other keys judge.
fn not_its_own(node: &NodeDraft<'_>, name: &Tree) -> Option<Diagnostic> {
    let text = name.text()?.to_ascii_lowercase();
    let (message, help) = match text.as_str() {
        "traceparent" => (
            "`traceparent` is judged by the relation of the hop".to_owned(),
            "remove it; a gateway that starts or continues traces has `role: participant`",
        ),
        "baggage" => (
            "`baggage` is judged by the keys that a node sets".to_owned(),
            "remove it, and write `adds-baggage: [KEY]`",
        ),
        "tracestate" if node.node.tracestate_key.is_none() => (
            "`tracestate` among `adds` is the gateway's own member, and its key is not known".to_owned(),
            "add `tracestate-key: KEY`",
        ),
        _ => return None,
    };
    Some(Diagnostic::new("not-its-own", name.place, message).help(help))
}
