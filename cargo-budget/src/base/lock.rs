//! The `Cargo.lock` of a project that does not commit it: the base is built with this revision's `Cargo.lock`.
//!
//! Otherwise cargo would resolve the base's dependencies anew. A newer version of a dependency would then look like a
//! change of this revision.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use toml_edit::Item;

use super::configuration::read;
use crate::failure::Failure;
use crate::git::git;

/// The largest number of packages that a note names.
const NAMED: usize = 5;

/// The paths of this revision's lock file and of its copy in the base.
#[derive(Debug)]
pub(super) struct Lock {
    head: PathBuf,
    base: PathBuf,
}

/// Copies the lock file of this revision's workspace at `head` to the base's workspace at `base`. Returns `None`
/// where the base has committed its own, or where this revision has none.
pub(super) fn copy_to_base(head: &Path, base: &Path) -> Result<Option<Lock>, Failure> {
    let lock = Lock { head: head.join("Cargo.lock"), base: base.join("Cargo.lock") };
    let tracked = git(base, ["ls-files", "--error-unmatch", "--", "Cargo.lock"])?;
    if tracked.status.success() || !lock.head.is_file() {
        return Ok(None);
    }
    std::fs::copy(&lock.head, &lock.base).map_err(|e| Failure::io("write", &lock.base, &e))?;
    Ok(Some(lock))
}

impl Lock {
    /// Returns a note on what cargo changed in the copy while it built the base; `None` where it changed nothing.
    pub(super) fn difference(&self) -> Option<String> {
        let (head, base) = (packages(&self.head)?, packages(&self.base)?);
        let differ: Vec<&String> = base.difference(&head).chain(head.difference(&base)).collect();
        if differ.is_empty() {
            return None;
        }
        let mut note =
            "Cargo.lock is not in git: the base was built with this revision's, and cargo changed "
                .to_owned();
        for (nth, package) in differ.iter().take(NAMED).enumerate() {
            let side = if base.contains(*package) { "base" } else { "here" };
            let _ = write!(note, "{}{package} ({side})", if nth == 0 { "" } else { ", " });
        }
        if differ.len() > NAMED {
            let _ = write!(note, " and {} more", differ.len() - NAMED);
        }
        Some(note)
    }
}

/// Returns the packages of a lock file with their versions.
fn packages(lock: &Path) -> Option<BTreeSet<String>> {
    let document = read(lock)?;
    let packages = document.get("package").and_then(Item::as_array_of_tables)?;
    let word = |table: &toml_edit::Table, key: &str| table.get(key)?.as_str().map(str::to_owned);
    let named = |table| Some(format!("{} {}", word(table, "name")?, word(table, "version")?));
    Some(packages.iter().filter_map(named).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_that_cargo_changed_is_named() {
        let place = tempfile::tempdir().unwrap();
        let lock = Lock { head: place.path().join("head"), base: place.path().join("base") };
        let write = |path: &Path, packages: &[(&str, &str)]| {
            let text = packages.iter().fold(String::new(), |text, (name, version)| {
                text + &format!("[[package]]\nname = {name:?}\nversion = {version:?}\n\n")
            });
            std::fs::write(path, text).unwrap();
        };
        write(&lock.head, &[("a", "1.0.0"), ("b", "1.0.0")]);
        write(&lock.base, &[("a", "1.0.0"), ("b", "1.0.0")]);
        assert_eq!(lock.difference(), None);
        write(&lock.base, &[("a", "1.0.1"), ("b", "1.0.0")]);
        let note = lock.difference().unwrap();
        assert!(note.ends_with("cargo changed a 1.0.1 (base), a 1.0.0 (here)"), "{note}");
    }
}
