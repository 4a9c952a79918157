//! Where a checkout stands: on a place from which cargo finds what it finds from the project, and no more.
//!
//! A path dependency such as `../sibling` leads out of the repository, so what it leads to is linked beside
//! the checkouts: as it is now, since the repository does not have it. And a base from before the project
//! became a workspace must not be taken for a stray member of it: cargo looks for a workspace upwards, but
//! never above a directory `target/package`, where it unpacks what it verifies itself.

use std::path::{Path, PathBuf};

use crate::child;
use crate::failure::Failure;

/// So many directories upwards the links may be: those below `base` are ours.
const LEVELS: usize = 3;

/// The directory of the checkouts, below that of the base.
pub(super) fn checkouts(place: &Path) -> PathBuf {
    place.join("checkouts").join("target").join("package")
}

/// Links what the package at `root` depends on outside of the repository that begins at `top`, so that it is found
/// from a checkout in `checkouts` in the same way.
pub(super) fn link(root: &Path, top: &Path, checkouts: &Path) -> Result<(), Failure> {
    // Where cargo cannot tell, it says why when it builds.
    let Ok(metadata) = child::metadata(root).exec() else { return Ok(()) };
    let packages = metadata.packages.iter().filter(|package| package.source.is_none());
    for directory in packages.filter_map(|package| package.manifest_path.parent()) {
        let Some((levels, there)) = seen(directory.as_std_path(), top) else { continue };
        let (Some(near), Some(name)) = (checkouts.ancestors().nth(levels), there.file_name())
        else {
            continue;
        };
        let link = near.join(name);
        // Either made before, or a name that is ours.
        if link.symlink_metadata().is_err() {
            symlink(&there, &link).map_err(|e| Failure::io("link", &link, &e))?;
        }
    }
    Ok(())
}

/// How many levels above the parent of `top` the way to `directory` turns, and into what; `None` where it does not
/// leave `top`, or turns too far above.
fn seen(directory: &Path, top: &Path) -> Option<(usize, PathBuf)> {
    if directory.starts_with(top) {
        return None;
    }
    let mut above = top.ancestors().skip(1).take(LEVELS).enumerate();
    let (levels, from) = above.find(|(_, above)| directory.starts_with(above))?;
    let name = directory.strip_prefix(from).ok()?.components().next()?;
    Some((levels, from.join(name)))
}

#[cfg(unix)]
fn symlink(there: &Path, link: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(there, link)
}

#[cfg(windows)]
fn symlink(there: &Path, link: &Path) -> std::io::Result<()> {
    std::os::windows::fs::symlink_dir(there, link)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(directory: &str, want: Option<(usize, &str)>) {
        let got = seen(Path::new(directory), Path::new("/a/b/c/repo"));
        assert_eq!(got, want.map(|(levels, path)| (levels, PathBuf::from(path))), "{directory}");
    }

    #[test]
    fn what_is_outside_is_seen_from_the_repository() {
        check("/a/b/c/repo", None);
        check("/a/b/c/repo/member", None);
        check("/a/b/c/sibling", Some((0, "/a/b/c/sibling")));
        check("/a/b/c/kits/one", Some((0, "/a/b/c/kits")));
        check("/a/b/d/one", Some((1, "/a/b/d")));
        check("/a/e", Some((2, "/a/e")));
        check("/elsewhere", None);
    }
}
