//! One scenario through all stages; owns deadlines and the clock.

pub mod judge;
