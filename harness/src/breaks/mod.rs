//! The table of breaks: each crossing gets its class, side and hop, or nothing.

pub mod class;

pub use class::{Class, Side};
