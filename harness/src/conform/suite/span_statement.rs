//! Statements about the spans and exemplars that a target exports for a request.

/// A statement about the spans of one request, each against the others and against what was on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanStatement {
    /// The entry span, and the span of each call, are exported.
    Exported,
    /// No span of the trace is exported.
    NotExported,
    /// The parent of the entry span is the parent id that was sent.
    EntryParent,
    /// The entry span has no parent.
    EntryRoot,
    /// Each call carries the trace id and the span id of an exported span.
    CallsNameSpans,
    /// Each parent is an exported span, or the parent id that was sent.
    ParentsExist,
    /// One entry, no cycle, no span id twice.
    OneTree,
    /// A span starts before it ends, and no child starts before its parent.
    TimesOrdered,
    /// The entry span is of kind SERVER, of kind CONSUMER for a message; the spans of calls are of kind CLIENT or
    /// PRODUCER.
    Kinds,
    /// Trace ids have 16 bytes, span ids 8, and none is zero.
    ValidIds,
    /// The entry span says that its parent is remote, and every other span says that its parent is not.
    RemoteParents,
    /// The flags of a call's span are those of the call.
    FlagsOfCall,
    /// The trace state of a call's span is that of the call.
    TracestateOfCall,
    /// No span is exported whose own flags say that it is not sampled.
    SampledOnly,
    /// No attribute of a span has the value of a baggage member.
    NoBaggageAttributes,
    /// No span belongs to a trace that nobody asked for.
    NoOtherTraces,
    /// The spans of HTTP requests have the attributes that the semantic conventions require.
    HttpAttributes,
    /// The name of the entry span has no part of its request that differs from request to request.
    LowCardinalityName,
    /// The resource has a `service.name`.
    ResourceNamed,
    /// A span of the trace of the calls links to the entry span of the trace that was sent.
    LinkedToEntry,
    /// A PRODUCER or CLIENT span of the request links to the context that each call carries.
    SendLinksToCall,
    /// The randomness is at least the sampling threshold of each span, and it is the same in all spans.
    ThresholdsHold,
    /// The entry span links to the context that was sent, with its flags and trace state.
    LinkedToSent,
    /// A message that came twice has two spans, each with the message as its parent or link.
    Redelivered,
    /// The status of the first delivery is ERROR.
    FailedDelivery,
    /// The measurement of the request has one exemplar, with the trace id and the id of the entry span.
    ExemplarOfEntry,
    /// The measurement of the request is exported, and no exemplar has its trace id.
    NoExemplar,
    /// The context in the answer has the id of the entry span.
    ResponseOfEntry,
}

impl SpanStatement {
    pub const ALL: &'static [SpanStatement] = &[
        SpanStatement::Exported,
        SpanStatement::NotExported,
        SpanStatement::EntryParent,
        SpanStatement::EntryRoot,
        SpanStatement::CallsNameSpans,
        SpanStatement::ParentsExist,
        SpanStatement::OneTree,
        SpanStatement::TimesOrdered,
        SpanStatement::Kinds,
        SpanStatement::ValidIds,
        SpanStatement::RemoteParents,
        SpanStatement::FlagsOfCall,
        SpanStatement::TracestateOfCall,
        SpanStatement::SampledOnly,
        SpanStatement::NoBaggageAttributes,
        SpanStatement::NoOtherTraces,
        SpanStatement::HttpAttributes,
        SpanStatement::LowCardinalityName,
        SpanStatement::ResourceNamed,
        SpanStatement::LinkedToEntry,
        SpanStatement::SendLinksToCall,
        SpanStatement::ThresholdsHold,
        SpanStatement::LinkedToSent,
        SpanStatement::Redelivered,
        SpanStatement::FailedDelivery,
        SpanStatement::ExemplarOfEntry,
        SpanStatement::NoExemplar,
        SpanStatement::ResponseOfEntry,
    ];

    pub fn word(self) -> &'static str {
        match self {
            SpanStatement::Exported => "exported",
            SpanStatement::NotExported => "not-exported",
            SpanStatement::EntryParent => "entry-parent",
            SpanStatement::EntryRoot => "entry-root",
            SpanStatement::CallsNameSpans => "calls-name-spans",
            SpanStatement::ParentsExist => "parents-exist",
            SpanStatement::OneTree => "one-tree",
            SpanStatement::TimesOrdered => "times-ordered",
            SpanStatement::Kinds => "kinds",
            SpanStatement::ValidIds => "valid-ids",
            SpanStatement::RemoteParents => "remote-parents",
            SpanStatement::FlagsOfCall => "flags-of-call",
            SpanStatement::TracestateOfCall => "tracestate-of-call",
            SpanStatement::SampledOnly => "sampled-only",
            SpanStatement::NoBaggageAttributes => "no-baggage-attributes",
            SpanStatement::NoOtherTraces => "no-other-traces",
            SpanStatement::HttpAttributes => "http-attributes",
            SpanStatement::LowCardinalityName => "low-cardinality-name",
            SpanStatement::ResourceNamed => "resource-named",
            SpanStatement::LinkedToEntry => "linked-to-entry",
            SpanStatement::SendLinksToCall => "send-links-to-call",
            SpanStatement::ThresholdsHold => "thresholds-hold",
            SpanStatement::LinkedToSent => "linked-to-sent",
            SpanStatement::Redelivered => "redelivered",
            SpanStatement::FailedDelivery => "failed-delivery",
            SpanStatement::ExemplarOfEntry => "exemplar-of-entry",
            SpanStatement::NoExemplar => "no-exemplar",
            SpanStatement::ResponseOfEntry => "response-of-entry",
        }
    }

    /// Returns what is wrong where the statement does not hold.
    pub fn violation(self) -> &'static str {
        match self {
            SpanStatement::Exported => "a span is missing",
            SpanStatement::NotExported => "a span was exported and must not be",
            SpanStatement::EntryParent => "the entry span has the wrong parent",
            SpanStatement::EntryRoot => "the entry span must be a root",
            SpanStatement::CallsNameSpans => "a call carries an id that is not the id of its span",
            SpanStatement::ParentsExist => "a parent is missing",
            SpanStatement::OneTree => "the spans are not one tree",
            SpanStatement::TimesOrdered => "the times of the spans are wrong",
            SpanStatement::Kinds => "a span has the wrong kind",
            SpanStatement::ValidIds => "a span has an invalid id",
            SpanStatement::RemoteParents => "the flags do not say whether the parent is remote",
            SpanStatement::FlagsOfCall => "a call and its span have different trace flags",
            SpanStatement::TracestateOfCall => "a call and its span have different trace states",
            SpanStatement::SampledOnly => "a span was exported that is not sampled",
            SpanStatement::NoBaggageAttributes => "baggage is in an attribute",
            SpanStatement::NoOtherTraces => "a span of no request was exported",
            SpanStatement::HttpAttributes => "an attribute is missing",
            SpanStatement::LowCardinalityName => "the name differs from request to request",
            SpanStatement::ResourceNamed => "the resource has no `service.name`",
            SpanStatement::LinkedToSent => "the entry span does not link to the context that was sent",
            SpanStatement::Redelivered => "a delivery has no span",
            SpanStatement::FailedDelivery => "a delivery that failed does not say so",
            SpanStatement::ExemplarOfEntry => "the exemplar of a measurement is missing or wrong",
            SpanStatement::NoExemplar => "an exemplar was exported and must not be",
            SpanStatement::ResponseOfEntry => "the answer has an id that is not the id of the entry span",
            SpanStatement::SendLinksToCall => "no span of the send links to the context of the message",
            SpanStatement::LinkedToEntry => "the new trace has no link to the one that it left",
            SpanStatement::ThresholdsHold => "a threshold contradicts the randomness",
        }
    }
}
