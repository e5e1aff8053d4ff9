//! The attributes that a ReceiveMessage requests: the others do not arrive, and are not lost.
//!
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html>

use super::json::Json;
use crate::evidence::{Field, FieldKind};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestedAttributes {
    /// `All`, `*`, `.*`, `prefix.*` or names.
    attributes: Vec<String>,
    /// `All` or names.
    system: Vec<String>,
}

impl RequestedAttributes {
    /// Parses a request. `AttributeNames` is the older name of `MessageSystemAttributeNames`; both count.
    pub fn of(request: &Json) -> Self {
        let system = ["AttributeNames", "MessageSystemAttributeNames"];
        Self {
            attributes: texts(request, "MessageAttributeNames").collect(),
            system: system.into_iter().flat_map(|member| texts(request, member)).collect(),
        }
    }

    pub fn is_everything(&self) -> bool {
        // No pattern other than `All` and `*` covers a name that cannot exist.
        [&self.attributes, &self.system].into_iter().all(|names| names.iter().any(|name| covers(name, b"\0")))
    }

    fn covers(&self, field: &Field) -> bool {
        match field.kind {
            FieldKind::System => {
                self.system.iter().any(|name| name == "All" || name.as_bytes() == field.name)
            }
            _ => self.attributes.iter().any(|pattern| covers(pattern, &field.name)),
        }
    }

    /// Returns the attributes that were sent and did not arrive because they were not requested.
    pub fn left_out(&self, sent: &[Field], arrived: &[Field]) -> Vec<Field> {
        let mut left_out = Vec::new();
        for field in sent {
            let mut arrived = arrived.iter();
            let has_arrived = arrived.any(|own| own.name == field.name && is_system(own) == is_system(field));
            if !has_arrived && !self.covers(field) {
                left_out.push(field.clone());
            }
        }
        left_out
    }
}

fn is_system(field: &Field) -> bool {
    field.kind == FieldKind::System
}

/// Returns whether a pattern covers a name; names are case sensitive.
fn covers(pattern: &str, name: &[u8]) -> bool {
    match pattern.strip_suffix(".*") {
        _ if matches!(pattern, "All" | "*") => true,
        Some(prefix) => name.starts_with(prefix.as_bytes()),
        None => pattern.as_bytes() == name,
    }
}

fn texts<'a>(request: &'a Json, member: &'a str) -> impl Iterator<Item = String> + 'a {
    request.member(member).items().iter().filter_map(|item| item.text().map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left_out(request: &str, arrived: &[Field]) -> Vec<String> {
        let trace_header = Field { kind: FieldKind::System, ..Field::text("AWSTraceHeader", "Root=1") };
        let sent = [Field::text("traceparent", "00"), Field::text("app.id", "7"), trace_header];
        let left_out =
            RequestedAttributes::of(&Json::parse(request.as_bytes()).unwrap()).left_out(&sent, arrived);
        left_out.into_iter().map(|field| String::from_utf8(field.name).unwrap()).collect()
    }

    #[test]
    fn names_prefixes_and_everything_can_be_asked_for() {
        let cases: [(&str, &[&str]); 8] = [
            ("{}", &["traceparent", "app.id", "AWSTraceHeader"]),
            (r#"{"MessageAttributeNames":["All"]}"#, &["AWSTraceHeader"]),
            (r#"{"MessageAttributeNames":[".*"],"AttributeNames":["All"]}"#, &[]),
            (r#"{"MessageAttributeNames":["app.*"]}"#, &["traceparent", "AWSTraceHeader"]),
            (r#"{"MessageAttributeNames":["Traceparent"]}"#, &["traceparent", "app.id", "AWSTraceHeader"]),
            (r#"{"MessageSystemAttributeNames":["AWSTraceHeader"]}"#, &["traceparent", "app.id"]),
            (r#"{"AttributeNames":["AWSTraceHeader"]}"#, &["traceparent", "app.id"]),
            (r#"{"MessageAttributeNames":["traceparent","app.id"]}"#, &["AWSTraceHeader"]),
        ];
        for (request, wanted) in cases {
            assert_eq!(left_out(request, &[]), wanted, "{request}");
        }
    }

    #[test]
    fn everything_is_both_kinds() {
        let asked = |text: &str| RequestedAttributes::of(&Json::parse(text.as_bytes()).unwrap());
        assert!(asked(r#"{"MessageAttributeNames":["a",".*"],"AttributeNames":["All"]}"#).is_everything());
        assert!(!asked(r#"{"MessageAttributeNames":["All"]}"#).is_everything());
        assert!(!asked(r#"{"MessageAttributeNames":["a.*"],"AttributeNames":["All"]}"#).is_everything());
    }

    #[test]
    fn what_arrived_unasked_is_not_left_out() {
        assert_eq!(left_out("{}", &[Field::text("traceparent", "01")]), ["app.id", "AWSTraceHeader"]);
        assert_eq!(left_out("{}", &[Field::text("AWSTraceHeader", "")]).len(), 3);
    }
}
