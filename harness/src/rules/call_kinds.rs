//! The kinds of calls over the hop of a finding: those that show it, those that do not, and what tells them apart.
//!
//! A hop that names no path may carry different operations, of which one is broken. Two calls are of one kind when they
//! have the same method, path and status. A segment of the path that holds an id is not compared, nor is the query.

use std::collections::{BTreeMap, BTreeSet};

use super::wording::end;
use crate::breaks::{Break, Class};
use crate::crossings::{CrossingIx, CrossingRef, Crossings};
use crate::plan::{Mark, TapProtocol};
use crate::scenario::{HopIx, Transport};

/// More kinds than this are not listed.
const MOST: usize = 6;

/// The kinds of calls over one hop; fewer than two are none.
#[derive(Debug)]
pub(super) struct CallKinds<'a> {
    hop: &'a str,
    kinds: BTreeMap<CallKind, KindCount>,
    grpc: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct CallKind {
    method: String,
    path: String,
    end: String,
}

/// The number of crossings of a kind, and of those that show the finding.
#[derive(Clone, Copy, Debug, Default)]
struct KindCount {
    all: usize,
    hit: usize,
}

impl<'a> CallKinds<'a> {
    /// Returns the kinds of calls over the hop of these breaks; `None` for messages, for a hop that was not crossed,
    /// and where all calls are of one kind.
    pub(super) fn of(all: &Crossings<'a>, hop: HopIx, breaks: &[&Break]) -> Option<CallKinds<'a>> {
        let declared = all.plan.scenario.hop(hop);
        if declared.transport.via().is_some() || breaks.iter().any(|one| one.class() == Class::NotCrossed) {
            return None;
        }
        let hit: BTreeSet<CrossingIx> =
            breaks.iter().flat_map(|one| one.crossing.iter().chain(&one.shared)).copied().collect();
        let mut kinds: BTreeMap<CallKind, KindCount> = BTreeMap::new();
        for crossing in all.of_hop(hop) {
            let Some(kind) = CallKind::of(crossing) else { continue };
            let count = kinds.entry(kind).or_default();
            count.all += 1;
            count.hit += usize::from(hit.contains(&crossing.ix()));
        }
        let shown = kinds.values().any(|count| count.hit > 0);
        let grpc = matches!(declared.transport, Transport::Grpc(_));
        (shown && kinds.len() > 1).then_some(CallKinds { hop: &declared.id, kinds, grpc })
    }

    /// Returns one line that names each kind with the number of its calls that show the finding.
    pub(super) fn line(&self) -> String {
        let mut named: Vec<String> = Vec::new();
        for (kind, count) in self.kinds.iter().take(MOST) {
            named.push(format!("`{}` ({}): {} of {}", kind.name(self.grpc), kind.end, count.hit, count.all));
        }
        if self.kinds.len() > MOST {
            named.push(format!("{} more", self.kinds.len() - MOST));
        }
        format!("the calls over `{}` are of different kinds: {}", self.hop, named.join(", "))
    }

    /// Returns the next step where a method or path is that of broken calls alone.
    pub(super) fn next_step(&self) -> Option<String> {
        let (broken, sound): (Vec<_>, Vec<_>) = self.kinds.iter().partition(|(_, count)| count.hit > 0);
        let (broken, sound) = (fields(&broken), fields(&sound));
        if sound.paths.is_empty() {
            return None;
        }
        let (key, value) = match (single(&broken.paths), single(&broken.methods)) {
            (Some(path), _) if !sound.paths.contains(path) && self.grpc => {
                ("method", path.trim_start_matches('/'))
            }
            (Some(path), _) if !sound.paths.contains(path) => ("path", path),
            (_, Some(method)) if !sound.methods.contains(method) => ("method", method),
            _ => return None,
        };
        Some(format!(
            "if these are different operations, declare a hop for each: `{key}: {value}` tells the broken ones apart"
        ))
    }
}

/// The methods and paths of some kinds.
#[derive(Default)]
struct CallFields<'k> {
    methods: BTreeSet<&'k str>,
    paths: BTreeSet<&'k str>,
}

fn fields<'k>(kinds: &[(&'k CallKind, &KindCount)]) -> CallFields<'k> {
    let mut fields = CallFields::default();
    for (kind, _) in kinds {
        fields.methods.insert(&kind.method);
        fields.paths.insert(&kind.path);
    }
    fields
}

fn single<'k>(values: &BTreeSet<&'k str>) -> Option<&'k str> {
    if values.len() == 1 { values.first().copied() } else { None }
}

impl CallKind {
    fn of(crossing: CrossingRef<'_>) -> Option<CallKind> {
        let capture = crossing.sent()?;
        let declared = match &crossing.hop().transport {
            Transport::Http(http) => http.path.as_ref().map(|path| path.0.clone()),
            Transport::Grpc(_) | Transport::Kafka(_) | Transport::RabbitMq(_) | Transport::Sqs(_) => None,
        };
        let grpc = crossing.all().plan.tap(capture.tap).protocol == TapProtocol::Grpc;
        let path = match declared {
            Some(pattern) => pattern,
            None if grpc => capture.path.to_string(),
            None => without_ids(&capture.path),
        };
        Some(CallKind { method: capture.method.to_string(), path, end: end(&capture.end) })
    }

    fn name(&self, grpc: bool) -> String {
        if grpc {
            self.path.trim_start_matches('/').to_owned()
        } else {
            format!("{} {}", self.method, self.path)
        }
    }
}

/// Returns the path without its query, with `{id}` in place of each segment that holds a mark, a number or a long hex
/// number.
fn without_ids(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let segments = path.split('/').map(|segment| if is_id(segment) { "{id}" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

fn is_id(segment: &str) -> bool {
    let digits = segment.bytes().filter(u8::is_ascii_digit).count();
    let hex = segment.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let number = digits > 0 && digits == segment.len();
    number || (hex && segment.len() >= 8 && digits > 0) || Mark::find(segment.as_bytes()).is_some()
}

#[cfg(test)]
mod tests {
    use super::without_ids;

    #[test]
    fn segments_with_ids_are_not_compared() {
        for (path, kind) in [
            ("/orders", "/orders"),
            ("/orders/17?full=1", "/orders/{id}"),
            ("/orders/ub0000abcd-3-1/lines", "/orders/{id}/lines"),
            ("/carts/0d8f1c2a-77aa-4c00-9d1e-5a2b3c4d5e6f", "/carts/{id}"),
            ("/v2/feed", "/v2/feed"),
            ("/", "/"),
        ] {
            assert_eq!(without_ids(path), kind, "{path}");
        }
    }
}
