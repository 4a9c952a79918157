//! What earlier runs have left and nothing reads any more: evidence that is too old, and the files of processes that were
//! killed.

use std::path::Path;
use std::time::{Duration, SystemTime};

use super::carried::{EVIDENCE, FRESH};
use super::state::Session;

/// The age of a scratch file that no process uses any more: no measurement takes that long.
const ABANDONED: Duration = Duration::from_secs(7 * 24 * 60 * 60);

impl Session {
    /// Removes what earlier runs have left. What cannot be removed does no harm.
    pub(crate) fn remove_leftovers(&self) {
        remove_older(&self.results.join(EVIDENCE), FRESH);
        remove_older(&self.results.join("scratch"), ABANDONED);
    }
}

fn remove_older(directory: &Path, age: Duration) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let Ok(data) = entry.metadata() else { continue };
        let is_old = |at| SystemTime::now().duration_since(at).is_ok_and(|passed| passed > age);
        if !data.modified().is_ok_and(is_old) {
            continue;
        }
        // Another process may remove the same file at this moment.
        let _ = if data.is_dir() {
            std::fs::remove_dir_all(entry.path())
        } else {
            std::fs::remove_file(entry.path())
        };
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::{self, File};

    use super::*;

    /// The module is for Unix alone, as only there can a directory be opened as a file, to give it another age.
    #[test]
    fn only_what_is_old_is_removed() {
        let dir =
            std::env::temp_dir().join(format!("perf-budget-leftovers-{}", std::process::id()));
        fs::create_dir_all(dir.join("directory")).unwrap();
        for name in ["new", "old", "directory"] {
            if name != "directory" {
                fs::write(dir.join(name), name).unwrap();
            }
            let age = Duration::from_secs(if name == "new" { 10 } else { 1000 });
            File::open(dir.join(name)).unwrap().set_modified(SystemTime::now() - age).unwrap();
        }
        remove_older(&dir, Duration::from_secs(100));
        let left: Vec<_> = fs::read_dir(&dir).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left, ["new"]);
        remove_older(&dir.join("none"), Duration::ZERO);
        fs::remove_dir_all(&dir).unwrap();
    }
}
