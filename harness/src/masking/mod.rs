//! Masks values that no output may show: the fields that `--mask` names, and `${secret.NAME}`.
//!
//! A field is masked where it is recorded, so its values never enter the evidence: a value becomes another one of the
//! same shape, equal values become equal ones, and different values become different ones. Secrets, and what services
//! print of masked fields, are replaced in the text of a case when it has ended (`run::masked_case`). Names, ids and
//! what stands in the scenario file are not masked.

mod field_mask;
mod literals;
mod secret;
mod shape;

pub use field_mask::{FieldMask, MaskedField, MaskedFieldError};
pub use literals::Replacement;
pub use secret::{SecretError, has_secrets, hide, hide_bytes, read};
