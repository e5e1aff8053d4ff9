//! The bytes of an id as it was exported: a wrong length is evidence too.

use std::ops::Deref;

use smallvec::SmallVec;

/// An id of any length; one of up to 16 bytes needs no allocation.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdBytes(SmallVec<[u8; 16]>);

impl IdBytes {
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

impl Deref for IdBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<&[u8]> for IdBytes {
    fn from(bytes: &[u8]) -> Self {
        IdBytes(SmallVec::from_slice(bytes))
    }
}

impl From<Vec<u8>> for IdBytes {
    fn from(bytes: Vec<u8>) -> Self {
        bytes.as_slice().into()
    }
}

impl<const N: usize> From<[u8; N]> for IdBytes {
    fn from(bytes: [u8; N]) -> Self {
        bytes.as_slice().into()
    }
}

impl<const N: usize> From<&[u8; N]> for IdBytes {
    fn from(bytes: &[u8; N]) -> Self {
        bytes.as_slice().into()
    }
}

impl FromIterator<u8> for IdBytes {
    fn from_iter<I: IntoIterator<Item = u8>>(bytes: I) -> Self {
        IdBytes(bytes.into_iter().collect())
    }
}

impl PartialEq<[u8]> for IdBytes {
    fn eq(&self, other: &[u8]) -> bool {
        self.as_slice() == other
    }
}

impl PartialEq<&[u8]> for IdBytes {
    fn eq(&self, other: &&[u8]) -> bool {
        self.as_slice() == *other
    }
}

impl<const N: usize> PartialEq<[u8; N]> for IdBytes {
    fn eq(&self, other: &[u8; N]) -> bool {
        self.as_slice() == other
    }
}

impl<const N: usize> PartialEq<&[u8; N]> for IdBytes {
    fn eq(&self, other: &&[u8; N]) -> bool {
        self.as_slice() == *other
    }
}
