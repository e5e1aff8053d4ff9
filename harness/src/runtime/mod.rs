//! Starts nodes, taps and the collector, and ends them again; nothing of it is left behind.

pub mod addresses;
#[cfg(feature = "tls")]
pub mod authority;
#[cfg(any(feature = "stubs", feature = "grpc"))]
pub mod stub;
pub mod tap;

pub use addresses::Addresses;
