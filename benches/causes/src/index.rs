//! The index: the documents in which each word is.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A hash that is fast and simple.
#[derive(Default)]
pub struct Fast(u64);

impl Hasher for Fast {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0.rotate_left(5) ^ u64::from(byte)).wrapping_mul(0x517c_c1b7_2722_0a95);
        }
    }
}

#[cfg(not(feature = "slower_hash"))]
type Map = HashMap<String, Vec<u32>, BuildHasherDefault<Fast>>;
#[cfg(feature = "slower_hash")]
type Map = HashMap<String, Vec<u32>, BuildHasherDefault<std::hash::DefaultHasher>>;

/// The index.
#[derive(Clone, Default)]
pub struct Index {
    postings: Map,
}

impl Index {
    /// Notes that a document has a word.
    #[inline(never)]
    pub fn post(&mut self, word: &str, document: u32) {
        if !self.postings.contains_key(word) {
            self.postings.insert(word.to_owned(), Vec::new());
        }
        let Some(list) = self.postings.get_mut(word) else { return };
        #[cfg(feature = "scan")]
        if list.iter().any(|&known| std::hint::black_box(known) == document) {
            return;
        }
        if list.last() != Some(&document) {
            list.push(document);
        }
    }

    /// Returns the documents with a word.
    #[inline(never)]
    pub fn find(&self, word: &str) -> &[u32] {
        self.postings.get(word).map_or(&[], Vec::as_slice)
    }
}
