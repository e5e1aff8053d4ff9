//! Cases from a seed, and changes to valid bytes.
//!
//! `UNBROKEN_FUZZ_CASES` sets the number of cases of each test, `UNBROKEN_FUZZ_SEED` their seed. A test that fails
//! prints the number of its case.

/// Lengths and counts at which decoders go wrong.
const NUMBERS: [u32; 12] =
    [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x00ff_ffff, 0x0100_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];

/// A generator (xorshift64*) that makes the same cases on every machine.
pub struct Random(u64);

impl Random {
    /// Returns the generator of one case.
    fn new(seed: u64, case: u64) -> Self {
        let mixed = seed.wrapping_add(case.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        Random(mixed.max(1))
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    /// Returns a number from 0 to `limit` - 1.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next()).unwrap_or(0) % limit.max(1)
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    /// Changes up to four places.
    pub fn mutate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..self.below(5) {
            let at = self.below(bytes.len() + 1);
            let until = at + self.below((bytes.len() - at).min(64) + 1);
            match self.below(6) {
                0 => drop(bytes.drain(at..until)),
                1 => {
                    let copied = bytes[at..until].to_vec();
                    bytes.splice(at..at, copied);
                }
                2 => bytes.insert(at, self.byte()),
                3 => overwrite(&mut bytes[at..], &NUMBERS[self.below(NUMBERS.len())].to_be_bytes()),
                4 => overwrite(&mut bytes[at..], &NUMBERS[self.below(NUMBERS.len())].to_be_bytes()[2..]),
                _ => overwrite(&mut bytes[at..], &[self.byte()]),
            }
        }
    }

    /// Cuts bytes into pieces of up to `longest` bytes.
    pub fn cut<'a>(&mut self, bytes: &'a [u8], longest: usize) -> Vec<&'a [u8]> {
        let (mut pieces, mut rest) = (Vec::new(), bytes);
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rest.len().min(1 + self.below(longest)));
            pieces.push(piece);
            rest = after;
        }
        pieces
    }
}

fn overwrite(bytes: &mut [u8], with: &[u8]) {
    bytes.iter_mut().zip(with).for_each(|(byte, new)| *byte = *new);
}

/// Runs the cases one after the other.
pub fn each_case(default: u64, case: impl Fn(&mut Random)) {
    let (cases, seed) = (number("UNBROKEN_FUZZ_CASES", default), number("UNBROKEN_FUZZ_SEED", 0x7e57));
    for number in 0..cases {
        let shown = CaseNumber { number, seed };
        case(&mut Random::new(seed, number));
        drop(shown);
    }
}

/// Prints the case when a panic unwinds through it.
struct CaseNumber {
    number: u64,
    seed: u64,
}

impl Drop for CaseNumber {
    #[expect(clippy::print_stderr, reason = "the seed is part of the failure of a test")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("case {} of seed {}", self.number, self.seed);
        }
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}
