//! What hops name at a broker, made through the broker's own client before the nodes start: one file a broker, the
//! same function names in each.

#[cfg(feature = "sqs")]
pub mod sqs;
