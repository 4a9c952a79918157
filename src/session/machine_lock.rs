//! The lock of the machine: two statistical measurements never run at once, in this process or in any other.
//!
//! It is a file lock, because under nextest every test is its own process. A statistical measurement holds the lock
//! exclusively, and deterministic ones share it. It is taken for one process run at a time, so that budgets are
//! interleaved. The lock belongs to the machine and not to the project, since two projects that are tested at the same
//! time disturb each other just as much.
//!
//! A process that wants the lock first takes the lock of a second file, the queue, and holds it until it has the lock
//! itself. Without the queue, a process that releases the lock and wants it again at once would nearly always be faster
//! than a process that waits.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use perf_budget_core::error::Error;
use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::paths::DIRECTORY;
use perf_budget_core::quantity::{Quantity, Unit};

use super::machine::named_run_by;
use crate::os;
use crate::progress::Progress;

/// The time after which a wait is reported.
const SILENT: Duration = Duration::from_secs(4);
/// How often the report of a wait is renewed.
const RENEWED: Duration = Duration::from_secs(1);

/// The most time of a wait after one has run out.
const BRIEF: Duration = Duration::from_secs(1);

/// The lock of the machine.
pub(crate) struct MachineLock {
    path: PathBuf,
    /// The most time of one wait.
    patience: Duration,
    /// Whether a wait has run out. After that, no wait is longer than [`BRIEF`]: one long wait is enough for a run.
    ran_out: AtomicBool,
}

/// The lock while it is held. It is released when this is dropped.
pub(crate) struct MachineLockGuard {
    _file: File,
}

/// How the lock is held.
#[derive(Debug, Clone, Copy)]
enum Mode {
    Exclusive,
    Shared,
}

/// The file's name in the system's directory for temporary files.
const NAME: &str = "perf-budget.lock";

impl MachineLock {
    /// Returns the lock of the machine. If its file cannot be opened, because another user has created it, returns a
    /// lock in the directory `fallback`. A wait takes at most `patience`.
    ///
    /// # Errors
    /// If neither file can be opened.
    pub(crate) fn of_machine(fallback: &Path, patience: Duration) -> Result<MachineLock, Error> {
        MachineLock::in_either(&std::env::temp_dir(), fallback, patience)
    }

    /// Returns the lock in the directory `shared`, or else in `fallback`.
    fn in_either(shared: &Path, fallback: &Path, patience: Duration) -> Result<MachineLock, Error> {
        let lock_at = |path| MachineLock { path, patience, ran_out: AtomicBool::new(false) };
        let shared = shared.join(NAME);
        if open(&shared).is_ok() && open(&queue_of(&shared)).is_ok() {
            return Ok(lock_at(shared));
        }
        let own = fallback.join(NAME);
        match open(&own).and_then(|_| open(&queue_of(&own))) {
            Ok(_) => Ok(lock_at(own)),
            Err(e) => Err(Error::other(format!(
                "nothing was measured: the lock of the machine can be opened neither as `{}` nor as \
                 `{}`: {e}; make one of the two directories writable, or set {DIRECTORY} to a \
                 directory that can be written",
                shared.display(),
                own.display()
            ))),
        }
    }

    /// Waits until nothing else is measured, and takes the lock exclusively.
    ///
    /// # Errors
    /// If another process holds the lock for too long, or if its file cannot be locked.
    pub(crate) fn exclusive(&self, progress: &Progress) -> Result<MachineLockGuard, Unmeasured> {
        self.take(Mode::Exclusive, progress)
    }

    /// Waits until no statistical measurement runs, and takes the lock together with other deterministic measurements.
    ///
    /// # Errors
    /// If another process holds the lock for too long, or if its file cannot be locked.
    pub(crate) fn shared(&self, progress: &Progress) -> Result<MachineLockGuard, Unmeasured> {
        self.take(Mode::Shared, progress)
    }

    fn take(&self, mode: Mode, progress: &Progress) -> Result<MachineLockGuard, Unmeasured> {
        let (queue, file) = (open(&queue_of(&self.path)), open(&self.path));
        let (queue, file) = queue.and_then(|queue| Ok((queue, file?))).map_err(|e| failed(&e))?;
        let queued = queue.try_lock();
        let is_queued = queued.is_ok();
        match queued.and_then(|()| mode.try_lock(&file)) {
            Ok(()) => {
                self.ran_out.store(false, Ordering::Relaxed);
                return Ok(MachineLockGuard { _file: file });
            }
            Err(TryLockError::Error(e)) => return Err(failed(&e)),
            Err(TryLockError::WouldBlock) => {}
        }
        let (send, taken) = mpsc::channel();
        // The wait for a lock cannot be ended from outside, so a separate thread waits. If nobody wants the lock any
        // more when it is taken, the thread closes the files.
        let waits = std::thread::Builder::new().spawn(move || {
            let queued = if is_queued { Ok(()) } else { queue.lock() };
            let locked = queued.and_then(|()| mode.lock(&file));
            let _ = send.send(locked.map(|()| MachineLockGuard { _file: file }));
        });
        waits.map_err(|e| failed(&e))?;
        let ran_out = self.ran_out.load(Ordering::Relaxed);
        let patience = if ran_out { self.patience.min(BRIEF) } else { self.patience };
        let began = Instant::now();
        loop {
            let left = patience.saturating_sub(began.elapsed());
            let next = if began.elapsed() < SILENT { SILENT } else { RENEWED };
            match taken.recv_timeout(next.min(left)) {
                Ok(locked) => {
                    self.ran_out.store(false, Ordering::Relaxed);
                    return locked.map_err(|e| failed(&e));
                }
                Err(RecvTimeoutError::Timeout) if began.elapsed() < patience => {
                    progress.say(&format!(
                        "waiting for the lock of the machine, held by {}",
                        self.holder().0
                    ));
                }
                Err(_) => {
                    self.ran_out.store(true, Ordering::Relaxed);
                    return Err(self.held_too_long());
                }
            }
        }
    }

    /// Returns who holds the lock, as far as the system reports it, and the remedy. No process of this run is named, since a user
    /// who ended it would end the run that waits.
    fn holder(&self) -> (String, &'static str) {
        const OTHER: &str = "end that process, or allow a longer wait";
        let run = named_run_by();
        let run = run.as_ref().map(|(name, run)| (*name, run.as_str()));
        let holders = [&self.path, &queue_of(&self.path)]
            .into_iter()
            .map(|path| os::lock_holders(path, run))
            .find(|holders| holders.has_own || !holders.others.is_empty());
        match holders {
            None => ("a process that the system does not name".to_owned(), OTHER),
            Some(holders) if holders.others.is_empty() => {
                ("another measurement of this run".to_owned(), "allow a longer wait")
            }
            Some(holders) => (holders.others.join(" and "), OTHER),
        }
    }

    fn held_too_long(&self) -> Unmeasured {
        let waited = Quantity::new(self.patience.as_secs_f64(), Unit::Seconds);
        let (holder, remedy) = self.holder();
        let text = format!(
            "it was not measured: the lock of the machine was held for more than {waited} by {holder}, and only one process \
             measures at a time; {remedy} by `lock_timeout` in [settings]"
        );
        Unmeasured::new(Cause::MachineBusy, text)
    }
}

impl Mode {
    fn try_lock(self, file: &File) -> Result<(), TryLockError> {
        match self {
            Mode::Exclusive => file.try_lock(),
            Mode::Shared => file.try_lock_shared(),
        }
    }

    fn lock(self, file: &File) -> io::Result<()> {
        match self {
            Mode::Exclusive => file.lock(),
            Mode::Shared => file.lock_shared(),
        }
    }
}

fn queue_of(lock: &Path) -> PathBuf {
    lock.with_extension("queue")
}

fn failed(cause: &io::Error) -> Unmeasured {
    let text = format!("failed to take the lock of the machine: {cause}");
    Unmeasured::new(Cause::Harness, text)
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

    fn lock(name: &str, patience: Duration) -> (PathBuf, MachineLock) {
        let dir = std::env::temp_dir()
            .join(format!("perf-budget-machine-lock-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let lock = MachineLock { path: dir.join(NAME), patience, ran_out: AtomicBool::new(false) };
        (dir, lock)
    }

    #[test]
    fn the_lock_is_held_exclusively_or_shared() {
        let (dir, lock) = lock("modes", Duration::from_secs(600));
        let progress = Progress::new();
        let exclusive = lock.exclusive(&progress).unwrap();
        assert!(open(&lock.path).unwrap().try_lock_shared().is_err());
        drop(exclusive);
        let shared = lock.shared(&progress).unwrap();
        assert!(open(&lock.path).unwrap().try_lock_shared().is_ok());
        assert!(open(&lock.path).unwrap().try_lock().is_err());
        drop(shared);
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn a_wait_that_runs_out_names_the_holder_and_later_ones_are_short() {
        let (dir, lock) = lock("wait", Duration::from_millis(20));
        let progress = Progress::new();
        let held = lock.exclusive(&progress).unwrap();
        let why = lock.shared(&progress).err().unwrap();
        assert_eq!(why.cause, Cause::MachineBusy);
        assert!(why.text.contains("held for more than 20 ms by "), "{why}");
        assert!(!why.text.contains(&format!("process {}", std::process::id())), "{why}");
        #[cfg(target_os = "linux")]
        assert!(why.text.contains("by another measurement of this run, and only one"), "{why}");
        #[cfg(target_os = "linux")]
        assert!(why.text.contains("; allow a longer wait by `lock_timeout`"), "{why}");
        // The second wait would take a minute.
        let lock = MachineLock { patience: Duration::from_secs(60), ..lock };
        let began = Instant::now();
        assert_eq!(lock.exclusive(&progress).err().unwrap().cause, Cause::MachineBusy);
        assert!(began.elapsed() < Duration::from_secs(30));
        drop(held);
        assert!(lock.exclusive(&progress).is_ok(), "the lock is free again");
        // The thread of the wait that was given up may still have the file open, and Windows removes no such file.
        let _ = std::fs::remove_dir_all(&dir);
    }

    #[test]
    fn a_process_that_waits_comes_before_one_that_asks_again() {
        let (dir, lock) = lock("queue", Duration::from_secs(600));
        let progress = Progress::new();
        let held = lock.exclusive(&progress).unwrap();
        let (lock, progress) = (&lock, &progress);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| lock.exclusive(progress).map(|_held| Instant::now()).ok());
            // The waiting thread holds the queue as soon as it waits.
            while open(&queue_of(&lock.path)).unwrap().try_lock().is_ok() {
                std::thread::yield_now();
            }
            drop(held);
            let _again = lock.exclusive(progress).unwrap();
            let again = Instant::now();
            assert!(waiting.join().unwrap().unwrap() <= again);
        });
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn a_lock_that_opens_nowhere_says_both_places_and_the_remedy() {
        let missing =
            std::env::temp_dir().join(format!("perf-budget-missing-{}", std::process::id()));
        let (shared, own) = (missing.join("shared"), missing.join("own"));
        let error =
            MachineLock::in_either(&shared, &own, Duration::ZERO).err().unwrap().to_string();
        for text in [shared.join(NAME), own.join(NAME)] {
            assert!(error.contains(&format!("`{}`", text.display())), "{error}");
        }
        assert!(
            error.contains("set PERF_BUDGET_DIR to a directory that can be written"),
            "{error}"
        );
    }
}
