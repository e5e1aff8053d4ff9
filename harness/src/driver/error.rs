//! Why nothing can be sent: said before the first stimulus goes out. No message holds a header's value.

#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    #[error("the environment variable `{name}` is not set, and what is sent over `{hop}` needs it")]
    MissingVariable { hop: String, name: String },
    #[error("what is sent over `{hop}` has a template that only nodes can have: `{template}`")]
    ForeignTemplate { hop: String, template: &'static str },
    #[error("hop `{hop}` has no address: the service behind it is not listening")]
    NoAddress { hop: String },
    #[error("hop `{hop}` names no gRPC method to call, and the service behind it is no relay")]
    NoMethod { hop: String },
    #[error("header `{header}` cannot be sent over `{hop}`: {why}")]
    Header { hop: String, header: String, why: &'static str },
    #[cfg(feature = "rabbitmq")]
    #[error("the {what} of hop `{hop}` has more than the 255 bytes of AMQP")]
    TooLong { hop: String, what: &'static str },
    #[error("the body cannot be sent over `{hop}`: {why}")]
    Body { hop: String, why: &'static str },
    #[error("the mark cannot be put into the body that is sent over `{hop}`: it is not a JSON object")]
    Marker { hop: String },
    #[error("hop `{hop}` needs the cargo feature `{feature}`, which this build is without")]
    NotBuilt { hop: String, feature: &'static str },
    #[error("hop `{hop}` is TLS, and the run has no certificate authority to trust")]
    NoAuthority { hop: String },
    #[error("the run's certificate authority cannot be used")]
    Authority(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the HTTP client cannot be made")]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
}
