//! The answer of the service behind a forwarder.

use super::notation::Text;

/// Fields, and failures before them.
#[derive(Clone, Debug)]
pub struct PreparedAnswer {
    /// Each must reach the sender of the request unchanged.
    pub fields: Vec<(Text, Text)>,
    /// So many requests are answered with 503 first. A forwarder may send again.
    pub failures: usize,
}
