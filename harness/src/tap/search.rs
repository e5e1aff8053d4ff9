//! Finds the stimulus's mark in a request: declared markers first, then the path, then the body.
//!
//! It copies at most the first 64 KiB of a body, and does not decompress: a mark that may be beyond that, or
//! in an encoding, is `CaptureMark::Unreadable` and names the reason. Of a gRPC stream only the first message is
//! looked at.

use crate::evidence::CaptureMark;
use crate::plan::Mark;
use crate::scenario::Marker;

/// The length of the copy of a body.
const COPIED: usize = 64 * 1024;
/// Compressed-flag and length before each gRPC message (gRPC over HTTP/2, "Length-Prefixed-Message").
const GRPC_PREFIX: usize = 5;

/// The parts of a request head that the search needs.
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'a> {
    pub target: &'a str,
    pub headers: &'a [(Vec<u8>, Vec<u8>)],
}

impl RequestHead<'_> {
    pub fn values<'b>(&'b self, name: &'b str) -> impl Iterator<Item = &'b [u8]> {
        let named = self.headers.iter().filter(|(given, _)| given.eq_ignore_ascii_case(name.as_bytes()));
        named.map(|(_, value)| value.as_slice())
    }

    pub fn is_grpc(&self) -> bool {
        self.values("content-type").any(|value| value.starts_with(b"application/grpc"))
    }

    /// Returns the coding of the body, unless it is identity.
    fn encoding(&self) -> Option<String> {
        let mut codings = self.values("content-encoding").chain(self.values("transfer-encoding"));
        let coding = codings.find(|coding| !matches!(*coding, b"" | b"identity" | b"chunked"))?;
        Some(String::from_utf8_lossy(coding).into_owned())
    }
}

/// Returns the mark of a complete message.
#[cfg_attr(not(any(feature = "kafka", feature = "rabbitmq", feature = "sqs")), allow(dead_code))]
pub fn in_message(markers: &[Marker], run: u32, headers: &[(Vec<u8>, Vec<u8>)], body: &[u8]) -> CaptureMark {
    let (mut search, found) = Search::begin(markers, run, RequestHead { target: "", headers });
    let found = found.or_else(|| search.body(body));
    found.or_else(|| search.finish()).unwrap_or(CaptureMark::Absent)
}

/// The search through one request.
#[derive(Debug)]
pub enum Search {
    Over,
    Body(Box<BodySearch>),
}

#[derive(Debug)]
pub struct BodySearch {
    /// `ub<run>-`
    key: Vec<u8>,
    copied: Vec<u8>,
    /// No mark begins before this.
    searched: usize,
    longer: bool,
    encoding: Option<String>,
    grpc: bool,
    members: Vec<String>,
    /// Found in the path, which counts only when no declared member of the body has one.
    path: Option<Mark>,
}

impl Search {
    /// Searches the head; returns the search for the rest.
    pub fn begin(markers: &[Marker], run: u32, head: RequestHead<'_>) -> (Search, Option<CaptureMark>) {
        let key = format!("ub{run:08x}-").into_bytes();
        if let Some(mark) = markers.iter().find_map(|marker| declared(marker, &key, head)) {
            return (Search::Over, Some(CaptureMark::By(mark)));
        }
        let members: Vec<String> = markers.iter().filter_map(member).cloned().collect();
        let path = find(&key, path_of(head.target).as_bytes());
        if let (Some(mark), true) = (path, members.is_empty()) {
            return (Search::Over, Some(CaptureMark::By(mark)));
        }
        let (encoding, grpc) = (head.encoding(), head.is_grpc());
        let body =
            BodySearch { key, copied: Vec::new(), searched: 0, longer: false, encoding, grpc, members, path };
        (Search::Body(Box::new(body)), None)
    }

    /// Searches more of the request's body.
    pub fn body(&mut self, bytes: &[u8]) -> Option<CaptureMark> {
        let Search::Body(body) = self else { return None };
        if bytes.is_empty() {
            return None;
        }
        body.copy(bytes);
        let found = body.early()?;
        *self = Search::Over;
        found
    }

    /// Ends the search: the request is complete, or the rest cannot be read.
    pub fn finish(&mut self) -> Option<CaptureMark> {
        let Search::Body(body) = std::mem::replace(self, Search::Over) else { return None };
        body.conclude()
    }
}

impl BodySearch {
    fn copy(&mut self, bytes: &[u8]) {
        let taken = bytes.len().min(COPIED - self.copied.len());
        self.longer |= taken < bytes.len();
        self.copied.extend_from_slice(&bytes[..taken]);
    }

    /// Returns the result, if it is certain before the body is complete; `Some(None)` means that there is no mark.
    fn early(&mut self) -> Option<Option<CaptureMark>> {
        if self.encoding.is_some() || self.longer || self.message_is_complete() {
            return Some(self.conclude());
        }
        if !self.members.is_empty() {
            return None;
        }
        // A mark at the very end may continue in the next bytes: only what a foreign byte ends is settled.
        let unsettled = self
            .copied
            .iter()
            .rev()
            .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-')
            .count();
        let settled = self.copied.len() - unsettled;
        let from = self.searched.min(settled);
        self.searched = settled;
        find(&self.key, &self.copied[from..settled]).map(|mark| Some(CaptureMark::By(mark)))
    }

    fn conclude(&self) -> Option<CaptureMark> {
        if let Some(mark) = self.in_member().or(self.path) {
            return Some(CaptureMark::By(mark));
        }
        if let (false, Some(encoding)) = (self.copied.is_empty(), &self.encoding) {
            return Some(CaptureMark::Unreadable(format!("the body is encoded as `{encoding}`")));
        }
        let message = self.message();
        if self.grpc && self.copied.first().is_some_and(|flag| *flag != 0) {
            return Some(CaptureMark::Unreadable("the first gRPC message is compressed".to_owned()));
        }
        if let Some(mark) = find(&self.key, message) {
            return Some(CaptureMark::By(mark));
        }
        let longer = self.longer && !self.message_is_complete();
        longer.then(|| CaptureMark::Unreadable("the first 64 KiB of the body have no mark".to_owned()))
    }

    fn in_member(&self) -> Option<Mark> {
        if self.members.is_empty() {
            return None;
        }
        let body: serde_json::Value = serde_json::from_slice(&self.copied).ok()?;
        self.members.iter().find_map(|member| {
            let value = member.split('.').try_fold(&body, |value, name| match value {
                serde_json::Value::Array(items) => items.get(name.parse::<usize>().ok()?),
                other => other.get(name),
            })?;
            match value {
                serde_json::Value::String(text) => find(&self.key, text.as_bytes()),
                other => find(&self.key, other.to_string().as_bytes()),
            }
        })
    }

    /// Returns the length of the first gRPC message with its prefix.
    fn message_length(&self) -> Option<usize> {
        if !self.grpc {
            return None;
        }
        let length = u32::from_be_bytes(self.copied.get(1..GRPC_PREFIX)?.try_into().ok()?);
        Some(GRPC_PREFIX + usize::try_from(length).ok()?)
    }

    fn message_is_complete(&self) -> bool {
        self.message_length().is_some_and(|length| self.copied.len() >= length)
    }

    fn message(&self) -> &[u8] {
        let end = self.message_length().unwrap_or(usize::MAX).min(self.copied.len());
        &self.copied[..end]
    }
}

fn member(marker: &Marker) -> Option<&String> {
    match marker {
        Marker::Body(member) => Some(member),
        Marker::Header(_) | Marker::Path | Marker::Query(_) => None,
    }
}

/// Returns the mark in a declared marker of the head.
fn declared(marker: &Marker, key: &[u8], head: RequestHead<'_>) -> Option<Mark> {
    match marker {
        Marker::Header(name) => head.values(name).find_map(|value| find(key, value)),
        Marker::Path => path_of(head.target).split('/').find_map(|segment| find(key, segment.as_bytes())),
        Marker::Query(name) => {
            let query = head.target.split_once('?')?.1.split('#').next()?;
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.filter(|(given, _)| given == name).find_map(|(_, value)| find(key, value.as_bytes()))
        }
        Marker::Body(_) => None,
    }
}

fn path_of(target: &str) -> &str {
    target.split(['?', '#']).next().unwrap_or_default()
}

/// Returns the first mark with this key, after any marks of other runs.
fn find(key: &[u8], bytes: &[u8]) -> Option<Mark> {
    let starts = bytes.windows(key.len()).enumerate().filter(|(_, window)| *window == key);
    starts.filter_map(|(at, _)| Mark::find(&bytes[at..])).find(|mark| mark_has(mark, key))
}

fn mark_has(mark: &Mark, key: &[u8]) -> bool {
    mark.to_string().as_bytes().starts_with(key)
}
