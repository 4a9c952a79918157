//! One target directory for the checkouts of all commits, so that dependencies are built once.
//!
//! Cargo names what it builds by paths within the package and takes it for fresh by the times of files
//! alone. So what another checkout left behind would pass for a build of an older one that is used again: where the
//! last build was of another commit, or of another project's checkout, every file of this one is made newer than it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::failure::Failure;

/// Has `build` build `commit` into `directory` from its own files alone, which are in `checkout`.
pub(super) fn build<T>(
    directory: &Path,
    commit: &str,
    checkout: &Path,
    build: impl FnOnce() -> Result<T, Failure>,
) -> Result<T, Failure> {
    if is_built(directory, commit, checkout) {
        return build();
    }
    let (mark, own) = mark(directory, commit, checkout);
    fs::create_dir_all(directory).map_err(|e| Failure::io("create", directory, &e))?;
    // Until it is built, what is there is of nobody.
    match fs::remove_file(&mark) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            return Err(Failure::io("remove", &mark, &e));
        }
        _ => {}
    }
    renew(checkout, SystemTime::now())?;
    let built = build()?;
    fs::write(&mark, own).map_err(|e| Failure::io("write", &mark, &e))?;
    Ok(built)
}

/// Whether what is in `directory` was built last of this commit's checkout.
pub(super) fn is_built(directory: &Path, commit: &str, checkout: &Path) -> bool {
    let (mark, own) = mark(directory, commit, checkout);
    fs::read_to_string(mark).is_ok_and(|built| built == own)
}

/// The file that says so, and what it says.
fn mark(directory: &Path, commit: &str, checkout: &Path) -> (PathBuf, String) {
    (directory.join("built-of"), format!("{commit}\n{}", checkout.display()))
}

/// Gives every file below `directory` this time, those of git aside.
fn renew(directory: &Path, now: SystemTime) -> Result<(), Failure> {
    let entries = fs::read_dir(directory).map_err(|e| Failure::io("read", directory, &e))?;
    for entry in entries {
        let entry = entry.map_err(|e| Failure::io("read", directory, &e))?;
        let (path, name) = (entry.path(), entry.file_name());
        let kind = entry.file_type().map_err(|e| Failure::io("read", &path, &e))?;
        if kind.is_dir() && name != ".git" {
            renew(&path, now)?;
        } else if kind.is_file() && name != ".git" {
            // Its owner may, even where nobody may write it; Windows asks for more.
            let open = if cfg!(unix) {
                File::open(&path)
            } else {
                File::options().append(true).open(&path)
            };
            open.and_then(|file| file.set_modified(now))
                .map_err(|e| Failure::io("renew", &path, &e))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_another_commit_left_is_older_than_every_file() {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("target");
        let checkout = place.path().join("checkout");
        fs::create_dir_all(checkout.join("src")).unwrap();
        let file = checkout.join("src/lib.rs");
        fs::write(&file, "").unwrap();
        let old = SystemTime::now() - Duration::from_secs(1000);
        let age = || File::options().append(true).open(&file).unwrap().set_modified(old).unwrap();
        let check = |commit: &str, fails: bool, renewed: bool| {
            age();
            let failure = || Failure::unmeasured("it does not build");
            let done =
                build(&target, commit, &checkout, || if fails { Err(failure()) } else { Ok(()) });
            assert_eq!(done.is_err(), fails);
            let is_new = fs::metadata(&file).unwrap().modified().unwrap() > old;
            assert_eq!(is_new, renewed, "{commit}");
        };
        check("a", false, true);
        check("a", false, false);
        check("b", false, true);
        check("a", false, true);
        // Half a build of another is as bad as a whole one.
        check("b", true, true);
        check("a", false, true);
        check("a", false, false);
    }
}
