//! The target directory that the checkouts of all commits share, so that dependencies are built once.
//!
//! Cargo names the files that it builds by paths within the package, and it decides by modification times alone whether a
//! build is fresh. So it would take the build of another checkout for a fresh build of an older one. To prevent that,
//! every file of a checkout gets the current time whenever the last build was of another commit or another checkout.
//!
//! The settings of two checkouts may differ too. Cargo's own records contain all of them except the variables of `[env]` and
//! the content of the files that settings name, such as a compiler wrapper. So bases with other variables or other such files
//! are built in directories of their own.
//!
//! For packages of a registry, cargo compares the version alone. If the project replaces a registry by a directory of
//! its own, the content may differ between two commits, so nothing that is built from it is used for another commit.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{named_files, saved};
use crate::failure::Failure;
use crate::file;

/// Runs `build`, which builds `commit` into `directory`, so that cargo uses only the files in `checkout` and nothing
/// that another checkout left in `directory`.
///
/// `is_vendored` says whether the project replaces a registry.
pub(super) fn build<T>(
    directory: &Path,
    (commit, is_vendored): (&str, bool),
    checkout: &Path,
    build: impl FnOnce() -> Result<T, Failure>,
) -> Result<T, Failure> {
    if is_built(directory, commit, checkout) {
        return build();
    }
    let (mark, own) = mark(directory, commit, checkout);
    fs::create_dir_all(directory).map_err(|e| Failure::io("create", directory, &e))?;
    // Until the build has succeeded, the content of the directory belongs to no commit.
    file::remove(&mark)?;
    if is_vendored {
        clear(directory)?;
    }
    renew(checkout, SystemTime::now())?;
    let built = build()?;
    fs::write(&mark, own).map_err(|e| Failure::io("write", &mark, &e))?;
    Ok(built)
}

/// Returns the directory for bases with these settings of cargo. Cargo does not run the build script of a dependency again for
/// another value of a variable, unless the script asks for that. So it would take the result for another base for the result
/// for this one. Nor does it compile a dependency again for another content of a wrapper. Everything else that affects a build
/// is in cargo's own records.
pub(super) fn directory_with(directory: &Path, settings: &BTreeMap<String, String>) -> PathBuf {
    let is_unknown_to_cargo = |key: &str| key.starts_with("env.") || named_files::is_content(key);
    let variables = settings.iter().filter(|(key, _)| is_unknown_to_cargo(key));
    let lines: Vec<String> = variables.map(|(key, value)| format!("{key} {value}")).collect();
    let text = lines.join("\n");
    if text.is_empty() {
        return directory.to_owned();
    }
    // The values may be secret.
    let digest = saved::digest(text.as_bytes());
    let digest = digest.get(..16).unwrap_or(&digest);
    let name = directory.file_name().unwrap_or_default().to_string_lossy();
    directory.with_file_name(format!("{name}-{digest}"))
}

/// Whether the last build in `directory` was of this checkout of this commit.
pub(super) fn is_built(directory: &Path, commit: &str, checkout: &Path) -> bool {
    let (mark, own) = mark(directory, commit, checkout);
    fs::read_to_string(mark).is_ok_and(|built| built == own)
}

/// Removes everything in a directory.
fn clear(directory: &Path) -> Result<(), Failure> {
    let failed = |e| Failure::io("clear", directory, &e);
    for entry in fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) }
            .map_err(failed)?;
    }
    Ok(())
}

/// Returns the path of the file that names the last build, and its content for this checkout of this commit.
fn mark(directory: &Path, commit: &str, checkout: &Path) -> (PathBuf, String) {
    (directory.join("built-of"), format!("{commit}\n{}", checkout.display()))
}

/// Sets the modification time of every file below `directory`, except those of git.
fn renew(directory: &Path, now: SystemTime) -> Result<(), Failure> {
    let entries = fs::read_dir(directory).map_err(|e| Failure::io("read", directory, &e))?;
    for entry in entries {
        let entry = entry.map_err(|e| Failure::io("read", directory, &e))?;
        let (path, name) = (entry.path(), entry.file_name());
        let kind = entry.file_type().map_err(|e| Failure::io("read", &path, &e))?;
        if kind.is_dir() && name != ".git" {
            renew(&path, now)?;
        } else if kind.is_file() && name != ".git" {
            // On Unix the owner may set the time even of a read-only file. Windows requires the right to write.
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
    fn every_file_is_newer_than_what_another_commit_left() {
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
            let done = build(&target, (commit, false), &checkout, || {
                if fails { Err(failure()) } else { Ok(()) }
            });
            assert_eq!(done.is_err(), fails);
            let is_new = fs::metadata(&file).unwrap().modified().unwrap() > old;
            assert_eq!(is_new, renewed, "{commit}");
        };
        check("a", false, true);
        check("a", false, false);
        check("b", false, true);
        check("a", false, true);
        // A failed build of another commit has the same effect as a complete one.
        check("b", true, true);
        check("a", false, true);
        check("a", false, false);
    }

    #[test]
    fn bases_with_other_variables_are_built_elsewhere() {
        let directory = |settings: &[(&str, &str)]| {
            let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
            directory_with(Path::new("results/target"), &settings.iter().map(own).collect())
        };
        let mode = directory(&[("env.MODE", "s3cret"), ("build.rustflags", "-O")]);
        assert_eq!(directory(&[("build.rustflags", "-O")]), Path::new("results/target"));
        assert_eq!(mode, directory(&[("env.MODE", "s3cret")]));
        assert_ne!(mode, directory(&[("env.MODE", "other")]));
        let wrapped =
            |digest| directory(&[("build.rustc-wrapper: the content of tools/wrap", digest)]);
        assert_ne!(wrapped("one"), wrapped("two"));
        let text = mode.to_string_lossy();
        assert!(text.contains("target-") && !text.contains("s3cret"), "{text}");
    }

    #[test]
    fn nothing_that_is_built_from_a_replaced_registry_is_used_for_another_commit() {
        let place = tempfile::tempdir().unwrap();
        let (target, checkout) = (place.path().join("target"), place.path().join("checkout"));
        fs::create_dir_all(&checkout).unwrap();
        let file = target.join("release/deps/libkit.rlib");
        let left = |commit: &str, is_vendored: bool| {
            let built = build(&target, (commit, is_vendored), &checkout, || {
                let left = file.exists();
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(&file, "").unwrap();
                Ok(left)
            });
            built.unwrap()
        };
        assert!(!left("a", true) && left("a", true) && !left("b", true) && left("c", false));
    }
}
