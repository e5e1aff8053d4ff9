//! Words that several tables share.

use crate::scenario::shape::Words;

/// `none`, where a key takes no other value.
pub(super) static NONE: Words = Words { what: "word", words: || vec!["none"], later: &[] };
