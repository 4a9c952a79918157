//! The benchmarks of both revisions, built to be compared: each package of the workspace in one codegen unit, so that a
//! change does not alter the machine code of functions that it does not touch.
//!
//! A program that is the same in both revisions need not be measured. If none of the files that differ has a part in
//! any program, the base is not even built.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use perf_budget_core::atomic;
use perf_budget_core::benchmarks::{List, Program as BenchProgram};
use perf_budget_core::budget::{Budgets, CodegenUnits, Reference, Subject};
use perf_budget_core::build::{BenchBuild, Benches, Program, ProgramResult, Site, Step};
use perf_budget_core::fnv;
use perf_budget_core::handover::{Benchmarks, EqualProgram, Programs};
use perf_budget_core::outcome::{Cause, ComparisonMethod, Proven, Unmeasured, short};

use super::build::{Built, Side};
use super::compared::{Links, Revision, codegen_note};
use super::programs::{Differing, Recorder};
use super::start::start;
use super::unchanged::{BaseTree, Comparison, Head, Reaching, Revisions};
use super::{members, running, shared};
use crate::child::{self, Unfinished};
use crate::failure::Failure;
use crate::links::{Recording, Repeated};
use crate::text::counted;

/// The longest time that a program may take to list its benchmarks.
const LISTING: Duration = Duration::from_secs(60);

/// The data that are needed to build the benchmarks of both revisions.
pub(super) struct BenchmarkBuilds<'a> {
    pub(super) commit: &'a str,
    /// The directory for the lists of benchmarks.
    pub(super) lists: PathBuf,
    /// The directory for the records of links.
    pub(super) links: PathBuf,
    /// The target directory that the base is built in.
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
    /// Whether programs that have not changed are proven equal instead of being measured.
    pub(super) proves: bool,
    /// Whether both revisions have the same configuration, so that the base can use this revision's dependencies.
    pub(super) has_same_configuration: bool,
    /// Whether the base takes packages from a directory that replaces a registry.
    pub(super) is_vendored: bool,
}

/// Both revisions once they are built, to be compared program by program.
struct Compared<'a> {
    /// The known differences between the revisions; `None` where everything is to be measured.
    proof: Option<Comparison<'a>>,
    /// The recorders of this revision and of the base.
    recorders: [&'a Recorder; 2],
    /// The directory for the copies of the programs and for the records of their links.
    place: &'a Path,
}

/// The benchmarks of both revisions, built in one way.
#[derive(Debug)]
pub(super) struct BothBuilt {
    /// The description of the benchmarks for the harness.
    pub(super) benchmarks: Benchmarks,
    /// The links of the programs, which the harness uses; they are deleted when this value is dropped.
    _links: Vec<Links>,
}

impl BothBuilt {
    /// Returns a sentence that says how many benchmarks were built of each revision. `base` is the short name of the base.
    ///
    /// # Errors
    /// If a program could not be built, or does not list its benchmarks.
    pub(super) fn describe_builds(&self, base: &str) -> Result<String, Failure> {
        let built = |file: &Path, of: &str| {
            let list = List::read(file).ok_or_else(|| {
                Failure::unmeasured(format!(
                    "failed to read the benchmarks in `{}`",
                    file.display()
                ))
            })?;
            if let Some(fault) = list.faults.first() {
                let (why, more) = (fault.reason().text, list.faults.len() - 1);
                let more = if more > 0 { format!(", and {more} more") } else { String::new() };
                return Err(Failure::unmeasured(format!("{of}: {why}{more}")));
            }
            let all = list.programs.iter().filter_map(|program| program.content.benchmarks());
            let count = all.clone().map(|(_, _, names)| names.len()).sum();
            let programs = counted(all.count(), "program");
            Ok(format!("{} in {programs} of {of}", counted(count, "benchmark")))
        };
        let own = built(&self.benchmarks.head, "this revision")?;
        Ok(match &self.benchmarks.base {
            Some(file) => format!("built {own}, and {}; nothing was measured", built(file, base)?),
            None => format!("built {own}; those of {base} are the same, and were not built"),
        })
    }
}

/// Returns the ways of building the benchmarks that budgets compare with the base, each once.
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

impl BenchmarkBuilds<'_> {
    /// Builds the benchmarks of both revisions in one way. `prepare` is called before the base is built.
    pub(super) fn build(
        &self,
        way: &BenchBuild,
        prepare: &mut dyn FnMut() -> Result<(), Failure>,
        tell: &dyn Fn(&str),
    ) -> Result<BothBuilt, Failure> {
        tell("building the benchmarks to compare them");
        let place = self.links.join(format!("benches-{}", self.key(way)));
        let links = self.budgets.settings.layouts;
        let recorder = |revision, name: &str| Recorder::new(revision, &place.join(name), links);
        let recorders = [recorder(self.head, "head")?, recorder(self.base, "base")?];
        let (built, head) = self.side(way, self.head, &recorders[0])?;
        let BenchBuild { features, profile, all, .. } = way.clone();
        let units = self.units(self.head);
        let head_list = self.list("head", way, &built, head.note(), tell)?;
        let mut benchmarks = Benchmarks {
            features,
            profile,
            all,
            head: head_list.0,
            base: None,
            equal: Vec::new(),
            notes: vec![codegen_note(units, self.head.workspace.is_some()).to_owned()],
            programs: None,
        };
        let programs = head_list.1.programs;
        let own = Built { binary: PathBuf::new(), messages: built.messages };
        let proof = self.proof(&own, tell);
        let short = short(self.commit);
        match proof.as_ref().map(Comparison::difference_of_files) {
            // If a program was not built, its benchmarks are not known.
            Some(None) if built.faults.is_empty() => {
                tell(&format!(
                    "nothing that a benchmark runs has changed since {short}, which is not built"
                ));
                benchmarks.equal = programs
                    .iter()
                    .map(|program| self.equal(ComparisonMethod::Files, program))
                    .collect();
                return Ok(BothBuilt { benchmarks, _links: Vec::new() });
            }
            Some(Some(why)) => tell(&format!("building the benchmarks of {short}: {why}")),
            Some(None) | None => tell(&format!("building the benchmarks of {short}")),
        }
        prepare()?;
        let (file, list) = self.build_base(way, &own, &recorders[1], tell)?;
        benchmarks.base = Some(file);
        let [head, base] = &recorders;
        let differing = Compared { proof, recorders: [head, base], place: &place };
        let links = self.compare(&differing, (&programs, &list.programs), &mut benchmarks, tell)?;
        Ok(BothBuilt { benchmarks, _links: links })
    }

    /// Builds the base, and returns the file with its list.
    fn build_base(
        &self,
        way: &BenchBuild,
        own: &Built,
        recorder: &Recorder,
        tell: &dyn Fn(&str),
    ) -> Result<(PathBuf, List), Failure> {
        let is_alike = self.has_same_configuration && !self.is_vendored;
        if let (Some(workspace), true) = (self.head.workspace, is_alike)
            && !shared::is_built(self.target_dir, self.commit, self.checkout)
        {
            own.lend(workspace.target_directory.as_std_path(), self.target_dir);
        }
        let build = || self.side(way, self.base, recorder);
        let (built, how) =
            shared::build(self.target_dir, (self.commit, self.is_vendored), self.checkout, build)?;
        self.list("base", way, &built, how.note(), tell)
    }

    /// Proves which programs are equal, and prepares the comparison of the others.
    fn compare(
        &self,
        compared: &Compared<'_>,
        (programs, bases): (&[BenchProgram], &[BenchProgram]),
        benchmarks: &mut Benchmarks,
        tell: &dyn Fn(&str),
    ) -> Result<Vec<Links>, Failure> {
        let Compared { proof, recorders, place } = compared;
        let workspace = self.base.workspace.map(|workspace| workspace.workspace_root.as_std_path());
        let tree = workspace.map(|workspace| BaseTree { top: self.checkout, workspace });
        let proof = proof.as_ref().zip(tree);
        let _ = std::fs::remove_dir_all(place.join("watched"));
        let (mut links, mut different) = (Vec::new(), Vec::new());
        let programs: Vec<&BenchProgram> =
            programs.iter().filter(|program| program.content.benchmarks().is_some()).collect();
        for program in &programs {
            let name = (&program.package, &program.target);
            let other = bases.iter().find(|other| (&other.package, &other.target) == name);
            let Some(other) = other else { continue };
            // A benchmark may read a variable, so the same code in another environment proves nothing.
            let variable = running::difference(&program.variables, &other.variables);
            if let Some(name) = &variable {
                let target = &program.target;
                tell(&format!(
                    "every benchmark of `{target}` is measured: the variable `{name}` differs"
                ));
            }
            let proof = proof.as_ref().filter(|_| variable.is_none());
            if let Some((proof, tree)) = proof {
                match proof.difference_of_sections([&other.binary, &program.binary], *tree) {
                    None => {
                        benchmarks.equal.push(self.equal(ComparisonMethod::Sections, program));
                        continue;
                    }
                    Some(why) => {
                        tell(&format!("the benchmarks of `{}` differ: {why}", program.target));
                    }
                }
            }
            let reach = |links: [&Repeated; 2], place: &Path| {
                let (proof, tree) = proof?;
                let reaching = Reaching::Benchmarks(&program.target);
                proof.by_reach(links, *tree, (place, reaching), tell)
            };
            let first = self.budgets.settings.layouts;
            let differing = Differing { recorders: *recorders, first, place, reach: &reach };
            let (prepared, made) = differing.prepare(program, other)?;
            different.push(prepared);
            links.extend(made);
        }
        let count = benchmarks.equal.len();
        if count > 0 {
            tell(&format!(
                "{count} of {} programs of benchmarks are the same machine code as at {}",
                programs.len(),
                short(self.commit)
            ));
        }
        let file = place.join("programs.json");
        atomic::write_json(&file, &Programs::new(different))
            .map_err(|e| Failure::unmeasured(e.to_string()))?;
        benchmarks.programs = Some(file);
        Ok(links)
    }

    fn equal(&self, by: ComparisonMethod, program: &BenchProgram) -> EqualProgram {
        EqualProgram {
            program: program.written.clone(),
            proven: Proven { by, commit: self.commit.to_owned() },
        }
    }

    /// Returns a name for one way of building the benchmarks of this project.
    fn key(&self, way: &BenchBuild) -> String {
        fnv::name(format!("{} {}", self.head.root.display(), way.key()).as_bytes())
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
        recorder: &Recorder,
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
        let runner = running::runner(&self.links)?;
        let build = |recording: Option<&Recording>| {
            how.build(&site, &runner, &|step| start(step, environment, recording))
                .map_err(|why| Failure::unmeasured(why.to_string()))
        };
        Ok((recorder.build(&build)?, how))
    }

    /// Lists the benchmarks that were built, and returns the list with its file.
    fn list(
        &self,
        name: &str,
        way: &BenchBuild,
        built: &Benches,
        note: String,
        tell: &dyn Fn(&str),
    ) -> Result<(PathBuf, List), Failure> {
        let file = self.lists.join(format!("{name}-{}.json", self.key(way)));
        let list = List::of(built, note, List::read(&file).as_ref(), &list_benchmarks);
        for fault in &list.faults {
            let why = fault.reason();
            tell(&format!("{name}: {}", why.text));
            why.output.iter().flat_map(|output| output.lines()).for_each(|line| {
                tell(&format!("  | {line}"));
            });
        }
        list.write(&file).map_err(|e| Failure::unmeasured(e.to_string()))?;
        Ok((file, list))
    }

    fn proof<'p>(&'p self, built: &'p Built, tell: &dyn Fn(&str)) -> Option<Comparison<'p>> {
        let metadata = self.head.workspace.filter(|_| self.proves)?;
        let (top, prefix) = self.place;
        let Revision { root, files, .. } = self.head;
        let head = Head { root, top, prefix, built, metadata, files };
        let BenchmarkBuilds { commit, budgets, before, .. } = *self;
        Comparison::new(Revisions { head, commit, budgets, before }, tell)
    }
}

/// Asks a program which benchmarks it has.
fn list_benchmarks(step: &Step) -> Result<ProgramResult, Unmeasured> {
    let Program::Named(program) = &step.program else {
        return Err(Unmeasured::new(Cause::Harness, "cargo has no benchmarks"));
    };
    let mut command = child::program(program);
    command.args(&step.args).current_dir(&step.dir).env_remove("CARGO_CRITERION_PORT");
    command.envs(step.env.iter().map(|(name, value)| (name, value)));
    let done = child::run(command.stderr(Stdio::piped()), LISTING).map_err(|why| {
        let is_late = matches!(why, Unfinished::Late(_));
        let cause = if is_late { Cause::TimedOut } else { Cause::Harness };
        Unmeasured::new(cause, why.to_string())
    })?;
    let Output { status, stdout, stderr } = done;
    let code = status.code().unwrap_or(-1);
    let messages = String::from_utf8_lossy(&stderr).into_owned();
    Ok(ProgramResult { code, stdout, messages: (!messages.trim().is_empty()).then_some(messages) })
}
