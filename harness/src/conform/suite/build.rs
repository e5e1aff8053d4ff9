//! A suite's file -> `Suite`, or everything that is wrong with it.

use std::sync::Arc;

use super::notation::{NotationError, Text};
use super::{
    Across, AllowedOutcome, CarrierKind, Configuration, ContextFlag, Demands, InstructionStep, ListDemand,
    OutcomeKind, PreparedAnswer, Propagation, Requirement, ResponseStatement, SpanStatement, Strength, Suite,
    Vector, format,
};
use crate::conform::document;
use crate::conform::transport::TransportKind;
use crate::diagnostic::Diagnostic;
use crate::scenario::Role;
use crate::scenario::complaints::Complaints;
use crate::scenario::tree::{KeyValue, Tree};
use crate::source::{Place, Source};
use crate::wire::Format;

pub(super) fn suite(source: &Arc<Source>) -> Result<Suite, Vec<Diagnostic>> {
    let mut complaints = Complaints::default();
    let Some(root) = document::read(source, &format::SUITE, &mut complaints) else {
        return Err(complaints.finish());
    };
    let format = format_of(&root).unwrap_or(Format::TraceContext);
    let configuration = configuration(root.get("configuration"));
    let mut builder = Builder { complaints, format, configuration };
    let requirements = root.get("requirements").map_or(&[][..], Tree::entries);
    let requirements = requirements.iter().map(|entry| builder.requirement(entry)).collect();
    let (name, about) = (text_at(&root, "suite"), text_at(&root, "about"));
    let is_on_request = root.get("on-request").is_some();
    let suite = Suite { source: source.clone(), name, about, is_on_request, requirements };
    if builder.complaints.is_empty() { Ok(suite) } else { Err(builder.complaints.finish()) }
}

struct Builder {
    complaints: Complaints,
    /// The format and the configuration of the suite.
    format: Format,
    configuration: Configuration,
}

impl Builder {
    fn requirement(&mut self, KeyValue { key, value }: &KeyValue) -> Requirement {
        let level = number(value, "level").unwrap_or(1);
        let mut vectors = Vec::new();
        let settings = match value.get("configuration") {
            Some(own) => configuration(Some(own)),
            None => self.configuration.clone(),
        };
        for entry in value.get("vectors").map_or(&[][..], Tree::entries) {
            self.vectors(entry, level, &mut vectors);
        }
        let twin = value.text_at("twin").map(str::to_owned);
        let twin = twin.or_else(|| vectors.iter().find(|v| v.must_continue()).map(|v| v.name.clone()));
        for vector in vectors.iter_mut().filter(|vector| vector.must_restart() && !vector.send.is_empty()) {
            vector.twin = vector.twin.take().or_else(|| twin.clone());
        }
        for vector in vectors.iter_mut().filter(|vector| vector.configuration.is_default()) {
            vector.configuration = settings.clone();
        }
        self.twins(&vectors);
        let format = format_of(value).unwrap_or(self.format);
        let outcomes = vectors.iter_mut().flat_map(|vector| &mut vector.expect);
        outcomes
            .filter(|outcome| outcome.formats.is_empty())
            .for_each(|outcome| outcome.formats = vec![format]);
        Requirement {
            id: key.value.clone(),
            place: key.place,
            says: text_at(value, "says"),
            strength: of_word(Strength::ALL, |s| s.word(), value.text_at("strength"))
                .unwrap_or(Strength::Must),
            level,
            role: of_word(Role::ALL, |r| r.word(), value.text_at("role")).unwrap_or(Role::Participant),
            clause: text_at(value, "clause"),
            over: of_words(TransportKind::ALL, |carrier| carrier.word(), value.get("over")),
            needs: texts(value.get("needs")),
            w3c: texts(value.get("w3c")),
            note: value.text_at("note").map(|note| note.trim().to_owned()),
            vectors,
        }
    }

    /// Checks that each vector that starts a new trace stands beside one that is continued, without which it proves
    /// nothing.
    fn twins(&mut self, vectors: &[Vector]) {
        for vector in vectors {
            let must_have_one = vector.must_restart() && !vector.send.is_empty();
            if !must_have_one && vector.twin.is_none() {
                continue;
            }
            let named = vector.twin.as_ref().map(|twin| vectors.iter().find(|other| other.name == *twin));
            let (message, help) = match named {
                Some(Some(twin)) if twin.must_continue() => continue,
                Some(Some(twin)) => (
                    format!("its twin `{}` need not be continued", twin.name),
                    "name a vector that must be continued",
                ),
                Some(None) => (
                    "its twin is not a vector of this requirement".to_owned(),
                    "name a vector of this requirement",
                ),
                None => (
                    format!("`{}` starts a new trace, and no vector here must be continued", vector.name),
                    "a service that never continues would pass: add a vector that it must continue",
                ),
            };
            self.complaints.report(Diagnostic::new("no-twin", vector.place, message).help(help));
        }
    }

    /// Adds one vector, or one for each entry of `each`.
    fn vectors(&mut self, KeyValue { key, value }: &KeyValue, level: u8, vectors: &mut Vec<Vector>) {
        match value.get("each").map(Tree::entries) {
            None => vectors.push(self.vector(key.value.clone(), Expansion::none(key.place), value, level)),
            Some(each) => {
                for entry in each {
                    let name = format!("{}.{}", key.value, entry.key.value);
                    let each = Expansion { place: entry.key.place, text: entry.value.text() };
                    vectors.push(self.vector(name, each, value, level));
                }
            }
        }
    }

    fn vector(&mut self, name: String, each: Expansion<'_>, tree: &Tree, level: u8) -> Vector {
        let Expansion { place, text: each } = each;
        let send = self.pairs(tree.get("send"), each);
        let expect = tree.get("expect").map_or(&[][..], Tree::one_or_more);
        let expect: Vec<AllowedOutcome> =
            expect.iter().filter_map(|outcome| self.outcome(outcome, each)).collect();
        let minted = send.iter().any(|(_, value)| value.has_trace_id());
        if !minted && expect.iter().any(continues_the_minted_trace) {
            let message = "a continued trace needs `{T}` in `send`, or `trace-id` in `expect`";
            self.wrong("no-trace-id", place, message);
        }
        let only = number(tree, "level");
        let steps = self.steps(tree, each);
        let propagation = self.propagation(tree, each);
        let calls = steps.iter().map(InstructionStep::calls).sum();
        Vector {
            name,
            place,
            send,
            configuration: filled(configuration(tree.get("configuration")), each),
            needs: texts(tree.get("needs")),
            propagation,
            then: configuration(tree.get("then")),
            upstream: self.upstream(tree, each),
            calls,
            steps,
            fails: tree.get("fails").is_some(),
            requests: count(tree, "requests"),
            across: of_words(Across::ALL, |across| across.word(), tree.get("across")),
            response: of_words(ResponseStatement::ALL, |one| one.word(), tree.get("response")),
            telemetry: of_words(SpanStatement::ALL, |statement| statement.word(), tree.get("telemetry")),
            expect,
            twin: tree.text_at("twin").map(str::to_owned),
            levels: only.unwrap_or(level)..=only.unwrap_or(3),
        }
    }

    fn steps(&mut self, tree: &Tree, each: Option<&str>) -> Vec<InstructionStep> {
        let Some(list) = tree.get("steps") else {
            return vec![InstructionStep::call(); count(tree, "calls")];
        };
        let mut steps = Vec::new();
        for item in list.items() {
            let text = item.text().unwrap_or_default().replace("{each}", each.unwrap_or("{each}"));
            match InstructionStep::read(&text) {
                Ok(step) => steps.push(step),
                Err(wrong) => self.bad_notation(item, &wrong),
            }
        }
        steps
    }

    fn propagation(&mut self, tree: &Tree, each: Option<&str>) -> Option<Propagation> {
        let carrier = of_word(CarrierKind::ALL, |carrier| carrier.word(), tree.text_at("propagate"));
        let into = self.pairs(tree.get("into"), each);
        if carrier.is_none() && !into.is_empty() {
            self.wrong("no-propagate", tree.value_place("into"), "`into` needs `propagate`");
        }
        carrier.map(|carrier| Propagation { carrier, into })
    }

    fn upstream(&mut self, tree: &Tree, each: Option<&str>) -> Option<PreparedAnswer> {
        let fields = self.pairs(tree.get("upstream-answers"), each);
        let failures = tree.get("upstream-fails").map_or(0, |_| count(tree, "upstream-fails"));
        (!fields.is_empty() || failures > 0).then_some(PreparedAnswer { fields, failures })
    }

    fn outcome(&mut self, tree: &Tree, each: Option<&str>) -> Option<AllowedOutcome> {
        if let Some(word) = tree.text() {
            let kind = of_word(OutcomeKind::ALL, |kind| kind.word(), Some(word))?;
            return Some(AllowedOutcome {
                name: word.to_owned(),
                kind,
                formats: Vec::new(),
                demands: Demands::default(),
            });
        }
        let kind = OutcomeKind::ALL.iter().find(|kind| tree.get(kind.word()).is_some())?;
        let demands = tree.get(kind.word())?;
        let name = tree.text_at("as").unwrap_or(kind.word()).to_owned();
        let formats = texts(demands.get("format")).iter().filter_map(|word| format_named(word)).collect();
        Some(AllowedOutcome { name, kind: *kind, formats, demands: self.demands(demands, each) })
    }

    fn demands(&mut self, tree: &Tree, each: Option<&str>) -> Demands {
        Demands {
            trace_id: tree.get("trace-id").map(|id| self.text(id, each)),
            parent_id: tree.get("parent-id").map(|id| self.text(id, each)),
            tracestate: tree.get("tracestate").map(|list| self.list(list, each)),
            baggage: tree.get("baggage").map(|list| self.list(list, each)),
            keeps_parent: tree.get("keeps-parent").is_some(),
            own_tracestate: self.texts(tree.get("own-tracestate"), each),
            own_baggage: self.texts(tree.get("own-baggage"), each),
            lacks: self.texts(tree.get("lacks"), each),
            set: flags(tree.get("set")),
            clear: flags(tree.get("clear")),
            without: texts(tree.get("without")),
            alone: tree.get("alone").is_some(),
            fields: self.pairs(tree.get("fields"), each),
            holds: self.pairs(tree.get("holds"), each),
            entries: self.entries(tree.get("entries"), each),
            lacks_entries: self.entries(tree.get("lacks-entries"), each),
            first: tree.get("first").map(|key| self.text(key, each)),
        }
    }

    /// Reads fields, each a list of name and value.
    fn pairs(&mut self, tree: Option<&Tree>, each: Option<&str>) -> Vec<(Text, Text)> {
        let mut pairs = Vec::new();
        for pair in tree.map_or(&[][..], Tree::items) {
            match pair.items() {
                [name, value] => pairs.push((self.text(name, each), self.text(value, each))),
                _ => self.wrong("not-a-pair", pair.place, "a field is a pair: `[name, value]`"),
            }
        }
        pairs
    }

    /// Reads keys of tracestate, each with one text or several.
    fn entries(&mut self, tree: Option<&Tree>, each: Option<&str>) -> Vec<(Text, Vec<Text>)> {
        let members = tree.map_or(&[][..], Tree::entries);
        let mut entries = Vec::new();
        for KeyValue { key, value } in members {
            let name = Text::read(&key.value).unwrap_or_default();
            entries.push((name, value.one_or_more().iter().map(|entry| self.text(entry, each)).collect()));
        }
        entries
    }

    /// Reads the members, or `none`, or `some`.
    fn list(&mut self, tree: &Tree, each: Option<&str>) -> ListDemand {
        match tree.text() {
            Some("some") => ListDemand::Some,
            _ => ListDemand::Exactly(tree.items().iter().map(|item| self.text(item, each)).collect()),
        }
    }

    fn texts(&mut self, tree: Option<&Tree>, each: Option<&str>) -> Vec<Text> {
        tree.map_or(&[][..], Tree::one_or_more).iter().map(|item| self.text(item, each)).collect()
    }

    fn bad_notation(&mut self, tree: &Tree, wrong: &NotationError) {
        self.complaints.report(Diagnostic::new("bad-notation", tree.place, wrong.to_string()));
    }

    fn text(&mut self, tree: &Tree, each: Option<&str>) -> Text {
        let text = tree.text().unwrap_or_default();
        let text = text.replace("{each}", each.unwrap_or("{each}"));
        match Text::read(&text) {
            Ok(text) => text,
            Err(wrong) => {
                self.bad_notation(tree, &wrong);
                Text::default()
            }
        }
    }

    fn wrong(&mut self, code: &'static str, place: Place, message: &str) {
        self.complaints.report(Diagnostic::new(code, place, message));
    }
}

/// An entry of `each`, or the vector itself where it has no `each`.
struct Expansion<'a> {
    place: Place,
    text: Option<&'a str>,
}

impl Expansion<'_> {
    fn none(place: Place) -> Self {
        Expansion { place, text: None }
    }
}

/// Returns true when the outcome continues the trace whose id is minted.
fn continues_the_minted_trace(outcome: &AllowedOutcome) -> bool {
    outcome.kind == OutcomeKind::Continue && outcome.demands.trace_id.is_none()
}

fn format_of(tree: &Tree) -> Option<Format> {
    format_named(tree.text_at("format")?)
}

fn format_named(word: &str) -> Option<Format> {
    format::FORMAT_WORDS.iter().find(|(_, known)| *known == word).map(|(format, _)| *format)
}

fn flags(tree: Option<&Tree>) -> Vec<ContextFlag> {
    of_words(ContextFlag::ALL, |flag| flag.word(), tree)
}

fn text_at(tree: &Tree, key: &str) -> String {
    tree.text_at(key).unwrap_or_default().trim().to_owned()
}

fn configuration(tree: Option<&Tree>) -> Configuration {
    tree.map(configuration_of).unwrap_or_default()
}

/// Replaces `{each}` in the values of a configuration.
fn filled(mut configuration: Configuration, each: Option<&str>) -> Configuration {
    if let Some(each) = each {
        configuration.0.iter_mut().for_each(|(_, value)| *value = value.replace("{each}", each));
    }
    configuration
}

/// Reads a configuration.
pub(crate) fn configuration_of(tree: &Tree) -> Configuration {
    let settings = format::settings().filter_map(|(setting, key)| {
        let value = texts(Some(tree.get(key.name)?)).join(",");
        Some((setting, value))
    });
    Configuration(settings.collect())
}

fn number(tree: &Tree, key: &str) -> Option<u8> {
    tree.get(key).and_then(Tree::number).and_then(|number| u8::try_from(number).ok())
}

fn count(tree: &Tree, key: &str) -> usize {
    tree.get(key).and_then(Tree::number).and_then(|number| usize::try_from(number).ok()).unwrap_or(1)
}

fn texts(tree: Option<&Tree>) -> Vec<String> {
    let items = tree.map_or(&[][..], Tree::one_or_more);
    items.iter().filter_map(|item| item.text().map(str::to_owned)).collect()
}

fn of_word<T: Copy>(all: &[T], word: fn(&T) -> &'static str, text: Option<&str>) -> Option<T> {
    all.iter().find(|one| Some(word(one)) == text).copied()
}

fn of_words<T: Copy>(all: &[T], word: fn(&T) -> &'static str, tree: Option<&Tree>) -> Vec<T> {
    texts(tree).iter().filter_map(|text| of_word(all, word, Some(text))).collect()
}
