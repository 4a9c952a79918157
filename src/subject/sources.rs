//! The time at which the source files below a directory were last changed. A file that was built before may be stale.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The extensions of the files that cargo compiles.
pub(super) const RUST: &[&str] = &["rs"];
/// The names of other files that change what cargo builds.
const MANIFESTS: [&str; 6] =
    ["Cargo.toml", "Cargo.lock", "config.toml", "config", "rust-toolchain.toml", "rust-toolchain"];
/// Those of [`MANIFESTS`] that configure cargo only in a directory `.cargo`.
const CONFIG: [&str; 2] = ["config.toml", "config"];

/// Returns the source file below `dir` that was changed last, and when that was. Source files are those with one of
/// these extensions, and those that configure cargo. Generated files are left out: directories that are marked as
/// caches, as cargo's target directory is, and hidden directories.
///
/// # Errors
/// If a file or directory cannot be read. The error has its path.
pub(super) fn newest(
    dir: &Path,
    endings: &[&str],
) -> Result<Option<(SystemTime, PathBuf)>, (PathBuf, std::io::Error)> {
    let mut newest = None;
    walk(dir, endings, &mut newest)?;
    Ok(newest)
}

fn walk(
    dir: &Path,
    endings: &[&str],
    newest: &mut Option<(SystemTime, PathBuf)>,
) -> Result<(), (PathBuf, std::io::Error)> {
    let failed = |e| (dir.to_owned(), e);
    for entry in fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if entry.file_type().map_err(failed)?.is_dir() {
            let hidden = name.starts_with('.') && name != ".cargo";
            if !hidden && name != "node_modules" && !path.join("CACHEDIR.TAG").is_file() {
                walk(&path, endings, newest)?;
            }
            continue;
        }
        // The lock of an editor on a source file has the same extension, and is a link to nothing.
        if name.starts_with('.') {
            continue;
        }
        let is_config = !CONFIG.contains(&&*name) || dir.ends_with(".cargo");
        let is_manifest = MANIFESTS.contains(&&*name) && is_config;
        if is_manifest || is_source(&path, endings) {
            // The time of a link is that of the file it leads to.
            let changed = modified(&path).map_err(|e| (path.clone(), e))?;
            if newest.as_ref().is_none_or(|(latest, _)| changed > *latest) {
                *newest = Some((changed, path));
            }
        }
    }
    Ok(())
}

/// Whether a file has one of these extensions.
pub(super) fn is_source(path: &Path, endings: &[&str]) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| endings.contains(&ending))
}

/// Returns the time at which a file was last written.
pub(super) fn modified(path: &Path) -> std::io::Result<SystemTime> {
    path.metadata()?.modified()
}
