//! Random bytes of the system, for what others must not guess.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Returns random bytes. The standard library keys its hash tables with random numbers of the system, and such a hash
/// cannot be predicted without them. It knows how each system gives them out: the file `/dev/urandom` is not there in
/// every container.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    for (nth, part) in bytes.chunks_mut(8).enumerate() {
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_usize(nth);
        part.copy_from_slice(&hasher.finish().to_le_bytes()[..part.len()]);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_call_and_each_part_has_bytes_of_its_own() {
        let [one, other]: [[u8; 19]; 2] = [random(), random()];
        assert_ne!(one[..8], other[..8]);
        assert_ne!(one[..8], one[8..16]);
        assert_ne!(one[16..], [0; 3]);
    }
}
