//! The context in a JSON body: its members become fields of the capture.

use serde_json::Value;

use super::scene::Scene;
use crate::evidence::{Field, FieldKind, Recording, is_propagation_field};

impl Scene {
    /// Adds the context that a body carries, where the hop of this topic or queue has it there. A body that is not JSON
    /// carries none.
    pub fn body_context(&self, source: Option<&str>, body: &[u8], recording: &Recording) {
        let Some(carrier) = self.plan.carrier(source) else { return };
        let document: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        let members = carrier.fields(&document).into_iter();
        let context = members.filter(|(name, _)| is_propagation_field(name.as_bytes()));
        recording.body_context(
            context
                .map(|(name, value)| Field { kind: FieldKind::Json, ..Field::text(name, value) })
                .collect(),
        );
    }
}
