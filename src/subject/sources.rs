//! When the sources below a directory were changed last, for whatever may have been made of older ones.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What cargo makes programs of, by its ending.
pub(super) const RUST: &[&str] = &["rs"];
/// Files besides those that change what cargo builds.
const MANIFESTS: [&str; 6] =
    ["Cargo.toml", "Cargo.lock", "config.toml", "config", "rust-toolchain.toml", "rust-toolchain"];
/// Of these, the two that do only in `.cargo`.
const CONFIG: [&str; 2] = ["config.toml", "config"];

/// The source below `dir` that was changed last, with when. Sources are files with one of these endings, and what
/// configures cargo. What tools make is left out: directories that are marked as caches, as cargo's is, and hidden
/// ones.
///
/// # Errors
/// What cannot be read.
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
        // An editor's lock on a file ends like it, and is a link that leads nowhere.
        if name.starts_with('.') {
            continue;
        }
        let outside = CONFIG.contains(&&*name) && !dir.ends_with(".cargo");
        let listed = MANIFESTS.contains(&&*name) && !outside;
        if listed || is_source(&path, endings) {
            // A link is as old as what it leads to.
            let changed = modified(&path).map_err(|e| (path.clone(), e))?;
            if newest.as_ref().is_none_or(|(latest, _)| changed > *latest) {
                *newest = Some((changed, path));
            }
        }
    }
    Ok(())
}

/// Whether a file has one of these endings.
pub(super) fn is_source(path: &Path, endings: &[&str]) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| endings.contains(&ending))
}

/// When a file was written last.
pub(super) fn modified(path: &Path) -> std::io::Result<SystemTime> {
    path.metadata()?.modified()
}
