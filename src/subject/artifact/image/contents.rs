//! The contents of an image archive or directory: the length and the digests of every part, and the JSON documents.

use std::cell::Cell;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use perf_budget_core::exact;
use serde::de::DeserializeOwned;

use super::fault::Fault;
use super::tar::{self, Kind};
use crate::subject::artifact::content::{Digest, Hashing, drain};
use crate::subject::artifact::deadline::{Deadline, Timed};

/// The most bytes of a document that is kept. Registries refuse larger ones too.
const LARGEST_DOCUMENT: u64 = 4 * 1024 * 1024;
/// The most bytes of all documents together. No image has that many, and every machine has more memory.
const MOST_DOCUMENTS: u64 = 64 * 1024 * 1024;
/// The most parts of an image.
const MOST_PARTS: usize = 100_000;
/// The most bytes that are decompressed in all, since a few kilobytes can be made to decompress to petabytes.
const MOST_UNPACKED: u64 = 100_000_000_000;
/// The most links that are followed from one to the next.
const LONGEST_CHAIN: usize = 8;

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The parts of an image by their names.
#[derive(Default)]
pub(super) struct Contents {
    parts: HashMap<String, Part>,
    /// The bytes of all documents together.
    documents: u64,
}

/// A part of an image.
enum Part {
    Blob(Blob),
    /// A link to another part, whose path starts from the root.
    Link(String),
}

/// A file in an image.
pub(super) struct Blob {
    /// The digest of the bytes as they are stored.
    pub(super) stored: Digest,
    /// The length and the digest of the uncompressed bytes.
    pub(super) unpacked: Result<(u64, Digest), Fault>,
    /// The content, if it may be a JSON document.
    document: Option<Vec<u8>>,
}

impl Contents {
    /// Reads an archive, plain or gzipped.
    pub(super) fn of_archive(path: &Path, deadline: Deadline) -> Result<Contents, Fault> {
        let left = DecompressionAllowance { bytes: Cell::new(MOST_UNPACKED), deadline };
        let mut file = File::open(path)?;
        let mut file = Timed { reader: &mut file, deadline };
        let mut archive = buffered(&mut file);
        if archive.fill_buf()?.starts_with(&GZIP) {
            let mut decoder = gunzip(&mut archive);
            Contents::read(&mut Bounded { reader: &mut decoder, left: &left }, &left)
        } else {
            Contents::read(&mut archive, &left)
        }
    }

    /// Reads an OCI layout that is a directory.
    pub(super) fn of_directory(dir: &Path, deadline: Deadline) -> Result<Contents, Fault> {
        let left = DecompressionAllowance { bytes: Cell::new(MOST_UNPACKED), deadline };
        let mut contents = Contents::default();
        let mut names = vec!["index.json".to_owned(), "oci-layout".to_owned()];
        if let Ok(blobs) = fs::read_dir(dir.join("blobs/sha256")) {
            for blob in blobs {
                names.push(format!("blobs/sha256/{}", blob?.file_name().to_string_lossy()));
            }
        }
        for name in names {
            let path = dir.join(&name);
            if path.is_file() {
                let file = File::open(&path)?;
                let bytes = file.metadata()?.len();
                let mut file = Timed { reader: &mut &file, deadline };
                contents.add(name, bytes, &mut file, &left)?;
            }
        }
        Ok(contents)
    }

    /// Returns the file of this name. Links are followed.
    pub(super) fn blob(&self, name: &str) -> Option<&Blob> {
        let mut name = name;
        for _ in 0..LONGEST_CHAIN {
            match self.parts.get(name)? {
                Part::Blob(blob) => return Some(blob),
                Part::Link(to) => name = to,
            }
        }
        None
    }

    /// Parses the JSON document of this name.
    pub(super) fn document<T: DeserializeOwned>(&self, name: &str) -> Result<T, Fault> {
        let blob =
            self.blob(name).ok_or_else(|| Fault::new(format!("`{name}` is missing in it")))?;
        let bytes = blob.document.as_deref();
        let bytes =
            bytes.ok_or_else(|| Fault::new(format!("`{name}` in it is not a JSON document")))?;
        exact::read(bytes).map_err(|e| Fault::new(format!("`{name}` in it: {e}")))
    }

    fn read(archive: &mut dyn Read, left: &DecompressionAllowance) -> Result<Contents, Fault> {
        let mut contents = Contents::default();
        tar::entries(archive, |entry, content| {
            match entry.kind {
                Kind::File(bytes) => contents.add(entry.name, bytes, content, left)?,
                Kind::Symbolic(to) => {
                    let beside = entry.name.rsplit_once('/').map_or("", |(dir, _)| dir);
                    let to = resolve(beside, &to);
                    contents.insert(entry.name, Part::Link(to))?;
                }
                Kind::Hard(to) => {
                    let to = resolve("", &to);
                    contents.insert(entry.name, Part::Link(to))?;
                }
                Kind::Other => {}
            }
            Ok(())
        })?;
        Ok(contents)
    }

    fn add(
        &mut self,
        name: String,
        bytes: u64,
        content: &mut dyn Read,
        left: &DecompressionAllowance,
    ) -> Result<(), Fault> {
        let blob = if bytes <= LARGEST_DOCUMENT {
            let mut whole = Vec::new();
            content.take(bytes).read_to_end(&mut whole)?;
            let mut blob = blob(&mut &whole[..], left)?;
            if whole.starts_with(b"{") || whole.starts_with(b"[") {
                self.documents += bytes;
                blob.document = Some(whole);
            }
            blob
        } else {
            blob(content, left)?
        };
        if self.documents > MOST_DOCUMENTS {
            return Err(Fault::new("it holds more JSON than any image does"));
        }
        self.insert(name, Part::Blob(blob))
    }

    fn insert(&mut self, name: String, part: Part) -> Result<(), Fault> {
        if self.parts.len() >= MOST_PARTS {
            return Err(Fault::new("it holds more files than any image does"));
        }
        self.parts.insert(name, part);
        Ok(())
    }
}

/// Reads a file in an image to its end, and decompresses it if it is compressed.
fn blob(content: &mut dyn Read, left: &DecompressionAllowance) -> Result<Blob, Fault> {
    let mut hashing = Hashing::new(content);
    let mut stored = buffered(&mut hashing);
    let start = stored.fill_buf()?;
    let compressed = start.starts_with(&GZIP) || start.starts_with(&ZSTD);
    let unpacked = if start.starts_with(&GZIP) {
        unpack(&mut gunzip(&mut stored), left)
    } else if start.starts_with(&ZSTD) {
        unzstd(&mut stored).and_then(|mut decoder| unpack(&mut decoder, left))
    } else {
        Ok((0, Digest::of_bytes(b""))) // replaced below by what is stored
    };
    drain(&mut stored)?;
    let (bytes, digest) = hashing.finish();
    let unpacked = if compressed { unpacked } else { Ok((bytes, digest)) };
    Ok(Blob { stored: digest, unpacked: unpacked.map_err(Fault::from), document: None })
}

fn buffered(reader: &mut dyn Read) -> BufReader<&mut dyn Read> {
    BufReader::with_capacity(64 * 1024, reader)
}

fn gunzip(stored: &mut dyn BufRead) -> MultiGzDecoder<&mut dyn BufRead> {
    MultiGzDecoder::new(stored)
}

fn unpack(decoder: &mut dyn Read, left: &DecompressionAllowance) -> io::Result<(u64, Digest)> {
    let mut bounded = Bounded { reader: decoder, left };
    let mut unpacked = Hashing::new(&mut bounded);
    drain(&mut unpacked)?;
    Ok(unpacked.finish())
}

#[cfg(feature = "zstd")]
fn unzstd(stored: impl BufRead) -> io::Result<impl Read> {
    zstd::Decoder::with_buffer(stored)
}

#[cfg(not(feature = "zstd"))]
fn unzstd(_stored: impl BufRead) -> io::Result<io::Empty> {
    let why = "it is compressed with zstd; turn on the cargo feature `zstd` of perf-budget";
    Err(io::Error::new(io::ErrorKind::Unsupported, why))
}

/// The bytes of an image that may still be decompressed, and the time until when.
struct DecompressionAllowance {
    bytes: Cell<u64>,
    deadline: Deadline,
}

/// A reader that fails when an image decompresses to more bytes than any image has, or for too long.
struct Bounded<'a> {
    reader: &'a mut dyn Read,
    left: &'a DecompressionAllowance,
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.left.deadline.check()?;
        let read = self.reader.read(buffer)?;
        let left = self.left.bytes.get().checked_sub(read as u64);
        self.left
            .bytes
            .set(left.ok_or_else(|| io::Error::other("it unpacks to more than 100 GB"))?);
        Ok(read)
    }
}

/// Returns the path `to`, which starts from `from`, without `.` and `..`. It never leaves the root of the image.
fn resolve(from: &str, to: &str) -> String {
    let mut path: Vec<&str> = vec![];
    for part in from.split('/').chain(to.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(path.pop()),
            part => path.push(part),
        }
    }
    path.join("/")
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::time::Duration;

    use perf_budget_core::outcome::Cause;

    use super::*;

    fn gzipped(bytes: usize) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
        encoder.write_all(&vec![0; bytes]).unwrap();
        encoder.finish().unwrap()
    }

    fn left(bytes: u64, time: Duration) -> DecompressionAllowance {
        DecompressionAllowance { bytes: Cell::new(bytes), deadline: Deadline::after(time) }
    }

    #[test]
    fn what_decompresses_for_too_long_is_given_up() {
        let part = gzipped(600);
        let fault =
            blob(&mut &part[..], &left(1000, Duration::ZERO)).unwrap().unpacked.unwrap_err();
        assert_eq!(fault.cause, Cause::TimedOut);
    }

    #[test]
    fn decompressed_bytes_have_one_limit_for_all_parts() {
        let (part, left) = (gzipped(600), left(1000, Duration::MAX));
        assert_eq!(blob(&mut &part[..], &left).unwrap().unpacked.unwrap().0, 600);
        let fault = blob(&mut &part[..], &left).unwrap().unpacked.unwrap_err();
        assert!(fault.why.contains("100 GB"), "{}", fault.why);
        assert_eq!(left.bytes.get(), 400);
    }

    #[test]
    fn a_damaged_part_still_has_its_stored_digest() {
        let mut part = gzipped(600);
        let last = part.len() - 8; // the checksum
        part[last] ^= 1;
        let blob = blob(&mut &part[..], &left(1000, Duration::MAX)).unwrap();
        assert!(blob.unpacked.is_err());
        assert_eq!(blob.stored, Digest::of_bytes(&part));
    }

    #[test]
    fn links_never_lead_out_of_the_image() {
        #[track_caller]
        fn check(from: &str, to: &str, want: &str) {
            assert_eq!(resolve(from, to), want);
        }
        check("a", "../b/layer.tar", "b/layer.tar");
        check("", "./b/layer.tar", "b/layer.tar");
        check("a/b", "../../../../etc/passwd", "etc/passwd");
        check("", "/etc/passwd", "etc/passwd");
        check("a", "..", "");
    }

    #[test]
    fn links_that_lead_to_each_other_lead_nowhere() {
        let mut contents = Contents::default();
        contents.insert("a".to_owned(), Part::Link("b".to_owned())).unwrap();
        contents.insert("b".to_owned(), Part::Link("a".to_owned())).unwrap();
        assert!(contents.blob("a").is_none());
    }
}
