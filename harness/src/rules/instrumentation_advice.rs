//! The advice for a node that made no span for what it received: how its server or consumer is instrumented in its
//! language.
//!
//! The language is that of its SDK where a span of the node names it, else that of its command.

use crate::crossings::Crossings;
use crate::crossings::span_role::{attribute, is_receipt};
use crate::evidence::Span;
use crate::scenario::{BrokerKind, Hop, NodeIx, NodeKind, ProgramLanguage, TemplatePart, Transport};

/// Returns what to look at in the node's own language; `None` where the language is unknown.
pub(super) fn how(all: &Crossings<'_>, node: NodeIx, hop: &Hop) -> Option<String> {
    let library = Library::of(all, hop);
    Some(match language(all, node)? {
        ProgramLanguage::Python => format!(
            "Python: start the program with `opentelemetry-instrument`, and install the instrumentation of its {library} \
             library (`opentelemetry-bootstrap -a install` lists it)"
        ),
        ProgramLanguage::Node => format!(
            "Node.js: load the SDK before the {library} library is imported (`node --require ./tracing.js`, or `--import` \
             with a loader for ES modules), and register the instrumentation of that library"
        ),
        ProgramLanguage::Java => format!(
            "Java: start the JVM with `-javaagent:opentelemetry-javaagent.jar`, and check that no \
             `OTEL_INSTRUMENTATION_..._ENABLED=false` turns the instrumentation of its {library} library off"
        ),
        ProgramLanguage::Go => format!("Go instruments nothing by itself: {}", library.in_go()),
        ProgramLanguage::DotNet => format!(
            ".NET: add {} to the tracer provider",
            match library {
                Library::Http | Library::Grpc => "`.AddAspNetCoreInstrumentation()`".to_owned(),
                Library::Kafka | Library::RabbitMq | Library::Sqs =>
                    format!("the activity source of its {library} library with `.AddSource(...)`"),
            }
        ),
        ProgramLanguage::Rust => format!(
            "Rust instruments nothing by itself: extract with the global propagator where the {library} library hands over \
             what it received, and start a span of kind {} from it",
            library.span_kind()
        ),
    })
}

/// Returns whether a node exported a span for anything that it received.
pub(super) fn has_receipts(all: &Crossings<'_>, node: NodeIx) -> bool {
    all.spans.of_node(node).iter().any(|span| is_receipt(all.spans.get(*span)))
}

/// Returns the advice for a node whose server has spans and does not continue what came in.
pub(super) fn propagator(all: &Crossings<'_>, node: NodeIx) -> String {
    let name = all.node_name(node);
    let how = match language(all, node) {
        Some(ProgramLanguage::Go) => {
            "; Go sets none by default: `otel.SetTextMapPropagator(propagation.NewCompositeTextMapPropagator(\
             propagation.TraceContext{}, propagation.Baggage{}))`"
        }
        Some(ProgramLanguage::Rust) => {
            "; Rust sets none by default: `opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new())`"
        }
        Some(
            ProgramLanguage::Python | ProgramLanguage::Node | ProgramLanguage::Java | ProgramLanguage::DotNet,
        )
        | None => "",
    };
    format!(
        "`{name}` has a span for what it receives, so it is instrumented: check that its propagator reads this format \
         (`OTEL_PROPAGATORS`){how}; then look for code that starts this span without the extracted context"
    )
}

/// The kind of library that receives over a hop.
#[derive(Clone, Copy)]
enum Library {
    Http,
    Grpc,
    Kafka,
    RabbitMq,
    Sqs,
}

impl Library {
    fn of(all: &Crossings<'_>, hop: &Hop) -> Library {
        let broker = hop.transport.via().and_then(|via| all.plan.scenario.node(via).kind.as_broker());
        match (broker.map(|broker| broker.kind), &hop.transport) {
            (Some(BrokerKind::Kafka), _) => Library::Kafka,
            (Some(BrokerKind::RabbitMq), _) => Library::RabbitMq,
            (Some(BrokerKind::Sqs), _) => Library::Sqs,
            (None, Transport::Grpc(_)) => Library::Grpc,
            (None, Transport::Http(_) | Transport::Kafka(_) | Transport::RabbitMq(_) | Transport::Sqs(_)) => {
                Library::Http
            }
        }
    }

    fn span_kind(self) -> &'static str {
        match self {
            Library::Http | Library::Grpc => "SERVER",
            Library::Kafka | Library::RabbitMq | Library::Sqs => "CONSUMER",
        }
    }

    fn in_go(self) -> &'static str {
        match self {
            Library::Http => "wrap the handler with `otelhttp.NewHandler`",
            Library::Grpc => "create the server with `grpc.StatsHandler(otelgrpc.NewServerHandler())`",
            Library::Kafka | Library::RabbitMq | Library::Sqs => {
                "call `otel.GetTextMapPropagator().Extract` with a carrier over the headers of the message, and start a span \
                 with `trace.WithSpanKind(trace.SpanKindConsumer)` from it"
            }
        }
    }
}

impl std::fmt::Display for Library {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Library::Http => "HTTP server",
            Library::Grpc => "gRPC server",
            Library::Kafka => "Kafka",
            Library::RabbitMq => "RabbitMQ",
            Library::Sqs => "SQS",
        })
    }
}

fn language(all: &Crossings<'_>, node: NodeIx) -> Option<ProgramLanguage> {
    let spans = all.spans.of_node(node).iter().map(|span| all.spans.get(*span));
    let of_sdk = spans.filter_map(|span| attribute(span, &[Span::SDK_LANGUAGE])).next();
    of_sdk.and_then(|(_, name)| ProgramLanguage::of_sdk(name)).or_else(|| {
        match &all.plan.scenario.node(node).kind {
            NodeKind::Command(command) => {
                let words = command.argv.iter().flat_map(|argument| &argument.parts).map(|part| match part {
                    TemplatePart::Text(text) => text.as_str(),
                    TemplatePart::Url(_)
                    | TemplatePart::Grpc(_)
                    | TemplatePart::Broker(..)
                    | TemplatePart::Export(..)
                    | TemplatePart::OtlpEndpoint
                    | TemplatePart::OtlpAddress(_)
                    | TemplatePart::Neighbour(..)
                    | TemplatePart::GrpcNeighbour(..)
                    | TemplatePart::SelfPort
                    | TemplatePart::NamedPort(_)
                    | TemplatePart::SelfDir
                    | TemplatePart::Env(_)
                    | TemplatePart::Secret(_)
                    | TemplatePart::Mark
                    | TemplatePart::ScenarioDir => "",
                });
                ProgramLanguage::of_command(&words.collect::<Vec<_>>().join(" "))
            }
            NodeKind::Client
            | NodeKind::Relay(_)
            | NodeKind::Image(_)
            | NodeKind::Url(_)
            | NodeKind::Stub(_)
            | NodeKind::InProcess
            | NodeKind::Broker(_)
            | NodeKind::Collector(_) => None,
        }
    })
}
