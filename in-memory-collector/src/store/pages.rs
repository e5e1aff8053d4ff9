//! A vector in pages, which grows without moving what it holds and keeps its pages when it is cleared.

const PAGE: usize = 4096;

#[derive(Debug)]
pub struct Pages<T> {
    pages: Vec<Vec<T>>,
    length: usize,
}

impl<T> Default for Pages<T> {
    fn default() -> Self {
        Self { pages: Vec::new(), length: 0 }
    }
}

impl<T> Pages<T> {
    pub fn push(&mut self, value: T) -> u32 {
        let page = self.length / PAGE;
        if page == self.pages.len() {
            self.pages.push(Vec::with_capacity(PAGE));
        }
        self.pages[page].push(value);
        self.length += 1;
        (self.length - 1) as u32
    }

    #[inline]
    pub fn get(&self, index: u32) -> &T {
        &self.pages[index as usize / PAGE][index as usize % PAGE]
    }

    #[inline]
    pub fn get_mut(&mut self, index: u32) -> &mut T {
        &mut self.pages[index as usize / PAGE][index as usize % PAGE]
    }

    pub fn len(&self) -> usize {
        self.length
    }

    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.pages.iter().flatten()
    }

    /// Returns the bytes of the pages in use.
    pub fn bytes(&self) -> usize {
        Self::bytes_for(self.length)
    }

    pub fn bytes_for(length: usize) -> usize {
        length.next_multiple_of(PAGE) * size_of::<T>()
    }

    pub fn clear(&mut self) {
        self.pages.iter_mut().for_each(Vec::clear);
        self.length = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_their_index_also_after_clear() {
        let mut pages = Pages::default();
        for round in 0..2u32 {
            for value in 0..10_000u32 {
                assert_eq!(pages.push(value + round), value);
            }
            assert_eq!(*pages.get(9_999), 9_999 + round);
            assert_eq!(pages.iter().count(), 10_000);
            pages.clear();
            assert_eq!((pages.len(), pages.bytes(), pages.iter().count()), (0, 0, 0));
        }
    }
}
