//! The statement about the id that an answer returns.

use super::{Contradiction, RequestSpans};
use crate::conform::judge::response;

impl RequestSpans<'_> {
    pub(super) fn response_of_entry(&self) -> Result<(), Contradiction> {
        let entry = self.entry()?;
        match response::returned(self.exchange) {
            Some(context) if context.parent_id.as_bytes() == &entry.span_id[..] => Ok(()),
            Some(context) => Err(Contradiction(format!(
                "the answer has the id {}, and the entry span is {}",
                context.parent_id,
                entry.words()
            ))),
            None => Err(Contradiction("the answer has no context".to_owned())),
        }
    }
}
