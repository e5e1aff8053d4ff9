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
        // A circle is told as such.
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
    /// Whether the two go through the same broker, one that moves messages.
    fn broker(&mut self) -> bool {
        let (moved, of) = (&self.moved.hop, &self.of.hop);
        let place = self.moved.tree.value_place("dead-letter-of");
        if let Some(other) = [moved, of].into_iter().find(|hop| !hop.transport.moves_dead_letters()) {
            let what = match &other.transport {
                Transport::Kafka(_) => "a topic of Kafka has no dead letters".to_owned(),
                transport => format!("over {} nothing becomes a dead letter", transport.word()),
            };
            let help = "a service that sends on what it cannot handle is an ordinary hop; leave `dead-letter-of` out";
            let mistake = Diagnostic::new("dead-letter-of-transport", place, what);
            self.complaints
                .say(mistake.also(other.place, format!("over {}", other.transport.word())).help(help));
            return false;
        }
        if moved.transport.via() != of.transport.via() {
            let message =
                format!("`{}` goes through another broker, and a broker moves messages within itself", of.id);
            let mistake = Diagnostic::new("dead-letter-elsewhere", place, message);
            self.complaints.say(
                mistake
                    .also(self.of.transport.value_place("via"), "that broker")
                    .help("name the same broker in `via` of both"),
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
        let message = format!("dead letters of `{}` come from `{reader}`, which reads them", of.id);
        let mistake =
            Diagnostic::new("dead-letter-elsewhere", self.moved.transport.value_place("from"), message);
        let place = self.of.transport.value_place("to");
        self.complaints.say(mistake.also(place, "read here").help(format!("say `from: {reader}`")));
    }

    fn queue(&mut self) {
        let (moved, of) = (&self.moved.hop, &self.of.hop);
        if moved.transport.source() == of.transport.source() {
            let message =
                format!("what is given up in this queue would come back to it: `{}` reads it too", of.id);
            let mistake =
                Diagnostic::new("dead-letter-elsewhere", self.moved.transport.value_place("queue"), message);
            let place = self.of.transport.value_place("queue");
            self.complaints
                .say(mistake.also(place, "the same queue").help("name a queue for the dead letters alone"));
        }
    }

    /// A relay gives up only what it is told to: on SQS by a nack, after which the queue's redrive takes the
    /// message, on RabbitMQ by a reject (relay contract, section 1: a failure counts as one).
    fn given_up(&mut self) {
        let of = &self.of.hop;
        let (wanted, fits): (&str, fn(&str) -> bool) = match of.transport {
            Transport::Sqs(_) => ("nack", |how| how == "nack"),
            _ => ("reject", |how| how != "nack"),
        };
        let gives_up = of.steps.iter().any(|step| matches!(step, Step::Fail(how) if fits(how)));
        if gives_up || !self.draft.is_relay(of.to) {
            return;
        }
        let reader = &self.draft.node(of.to).name;
        let message =
            format!("`{reader}` gives nothing up, so that no message of `{}` becomes a dead letter", of.id);
        let place = self.moved.tree.value_place("dead-letter-of");
        let mistake = Diagnostic::new("dead-letter-never", place, message).label("given up by whom?");
        let help = format!("add `steps: [{{ fail: {wanted} }}]` to `{}`", of.id);
        self.complaints.say(mistake.also(of.place, "its receiver is a relay").help(help));
    }

    fn sent_by_nobody(&mut self) {
        let HopDraft { hop, tree, transport } = self.moved;
        let keys = ["exchange", "exchange-type", "routing-key", "delay"];
        for stray in keys.iter().filter_map(|key| transport.entry(key)) {
            let message =
                format!("`{}` is for what is published, and dead letters are moved", stray.key.value);
            let help = "leave it out: the broker moves them to `queue`";
            self.complaints.say(Diagnostic::new("stray-key", stray.key.place, message).help(help));
        }
        if let Some(steps) = tree.entry("steps") {
            let message =
                "nobody sends a dead letter, and what its reader does stands in the message already";
            let mistake = Diagnostic::new("stray-key", steps.key.place, message);
            let help = format!("leave them out; the steps of `{}` are in the message", self.of.hop.id);
            self.complaints.say(mistake.also(self.of.hop.place, "sent here").help(help));
        }
        if hop.times.max > 1 {
            let message = "a message becomes a dead letter once";
            let help = "say `times: { min: 0, max: 1 }` where only some do, and leave `times` out otherwise";
            self.complaints.say(Diagnostic::new("bad-times", tree.value_place("times"), message).help(help));
        }
    }

    fn relation(&mut self) {
        let hop = &self.moved.hop;
        let at_sender = hop.relation.restarts_at() == Some(RestartSide::Sender);
        if at_sender || hop.relation == Relation::None {
            let message = "nobody sends a dead letter, and the broker moves it with the context that it had";
            let mistake = Diagnostic::new("contradiction", hop.relation_place, message);
            let help = match at_sender {
                true => "say `at: receiver`, or leave `at` out",
                false => "say `child`, `link` or `child-or-link`",
            };
            self.complaints.say(mistake.help(help));
        }
    }
}

fn twice(first: &Hop, second: &HopDraft<'_>, of: &Hop, complaints: &mut Complaints) {
    let message = format!("the dead letters of `{}` go to one queue", of.id);
    let place = second.tree.value_place("dead-letter-of");
    let mistake = Diagnostic::new("two-kinds", place, message).label("the second");
    complaints.say(mistake.also(first.place, "the first").help("keep one of the two hops"));
}
