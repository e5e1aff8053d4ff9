//! A stable name of a finding: baselines and diffs are keyed on it.
//!
//! FNV-1a, 64 bits (<http://www.isthe.com/chongo/tech/comp/fnv/>): the same everywhere and always, not for secrets.

use crate::breaks::{Class, Side};

/// The parts that make two findings the same.
#[derive(Clone, Copy, Debug)]
pub struct FindingKey<'k> {
    pub scenario: &'k str,
    pub case: &'k str,
    pub hop: &'k str,
    pub class: Class,
    pub side: Side,
}

/// The word that an unknown side had when fingerprints were fixed: baselines and diffs that have it stay valid.
const FORMER_UNKNOWN_SIDE: &str = "nobody yet";

/// Returns the present word of a side, which may stand in a baseline by its former one.
pub fn present_side(word: &str) -> &str {
    if word == FORMER_UNKNOWN_SIDE { Side::Unknown.word() } else { word }
}

impl FindingKey<'_> {
    /// Returns sixteen hex digits.
    pub fn fingerprint(&self) -> String {
        let side = match self.side {
            Side::Unknown => FORMER_UNKNOWN_SIDE,
            Side::Sender | Side::Receiver | Side::Intermediary => self.side.word(),
        };
        let parts = [self.scenario, self.case, self.hop, self.class.word(), side];
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
        let key = FindingKey {
            scenario: "order",
            case: "",
            hop: "publish",
            class: Class::NotInjected,
            side: Side::Sender,
        };
        assert_eq!(key.fingerprint(), "410a25dda3dc68d1");
        let unknown = FindingKey { class: Class::NotExported, side: Side::Unknown, ..key };
        assert_eq!(unknown.fingerprint(), "0a23206207fc2496");
    }

    #[test]
    fn the_former_word_for_an_unknown_side_is_read_as_the_present_one() {
        assert_eq!(present_side(FORMER_UNKNOWN_SIDE), "unknown");
        assert_eq!(present_side("sender"), "sender");
    }
}
