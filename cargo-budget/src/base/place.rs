//! Where a project's checkouts stand: outside of the project, in the user's cache.
//!
//! Cargo merges the configuration of every directory above the one that it builds in, and rustup and many build
//! scripts look upwards as well. A checkout below the project would be built with this revision's flags, and a
//! regression that came with a flag would be in both builds. So no directory of the project is above a checkout.
//!
//! Each project has a directory of its own there, since what is linked beside the checkouts is its own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::checkout::is_old;
use crate::failure::Failure;

/// Overrides the directory that holds those of all projects.
const DIRECTORY: &str = "PERF_BUDGET_CACHE";
/// Names, in a project's directory, where the project's repository begins.
const OWNER: &str = "project";
/// Held, in a project's directory, as long as what is there is used.
pub(super) const LOCK: &str = "lock";

/// The directory for the repository that begins at `top`, made if need be; those of repositories that are gone are
/// removed.
pub(super) fn of(top: &Path) -> Result<PathBuf, Failure> {
    let all = below(|name| std::env::var_os(name).filter(|value| !value.is_empty()))
        .ok_or_else(|| {
            Failure::unmeasured(format!(
                "no variable tells where the user's cache is, which holds the base's checkout; set {DIRECTORY} to \
                 a directory outside of the project"
            ))
        })?;
    let all = std::path::absolute(&all).map_err(|e| Failure::io("resolve", &all, &e))?;
    in_all(&all, top)
}

fn in_all(all: &Path, top: &Path) -> Result<PathBuf, Failure> {
    let owner = top.canonicalize().map_err(|e| Failure::io("resolve", top, &e))?;
    let owner = owner.to_string_lossy();
    let own = all.join(key(&owner));
    std::fs::create_dir_all(&own).map_err(|e| Failure::io("create", &own, &e))?;
    let mark = own.join(OWNER);
    // Written each time, so that its time is that of the last use.
    std::fs::write(&mark, &*owner).map_err(|e| Failure::io("write", &mark, &e))?;
    forget(all);
    // The repository's own links would be resolved on the way to it too.
    own.canonicalize().map(plain).map_err(|e| Failure::io("resolve", &own, &e))
}

/// The name of a repository's directory.
fn key(owner: &str) -> String {
    let hash = hmac_sha256::Hash::hash(owner.as_bytes());
    hash[..8].iter().fold(String::new(), |key, byte| key + &format!("{byte:02x}"))
}

/// Removes what is kept for repositories that are no more, or that nothing was compared in for long. What cannot be
/// removed is in nobody's way.
fn forget(all: &Path) {
    let Ok(entries) = std::fs::read_dir(all) else { return };
    for place in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        // One without a name may be made by another comparison at this moment.
        let Ok(owner) = std::fs::read_to_string(place.join(OWNER)) else { continue };
        // Whatever else stands there was not made here.
        if !place.ends_with(key(&owner)) {
            continue;
        }
        let lacks = |path: &Path| path.try_exists().is_ok_and(|exists| !exists);
        // A disk that is away has no directory above it either; one that was deleted has.
        let owner = Path::new(&owner);
        let is_gone = lacks(owner) && owner.parent().is_some_and(Path::is_dir);
        let used = place.join(OWNER).metadata().and_then(|data| data.modified());
        if is_gone || used.is_ok_and(|used| is_old(used) && !is_in_use(&place)) {
            let _ = std::fs::remove_dir_all(&place);
        }
    }
}

/// Whether a comparison that still goes on holds what is there.
fn is_in_use(place: &Path) -> bool {
    std::fs::File::open(place.join(LOCK)).is_ok_and(|lock| lock.try_lock().is_err())
}

/// The directory for all projects: where the platform keeps what can be made again.
fn below(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let path = |name| variable(name).map(PathBuf::from);
    if let Some(set) = path(DIRECTORY) {
        return Some(set);
    }
    let cache = if cfg!(windows) {
        path("LOCALAPPDATA")
    } else {
        let home = path("HOME").filter(|home| home.is_absolute());
        let usual = if cfg!(target_os = "macos") { "Library/Caches" } else { ".cache" };
        let named = path("XDG_CACHE_HOME").filter(|cache| cache.is_absolute());
        named.or_else(|| home.map(|home| home.join(usual)))
    };
    // A user without a home has cargo's.
    Some(cache.or_else(|| path("CARGO_HOME"))?.join("perf-budget"))
}

/// A path without the prefix `\\?\`, which `canonicalize` gives on Windows and neither cargo nor git like.
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
    fn the_users_cache_is_found() {
        let check = |set: &[(&str, &str)], want: Option<&str>| {
            let found = below(|name| {
                let found = set.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| OsString::from(value))
            });
            assert_eq!(found, want.map(PathBuf::from), "{set:?}");
        };
        check(&[("PERF_BUDGET_CACHE", "/x"), ("CARGO_HOME", "/c")], Some("/x"));
        check(&[("CARGO_HOME", "/c")], Some("/c/perf-budget"));
        check(&[], None);
        if cfg!(target_os = "linux") {
            check(&[("HOME", "/h")], Some("/h/.cache/perf-budget"));
            check(&[("XDG_CACHE_HOME", "/x"), ("HOME", "/h")], Some("/x/perf-budget"));
            check(&[("XDG_CACHE_HOME", "x"), ("HOME", "/h")], Some("/h/.cache/perf-budget"));
        }
    }

    #[test]
    fn each_project_has_its_own_as_long_as_it_exists() {
        let place = tempfile::tempdir().unwrap();
        let all = place.path().join("cache");
        let [one, two] = ["one", "two"].map(|name| {
            let top = place.path().join(name);
            std::fs::create_dir(&top).unwrap();
            (in_all(&all, &top).unwrap(), top)
        });
        assert_ne!(one.0, two.0);
        assert_eq!(in_all(&all, &one.1).unwrap(), one.0);
        std::fs::remove_dir(&one.1).unwrap();
        assert_eq!(in_all(&all, &two.1).unwrap(), two.0);
        assert!(!one.0.exists() && two.0.exists());
        // One that was not used for long goes, unless a comparison that long is still using it.
        std::fs::create_dir(&one.1).unwrap();
        let old = SystemTime::now() - AGE - Duration::from_secs(60);
        let age = |place: &Path| {
            let mark = std::fs::File::options().append(true).open(place.join(OWNER)).unwrap();
            mark.set_modified(old).unwrap();
        };
        in_all(&all, &one.1).unwrap();
        age(&one.0);
        let lock = std::fs::File::create(one.0.join(LOCK)).unwrap();
        lock.lock().unwrap();
        in_all(&all, &two.1).unwrap();
        assert!(one.0.exists());
        drop(lock);
        in_all(&all, &two.1).unwrap();
        assert!(!one.0.exists());
        std::fs::remove_dir(&one.1).unwrap();
        // A directory of someone else's that looks alike.
        let other = all.join("other");
        std::fs::create_dir(&other).unwrap();
        std::fs::write(other.join(OWNER), one.1.to_str().unwrap()).unwrap();
        in_all(&all, &two.1).unwrap();
        assert!(other.exists());
    }
}
