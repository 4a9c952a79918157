//! The state of a project's files, by which a save is noticed.
//!
//! Git lists the files that it tracks, and new ones that it does not ignore. Their times and sizes are read about twenty
//! times a second, and more rarely if there are many files. That takes less than a millisecond for hundreds of files, and
//! works on every system.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::failure::Failure;
use crate::git::{git, reason};

/// A file's last change and its size; `None` where there is no such file.
type FileState = Option<(SystemTime, u64)>;

/// The files of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Files(BTreeMap<PathBuf, FileState>);

impl Files {
    /// Lists the files of the repository that `root` is in, with their present state.
    pub(super) fn list(root: &Path) -> Result<Files, Failure> {
        let top = git(root, ["rev-parse", "--show-toplevel"])?;
        let top = String::from_utf8_lossy(&top.stdout).trim_end_matches(['\n', '\r']).to_owned();
        let top = PathBuf::from(top);
        let listed = git(&top, ["ls-files", "-z", "--cached", "--others", "--exclude-standard"])?;
        if !listed.status.success() {
            return Err(Failure::unmeasured(format!(
                "git failed to list the files: {}",
                reason(&listed)
            )));
        }
        let names = String::from_utf8_lossy(&listed.stdout).into_owned();
        let paths = names.split('\0').filter(|name| !name.is_empty()).map(|name| top.join(name));
        Ok(Files(paths.map(|path| (path.clone(), state(&path))).collect()))
    }

    /// Takes the state of the lock files from a later listing: cargo completes them when it builds, which is not a save.
    pub(super) fn take_locks(&mut self, later: &Files) {
        let is_lock = |path: &Path| path.file_name().is_some_and(|name| name == "Cargo.lock");
        self.0.retain(|path, _| !is_lock(path));
        let locks = later.0.iter().filter(|(path, _)| is_lock(path));
        self.0.extend(locks.map(|(path, state)| (path.clone(), *state)));
    }

    /// Whether a file has changed since it was listed.
    pub(super) fn have_changed(&self) -> bool {
        self.0.iter().any(|(path, before)| state(path) != *before)
    }

    /// Returns the files that differ from how they were before.
    pub(super) fn changed_since(&self, before: &Files) -> Vec<PathBuf> {
        let state = |files: &Files, path: &Path| files.0.get(path).copied().flatten();
        let mut paths: Vec<&PathBuf> = self.0.keys().chain(before.0.keys()).collect();
        paths.sort();
        paths.dedup();
        let differs = |path: &&PathBuf| state(self, path) != state(before, path);
        paths.into_iter().filter(differs).cloned().collect()
    }
}

fn state(path: &Path) -> FileState {
    let data = path.symlink_metadata().ok()?;
    Some((data.modified().ok()?, data.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_a_new_and_a_removed_file_are_seen() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        let files = |names: &[&str]| {
            Files(names.iter().map(|name| (path(name), state(&path(name)))).collect())
        };
        std::fs::write(path("saved"), "1").unwrap();
        std::fs::write(path("removed"), "1").unwrap();
        std::fs::write(path("same"), "1").unwrap();
        let before = files(&["removed", "same", "saved", "absent"]);
        assert!(!before.have_changed());
        std::fs::write(path("saved"), "12").unwrap();
        std::fs::remove_file(path("removed")).unwrap();
        std::fs::write(path("new"), "1").unwrap();
        assert!(before.have_changed());
        let now = files(&["new", "same", "saved"]);
        let changed = now.changed_since(&before);
        assert_eq!(changed, [path("new"), path("removed"), path("saved")]);
        assert!(!now.have_changed());
    }

    #[test]
    fn a_lock_file_that_cargo_writes_is_no_save() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        let files = |names: &[&str]| {
            Files(names.iter().map(|name| (path(name), state(&path(name)))).collect())
        };
        std::fs::write(path("Cargo.lock"), "1").unwrap();
        std::fs::write(path("saved"), "1").unwrap();
        let mut before = files(&["Cargo.lock", "saved"]);
        std::fs::create_dir(path("new")).unwrap();
        for name in ["Cargo.lock", "new/Cargo.lock", "saved"] {
            std::fs::write(path(name), "12").unwrap();
        }
        let later = files(&["Cargo.lock", "new/Cargo.lock", "saved"]);
        before.take_locks(&later);
        assert_eq!(later.changed_since(&before), [path("saved")]);
        // A file that is written later counts as saved.
        std::fs::write(path("Cargo.lock"), "123").unwrap();
        assert!(before.have_changed());
    }
}
