//! The digest of a file's content: its SHA-256, computed while the content is read.
//!
//! Readers are `dyn` here and wherever an artifact is read, since generic code would be compiled anew for each type of
//! reader.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::deadline::{Deadline, Timed};

/// The SHA-256 of some bytes. Displayed as 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Digest([u8; 32]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Digest {
    pub(super) fn of_bytes(bytes: &[u8]) -> Digest {
        Digest(hmac_sha256::Hash::hash(bytes))
    }

    /// Returns the digest of a whole file, which must be read before `deadline`.
    pub(super) fn of_file(path: &Path, deadline: Deadline) -> io::Result<Digest> {
        let mut file = File::open(path)?;
        let mut timed = Timed { reader: &mut file, deadline };
        let mut reader = Hashing::new(&mut timed);
        drain(&mut reader)?;
        Ok(reader.finish().1)
    }
}

/// A reader that computes the length and the digest of what is read from it.
pub(super) struct Hashing<'r> {
    reader: &'r mut dyn Read,
    hash: hmac_sha256::Hash,
    bytes: u64,
}

impl<'r> Hashing<'r> {
    pub(super) fn new(reader: &'r mut dyn Read) -> Self {
        Hashing { reader, hash: hmac_sha256::Hash::new(), bytes: 0 }
    }

    /// Returns how many bytes were read, and their digest.
    pub(super) fn finish(self) -> (u64, Digest) {
        (self.bytes, Digest(self.hash.finalize()))
    }
}

impl Read for Hashing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.hash.update(&buffer[..read]);
        self.bytes += read as u64;
        Ok(read)
    }
}

/// Reads to the end, and returns how many bytes there were.
pub(super) fn drain(reader: &mut dyn Read) -> io::Result<u64> {
    io::copy(reader, &mut io::sink())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_the_standard() {
        // FIPS 180-2, appendix B.1.
        let want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Digest::of_bytes(b"abc").to_string(), want);
        let mut abc = &b"abc"[..];
        let mut reader = Hashing::new(&mut abc);
        drain(&mut reader).unwrap();
        let (bytes, digest) = reader.finish();
        assert_eq!((bytes, digest.to_string().as_str()), (3, want));
    }
}
