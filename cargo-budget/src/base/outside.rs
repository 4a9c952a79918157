//! What a checkout finds outside of its repository: what the project finds there, and no more.
//!
//! Whatever packages stand outside of the repository is linked beside the checkouts, for whoever looks for it there: as it
//! is now, since the repository does not have it. (`manifests` names it to cargo.) Configuration that stands above the repository
//! applies to the project, and is linked above the checkouts. And a base from before the project became a workspace
//! must not be taken for a stray member of another one: cargo looks for a workspace upwards, but never above a directory
//! `target/package`, where it unpacks what it verifies itself.

use std::path::{Component, Path, PathBuf};

use cargo_metadata::Metadata;
use toml_edit::{Item, Value};

use super::configuration::{Files, canonical, read};
use crate::failure::Failure;

/// So many directories upwards the links of dependencies may be.
const LEVELS: usize = 3;

/// The directory of the checkouts in `place`, which is this project's alone, so many levels below it that the
/// configuration above the repository at `top`, as far as it is not above `place` as well, has its levels.
pub(super) fn checkouts(place: &Path, top: &Path, head: &Files) -> PathBuf {
    let deepest = own(head, place).map(|file| level(file, top) + 1).max().unwrap_or(0);
    let mut directory = place.join("checkouts");
    for level in LEVELS..deepest {
        directory.push(format!("up-{level}"));
    }
    directory.join("target").join("package")
}

/// The files above the repository that are not above `place` too.
fn own<'f>(head: &'f Files, place: &'f Path) -> impl Iterator<Item = &'f PathBuf> {
    head.above.iter().filter(|file| !holder(file).is_some_and(|holder| place.starts_with(holder)))
}

/// The directory that a file of configuration applies to.
fn holder(file: &Path) -> Option<PathBuf> {
    let parent = file.parent()?;
    canonical(if parent.ends_with(".cargo") { parent.parent()? } else { parent })
}

/// How many levels above the parent of `top` a file applies to.
fn level(file: &Path, top: &Path) -> usize {
    let parent = file.parent().unwrap_or(file);
    let holder =
        if parent.ends_with(".cargo") { parent.parent().unwrap_or(parent) } else { parent };
    top.components().count().saturating_sub(holder.components().count() + 1)
}

/// Links what configures the project from above its repository, with what a path in it begins with.
pub(super) fn configure(
    head: &Files,
    top: &Path,
    place: &Path,
    checkouts: &Path,
) -> Result<(), Failure> {
    // What is linked from an earlier time may be gone by now.
    for near in checkouts.ancestors().take_while(|near| near.starts_with(place)) {
        for name in [".cargo", "rust-toolchain", "rust-toolchain.toml"] {
            let _ = std::fs::remove_file(near.join(name));
        }
    }
    for file in own(head, place) {
        let Some(near) = checkouts.ancestors().nth(level(file, top)) else { continue };
        let (Some(parent), Some(name)) = (file.parent(), file.file_name()) else { continue };
        if !parent.ends_with(".cargo") {
            let copy = near.join(name);
            std::fs::copy(file, &copy).map_err(|e| Failure::io("write", &copy, &e))?;
            continue;
        }
        link_to(parent, &near.join(".cargo"))?;
        let Some(holder) = parent.parent() else { continue };
        for first in read(file).iter().flat_map(|document| firsts(document.as_item())) {
            let there = holder.join(&first);
            if there.exists() && !top.starts_with(&there) {
                link_to(&there, &near.join(first))?;
            }
        }
    }
    Ok(())
}

/// What each relative path among the values of `item` begins with.
fn firsts(item: &Item) -> Vec<PathBuf> {
    fn of(value: &Value, found: &mut Vec<PathBuf>) {
        match value {
            Value::String(text) => {
                let mut parts = Path::new(text.value()).components();
                if let (Some(Component::Normal(first)), Some(_)) = (parts.next(), parts.next()) {
                    found.push(first.into());
                }
            }
            Value::Array(values) => values.iter().for_each(|value| of(value, found)),
            Value::InlineTable(table) => table.iter().for_each(|(_, value)| of(value, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    if let Some(value) = item.as_value() {
        of(value, &mut found);
    } else if let Some(table) = item.as_table_like() {
        found.extend(table.iter().flat_map(|(_, item)| firsts(item)));
    }
    found
}

/// Links what the packages of this revision depend on outside of the repository that begins at `top`, so that it is found
/// from a checkout in `checkouts` in the same way.
pub(super) fn link(metadata: &Metadata, top: &Path, checkouts: &Path) -> Result<(), Failure> {
    let packages = metadata.packages.iter().filter(|package| package.source.is_none());
    for directory in packages.filter_map(|package| package.manifest_path.parent()) {
        let Some((levels, there)) = seen(directory.as_std_path(), top) else { continue };
        let (Some(near), Some(name)) = (checkouts.ancestors().nth(levels), there.file_name())
        else {
            continue;
        };
        link_to(&there, &near.join(name))?;
    }
    Ok(())
}

/// Links to `there`, unless the name is taken: by the same link, or by what is ours.
fn link_to(there: &Path, link: &Path) -> Result<(), Failure> {
    if link.symlink_metadata().is_ok() {
        return Ok(());
    }
    symlink(there, link).map_err(|e| Failure::io("link", link, &e))
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
