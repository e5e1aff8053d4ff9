//! Writes protobuf's wire format. Nested messages are written in place; their length is put in when they end.

use super::reader::WireType;

#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub fn with_capacity(capacity: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity) }
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    pub fn key(&mut self, number: u32, wire: WireType) {
        let wire = match wire {
            WireType::Varint => 0,
            WireType::Fixed64 => 1,
            WireType::Length => 2,
            WireType::StartGroup => 3,
            WireType::EndGroup => 4,
            WireType::Fixed32 => 5,
        };
        self.varint(u64::from(number) << 3 | wire);
    }

    #[inline]
    pub fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    pub fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub fn push(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    /// A string, bytes or a message that is already encoded.
    pub fn length_delimited(&mut self, number: u32, bytes: &[u8]) {
        self.key(number, WireType::Length);
        self.varint(bytes.len() as u64);
        self.raw(bytes);
    }

    /// Begins something that has its length before it; `end` wants what this returns.
    pub fn begin(&mut self, number: u32) -> usize {
        self.key(number, WireType::Length);
        self.bytes.push(0);
        self.bytes.len()
    }

    pub fn end(&mut self, begun: usize) {
        let mut length = self.bytes.len() - begun;
        if length < 0x80 {
            self.bytes[begun - 1] = length as u8;
            return;
        }
        let mut prefix = [0u8; 10];
        let mut used = 0;
        while length >= 0x80 {
            prefix[used] = length as u8 | 0x80;
            length >>= 7;
            used += 1;
        }
        prefix[used] = length as u8;
        self.bytes.splice(begun - 1..begun, prefix[..=used].iter().copied());
    }
}

#[cfg(test)]
mod tests {
    use super::super::Reader;
    use super::*;

    #[test]
    fn lengths_of_all_sizes_are_read_back() {
        for size in [0usize, 1, 127, 128, 16_383, 16_384, 3_000_000] {
            let mut writer = Writer::default();
            let begun = writer.begin(3);
            writer.raw(&vec![7; size]);
            writer.end(begun);
            let bytes = writer.into_bytes();
            let mut reader = Reader::new(&bytes);
            assert_eq!(reader.key().unwrap().number, 3);
            assert_eq!(reader.length_delimited().unwrap().len(), size);
            assert!(reader.is_at_end());
        }
    }
}
