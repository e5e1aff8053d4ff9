//! The JSON Schema (draft 2020-12) of the format, for editors; made of the same tables as the checks.
//!
//! It describes what may stand where. Only `unbroken check` checks how the parts fit together.

use serde_json::{Map, Value, json};

use super::format;
use super::shape::{KeyShape, Object, Pattern, Shape, Words};

/// Returns the schema of a scenario file.
pub fn schema() -> Value {
    let mut schema = object(&format::SCENARIO);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("unbroken scenario");
    schema["description"] = json!("Nodes, the hops between them, and the relation that each hop must keep.");
    schema
}

fn shape(shape: &Shape) -> Value {
    match shape {
        Shape::Text(pattern) => text(pattern),
        Shape::Words(words) => enumerated(words),
        Shape::Bool => json!({ "type": "boolean" }),
        Shape::True => json!({ "const": true }),
        Shape::Whole { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Shape::List(of) => list(of),
        Shape::OneOrList(of) => json!({ "anyOf": [self::shape(of), list(of)] }),
        Shape::Named { names, of } => json!({
            "type": "object",
            "minProperties": 1,
            "propertyNames": { "pattern": names.regex },
            "additionalProperties": self::shape(of),
        }),
        Shape::Object(of) => object(of),
        Shape::Either(shapes) => json!({ "anyOf": shapes.iter().map(self::shape).collect::<Vec<_>>() }),
        Shape::Json => json!({}),
    }
}

fn list(of: &Shape) -> Value {
    json!({ "type": "array", "minItems": 1, "items": shape(of) })
}

fn text(pattern: &Pattern) -> Value {
    let mut schema = if pattern.any_scalar {
        json!({ "type": ["string", "number", "boolean"] })
    } else {
        json!({ "type": "string" })
    };
    if !pattern.regex.is_empty() {
        schema["pattern"] = json!(pattern.regex);
    }
    schema
}

fn enumerated(words: &Words) -> Value {
    let mut values = Vec::new();
    for word in (words.words)() {
        values.push(json!(word));
        values.extend(word.parse::<u64>().ok().map(|number| json!(number)));
    }
    json!({ "enum": values })
}

/// Returns the schema of an object. A tagged one has a branch for each kind, so that an editor offers only what goes
/// together.
pub(crate) fn object(of: &Object) -> Value {
    if of.kinds().is_empty() {
        return branch(of.keys.iter());
    }
    let branches =
        of.kinds().iter().map(|kind| branch([&kind.key].into_iter().chain(kind.keys()).chain(of.keys)));
    json!({ "oneOf": branches.collect::<Vec<_>>() })
}

fn branch(keys: impl Iterator<Item = &'static KeyShape>) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for key in keys {
        let mut schema = shape(&key.shape);
        schema["description"] = json!(key.about);
        properties.insert(key.name.to_owned(), schema);
        if key.required {
            required.push(key.name);
        }
    }
    let mut branch = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !required.is_empty() {
        branch["required"] = json!(required);
    }
    branch
}
