//! The base revision: where it was built, for whoever compares with it.
//!
//! `cargo budget check --base` builds it and hands it over; by hand it is two variables.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use perf_budget_core::budget::{self, Budget, Limit};
use perf_budget_core::error::Error;
use perf_budget_core::handover::{
    self, BINARIES, DIRECTORY, HEADS, Handover, LINKS, Unchanged, Written,
};
use perf_budget_core::outcome::Proven;

use crate::worker::process::Build;

/// A revision that was built to compare with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Base {
    /// Its test binary as cargo builds it, and where it runs; `None` where it was not built.
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
    /// What need not be measured; `None` where everything is.
    unchanged: Option<Unchanged>,
}

impl Base {
    /// What the environment says, for budgets in a file of the same name as `file`; `None` where it says
    /// nothing.
    ///
    /// # Errors
    /// Where it names what is not there.
    pub(crate) fn of_environment(file: &Path) -> Result<Option<Base>, Error> {
        let Some(handover) = Handover::from_env(|name| std::env::var_os(name))? else {
            return Ok(None);
        };
        if handover.told.lacks.is_some() {
            return Ok(Some(Base::without_budgets()));
        }
        let always = handover::measures_always(|name| std::env::var_os(name))?;
        let file = file.file_name().unwrap_or(std::ffi::OsStr::new("budgets.toml"));
        let base = Base::new(&handover, Path::new(file))?;
        // It holds for the binary that it was found of, and for no other.
        let is_this = |unchanged: &Unchanged| {
            let this = std::env::current_exe().ok();
            this.is_some_and(|this| Written::of(&this).is_ok_and(|this| this == unchanged.head))
        };
        let told = handover.told;
        let unchanged = told.unchanged.filter(|unchanged| !always && is_this(unchanged));
        Ok(Some(Base { notes: told.notes, link_notes: told.link_notes, unchanged, ..base }))
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
            unchanged: None,
        }
    }

    fn new(handover: &Handover, file: &Path) -> Result<Base, Error> {
        let Handover { binaries, links, heads, directory, .. } = handover;
        for (variable, paths) in [(BINARIES, binaries), (LINKS, links), (HEADS, heads)] {
            if let Some(path) = paths.iter().find(|path| !path.is_file()) {
                return Err(Error::other(format!(
                    "{variable} names `{}`, which is no file; it is the path of a test binary, as \
                     `cargo test --no-run` prints it",
                    path.display()
                )));
            }
        }
        let absolute =
            |path: &Path| std::path::absolute(path).map_err(|e| Error::io("resolve", path, e));
        let binary = binaries.first().map(|path| absolute(path)).transpose()?;
        let above =
            |path: &Path| path.ancestors().find(|dir| dir.join(file).is_file()).map(Path::to_owned);
        let root = match directory {
            Some(directory) => absolute(directory)?,
            None => binary.as_deref().and_then(above).ok_or_else(|| {
                Error::other(format!(
                    "there is no {} above `{}`; set {DIRECTORY} to the directory that the base \
                     revision's is in",
                    file.display(),
                    binary.as_deref().unwrap_or(Path::new("")).display()
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
            binary: binary.map(|binary| Build::of(binary, Some(root.clone()))),
            links: builds(if links.is_empty() { binaries } else { links }, Some(&root))?,
            head_links: builds(heads, None)?,
            root,
            names,
            notes: Vec::new(),
            link_notes: Vec::new(),
            unchanged: None,
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

    /// Whether it was built. Where it was not, nothing can be compared with it, and what it would be compared for is proven
    /// or red.
    pub(crate) fn is_built(&self) -> bool {
        self.binary.is_some()
    }

    /// How it is known that a limit of `budget` against the base holds, without a measurement.
    pub(crate) fn proves(&self, budget: &Budget, limit: &Limit) -> Option<&Proven> {
        let unchanged = self.unchanged.as_ref()?;
        let holds = unchanged.covers(budget) && handover::holds_if_equal(limit);
        holds.then_some(&unchanged.proven)
    }

    /// From here on everything is measured, whatever is proven.
    pub(crate) fn measure_always(&mut self) {
        self.unchanged = None;
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
            let binaries = vec![binary.clone()];
            let handover = Handover { binaries, directory, ..Handover::default() };
            Base::new(&handover, Path::new("budgets.toml"))
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
        let none = Handover { binaries: vec![dir.join("none")], ..Handover::default() };
        let reason = Base::new(&none, Path::new("budgets.toml")).unwrap_err();
        assert!(reason.to_string().contains("no file"), "{reason}");
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
