//! Words that several tables share.

use crate::scenario::shape::{Shape, Words};
use crate::wire::Format;

/// A list of formats, as `formats` has it wherever it stands.
pub(super) const FORMATS: Shape = Shape::List(&Shape::Words(&FORMAT_WORDS));
static FORMAT_WORDS: Words =
    Words { what: "format", words: || Format::ALL.iter().map(|format| format.word()).collect(), later: &[] };

/// `none`, where a key takes no other value.
pub(super) static NONE: Words = Words { what: "word", words: || vec!["none"], later: &[] };
