//! A target file: the name of an implementation, the way to start it, the environment of each configuration, and the
//! requirements that it does not support, each with the reason.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Address, Start, Target};
use crate::conform::document;
use crate::conform::suite::{Configuration, LINK, configuration_of, configuration_shape};
use crate::diagnostic::Diagnostic;
use crate::scenario::complaints::Complaints;
use crate::scenario::pattern::{LINE, TEXT, VARIABLE};
use crate::scenario::schema::object;
use crate::scenario::shape::{Object, Shape, may, must};
use crate::scenario::tree::Tree;
use crate::source::Source;

/// The environment of one configuration, or the reason why the implementation does not have it.
#[derive(Clone, Debug)]
pub struct TargetConfiguration {
    pub when: Configuration,
    pub environment: Vec<(String, String)>,
    pub unsupported: Option<String>,
}

/// A requirement, a family or a vector that the implementation does not support.
#[derive(Clone, Debug)]
pub struct UnsupportedItem {
    /// `TP-12`, `TP` or `TP-12/version.ff`.
    pub only: String,
    pub reason: String,
}

/// Returns the JSON Schema (draft 2020-12) of a target file, for editors.
pub fn schema() -> Value {
    let mut schema = object(&TARGET);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("unbroken conformance target");
    schema["description"] = json!("An implementation that `unbroken conform` tries.");
    schema
}

static TARGET: Object = Object {
    what: "a target",
    keys: &[
        must("target", Shape::Text(&LINE), "the name of the implementation in reports"),
        may(
            "url",
            Shape::Text(&LINE),
            "the address of a running service, or of the service that `command` starts",
        ),
        may(
            "command",
            Shape::OneOrList(&Shape::Text(&TEXT)),
            "the program that starts the service, and its arguments; that of a forwarder names `${upstream.url}`",
        ),
        may("environment", VARIABLES, "variables for the command in every configuration"),
        may("configuration", configuration_shape(), "the configuration that the service at `url` has"),
        may(
            "configurations",
            Shape::List(&Shape::Object(&CONFIGURATION)),
            "the environment of each configuration",
        ),
        may(
            "unsupported",
            Shape::List(&Shape::Object(&UNSUPPORTED)),
            "requirements that it does not support",
        ),
        may("links", Shape::OneOrList(&Shape::Text(&LINK)), "pages about the implementation"),
    ],
    tag: None,
};

static CONFIGURATION: Object = Object {
    what: "a configuration of the target",
    keys: &[
        must("when", configuration_shape(), "the settings of the suite"),
        may(
            "environment",
            VARIABLES,
            "the variables that mean these settings, in place of those of OpenTelemetry",
        ),
        may(
            "unsupported",
            Shape::Text(&LINE),
            "the reason why the implementation does not have these settings",
        ),
        may("link", Shape::Text(&LINK), "a page about it"),
    ],
    tag: None,
};

static UNSUPPORTED: Object = Object {
    what: "an unsupported requirement",
    keys: &[
        must("only", Shape::Text(&LINE), "a requirement, a family or a vector: `TP-12`, `TP`, `TP-12/ff`"),
        must("reason", Shape::Text(&LINE), "the reason"),
        may("link", Shape::Text(&LINK), "a page about it"),
    ],
    tag: None,
};

const VARIABLES: Shape = Shape::Named { names: &VARIABLE, of: &Shape::Text(&TEXT) };

/// Reads a target file, or returns everything that is wrong with it.
pub fn read(source: &Arc<Source>) -> Result<Target, Vec<Diagnostic>> {
    let mut complaints = Complaints::default();
    let Some(root) = document::read(source, &TARGET, &mut complaints) else {
        return Err(complaints.finish());
    };
    let start = start(&root, &mut complaints);
    match start {
        Some(start) if complaints.is_empty() => Ok(Target {
            implementation: root.text_at("target").map(str::to_owned),
            configuration: root.get("configuration").map(configuration_of).unwrap_or_default(),
            environment: variables(&root),
            configurations: items(&root, "configurations").iter().map(configuration).collect(),
            unsupported: items(&root, "unsupported").iter().map(unsupported).collect(),
            links: texts(&root, "links"),
            ..Target::of(source.name().to_owned(), start)
        }),
        Some(_) | None => Err(complaints.finish()),
    }
}

fn start(root: &Tree, complaints: &mut Complaints) -> Option<Start> {
    let words = texts(root, "command").into_iter().map(Into::into).collect::<Vec<_>>();
    let address: Option<Address> = match root.text_at("url").map(str::parse) {
        None => None,
        Some(Ok(address)) => Some(address),
        Some(Err(error)) => {
            let error: super::AddressError = error;
            complaints.report(Diagnostic::new("bad-address", root.value_place("url"), error.to_string()));
            return None;
        }
    };
    match (address, words.is_empty()) {
        (Some(address), true) => Some(Start::Running(address)),
        (address, false) => Some(Start::Command { words, address }),
        (None, true) => {
            let diagnostic =
                Diagnostic::new("no-start", root.place, "the target has neither `url` nor `command`");
            complaints
                .report(diagnostic.help("add the address of a running service, or a command that starts it"));
            None
        }
    }
}

fn configuration(tree: &Tree) -> TargetConfiguration {
    TargetConfiguration {
        when: tree.get("when").map(configuration_of).unwrap_or_default(),
        environment: variables(tree),
        unsupported: tree.text_at("unsupported").map(|reason| with_link(reason, tree)),
    }
}

fn unsupported(tree: &Tree) -> UnsupportedItem {
    let only = tree.text_at("only").unwrap_or_default().to_owned();
    UnsupportedItem { only, reason: with_link(tree.text_at("reason").unwrap_or_default(), tree) }
}

fn with_link(reason: &str, tree: &Tree) -> String {
    match tree.text_at("link") {
        Some(link) => format!("{reason} ({link})"),
        None => reason.to_owned(),
    }
}

fn variables(tree: &Tree) -> Vec<(String, String)> {
    let entries = tree.get("environment").map_or(&[][..], Tree::entries);
    entries
        .iter()
        .map(|entry| (entry.key.value.clone(), entry.value.text().unwrap_or_default().to_owned()))
        .collect()
}

fn items<'a>(tree: &'a Tree, key: &str) -> &'a [Tree] {
    tree.get(key).map_or(&[][..], Tree::items)
}

fn texts(tree: &Tree, key: &str) -> Vec<String> {
    let items = tree.get(key).map_or(&[][..], Tree::one_or_more);
    items.iter().filter_map(|item| item.text().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conform::suite::Setting;
    use crate::diagnostic;
    use crate::scenario::Role;

    const FILE: &str = "\
target: acme tracer
command: [python3, service.py, '${self.port}']
environment: { LOG_LEVEL: debug }
configurations:
  - { when: { propagators: b3 }, environment: { ACME_STYLE: zipkin } }
  - { when: { propagators: xray }, unsupported: it has no X-Ray propagator, link: 'https://acme.example/formats' }
unsupported:
  - { only: TP-19, reason: the server joins repeated fields }
links: https://acme.example
";

    #[test]
    fn a_configuration_means_an_environment_or_is_unsupported_with_its_reason() {
        let target = read(&Source::new("acme.yaml", FILE)).unwrap();
        let propagators = |name: &str| Configuration(vec![(Setting::Propagators, name.to_owned())]);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            target.variables(&propagators("b3")),
            [pair("LOG_LEVEL", "debug"), pair("ACME_STYLE", "zipkin")]
        );
        assert_eq!(
            target.variables(&propagators("jaeger")),
            [pair("LOG_LEVEL", "debug"), pair("OTEL_PROPAGATORS", "jaeger")]
        );
        let why = target.cannot(Role::Participant, &propagators("xray"));
        assert_eq!(why.as_deref(), Some("it has no X-Ray propagator (https://acme.example/formats)"));
        assert_eq!(target.cannot(Role::Participant, &propagators("b3")), None);
        let why = target.lacks_support("TP-19", "repeated");
        assert_eq!(why.as_deref(), Some("the server joins repeated fields"));
        assert_eq!(target.lacks_support("TP-10", "repeated"), None);
    }

    #[test]
    fn a_wrong_file_has_a_caret_and_a_help() {
        for (text, part) in [
            ("target: a\n", "error[no-start]"),
            ("target: a\ncomand: x\n", "did you mean `command`?"),
            ("target: a\nurl: https://a.example/\n", "plaintext"),
            ("", "error[empty-file]"),
        ] {
            let source = Source::new("acme.yaml", text);
            let shown = diagnostic::render(&source, &read(&source).unwrap_err(), false);
            assert!(shown.contains(part), "{text}: {shown}");
        }
    }
}
