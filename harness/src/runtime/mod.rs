//! Starts nodes, taps and the collector, and ends them again; nothing of it is left behind.

pub mod addresses;
pub mod tap;

pub use addresses::Addresses;
