//! Preflights: what a browser is allowed to send to another origin, judged on the hop that the drive sends.
//!
//! A browser sends a request only if the answer to its preflight allows the origin and each header (Fetch standard,
//! <https://fetch.spec.whatwg.org/#http-cors-protocol>). The methods that are allowed are not judged: a request that is
//! refused for its method is refused without a context, too.

use super::{Break, BreakKind, Breaks, Side, Value};
use crate::crossings::{CrossingRef, Crossings};
use crate::evidence::{Answer, Preflight};
use crate::wire::trim_ows;

pub(super) fn rows(all: &Crossings<'_>, found: &mut Breaks) {
    for (ix, preflight) in all.evidence.preflights.iter().enumerate() {
        let drive = &all.plan.scenario.drives[preflight.drive];
        let hop = all.plan.scenario.hop(drive.send);
        let Some(origin) = &drive.origin else { continue };
        let missing: Vec<String> = if allows_origin(preflight, origin) {
            hop.propagation_fields().filter(|name| !allows(preflight, name)).map(str::to_owned).collect()
        } else {
            Vec::new()
        };
        if missing.is_empty() && allows_origin(preflight, origin) {
            continue;
        }
        let refused = Break::new(BreakKind::PreflightRefused, Side::Receiver, drive.send, hop.to);
        let refused = refused.values(Value::Headers(missing), Value::Preflight(ix));
        let sent: Vec<CrossingRef<'_>> =
            all.of_hop(drive.send).filter(|crossing| crossing.stimulus().drive == preflight.drive).collect();
        // One for each request that a browser would not send.
        found.list.extend(sent.iter().map(|crossing| Break {
            stimulus: Some(crossing.stimulus_ix()),
            crossing: Some(crossing.ix()),
            capture: crossing.sent_capture(),
            ..refused.clone()
        }));
        if sent.is_empty() {
            found.list.push(refused);
        }
    }
}

/// Returns whether the answer is a success and allows the origin: by its text, or any by `*`.
fn allows_origin(preflight: &Preflight, origin: &str) -> bool {
    let [allowed] = preflight.allowed_origins.as_slice() else { return false };
    let allowed = trim_ows(allowed);
    let answered = matches!(preflight.answer, Answer::Http(200..=299));
    answered && (allowed == b"*" || allowed == origin.as_bytes())
}

/// Returns whether the answer allows a header, in any case; `*` allows any.
fn allows(preflight: &Preflight, name: &str) -> bool {
    let items = preflight.allowed_headers.iter().flat_map(|line| line.split(|byte| *byte == b','));
    items.map(trim_ows).any(|item| item == b"*" || item.eq_ignore_ascii_case(name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(origins: &[&str], headers: &[&str]) -> Preflight {
        let bytes = |lines: &[&str]| lines.iter().map(|line| line.as_bytes().to_vec()).collect();
        Preflight {
            drive: 0,
            answer: Answer::Http(204),
            allowed_origins: bytes(origins),
            allowed_headers: bytes(headers),
        }
    }

    #[test]
    fn an_origin_is_allowed_by_its_text_or_by_an_asterisk_and_only_once() {
        let shop = "https://shop.example";
        for (origins, allowed) in [
            (&[shop][..], true),
            (&["*"], true),
            (&[], false),
            (&["https://shop.example/"], false),
            (&["https://other.example"], false),
            (&[shop, shop], false),
        ] {
            assert_eq!(allows_origin(&answered(origins, &[]), shop), allowed, "{origins:?}");
        }
        let refused = Preflight { answer: Answer::Http(405), ..answered(&["*"], &[]) };
        assert!(!allows_origin(&refused, shop));
    }

    #[test]
    fn headers_are_allowed_over_several_lines_and_in_any_case() {
        let some = answered(&["*"], &["Content-Type, TraceParent", "baggage"]);
        assert!(allows(&some, "traceparent") && allows(&some, "baggage"));
        assert!(!allows(&some, "tracestate"));
        assert!(allows(&answered(&["*"], &["*"]), "tracestate"));
    }
}
