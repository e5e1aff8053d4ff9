//! Checks that nodes can reach each other: addresses that templates give, ports, answers of stubs.

use crate::diagnostic::Diagnostic;
use crate::scenario::build::{Draft, HopDraft, NodeDraft, TemplateSubject, TemplateUse};
use crate::scenario::complaints::Complaints;
use crate::scenario::hop::Transport;
use crate::scenario::index::NodeIx;
use crate::scenario::node_kind::{NodeKind, Readiness, StubAnswer};

pub(super) fn check(draft: &Draft<'_>, complaints: &mut Complaints) {
    if !draft.incomplete {
        for used in &draft.uses {
            names_a_hop(draft, used, complaints);
        }
    }
    for hop in &draft.hops {
        url_serves(draft, hop, complaints);
    }
    for (index, node) in draft.nodes.iter().enumerate() {
        listens(draft, NodeIx(index), node, complaints);
        stub_answers(draft, NodeIx(index), node, complaints);
    }
}

/// Reports a template without its hop: the address is that of the tap on the hop.
fn names_a_hop(draft: &Draft<'_>, used: &TemplateUse, complaints: &mut Complaints) {
    let (to, word, member) = match used.what {
        TemplateSubject::Http(to) => (to, "http", "url"),
        TemplateSubject::Grpc(to) => (to, "grpc", "grpc"),
        TemplateSubject::Address(to) => {
            let called = draft.hops.iter().any(|hop| {
                hop.hop.from == used.user && hop.hop.to == to && hop.hop.transport.via().is_none()
            });
            if called {
                return;
            }
            (to, "http", "host")
        }
        TemplateSubject::Broker(broker) => return goes_through(draft, used, broker, complaints),
        TemplateSubject::SelfPort | TemplateSubject::Mark => return,
    };
    let mut hops = draft.hops.iter().map(|hop| &hop.hop);
    let called = hops.any(|hop| hop.from == used.user && hop.to == to && hop.transport.word() == word);
    if called || draft.node(to).is_helper {
        return;
    }
    let (user, to) = (&draft.node(used.user).name, &draft.node(to).name);
    let message = format!("`${{{to}.{member}}}` needs an {word} hop from `{user}` to `{to}`");
    let message = message.replace("an grpc", "a grpc");
    let help = format!("add a hop: `{user}-to-{to}: {{ {word}: {{ from: {user}, to: {to} }} }}`");
    let diagnostic = Diagnostic::new("template-without-hop", used.place, message).label("no such hop");
    complaints.report(diagnostic.help(help));
}

/// Reports a template of a broker without a hop: the address is that of the node's own tap, or of the broker itself.
fn goes_through(draft: &Draft<'_>, used: &TemplateUse, broker: NodeIx, complaints: &mut Complaints) {
    let mut hops = draft.hops.iter().map(|hop| &hop.hop);
    if hops.any(|hop| hop.transport.via() == Some(broker) && [hop.from, hop.to].contains(&used.user)) {
        return;
    }
    let (user, name) = (&draft.node(used.user).name, &draft.node(broker).name);
    let message = format!("this template needs a hop of `{user}` through `{name}`");
    let help = format!("add a hop from or to `{user}` with `via: {name}`");
    let diagnostic = Diagnostic::new("template-without-hop", used.place, message).label("no such hop");
    complaints.report(diagnostic.help(help));
}

fn url_serves(draft: &Draft<'_>, hop: &HopDraft<'_>, complaints: &mut Complaints) {
    let node = &draft.nodes[hop.hop.to.0];
    let NodeKind::Url(url) = &node.node.kind else { return };
    let (missing, key) = match hop.hop.transport {
        Transport::Http(_) => (url.http.is_none(), "http"),
        Transport::Grpc(_) => (url.grpc.is_none(), "grpc"),
        Transport::Kafka(_) | Transport::RabbitMq(_) | Transport::Sqs(_) => return,
    };
    if missing {
        let name = &node.node.name;
        let message = format!("`{name}` has no {key} address");
        let help = format!("set `url: {{ {key}: \"http://host:port\" }}` at `{name}`");
        let place = hop.transport.value_place("to");
        let diagnostic =
            Diagnostic::new("address-missing", place, message).label(format!("called over {key}"));
        complaints.report(diagnostic.also(node.node.place, "its addresses").help(help));
    }
}

/// Reports a program that is reached at a port and is not given it.
fn listens(draft: &Draft<'_>, ix: NodeIx, node: &NodeDraft<'_>, complaints: &mut Complaints) {
    let NodeKind::Command(command) = &node.node.kind else { return };
    let given = draft.uses.iter().any(|used| used.user == ix && used.what == TemplateSubject::SelfPort);
    if given
        || command.port.is_some()
        || !command.files.is_empty()
        || command.gateway.is_some()
        || draft.misread.contains(&ix)
    {
        return;
    }
    let reached = draft.hops.iter().any(|hop| hop.hop.to == ix && hop.hop.transport.via().is_none());
    let asked = !matches!(command.ready, Readiness::Output(_));
    if !reached && !asked {
        return;
    }
    let name = &node.node.name;
    let message = format!("`{name}` is not given the port to listen on");
    let help = if reached {
        "add `${self.port}` to its `env` or `command`, or set the `port` that it uses"
    } else {
        "add `${self.port}` to its `env` or `command`, or use `ready: { output: \"...\" }`"
    };
    let label = if reached { "a hop ends here" } else { "probed at its port" };
    complaints.report(Diagnostic::new("port-not-given", node.node.place, message).label(label).help(help));
}

/// Reports answers of a transport over which no node reaches the stub.
fn stub_answers(draft: &Draft<'_>, ix: NodeIx, node: &NodeDraft<'_>, complaints: &mut Complaints) {
    let NodeKind::Stub(stub) = &node.node.kind else { return };
    let called = is_called(draft, ix, "http") || is_called(draft, ix, "grpc");
    let reads = draft.hops.iter().any(|hop| hop.hop.to == ix && hop.hop.transport.via().is_some());
    if draft.incomplete || !(called || reads) {
        return;
    }
    let answers = node.tree.and_then(|tree| tree.get("stub")?.get("answers"));
    if let (Some(answers), false) = (answers, called) {
        let message = format!("`{}` only reads messages, which get no answer", node.node.name);
        let help = "remove `answers`: a stub acknowledges every message";
        complaints.report(Diagnostic::new("answer-never-given", answers.place, message).help(help));
        return;
    }
    let items = answers.map_or(&[][..], |tree| tree.items());
    for (answer, tree) in stub.answers.iter().zip(items) {
        let word = match answer {
            StubAnswer::Http { .. } => "http",
            StubAnswer::Grpc { .. } => "grpc",
            StubAnswer::HangUp => continue,
        };
        if !is_called(draft, ix, word) {
            let message =
                format!("no hop calls `{}` over {word}, so this answer is never sent", node.node.name);
            let help = match word {
                "http" => "a gRPC answer is written `{ grpc: 14 }`",
                _ => "an HTTP answer is a status such as `503`",
            };
            complaints.report(Diagnostic::new("answer-never-given", tree.place, message).help(help));
        }
    }
}

fn is_called(draft: &Draft<'_>, node: NodeIx, word: &str) -> bool {
    draft.hops.iter().any(|hop| hop.hop.to == node && hop.hop.transport.word() == word)
}
