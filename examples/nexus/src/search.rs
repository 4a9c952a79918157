//! The nearest vectors: exactly, or by their codes first and by the vectors of the best.

use crate::embedding::code;
use crate::simd::{Code, Vector, distances, dot};

/// A vector that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// Which one, in the order of the index.
    pub id: u32,
    /// How near it is: 1 is the same. By codes alone it is the share of signs that agree.
    pub score: f32,
}

/// Vectors and their codes.
#[derive(Debug)]
pub struct Index {
    vectors: Vec<Vector>,
    codes: Vec<Code>,
}

impl Index {
    /// An index of these vectors.
    pub fn new(vectors: Vec<Vector>) -> Index {
        let codes = vectors.iter().map(code).collect();
        Index { vectors, codes }
    }

    /// The `count` nearest, by looking at every vector.
    pub fn exact(&self, query: &Vector, count: usize) -> Vec<Found> {
        let all = 0..self.vectors.len() as u32;
        best(all.map(|id| self.scored(query, id)).collect(), count)
    }

    /// The `count` nearest by codes alone, which are a 32nd of the vectors.
    pub fn by_code(&self, query: &Vector, count: usize) -> Vec<Found> {
        let distances = distances(&code(query), &self.codes);
        let share = |distance: u32| 1.0 - distance as f32 / query.len() as f32;
        let found = (0..).zip(distances).map(|(id, distance)| Found { id, score: share(distance) });
        best(found.collect(), count)
    }

    /// The `count` nearest of those `candidates` that are nearest by code.
    pub fn rescored(&self, query: &Vector, count: usize, candidates: usize) -> Vec<Found> {
        let candidates = self.by_code(query, candidates.max(count));
        best(candidates.iter().map(|found| self.scored(query, found.id)).collect(), count)
    }

    /// The same with twice as many candidates each time, until that finds nothing new: a query that is harder gets more.
    pub fn escalated(&self, query: &Vector, count: usize) -> Vec<Found> {
        let candidates = self.by_code(query, self.vectors.len());
        let mut size = 10 * count;
        let mut scored = Vec::new();
        let mut before = Vec::new();
        loop {
            let more = candidates.iter().skip(scored.len()).take(size - scored.len());
            scored.extend(more.map(|found| self.scored(query, found.id)));
            let now = best(scored.clone(), count);
            if now == before || scored.len() == candidates.len() {
                return now;
            }
            before = now;
            size *= 2;
        }
    }

    fn scored(&self, query: &Vector, id: u32) -> Found {
        Found { id, score: dot(query, &self.vectors[id as usize]) }
    }
}

/// The `count` with the highest scores, in that order; of the same score, those that are first in the index.
fn best(mut found: Vec<Found>, count: usize) -> Vec<Found> {
    let order = |a: &Found, b: &Found| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id));
    if count < found.len() {
        found.select_nth_unstable_by(count, order);
        found.truncate(count);
    }
    found.sort_unstable_by(order);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedding::Embeddings;

    #[test]
    fn every_search_finds_what_is_there() {
        let Embeddings { vectors, .. } = Embeddings::generated(500);
        let index = Index::new(vectors.clone());
        for (id, vector) in (0..).zip(&vectors) {
            let found = [
                index.exact(vector, 1),
                index.by_code(vector, 1),
                index.rescored(vector, 1, 10),
                index.escalated(vector, 1),
            ];
            assert!(found.iter().all(|found| found[0].id == id), "{id}: {found:?}");
        }
    }

    #[test]
    fn with_all_for_candidates_it_is_exact() {
        let Embeddings { vectors, queries } = Embeddings::generated(500);
        let index = Index::new(vectors);
        for query in &queries {
            assert_eq!(index.rescored(query, 10, 500), index.exact(query, 10));
        }
    }
}
