//! Hops over which nobody sends: the broker moves there what the receiver of another hop gives up.

use crate::diagnostic::Diagnostic;
use crate::scenario::build::{Draft, HopDraft};
use crate::scenario::complaints::Complaints;
use crate::scenario::hop::{Hop, Step, Transport};
use crate::scenario::index::HopIx;
use crate::scenario::relation::{Relation, RestartSide};

pub(super) fn check(draft: &Draft<'_>, complaints: &mut Complaints) {
    for (index, moved) in draft.hops.iter().enumerate() {
        let Some(of) = moved.hop.dead_letter_of else { continue };
        // A circle is reported as such.
        if of == HopIx(index) || complaints.misfit(moved.tree.value_place("dead-letter-of")) {
            continue;
        }
        let mut check = DeadLetterCheck { draft, moved, of: &draft.hops[of.0], complaints };
        if check.broker() {
            check.ends();
            check.queue();
            check.given_up();
        }
        check.sent_by_nobody();
        check.relation();
        let others = draft.hops[..index].iter();
        if let Some(first) = others.into_iter().find(|other| other.hop.dead_letter_of == Some(of)) {
            twice(&first.hop, moved, &draft.hops[of.0].hop, complaints);
        }
    }
}

struct DeadLetterCheck<'d, 'a, 'c> {
    draft: &'d Draft<'a>,
    moved: &'d HopDraft<'a>,
    of: &'d HopDraft<'a>,
    complaints: &'c mut Complaints,
}

impl DeadLetterCheck<'_, '_, '_> {
    /// Returns whether the two go through the same broker, one that moves messages.
    fn broker(&mut self) -> bool {
        let (moved, of) = (&self.moved.hop, &self.of.hop);
        let place = self.moved.tree.value_place("dead-letter-of");
        if let Some(other) = [moved, of].into_iter().find(|hop| !hop.transport.moves_dead_letters()) {
            let what = match &other.transport {
                Transport::Kafka(_) => "Kafka has no dead-letter topics".to_owned(),
                transport => format!("{} has no dead letters", transport.word()),
            };
            let help =
                "remove `dead-letter-of`: a service that forwards what it cannot handle is an ordinary hop";
            let diagnostic = Diagnostic::new("dead-letter-of-transport", place, what);
            self.complaints
                .report(diagnostic.also(other.place, format!("over {}", other.transport.word())).help(help));
            return false;
        }
        if moved.transport.via() != of.transport.via() {
            let message =
                format!("`{}` goes through another broker, and dead letters stay in their broker", of.id);
            let diagnostic = Diagnostic::new("dead-letter-elsewhere", place, message);
            self.complaints.report(
                diagnostic
                    .also(self.of.transport.value_place("via"), "another broker")
                    .help("use the same `via` at both hops"),
            );
            return false;
        }
        true
    }

    fn ends(&mut self) {
        let (moved, of) = (&self.moved.hop, &self.of.hop);
        if moved.from == of.to {
            return;
        }
        let reader = &self.draft.node(of.to).name;
        let message = format!("dead letters of `{}` come from its reader `{reader}`", of.id);
        let diagnostic =
            Diagnostic::new("dead-letter-elsewhere", self.moved.transport.value_place("from"), message);
        let place = self.of.transport.value_place("to");
        self.complaints.report(diagnostic.also(place, "its reader").help(format!("write `from: {reader}`")));
    }

    fn queue(&mut self) {
        let (moved, of) = (&self.moved.hop, &self.of.hop);
        if moved.transport.source() == of.transport.source() {
            let message = format!("rejected messages of `{}` would return to the same queue", of.id);
            let diagnostic =
                Diagnostic::new("dead-letter-elsewhere", self.moved.transport.value_place("queue"), message);
            let place = self.of.transport.value_place("queue");
            self.complaints
                .report(diagnostic.also(place, "same queue").help("use a separate queue for dead letters"));
        }
    }

    /// Reports a relay that never rejects a message. It rejects only what its instruction says: on SQS by a nack,
    /// after which the queue's redrive takes the message, on RabbitMQ by a reject (relay contract, section 1: a
    /// failure counts as one).
    fn given_up(&mut self) {
        let of = &self.of.hop;
        let by_nack = match of.transport {
            Transport::Sqs(_) => true,
            Transport::Http(_) | Transport::Grpc(_) | Transport::Kafka(_) | Transport::RabbitMq(_) => false,
        };
        let wanted = if by_nack { "nack" } else { "reject" };
        let gives_up =
            of.steps.iter().any(|step| matches!(step, Step::Fail(how) if (how == "nack") == by_nack));
        if gives_up || !self.draft.is_relay(of.to) {
            return;
        }
        let reader = &self.draft.node(of.to).name;
        let message = format!(
            "the relay `{reader}` never rejects a message of `{}`, so there are no dead letters",
            of.id
        );
        let place = self.moved.tree.value_place("dead-letter-of");
        let diagnostic = Diagnostic::new("dead-letter-never", place, message).label("never happens");
        let help = format!("add `steps: [{{ fail: {wanted} }}]` to `{}`", of.id);
        self.complaints.report(diagnostic.also(of.place, "read by a relay").help(help));
    }

    fn sent_by_nobody(&mut self) {
        let HopDraft { hop, tree, transport } = self.moved;
        let keys = ["exchange", "exchange-type", "routing-key", "delay"];
        for stray in keys.iter().filter_map(|key| transport.entry(key)) {
            let message = format!(
                "`{}` has no effect: the broker moves dead letters, nobody publishes them",
                stray.key.value
            );
            let help = "remove it: the broker moves them to `queue`";
            self.complaints.report(Diagnostic::new("stray-key", stray.key.place, message).help(help));
        }
        if let Some(steps) = tree.entry("steps") {
            let message = "`steps` has no effect: the broker moves dead letters, nobody sends them";
            let diagnostic = Diagnostic::new("stray-key", steps.key.place, message);
            let help = format!("remove `steps`, or add them to `{}`", self.of.hop.id);
            self.complaints.report(diagnostic.also(self.of.hop.place, "sent here").help(help));
        }
        if hop.times.max > 1 {
            let message = "a message becomes a dead letter at most once";
            let help = "use `times: { min: 0, max: 1 }` if only some do, or remove `times`";
            self.complaints
                .report(Diagnostic::new("bad-times", tree.value_place("times"), message).help(help));
        }
    }

    fn relation(&mut self) {
        let hop = &self.moved.hop;
        let at_sender = hop.relation.restarts_at() == Some(RestartSide::Sender);
        if at_sender || hop.relation == Relation::None {
            let message =
                "the broker moves a dead letter with the context that it has, so no sender can change it";
            let diagnostic = Diagnostic::new("contradiction", hop.relation_place, message);
            let help = if at_sender {
                "use `at: receiver`, or remove `at`"
            } else {
                "use `child`, `link` or `child-or-link`"
            };
            self.complaints.report(diagnostic.help(help));
        }
    }
}

fn twice(first: &Hop, second: &HopDraft<'_>, of: &Hop, complaints: &mut Complaints) {
    let message = format!("dead letters of `{}` go to one queue, and two hops name one", of.id);
    let place = second.tree.value_place("dead-letter-of");
    let diagnostic = Diagnostic::new("two-kinds", place, message).label("second");
    complaints.report(diagnostic.also(first.place, "first").help("remove one of the two hops"));
}
