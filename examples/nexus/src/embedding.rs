//! Embeddings from a seed: as those of texts they have many dimensions, and differ in far fewer.

use crate::simd::{Code, DIMENSIONS, Vector};

/// In how many ways the meanings of texts differ.
const MEANINGS: usize = 32;

/// How many queries there are.
const QUERIES: usize = 100;

/// Vectors that can be searched, and queries.
#[derive(Debug)]
pub struct Embeddings {
    /// What is searched.
    pub vectors: Vec<Vector>,
    /// What is searched for: each is near one of the vectors.
    pub queries: Vec<Vector>,
}

impl Embeddings {
    /// So many vectors, and 100 queries; the same ones every time.
    pub fn generated(count: usize) -> Embeddings {
        let mut random = fastrand::Rng::with_seed(4);
        let directions: Vec<Vector> =
            (0..MEANINGS).map(|_| [0.0; DIMENSIONS].map(|_| normal(&mut random))).collect();
        let mut meaning = || [0.0; MEANINGS].map(|_| normal(&mut random));
        let meanings: Vec<_> = (0..count).map(|_| meaning()).collect();
        let queries = (0..QUERIES).map(|query| {
            let (near, other) = (&meanings[query * count / QUERIES], meaning());
            std::array::from_fn(|n| near[n] + 0.5 * other[n])
        });
        let queries = queries.map(|meaning| embedded(&meaning, &directions)).collect();
        let vectors = meanings.iter().map(|meaning| embedded(meaning, &directions)).collect();
        Embeddings { vectors, queries }
    }
}

/// The signs of a vector: one bit where it had 32.
pub fn code(vector: &Vector) -> Code {
    let mut code = Code::default();
    for (dimension, value) in vector.iter().enumerate() {
        code[dimension / 64] |= u64::from(*value > 0.0) << (dimension % 64);
    }
    code
}

/// The vector of a meaning, of length 1.
fn embedded(meaning: &[f32; MEANINGS], directions: &[Vector]) -> Vector {
    let mut vector = [0.0; DIMENSIONS];
    for (weight, direction) in meaning.iter().zip(directions) {
        for (value, part) in vector.iter_mut().zip(direction) {
            *value += weight * part;
        }
    }
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    vector.map(|value| value / length)
}

/// A number that is near enough to a normal one: the sum of three uniform ones, with a deviation of a half.
fn normal(random: &mut fastrand::Rng) -> f32 {
    random.f32() + random.f32() + random.f32() - 1.5
}
