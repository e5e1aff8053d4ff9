//! Base64 with the standard alphabet (RFC 4648 4), of one short value.
//!
//! Padding may be missing on input and is never printed, as gRPC asks of binary metadata
//! (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>). Bits behind the last byte must be zero.

use ::base64::Engine;
use ::base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

/// Returns `bytes` as text without padding.
pub fn encode(bytes: &[u8]) -> String {
    STANDARD_NO_PAD.encode(bytes)
}

/// Parses text with or without padding; `None` for other characters, a wrong length, or bits that are left over.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    STANDARD_NO_PAD.decode(text).or_else(|_| STANDARD.decode(text)).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// RFC 4648 10.
    #[test]
    fn the_examples_of_the_standard_are_decoded_with_and_without_padding() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
        ] {
            assert_eq!(decode(text.as_bytes()).as_deref(), Some(bytes.as_bytes()), "{text}");
            let bare = text.trim_end_matches('=');
            assert_eq!(decode(bare.as_bytes()).as_deref(), Some(bytes.as_bytes()), "{bare}");
            assert_eq!(encode(bytes.as_bytes()), bare);
        }
    }

    #[test]
    fn other_characters_lengths_and_left_over_bits_are_rejected() {
        for wrong in ["A", "Zg=", "Zg===", "Z===", "Zh==", "Zm9=", "Zm-v", "Zm9v\n", "=", "Zg==Zg=="] {
            assert_eq!(decode(wrong.as_bytes()), None, "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn encoding_and_decoding_are_inverse(bytes: Vec<u8>) {
            prop_assert_eq!(decode(encode(&bytes).as_bytes()), Some(bytes));
        }

        #[test]
        fn decoding_never_panics(text: Vec<u8>) {
            if let Some(bytes) = decode(&text) {
                prop_assert!(bytes.len() <= text.len());
            }
        }
    }
}
