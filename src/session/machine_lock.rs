//! The lock of the machine: two statistical measurements never run at once, in this process or in any other.
//!
//! It is a file lock, because under nextest every test is its own process. A statistical measurement holds the lock
//! exclusively, and deterministic ones share it. It is taken for one process run at a time, so that budgets are
//! interleaved. The lock belongs to the machine and not to the project, since two projects that are tested at the same
//! time disturb each other just as much.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use perf_budget_core::error::Error;

/// The lock of the machine.
pub(crate) struct MachineLock {
    path: PathBuf,
}

/// The lock while it is held. It is released when this is dropped.
pub(crate) struct Held {
    _file: File,
}

/// The file's name in the system's directory for temporary files.
const NAME: &str = "perf-budget.lock";

impl MachineLock {
    /// Returns the lock of the machine. If its file cannot be opened, because another user has created it, returns a
    /// lock in the directory `fallback`.
    ///
    /// # Errors
    /// If neither file can be opened.
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

    /// Waits until nothing else is measured, and takes the lock exclusively.
    pub(crate) fn exclusive(&self) -> io::Result<Held> {
        let file = open(&self.path)?;
        file.lock()?;
        Ok(Held { _file: file })
    }

    /// Waits until no statistical measurement runs, and takes the lock together with other deterministic measurements.
    pub(crate) fn shared(&self) -> io::Result<Held> {
        let file = open(&self.path)?;
        file.lock_shared()?;
        Ok(Held { _file: file })
    }
}

fn open(path: &Path) -> io::Result<File> {
    // An existing file is opened without creating it, since the kernel refuses to open another user's file in a sticky
    // directory with the flag to create it.
    OpenOptions::new().read(true).write(true).open(path).or_else(|_| {
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_is_held_exclusively_or_shared() {
        let dir =
            std::env::temp_dir().join(format!("perf-budget-machine-lock-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let lock = MachineLock { path: dir.join(NAME) };
        let exclusive = lock.exclusive().unwrap();
        assert!(open(&lock.path).unwrap().try_lock_shared().is_err());
        drop(exclusive);
        let shared = lock.shared().unwrap();
        assert!(open(&lock.path).unwrap().try_lock_shared().is_ok());
        assert!(open(&lock.path).unwrap().try_lock().is_err());
        drop(shared);
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
