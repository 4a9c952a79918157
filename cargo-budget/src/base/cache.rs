//! The directory that holds a project's checkouts: outside of the project, in the user's cache.
//!
//! Cargo merges the configuration of every directory above the one that it builds in, and rustup and many build
//! scripts look upwards as well. A checkout below the project would be built with this revision's flags, and a
//! regression that came with a flag would be in both builds. So no directory of the project is above a checkout.
//!
//! Each project has a directory of its own in the cache, since the symbolic links beside its checkouts are for it
//! alone.

use std::path::{Path, PathBuf};

use perf_budget_core::paths::{USER_CACHE, user_cache};

use super::checkout::is_old;
use crate::failure::Failure;

/// The file in a project's directory that names the top of the project's repository.
const OWNER: &str = "project";
/// The file in a project's directory that is locked while a comparison uses the directory.
pub(super) const LOCK: &str = "lock";

/// Returns the directory for the repository at `top`, and creates it if need be. The directories of repositories that
/// no longer exist are removed.
pub(super) fn directory(top: &Path) -> Result<PathBuf, Failure> {
    let all = user_cache().ok_or_else(|| {
        Failure::unmeasured(format!(
            "no variable names the user's cache directory, where the base is checked out; set {USER_CACHE} to a \
             directory outside of the project"
        ))
    })?;
    let all = std::path::absolute(&all).map_err(|e| Failure::io("resolve", &all, &e))?;
    directory_in(&all, top)
}

/// Does the same in the cache `all`, which has a directory for each repository.
fn directory_in(all: &Path, top: &Path) -> Result<PathBuf, Failure> {
    let owner = top.canonicalize().map_err(|e| Failure::io("resolve", top, &e))?;
    let owner = owner.to_string_lossy();
    let own = all.join(key(&owner));
    std::fs::create_dir_all(&own).map_err(|e| Failure::io("create", &own, &e))?;
    let mark = own.join(OWNER);
    // It is written each time, so that its modification time is the time of the last use.
    std::fs::write(&mark, &*owner).map_err(|e| Failure::io("write", &mark, &e))?;
    remove_unused(all);
    // Other modules compare this path with resolved ones.
    own.canonicalize().map(plain).map_err(|e| Failure::io("resolve", &own, &e))
}

/// Returns the name of a repository's directory in the cache.
fn key(owner: &str) -> String {
    let hash = hmac_sha256::Hash::hash(owner.as_bytes());
    hash[..8].iter().fold(String::new(), |key, byte| key + &format!("{byte:02x}"))
}

/// Removes the directories of repositories that no longer exist, or that have not been used for a long time. A
/// directory that cannot be removed does no harm.
fn remove_unused(all: &Path) {
    let Ok(entries) = std::fs::read_dir(all) else { return };
    for place in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        // Another comparison may be creating a directory without an owner at this moment.
        let Ok(owner) = std::fs::read_to_string(place.join(OWNER)) else { continue };
        // A directory whose name does not belong to its owner was not created by this program.
        if !place.ends_with(key(&owner)) {
            continue;
        }
        let lacks = |path: &Path| path.try_exists().is_ok_and(|exists| !exists);
        // The parent of a deleted repository still exists. That of one on a disk that is not mounted does not.
        let owner = Path::new(&owner);
        let is_gone = lacks(owner) && owner.parent().is_some_and(Path::is_dir);
        let used = place.join(OWNER).metadata().and_then(|data| data.modified());
        if is_gone || used.is_ok_and(|used| is_old(used) && !is_in_use(&place)) {
            let _ = std::fs::remove_dir_all(&place);
        }
    }
}

/// Whether a comparison is using this directory at the moment.
fn is_in_use(place: &Path) -> bool {
    std::fs::File::open(place.join(LOCK)).is_ok_and(|lock| lock.try_lock().is_err())
}

/// Returns a path without the prefix `\\?\`, which `canonicalize` adds on Windows and which cargo and git do not
/// accept everywhere.
fn plain(path: PathBuf) -> PathBuf {
    match path.to_str().and_then(|text| text.strip_prefix(r"\\?\")) {
        Some(rest) if !rest.starts_with("UNC") => PathBuf::from(rest),
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::super::checkout::AGE;
    use super::*;

    #[test]
    fn each_project_has_its_own_directory_as_long_as_it_exists() {
        let place = tempfile::tempdir().unwrap();
        let all = place.path().join("cache");
        let [one, two] = ["one", "two"].map(|name| {
            let top = place.path().join(name);
            std::fs::create_dir(&top).unwrap();
            (directory_in(&all, &top).unwrap(), top)
        });
        assert_ne!(one.0, two.0);
        assert_eq!(directory_in(&all, &one.1).unwrap(), one.0);
        std::fs::remove_dir(&one.1).unwrap();
        assert_eq!(directory_in(&all, &two.1).unwrap(), two.0);
        assert!(!one.0.exists() && two.0.exists());
        // A directory that was not used for a long time is removed, unless a long comparison is still using it.
        std::fs::create_dir(&one.1).unwrap();
        let old = SystemTime::now() - AGE - Duration::from_secs(60);
        let age = |place: &Path| {
            let mark = std::fs::File::options().append(true).open(place.join(OWNER)).unwrap();
            mark.set_modified(old).unwrap();
        };
        directory_in(&all, &one.1).unwrap();
        age(&one.0);
        let lock = std::fs::File::create(one.0.join(LOCK)).unwrap();
        lock.lock().unwrap();
        directory_in(&all, &two.1).unwrap();
        assert!(one.0.exists());
        drop(lock);
        directory_in(&all, &two.1).unwrap();
        assert!(!one.0.exists());
        std::fs::remove_dir(&one.1).unwrap();
        // A directory that another program has made stays, although it looks like one of ours.
        let other = all.join("other");
        std::fs::create_dir(&other).unwrap();
        std::fs::write(other.join(OWNER), one.1.to_str().unwrap()).unwrap();
        directory_in(&all, &two.1).unwrap();
        assert!(other.exists());
    }
}
