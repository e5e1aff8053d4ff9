//! Extracts and injects as the standards demand, with one defect at most. It shares no code with the product.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::service::{Carrier, Fields};

mod baggage;
mod defect;
mod traceparent;
mod tracestate;

pub use defect::Defect;

/// The context of one request.
pub struct Incoming {
    trace_id: String,
    parent_id: String,
    version: String,
    flags: u8,
    continues: bool,
    is_higher: bool,
    tracestate: Vec<Vec<u8>>,
    baggage: Vec<Vec<u8>>,
    own_parent: String,
    had_parent: bool,
}

pub struct Propagation {
    defect: Option<Defect>,
    next: AtomicU64,
    one_trace: Mutex<Option<String>>,
}

fn trim(bytes: &[u8]) -> &[u8] {
    let mut bytes = bytes;
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

fn split(line: &[u8], at: u8) -> Vec<&[u8]> {
    line.split(|byte| *byte == at).collect()
}

impl Propagation {
    pub fn new(defect: Option<Defect>) -> Propagation {
        Propagation { defect, next: AtomicU64::new(1), one_trace: Mutex::new(None) }
    }

    fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }

    /// Sixteen digits that look random: SplitMix64.
    fn id(&self) -> String {
        let mut z = self.next.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        format!("{:016x}", (z ^ (z >> 31)) | 1 << 63)
    }

    fn trace_id(&self) -> String {
        if self.has(Defect::CountsTraceIds) {
            return format!("{:032x}", self.next.fetch_add(1, Ordering::Relaxed));
        }
        let new = self.id() + &self.id();
        if self.has(Defect::OneTraceForAll) {
            return self.one_trace.lock().unwrap().get_or_insert(new).clone();
        }
        new
    }

    fn values<'a>(&self, fields: &'a Fields, name: &str, exact: Defect) -> Vec<&'a [u8]> {
        let is_named = |field: &[u8]| match self.has(exact) {
            true => field == name.as_bytes(),
            false => field.eq_ignore_ascii_case(name.as_bytes()),
        };
        fields.iter().filter(|(field, _)| is_named(field)).map(|(_, value)| trim(value)).collect()
    }
}

impl Carrier for Propagation {
    type Incoming = Incoming;

    fn extract(&self, fields: &Fields) -> Option<Incoming> {
        let parents = match self.has(Defect::NoTrim) {
            true => fields.iter().filter(|(name, _)| name == b"traceparent").map(|(_, v)| &v[1..]).collect(),
            false => self.values(fields, "traceparent", Defect::NameCaseSensitive),
        };
        let one = parents.len() == 1 || self.has(Defect::FirstOfSeveral);
        let line = parents.first().copied().filter(|_| one);
        if self.has(Defect::FailsOnEmpty) && line.is_some_and(<[u8]>::is_empty)
            || self.has(Defect::FailsOnLong) && line.is_some_and(|line| line.len() > 4000)
        {
            return None;
        }
        let read = line.and_then(|line| self.traceparent(line)).filter(|_| !self.has(Defect::NeverContinues));
        let lists = self.values(fields, "tracestate", Defect::TracestateCaseSensitive);
        let tracestate = self.tracestate(&lists);
        let void = self.has(Defect::InvalidTracestateVoidsParent) && tracestate.is_none();
        let read = read.filter(|_| !void);
        let tracestate = match (&read, parents.is_empty()) {
            (Some(_), _) => tracestate.unwrap_or_default(),
            (None, true) if self.has(Defect::KeepsLoneTracestate) => tracestate.unwrap_or_default(),
            (None, false) if self.has(Defect::KeepsTracestateOnRestart) => tracestate.unwrap_or_default(),
            (None, _) => Vec::new(),
        };
        let baggage = self.values(fields, "baggage", Defect::BaggageCaseSensitive);
        let baggage = self.baggage(&baggage)?;
        let new = || {
            (
                String::new(),
                self.trace_id(),
                String::new(),
                if self.has(Defect::NeverSetsRandom) { 1 } else { 3 },
            )
        };
        let continues = read.is_some();
        let (version, trace_id, parent_id, flags) = read.unwrap_or_else(new);
        let baggage = match self.has(Defect::SampledBaggageOnly) && (!continues || flags & 1 == 0) {
            true => Vec::new(),
            false => baggage,
        };
        Some(Incoming {
            is_higher: continues && version != "00",
            own_parent: self.id(),
            had_parent: !parents.is_empty(),
            trace_id,
            parent_id,
            version,
            flags,
            continues,
            tracestate,
            baggage,
        })
    }

    fn inject(&self, incoming: &Incoming, number: usize) -> Fields {
        let mut fields = Fields::new();
        if self.has(Defect::SilentWithoutParent) && !incoming.had_parent {
            return fields;
        }
        let lost = self.has(Defect::ContinuesFirstCallOnly) && number > 0
            || self.has(Defect::NewTracePerCall) && !incoming.continues;
        let trace_id = if lost { self.trace_id() } else { incoming.trace_id.clone() };
        let fixed = self.has(Defect::OneParentId);
        let kept = self.has(Defect::KeepsParentUnsampled) && incoming.continues && incoming.flags & 1 == 0;
        let parent_id = match (fixed, kept) {
            (true, _) => incoming.own_parent.clone(),
            (_, true) => incoming.parent_id.clone(),
            _ => self.id(),
        };
        let version =
            if self.has(Defect::EchoesVersion) && incoming.is_higher { &incoming.version } else { "00" };
        let line = format!("{version}-{trace_id}-{parent_id}-{:02x}", self.flags(incoming));
        let name = if self.has(Defect::UpperCaseNames) { "Traceparent" } else { "traceparent" };
        fields.push((name.as_bytes().to_vec(), line.into_bytes()));
        let mut tracestate = incoming.tracestate.join(&b',');
        if self.has(Defect::CutsTracestate) && tracestate.len() > 512
            || self.has(Defect::CutsTracestateOfHigherVersion) && incoming.is_higher
        {
            tracestate.truncate(tracestate.len().min(512) - 1);
            tracestate.push(b'x');
        }
        if !tracestate.is_empty() {
            fields.push((b"tracestate".to_vec(), tracestate));
        }
        let mut baggage = incoming.baggage.join(&b',');
        if self.has(Defect::CutsBaggage) {
            baggage.truncate(8000);
        }
        if !baggage.is_empty() {
            fields.push((b"baggage".to_vec(), baggage));
        }
        fields
    }
}

impl Propagation {
    fn flags(&self, incoming: &Incoming) -> u8 {
        let known = match incoming.is_higher {
            true if self.has(Defect::EchoesHigherFlags) => 0xff,
            true => 1,
            false if self.has(Defect::EchoesFlags) => 0xff,
            false => 3,
        };
        let flags = incoming.flags & known;
        match self.defect.filter(|_| incoming.continues) {
            Some(Defect::FlagsAsNumber) => u8::from(incoming.flags == 1),
            Some(Defect::ClearsSampled) => flags & !1,
            Some(Defect::ClearsRandom) => flags & !2,
            Some(Defect::SetsRandom) => flags | 2,
            Some(Defect::SetsHighFlag) => flags | 0x80,
            _ => flags,
        }
    }
}
