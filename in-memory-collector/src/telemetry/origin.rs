//! The origin of spans and log records: the endpoint that received them, the resource and the scope around them.

use std::sync::Arc;

use super::attributes::{Attributes, fields, text};
use crate::protobuf::{RECURSION_LIMIT, Reader};
use crate::scan::Part;

/// Kept once for all items that share it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub(crate) endpoint: Arc<str>,
    pub(crate) resource: Box<[u8]>,
    pub(crate) resource_schema_url: Box<str>,
    pub(crate) scope: Box<[u8]>,
    pub(crate) scope_schema_url: Box<str>,
}

impl Origin {
    pub(crate) fn new(endpoint: &Arc<str>, resource: &Part<'_>, scope: &Part<'_>) -> Self {
        Self {
            endpoint: endpoint.clone(),
            resource: resource.bytes.as_ref().into(),
            resource_schema_url: String::from_utf8_lossy(resource.schema_url).into(),
            scope: scope.bytes.as_ref().into(),
            scope_schema_url: String::from_utf8_lossy(scope.schema_url).into(),
        }
    }

    /// Returns the name of the endpoint.
    pub fn endpoint(&self) -> &Arc<str> {
        &self.endpoint
    }

    pub fn resource(&self) -> Resource {
        Resource {
            attributes: Attributes::decode(&self.resource, 1),
            schema_url: self.resource_schema_url.to_string(),
            dropped_attributes_count: last_varint(&self.resource, 2) as u32,
        }
    }

    pub fn scope(&self) -> Scope {
        let last = |number| fields(&self.scope, number).last().map(text).unwrap_or_default();
        Scope {
            name: last(1),
            version: last(2),
            attributes: Attributes::decode(&self.scope, 3),
            schema_url: self.scope_schema_url.to_string(),
            dropped_attributes_count: last_varint(&self.scope, 4) as u32,
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resource {
    pub attributes: Attributes,
    pub schema_url: String,
    pub dropped_attributes_count: u32,
}

impl Resource {
    pub fn service_name(&self) -> Option<&str> {
        self.attributes.text("service.name")
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scope {
    pub name: String,
    pub version: String,
    pub attributes: Attributes,
    pub schema_url: String,
    pub dropped_attributes_count: u32,
}

fn last_varint(message: &[u8], number: u32) -> u64 {
    let mut last = 0;
    let mut reader = Reader::new(message);
    while let Ok(key) = reader.key() {
        let read = if key.number == number {
            reader.varint().map(|value| last = value)
        } else {
            reader.skip(key, RECURSION_LIMIT)
        };
        if read.is_err() {
            break;
        }
    }
    last
}
