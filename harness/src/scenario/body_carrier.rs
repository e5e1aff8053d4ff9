//! `carrier: { json: ... }`: the context stands in the JSON body of a request or message, not in its headers.

use serde_json::{Map, Value};

/// The path of the JSON object whose members are the propagation fields: `.` for the document itself, otherwise the
/// names of members with a dot for each level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyCarrier {
    pub path: String,
}

impl BodyCarrier {
    pub fn at(path: &str) -> BodyCarrier {
        BodyCarrier { path: path.to_owned() }
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.path.split('.').filter(|name| !name.is_empty())
    }

    /// Returns the members of the object at the path that are texts; none where a part of the path is
    /// missing. In the envelope of SNS the text of an attribute is the member `Value` of an object.
    pub fn fields(&self, document: &Value) -> Vec<(String, String)> {
        let object = self.names().try_fold(document, |at, name| match at {
            Value::Array(items) => items.get(name.parse::<usize>().ok()?),
            other => other.get(name),
        });
        let members = object.and_then(Value::as_object).into_iter().flatten();
        members.filter_map(|(name, value)| Some((name.clone(), text(value)?.to_owned()))).collect()
    }

    /// Adds a field to the object at the path, which is made where it is missing; `None` where a part of the path is
    /// there and no object. A field that is there becomes a list, as of lines of a header.
    pub fn put(&self, document: &mut Value, name: &str, value: &str) -> Option<()> {
        let mut at = document;
        for name in self.names() {
            at = at.as_object_mut()?.entry(name).or_insert_with(|| Value::Object(Map::new()));
        }
        let members = at.as_object_mut()?;
        let known = members.get(name).and_then(Value::as_str);
        let value = known.map_or_else(|| value.to_owned(), |known| format!("{known},{value}"));
        members.insert(name.to_owned(), Value::String(value));
        Some(())
    }

    /// Returns where the context stands, for a sentence.
    pub fn shown(&self) -> String {
        match self.path.as_str() {
            "." => "the JSON body".to_owned(),
            path => format!("`{path}` of the JSON body"),
        }
    }
}

fn text(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value.get("Value")?.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_fields_are_the_texts_of_the_object_at_the_path() {
        let request =
            json!({ "method": "tools/call", "params": { "_meta": { "traceparent": "00-1", "n": 7 } } });
        let event = json!({ "specversion": "1.0", "traceparent": "00-2" });
        let envelope =
            json!({ "MessageAttributes": { "traceparent": { "Type": "String", "Value": "00-3" } } });
        let list = json!([1, { "meta": { "b3": "0" } }]);
        for (path, document, expected) in [
            ("params._meta", &request, "traceparent: 00-1"),
            ("params.meta", &request, ""),
            ("method.inner", &request, ""),
            (".", &event, "specversion: 1.0, traceparent: 00-2"),
            ("MessageAttributes", &envelope, "traceparent: 00-3"),
            ("1.meta", &list, "b3: 0"),
        ] {
            let fields = BodyCarrier::at(path).fields(document);
            let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            assert_eq!(fields.join(", "), expected, "{path}");
        }
    }

    #[test]
    fn a_field_is_put_where_it_is_read_and_a_second_one_joins_it() {
        let mut body = json!({ "params": { "name": "order" } });
        BodyCarrier::at("params._meta").put(&mut body, "traceparent", "00-1").unwrap();
        BodyCarrier::at("params._meta").put(&mut body, "baggage", "a=1").unwrap();
        BodyCarrier::at("params._meta").put(&mut body, "baggage", "b=2").unwrap();
        let expected = json!({
            "params": { "name": "order", "_meta": { "traceparent": "00-1", "baggage": "a=1,b=2" } }
        });
        assert_eq!(body, expected);
        assert_eq!(BodyCarrier::at("params.name").put(&mut body, "traceparent", "00-1"), None);
        assert_eq!(BodyCarrier::at(".").put(&mut json!([1]), "traceparent", "00-1"), None);
    }
}
