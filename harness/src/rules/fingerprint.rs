//! A stable name of a finding: baselines and diffs are keyed on it.
//!
//! FNV-1a, 64 bits (<http://www.isthe.com/chongo/tech/comp/fnv/>): the same everywhere and for ever, not for secrets.

use crate::breaks::{Class, Side};

/// What makes two findings the same.
#[derive(Clone, Copy, Debug)]
pub struct Key<'k> {
    pub scenario: &'k str,
    pub case: &'k str,
    pub hop: &'k str,
    pub class: Class,
    pub side: Side,
}

impl Key<'_> {
    /// Sixteen hex digits.
    pub fn fingerprint(&self) -> String {
        let parts = [self.scenario, self.case, self.hop, self.class.word(), self.side.word()];
        let bytes = parts.iter().flat_map(|part| part.bytes().chain(std::iter::once(0)));
        let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        });
        format!("{hash:016x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_stays_what_it_was() {
        let key = Key {
            scenario: "order",
            case: "",
            hop: "publish",
            class: Class::NotInjected,
            side: Side::Sender,
        };
        assert_eq!(key.fingerprint(), "410a25dda3dc68d1");
    }
}
