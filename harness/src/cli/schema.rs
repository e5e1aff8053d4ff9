//! `unbroken schema`: prints the JSON Schema of scenarios or of the JSON report.

use super::arguments::{SchemaArguments, SchemaKind};
use super::{exit, print};
use crate::conform::suite;
use crate::conform::target::file;
use crate::report::{conformance, json};
use crate::scenario;

pub fn schema(arguments: &SchemaArguments) -> u8 {
    match arguments.of {
        SchemaKind::Scenario => print::document(&format!("{:#}\n", scenario::schema())),
        SchemaKind::Target => print::document(&format!("{:#}\n", file::schema())),
        SchemaKind::Suite => print::document(&format!("{:#}\n", suite::schema())),
        SchemaKind::Conformance => print::document(conformance::json::SCHEMA),
        SchemaKind::Report => print::document(json::SCHEMA),
    }
    exit::PASS
}
