//! The dot product of vectors and the Hamming distances of codes: for any processor, and for one with AVX2.
//!
//! Nothing here is written in instructions. A loop that says what may be added beside what is compiled a second time
//! for the better processor, and which of the two runs is decided when it runs.

/// How many bits, and so dimensions, a [`Code`] has.
pub const DIMENSIONS: usize = 512;

/// An embedding, of length 1.
pub type Vector = [f32; DIMENSIONS];

/// The signs of an embedding's dimensions.
pub type Code = [u64; DIMENSIONS / 64];

/// Sums that are kept beside each other: four registers of AVX2.
const LANES: usize = 32;

/// Whether this processor has what the faster variants are compiled for.
pub fn is_supported() -> bool {
    #[cfg(target_arch = "x86_64")]
    return is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("popcnt");
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// The dot product, as fast as this processor can.
pub fn dot(a: &Vector, b: &Vector) -> f32 {
    #[cfg(target_arch = "x86_64")]
    if is_supported() {
        #[expect(unsafe_code, reason = "what it is compiled for was found to be there")]
        // SAFETY: the processor has AVX2 and FMA.
        return unsafe { dot_avx2(a, b) };
    }
    dot_lanes(a, b)
}

/// The dot product as it is usually written: one addition after the other. Floating-point addition is not associative,
/// so that the compiler may not take several at once.
pub fn dot_scalar(a: &Vector, b: &Vector) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The dot product in lanes, for any processor: on x86-64 the compiler makes SSE2 of it.
pub fn dot_lanes(a: &Vector, b: &Vector) -> f32 {
    let mut sums = [0.0; LANES];
    for (a, b) in a.as_chunks::<LANES>().0.iter().zip(b.as_chunks::<LANES>().0) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum()
}

/// The same for AVX2; `mul_add` is one instruction of FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn dot_avx2(a: &Vector, b: &Vector) -> f32 {
    let mut sums = [0.0; LANES];
    for (a, b) in a.as_chunks::<LANES>().0.iter().zip(b.as_chunks::<LANES>().0) {
        for lane in 0..LANES {
            sums[lane] = a[lane].mul_add(b[lane], sums[lane]);
        }
    }
    sums.iter().sum()
}

/// In how many bits each of the codes differs from this one.
pub fn distances(code: &Code, codes: &[Code]) -> Vec<u32> {
    #[cfg(target_arch = "x86_64")]
    if is_supported() {
        #[expect(unsafe_code, reason = "what it is compiled for was found to be there")]
        // SAFETY: the processor has AVX2 and POPCNT.
        return unsafe { distances_avx2(code, codes) };
    }
    codes.iter().map(|other| distance(code, other)).collect()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,popcnt")]
fn distances_avx2(code: &Code, codes: &[Code]) -> Vec<u32> {
    codes.iter().map(|other| distance(code, other)).collect()
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "it is compiled for whoever calls it")]
fn distance(a: &Code, b: &Code) -> u32 {
    a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedding::Embeddings;

    #[test]
    fn all_dot_products_are_the_same_but_for_rounding() {
        let vectors = Embeddings::generated(100).vectors;
        for (a, b) in vectors.iter().zip(vectors.iter().rev()) {
            let exact: f64 = a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
            for dot in [dot, dot_scalar, dot_lanes] {
                let got = f64::from(dot(a, b));
                assert!((got - exact).abs() < 1e-5, "{got} is not {exact}");
            }
        }
    }

    #[test]
    fn distances_are_the_bits_that_differ() {
        let code: Code = std::array::from_fn(|word| word as u64);
        assert_eq!(distances(&code, &[code, [0; 8], code.map(|word| !word)]), [0, 12, 512]);
    }
}
