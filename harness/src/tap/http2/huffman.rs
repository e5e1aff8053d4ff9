//! The Huffman code of HPACK (RFC 7541 section 5.2 and appendix B).
//!
//! The code is canonical, so the lengths of its 257 words determine it: words of one length are consecutive, in the
//! order of their symbols, and each length continues where the shorter one ended.

/// Bits of each symbol's word; the last one is the end of string, which must not occur.
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28,
    28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6,
    6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7,
    8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7,
    15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24,
    23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23,
    23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26,
    26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20,
    21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27,
    27, 27, 26, 30,
];
const LONGEST: usize = 30;
const END_OF_STRING: u16 = 256;

/// For each length the first word, how many there are, and where their symbols begin in `symbols`.
struct Code {
    first: [u32; LONGEST + 1],
    count: [u32; LONGEST + 1],
    offset: [u32; LONGEST + 1],
    symbols: [u16; 257],
}

static CODE: Code = canonical();

const fn canonical() -> Code {
    let mut code = Code {
        first: [0; LONGEST + 1],
        count: [0; LONGEST + 1],
        offset: [0; LONGEST + 1],
        symbols: [0; 257],
    };
    let (mut word, mut placed, mut length) = (0, 0, 1);
    while length <= LONGEST {
        word <<= 1;
        code.first[length] = word;
        code.offset[length] = placed as u32;
        let mut symbol = 0;
        while symbol < LENGTHS.len() {
            if LENGTHS[symbol] as usize == length {
                code.symbols[placed] = symbol as u16;
                code.count[length] += 1;
                placed += 1;
                word += 1;
            }
            symbol += 1;
        }
        length += 1;
    }
    code
}

/// Decodes a string; `None` where the bytes are not valid: they contain the end of string, or their padding is too long
/// or not all ones.
pub fn decode(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::with_capacity(bytes.len() * 8 / 5);
    // Bits that are not used yet, at the low end.
    let (mut bits, mut available): (u64, usize) = (0, 0);
    for byte in bytes {
        bits = (bits << 8) | u64::from(*byte);
        available += 8;
        while let Some((symbol, length)) = word(bits, available) {
            if symbol == END_OF_STRING {
                return None;
            }
            text.push(u8::try_from(symbol).ok()?);
            available -= length;
            bits &= (1 << available) - 1;
        }
    }
    let all_ones = bits == (1 << available) - 1;
    (available < 8 && all_ones).then_some(text)
}

/// Returns the symbol at the high end of the `available` bits, and the length of its word.
fn word(bits: u64, available: usize) -> Option<(u16, usize)> {
    (5..=available.min(LONGEST)).find_map(|length| {
        let word = u32::try_from(bits >> (available - length)).ok()?;
        let nth = word.checked_sub(CODE.first[length]).filter(|nth| *nth < CODE.count[length])?;
        let symbol = CODE.symbols[usize::try_from(CODE.offset[length] + nth).ok()?];
        Some((symbol, length))
    })
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// For tests: the code words themselves.
    pub fn encode(text: &[u8]) -> Vec<u8> {
        let (mut out, mut bits, mut filled) = (Vec::new(), 0u64, 0);
        for byte in text {
            let length = usize::from(LENGTHS[usize::from(*byte)]);
            let nth = CODE.symbols.iter().position(|symbol| *symbol == u16::from(*byte)).unwrap();
            let word = u64::from(CODE.first[length]) + nth as u64 - u64::from(CODE.offset[length]);
            bits = (bits << length) | word;
            filled += length;
            while filled >= 8 {
                filled -= 8;
                out.push((bits >> filled) as u8);
                bits &= (1 << filled) - 1;
            }
        }
        if filled > 0 {
            out.push(((bits << (8 - filled)) | ((1 << (8 - filled)) - 1)) as u8);
        }
        out
    }

    #[test]
    fn every_byte_comes_back() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(decode(&encode(&all)), Some(all));
    }

    #[test]
    fn the_examples_of_the_rfc_decode() {
        // RFC 7541 C.4.1 and C.6.1
        let authority = [0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff];
        assert_eq!(decode(&authority).as_deref(), Some(b"www.example.com".as_slice()));
        assert_eq!(decode(&[0x64, 0x02]).as_deref(), Some(b"302".as_slice()));
    }

    #[test]
    fn wrong_padding_and_the_end_of_string_are_refused() {
        assert_eq!(decode(&[0b0000_0000]), None);
        assert_eq!(decode(&[0xff, 0xff, 0xff, 0xff]), None);
        assert_eq!(decode(&[0xff]), None);
    }
}
