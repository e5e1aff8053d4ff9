//! `unbroken schema`: JSON Schemas of what goes in and what comes out.

use super::arguments::{Schema, SchemaOf};
use super::{exit, print};
use crate::report::json;
use crate::scenario;

pub fn schema(arguments: &Schema) -> u8 {
    match arguments.of {
        SchemaOf::Scenario => print::out(&format!("{:#}\n", scenario::schema())),
        SchemaOf::Report => print::out(json::SCHEMA),
    }
    exit::PASS
}
