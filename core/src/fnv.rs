//! A hash that is the same in every process and with every release of Rust, for names and keys that are kept on disk.

/// Returns the 64-bit FNV-1a hash of some bytes (Fowler, Noll & Vo). The hashes are stored, so they must never change.
pub fn hash(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325;
    for byte in bytes {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash
}

/// Returns the hash as the name of a file.
pub fn name(bytes: &[u8]) -> String {
    format!("{:016x}", hash(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values are those of the authors' test suite.
    #[test]
    fn the_hash_is_fnv_1a() {
        let check = |text: &str, want: u64| assert_eq!(hash(text.as_bytes()), want, "{text}");
        check("", 0xcbf2_9ce4_8422_2325);
        check("a", 0xaf63_dc4c_8601_ec8c);
        check("foobar", 0x8594_4171_f739_67e8);
    }
}
