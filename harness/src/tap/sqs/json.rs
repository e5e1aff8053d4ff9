//! JSON with the members of objects in their order, duplicates included, because that is what a capture keeps.
//!
//! Numbers keep no more than a double does; no number of SQS's API needs more.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Parses a body; an empty one is null, because answers without content have no body.
    pub fn parse(bytes: &[u8]) -> Result<Json, serde_json::Error> {
        if bytes.trim_ascii().is_empty() { Ok(Json::Null) } else { serde_json::from_slice(bytes) }
    }

    /// Returns all members with this name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl DoubleEndedIterator<Item = &'a Json> {
        self.members().iter().filter(move |(given, _)| given == name).map(|(_, value)| value)
    }

    /// Returns the member with this name; the last of several, as most readers do.
    pub fn member<'a>(&'a self, name: &'a str) -> &'a Json {
        self.all(name).next_back().unwrap_or(&Json::Null)
    }

    pub fn members(&self) -> &[(String, Json)] {
        match self {
            Json::Object(members) => members,
            _ => &[],
        }
    }

    pub fn items(&self) -> &[Json] {
        match self {
            Json::List(items) => items,
            _ => &[],
        }
    }

    pub fn text(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the text of a member.
    pub fn text_of<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.member(name).text()
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Json, D::Error> {
        from.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Json;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value as f64))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = from.next_element()? {
            items.push(item);
        }
        Ok(Json::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Json, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = from.next_entry()? {
            members.push(member);
        }
        Ok(Json::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_duplicates_are_kept() {
        let json = Json::parse(br#" {"b":1,"a":"x","b":[null,true,-2.5],"a":{}} "#).unwrap();
        let names: Vec<_> = json.members().iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["b", "a", "b", "a"]);
        let items = [Json::Null, Json::Bool(true), Json::Number(-2.5)];
        assert_eq!(json.member("b").items(), items);
        assert_eq!(json.all("a").next().and_then(Json::text), Some("x"));
        assert_eq!(json.text_of("a"), None);
    }

    #[test]
    fn nothing_is_null_and_depth_is_bounded() {
        assert_eq!(Json::parse(b" \n").unwrap(), Json::Null);
        assert!(Json::parse(&vec![b'['; 100_000]).is_err());
        assert!(Json::parse(b"{} {}").is_err());
    }
}
