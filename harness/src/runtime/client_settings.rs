//! The variables by which a program finds its brokers and its collector: those of the relay contract
//! (`fixtures/CONTRACT.md`), of OpenTelemetry, and what the AWS SDKs need to start.

use crate::scenario::BrokerKind;

/// Accepted by every SQS server that is not Amazon's.
const REGION: &str = "us-east-1";
/// The batch delays of the SDKs (default 5 s and 1 s), in milliseconds: long enough to batch, short enough
/// not to wait.
const SCHEDULE_DELAY_MS: &str = "100";

/// Returns the variable that holds the address of a broker.
pub fn broker_variable(kind: BrokerKind) -> &'static str {
    match kind {
        BrokerKind::Kafka => "KAFKA_BOOTSTRAP_SERVERS",
        BrokerKind::RabbitMq => "AMQP_URL",
        BrokerKind::Sqs => "AWS_ENDPOINT_URL_SQS",
    }
}

/// Region and keys for SQS: the SDKs need them even where the server ignores them. Python's SDK reads the second name
/// of the region only.
pub const AWS: [(&str, &str); 4] = [
    ("AWS_REGION", REGION),
    ("AWS_DEFAULT_REGION", REGION),
    ("AWS_ACCESS_KEY_ID", "unbroken"),
    ("AWS_SECRET_ACCESS_KEY", "unbroken"),
];

/// Returns the variables that OpenTelemetry defines for every SDK; the first two only with an endpoint.
pub fn exporter(endpoint: Option<String>, service: String) -> Vec<(&'static str, String)> {
    let mut variables = Vec::new();
    if let Some(endpoint) = endpoint {
        variables.push(("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint));
        variables.push(("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf".to_owned()));
    }
    variables.push(("OTEL_SERVICE_NAME", service));
    variables.push(("OTEL_BSP_SCHEDULE_DELAY", SCHEDULE_DELAY_MS.to_owned()));
    variables.push(("OTEL_BLRP_SCHEDULE_DELAY", SCHEDULE_DELAY_MS.to_owned()));
    variables
}
