//! Extracts and injects as the standards demand, with one defect at most. It shares no code with the product.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

pub type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// One way to break a requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    NeverContinues,
    NameCaseSensitive,
    UpperCaseNames,
    VersionFf,
    AnyVersion,
    PadsTraceId,
    UpperCaseParentId,
    AnyFlags,
    AnythingBehind,
    AnySeparator,
    NoTrim,
    FirstOfSeveral,
    FailsOnEmpty,
    FailsOnLong,
    RefusesDigits,
    TakesSigns,
    RefusesHigherVersions,
    ShortHigherVersion,
    AnythingBehindHigherVersion,
    HigherVersionByDashes,
    EchoesVersion,
    EchoesHigherFlags,
    ZeroIdsOfHigherVersion,
    CutsTracestateOfHigherVersion,
    FlagsAsNumber,
    EchoesFlags,
    KeepsParentUnsampled,
    ClearsSampled,
    ClearsRandom,
    SetsRandom,
    CountsTraceIds,
    NeverSetsRandom,
    ContinuesFirstCallOnly,
    OneParentId,
    SetsHighFlag,
    SilentWithoutParent,
    NewTracePerCall,
    KeepsTracestateOnRestart,
    InvalidTracestateVoidsParent,
    KeepsLoneTracestate,
    OneTraceForAll,
    TracestateCaseSensitive,
    ReversesTracestate,
    FirstTracestateLine,
    EmptyLineVoids,
    EmptyMemberVoids,
    SpacesVoid,
    TrimsValues,
    NoSemicolons,
    LongKeys,
    LongValues,
    NoDigitFirst,
    OneAtSign,
    AnyKeys,
    AnyValues,
    MembersWithoutEquals,
    AnyNumberOfMembers,
    DropsLongTracestate,
    CutsTracestate,
    DropsRepeatedKeys,
    DropsForeignMembers,
    RepairsKeys,
    BaggageCaseSensitive,
    FewBaggageMembers,
    CutsBaggage,
    FirstBaggageLine,
    SplitsAtEveryEquals,
    DecodesTwice,
    DropsNonUtf8,
    FailsOnEscape,
    LowerCaseKeys,
    KeepsSpaces,
    DropsProperties,
    JoinsRepeatedKeys,
    FailsOnInvalidBaggage,
    EmptyValueIsNull,
    SampledBaggageOnly,
    PlusIsSpace,
    DecodesControls,
    FailsOnLargeBaggage,
}

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

    /// `None` for a request that the defect answers with an error.
    pub fn extract(&self, fields: &Fields) -> Option<Incoming> {
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

    /// Version, trace id, parent id and flags of a field that is valid, or that the defect takes for valid.
    fn traceparent(&self, line: &[u8]) -> Option<(String, String, String, u8)> {
        let mut text = String::from_utf8_lossy(line).into_owned();
        if self.has(Defect::AnySeparator) {
            text = text.replace(['_', ':', ' '], "-").replace("--", "-");
        }
        let mut parts = text.splitn(4, '-').map(str::to_owned).collect::<Vec<_>>();
        if parts.len() < 4 {
            return None;
        }
        let flags_end = parts[3].floor_char_boundary(2);
        let behind = parts[3].split_off(flags_end);
        if self.has(Defect::TakesSigns) {
            parts.iter_mut().for_each(|part| *part = part.replacen('+', "0", 1));
        }
        let [mut version, mut trace_id, parent_id, mut flags] = <[String; 4]>::try_from(parts).ok()?;
        let hex = |text: &str, length: usize| {
            text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        };
        if self.has(Defect::AnyVersion) && !hex(&version, 2) {
            version = "00".to_owned();
        }
        if !hex(&version, 2) || version == "ff" && !self.has(Defect::VersionFf) {
            return None;
        }
        let higher = version != "00" && version != "ff";
        if self.has(Defect::PadsTraceId) && trace_id.len() < 32 {
            trace_id = format!("{trace_id:0>32}");
        }
        if self.has(Defect::ShortHigherVersion) && higher && flags.len() == 1 {
            flags = format!("0{flags}");
        }
        if self.has(Defect::AnyFlags) && !hex(&flags, 2) {
            flags = "01".to_owned();
        }
        let lower = match self.has(Defect::UpperCaseParentId) {
            true => parent_id.to_lowercase(),
            false => parent_id,
        };
        let placed = hex(&trace_id, 32) && hex(&lower, 16) && hex(&flags, 2);
        let loose = self.has(Defect::HigherVersionByDashes) && higher && trace_id.len() + lower.len() == 48;
        if !placed && !loose {
            return None;
        }
        if loose && !placed {
            trace_id = format!("{trace_id:0<32.32}").replace(|c: char| !c.is_ascii_hexdigit(), "0");
            flags = "01".to_owned();
        }
        if !self.is_allowed(&trace_id, &lower, higher) {
            return None;
        }
        let tail_fits = behind.is_empty()
            || higher && behind.starts_with('-')
            || higher && self.has(Defect::AnythingBehindHigherVersion)
            || self.has(Defect::AnythingBehind);
        let flags = u8::from_str_radix(&flags, 16).ok()?;
        tail_fits.then_some((version, trace_id, lower, flags))
    }

    /// Zero ids are not, and those that a defect refuses.
    fn is_allowed(&self, trace_id: &str, parent_id: &str, higher: bool) -> bool {
        let zero = |text: &str| text.bytes().all(|b| b == b'0');
        let is_zero = zero(trace_id) || zero(parent_id);
        !(is_zero && !(higher && self.has(Defect::ZeroIdsOfHigherVersion))
            || self.has(Defect::RefusesDigits) && trace_id.bytes().all(|b| b.is_ascii_digit())
            || self.has(Defect::RefusesHigherVersions) && higher)
    }

    /// The members; `None` for a list that is dropped.
    fn tracestate(&self, lines: &[&[u8]]) -> Option<Vec<Vec<u8>>> {
        if self.has(Defect::EmptyLineVoids) && lines.iter().any(|line| line.is_empty()) {
            return None;
        }
        let lines = if self.has(Defect::FirstTracestateLine) { &lines[..lines.len().min(1)] } else { lines };
        let joined = lines.join(&b',');
        let mut members = Vec::new();
        for part in split(&joined, b',') {
            let member = trim(part);
            if self.has(Defect::SpacesVoid) && member.len() != part.len()
                || self.has(Defect::EmptyMemberVoids) && member.is_empty() && !lines.is_empty()
            {
                return None;
            }
            if !member.is_empty() {
                members.push(self.member(member)?);
            }
        }
        if members.len() > 32 && !self.has(Defect::AnyNumberOfMembers) {
            return None;
        }
        if self.has(Defect::DropsRepeatedKeys) {
            let key = |member: &[u8]| split(member, b'=')[0].to_vec();
            let keys: Vec<Vec<u8>> = members.iter().map(|member| key(member)).collect();
            members.retain(|member| keys.iter().filter(|other| **other == key(member)).count() == 1);
        }
        let length = members.iter().map(|member| member.len() + 1).sum::<usize>();
        if self.has(Defect::DropsLongTracestate) && length > 256 {
            return None;
        }
        if self.has(Defect::ReversesTracestate) {
            members.reverse();
        }
        if self.has(Defect::DropsForeignMembers) {
            members.retain(|member| member.starts_with(b"ot="));
        }
        Some(members)
    }

    fn member(&self, member: &[u8]) -> Option<Vec<u8>> {
        let Some(equals) = member.iter().position(|byte| *byte == b'=') else {
            return self.has(Defect::MembersWithoutEquals).then(|| member.to_vec());
        };
        let (key, value) = (&member[..equals], &member[equals + 1..]);
        let starts = match key.first() {
            Some(b'0'..=b'9') => !self.has(Defect::NoDigitFirst),
            Some(first) => first.is_ascii_lowercase(),
            None => false,
        };
        let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-*/@".contains(byte);
        let at_signs = key.iter().filter(|byte| **byte == b'@').count();
        let key_fits = starts && key.iter().all(plain) && (at_signs < 2 || !self.has(Defect::OneAtSign));
        let value_byte = |byte: &u8| matches!(byte, b' '..=b'~') && *byte != b'=';
        let no_semicolon = !self.has(Defect::NoSemicolons) || !value.contains(&b';');
        let value_fits = value.iter().all(value_byte) && no_semicolon;
        let lengths = (key.len() <= 256 || self.has(Defect::LongKeys))
            && ((1..=256).contains(&value.len()) || self.has(Defect::LongValues));
        if self.has(Defect::RepairsKeys) && !key_fits {
            return Some([b"repaired=", value].concat());
        }
        let fits =
            (key_fits || self.has(Defect::AnyKeys)) && (value_fits || self.has(Defect::AnyValues)) && lengths;
        let value = if self.has(Defect::TrimsValues) { trim(value) } else { value };
        fits.then(|| [key, b"=", value].concat())
    }

    /// The members; `None` for a request that the defect answers with an error.
    fn baggage(&self, lines: &[&[u8]]) -> Option<Vec<Vec<u8>>> {
        let lines = if self.has(Defect::FirstBaggageLine) { &lines[..lines.len().min(1)] } else { lines };
        let joined = lines.join(&b',');
        if self.has(Defect::FailsOnLargeBaggage) && joined.len() > 20_000 {
            return None;
        }
        let mut members: Vec<Vec<u8>> = Vec::new();
        for part in split(&joined, b',').into_iter().filter(|part| !trim(part).is_empty()) {
            let part = if self.has(Defect::KeepsSpaces) { part } else { trim(part) };
            let pair = split(part, b';')[0];
            let equals = pair.iter().position(|byte| *byte == b'=');
            let Some(equals) = equals.filter(|at| !trim(&pair[..*at]).is_empty()) else {
                if self.has(Defect::FailsOnInvalidBaggage) {
                    return None;
                }
                continue;
            };
            members.extend(self.baggage_member(part, pair, equals)?);
        }
        if self.has(Defect::FewBaggageMembers) {
            members.truncate(32);
        }
        if self.has(Defect::JoinsRepeatedKeys) {
            let last = members.iter().rposition(|member| member.starts_with(b"k="));
            let first = members.iter().position(|member| member.starts_with(b"k="));
            if let (Some(first), Some(last)) = (first, last.filter(|last| Some(*last) != first)) {
                let value = members[last][2..].to_vec();
                members[first].extend(value);
            }
        }
        Some(members)
    }

    fn baggage_member(&self, part: &[u8], pair: &[u8], equals: usize) -> Option<Option<Vec<u8>>> {
        let (key, value) = (&pair[..equals], &pair[equals + 1..]);
        let (key, value) = match self.has(Defect::KeepsSpaces) {
            true => (key.to_vec(), [b"%20", value].concat()),
            false => (trim(key).to_vec(), trim(value).to_vec()),
        };
        let key = if self.has(Defect::LowerCaseKeys) { key.to_ascii_lowercase() } else { key };
        let decoded = percent_decoded(&value);
        if self.has(Defect::FailsOnEscape) && decoded.is_none() {
            return None;
        }
        let decoded = decoded.unwrap_or_default();
        let value = match self.defect {
            Some(Defect::SplitsAtEveryEquals) => split(&value, b'=')[0].to_vec(),
            Some(Defect::DecodesTwice) => decoded,
            Some(Defect::DecodesControls) if decoded.iter().any(|b| *b < b' ') => decoded,
            Some(Defect::DropsNonUtf8) if String::from_utf8(decoded).is_err() => return Some(None),
            Some(Defect::PlusIsSpace) => value
                .iter()
                .map(|b| if *b == b'+' { " ".into() } else { char::from(*b).to_string() })
                .collect::<String>()
                .replace(' ', "%20")
                .into_bytes(),
            Some(Defect::EmptyValueIsNull) if value.is_empty() => b"null".to_vec(),
            _ => value,
        };
        let properties = if self.has(Defect::DropsProperties) { &b""[..] } else { &part[pair.len()..] };
        Some(Some([&key[..], b"=", &value, properties].concat()))
    }

    /// The fields of call `number`.
    pub fn inject(&self, incoming: &Incoming, number: usize) -> Fields {
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

/// `None` for an escape without two digits.
fn percent_decoded(value: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = value;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first != b'%' {
            out.push(*first);
            continue;
        }
        let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
        out.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &rest[2..];
    }
    Some(out)
}
