//! Changes to valid bytes of a conversation, and their cut into pieces as a socket returns them.

use fuzz_cases::Random;

/// Lengths and counts at which decoders go wrong.
const NUMBERS: [u32; 12] =
    [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x00ff_ffff, 0x0100_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];

/// Changes up to four places.
pub fn mutate(random: &mut Random, bytes: &mut Vec<u8>) {
    for _ in 0..random.below(5) {
        let at = random.below(bytes.len() + 1);
        let until = at + random.below((bytes.len() - at).min(64) + 1);
        match random.below(6) {
            0 => drop(bytes.drain(at..until)),
            1 => {
                let copied = bytes[at..until].to_vec();
                bytes.splice(at..at, copied);
            }
            2 => bytes.insert(at, byte(random)),
            3 => overwrite(&mut bytes[at..], &NUMBERS[random.below(NUMBERS.len())].to_be_bytes()),
            4 => overwrite(&mut bytes[at..], &NUMBERS[random.below(NUMBERS.len())].to_be_bytes()[2..]),
            _ => overwrite(&mut bytes[at..], &[byte(random)]),
        }
    }
}

/// Cuts bytes into pieces of up to `longest` bytes.
pub fn cut<'a>(random: &mut Random, bytes: &'a [u8], longest: usize) -> Vec<&'a [u8]> {
    let (mut pieces, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.len().min(1 + random.below(longest)));
        pieces.push(piece);
        rest = after;
    }
    pieces
}

fn byte(random: &mut Random) -> u8 {
    random.next_u64().to_le_bytes()[0]
}

fn overwrite(bytes: &mut [u8], with: &[u8]) {
    bytes.iter_mut().zip(with).for_each(|(byte, new)| *byte = *new);
}
