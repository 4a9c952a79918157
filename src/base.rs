//! The base revision: where it was built, for whoever compares with it.
//!
//! `cargo budget check --base` builds it and says here where it is; by hand it is two variables.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use perf_budget_core::budget;
use perf_budget_core::error::Error;

use crate::worker::process::Build;

/// The base's test binary; several, as a search path is written, where it was linked several times.
const BINARY: &str = "PERF_BUDGET_BASE";
/// The base's test binaries that times are compared with, where those are others: links of a build of their own.
const LINKS: &str = "PERF_BUDGET_BASE_LINKS";
/// What is to be said of each comparison of times, a line each.
const LINK_NOTES: &str = "PERF_BUDGET_BASE_LINK_NOTES";
/// The directory with the base's `budgets.toml`, where it is not above the binary.
const DIRECTORY: &str = "PERF_BUDGET_BASE_DIR";
/// This revision's test binaries that times are compared by, where they are others than this process's.
const HEAD: &str = "PERF_BUDGET_HEAD";
/// What the base has none of, where there is nothing of it to compare with: the change adopts this gate.
const LACKS: &str = "PERF_BUDGET_BASE_LACKS";
/// What is to be said of each comparison with it, a line each.
const NOTES: &str = "PERF_BUDGET_BASE_NOTES";

/// A revision that was built to compare with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Base {
    /// Its test binary as cargo builds it, and where it runs; `None` where it has no budget.
    binary: Option<Build>,
    /// Its test binaries that times are compared with, alike but for how they were linked.
    links: Vec<Build>,
    /// This revision's, likewise; none where it is this process's.
    head_links: Vec<Build>,
    /// Where its `budgets.toml` is.
    pub(crate) root: PathBuf,
    /// The names of its budgets; `None` where its file cannot be read as it is today.
    names: Option<HashSet<String>>,
    /// What is to be said of each comparison with it.
    pub(crate) notes: Vec<String>,
    /// What is to be said of each comparison of times.
    pub(crate) link_notes: Vec<String>,
}

impl Base {
    /// What the environment says, for budgets in a file of the same name as `file`; `None` where it says
    /// nothing.
    ///
    /// # Errors
    /// Where it names what is not there.
    pub(crate) fn of_environment(file: &Path) -> Result<Option<Base>, Error> {
        let paths = |name| -> Vec<PathBuf> {
            let text = std::env::var_os(name).unwrap_or_default();
            std::env::split_paths(&text).filter(|path| !path.as_os_str().is_empty()).collect()
        };
        let said = |name| std::env::var(name).ok().filter(|text| !text.is_empty());
        let binaries = paths(BINARY);
        if binaries.is_empty() {
            return Ok(said(LACKS).map(|_| Base::without_budgets()));
        }
        let lines = |name| -> Vec<String> {
            said(name).unwrap_or_default().lines().map(str::to_owned).collect()
        };
        let directory = std::env::var_os(DIRECTORY).map(PathBuf::from);
        let file = file.file_name().unwrap_or(std::ffi::OsStr::new("budgets.toml"));
        let links = match paths(LINKS) {
            none if none.is_empty() => binaries.clone(),
            links => links,
        };
        let base = Base::new(&binaries[0], [&links, &paths(HEAD)], directory, Path::new(file))?;
        Ok(Some(Base { notes: lines(NOTES), link_notes: lines(LINK_NOTES), ..base }))
    }

    /// One of before there were any.
    fn without_budgets() -> Base {
        Base {
            binary: None,
            links: Vec::new(),
            head_links: Vec::new(),
            root: PathBuf::new(),
            names: Some(HashSet::new()),
            notes: Vec::new(),
            link_notes: Vec::new(),
        }
    }

    fn new(
        binary: &Path,
        [links, head_links]: [&[PathBuf]; 2],
        directory: Option<PathBuf>,
        file: &Path,
    ) -> Result<Base, Error> {
        let named = std::iter::once((BINARY, binary));
        let named = named.chain(links.iter().map(|path| (LINKS, path.as_path())));
        for (variable, path) in named.chain(head_links.iter().map(|path| (HEAD, path.as_path()))) {
            if !path.is_file() {
                return Err(Error::other(format!(
                    "{variable} names `{}`, which is no file; it is the path of a test binary, as \
                     `cargo test --no-run` prints it",
                    path.display()
                )));
            }
        }
        let absolute =
            |path: &Path| std::path::absolute(path).map_err(|e| Error::io("resolve", path, e));
        let binary = absolute(binary)?;
        let above =
            |path: &Path| path.ancestors().find(|dir| dir.join(file).is_file()).map(Path::to_owned);
        let root = match directory {
            Some(directory) => absolute(&directory)?,
            None => above(&binary).ok_or_else(|| {
                Error::other(format!(
                    "there is no {} above `{}`; set {DIRECTORY} to the directory that the base \
                     revision's is in",
                    file.display(),
                    binary.display()
                ))
            })?,
        };
        let there = root.join(file);
        let names = if there.is_file() {
            let budgets = budget::load(&there).ok();
            budgets.map(|file| file.budgets.into_iter().map(|budget| budget.name).collect())
        } else {
            Some(HashSet::new())
        };
        // As they are now, so that another one in their place is noticed.
        let builds = |paths: &[PathBuf], package: Option<&PathBuf>| {
            let build = |path: &PathBuf| Ok(Build::of(absolute(path)?, package.cloned()));
            paths.iter().map(build).collect::<Result<Vec<_>, Error>>()
        };
        Ok(Base {
            binary: Some(Build::of(binary, Some(root.clone()))),
            links: builds(links, Some(&root))?,
            head_links: builds(head_links, None)?,
            root,
            names,
            notes: Vec::new(),
            link_notes: Vec::new(),
        })
    }

    /// Its test binary as cargo builds it.
    pub(crate) fn build(&self) -> Option<&Build> {
        self.binary.as_ref()
    }

    /// Its test binaries that times are compared with.
    pub(crate) fn links(&self) -> &[Build] {
        &self.links
    }

    /// This revision's, where they are others than this process's.
    pub(crate) fn head_links(&self) -> &[Build] {
        &self.head_links
    }

    /// How often both revisions were linked.
    pub(crate) fn layouts(&self) -> usize {
        self.links.len().min(self.head_links.len()).max(1)
    }

    /// Whether the base has a budget of this name: without one there is nothing to compare with. What
    /// cannot be told is tried.
    pub(crate) fn has(&self, budget: &str) -> bool {
        self.names.as_ref().is_none_or(|names| names.contains(budget))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_base_has_is_what_its_file_says() {
        let dir = std::env::temp_dir().join(format!("perf-budget-base-{}", std::process::id()));
        let binary = dir.join("target/release/deps/budgets-1");
        std::fs::create_dir_all(binary.parent().unwrap()).unwrap();
        std::fs::write(&binary, "").unwrap();
        let base = |directory| {
            let links = [std::slice::from_ref(&binary), &[]];
            Base::new(&binary, links, directory, Path::new("budgets.toml"))
        };
        let reason = base(None).unwrap_err().to_string();
        assert!(reason.contains("there is no budgets.toml above"), "{reason}");
        assert!(!base(Some(dir.clone())).unwrap().has("old"));
        std::fs::write(
            dir.join("budgets.toml"),
            "[budget.old]\nworkload = \"w\"\nmax = { p50 = \"1 ms\" }\n",
        )
        .unwrap();
        let found = base(None).unwrap();
        assert_eq!(found.root, dir);
        assert!(found.has("old") && !found.has("new"));
        // A file from before, or after, today's rules: whether it has the budget is not known.
        std::fs::write(dir.join("budgets.toml"), "[budget.old]\nworkloads = \"w\"\n").unwrap();
        assert!(base(None).unwrap().has("new"));
        let reason =
            Base::new(&dir.join("none"), [&[], &[]], None, Path::new("budgets.toml")).unwrap_err();
        assert!(reason.to_string().contains("no file"), "{reason}");
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
