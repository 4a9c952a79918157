//! Embeddings from a seed: vectors that gather round topics, as those of texts do, and queries near them.

use crate::simd::{Code, DIMENSIONS, Vector};

/// How many topics there are.
const TOPICS: usize = 100;

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
        let topics: Vec<Vector> =
            (0..TOPICS).map(|_| near(&[0.0; DIMENSIONS], 1.0, &mut random)).collect();
        let vectors: Vec<Vector> =
            (0..count).map(|n| near(&topics[n % TOPICS], 0.8, &mut random)).collect();
        let queries =
            (0..100).map(|_| near(&vectors[random.usize(0..count)], 0.5, &mut random)).collect();
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

/// A vector of length 1 that differs from `centre` by noise, whose length is about `noise`.
fn near(centre: &Vector, noise: f32, random: &mut fastrand::Rng) -> Vector {
    // The sum of three uniform numbers is near enough to a normal one, with a deviation of a half.
    let scale = noise * 2.0 / (DIMENSIONS as f32).sqrt();
    let mut normal = || random.f32() + random.f32() + random.f32() - 1.5;
    let vector = centre.map(|value| value + scale * normal());
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    vector.map(|value| value / length)
}
