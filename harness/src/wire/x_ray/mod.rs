//! AWS X-Ray: `X-Amzn-Trace-Id`, and the SQS system attribute `AWSTraceHeader` with the same value.
//!
//! Follows
//! <https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader>. Pairs may come in
//! any order, with white space around them and a `;` behind the last; unknown pairs are kept in their order. A decision
//! that is missing, `?` or something else is deferred. A load balancer sends `Root` without `Parent`, which
//! [`XRayHeader`] accepts and [`super::Format::extract`] refuses with a reason, because no span can be a child of it.
//! The first eight digits of the trace id are a time; they are not looked at.

use super::value_part::{ContextCopy, ValuePart};
use super::{ContextPart, Decision, PartDefect, Refusal, RemoteContext, SpanId, TraceId};

/// The header of HTTP requests.
pub const HEADER: &str = "x-amzn-trace-id";
/// The system attribute of SQS messages, in lower case.
pub const SQS_ATTRIBUTE: &str = "awstraceheader";
/// The length of a header up to which AWS services keep it whole.
pub const LONGEST: usize = 256;

/// All pairs of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XRayHeader {
    pub trace_id: TraceId,
    pub parent: Option<SpanId>,
    pub decision: Decision,
    /// `Self=`, which a load balancer adds.
    pub self_id: Option<Vec<u8>>,
    /// `Lineage=`, by which Lambda finds loops.
    pub lineage: Option<Vec<u8>>,
    /// Unknown keys with their values, in their order.
    pub others: Vec<(Vec<u8>, Vec<u8>)>,
}

impl XRayHeader {
    /// Creates a header with the three pairs that a tracing library sends.
    pub fn new(context: &RemoteContext) -> Self {
        Self {
            trace_id: context.trace_id,
            parent: Some(context.span_id),
            decision: context.decision,
            self_id: None,
            lineage: None,
            others: Vec::new(),
        }
    }

    /// Parses a value.
    pub fn parse(value: &[u8]) -> Result<XRayHeader, Refusal> {
        let carrier = super::Carrier::new([(HEADER.as_bytes(), value)]);
        let copy = ContextCopy { carrier: &carrier, format: super::Format::XRay, number: 0 };
        read(&copy.require(HEADER, ContextPart::Value)?)
    }

    /// Prints the pairs in the usual order; a debug decision is sampled here.
    pub fn print(&self) -> Vec<u8> {
        let digits = self.trace_id.to_string();
        let mut pairs = vec![format!("Root=1-{}-{}", &digits[..8], &digits[8..]).into_bytes()];
        pairs.extend(self.parent.map(|parent| format!("Parent={parent}").into_bytes()));
        let sampled: Option<&[u8]> = match self.decision {
            Decision::NotSampled => Some(b"0"),
            Decision::Sampled | Decision::Debug => Some(b"1"),
            Decision::Deferred => None,
        };
        let own = [(&b"Sampled"[..], sampled), (b"Self", self.self_id.as_deref())];
        let lineage = (&b"Lineage"[..], self.lineage.as_deref());
        let others = self.others.iter().map(|(key, value)| (&key[..], Some(&value[..])));
        for (key, value) in own.into_iter().chain([lineage]).chain(others) {
            pairs.extend(value.map(|value| [key, value].join(&b'=')));
        }
        pairs.join(&b';')
    }
}

/// Parses the header, or the system attribute where there is no header.
pub(super) fn extract(copy: ContextCopy<'_, '_>) -> Result<Option<RemoteContext>, Refusal> {
    let Some(value) = copy.find(HEADER).or_else(|| copy.find(SQS_ATTRIBUTE)) else { return Ok(None) };
    let header = read(&value)?;
    let Some(parent) = header.parent else {
        return Err(value.refused(ContextPart::SpanId, PartDefect::Missing));
    };
    Ok(Some(RemoteContext::new(header.trace_id, parent, header.decision)))
}

pub(super) fn inject(context: &RemoteContext) -> Vec<(&'static str, Vec<u8>)> {
    vec![(HEADER, XRayHeader::new(context).print())]
}

fn read(value: &ValuePart<'_>) -> Result<XRayHeader, Refusal> {
    if value.bytes.is_empty() {
        return Err(value.refused(ContextPart::Value, PartDefect::Empty));
    }
    let (mut root, mut parent, mut decision) = (None, None, Decision::Deferred);
    let (mut self_id, mut lineage, mut others) = (None, None, Vec::new());
    for pair in value.split(b';') {
        let pair = pair.trimmed();
        if pair.bytes.is_empty() {
            continue;
        }
        let Some((key, value)) = pair.split_once(b'=') else {
            return Err(pair.refused(ContextPart::Pair, PartDefect::WithoutEquals));
        };
        match key.bytes {
            b"Root" => root = Some(read_root(&value)?),
            b"Parent" => parent = Some(value.span_id(ContextPart::SpanId)?),
            b"Sampled" => decision = read_decision(value.bytes),
            b"Self" => self_id = Some(value.bytes.to_vec()),
            b"Lineage" => lineage = Some(value.bytes.to_vec()),
            key => others.push((key.to_vec(), value.bytes.to_vec())),
        }
    }
    let Some(trace_id) = root else { return Err(value.refused(ContextPart::Root, PartDefect::Missing)) };
    Ok(XRayHeader { trace_id, parent, decision, self_id, lineage, others })
}

fn read_decision(value: &[u8]) -> Decision {
    match value {
        b"0" => Decision::NotSampled,
        b"1" => Decision::Sampled,
        _ => Decision::Deferred,
    }
}

/// Parses `1-{8 digits}-{24 digits}`.
fn read_root(root: &ValuePart<'_>) -> Result<TraceId, Refusal> {
    let parts = root.split(b'-');
    let [version, time, unique] = parts.as_slice() else {
        return Err(root.refused(ContextPart::Root, PartDefect::PartCount(parts.len())));
    };
    if version.bytes != b"1" {
        return Err(version.refused(ContextPart::Root, PartDefect::NotAllowed));
    }
    time.check_hex(ContextPart::Root, &[8])?;
    unique.check_hex(ContextPart::Root, &[24])?;
    TraceId::from_hex(&[time.bytes, unique.bytes].concat())
        .ok_or_else(|| root.refused(ContextPart::TraceId, PartDefect::Zero))
}

#[cfg(test)]
mod tests;
