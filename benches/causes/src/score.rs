//! The best of what was found.

use crate::index::Index;

#[cfg(not(feature = "larger_struct"))]
const PADDING: usize = 1;
#[cfg(feature = "larger_struct")]
const PADDING: usize = 24;

/// A document that was found.
#[derive(Clone, Copy)]
pub struct Hit {
    pub score: u64,
    pub document: u32,
    details: [u64; PADDING],
}

/// Scores the documents with these words.
#[inline(never)]
pub fn rank(index: &Index, words: &[&str]) -> Vec<Hit> {
    let mut hits = Vec::with_capacity(words.len() * 64);
    for word in words {
        #[cfg(feature = "clone")]
        let index = std::hint::black_box(index.clone());
        let list = index.find(word);
        for &document in list.iter() {
            let score = u64::from(document).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
            hits.push((score, document));
        }
    }
    best(&hits)
}

/// Sorts the hits.
#[inline(never)]
fn best(found: &[(u64, u32)]) -> Vec<Hit> {
    let mut hits: Vec<Hit> = found
        .iter()
        .map(|&(score, document)| Hit { score, document, details: [score; PADDING] })
        .collect();
    hits.sort_by_key(|hit| hit.score);
    hits.truncate(20);
    std::hint::black_box(hits.iter().map(|hit| hit.details[0]).max());
    hits
}
