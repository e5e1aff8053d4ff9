//! Encoded spans and records one after the other in large blocks, which are used again after `clear`.
//!
//! Fresh memory costs more than the copy into it (a page fault each 4 KiB), so blocks are given back only when the
//! arena is dropped. A piece that is larger than a block gets a block of its own.

/// A block is this large, so one span costs no allocation.
pub const BLOCK_BYTES: usize = 1 << 20;

#[derive(Debug, Default)]
pub struct Arena {
    blocks: Vec<Vec<u8>>,
    /// Emptied blocks of the usual size.
    spare: Vec<Vec<u8>>,
    used: usize,
}

/// The place of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    block: u32,
    offset: u32,
    length: u32,
}

impl Arena {
    pub fn push(&mut self, bytes: &[u8]) -> Piece {
        let fits = self.blocks.last().is_some_and(|block| block.capacity() - block.len() >= bytes.len());
        if !fits {
            let block = if bytes.len() > BLOCK_BYTES {
                Vec::with_capacity(bytes.len())
            } else {
                self.spare.pop().unwrap_or_else(|| Vec::with_capacity(BLOCK_BYTES))
            };
            self.used += block.capacity();
            self.blocks.push(block);
        }
        let index = self.blocks.len() - 1;
        let block = &mut self.blocks[index];
        let piece = Piece { block: index as u32, offset: block.len() as u32, length: bytes.len() as u32 };
        block.extend_from_slice(bytes);
        piece
    }

    pub fn get(&self, piece: Piece) -> &[u8] {
        let start = piece.offset as usize;
        &self.blocks[piece.block as usize][start..start + piece.length as usize]
    }

    /// Returns the bytes of the blocks in use, also where they are not yet filled.
    pub fn bytes(&self) -> usize {
        self.used
    }

    /// Returns the value of `bytes` after pieces of these lengths.
    pub fn bytes_after(&self, lengths: impl Iterator<Item = usize>) -> usize {
        let mut room = self.blocks.last().map_or(0, |block| block.capacity() - block.len());
        let mut used = self.used;
        for length in lengths {
            if length > room {
                room = length.max(BLOCK_BYTES);
                used += room;
            }
            room -= length;
        }
        used
    }

    pub fn clear(&mut self) {
        for mut block in self.blocks.drain(..) {
            if block.capacity() == BLOCK_BYTES {
                block.clear();
                self.spare.push(block);
            }
        }
        self.used = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_all_sizes_are_found_again_and_blocks_are_used_again() {
        let mut arena = Arena::default();
        for _ in 0..2 {
            let pieces: Vec<(Vec<u8>, Piece)> = [0, 1, 600_000, 600_000, 3 * BLOCK_BYTES, 5]
                .into_iter()
                .enumerate()
                .map(|(index, size)| vec![index as u8; size])
                .map(|bytes| (bytes.clone(), arena.push(&bytes)))
                .collect();
            for (bytes, piece) in pieces {
                assert_eq!(arena.get(piece), bytes);
            }
            arena.clear();
            assert_eq!(arena.bytes(), 0);
        }
        assert_eq!(arena.spare.len(), 3);
    }
}
