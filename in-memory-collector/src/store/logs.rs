//! Log records in the order of their arrival.

use std::time::Duration;

use super::arena::Piece;
use super::pages::Pages;

#[derive(Debug, Default)]
pub struct LogTable {
    entries: Pages<LogEntry>,
}

#[derive(Clone, Copy, Debug)]
pub struct LogEntry {
    pub piece: Piece,
    pub origin: u32,
    pub arrived_nanos: u64,
}

impl LogEntry {
    /// Returns the time since the start of the collector.
    pub fn arrived(&self) -> Duration {
        Duration::from_nanos(self.arrived_nanos)
    }
}

impl LogTable {
    pub fn push(&mut self, entry: LogEntry) {
        self.entries.push(entry);
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = &LogEntry> {
        self.entries.iter()
    }

    pub fn bytes(&self) -> usize {
        self.entries.bytes()
    }

    /// Returns the number of bytes that this many more records add to `bytes`.
    pub fn growth(&self, more: usize) -> usize {
        Pages::<LogEntry>::bytes_for(self.entries.len() + more) - self.entries.bytes()
    }

    pub fn clear(&mut self) {
        self.entries.clear();
    }
}
