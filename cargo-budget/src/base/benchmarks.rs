//! The benchmarks of both revisions, built to be compared: each package of the workspace in one codegen unit, so that a
//! change leaves the machine code alone of what it does not touch.
//!
//! A program that is the same in both revisions need not be measured. If none of the files that differ has a part in
//! any program, the base is not even built.

use std::path::{Path, PathBuf};
use std::time::Duration;

use perf_budget_core::benchmarks::List;
use perf_budget_core::budget::{Budgets, CodegenUnits, Reference, Subject};
use perf_budget_core::build::{BenchBuild, Benches, Ended, Program, Site, Step};
use perf_budget_core::fnv;
use perf_budget_core::handover::{Benchmarks, EqualProgram};
use perf_budget_core::outcome::{By, Cause, Proven, Unmeasured, short};

use super::build::{Built, Side};
use super::compared::{Revision, words};
use super::start::start;
use super::unchanged::{BaseTree, Comparison, Head, Revisions};
use super::{members, shared};
use crate::child;
use crate::failure::Failure;

/// The longest time that a program may take to list its benchmarks.
const LISTING: Duration = Duration::from_secs(60);
/// Said of every comparison, until there are several links of each side.
const ONE_LINK: &str =
    "one link of each side: chance in the addresses of functions affects the result";

/// What is needed to build the benchmarks of both revisions.
pub(super) struct Both<'a> {
    pub(super) commit: &'a str,
    /// The directory for the lists of benchmarks.
    pub(super) lists: PathBuf,
    /// The target directory that all bases are built in.
    pub(super) target_dir: &'a Path,
    /// The top of the base's checkout.
    pub(super) checkout: &'a Path,
    pub(super) head: Revision<'a>,
    pub(super) base: Revision<'a>,
    /// The top of the repository, and the project's directory in it.
    pub(super) place: (&'a Path, &'a str),
    pub(super) budgets: &'a Budgets,
    /// The base's budgets, where they can be read.
    pub(super) before: Option<&'a Budgets>,
    /// Whether what has not changed is proven, and not measured.
    pub(super) proves: bool,
    /// Whether both revisions have the same configuration, so that the base can use this revision's dependencies.
    pub(super) has_same_configuration: bool,
    /// Whether the base has packages of a directory that replaces a registry.
    pub(super) is_vendored: bool,
}

/// Returns the ways in which budgets have benchmarks built that are compared with the base.
pub(super) fn ways(budgets: &Budgets) -> Vec<BenchBuild> {
    let mut ways = Vec::new();
    for budget in &budgets.budgets {
        let is_compared = budget.limits.iter().any(|l| l.reference() == Some(&Reference::Base))
            || (budget.base && budgets.settings.base.is_some());
        let way = BenchBuild::of(&budget.subject, &budget.build);
        if matches!(budget.subject, Subject::Benchmark(..)) && is_compared && !ways.contains(&way) {
            ways.push(way);
        }
    }
    ways
}

impl Both<'_> {
    /// Builds the benchmarks in one way. `prepare` is called before the base is built.
    pub(super) fn build(
        &self,
        way: &BenchBuild,
        prepare: &mut dyn FnMut() -> Result<(), Failure>,
        tell: &dyn Fn(&str),
    ) -> Result<Benchmarks, Failure> {
        let short = short(self.commit);
        tell("building the benchmarks to compare them");
        let (built, head) = self.side(way, self.head)?;
        let BenchBuild { features, profile, all, .. } = way.clone();
        let units = self.units(self.head);
        let notes =
            vec![words(units, self.head.workspace.is_some()).to_owned(), ONE_LINK.to_owned()];
        let head_list = self.list("head", way, &built, head.note(), tell)?;
        let mut benchmarks = Benchmarks {
            features,
            profile,
            all,
            head: head_list.0,
            base: None,
            equal: Vec::new(),
            notes,
        };
        let programs = head_list.1.programs;
        let equal = |by: By, program: &perf_budget_core::benchmarks::Program| EqualProgram {
            program: program.written.clone(),
            proven: Proven { by, commit: self.commit.to_owned() },
        };
        let own = Built { binary: PathBuf::new(), messages: built.messages };
        let proof = self.proof(&own, tell);
        match proof.as_ref().map(Comparison::difference_of_files) {
            // Where something was not built, nothing is known of it.
            Some(None) if built.faults.is_empty() => {
                tell(&format!(
                    "nothing that a benchmark runs has changed since {short}, which is not built"
                ));
                benchmarks.equal =
                    programs.iter().map(|program| equal(By::Files, program)).collect();
                return Ok(benchmarks);
            }
            Some(Some(why)) => tell(&format!("building the benchmarks of {short}: {why}")),
            Some(None) | None => tell(&format!("building the benchmarks of {short}")),
        }
        prepare()?;
        let is_alike = self.has_same_configuration && !self.is_vendored;
        if let (Some(workspace), true) = (self.head.workspace, is_alike)
            && !shared::is_built(self.target_dir, self.commit, self.checkout)
        {
            own.lend(workspace.target_directory.as_std_path(), self.target_dir);
        }
        let build = || self.side(way, self.base);
        let (built, how) =
            shared::build(self.target_dir, (self.commit, self.is_vendored), self.checkout, build)?;
        let (file, list) = self.list("base", way, &built, how.note(), tell)?;
        benchmarks.base = Some(file);
        if let (Some(proof), Some(workspace)) = (&proof, self.base.workspace) {
            let workspace = workspace.workspace_root.as_std_path();
            let tree = BaseTree { top: self.checkout, workspace };
            for program in &programs {
                let name = (&program.package, &program.target);
                let other =
                    list.programs.iter().find(|other| (&other.package, &other.target) == name);
                let Some(other) = other else { continue };
                let why = proof.difference_of_sections([&other.binary, &program.binary], tree);
                match why {
                    None => benchmarks.equal.push(equal(By::Sections, program)),
                    Some(why) => {
                        tell(&format!("measuring the benchmarks of `{}`: {why}", program.target));
                    }
                }
            }
            let count = benchmarks.equal.len();
            if count > 0 {
                tell(&format!(
                    "{count} of {} programs of benchmarks are the same machine code as at {short}",
                    programs.len()
                ));
            }
        }
        Ok(benchmarks)
    }

    fn units(&self, revision: Revision<'_>) -> CodegenUnits {
        match revision.workspace {
            Some(_) => self.budgets.settings.codegen_units,
            None => CodegenUnits::AsBuilt,
        }
    }

    /// Builds one revision.
    fn side(
        &self,
        way: &BenchBuild,
        revision: Revision<'_>,
    ) -> Result<(Benches, BenchBuild), Failure> {
        let one_unit = match (self.units(revision), revision.workspace) {
            (CodegenUnits::One, Some(workspace)) => members::specs(workspace, revision.files),
            (CodegenUnits::One | CodegenUnits::AsBuilt, _) => Vec::new(),
        };
        let how = BenchBuild { one_unit, ..way.clone() };
        let (environment, target) = match revision.side {
            Side::Head => (None, None),
            Side::Base { environment, target_dir } => {
                (Some(environment), Some(target_dir.to_owned()))
            }
        };
        let root = revision.root.to_owned();
        let site = Site { root: root.clone(), package: root, target, triple: None };
        let built = how
            .build(&site, &|step| start(step, environment))
            .map_err(|why| Failure::unmeasured(why.to_string()))?;
        Ok((built, how))
    }

    /// Lists what was built, and returns the list with its file.
    fn list(
        &self,
        name: &str,
        way: &BenchBuild,
        built: &Benches,
        note: String,
        tell: &dyn Fn(&str),
    ) -> Result<(PathBuf, List), Failure> {
        let key = fnv::name(format!("{} {}", self.head.root.display(), way.key()).as_bytes());
        let file = self.lists.join(format!("{name}-{key}.json"));
        let list = List::of(built, note, List::read(&file).as_ref(), &ask);
        for fault in &list.faults {
            tell(&format!("{name}: {}", fault.reason().text));
        }
        list.write(&file).map_err(|e| Failure::unmeasured(e.to_string()))?;
        Ok((file, list))
    }

    fn proof<'p>(&'p self, built: &'p Built, tell: &dyn Fn(&str)) -> Option<Comparison<'p>> {
        let metadata = self.head.workspace.filter(|_| self.proves)?;
        let (top, prefix) = self.place;
        let Revision { root, files, .. } = self.head;
        let head = Head { root, top, prefix, built, metadata, files };
        let Both { commit, budgets, before, .. } = *self;
        Comparison::of(Revisions { head, commit, budgets, before }, tell)
    }
}

/// Asks a program which benchmarks it has.
fn ask(step: &Step) -> Result<Ended, Unmeasured> {
    let Program::Named(program) = &step.program else {
        return Err(Unmeasured::new(Cause::Harness, "cargo has no benchmarks"));
    };
    let mut command = child::program(program);
    command.args(&step.args).current_dir(&step.dir).env_remove("CARGO_CRITERION_PORT");
    command.envs(step.env.iter().map(|(name, value)| (name, value)));
    let ended = child::output_within(&mut command, LISTING)
        .map_err(|e| Unmeasured::new(Cause::Harness, format!("it was not started: {e}")))?;
    let child::Answer { code, stdout, stderr } = ended.ok_or_else(|| {
        Unmeasured::new(
            Cause::TimedOut,
            format!("it did not end within {LISTING:?} and was killed"),
        )
    })?;
    let messages = String::from_utf8_lossy(&stderr).into_owned();
    Ok(Ended { code, stdout, messages: (!messages.trim().is_empty()).then_some(messages) })
}
