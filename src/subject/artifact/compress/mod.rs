//! The encoders: they tell how many bytes a file has after gzip, brotli or zstd at its highest usual level.
//!
//! The compressed bytes are only counted. Files are streamed, so that the memory depends on the encoder's window and
//! not on the length of the file. The sizes are close to those of the reference programs:
//!
//! - zstd is the reference library itself.
//! - brotli was within 0.2 % of the reference. For files above 4 MB the reference program widens its window, and its
//!   result is up to 1 % smaller. Web servers do not do that.
//! - gzip was within 1 % of GNU gzip on text, scripts and WebAssembly, 1.2 % on a lock file, and up to 3 %
//!   larger on machine code, where zlib itself is up to 1.2 % larger. Each encoder of deflate chooses its blocks in its
//!   own way, but the size is the same on every machine.

#[cfg(any(not(feature = "brotli"), not(feature = "zstd")))]
mod absent;
#[cfg(feature = "brotli")]
mod brotli;
mod chunk;
mod gzip;
#[cfg(feature = "zstd")]
mod zstd;

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read};

use perf_budget_core::metric::{Key, Metric};
use perf_budget_core::outcome::{Cause, Unmeasured};

#[cfg(not(feature = "brotli"))]
use self::absent as brotli;
#[cfg(not(feature = "zstd"))]
use self::absent as zstd;
use super::cache::Cache;
use super::content::Hashing;
use super::deadline::Timed;
use super::files::FileEntry;

/// An encoder at a fixed level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoder {
    /// Gzip at level 9, with a header that has no file name and no time.
    Gzip,
    /// Brotli at quality 11 and with a window of 22 bits, which is the reference's default and what web servers use.
    Brotli,
    /// Zstd at level 19, with the content's size and checksum, as the reference program writes them.
    Zstd,
}

impl Encoder {
    /// Returns the encoder whose sizes a metric measures, if it measures compressed sizes.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "only the metrics that are read here are named"
    )]
    pub(super) fn for_metric(metric: &Metric) -> Option<Encoder> {
        match metric.key() {
            Key::Gzip => Some(Encoder::Gzip),
            Key::Brotli => Some(Encoder::Brotli),
            Key::Zstd => Some(Encoder::Zstd),
            _ => None,
        }
    }

    /// Returns the compressed size of `file`, from `cache` if it is known.
    pub(super) fn size(self, file: &FileEntry, cache: &Cache) -> Result<u64, Unmeasured> {
        let identity = self.identity().ok_or_else(|| self.absent(file))?;
        let digest = file.digest()?;
        let key = format!("{identity}-{digest}");
        if let Some(bytes) = cache.get(&key) {
            return Ok(bytes);
        }
        let mut source = File::open(&file.path).map_err(|e| file.failed("open", &e))?;
        let mut source = Timed { reader: &mut source, deadline: file.deadline };
        let mut source = Hashing::new(&mut source);
        let bytes =
            self.encode(&mut source, file.bytes).map_err(|e| file.failed("compress", &e))?;
        if source.finish() != (file.bytes, digest) {
            return Err(file.changed());
        }
        cache.put(&key, bytes);
        Ok(bytes)
    }

    /// Returns the level and the implementation, for the keys of the cache. `None` if this build lacks the encoder.
    ///
    /// A crate cannot ask for the version of another one. But two versions of a crate may be linked
    /// into one program, so the compiler must give their types different ids. The id of an encoder's
    /// type therefore changes with the encoder's version. It also changes with the compiler and the profile, which does
    /// no harm.
    fn identity(self) -> Option<String> {
        let (name, implementation) = match self {
            Encoder::Gzip => ("gzip-9", Some(gzip::implementation())),
            Encoder::Brotli => ("brotli-11-22", brotli::implementation()),
            Encoder::Zstd => ("zstd-19", zstd::implementation()),
        };
        let mut hasher = DefaultHasher::new();
        (env!("CARGO_PKG_VERSION"), implementation?).hash(&mut hasher);
        Some(format!("{name}-{:016x}", hasher.finish()))
    }

    /// Returns the compressed size of `source`. `bytes` is the expected length of `source`, as a hint for the encoder.
    fn encode(self, source: &mut dyn Read, bytes: u64) -> io::Result<u64> {
        match self {
            Encoder::Gzip => gzip::size(source),
            Encoder::Brotli => brotli::size(source, bytes),
            Encoder::Zstd => zstd::size(source, bytes),
        }
    }

    /// Makes the reason that this build lacks the encoder. Every build has gzip.
    fn absent(self, file: &FileEntry) -> Unmeasured {
        let feature = if self == Encoder::Brotli { "brotli" } else { "zstd" };
        let text = format!(
            "failed to compress `{}` with {feature}: this build has no {feature}; turn on the cargo feature \
             `{feature}` of perf-budget",
            file.shown
        );
        Unmeasured::new(Cause::Unsupported, text)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::chunk::CHUNK;
    use super::*;
    use crate::subject::artifact::deadline::Deadline;
    use crate::subject::artifact::files;

    /// Returns text from a linear congruential generator. It is compressible, and the same every time.
    fn text(words: usize) -> Vec<u8> {
        let mut state: u64 = 1;
        let mut text = String::new();
        for _ in 0..words {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            text.push_str(
                ["limit ", "metric ", "subject ", "sample\n", "budget "]
                    [(state >> 33) as usize % 5],
            );
        }
        text.into_bytes()
    }

    #[track_caller]
    fn check(encoder: Encoder, content: &[u8], decode: impl Fn(&[u8]) -> u64) {
        let bytes = encoder.encode(&mut &content[..], content.len() as u64).unwrap();
        let again = encoder.encode(&mut SlowReader(content), content.len() as u64).unwrap();
        assert_eq!(bytes, again, "the size must not depend on how the file is read");
        assert_eq!(bytes, decode(content));
    }

    /// A reader that gives a few bytes at a time, as a slow disk may.
    struct SlowReader<'a>(&'a [u8]);

    impl Read for SlowReader<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let few = buffer.len().min(4093);
            self.0.read(&mut buffer[..few])
        }
    }

    #[test]
    fn gzip_has_the_size_that_its_backend_gives_for_the_whole_file() {
        for content in [&b"x"[..], &text(10), &text(100_000), &vec![0; 300_000]] {
            check(Encoder::Gzip, content, |c| {
                miniz_oxide::deflate::compress_to_vec(c, 9).len() as u64 + 18
            });
        }
    }

    #[test]
    fn brotli_streams_decode_to_what_went_in() {
        let noise = |n: u64| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u8;
        // This is read in more than two pieces.
        let noise: Vec<u8> = (0..2 * CHUNK as u64 + 1_000).map(noise).collect();
        for content in [&b""[..], b"x", &text(3_000), &noise] {
            check(Encoder::Brotli, content, |c| {
                let mut out = Vec::new();
                brotli::encode(&mut &c[..], c.len() as u64, &mut |part| out.extend(part)).unwrap();
                let mut back = Vec::new();
                ::brotli::BrotliDecompress(&mut &out[..], &mut back).unwrap();
                assert_eq!(back, c);
                out.len() as u64
            });
        }
    }

    #[cfg(feature = "zstd")]
    #[test]
    fn zstd_adds_a_checksum() {
        // The size of the content is known either way; the checksum is four bytes.
        check(Encoder::Zstd, &text(3_000), |c| {
            ::zstd::bulk::compress(c, 19).unwrap().len() as u64 + 4
        });
    }

    #[test]
    fn a_file_that_changes_while_it_is_read_is_an_error() {
        let dir = std::env::temp_dir().join(format!("perf-budget-changing-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let cache = Cache::in_directory(&dir.join("cache"), None);
        for later in [&b"after"[..], b"afterwards"] {
            std::fs::write(dir.join("file"), "first").unwrap();
            let deadline = Deadline::after(Duration::MAX);
            let artifact = files::find(&["file".to_owned()], &dir, deadline).unwrap();
            let file = &artifact.files[0];
            file.digest().unwrap();
            std::fs::write(dir.join("file"), later).unwrap();
            let why = Encoder::Gzip.size(file, &cache).unwrap_err();
            assert!(why.text.contains("`file`: it changed while it was read"), "{why}");
        }
        assert!(!dir.join("cache").exists(), "no size is kept");
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn every_encoder_has_an_identity_of_its_own() {
        let known: Vec<_> = [Encoder::Gzip, Encoder::Brotli, Encoder::Zstd]
            .into_iter()
            .filter_map(Encoder::identity)
            .collect();
        assert_eq!(known.len(), 2 + usize::from(cfg!(feature = "zstd")));
        let hashes: std::collections::BTreeSet<_> =
            known.iter().map(|k| k.rsplit('-').next()).collect();
        assert_eq!(hashes.len(), known.len());
        assert_eq!(Encoder::Gzip.identity(), Encoder::Gzip.identity());
    }
}
