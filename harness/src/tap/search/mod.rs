//! Finds the mark of the stimulus in a request: declared markers first, then the path, then the body.
//!
//! It copies at most the first 64 KiB of a body or gRPC message, and does not decompress: a mark that may be beyond
//! that, or in an encoding, is `CaptureMark::Unreadable` and names the reason.

use crate::evidence::CaptureMark;
use crate::plan::Mark;
use crate::scenario::Marker;

mod body;
mod grpc;
#[cfg(test)]
mod tests;

use body::BodySearch;
use grpc::MessageSearch;

/// The length of the copy of a body or message.
const COPIED: usize = 64 * 1024;

/// The parts of a request head that the search needs.
#[derive(Clone, Copy, Debug)]
pub struct SearchedHead<'a> {
    pub target: &'a str,
    pub headers: &'a [(Vec<u8>, Vec<u8>)],
}

impl SearchedHead<'_> {
    pub fn values<'b>(&'b self, name: &'b str) -> impl Iterator<Item = &'b [u8]> {
        let named = self.headers.iter().filter(|(given, _)| given.eq_ignore_ascii_case(name.as_bytes()));
        named.map(|(_, value)| value.as_slice())
    }

    pub fn is_grpc(&self) -> bool {
        self.values("content-type").any(|value| value.starts_with(b"application/grpc"))
    }

    /// Returns the coding of the body that keeps its bytes from being read. A charset is no coding, wherever it is
    /// named: kombu, Celery and Spring AMQP write theirs into the property `content-encoding`.
    pub fn encoding(&self) -> Option<String> {
        let mut codings = self.values("content-encoding").chain(self.values("transfer-encoding"));
        let coding = codings.find(|coding| !is_plain(coding))?;
        Some(String::from_utf8_lossy(coding).into_owned())
    }
}

/// Returns whether a coding leaves bytes unchanged, or names a charset that contains ASCII.
fn is_plain(coding: &[u8]) -> bool {
    const PLAIN: [&str; 10] =
        ["", "identity", "chunked", "utf-8", "utf8", "us-ascii", "ascii", "binary", "7bit", "8bit"];
    let coding = String::from_utf8_lossy(coding).trim().to_ascii_lowercase();
    PLAIN.contains(&coding.as_str()) || coding.starts_with("iso-8859-") || coding.starts_with("windows-125")
}

/// Returns the mark of a complete message.
#[cfg_attr(not(any(feature = "kafka", feature = "rabbitmq", feature = "sqs")), allow(dead_code))]
pub fn in_message(markers: &[Marker], run: u32, headers: &[(Vec<u8>, Vec<u8>)], body: &[u8]) -> CaptureMark {
    let mut first = CaptureMark::Absent;
    let mut keep = |mark: CaptureMark| {
        if !matches!(first, CaptureMark::By(_)) {
            first = mark;
        }
    };
    let mut search = Search::begin(markers, run, SearchedHead { target: "", headers }, &mut keep);
    search.body(body, &mut keep);
    search.finish(&mut keep);
    first
}

/// The search through one request. It passes each result to the caller: one for a body, one for each message of a gRPC
/// stream, none where a mark is absent.
#[derive(Debug)]
pub enum Search {
    Over,
    Body(Box<BodySearch>),
    Messages(Box<MessageSearch>),
}

impl Search {
    /// Searches the head; returns the search for the rest.
    pub fn begin(
        markers: &[Marker],
        run: u32,
        head: SearchedHead<'_>,
        found: &mut dyn FnMut(CaptureMark),
    ) -> Search {
        let key = format!("ub{run:08x}-").into_bytes();
        if let Some(mark) = markers.iter().find_map(|marker| declared(marker, &key, head)) {
            found(CaptureMark::By(mark));
            return Search::Over;
        }
        let members: Vec<String> = markers.iter().filter_map(member).cloned().collect();
        let path = find(&key, path_of(head.target).as_bytes());
        if let (Some(mark), true) = (path, members.is_empty()) {
            found(CaptureMark::By(mark));
            return Search::Over;
        }
        if head.is_grpc() {
            return Search::Messages(Box::new(MessageSearch::new(key, path)));
        }
        Search::Body(Box::new(BodySearch::new(key, head.encoding(), members, path)))
    }

    /// Searches more of the body of the request.
    pub fn body(&mut self, bytes: &[u8], found: &mut dyn FnMut(CaptureMark)) {
        match self {
            Search::Over => {}
            Search::Messages(messages) => messages.read(bytes, found),
            Search::Body(_) if bytes.is_empty() => {}
            Search::Body(body) => {
                body.copy(bytes);
                if let Some(result) = body.early() {
                    result.into_iter().for_each(found);
                    *self = Search::Over;
                }
            }
        }
    }

    /// Ends the search: the request is complete, or the rest cannot be read.
    pub fn finish(&mut self, found: &mut dyn FnMut(CaptureMark)) {
        match std::mem::replace(self, Search::Over) {
            Search::Over => {}
            Search::Messages(mut messages) => messages.finish(found),
            Search::Body(body) => body.conclude().into_iter().for_each(found),
        }
    }
}

fn member(marker: &Marker) -> Option<&String> {
    match marker {
        Marker::Body(member) => Some(member),
        Marker::Header(_) | Marker::Path | Marker::Query(_) => None,
    }
}

/// Returns the mark in a declared marker of the head.
fn declared(marker: &Marker, key: &[u8], head: SearchedHead<'_>) -> Option<Mark> {
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
