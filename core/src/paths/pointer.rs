//! Pointers to results that are not in the default target directory of their workspace.
//!
//! A configuration file, a variable or `--target-dir` can put cargo's target directory anywhere, and only the run
//! itself knows where it was. So each run that keeps its results elsewhere leaves a small file in the default place,
//! where the command finds it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::{atomic, exact, fnv};

/// The directory of the pointers, in a directory of results.
const POINTERS: &str = "elsewhere";

/// The most pointers in a directory. Older ones are removed.
const MOST: usize = 8;

/// The content of the file of a pointer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Written {
    /// The directory of results: from the workspace if it is below that, so that the workspace can be renamed.
    results: PathBuf,
    /// When the last run that kept its results there began, in seconds since 1970.
    began: u64,
    /// The project that has its results there, as [`checkout`](super::checkout) names it.
    checkout: String,
}

/// A directory in which a project may have results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The directory.
    pub results: PathBuf,
    /// When the last run that kept its results there began, in seconds since 1970, as a pointer says; `None` for a
    /// default place.
    pub began: Option<u64>,
}

/// Leaves a pointer in the workspace of `package`: a run of the project `checkout` that began at the time `began` has its
/// results in the directory `results`. If that is the default place of the workspace, no pointer is needed.
///
/// # Errors
/// If the pointer cannot be written.
pub fn leave(package: &Path, results: &Path, began: u64, checkout: &str) -> Result<(), Error> {
    let resolve = |path: &Path| path.canonicalize().map_err(|e| Error::io("resolve", path, e));
    let workspace = resolve(&workspace(package))?;
    let default = default(&workspace);
    let results = resolve(results)?;
    if default.canonicalize().is_ok_and(|default| default == results) {
        return Ok(());
    }
    let relative = results.strip_prefix(&workspace).map_or(results.as_path(), |below| below);
    let written = Written { results: relative.to_owned(), began, checkout: checkout.to_owned() };
    let directory = default.join(POINTERS);
    let place = relative.as_os_str().as_encoded_bytes();
    let name = fnv::name(&[place, &[0], checkout.as_bytes()].concat());
    atomic::write_json(&directory.join(format!("{name}.json")), &written)?;
    // If cargo builds elsewhere, git may not ignore the default place.
    let ignored = directory.join(".gitignore");
    std::fs::write(&ignored, "*\n").map_err(|e| Error::io("write", &ignored, e))?;
    prune(&directory);
    Ok(())
}

/// Removes all but the newest pointers, so that there are not too many of them if results are often in a new place.
fn prune(directory: &Path) {
    let mut pointers = read(directory);
    while pointers.len() > MOST {
        let began = |at: &usize| pointers[*at].1.began;
        let Some(oldest) = (0..pointers.len()).min_by_key(began) else { return };
        // Another process may have removed it.
        let _ = std::fs::remove_file(pointers.swap_remove(oldest).0);
    }
}

/// Returns the pointers in a directory with the paths of their files. One that cannot be read is left out.
fn read(directory: &Path) -> Vec<(PathBuf, Written)> {
    let mut pointers = Vec::new();
    let Ok(entries) = std::fs::read_dir(directory) else { return pointers };
    for entry in entries {
        let Ok(entry) = entry else { continue };
        let path = entry.path();
        let is_pointer = path.extension().is_some_and(|ending| ending == "json") && path.is_file();
        let text = if is_pointer { std::fs::read(&path).ok() } else { None };
        if let Some(written) = text.and_then(|text| exact::read(&text).ok()) {
            pointers.push((path, written));
        }
    }
    pointers
}

/// Returns the directories in which the project in `root` may have results: the default target directories of `root`
/// and of the directories above it, and the directories that pointers of this `checkout` in them name. A pointer that
/// cannot be read is left out, and so is a default place that has nothing but pointers.
pub fn places(root: &Path, checkout: &str) -> Vec<Place> {
    let mut places = Vec::new();
    for workspace in root.ancestors() {
        let results = default(workspace);
        let pointers = read(&results.join(POINTERS)).into_iter().map(|(_, written)| written);
        places.extend(pointers.filter(|written| written.checkout == checkout).map(|written| {
            Place { results: workspace.join(written.results), began: Some(written.began) }
        }));
        if has_results(&results) {
            places.push(Place { results, began: None });
        }
    }
    places
}

/// Whether there is something else than pointers in a directory of results.
fn has_results(results: &Path) -> bool {
    let mut entries = std::fs::read_dir(results).into_iter().flatten().flatten();
    entries.any(|entry| entry.file_name() != POINTERS)
}

/// Returns the directory of results in the default target directory of a workspace.
pub fn default(workspace: &Path) -> PathBuf {
    workspace.join("target").join("budgets")
}

/// Returns the root of the workspace that a package belongs to: the nearest directory upwards whose manifest has a
/// table `workspace`, otherwise the package's own.
pub(super) fn workspace(package: &Path) -> PathBuf {
    let is_root = |dir: &&Path| {
        let text = std::fs::read_to_string(dir.join("Cargo.toml")).unwrap_or_default();
        let mut lines = text.lines().map(str::trim_start);
        lines.any(|line| line.starts_with("[workspace]") || line.starts_with("[workspace."))
    };
    package.ancestors().find(is_root).unwrap_or(package).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns an empty directory that no other test has.
    fn scratch(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("perf-budget-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        dir.canonicalize().unwrap()
    }

    fn places(root: &Path) -> Vec<Place> {
        super::places(root, "here")
    }

    #[test]
    fn results_that_are_elsewhere_are_found_from_the_workspace_and_from_its_packages() {
        let root = scratch("elsewhere");
        let (work, member) = (root.join("work"), root.join("work/member"));
        for dir in [&member, &work.join("built/budgets"), &root.join("far")] {
            std::fs::create_dir_all(dir).unwrap();
        }
        std::fs::write(work.join("Cargo.toml"), "[workspace]\nmembers = [\"member\"]\n").unwrap();
        std::fs::write(member.join("Cargo.toml"), "[package]\nname = \"member\"\n").unwrap();
        assert_eq!(places(&member), []);
        leave(&member, &work.join("built/budgets"), 7, "here").unwrap();
        leave(&member, &root.join("far"), 8, "here").unwrap();
        leave(&member, &root.join("far"), 9, "here").unwrap();
        let found = |root: &Path| {
            let mut found = places(root);
            found.sort_by_key(|place| place.began);
            found
        };
        let place = |results: PathBuf, began| Place { results, began };
        let want = |work: &Path| {
            [place(work.join("built/budgets"), Some(7)), place(root.join("far"), Some(9))]
        };
        leave(&member, &root.join("far"), 99, "elsewhere").unwrap();
        assert_eq!(found(&member), want(&work));
        // The folder is renamed.
        let renamed = root.join("renamed");
        std::fs::rename(&work, &renamed).unwrap();
        assert_eq!(found(&renamed.join("member")), want(&renamed));
        // Something was kept in the default place too.
        std::fs::create_dir(renamed.join("target/budgets/benchmarks")).unwrap();
        assert_eq!(found(&renamed)[0], place(renamed.join("target/budgets"), None));
        assert_eq!(found(&renamed)[1..], want(&renamed));
        std::fs::remove_dir_all(&root).unwrap();
    }

    #[test]
    fn results_in_the_default_place_need_no_pointer() {
        let root = scratch("here");
        let results = default(&root);
        std::fs::create_dir_all(&results).unwrap();
        std::fs::write(results.join("outcomes.jsonl"), "").unwrap();
        leave(&root, &results, 7, "here").unwrap();
        assert_eq!(places(&root), [Place { results: results.clone(), began: None }]);
        // A file that is not a pointer is left out.
        std::fs::create_dir(results.join(POINTERS)).unwrap();
        std::fs::write(results.join(POINTERS).join("a.json"), "{").unwrap();
        assert_eq!(places(&root).len(), 1);
        // Only the newest are kept.
        for n in 0..2 * MOST as u64 {
            let far = root.join(format!("far-{n}"));
            std::fs::create_dir(&far).unwrap();
            leave(&root, &far, n, "here").unwrap();
        }
        let mut newest: Vec<u64> = places(&root).iter().filter_map(|place| place.began).collect();
        newest.sort_unstable();
        assert_eq!(newest, (MOST as u64..2 * MOST as u64).collect::<Vec<_>>());
        std::fs::remove_dir_all(&root).unwrap();
    }
}
