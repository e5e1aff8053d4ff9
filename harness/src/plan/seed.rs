//! Ids from a printed seed, so that a run can be repeated.
//!
//! SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014): short, and the same
//! everywhere. Not for secrets.

/// The seed of a run; printed on failure and accepted back as `--seed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(pub u64);

impl Seed {
    /// Returns an independent seed for a part of the run.
    pub fn part(self, name: &str) -> Seed {
        let mut ids = Ids::new(self);
        let mut state = ids.next_u64();
        for byte in name.bytes() {
            state = mix(state ^ u64::from(byte));
        }
        Seed(state)
    }
}

/// A stream of ids.
#[derive(Clone, Debug)]
pub struct Ids(u64);

impl Ids {
    pub fn new(seed: Seed) -> Self {
        Self(seed.0)
    }

    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// Returns sixteen bytes, not all zero.
    pub fn trace_id(&mut self) -> [u8; 16] {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&self.next_u64().to_be_bytes());
        id[8..].copy_from_slice(&self.next_nonzero().to_be_bytes());
        id
    }

    /// Returns eight bytes, not all zero.
    pub fn span_id(&mut self) -> [u8; 8] {
        self.next_nonzero().to_be_bytes()
    }

    /// Returns a uniform number, so that the random flag tells the truth (W3C Trace Context level 2, 3.2.2.5.2).
    fn next_nonzero(&mut self) -> u64 {
        loop {
            match self.next_u64() {
                0 => {}
                number => return number,
            }
        }
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
