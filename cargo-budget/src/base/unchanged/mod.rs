//! The proof that something has not changed since the base, so that it need not be measured. There are three ways:
//!
//! - By files, before the base is built: no path that differs is used by what runs.
//! - By sections, once the base is built: both test binaries are the same in memory, and no file that a workload may read
//!   differs. Where cargo's own builds differ, the builds that times are compared with may still be the same. The reason is
//!   that a change in one function moves others to another codegen unit, unless there is only one unit.
//! - By reach, for each workload: the code that the workload can run is the same, though other code is not.
//!
//! Whatever cannot be proven is measured.

mod beside;
mod changed;
mod checks;
#[cfg(all(test, target_os = "linux"))]
mod cost;
mod facts;
mod image;
mod index;
mod inputs;
mod listed;
mod literals;
mod mentions;
#[cfg(test)]
mod mentions_tests;
mod reach;
mod revisions;
mod scripts;
mod subjects;
mod tools;
mod usage;
mod walks;
mod words;

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use glob::Pattern;
use perf_budget_core::blame;
use perf_budget_core::budget::{Budgets, Reference};
use perf_budget_core::handover::{Unchanged, Watched, Written, holds_if_equal};
use perf_budget_core::outcome::{CodeChanges, ComparisonMethod, Proven, short};
use perf_budget_core::suite::Suite;

use self::changed::Tree;
use self::inputs::{Inputs, Place};
pub(super) use self::revisions::{Head, Revisions};
use self::usage::{RevisionFacts, Step};
use crate::links::Repeated;

/// The base's sources.
#[derive(Debug, Clone, Copy)]
pub(super) struct BaseTree<'a> {
    /// The top of its checkout.
    pub(super) top: &'a Path,
    /// Its workspace.
    pub(super) workspace: &'a Path,
}

/// The subjects that are proven to reach nothing that differs.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reaching<'a> {
    /// The workloads of the test binary.
    Workloads,
    /// The benchmarks of a program, which is the one that was linked; this is the name of its target.
    Benchmarks(&'a str),
}

/// The comparison of both revisions: which paths differ, and what is known about them.
#[derive(Debug)]
pub(super) struct Comparison<'a> {
    revisions: Revisions<'a>,
    tree: Tree,
    known: RevisionFacts,
}

impl<'a> Comparison<'a> {
    /// Compares both revisions. Returns `None` where they cannot be compared, and tells the user why.
    pub(super) fn new(revisions: Revisions<'a>, tell: &dyn Fn(&str)) -> Option<Comparison<'a>> {
        Comparison::read(revisions).map_err(|why| tell(&measuring(revisions.commit, &why))).ok()
    }

    /// Proves that no path that differs is used by what runs. Returns `None` where one may be used, and tells the user
    /// which.
    pub(super) fn by_files(&self, tell: &dyn Fn(&str)) -> Option<Unchanged> {
        let short = short(self.revisions.commit);
        match self.files() {
            Ok(unchanged) => {
                tell(&if leaves_any(self.revisions.budgets, &unchanged) {
                    format!(
                        "nothing that a workload runs has changed since {short}, which is built for the other limits"
                    )
                } else {
                    format!(
                        "nothing that is limited against {short} has changed since, so it is not built"
                    )
                });
                Some(unchanged)
            }
            Err(why) => {
                tell(&format!("building {short} to compare with: {why}"));
                None
            }
        }
    }

    /// Proves that both test binaries are the same in memory, and that no file that they may read differs. Returns
    /// `None` otherwise, and tells the user what differs.
    pub(super) fn by_sections(
        &self,
        base: &Path,
        tree: BaseTree<'_>,
        tell: &dyn Fn(&str),
    ) -> Option<Unchanged> {
        match self.sections([base, &self.revisions.head.built.binary], tree) {
            Ok(unchanged) => {
                tell(&format!(
                    "the test binary is the same machine code as at {}",
                    short(self.revisions.commit)
                ));
                Some(unchanged)
            }
            Err(why) => {
                tell(&measuring(self.revisions.commit, &why));
                None
            }
        }
    }

    /// Proves that the builds that times are compared with, the base's and this revision's, are the same in memory.
    /// Returns `None` otherwise, and tells the user nothing: the reason was already told about cargo's own builds.
    pub(super) fn by_sections_of_times(
        &self,
        binaries: [&Path; 2],
        tree: BaseTree<'_>,
        tell: &dyn Fn(&str),
    ) -> Option<Unchanged> {
        let unchanged = self.sections(binaries, tree).ok()?;
        tell(&format!(
            "built to compare times, the test binary is the same machine code as at {}",
            short(self.revisions.commit)
        ));
        Some(unchanged)
    }

    /// Prepares the proof that a workload reaches only code that is the same in both revisions, for the builds that times are
    /// compared with. It makes copies of both programs, the base's first, in which the harness runs each workload once.
    /// Returns `None` where nothing can be proven in this way, and tells the user why. `place` is the directory of the copies.
    pub(super) fn by_reach(
        &self,
        links: [&Repeated; 2],
        tree: BaseTree<'_>,
        (place, reaching): (&Path, Reaching<'_>),
        tell: &dyn Fn(&str),
    ) -> Option<Watched> {
        let watch = || -> Result<_, String> {
            self.check_all_unused(Step::Sections)?;
            self.check_beside([&links[0].binary, &links[1].binary], tree, false)?;
            let [base, head] = self.starts(tree);
            let inputs = [links[0].inputs()?, links[1].inputs()?];
            let linked = |nth: usize, starts| reach::Linked {
                binary: &links[nth].binary,
                link: &inputs[nth],
                starts,
            };
            let (copies, differing) = reach::watch([linked(0, &base), linked(1, &head)], place)?;
            let program = match reaching {
                Reaching::Workloads => &self.revisions.head.built.binary,
                Reaching::Benchmarks(_) => &links[1].binary,
            };
            let of = Written::of(program).map_err(|e| e.to_string())?;
            let commit = self.revisions.commit.to_owned();
            let [base, head] = copies;
            Ok((Watched { commit, base, head, of }, differing))
        };
        match watch() {
            Ok((watched, differing)) => {
                let differ = match differing.len() {
                    1 => "1 function differs".to_owned(),
                    several => format!("{several} functions differ"),
                };
                let names = reach::list_first(&differing);
                tell(&match reaching {
                    Reaching::Workloads => format!(
                        "{differ}{names}; the times of a workload that reaches none of them are not measured"
                    ),
                    Reaching::Benchmarks(target) => format!(
                        "{differ} in the program `{target}`{names}; a benchmark that reaches none of them is not measured"
                    ),
                });
                Some(watched)
            }
            Err(why) => {
                tell(&match reaching {
                    Reaching::Workloads => {
                        format!("every workload is measured that is compared: {why}")
                    }
                    Reaching::Benchmarks(target) => {
                        format!("every benchmark of `{target}` is measured: {why}")
                    }
                });
                None
            }
        }
    }

    /// Returns why a program that was built with these inputs may have changed, by files; `None` where it has not.
    pub(super) fn difference_of_files(&self) -> Option<String> {
        self.check_files().err()
    }

    /// Returns why two programs may behave differently, by their sections and by the files that they may read; `None`
    /// where they behave the same. The base's program comes first.
    pub(super) fn difference_of_sections(
        &self,
        binaries: [&Path; 2],
        tree: BaseTree<'_>,
    ) -> Option<String> {
        self.check_sections(binaries, tree).err()
    }

    /// Returns the differences in what runs: files that are compiled or that decide how code is compiled, dependencies, and
    /// files that may be read at run time. `base` is the workspace of the base.
    pub(super) fn changed(&self, base: &Path) -> CodeChanges {
        let is_used = |path: &str| {
            self.known.inputs.has(path)
                || self.known.configuration.contains(path)
                || usage::decides(path)
        };
        let (used, others): (Vec<_>, Vec<_>) =
            self.tree.changes.iter().partition(|change| is_used(&change.path));
        let files = used.into_iter().map(|change| &change.path);
        let files = files.filter(|path| !path.ends_with("Cargo.lock"));
        let read = others.into_iter().filter(|c| self.known.use_of(c, Step::Sections).is_some());
        let lock =
            |workspace: &Path| fs::read_to_string(workspace.join("Cargo.lock")).unwrap_or_default();
        let now = lock(self.revisions.head.metadata.workspace_root.as_std_path());
        CodeChanges {
            files: files.cloned().collect(),
            dependencies: blame::changed(&lock(base), &now),
            read: read.map(|change| change.path.clone()).collect(),
        }
    }

    fn read(revisions: Revisions<'a>) -> Result<Comparison<'a>, String> {
        let real = |path: &Path| {
            path.canonicalize().map_err(|e| format!("`{}` cannot be resolved: {e}", path.display()))
        };
        let metadata = revisions.head.metadata;
        let (top, workspace) =
            (real(revisions.head.top)?, real(metadata.workspace_root.as_std_path())?);
        let target = real(metadata.target_directory.as_std_path())?;
        let place = Place { top: &top, workspace: &workspace, target: &target };
        let tree = Tree::compare(&top, revisions.commit).map_err(|failure| failure.text)?;
        let inputs = Inputs::find(&revisions.head.built.messages, place)?;
        let configuration: BTreeSet<String> =
            revisions.head.files.all().iter().flat_map(|file| place.both(file)).collect();
        let mut sources = facts::sources(&top, &inputs, revisions.budgets)?;
        for path in &configuration {
            facts::add_configuration(&mut sources, path, &top.join(path), true);
        }
        let outside = revisions.head.files.with_home().into_iter();
        for file in outside.filter(|file| place.both(file).is_empty()) {
            facts::add_configuration(&mut sources, &file.to_string_lossy(), &file, false);
        }
        let packages = facts::packages(metadata, place);
        let prefix = revisions.head.prefix.to_owned();
        let roots = usage::roots(&inputs, &prefix);
        listed::add(&mut sources, &tree, &inputs, &roots, &top);
        // A pattern counts only where the base has it too, so that a change cannot exempt itself from measuring.
        let declared = revisions.budgets.settings.inert.iter();
        let before = revisions.before.map_or(&[][..], |before| &before.settings.inert);
        let inert = declared.filter(|glob| before.contains(glob));
        let inert = inert.filter_map(|glob| Pattern::new(glob).ok()).collect();
        let variables =
            std::env::vars_os().filter(|(name, _)| !tools::describes(&name.to_string_lossy()));
        let places = tree.places();
        let given = tools::paths_in_variables(
            variables.map(|(_, value)| value.to_string_lossy().into_owned()),
            revisions.head.top,
            &|part| {
                let part = part.to_lowercase();
                let in_root =
                    |root: &String| places.contains(&format!("{}/{part}", root.to_lowercase()));
                places.contains(&part) || roots.iter().any(in_root)
            },
        );
        let links = tree.links.clone();
        let walker = OnceCell::new();
        let known = RevisionFacts {
            inputs,
            configuration,
            sources,
            packages,
            prefix,
            inert,
            given,
            links,
            walker,
        };
        Ok(Comparison { revisions, tree, known })
    }

    fn files(&self) -> Result<Unchanged, String> {
        self.check_files()?;
        let budgets = subjects::unchanged(self.revisions, &self.tree, &self.known);
        self.unchanged(ComparisonMethod::Files, budgets)
    }

    fn check_files(&self) -> Result<(), String> {
        if let Some(path) = self.known.inputs.paths.iter().find(|path| !self.tree.tracks(path)) {
            return Err(format!("`{path}` is compiled, and is not in git"));
        }
        if let Some(path) = self.known.configuration.iter().find(|path| !self.tree.tracks(path)) {
            return Err(format!("`{path}` decides how it is built, and is not in git"));
        }
        self.check_all_unused(Step::Files)
    }

    fn sections(&self, binaries: [&Path; 2], tree: BaseTree<'_>) -> Result<Unchanged, String> {
        self.check_sections(binaries, tree)
            .map_err(|why| format!("the test binaries differ: {why}"))?;
        self.unchanged(ComparisonMethod::Sections, Vec::new())
    }

    /// Checks that no change may affect what runs; the error names one that may.
    fn check_all_unused(&self, step: Step) -> Result<(), String> {
        let changes = &self.tree.changes;
        let use_of_one = changes.iter().find_map(|change| self.known.use_of(change, step));
        use_of_one.map_or(Ok(()), Err)
    }

    fn unchanged(&self, by: ComparisonMethod, budgets: Vec<String>) -> Result<Unchanged, String> {
        let head = Written::of(&self.revisions.head.built.binary).map_err(|e| e.to_string())?;
        let commit = self.revisions.commit.to_owned();
        Ok(Unchanged { proven: Proven { by, commit }, budgets, head })
    }
}

fn measuring(commit: &str, why: &str) -> String {
    format!("measuring what is limited against {}: {why}", short(commit))
}

/// Whether any limit against the base is on anything but a benchmark, which has a program of its own.
pub(super) fn compares_tests(budgets: &Budgets) -> bool {
    let suite = Suite::of(budgets, true);
    suite
        .tests
        .iter()
        .any(|test| test.limit.reference() == Some(&Reference::Base) && !test.is_benchmark())
}

/// Whether any limit still has to be measured against the base.
pub(super) fn leaves_any(budgets: &Budgets, unchanged: &Unchanged) -> bool {
    let suite = Suite::of(budgets, true);
    suite.tests.iter().any(|test| {
        // Benchmarks have programs of their own, and proofs of their own.
        let is_against_base =
            test.limit.reference() == Some(&Reference::Base) && !test.is_benchmark();
        let covered =
            unchanged.covers(&budgets.budgets[test.budget]) && holds_if_equal(&test.limit);
        is_against_base && !covered
    })
}
