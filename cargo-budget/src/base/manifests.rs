//! Path dependencies that lead out of the repository, such as `../sibling`: the base gets the very directory that this
//! revision has.
//!
//! What such a path leads to is in no commit, so both revisions are built with it as it is now. Cargo derives the
//! names of symbols from a package's path, and the compiler writes it into what panics. A link beside the checkout
//! would have another path: the same sources would then give two binaries whose functions have other names and stand
//! in another order. So the base's manifests name the directory itself. Git is told that this is no change, lest a
//! build script that asks for one found it.

use std::path::{Component, Path, PathBuf};

use cargo_metadata::Metadata;
use toml_edit::{DocumentMut, Item, TableLike, Value};

use super::configuration::canonical;
use crate::failure::Failure;
use crate::git::git;

/// Tables of dependencies by their names.
const TABLES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// Has the manifests of the checkout that begins at `base` name what theirs in the repository at `head` lead to
/// outside of it, and says whether any does.
pub(super) fn lead_out(base: &Path, head: &Path) -> Result<bool, Failure> {
    let listed = git(base, ["ls-files", "-z", "--", "Cargo.toml", "**/Cargo.toml"])?;
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let mut any = false;
    for name in listed.split('\0').filter(|name| !name.is_empty()) {
        let path = base.join(name);
        // One that cannot be read, or is none, is cargo's to complain about.
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let at = head.join(name);
        let Some(changed) = at.parent().and_then(|at| rewritten(&text, at, head)) else { continue };
        any = true;
        if changed == text {
            continue;
        }
        let done = git(base, ["update-index", "--skip-worktree", "--", name])?;
        if !done.status.success() {
            return Err(Failure::unmeasured(format!(
                "failed to have git overlook `{}`: {}",
                path.display(),
                crate::git::said(&done)
            )));
        }
        std::fs::write(&path, changed).map_err(|e| Failure::io("write", &path, &e))?;
    }
    Ok(any)
}

/// That no package of the repository at `head` is part of the base's build: a dependency outside of it may lead back.
pub(super) fn nothing_leads_back(base: &Metadata, head: &Path) -> Result<(), Failure> {
    let Some(head) = canonical(head) else { return Ok(()) };
    let mut own = base.packages.iter().filter(|package| package.source.is_none());
    let back = own.find(|package| {
        canonical(package.manifest_path.as_std_path()).is_some_and(|path| path.starts_with(&head))
    });
    back.map_or(Ok(()), |package| {
        Err(Failure::unmeasured(format!(
            "the base would be built with this revision's `{}`, since a package outside of the repository depends on \
             `{}` by its path; name it by a version or by git there",
            package.name, package.manifest_path
        )))
    })
}

/// A manifest that stands in `at`, with each path that leads out of `top` made whole; `None` where none does.
fn rewritten(text: &str, at: &Path, top: &Path) -> Option<String> {
    let mut document: DocumentMut = text.parse().ok()?;
    let mut found = false;
    let mut dependencies = |table: &mut dyn TableLike| {
        for (_, dependency) in table.iter_mut() {
            found |= dependency.as_table_like_mut().is_some_and(|one| whole(one, at, top));
        }
    };
    each_table(document.as_table_mut(), &mut dependencies);
    for name in ["workspace", "target", "patch"] {
        let Some(table) = document.get_mut(name).and_then(Item::as_table_like_mut) else {
            continue;
        };
        if name == "workspace" {
            each_table(table, &mut dependencies);
            continue;
        }
        for (_, item) in table.iter_mut() {
            let Some(inner) = item.as_table_like_mut() else { continue };
            if name == "patch" {
                dependencies(inner);
            } else {
                each_table(inner, &mut dependencies);
            }
        }
    }
    if let Some(table) = document.get_mut("replace").and_then(Item::as_table_like_mut) {
        dependencies(table);
    }
    found.then(|| document.to_string())
}

fn each_table(table: &mut dyn TableLike, with: &mut dyn FnMut(&mut dyn TableLike)) {
    for name in TABLES {
        if let Some(inner) = table.get_mut(name).and_then(Item::as_table_like_mut) {
            with(inner);
        }
    }
}

/// Makes the path of a dependency whole where it leads out of `top`, and says whether it does.
fn whole(dependency: &mut dyn TableLike, at: &Path, top: &Path) -> bool {
    let Some(value) = dependency.get_mut("path").and_then(Item::as_value_mut) else { return false };
    let Some(path) = value.as_str() else { return false };
    let there = normal(&at.join(path));
    let Some(text) = there.to_str().filter(|_| !there.starts_with(top) && there.is_dir()) else {
        return false;
    };
    *value = Value::from(text);
    true
}

/// A path without `.` and `..`, as cargo reads it: links are not resolved.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(normal.pop()),
            Component::CurDir => {}
            other => normal.push(other),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leads_out_is_named_whole_and_nothing_else() {
        let place = tempfile::tempdir().unwrap();
        let top = place.path().join("repo");
        let sibling = place.path().join("kit");
        std::fs::create_dir_all(top.join("member")).unwrap();
        std::fs::create_dir_all(&sibling).unwrap();
        let kit = sibling.to_str().unwrap();
        for (before, after) in [
            (
                "[dependencies]\nkit = { path = \"../../kit\" } # ours\n",
                Some(format!("[dependencies]\nkit = {{ path = {kit:?} }} # ours\n")),
            ),
            (
                "[dependencies.kit]\npath = \"../../kit\"\n",
                Some(format!("[dependencies.kit]\npath = {kit:?}\n")),
            ),
            (
                "[target.'cfg(unix)'.dev-dependencies]\nkit = { path = \"../../kit\" }\n",
                Some(format!(
                    "[target.'cfg(unix)'.dev-dependencies]\nkit = {{ path = {kit:?} }}\n"
                )),
            ),
            (
                "[workspace.dependencies]\nkit = { path = \"../.././kit\", version = \"1\" }\n",
                Some(format!(
                    "[workspace.dependencies]\nkit = {{ path = {kit:?}, version = \"1\" }}\n"
                )),
            ),
            (
                "[patch.crates-io]\nkit = { path = \"../../kit\" }\n",
                Some(format!("[patch.crates-io]\nkit = {{ path = {kit:?} }}\n")),
            ),
            // In the repository, not there, of a registry, no manifest.
            ("[dependencies]\nkit = { path = \"../other\" }\n", None),
            ("[dependencies]\nkit = { path = \"../../none\" }\n", None),
            ("[dependencies]\nkit = \"1\"\n", None),
            ("[dependencies\n", None),
        ] {
            let got = rewritten(before, &top.join("member"), &top);
            assert_eq!(got, after, "{before}");
            // A second time it is as it was.
            if let Some(after) = after {
                assert_eq!(rewritten(&after, &top.join("member"), &top).as_ref(), Some(&after));
            }
        }
    }
}
