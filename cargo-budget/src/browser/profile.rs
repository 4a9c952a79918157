//! The folder in which a browser keeps its profile: new for each page, so that nothing is in its cache, and removed
//! afterwards.
//!
//! A process that is killed removes nothing. So the folder has a file that is locked for as long as the process lives,
//! and the next one removes each folder whose lock is free.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const PREFIX: &str = "perf-budget-page.";
const LOCK: &str = "in-use";

/// A new profile. Dropping it removes it.
#[derive(Debug)]
pub(super) struct Profile {
    path: PathBuf,
    _lock: File,
}

impl Profile {
    /// Makes a profile in this directory, and removes those that killed processes left there.
    pub(super) fn new(directory: &Path) -> io::Result<Profile> {
        sweep(directory);
        let own = fs::Permissions::from_mode(0o700);
        let made =
            tempfile::Builder::new().prefix(PREFIX).permissions(own).tempdir_in(directory)?;
        // The profile gets its name only once it is locked, so that no other process takes it for one that was left
        // behind.
        let (early, whole) = (made.path().join("new"), made.path().join(LOCK));
        let lock = File::create(&early)?;
        lock.try_lock().map_err(io::Error::from)?;
        fs::rename(&early, whole)?;
        Ok(Profile { path: made.keep(), _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Profile {
    fn drop(&mut self) {
        // A process of the browser that is about to end may still write a file.
        let until = Instant::now() + Duration::from_secs(2);
        while fs::remove_dir_all(&self.path).is_err() && Instant::now() < until {
            if !self.path.exists() {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Removes the profiles whose processes have ended. A profile that cannot be removed stays.
fn sweep(directory: &Path) {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let ours = entries.filter(|entry| {
        let name = entry.file_name();
        name.to_string_lossy().starts_with(PREFIX)
            && entry.file_type().is_ok_and(|kind| kind.is_dir())
    });
    for entry in ours {
        let lock = entry.path().join(LOCK);
        // If the lock were a pipe, opening it would block.
        if !lock.symlink_metadata().is_ok_and(|data| data.is_file()) {
            continue;
        }
        let Ok(file) = File::open(&lock) else { continue };
        if file.try_lock().is_ok() {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory() -> tempfile::TempDir {
        tempfile::Builder::new().prefix("perf-budget-profiles.").tempdir().unwrap()
    }

    #[test]
    fn a_profile_is_removed_when_it_is_dropped_and_not_before() {
        let directory = directory();
        let [one, two] = [(); 2].map(|()| Profile::new(directory.path()).unwrap());
        fs::create_dir(one.path().join("Default")).unwrap();
        fs::write(one.path().join("Default/Cache"), "x").unwrap();
        let paths = [one.path().to_owned(), two.path().to_owned()];
        assert!(paths[0] != paths[1] && paths.iter().all(|path| path.is_dir()));
        drop(one);
        assert!(!paths[0].exists() && paths[1].exists());
    }

    #[test]
    fn a_profile_that_a_killed_process_left_is_removed_by_the_next_one() {
        let directory = directory();
        let at = |name: &str| directory.path().join(name);
        for name in ["perf-budget-page.left", "perf-budget-page.new", "other"] {
            fs::create_dir(at(name)).unwrap();
        }
        for name in ["perf-budget-page.left", "other"] {
            fs::write(at(name).join(LOCK), "").unwrap();
        }
        std::os::unix::fs::symlink(at("other"), at("perf-budget-page.link")).unwrap();
        let profile = Profile::new(directory.path()).unwrap();
        assert!(!at("perf-budget-page.left").exists());
        assert!(at("perf-budget-page.new").exists() && at("other").join(LOCK).exists());
        assert!(at("perf-budget-page.link").symlink_metadata().is_ok() && profile.path().is_dir());
    }

    #[test]
    fn nobody_else_may_look_into_a_profile() {
        let directory = directory();
        let profile = Profile::new(directory.path()).unwrap();
        assert_eq!(profile.path().metadata().unwrap().permissions().mode() & 0o77, 0);
    }
}
