//! A stable name of a finding: diffs are keyed on it.
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
    /// The fields that it is about: one more is another finding.
    pub fields: &'k [String],
}

/// The word that an unknown side had in baselines of version 1.
const FORMER_UNKNOWN_SIDE: &str = "nobody yet";

/// Returns the present word of a side, which may stand in such a baseline by its former one.
pub fn present_side(word: &str) -> &str {
    if word == FORMER_UNKNOWN_SIDE { Side::Unknown.word() } else { word }
}

impl FindingKey<'_> {
    /// Returns sixteen hex digits.
    pub fn fingerprint(&self) -> String {
        let parts = [self.scenario, self.case, self.hop, self.class.word(), self.side.word()];
        hashed(parts.into_iter().chain(self.fields.iter().map(String::as_str)))
    }
}

/// Returns the hash of some texts, as sixteen hex digits.
pub fn hashed<'t>(parts: impl Iterator<Item = &'t str>) -> String {
    let bytes = parts.flat_map(|part| part.bytes().chain(std::iter::once(0)));
    let hash = bytes
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_former_word_for_an_unknown_side_is_read_as_the_present_one() {
        assert_eq!(present_side(FORMER_UNKNOWN_SIDE), "unknown");
        assert_eq!(present_side("sender"), "sender");
    }

    #[test]
    fn a_fingerprint_stays_what_it_was_and_differs_by_field() {
        let key = FindingKey {
            scenario: "order",
            case: "",
            hop: "publish",
            class: Class::Stripped,
            side: Side::Intermediary,
            fields: &["baggage".to_owned()],
        };
        assert_eq!(key.fingerprint(), "9eddcc2d18c2538e");
        let worse = FindingKey { fields: &["baggage".to_owned(), "traceparent".to_owned()], ..key };
        assert_eq!(worse.fingerprint(), "51234efe9efa61c1");
        let of_a_span = FindingKey { class: Class::NotExported, side: Side::Unknown, fields: &[], ..key };
        assert_eq!(of_a_span.fingerprint(), "302b91b0965c5a0d");
    }
}
