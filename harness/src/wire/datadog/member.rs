//! The member `dd` of tracestate, in which Datadog's libraries carry what a traceparent has no field for.
//!
//! Follows <https://docs.datadoghq.com/tracing/trace_collection/trace_context_propagation/> and what the libraries
//! send: `dd=s:2;o:rum;p:00f067aa0ba902b7;t.dm:-4`. `=` in a value travels as `~`. Unknown keys are kept.

use crate::wire::{ContextPart, ContextReason, Format, PartDefect, Reason, Refusal, SpanId};

/// The value of the member.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DatadogMember {
    /// `s`: above 0 is sampled.
    pub priority: Option<i32>,
    /// `o`: the product that began the trace.
    pub origin: Option<String>,
    /// `p`: the last span of a Datadog library.
    pub parent: Option<SpanId>,
    /// `t.NAME`: the tags `_dd.p.NAME`.
    pub tags: Vec<(String, String)>,
    pub others: Vec<(String, String)>,
}

impl DatadogMember {
    /// Parses the bytes after `dd=`.
    pub fn parse(value: &[u8]) -> Result<DatadogMember, Refusal> {
        let mut member = DatadogMember::default();
        let mut start = 0;
        for pair in value.split(|byte| *byte == b';') {
            let at = start..start + pair.len();
            start = at.end + 1;
            let text = String::from_utf8_lossy(pair);
            let Some((key, value)) = text.split_once(':') else {
                return Err(refused(ContextPart::Pair, PartDefect::WithoutEquals, at));
            };
            let number = value.parse();
            let id = SpanId::from_hex(value.as_bytes());
            match (key, number, id) {
                ("s", Ok(priority), _) => member.priority = Some(priority),
                ("s", Err(_), _) => return Err(refused(ContextPart::Decision, PartDefect::NotAllowed, at)),
                ("p", _, Some(parent)) => member.parent = Some(parent),
                ("p", _, None) => return Err(refused(ContextPart::SpanId, PartDefect::NotHex, at)),
                ("o", _, _) => member.origin = Some(value.replace('~', "=")),
                (key, _, _) => match key.strip_prefix("t.") {
                    Some(tag) => member.tags.push((tag.to_owned(), value.replace('~', "="))),
                    None => member.others.push((key.to_owned(), value.to_owned())),
                },
            }
        }
        Ok(member)
    }

    /// Prints the bytes after `dd=`; characters that tracestate or this member does not allow become `_`.
    pub fn print(&self) -> String {
        let priority = self.priority.iter().map(|priority| format!("s:{priority}"));
        let origin = self.origin.iter().map(|origin| format!("o:{}", escaped(origin)));
        let parent = self.parent.iter().map(|parent| format!("p:{parent}"));
        let tags = self.tags.iter().map(|(key, value)| format!("t.{key}:{}", escaped(value)));
        let others = self.others.iter().map(|(key, value)| format!("{key}:{value}"));
        let pairs: Vec<String> = priority.chain(origin).chain(parent).chain(tags).chain(others).collect();
        pairs.join(";")
    }

    /// Returns the priority that holds beside a traceparent: its flag decides, and the member adds how.
    pub fn priority_beside(&self, sampled: bool) -> i32 {
        match self.priority {
            Some(priority) if sampled == (priority > 0) => priority,
            Some(_) | None => i32::from(sampled),
        }
    }
}

/// Returns a value as the member carries it: `=` becomes `~`; `,`, `;`, `~` and what is not printable become `_`.
fn escaped(value: &str) -> String {
    let character = |c: char| match c {
        '=' => '~',
        ',' | ';' | '~' => '_',
        ' '..='}' => c,
        _ => '_',
    };
    value.chars().map(character).collect()
}

fn refused(part: ContextPart, defect: PartDefect, at: std::ops::Range<usize>) -> Refusal {
    let reason = Reason::Context(ContextReason { format: Format::Datadog, part, defect });
    Refusal { reason, field: "tracestate", line: 0, at }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_member_has_priority_origin_parent_and_tags() {
        let member = DatadogMember::parse(b"s:2;o:rum;p:00f067aa0ba902b7;t.dm:-4;t.usr.id:a~b;x:1").unwrap();
        assert_eq!(member.priority, Some(2));
        assert_eq!(member.origin.as_deref(), Some("rum"));
        assert_eq!(member.parent.unwrap().to_string(), "00f067aa0ba902b7");
        let tags = [("dm", "-4"), ("usr.id", "a=b")];
        assert_eq!(member.tags, tags.map(|(key, value)| (key.to_owned(), value.to_owned())));
        assert_eq!(member.print(), "s:2;o:rum;p:00f067aa0ba902b7;t.dm:-4;t.usr.id:a~b;x:1");
    }

    /// DD-05: the flag of the traceparent against the priority of the member.
    #[test]
    fn the_flag_decides_and_the_member_adds_how() {
        for (sampled, member, due) in [
            (true, Some(-1), 1),
            (true, Some(0), 1),
            (true, None, 1),
            (true, Some(2), 2),
            (false, Some(2), 0),
            (false, None, 0),
            (false, Some(0), 0),
            (false, Some(-1), -1),
        ] {
            let member = DatadogMember { priority: member, ..DatadogMember::default() };
            assert_eq!(member.priority_beside(sampled), due, "{sampled} {member:?}");
        }
    }

    /// DD-06.
    #[test]
    fn characters_that_the_member_does_not_allow_are_replaced() {
        let origin = |text: &str| DatadogMember { origin: Some(text.to_owned()), ..DatadogMember::default() };
        assert_eq!(origin("synthetics~;=web,z").print(), "o:synthetics__~web_z");
        assert_eq!(origin("\u{e4}\n").print(), "o:__");
    }

    #[test]
    fn a_pair_without_a_colon_and_a_priority_without_digits_are_refused() {
        let refusal = DatadogMember::parse(b"s:2;o").unwrap_err();
        assert_eq!((refusal.at, refusal.field), (4..5, "tracestate"));
        assert!(DatadogMember::parse(b"s:two").is_err());
        assert!(DatadogMember::parse(b"p:00F067AA0BA902B7").is_err());
    }

    proptest! {
        #[test]
        fn printing_and_parsing_are_inverse(
            priority in proptest::option::of(-1_i32..3),
            origin in proptest::option::of("[a-z=.]{1,8}"),
            tags in proptest::collection::vec(("[a-z.]{1,6}", "[a-z0-9=-]{0,6}"), 0..3),
        ) {
            prop_assume!(priority.is_some() || origin.is_some() || !tags.is_empty());
            let member = DatadogMember { priority, origin, tags, ..DatadogMember::default() };
            prop_assert_eq!(DatadogMember::parse(member.print().as_bytes()), Ok(member));
        }

        #[test]
        fn parsing_never_panics_and_points_into_the_value(value: Vec<u8>) {
            if let Err(refusal) = DatadogMember::parse(&value) {
                prop_assert!(refusal.at.start <= refusal.at.end && refusal.at.end <= value.len());
            }
        }
    }
}
