//! The decoder against the RFC's examples and against another implementation.

use proptest::prelude::*;

use super::super::huffman::tests::encode;
use super::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

fn fields(pairs: &[(&str, &str)]) -> RawFields {
    pairs.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec())).collect()
}

#[test]
fn the_requests_of_appendix_c_4_decode() {
    let mut decoder = Decoder::new();
    let base = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "www.example.com")];
    let first = decoder.decode(&hex("8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff")).unwrap();
    assert_eq!(first, fields(&base));
    let second = decoder.decode(&hex("8286 84be 5886 a8eb 1064 9cbf")).unwrap();
    assert_eq!(second, fields(&[base.as_slice(), &[("cache-control", "no-cache")]].concat()));
    let third = decoder.decode(&hex("8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf")).unwrap();
    let wanted = [
        (":method", "GET"),
        (":scheme", "https"),
        (":path", "/index.html"),
        (":authority", "www.example.com"),
        ("custom-key", "custom-value"),
    ];
    assert_eq!(third, fields(&wanted));
}

#[test]
fn a_smaller_table_evicts_and_a_larger_one_keeps() {
    let mut decoder = Decoder::new();
    let literal = |name: &str| [&[0x40, name.len() as u8], name.as_bytes(), &[1, b'v']].concat();
    // Two entries of 36 bytes fit in 72.
    let block = [vec![0x3f, 72 - 31], literal("one"), literal("two"), literal("six")].concat();
    assert_eq!(decoder.decode(&block).unwrap().len(), 3);
    assert_eq!(decoder.decode(&[0xbe, 0xbf]).unwrap(), fields(&[("six", "v"), ("two", "v")]));
    assert!(decoder.decode(&[0xc0]).is_err());
    assert_eq!(decoder.decode(&[0x20]).unwrap(), []);
    assert!(decoder.decode(&[0xbe]).is_err());
}

#[test]
fn a_small_block_cannot_become_a_large_list() {
    let mut decoder = Decoder::new();
    let value = vec![b'x'; 4000];
    let mut block = vec![0x40, 1, b'n', 127];
    block.extend([0x80 | ((4000 - 127) % 128) as u8, ((4000 - 127) / 128) as u8]);
    block.extend(&value);
    block.extend(vec![0xbe; 10_000]);
    assert!(matches!(decoder.decode(&block), Err(ReadError::TooLong)));
}

#[test]
fn malformed_blocks_are_refused() {
    for block in ["80", "ff", "ffffffffffff7f", "3fffffff7f", "40", "0001", "008100", "c6", "0001610261"] {
        assert!(Decoder::new().decode(&hex(block)).is_err(), "{block}");
    }
}

fn text(length: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), length)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn another_implementation_reads_the_same(
        texts in prop::collection::vec((text(1..20), text(0..200)), 1..20),
        kinds in prop::collection::vec((0u8..3, any::<bool>()), 20),
    ) {
        let mut block = Vec::new();
        for ((name, value), (kind, coded)) in texts.iter().zip(&kinds) {
            block.push([0x00, 0x10, 0x40][usize::from(*kind)]);
            for text in [name, value] {
                let text = if *coded { encode(text) } else { text.clone() };
                let start = block.len();
                push_length(&mut block, text.len());
                block[start] |= if *coded { 0x80 } else { 0 };
                block.extend(text);
            }
        }
        let wanted = fluke_hpack::Decoder::new().decode(&block).unwrap();
        prop_assert_eq!(&wanted, &texts);
        prop_assert_eq!(Decoder::new().decode(&block).unwrap(), wanted);
    }

    #[test]
    fn what_is_encoded_plainly_is_read_by_all(
        texts in prop::collection::vec((text(0..300), text(0..3_000)), 0..4),
    ) {
        let block = encode_plainly(&texts);
        prop_assert_eq!(Decoder::new().decode(&block).unwrap(), texts.clone());
        if !texts.is_empty() {
            prop_assert_eq!(fluke_hpack::Decoder::new().decode(&block).unwrap(), texts);
        }
    }
}
