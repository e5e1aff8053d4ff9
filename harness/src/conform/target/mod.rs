//! The target of a run: a running service, a command, or a built-in relay.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::time::Duration;

use super::selection::selects;
use super::suite::{Configuration, Setting};
use crate::runtime::RuntimeOptions;
use crate::scenario::Role;
use crate::wire::Format;

mod address;
pub mod file;
mod image;
mod instance;
mod upstream;

pub use address::{Address, AddressError};
use file::{TargetConfiguration, UnsupportedItem};
pub use instance::{Instance, InstanceError};
pub use upstream::Upstream;

/// Stands for the port that a command is given.
const PORT: &str = "${self.port}";
/// Faults of the model relay, comma-separated.
/// Makes the model relay return its context, for the requirements of level 3.
const RETURNS_CONTEXT: &str = "RELAY_MODEL_SERVER_TIMING";
const FAULTS: &str = "RELAY_MODEL_FAULTS";

/// The implementation that is tried, and the way to start it.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its name on the command line.
    pub name: String,
    /// The name of the implementation, from a target file.
    pub implementation: Option<String>,
    pub start: Start,
    /// The configuration that a running service has.
    pub configuration: Configuration,
    /// Variables in every configuration.
    pub environment: Vec<(String, String)>,
    pub configurations: Vec<TargetConfiguration>,
    pub unsupported: Vec<UnsupportedItem>,
    /// Pages about the implementation.
    pub links: Vec<String>,
    /// The time in which it must be ready.
    pub ready_within: Duration,
}

#[derive(Clone, Debug)]
pub enum Start {
    /// It runs already, in the configuration that it has.
    Running(Address),
    /// Program and arguments; the address where it listens, if it is known beforehand.
    Command { words: Vec<OsString>, address: Option<Address> },
    /// A container image, run by the engine's own program.
    Image(String),
    /// A built-in relay, with these faults enabled.
    Relay { implementation: String, faults: Vec<String> },
}

/// Program and arguments, and the environment besides the inherited one.
struct CommandLine {
    words: Vec<OsString>,
    variables: Vec<(String, String)>,
}

/// The built-in relay with every setting.
const MODEL: &str = "model";

/// The built-in relays, each with the propagators that it implements.
pub const RELAYS: &[(&str, &[&str])] = &[
    (
        MODEL,
        &[
            "tracecontext",
            "baggage",
            "b3",
            "b3multi",
            "jaeger",
            "xray",
            "datadog",
            "google",
            "grpc-trace-bin",
            "ottrace",
            "none",
        ],
    ),
    ("rust", &["tracecontext", "baggage", "b3", "b3multi", "none"]),
];

/// Returns the reason why a built-in relay cannot be tried in a configuration.
fn lacks(relay: &str, configuration: &Configuration) -> Option<String> {
    let (_, known) = RELAYS.iter().find(|(name, _)| *name == relay)?;
    let is_missing = |name: &&str| Format::from_word(name).is_some() && !known.contains(name);
    let lists = [Setting::Propagators, Setting::Extract, Setting::Inject];
    let mut named = lists.iter().filter_map(|list| configuration.get(*list)).flat_map(|list| list.split(','));
    if let Some(missing) = named.find(is_missing) {
        return Some(format!("`relay:{relay}` does not implement the propagator `{missing}`"));
    }
    let setting = configuration.of_relays().filter(|_| relay != MODEL)?;
    Some(format!("`relay:{relay}` does not have the setting `{}`", setting.word()))
}

/// Returns the reason why a program without a target file's help cannot be brought into a configuration.
fn unmapped(configuration: &Configuration) -> Option<String> {
    let setting = configuration.of_relays()?.word();
    let words = configuration.words();
    Some(format!(
        "OpenTelemetry has no variable for `{setting}`: map `{words}` in a target file (`unbroken schema target`)"
    ))
}

/// Returns a word as it is typed in a shell.
fn typed(word: &str) -> String {
    let needs_quotes = word.is_empty() || word.contains(|c| !is_plain(c));
    if needs_quotes { format!("'{}'", word.replace('\'', r"'\''")) } else { word.to_owned() }
}

/// Returns true for a character without a meaning to a shell.
fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-_./:=@,+%".contains(character)
}

impl Target {
    /// Returns the service that runs at `address`, or that `words` start; `None` without either.
    pub fn new(address: Option<Address>, words: Vec<OsString>) -> Option<Target> {
        let shown: Vec<_> = words.iter().map(|word| typed(&word.to_string_lossy())).collect();
        let shown = shown.join(" ");
        let (name, start) = match (address, words.is_empty()) {
            (Some(address), true) => (address.to_string(), Start::Running(address)),
            (None, true) => return None,
            (None, false) => (format!("-- {shown}"), Start::Command { words, address: None }),
            (Some(address), false) => {
                (format!("{address} -- {shown}"), Start::Command { words, address: Some(address) })
            }
        };
        Some(Target::of(name, start))
    }

    /// Returns the service that is a container image.
    pub fn image(name: &str) -> Target {
        Target::of(format!("--image {name}"), Start::Image(name.to_owned()))
    }

    pub fn relay(implementation: &str, faults: Vec<String>) -> Target {
        let start = Start::Relay { implementation: implementation.to_owned(), faults };
        Target::of(format!("relay:{implementation}"), start)
    }

    fn of(name: String, start: Start) -> Target {
        Target {
            name,
            implementation: None,
            start,
            configuration: Configuration::default(),
            environment: Vec::new(),
            configurations: Vec::new(),
            unsupported: Vec::new(),
            links: Vec::new(),
            ready_within: Duration::from_secs(30),
        }
    }

    /// Returns the reason why the target is not available in this role and configuration; `None` where it is.
    pub fn cannot(&self, role: Role, configuration: &Configuration) -> Option<String> {
        if let Some(why) = self.entry(configuration).and_then(|entry| entry.unsupported.clone()) {
            return Some(why);
        }
        if let Some(why) = self.lacks_role(role) {
            return Some(why.to_owned());
        }
        match &self.start {
            Start::Running(_) if *configuration != self.configuration => {
                Some(format!("a running service keeps its configuration ({})", self.configuration.words()))
            }
            Start::Relay { implementation, .. } => lacks(implementation, configuration),
            Start::Command { .. } | Start::Image(_) if self.entry(configuration).is_none() => {
                unmapped(configuration)
            }
            Start::Running(_) | Start::Command { .. } | Start::Image(_) => None,
        }
    }

    /// Returns true for a command that is started with the address to which it forwards.
    pub fn is_forwarder(&self) -> bool {
        let Start::Command { words, .. } = &self.start else { return false };
        let of_configurations = self.configurations.iter().flat_map(|entry| &entry.environment);
        let values = self.environment.iter().chain(of_configurations).map(|(_, value)| value.as_str());
        words.iter().filter_map(|word| word.to_str()).chain(values).any(Upstream::is_named_in)
    }

    fn lacks_role(&self, role: Role) -> Option<&'static str> {
        match (role, &self.start) {
            (Role::Participant, _) if self.is_forwarder() => {
                Some("the target is a forwarder, which executes no instructions")
            }
            (Role::Forwarder, Start::Relay { implementation, .. }) if implementation == "model" => None,
            (Role::Forwarder, _) if !self.is_forwarder() => {
                Some("the target is not known to be a forwarder: the command of one names `${upstream.url}`")
            }
            (Role::Participant | Role::Forwarder, _) => None,
        }
    }

    /// Returns the reason why the target does not support a vector; `None` where it does.
    pub fn lacks_support(&self, requirement: &str, vector: &str) -> Option<String> {
        let entry = self.unsupported.iter().find(|entry| selects(&entry.only, requirement, Some(vector)))?;
        Some(entry.reason.clone())
    }

    /// Returns the variables that set a configuration: those of the target file, or else those of OpenTelemetry.
    fn variables(&self, configuration: &Configuration) -> Vec<(String, String)> {
        let mut variables = self.environment.clone();
        match self.entry(configuration) {
            Some(entry) => variables.extend(entry.environment.iter().cloned()),
            None => {
                let settings = configuration.0.iter();
                variables.extend(settings.filter_map(|(setting, value)| {
                    setting.variable().map(|variable| (variable.to_owned(), value.clone()))
                }));
            }
        }
        variables
    }

    fn entry(&self, configuration: &Configuration) -> Option<&TargetConfiguration> {
        self.configurations.iter().find(|entry| entry.when == *configuration)
    }

    /// Returns the command that starts it, in front of `upstream` if it forwards; `None` for one that runs.
    fn launch(&self, port: Option<SocketAddr>, upstream: Option<&Upstream>) -> Option<CommandLine> {
        let any = || "127.0.0.1:0".to_owned();
        let mut variables =
            vec![("RELAY_HTTP_ADDR".to_owned(), any()), ("RELAY_GRPC_ADDR".to_owned(), any())];
        match &self.start {
            Start::Running(_) => None,
            Start::Command { words, .. } => {
                let number = port.map(|port| port.port().to_string());
                variables.extend(number.clone().map(|number| ("PORT".to_owned(), number)));
                let number = number.unwrap_or_default();
                let filled = words.iter().map(|word| match (word.to_str(), upstream) {
                    (Some(text), Some(upstream)) => upstream.fill(&text.replace(PORT, &number)).into(),
                    (Some(text), None) => text.replace(PORT, &number).into(),
                    (None, _) => word.clone(),
                });
                Some(CommandLine { words: filled.collect(), variables })
            }
            // The engine's program needs the names of all variables: `start` completes the words.
            Start::Image(_) => {
                variables.extend(port.map(|port| ("PORT".to_owned(), port.port().to_string())));
                Some(CommandLine { words: Vec::new(), variables })
            }
            Start::Relay { implementation, faults } => {
                if !faults.is_empty() {
                    variables.push((FAULTS.to_owned(), faults.join(",")));
                }
                if implementation == "model" {
                    variables.push((RETURNS_CONTEXT.to_owned(), "true".to_owned()));
                }
                variables.extend(upstream.map(Upstream::variables_of_the_model).into_iter().flatten());
                let mut words = RuntimeOptions::default().relay;
                words.extend(["relay".into(), implementation.into()]);
                Some(CommandLine { words, variables })
            }
        }
    }
}
