//! Digests of the parts of a program: two parts with the same digest are the same.

use hmac_sha256::Hash;

/// A digest of the code of a function, or of the content of a constant.
pub(super) type Digest = [u8; 32];

/// Adds bytes with their length, so that two lists of bytes never look like two others.
pub(super) fn add(hash: &mut Hash, bytes: &[u8]) {
    hash.update((bytes.len() as u64).to_le_bytes());
    hash.update(bytes);
}
