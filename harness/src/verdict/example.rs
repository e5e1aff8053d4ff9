//! One stimulus of a case as the wire and the spans show it: plain values for reports, bounded in number and length.
//!
//! Nothing here decides a verdict. Times are microseconds since the first thing that was seen of the stimulus, on one
//! clock. Ids are hex digits as exported or sent, of whatever length. Bytes outside 0x20 to 0x7e are `\xNN`.

use serde::Serialize;

/// One stimulus with its crossings and spans.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ExampleStimulus {
    /// The number of the stimulus, from 1.
    pub stimulus: u32,
    /// In the order in which they were seen.
    pub crossings: Vec<ExampleCrossing>,
    /// The spans that belong to a crossing first, then the others of their traces in the order of their start.
    pub spans: Vec<ExampleSpan>,
    /// The number of further crossings, which are not kept.
    pub omitted_crossings: u32,
    /// The number of further spans, which are not kept.
    pub omitted_spans: u32,
}

/// One crossing of a hop. Spans are indices into `ExampleStimulus::spans`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ExampleCrossing {
    /// The name of the hop.
    pub hop: String,
    /// The node that sent it; of a redelivered message still the one that published it.
    pub from: String,
    /// The node that received it.
    pub to: String,
    /// `POST /orders`, `published to orders`; empty where no tap saw it.
    pub request: String,
    /// `HTTP 200`, `gRPC 14`, `accepted, done`; empty where it is unknown.
    pub outcome: String,
    /// The index of the crossing that caused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<usize>,
    /// The capture of what left the sender; `None` where no tap saw it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent: Option<ExampleCapture>,
    /// The capture of what a broker gave to the receiver; `None` for a call, and where nothing was delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivered: Option<ExampleCapture>,
    /// The trace that was expected on the wire, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_trace: Option<String>,
    /// The sender's span for the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_span: Option<usize>,
    /// The sender's span whose id is on the wire.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub named_span: Option<usize>,
    /// The receiver's span.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receiver_span: Option<usize>,
    /// The sender exports spans, and none for this call is known.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub lacks_call_span: bool,
    /// The receiver exports spans, one is due for what arrived, and none is known.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub lacks_receiver_span: bool,
}

/// The propagation fields of a request or message at one side, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ExampleCapture {
    /// When its head was complete.
    pub at_micros: i64,
    /// When the answer was complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_micros: Option<i64>,
    /// The fields whose values were kept.
    pub fields: Vec<(String, String)>,
    /// The names of the fields whose values were not kept.
    pub other_fields: Vec<String>,
    /// The ids of the contexts in it: trace id, and the id of the span that it names.
    pub contexts: Vec<[String; 2]>,
}

/// One exported span.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ExampleSpan {
    /// The node that exported it.
    pub node: String,
    /// Its name.
    pub name: String,
    /// `SERVER`, `CLIENT` and so on.
    pub kind: &'static str,
    /// The trace that it is in.
    pub trace_id: String,
    /// Its own id.
    pub span_id: String,
    /// Empty for a root.
    pub parent_id: String,
    /// The contexts that it links to: trace id and span id.
    pub links: Vec<[String; 2]>,
    /// When it started.
    pub start_micros: i64,
    /// The time that it took; negative where it ended before it started.
    pub took_micros: i64,
    /// It ended in an error.
    pub failed: bool,
}

impl ExampleStimulus {
    /// Returns every text that comes from a service.
    pub(crate) fn texts_mut(&mut self) -> impl Iterator<Item = &mut String> {
        let crossings = self.crossings.iter_mut().flat_map(|crossing| {
            let captures = [&mut crossing.sent, &mut crossing.delivered].into_iter().flatten();
            let fields = captures.flat_map(|capture| {
                let values = capture.fields.iter_mut().flat_map(|(name, value)| [name, value]);
                values.chain(&mut capture.other_fields)
            });
            [&mut crossing.request, &mut crossing.outcome].into_iter().chain(fields)
        });
        crossings.chain(self.spans.iter_mut().map(|span| &mut span.name))
    }
}
