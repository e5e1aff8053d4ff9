//! Resources and scopes, kept once however many spans share them.

use std::collections::HashMap;
use std::sync::Arc;

use super::hash::IdHash;
use crate::scan::Part;
use crate::telemetry::Origin;

#[derive(Debug, Default)]
pub struct Origins {
    all: Vec<Arc<Origin>>,
    by_hash: HashMap<u64, Vec<u32>, IdHash>,
    hash: IdHash,
    bytes: usize,
}

impl Origins {
    pub fn get(&self, index: u32) -> &Arc<Origin> {
        &self.all[index as usize]
    }

    pub fn intern(&mut self, endpoint: &Arc<str>, resource: &Part<'_>, scope: &Part<'_>) -> u32 {
        let hash = self.hash.of_bytes(&resource.bytes) ^ self.hash.of_bytes(&scope.bytes).rotate_left(7);
        let found = self.by_hash.entry(hash).or_default();
        let same = |index: &&u32| is_same(&self.all[**index as usize], endpoint, resource, scope);
        if let Some(index) = found.iter().find(same) {
            return *index;
        }
        let index = self.all.len() as u32;
        found.push(index);
        self.bytes += cost(resource, scope);
        self.all.push(Arc::new(Origin::new(endpoint, resource, scope)));
        index
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn clear(&mut self) {
        self.all.clear();
        self.by_hash.clear();
        self.bytes = 0;
    }
}

/// Returns the memory that a new origin adds.
pub fn cost(resource: &Part<'_>, scope: &Part<'_>) -> usize {
    let texts = resource.schema_url.len() + scope.schema_url.len();
    resource.bytes.len() + scope.bytes.len() + texts + size_of::<Origin>() + 96
}

fn is_same(origin: &Origin, endpoint: &Arc<str>, resource: &Part<'_>, scope: &Part<'_>) -> bool {
    origin.resource[..] == resource.bytes[..]
        && origin.scope[..] == scope.bytes[..]
        && origin.resource_schema_url.as_bytes() == resource.schema_url
        && origin.scope_schema_url.as_bytes() == scope.schema_url
        && origin.endpoint == *endpoint
}
