//! The cache of compressed sizes, which is kept between runs because the highest levels take seconds for a megabyte.
//!
//! An entry is one small file. It is written under another name and then renamed, so that a process that measures at
//! the same time never reads half an entry. A file that is not exactly an entry is ignored, and so is one without this
//! user's seal: it may have come from elsewhere, or been edited. Each build that changes
//! leaves its old sizes behind, so a process that adds an entry first removes those that were not used for long.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Once, OnceLock};
use std::time::{Duration, SystemTime};

use perf_budget_core::atomic;

use crate::seal::Seal;

/// The most bytes that are read of an entry. An entry is about 300 bytes long.
const LONGEST: u64 = 1024;

/// An entry that was not used for this long is removed. Releases are compared more often than that.
const STALE: Duration = Duration::from_secs(90 * 24 * 3600);
/// The precision of the time of an entry's last use. It is not updated more often, so that reading rarely writes.
const USE: Duration = Duration::from_secs(24 * 3600);

/// The cache in one directory.
pub(super) struct Cache {
    dir: PathBuf,
    /// The seal of the entries. Without it nothing is kept.
    seal: Option<Seal>,
    /// The first reason why an entry could not be written.
    trouble: OnceLock<String>,
    /// Done when stale entries have been removed.
    cleaned: Once,
}

impl Cache {
    /// Returns the cache in a directory. The directory is created when the first entry is written.
    pub(super) fn in_directory(dir: &Path, seal: Option<Seal>) -> Cache {
        Cache { dir: dir.to_owned(), seal, trouble: OnceLock::new(), cleaned: Once::new() }
    }

    /// Returns the size that is kept under `key`.
    pub(super) fn get(&self, key: &str) -> Option<u64> {
        let seal = self.seal?;
        let mut text = String::new();
        let file = File::open(self.dir.join(key)).ok()?;
        (&file).take(LONGEST).read_to_string(&mut text).ok()?;
        let bytes = text.lines().nth(1)?.parse().ok()?;
        let found = (text == entry(key, bytes, seal)).then_some(bytes);
        if found.is_some() && unused(file.metadata(), SystemTime::now()) > USE {
            // If the time cannot be set, the entry is removed some day and the size is measured again.
            let _ = file.set_modified(SystemTime::now());
        }
        found
    }

    /// Keeps `bytes` under `key`, which must be a valid file name.
    pub(super) fn put(&self, key: &str, bytes: u64) {
        self.cleaned.call_once(|| self.remove_stale(SystemTime::now()));
        if let Err(cause) = self.write(key, bytes) {
            let _ = self.trouble.set(format!(
                "compressed sizes could not be kept in `{}`: {cause}; they are measured anew each time",
                self.dir.display()
            ));
        }
    }

    /// Returns the reason why entries could not be written, if there is one.
    pub(super) fn trouble(&self) -> Option<String> {
        self.trouble.get().cloned()
    }

    /// Removes entries that were not used for long, and files that a process left half written when it ended early.
    /// Several processes may do this at the same time: a file that is gone already is ignored, and a process that is
    /// reading a removed entry still has it open.
    fn remove_stale(&self, now: SystemTime) {
        let Ok(entries) = fs::read_dir(&self.dir) else { return };
        for entry in entries.flatten() {
            if unused(entry.metadata(), now) > STALE {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    fn write(&self, key: &str, bytes: u64) -> io::Result<()> {
        let seal = self.seal.ok_or_else(|| {
            io::Error::other(
                "there is no directory for the user's key; PERF_BUDGET_CACHE names one",
            )
        })?;
        atomic::write(&self.dir.join(key), entry(key, bytes, seal).as_bytes()).or_else(|cause| {
            // Windows cannot replace a file that another process has open or is replacing. It is enough that the entry
            // is there.
            if self.get(key) == Some(bytes) { Ok(()) } else { Err(cause) }
        })
    }
}

/// Returns how long ago an entry was last used or written. Zero if that time is in the future or unknown.
fn unused(data: io::Result<Metadata>, now: SystemTime) -> Duration {
    let last = data.and_then(|data| data.modified()).ok();
    last.and_then(|last| now.duration_since(last).ok()).unwrap_or_default()
}

/// Returns the content of an entry. Its last line is the seal of the first two, so that a damaged entry is recognized
/// too.
fn entry(key: &str, bytes: u64, seal: Seal) -> String {
    let body = format!("{key}\n{bytes}\n");
    let seal = seal.sign("compressed", body.as_bytes());
    format!("{body}{seal}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh(name: &str) -> PathBuf {
        let dir =
            std::env::temp_dir().join(format!("perf-budget-cache-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        dir
    }

    fn cache_in(dir: &Path) -> Cache {
        let keys = dir.with_extension("keys");
        Cache::in_directory(dir, Some(Seal::in_directory(&keys).unwrap()))
    }

    #[test]
    fn an_entry_of_another_user_is_ignored() {
        let dir = fresh("foreign");
        let own = cache_in(&dir);
        own.put("gzip-a", 7);
        let keys = dir.with_extension("other-keys");
        let other = Cache::in_directory(&dir, Some(Seal::in_directory(&keys).unwrap()));
        assert_eq!((own.get("gzip-a"), other.get("gzip-a")), (Some(7), None));
        // Without a key nothing is kept, and a note says so.
        let none = Cache::in_directory(&dir, None);
        none.put("gzip-b", 7);
        assert_eq!((none.get("gzip-a"), own.get("gzip-b")), (None, None));
        assert!(none.trouble().unwrap().contains("PERF_BUDGET_CACHE"));
        for left in [dir.with_extension("keys"), keys, dir] {
            fs::remove_dir_all(left).unwrap();
        }
    }

    #[test]
    fn a_damaged_entry_is_ignored() {
        let dir = fresh("corrupt");
        let cache = cache_in(&dir);
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
    fn a_cache_that_cannot_be_written_keeps_the_reason() {
        let dir = fresh("unwritable");
        fs::write(&dir, "a file where the directory should be").unwrap();
        let cache = cache_in(&dir);
        cache.put("gzip-a", 1);
        assert_eq!(cache.get("gzip-a"), None);
        let trouble = cache.trouble().unwrap();
        assert!(trouble.contains(&*dir.display().to_string()), "{trouble}");
        fs::remove_file(dir).unwrap();
    }

    #[test]
    fn entries_that_were_not_used_for_long_are_removed() {
        let dir = fresh("stale");
        let now = SystemTime::now();
        let day = Duration::from_secs(24 * 3600);
        let names = ["zstd-used", "gzip-fresh", "gzip-old", "gzip-future", ".4711-0"];
        cache_in(&dir).put(names[0], 1);
        for name in &names[1..] {
            cache_in(&dir).put(name, 2);
        }
        let age = |name: &str, last: SystemTime| {
            File::options().write(true).open(dir.join(name)).unwrap().set_modified(last).unwrap();
        };
        age("zstd-used", now - 91 * day);
        age("gzip-fresh", now - 89 * day);
        age("gzip-old", now - 91 * day);
        age("gzip-future", now + 91 * day);
        age(".4711-0", now - 91 * day);
        // Reading an entry renews the time of its last use.
        assert_eq!(cache_in(&dir).get("zstd-used"), Some(1));
        let cache = cache_in(&dir);
        let left = || names.map(|name| dir.join(name).exists());
        assert_eq!(left(), [true; 5], "reading removes nothing");
        cache.put("brotli-new", 3);
        assert_eq!(left(), [true, true, false, true, false]);
        assert_eq!(cache.get("gzip-old"), None);
        // Half a year later the other entries are stale too. Only the one from the future is not.
        cache.remove_stale(now + 180 * day);
        assert_eq!(left(), [false, false, false, true, false]);
        assert!(!dir.join("brotli-new").exists());
        cache.put("gzip-old", 4);
        assert_eq!((cache.get("gzip-old"), cache.trouble()), (Some(4), None), "made anew");
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn processes_that_remove_stale_entries_do_not_disturb_each_other() {
        let dir = fresh("forget");
        fs::create_dir_all(&dir).unwrap();
        let old = SystemTime::now() - 2 * STALE;
        for nth in 0..200 {
            File::create(dir.join(format!("old-{nth}"))).unwrap().set_modified(old).unwrap();
        }
        std::thread::scope(|scope| {
            for nth in 0..8 {
                let dir = &dir;
                scope.spawn(move || {
                    // A cache of its own stands for a process: each removes stale entries before it writes its first.
                    for round in 0..5 {
                        let cache = cache_in(dir);
                        let key = format!("gzip-{nth}-{round}");
                        cache.put(&key, round);
                        assert_eq!((cache.get(&key), cache.trouble()), (Some(round), None));
                    }
                });
            }
        });
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 40);
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn many_writers_of_one_entry_leave_one_entry() {
        let dir = fresh("race");
        let cache = cache_in(&dir);
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
