//! Compressed sizes kept between runs: the highest levels take seconds for a megabyte.
//!
//! An entry is one small file, written beside its place and then renamed, so that processes that
//! measure at the same time never read half of one. What is not exactly an entry of ours is no entry.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::content::Digest;

/// An entry is some 300 bytes long; what is longer is none.
const LONGEST: u64 = 1024;

/// A directory of entries.
pub(super) struct Cache {
    dir: PathBuf,
    trouble: OnceLock<String>,
}

impl Cache {
    /// Nothing is created before the first entry is written.
    pub(super) fn at(dir: &Path) -> Cache {
        Cache { dir: dir.to_owned(), trouble: OnceLock::new() }
    }

    /// The size that was kept under `key`.
    pub(super) fn get(&self, key: &str) -> Option<u64> {
        let mut text = String::new();
        let file = File::open(self.dir.join(key)).ok()?;
        file.take(LONGEST).read_to_string(&mut text).ok()?;
        let bytes = text.lines().nth(1)?.parse().ok()?;
        (text == entry(key, bytes)).then_some(bytes)
    }

    /// Keeps `bytes` under `key`, which must do as a file name.
    pub(super) fn put(&self, key: &str, bytes: u64) {
        if let Err(cause) = self.write(key, bytes) {
            let _ = self.trouble.set(format!(
                "compressed sizes could not be kept in `{}`: {cause}; they are measured anew each time",
                self.dir.display()
            ));
        }
    }

    /// Why entries could not be written, where they could not.
    pub(super) fn trouble(&self) -> Option<String> {
        self.trouble.get().cloned()
    }

    fn write(&self, key: &str, bytes: u64) -> io::Result<()> {
        static WRITTEN: AtomicU64 = AtomicU64::new(0);
        let nth = WRITTEN.fetch_add(1, Ordering::Relaxed);
        let beside = self.dir.join(format!(".{}-{nth}", process::id()));
        fs::create_dir_all(&self.dir)?;
        fs::write(&beside, entry(key, bytes))?;
        fs::rename(&beside, self.dir.join(key)).inspect_err(|_| {
            let _ = fs::remove_file(&beside);
        })
    }
}

/// The last line answers for the first two: a flipped bit must not become a size.
fn entry(key: &str, bytes: u64) -> String {
    let body = format!("{key}\n{bytes}\n");
    let digest = Digest::of(body.as_bytes());
    format!("{body}{digest}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("perf-budget-cache-{name}-{}", process::id()));
        let _ = fs::remove_dir_all(&dir);
        dir
    }

    #[test]
    fn an_entry_that_is_not_exactly_ours_is_none() {
        let dir = fresh("corrupt");
        let cache = Cache::at(&dir);
        assert_eq!(cache.get("gzip-a"), None);
        cache.put("gzip-a", 794_188);
        assert_eq!(cache.get("gzip-a"), Some(794_188));
        let whole = fs::read(dir.join("gzip-a")).unwrap();
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            fs::write(dir.join("gzip-a"), &flipped).unwrap();
            assert_eq!(cache.get("gzip-a"), None, "byte {at} flipped");
            fs::write(dir.join("gzip-a"), &whole[..at]).unwrap();
            assert_eq!(cache.get("gzip-a"), None, "cut at {at}");
        }
        fs::write(dir.join("gzip-b"), &whole).unwrap();
        assert_eq!(cache.get("gzip-b"), None, "another entry under this name");
        fs::write(dir.join("gzip-a"), [whole, b"more".to_vec()].concat()).unwrap();
        assert_eq!(cache.get("gzip-a"), None, "something behind it");
        cache.put("gzip-a", 5);
        assert_eq!((cache.get("gzip-a"), cache.trouble()), (Some(5), None), "remade");
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_cache_that_cannot_be_written_says_so() {
        let dir = fresh("unwritable");
        fs::write(&dir, "a file where the directory should be").unwrap();
        let cache = Cache::at(&dir);
        cache.put("gzip-a", 1);
        assert_eq!(cache.get("gzip-a"), None);
        let trouble = cache.trouble().unwrap();
        assert!(trouble.contains(&*dir.display().to_string()), "{trouble}");
        fs::remove_file(dir).unwrap();
    }

    #[test]
    fn many_writers_of_one_entry_leave_one_entry() {
        let dir = fresh("race");
        let cache = Cache::at(&dir);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        cache.put("zstd-a", 7);
                        assert_eq!(cache.get("zstd-a"), Some(7));
                    }
                });
            }
        });
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
        assert_eq!(cache.trouble(), None);
        fs::remove_dir_all(dir).unwrap();
    }
}
