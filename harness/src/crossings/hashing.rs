//! A hash for ids: they are random already, and millions of them are looked up.
//!
//! Not against chosen keys: evidence that makes lookups slow makes only its own judging slow. Multiply and rotate, as
//! many compilers hash their symbols.

use std::hash::{BuildHasherDefault, Hasher};

pub type IdMap<K, V> = std::collections::HashMap<K, V, BuildHasherDefault<IdHasher>>;
pub type IdSet<K> = std::collections::HashSet<K, BuildHasherDefault<IdHasher>>;

#[derive(Clone, Copy, Debug, Default)]
pub struct IdHasher(u64);

/// An odd number with as many ones as zeros, far from any pattern: 2^64 divided by the golden ratio.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

impl IdHasher {
    fn add(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(FACTOR);
    }
}

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.add(1 + u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            self.add(word.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)));
        }
        let rest = words.remainder();
        if !rest.is_empty() {
            self.add(rest.iter().fold(1, |word, byte| word << 8 | u64::from(*byte)));
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.add(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        self.add(number);
    }

    fn write_usize(&mut self, number: usize) {
        self.add(u64::try_from(number).unwrap_or(u64::MAX));
    }

    /// The table takes its places from the lower bits, and multiplying mixes the upper ones.
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_differ_in_one_bit_or_in_length_have_other_hashes() {
        let hash = |bytes: &[u8]| {
            let mut hasher = IdHasher::default();
            hasher.write(bytes);
            hasher.finish()
        };
        let mut seen: IdSet<u64> = (0..64).map(|bit| hash(&(1_u64 << bit).to_be_bytes())).collect();
        seen.extend((0..16).map(|length| hash(&vec![0; length])));
        assert_eq!(seen.len(), 64 + 16);
    }
}
