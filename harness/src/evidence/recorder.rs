//! The record that taps write while a case runs; frozen into `Evidence` at its end.
//!
//! It is bounded: beyond the limit captures are counted and reported as a gap, never dropped silently. A capture is
//! recorded before its bytes are forwarded, so a client that has received an answer finds the capture here.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use parking_lot::Mutex;
use tokio::sync::watch;

use super::{
    Capture, CaptureEnd, CaptureIx, CaptureMark, Field, FieldKind, Gap, GapPlace, Message, MessageDirection,
    Protocol,
};
use crate::masking::FieldMask;
use crate::plan::TapIx;

/// The most bytes of headers and paths that the captures of one case hold.
const LARGEST_RECORD: usize = 256 << 20;
/// The most marks that one gRPC stream adds to its capture.
const FURTHER_MARKS: usize = 10_000;

/// A cheap handle; clones write to the same record.
#[derive(Clone, Debug)]
pub struct Recorder {
    shared: Arc<RecorderState>,
}

#[derive(Debug)]
struct RecorderState {
    started: Instant,
    /// The same moment in wall-clock time.
    started_at: SystemTime,
    limit: RecordLimit,
    keep_raw: bool,
    mask: FieldMask,
    seen: Mutex<Record>,
    version: watch::Sender<u64>,
}

/// The most that the captures of one case may hold.
#[derive(Clone, Copy, Debug)]
struct RecordLimit {
    captures: usize,
    /// Of their names, values and paths.
    bytes: usize,
}

#[derive(Debug, Default)]
struct Record {
    captures: Vec<Capture>,
    bytes: usize,
    gaps: Vec<Gap>,
    refused: u64,
}

/// The head of a request, as soon as it is complete.
#[derive(Clone, Debug)]
pub struct Head {
    pub tap: TapIx,
    pub protocol: Protocol,
    pub connection: u32,
    pub stream: u32,
    pub method: String,
    /// With its query, which the capture does not keep.
    pub target: String,
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
    /// Names of header fields whose values are kept besides the propagation fields (declared markers).
    pub kept: Vec<String>,
}

/// A message as soon as its headers are complete.
#[derive(Clone, Debug)]
pub struct MessageHead {
    pub tap: TapIx,
    pub protocol: Protocol,
    pub connection: u32,
    /// AMQP channel, SQS number of the request on its connection, Kafka partition.
    pub stream: u32,
    pub message: Message,
    pub fields: Vec<Field>,
    /// Names of headers whose values are kept besides the propagation fields (declared markers).
    pub kept: Vec<String>,
    pub marked: CaptureMark,
}

impl Recorder {
    /// Creates a recorder of at most `limit` captures; with `keep_raw` the values of all fields are kept.
    pub fn new(limit: usize, keep_raw: bool) -> Self {
        Self::masking(limit, keep_raw, FieldMask::default())
    }

    /// Creates a recorder as `new` does, which masks the values of some fields.
    pub fn masking(limit: usize, keep_raw: bool, mask: FieldMask) -> Self {
        Self::limited(RecordLimit { captures: limit, bytes: LARGEST_RECORD }, keep_raw, mask)
    }

    fn limited(limit: RecordLimit, keep_raw: bool, mask: FieldMask) -> Self {
        let (version, _) = watch::channel(0);
        let seen = Mutex::default();
        let (started, started_at) = (Instant::now(), SystemTime::now());
        Self { shared: Arc::new(RecorderState { started, started_at, limit, keep_raw, mask, seen, version }) }
    }

    /// Returns the nanoseconds since the start of the case; the clock of all evidence.
    pub fn now(&self) -> u64 {
        u64::try_from(self.shared.started.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Converts a moment that was read elsewhere, so that a busy machine adds no delay between two readings.
    pub fn nanos_at(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.shared.started).as_nanos()).unwrap_or(u64::MAX)
    }

    /// Converts a wall-clock time of millisecond precision: returns the end of that millisecond.
    pub fn nanos_at_millisecond(&self, since_1970: Duration) -> u64 {
        let at = SystemTime::UNIX_EPOCH + since_1970 + Duration::from_millis(1);
        let since = at.duration_since(self.shared.started_at).unwrap_or_default();
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }

    pub fn begin(&self, head: Head) -> Recording {
        let begun_nanos = self.now();
        let headers = self.fields(head.headers, &head.kept);
        let path = head.target.split(['?', '#']).next().unwrap_or_default().into();
        let capture = Capture {
            tap: head.tap,
            protocol: head.protocol,
            connection: head.connection,
            stream: head.stream,
            begun_nanos,
            ended_nanos: None,
            method: head.method.into(),
            path,
            headers,
            trailers: Vec::new(),
            marked: CaptureMark::Absent,
            further_marks: Vec::new(),
            end: CaptureEnd::Open,
            message: None,
        };
        self.add(capture)
    }

    pub fn message(&self, head: MessageHead) -> Recording {
        let headers = head.fields.into_iter().map(|field| self.redacted(field, &head.kept));
        let method = match head.message.direction {
            MessageDirection::Published => "publish",
            MessageDirection::Delivered => "deliver",
        };
        self.add(Capture {
            tap: head.tap,
            protocol: head.protocol,
            connection: head.connection,
            stream: head.stream,
            begun_nanos: self.now(),
            ended_nanos: None,
            method: method.into(),
            path: head.message.destination.as_str().into(),
            headers: headers.collect(),
            trailers: Vec::new(),
            marked: head.marked,
            further_marks: Vec::new(),
            end: CaptureEnd::Open,
            message: Some(head.message),
        })
    }

    /// Adds fields of a message that its receiver did not request, when they become known only after it was recorded.
    pub fn add_not_requested(&self, ix: CaptureIx, fields: Vec<Field>, kept: &[String]) {
        let names: Vec<String> = fields.iter().map(Field::name_text).collect();
        let fields: Vec<Field> = fields.into_iter().map(|field| self.redacted(field, kept)).collect();
        self.change(Some(ix), |capture| {
            capture.headers.extend(fields);
            if let Some(message) = &mut capture.message {
                message.not_requested.extend(names);
            }
        });
    }

    /// Converts field lines, without the values that must not be kept.
    fn fields(&self, lines: Vec<(Vec<u8>, Vec<u8>)>, kept: &[String]) -> Vec<Field> {
        lines.into_iter().map(|(name, value)| self.redacted(Field::text(name, value), kept)).collect()
    }

    /// Masks a value, or removes it unless it is evidence.
    fn redacted(&self, field: Field, kept: &[String]) -> Field {
        let masked = field.value.as_ref().and_then(|value| self.shared.mask.masked(&field.name, value));
        if masked.is_some() {
            return Field { value: masked, ..field };
        }
        if self.shared.keep_raw || is_propagation_field(&field.name) || is_named(kept, &field.name) {
            field
        } else {
            Field { value: None, ..field }
        }
    }

    fn add(&self, capture: Capture) -> Recording {
        let mut seen = self.shared.seen.lock();
        let (size, limit) = (size_of(&capture), self.shared.limit);
        let ix = if seen.captures.len() < limit.captures && seen.bytes + size <= limit.bytes {
            seen.bytes += size;
            seen.captures.push(capture);
            Some(CaptureIx(seen.captures.len() - 1))
        } else {
            seen.refused += 1;
            None
        };
        drop(seen);
        self.changed();
        Recording { recorder: self.clone(), ix, ended: false }
    }

    pub fn gap(&self, place: GapPlace, what: impl Into<String>) {
        self.shared.seen.lock().gaps.push(Gap { place, what: what.into(), lines: Vec::new() });
        self.changed();
    }

    /// Returns a channel that changes whenever anything is recorded, to wait without polling.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.shared.version.subscribe()
    }

    /// Runs `look` on the captures so far, under the lock: keep it short.
    pub fn look<R>(&self, look: impl FnOnce(&[Capture]) -> R) -> R {
        look(&self.shared.seen.lock().captures)
    }

    /// Returns a copy of the captures and gaps so far, for the evidence.
    pub fn freeze(&self) -> (Vec<Capture>, Vec<Gap>) {
        let seen = self.shared.seen.lock();
        let mut gaps = seen.gaps.clone();
        if seen.refused > 0 {
            let RecordLimit { captures, bytes } = self.shared.limit;
            let what = format!(
                "{} requests beyond the limit of {captures} requests or {} MiB of headers were not captured: send fewer \
                 requests, or split the scenario",
                seen.refused,
                bytes >> 20
            );
            gaps.push(Gap { place: GapPlace::Run, what, lines: Vec::new() });
        }
        (seen.captures.clone(), gaps)
    }

    fn change(&self, ix: Option<CaptureIx>, change: impl FnOnce(&mut Capture)) {
        if let Some(ix) = ix {
            change(&mut self.shared.seen.lock().captures[ix.0]);
            self.changed();
        }
    }

    fn is_message(&self, ix: Option<CaptureIx>) -> bool {
        ix.is_some_and(|ix| self.shared.seen.lock().captures[ix.0].message.is_some())
    }

    fn changed(&self) {
        self.shared.version.send_modify(|version| *version += 1);
    }
}

/// One capture that is still being written.
#[derive(Debug)]
pub struct Recording {
    recorder: Recorder,
    ix: Option<CaptureIx>,
    ended: bool,
}

impl Recording {
    /// Returns the index of the capture; `None` beyond the limit of the recorder.
    pub fn ix(&self) -> Option<CaptureIx> {
        self.ix
    }

    /// Adds a mark that was found: the first one marks the capture, the others are those of further messages of a gRPC
    /// stream. A body that cannot be read matters only as long as no mark is found.
    pub fn mark(&self, found: CaptureMark) {
        let mut full_at = None;
        self.recorder.change(self.ix, |capture| match (found, &capture.marked) {
            (CaptureMark::By(mark), CaptureMark::By(_)) => {
                if capture.further_marks.len() < FURTHER_MARKS {
                    capture.further_marks.push(mark);
                    full_at = (capture.further_marks.len() == FURTHER_MARKS).then_some(capture.tap);
                }
            }
            (by @ CaptureMark::By(_), _) => capture.marked = by,
            (unreadable @ CaptureMark::Unreadable(_), CaptureMark::Absent) => capture.marked = unreadable,
            (CaptureMark::Unreadable(_) | CaptureMark::Absent, _) => {}
        });
        if let Some(tap) = full_at {
            let what =
                format!("a gRPC stream has more than {FURTHER_MARKS} marked messages: send fewer of them");
            self.recorder.gap(GapPlace::Tap(tap), what);
        }
    }

    /// Adds the fields of the context that the body carries. Headers that carry one too stand beside it.
    pub fn body_context(&self, members: Vec<Field>) {
        let members: Vec<Field> =
            members.into_iter().map(|field| self.recorder.redacted(field, &[])).collect();
        self.recorder.change(self.ix, |capture| {
            for header in capture.headers.iter_mut().filter(|header| is_propagation_field(&header.name)) {
                header.kind = FieldKind::BesideBody;
            }
            capture.headers.extend(members);
        });
    }

    /// Sets the trailers of the request.
    pub fn trailers(&self, trailers: Vec<(Vec<u8>, Vec<u8>)>) {
        let trailers = self.recorder.fields(trailers, &[]);
        self.recorder.change(self.ix, |capture| capture.trailers = trailers);
    }

    /// Changes properties that become known only after the message was sent, such as its id or offset.
    pub fn message(&self, change: impl FnOnce(&mut Message)) {
        self.recorder.change(self.ix, |capture| {
            if let Some(message) = &mut capture.message {
                change(message)
            }
        });
    }

    /// Moves the start back: it began before it could be recorded.
    pub fn began(&self, nanos: u64) {
        self.recorder.change(self.ix, |capture| capture.begun_nanos = capture.begun_nanos.min(nanos));
    }

    pub fn end(mut self, end: CaptureEnd) {
        self.finish(end);
    }

    /// Sets a preliminary end, which `end` may replace: a broker need not confirm a message.
    pub fn ended_so_far(&mut self, end: CaptureEnd) {
        self.finish(end);
    }

    fn finish(&mut self, end: CaptureEnd) {
        self.ended = true;
        let now = self.recorder.now();
        self.recorder.change(self.ix, |capture| {
            capture.ended_nanos = Some(now);
            capture.end = end;
        });
    }
}

impl Drop for Recording {
    /// Marks the capture as broken, not open, if the tap ends before the request.
    fn drop(&mut self) {
        if !self.ended {
            let how = if self.recorder.is_message(self.ix) {
                "the connection ended before the message was settled"
            } else {
                "the connection ended before the answer was complete"
            };
            self.finish(CaptureEnd::Broken(how.to_owned()));
        }
    }
}

/// Returns the bytes that a capture holds besides its fixed size.
fn size_of(capture: &Capture) -> usize {
    let fields =
        capture.headers.iter().map(|field| field.name.len() + field.value.as_ref().map_or(0, Vec::len));
    capture.method.len() + capture.path.len() + fields.sum::<usize>()
}

fn is_named(names: &[String], name: &[u8]) -> bool {
    names.iter().any(|kept| kept.as_bytes().eq_ignore_ascii_case(name))
}

/// Returns whether a field belongs to a propagation format; the values of these fields are evidence.
pub fn is_propagation_field(name: &[u8]) -> bool {
    const NAMES: &[&str] = &[
        "traceparent",
        "tracestate",
        "baggage",
        "b3",
        "uber-trace-id",
        "x-amzn-trace-id",
        "x-cloud-trace-context",
        "grpc-trace-bin",
        "traceresponse",
        "awstraceheader",
    ];
    const PREFIXES: &[&str] = &["x-b3-", "x-datadog-", "uberctx-", "ot-tracer-"];
    let name = name.to_ascii_lowercase();
    NAMES.iter().any(|known| known.as_bytes() == name)
        || PREFIXES.iter().any(|known| name.starts_with(known.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(baggage: &[u8]) -> Head {
        Head {
            tap: TapIx(0),
            protocol: Protocol::Http1,
            connection: 0,
            stream: 0,
            method: "GET".to_owned(),
            target: "/".to_owned(),
            headers: vec![(b"baggage".to_vec(), baggage.to_vec())],
            kept: Vec::new(),
        }
    }

    #[test]
    fn captures_beyond_either_limit_are_counted_and_not_kept() {
        for (limit, kept) in [((2, 1 << 20), 2), ((100, 2500), 2)] {
            let limit = RecordLimit { captures: limit.0, bytes: limit.1 };
            let recorder = Recorder::limited(limit, false, FieldMask::default());
            for _ in 0..5 {
                recorder.begin(head(&[b'a'; 1000])).end(CaptureEnd::Open);
            }
            let (captures, gaps) = recorder.freeze();
            assert_eq!(captures.len(), kept, "{limit:?}");
            assert!(
                gaps.len() == 1 && gaps[0].what.starts_with("3 requests beyond the limit of "),
                "{gaps:?}"
            );
        }
    }

    #[test]
    fn the_first_mark_is_that_of_the_capture_and_the_others_are_kept_in_their_order() {
        let mark = |stimulus| crate::plan::Mark {
            run: 7,
            stimulus: crate::plan::StimulusIx(stimulus),
            call: None,
            item: None,
        };
        let recorder = Recorder::new(1, false);
        let recording = recorder.begin(head(b""));
        recording.mark(CaptureMark::Unreadable("gRPC message 1 is compressed".to_owned()));
        for stimulus in [1, 2, 2] {
            recording.mark(CaptureMark::By(mark(stimulus)));
        }
        recording.mark(CaptureMark::Unreadable("gRPC message 5 is compressed".to_owned()));
        let capture = recorder.freeze().0.remove(0);
        assert_eq!(
            (capture.marked, capture.further_marks),
            (CaptureMark::By(mark(1)), vec![mark(2), mark(2)])
        );
    }

    #[test]
    fn a_masked_header_is_recorded_without_its_value_whether_or_not_values_are_kept() {
        for keep_raw in [false, true] {
            let mask = FieldMask::new(vec!["header:x-tenant".parse().unwrap(), "baggage".parse().unwrap()]);
            let recorder = Recorder::masking(10, keep_raw, mask);
            let mut head = head(b"tenant=blue");
            head.headers
                .extend([(b"X-Tenant".to_vec(), b"blue".to_vec()), (b"x-other".to_vec(), b"1".to_vec())]);
            recorder.begin(head).end(CaptureEnd::Open);
            let headers = recorder.freeze().0.remove(0).headers;
            let values: Vec<Option<String>> = headers
                .into_iter()
                .map(|field| field.value.map(|value| String::from_utf8(value).unwrap()))
                .collect();
            let [Some(baggage), Some(tenant), other] = &values[..] else { panic!("{values:?}") };
            assert!(baggage.starts_with("tenant=*") && !baggage.contains("blue"), "{values:?}");
            assert!(tenant.starts_with('*') && baggage.ends_with(tenant.as_str()), "{values:?}");
            assert_eq!(other.as_deref(), keep_raw.then_some("1"));
        }
    }
}
