//! Trace ids, span ids and trace flags; an invalid id cannot be built.
//!
//! W3C Trace Context, trace-id, parent-id and trace-flags: <https://www.w3.org/TR/trace-context-2/#trace-id>.

use std::fmt;

use super::{Level, hex};

macro_rules! id {
    ($(#[$about:meta])* $name:ident $length:literal) => {
        $(#[$about])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $length]);

        impl $name {
            /// Returns `None` for zero, which means "no id".
            pub fn new(bytes: [u8; $length]) -> Option<Self> {
                (bytes != [0; $length]).then_some(Self(bytes))
            }

            /// Converts exported bytes; `None` when their number is wrong or all are zero.
            pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
                Self::new(bytes.try_into().ok()?)
            }

            /// Parses lower-case hex digits.
            pub fn from_hex(digits: &[u8]) -> Option<Self> {
                let mut bytes = [0; $length];
                if digits.len() != 2 * $length {
                    return None;
                }
                for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
                    *byte = hex::lower_case_byte(pair)?;
                }
                Self::new(bytes)
            }

            pub fn as_bytes(&self) -> &[u8; $length] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&hex::encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(out, concat!(stringify!($name), "({})"), self)
            }
        }
    };
}

id! {
    /// Sixteen bytes, not all zero.
    TraceId 16
}

id! {
    /// Eight bytes, not all zero.
    SpanId 8
}

/// The eight trace flags; tested by mask, never compared as a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(pub u8);

impl Flags {
    pub const SAMPLED: u8 = 0x01;
    /// Level 2 and up.
    pub const RANDOM: u8 = 0x02;

    pub fn new(sampled: bool, random: bool) -> Self {
        Self(u8::from(sampled) | (u8::from(random) << 1))
    }

    pub fn sampled(self) -> bool {
        self.0 & Self::SAMPLED != 0
    }

    pub fn random(self) -> bool {
        self.0 & Self::RANDOM != 0
    }

    /// Returns the set bits that `level` does not define; a sender must leave them zero.
    pub fn undefined_bits(self, level: Level) -> u8 {
        self.0 & !Self::defined_bits(level)
    }

    /// Returns the bits that `level` defines.
    pub fn defined_bits(level: Level) -> u8 {
        match level {
            Level::One => Self::SAMPLED,
            Level::Two => Self::SAMPLED | Self::RANDOM,
        }
    }
}

impl fmt::Display for Flags {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:02x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_and_wrong_lengths_are_rejected() {
        assert_eq!(TraceId::new([0; 16]), None);
        assert_eq!(SpanId::from_bytes(&[0; 8]), None);
        assert_eq!(SpanId::from_bytes(&[1; 7]), None);
        assert_eq!(TraceId::from_hex(&[b'0'; 32]), None);
        assert_eq!(SpanId::from_hex(b"00000000000000A1"), None);
    }

    #[test]
    fn an_id_is_printed_as_lower_case_hex_and_parsed_again() {
        let id = SpanId::from_hex(b"00f067aa0ba902b7").unwrap();
        assert_eq!(id.as_bytes(), &[0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7]);
        assert_eq!(id.to_string(), "00f067aa0ba902b7");
        assert_eq!(SpanId::from_bytes(id.as_bytes()), Some(id));
    }

    /// TF-01, TF-02.
    #[test]
    fn flags_are_tested_by_mask() {
        for (bits, sampled, random) in [
            (0x03, true, true),
            (0x09, true, false),
            (0xff, true, true),
            (0x02, false, true),
            (0x08, false, false),
        ] {
            let flags = Flags(bits);
            assert_eq!((flags.sampled(), flags.random()), (sampled, random), "{flags}");
        }
        assert_eq!(Flags(0xff).undefined_bits(Level::One), 0xfe);
        assert_eq!(Flags(0xff).undefined_bits(Level::Two), 0xfc);
        assert_eq!(Flags::new(true, true), Flags(3));
    }
}
