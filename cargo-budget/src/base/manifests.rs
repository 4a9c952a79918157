//! Path dependencies that lead out of the repository, such as `../sibling`: the base is built with the same directory
//! as this revision.
//!
//! No commit contains such a package, so both revisions are built with it as it is now. Cargo derives the names of
//! symbols from a package's path, and the compiler writes the path into panic messages. If the base used a link
//! beside its checkout, the same sources would have another path, and so the functions of the two binaries would have
//! different names and a different order. So the base's manifests are rewritten to name the directory itself. Git is
//! told to ignore this change, because a build script may ask git whether the work tree is clean.

use std::path::{Component, Path, PathBuf};

use cargo_metadata::Metadata;
use toml_edit::{DocumentMut, Item, TableLike, Value};

use super::configuration::canonical;
use crate::failure::Failure;
use crate::git::git;

/// The names of the tables that hold dependencies.
const TABLES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// Rewrites the manifests of the checkout at `base`: each path that leads out of the repository becomes the absolute
/// path of the directory that it leads to from the repository at `head`. Returns whether there is such a path.
pub(super) fn rewrite_paths_that_lead_out(base: &Path, head: &Path) -> Result<bool, Failure> {
    let listed = git(base, ["ls-files", "-z", "--", "Cargo.toml", "**/Cargo.toml"])?;
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let mut any = false;
    for name in listed.split('\0').filter(|name| !name.is_empty()) {
        let path = base.join(name);
        // Cargo itself complains about a manifest that cannot be read.
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
                "failed to make git ignore the change of `{}`: {}",
                path.display(),
                crate::git::reason(&done)
            )));
        }
        std::fs::write(&path, changed).map_err(|e| Failure::io("write", &path, &e))?;
    }
    Ok(any)
}

/// Checks that the base's build contains no package of the repository at `head`. A dependency outside of the
/// repository may itself depend on a package in the repository.
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

/// Returns the text of a manifest in the directory `at` with each path that leads out of `top` made absolute; `None`
/// where there is no such path.
fn rewritten(text: &str, at: &Path, top: &Path) -> Option<String> {
    let mut document: DocumentMut = text.parse().ok()?;
    let mut found = false;
    let mut dependencies = |table: &mut dyn TableLike| {
        for (_, dependency) in table.iter_mut() {
            let table = dependency.as_table_like_mut();
            found |= table.is_some_and(|dependency| make_absolute(dependency, at, top));
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

/// Makes the path of a dependency absolute where it leads out of `top`, and returns whether it does.
fn make_absolute(dependency: &mut dyn TableLike, at: &Path, top: &Path) -> bool {
    let Some(value) = dependency.get_mut("path").and_then(Item::as_value_mut) else { return false };
    let Some(path) = value.as_str() else { return false };
    let there = normal(&at.join(path));
    let Some(text) = there.to_str().filter(|_| !there.starts_with(top) && there.is_dir()) else {
        return false;
    };
    *value = Value::from(text);
    true
}

/// Returns a path without `.` and `..`. Links are not resolved, as cargo does not resolve them either.
#[expect(clippy::wildcard_enum_match_arm, reason = "all other parts of a path are treated alike")]
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
    fn only_a_path_that_leads_out_is_made_absolute() {
        let place = tempfile::tempdir().unwrap();
        let top = place.path().join("repo");
        let sibling = place.path().join("kit");
        std::fs::create_dir_all(top.join("member")).unwrap();
        std::fs::create_dir_all(&sibling).unwrap();
        let kit = Value::from(sibling.to_str().unwrap());
        for (before, after) in [
            (
                "[dependencies]\nkit = { path = \"../../kit\" } # ours\n",
                Some(format!("[dependencies]\nkit = {{ path = {kit} }} # ours\n")),
            ),
            (
                "[dependencies.kit]\npath = \"../../kit\"\n",
                Some(format!("[dependencies.kit]\npath = {kit}\n")),
            ),
            (
                "[target.'cfg(unix)'.dev-dependencies]\nkit = { path = \"../../kit\" }\n",
                Some(format!("[target.'cfg(unix)'.dev-dependencies]\nkit = {{ path = {kit} }}\n")),
            ),
            (
                "[workspace.dependencies]\nkit = { path = \"../.././kit\", version = \"1\" }\n",
                Some(format!(
                    "[workspace.dependencies]\nkit = {{ path = {kit}, version = \"1\" }}\n"
                )),
            ),
            (
                "[patch.crates-io]\nkit = { path = \"../../kit\" }\n",
                Some(format!("[patch.crates-io]\nkit = {{ path = {kit} }}\n")),
            ),
            // These stay: a path in the repository, a path to nothing, a version from a registry, a broken manifest.
            ("[dependencies]\nkit = { path = \"../other\" }\n", None),
            ("[dependencies]\nkit = { path = \"../../none\" }\n", None),
            ("[dependencies]\nkit = \"1\"\n", None),
            ("[dependencies\n", None),
        ] {
            let got = rewritten(before, &top.join("member"), &top);
            assert_eq!(got, after, "{before}");
            // A second time nothing changes.
            if let Some(after) = after {
                assert_eq!(rewritten(&after, &top.join("member"), &top).as_ref(), Some(&after));
            }
        }
    }
}
