//! The surroundings of a checkout: the same packages and configuration that surround the project's repository, and
//! nothing else.
//!
//! - A package outside of the repository is linked beside the checkouts, so that programs find it by the same relative
//!   path. It is linked as it is now, because no commit has it. (The module `manifests` tells cargo about it.)
//! - Configuration above the repository applies to the project, so it is linked above the checkouts.
//! - The checkouts are in a directory `target/package`, because cargo never looks for a workspace above such a
//!   directory: `cargo package` unpacks packages there to verify them. In another directory, a base from before the
//!   project became a workspace could be taken for a stray member of another workspace.

use std::path::{Component, Path, PathBuf};

use cargo_metadata::Metadata;
use toml_edit::{Item, Value};

use super::configuration::{Files, canonical, read};
use crate::failure::Failure;

/// The number of directories above the checkout in which a dependency may be linked.
const LEVELS: usize = 3;

/// Returns the directory for the checkouts, below `place`, which is this project's directory in the cache. It is deep
/// enough below `place` that each configuration file above the repository at `top` can be linked at its own level.
/// Files that are also above `place` need no level.
pub(super) fn checkouts(place: &Path, top: &Path, head: &Files) -> PathBuf {
    let deepest =
        applicable_configuration(head, place).map(|file| level(file, top) + 1).max().unwrap_or(0);
    let mut directory = place.join("checkouts");
    for level in LEVELS..deepest {
        directory.push(format!("up-{level}"));
    }
    directory.join("target").join("package")
}

/// Returns the configuration files that are above the repository but not above `place`.
fn applicable_configuration<'f>(
    head: &'f Files,
    place: &'f Path,
) -> impl Iterator<Item = &'f PathBuf> {
    head.above.iter().filter(|file| !holder(file).is_some_and(|holder| place.starts_with(holder)))
}

/// Returns the directory that a configuration file applies to.
fn holder(file: &Path) -> Option<PathBuf> {
    let parent = file.parent()?;
    canonical(if parent.ends_with(".cargo") { parent.parent()? } else { parent })
}

/// Returns the level of the directory that a file applies to: how far it is above the parent of `top`.
fn level(file: &Path, top: &Path) -> usize {
    let parent = file.parent().unwrap_or(file);
    let holder =
        if parent.ends_with(".cargo") { parent.parent().unwrap_or(parent) } else { parent };
    top.components().count().saturating_sub(holder.components().count() + 1)
}

/// Links the configuration files from above the repository at the same levels above the checkouts. The targets of the
/// relative paths in these files are linked too.
pub(super) fn configure(
    head: &Files,
    top: &Path,
    place: &Path,
    checkouts: &Path,
) -> Result<(), Failure> {
    // Links from an earlier run may lead to files that no longer exist.
    for near in checkouts.ancestors().take_while(|near| near.starts_with(place)) {
        for name in [".cargo", "rust-toolchain", "rust-toolchain.toml"] {
            let _ = std::fs::remove_file(near.join(name));
        }
    }
    for file in applicable_configuration(head, place) {
        let Some(near) = checkouts.ancestors().nth(level(file, top)) else { continue };
        let (Some(parent), Some(name)) = (file.parent(), file.file_name()) else { continue };
        if !parent.ends_with(".cargo") {
            let copy = near.join(name);
            std::fs::copy(file, &copy).map_err(|e| Failure::io("write", &copy, &e))?;
            continue;
        }
        link_to(parent, &near.join(".cargo"))?;
        let Some(holder) = parent.parent() else { continue };
        for first in read(file).iter().flat_map(|document| first_components(document.as_item())) {
            let there = holder.join(&first);
            if there.exists() && !top.starts_with(&there) {
                link_to(&there, &near.join(first))?;
            }
        }
    }
    Ok(())
}

/// Returns the first component of each relative path among the values of `item`.
fn first_components(item: &Item) -> Vec<PathBuf> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all other values of TOML are treated alike"
    )]
    fn collect(value: &Value, found: &mut Vec<PathBuf>) {
        match value {
            Value::String(text) => {
                let mut parts = Path::new(text.value()).components();
                if let (Some(Component::Normal(first)), Some(_)) = (parts.next(), parts.next()) {
                    found.push(first.into());
                }
            }
            Value::Array(values) => values.iter().for_each(|value| collect(value, found)),
            Value::InlineTable(table) => table.iter().for_each(|(_, value)| collect(value, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    if let Some(value) = item.as_value() {
        collect(value, &mut found);
    } else if let Some(table) = item.as_table_like() {
        found.extend(table.iter().flat_map(|(_, item)| first_components(item)));
    }
    found
}

/// Links the path dependencies that are outside of the repository at `top`, so that the same relative path finds them
/// from a checkout in `checkouts`.
pub(super) fn link(metadata: &Metadata, top: &Path, checkouts: &Path) -> Result<(), Failure> {
    let packages = metadata.packages.iter().filter(|package| package.source.is_none());
    for directory in packages.filter_map(|package| package.manifest_path.parent()) {
        let Some((levels, there)) = way_out(directory.as_std_path(), top) else { continue };
        let (Some(near), Some(name)) = (checkouts.ancestors().nth(levels), there.file_name())
        else {
            continue;
        };
        link_to(&there, &near.join(name))?;
    }
    Ok(())
}

/// Creates a link to `there`, unless something has the link's name already: the same link, or a checkout.
fn link_to(there: &Path, link: &Path) -> Result<(), Failure> {
    if link.symlink_metadata().is_ok() {
        return Ok(());
    }
    symlink(there, link).map_err(|e| Failure::io("link", link, &e))
}

/// Returns the nearest ancestor that `top` and `directory` share, as a number of levels above the parent of `top`,
/// and the entry of that ancestor that leads to `directory`. Returns `None` where `directory` is inside `top`, or
/// where the shared ancestor is more than [`LEVELS`] up.
fn way_out(directory: &Path, top: &Path) -> Option<(usize, PathBuf)> {
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
    if there.is_file() {
        return std::os::windows::fs::symlink_file(there, link);
    }
    std::os::windows::fs::symlink_dir(there, link)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(directory: &str, want: Option<(usize, &str)>) {
        let got = way_out(Path::new(directory), Path::new("/a/b/c/repo"));
        assert_eq!(got, want.map(|(levels, path)| (levels, PathBuf::from(path))), "{directory}");
    }

    #[test]
    fn the_way_to_a_directory_outside_of_the_repository_is_found() {
        check("/a/b/c/repo", None);
        check("/a/b/c/repo/member", None);
        check("/a/b/c/sibling", Some((0, "/a/b/c/sibling")));
        check("/a/b/c/kits/one", Some((0, "/a/b/c/kits")));
        check("/a/b/d/one", Some((1, "/a/b/d")));
        check("/a/e", Some((2, "/a/e")));
        check("/elsewhere", None);
    }
}
