//! The lock of the machine: never two statistical measurements at once, in this process or any other.
//!
//! A file lock, because under nextest every test is its own process: statistical measurements hold it alone,
//! deterministic ones share it. It is taken for one process at a time, so that budgets interleave. The lock is
//! the machine's, not the project's: two projects tested at once disturb each other just as much.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use perf_budget_core::error::Error;

/// The lock that measurements take turns by.
pub(crate) struct MachineLock {
    path: PathBuf,
}

/// A turn, given back when dropped.
pub(crate) struct Held {
    _file: File,
}

/// The file's name in the system's directory for temporary files.
const NAME: &str = "perf-budget.lock";

impl MachineLock {
    /// The machine's lock, or one in `fallback` where that cannot be had (another user made it).
    ///
    /// # Errors
    /// Where neither file can be opened.
    pub(crate) fn of_machine(fallback: &Path) -> Result<MachineLock, Error> {
        let shared = std::env::temp_dir().join(NAME);
        if open(&shared).is_ok() {
            return Ok(MachineLock { path: shared });
        }
        let own = fallback.join(NAME);
        match open(&own) {
            Ok(_) => Ok(MachineLock { path: own }),
            Err(e) => Err(Error::io("open the lock", &own, e)),
        }
    }

    /// Waits to measure alone.
    pub(crate) fn alone(&self) -> io::Result<Held> {
        let file = open(&self.path)?;
        file.lock()?;
        Ok(Held { _file: file })
    }

    /// Waits to measure beside others that do not mind.
    pub(crate) fn shared(&self) -> io::Result<Held> {
        let file = open(&self.path)?;
        file.lock_shared()?;
        Ok(Held { _file: file })
    }
}

fn open(path: &Path) -> io::Result<File> {
    // An existing file first: creating over another user's file in a sticky directory is refused.
    OpenOptions::new().read(true).write(true).open(path).or_else(|_| {
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_alone_or_many_beside() {
        let dir = std::env::temp_dir().join(format!("perf-budget-turns-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let lock = MachineLock { path: dir.join(NAME) };
        let alone = lock.alone().unwrap();
        assert!(open(&lock.path).unwrap().try_lock_shared().is_err());
        drop(alone);
        let beside = lock.shared().unwrap();
        assert!(open(&lock.path).unwrap().try_lock_shared().is_ok());
        assert!(open(&lock.path).unwrap().try_lock().is_err());
        drop(beside);
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
