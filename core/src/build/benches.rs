//! The bench targets of a workspace whose benchmarks budgets can name, built as `cargo bench` builds them.
//!
//! They are built in cargo's own target directory, where `cargo bench` would put the same files, so that the
//! dependencies which the tests have compiled are used.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::cargo::{self, WireMessage, text};
use super::members::{WirePackage, WireTarget, WireWorkspace, is_library};
use super::runner::{self, Changes, Environment, Runner};
use super::step::run;
use super::{Program, ProgramResult, Site, Start, Step};
use crate::budget::{Build, Library, Subject};
use crate::outcome::{Cause, Unmeasured};

/// The profile of benchmarks, where a budget names no other.
const PROFILE: &str = "bench";

/// The program of one bench target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bench {
    /// The name of its package.
    pub package: String,
    /// The directory of its package, in which it runs.
    pub directory: PathBuf,
    /// The name of the target.
    pub target: String,
    /// The path of the program.
    pub binary: PathBuf,
    /// The variables with which `cargo bench` runs it, where they differ from those of the process that builds it.
    pub variables: Changes,
}

/// How bench targets are built.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BenchBuild {
    /// See [`Build::features`]. Sorted, and none twice.
    pub features: Option<Vec<String>>,
    /// See [`Build::profile`]. `None` for the profile of benchmarks.
    pub profile: Option<String>,
    /// Whether every bench target is built. Those of the standard test harness cannot be recognized by the dependencies of
    /// their packages.
    pub all: bool,
    /// The packages that are compiled in one codegen unit each, as cargo's profiles name them. Two revisions can be compared
    /// then, since a change does not alter the machine code of what it does not touch.
    pub one_unit: Vec<String>,
}

/// The result of a build.
#[derive(Debug, Clone, Default)]
pub struct Benches {
    /// The programs that were built, by package and target.
    pub built: Vec<Bench>,
    /// The targets that could not be built, with the reasons, and the targets that were left out.
    pub faults: Vec<Unmeasured>,
    /// The targets that were not built, by package and target.
    pub missing: Vec<(String, String)>,
    /// Notes for people: which targets were built with further features, since they require them.
    pub featured: Vec<String>,
    /// Cargo's messages, one JSON document each, which name the inputs of the build.
    pub messages: Vec<serde_json::Value>,
}

impl BenchBuild {
    /// Returns how the benchmarks of a budget are built. If two budgets have the same options in another order, their
    /// benchmarks are built once.
    pub fn of(subject: &Subject, build: &Build) -> BenchBuild {
        let all = matches!(subject, Subject::Benchmark(Library::Libtest, _));
        let profile = build.profile.clone().filter(|profile| profile != PROFILE);
        BenchBuild { features: build.sorted_features(), profile, all, one_unit: Vec::new() }
    }

    /// Returns a text that identifies this way of building. It is the same in every process.
    pub fn key(&self) -> String {
        format!("{self:?}")
    }

    /// Returns a note for people on how the benchmarks are built.
    pub fn note(&self) -> String {
        let profile = self.profile.as_deref().unwrap_or(PROFILE);
        let features = match self.features.as_deref() {
            None => String::new(),
            Some([]) => ", no features".to_owned(),
            Some(features) => format!(", features {}", features.join(" and ")),
        };
        let units = if self.one_unit.is_empty() {
            ""
        } else {
            ", each package of the workspace in one codegen unit"
        };
        format!("built by `cargo bench`, profile {profile}{features}{units}")
    }

    /// Builds every bench target of the workspace whose package uses Criterion or serves benchmarks, or all of them.
    ///
    /// # Errors
    /// If cargo does not describe the workspace. A target that cannot be built, or that cargo does not run by the runner, is
    /// among the faults of the result.
    pub fn build(
        &self,
        site: &Site,
        runner: &Runner,
        start: Start<'_>,
    ) -> Result<Benches, Unmeasured> {
        let aim = "find the benchmarks of the workspace".to_owned();
        let workspace: WireWorkspace = cargo::metadata(aim, site, start)?;
        let mut benches = Benches::default();
        for package in &workspace.packages {
            let is_wanted = self.all || package.serves_or_has_criterion();
            if is_wanted && workspace.workspace_members.contains(&package.id) {
                self.build_package(package, (site, runner), start, &mut benches)?;
            }
        }
        benches.built.sort_by(|a, b| (&a.package, &a.target).cmp(&(&b.package, &b.target)));
        Ok(benches)
    }

    fn build_package(
        &self,
        package: &WirePackage,
        at: (&Site, &Runner),
        start: Start<'_>,
        benches: &mut Benches,
    ) -> Result<(), Unmeasured> {
        let enabled = package.enabled(self.features.as_deref());
        // Cargo leaves out a target that requires a feature which is off. So the feature is turned on for that target alone,
        // unless the budget lists the features.
        let mut groups: BTreeMap<Vec<&str>, Vec<&WireTarget>> = BTreeMap::new();
        for target in package.targets.iter().filter(|t| t.kind.iter().any(|kind| kind == "bench")) {
            let required = target.required_features.iter().map(String::as_str);
            let lacking: Vec<&str> = required.filter(|own| !enabled.contains(own)).collect();
            match (lacking.first(), &self.features) {
                (Some(feature), Some(_)) => benches.leave_out(package, target, feature),
                _ => groups.entry(lacking).or_default().push(target),
            }
        }
        for (features, targets) in groups {
            self.build_targets((package, &targets, &features), at, start, benches)?;
        }
        Ok(())
    }

    /// Builds some targets of a package with these features beside its own. Cargo starts nothing more once one of them does not
    /// compile, so those that it has left out are then built one by one: each that fails has a reason of its own.
    fn build_targets(
        &self,
        (package, targets, features): (&WirePackage, &[&WireTarget], &[&str]),
        (site, runner): (&Site, &Runner),
        start: Start<'_>,
        benches: &mut Benches,
    ) -> Result<(), Unmeasured> {
        let step = self.step((package, targets, features), site)?;
        if !features.is_empty() {
            let named = each(targets.iter().map(|own| &own.name));
            benches.featured.push(format!("{named} of `{}` {}", package.name, required(features)));
        }
        let first = benches.built.len();
        let ended = benches.attempt(&step, (package, targets), start)?;
        let missing = benches.left_out(first, targets);
        if ended.code != 0 && missing.len() > 1 && benches.has_library_of(package) {
            for target in missing {
                let (alone, before) = ([target], benches.built.len());
                let step = self.step((package, &alone, features), site)?;
                let ended = benches.attempt(&step, (package, &alone), start)?;
                let missing = benches.left_out(before, &alone);
                benches.add_fault(&step, package, &missing, ended);
            }
        } else {
            benches.add_fault(&step, package, &missing, ended);
        }
        benches.find_variables(first, (&step, runner), start)
    }

    fn step(
        &self,
        (package, targets, features): (&WirePackage, &[&WireTarget], &[&str]),
        site: &Site,
    ) -> Result<Step, Unmeasured> {
        let mut args: Vec<String> = ["bench", "--no-run", "--no-fail-fast"].map(Into::into).into();
        args.extend(["--package".to_owned(), package.id.clone()]);
        for target in targets {
            args.extend(["--bench".to_owned(), target.name.clone()]);
        }
        let profile = self.profile.as_deref().unwrap_or(PROFILE);
        args.extend(
            ["--profile", profile, "--message-format", "json-render-diagnostics"].map(Into::into),
        );
        args.extend(cargo::features(self.features.as_deref()));
        for member in &self.one_unit {
            let setting = format!("profile.{profile}.package.\"{member}\".codegen-units=1");
            args.extend(["--config".to_owned(), setting]);
        }
        if let Some(triple) = &site.triple {
            args.extend(["--target".to_owned(), triple.clone()]);
        }
        if let Some(target) = &site.target {
            args.extend(["--target-dir".to_owned(), text(target)?.to_owned()]);
        }
        let mut aim = format!("build the benchmarks of `{}`", package.name);
        if !features.is_empty() {
            args.extend(["--features".to_owned(), features.join(",")]);
            aim = format!("{aim} {}", required(features));
        }
        Ok(Step { aim, program: Program::Cargo, args, env: Vec::new(), dir: site.package.clone() })
    }
}

impl Benches {
    /// Runs a step that builds targets of a package, and adds what it has built.
    fn attempt(
        &mut self,
        step: &Step,
        (package, targets): (&WirePackage, &[&WireTarget]),
        start: Start<'_>,
    ) -> Result<ProgramResult, Unmeasured> {
        let ended = start(step)?;
        let output = String::from_utf8_lossy(&ended.stdout);
        let messages: Vec<serde_json::Value> =
            output.lines().filter_map(|line| line.parse().ok()).collect();
        for message in &messages {
            let Some(message) = WireMessage::of(message.clone()) else { continue };
            let Some((target, binary)) = message.executable("bench") else { continue };
            if targets.iter().any(|own| own.name == target) {
                self.built.push(Bench {
                    package: package.name.clone(),
                    directory: package.directory().to_owned(),
                    target,
                    binary,
                    variables: Changes::new(),
                });
            }
        }
        self.messages.extend(messages);
        Ok(ended)
    }

    /// Returns those of the targets that are not among the programs from the number `first` on.
    fn left_out<'t>(&self, first: usize, targets: &[&'t WireTarget]) -> Vec<&'t WireTarget> {
        let is_built = |own: &WireTarget| self.built[first..].iter().any(|b| b.target == own.name);
        targets.iter().copied().filter(|own| !is_built(own)).collect()
    }

    /// Whether the library of the package was built, without which none of its targets is; a package may have none.
    fn has_library_of(&self, package: &WirePackage) -> bool {
        let messages = || self.messages.iter().cloned().filter_map(WireMessage::of);
        let is_built = |name: &str| messages().any(|message| message.built(name, is_library));
        package.library().is_none_or(is_built)
    }

    /// Adds the targets that a step has left out, with the reason.
    fn add_fault(
        &mut self,
        step: &Step,
        package: &WirePackage,
        missing: &[&WireTarget],
        ended: ProgramResult,
    ) {
        let names = missing.iter().map(|own| &own.name);
        self.missing.extend(names.clone().map(|own| (package.name.clone(), own.clone())));
        if ended.code == 0 && missing.is_empty() {
            return;
        }
        let left_out = if missing.is_empty() { "nothing".to_owned() } else { each(names) };
        let text = format!(
            "failed to {}: cargo ended with exit code {} and left out {left_out}",
            step.aim, ended.code
        );
        self.faults.push(Unmeasured { cause: Cause::ExitedBadly, text, output: ended.messages });
    }

    /// Asks cargo for the variables of the programs from the number `first` on, which this step has built. Those that it does not
    /// tell are faults, since they would be measured in another environment than that of `cargo bench`.
    fn find_variables(
        &mut self,
        first: usize,
        (step, runner): (&Step, &Runner),
        start: Start<'_>,
    ) -> Result<(), Unmeasured> {
        if self.built.len() == first {
            return Ok(());
        }
        let aim = format!("{}: to find the variables with which cargo runs them", step.aim);
        let step_with = |program: Program, args: Vec<String>| Step {
            aim: aim.clone(),
            program,
            args,
            ..step.clone()
        };
        let version = run(&step_with(Program::Cargo, vec!["-vV".to_owned()]), start)?;
        let programs = self.built[first..].iter().map(|bench| bench.binary.as_path());
        let triples = runner::triples(&String::from_utf8_lossy(&version), programs);
        let alone = Program::Named(text(runner.program())?.to_owned());
        // These programs print the environment, which must not get into a report.
        let without_output = |why: Unmeasured| Unmeasured { output: None, ..why };
        let before = run(&step_with(alone, Vec::new()), start).map_err(without_output)?;
        let before = runner::printed(&before);
        let (settings, variables) = runner.settings(&triples);
        let mut args = self.arguments_to_run(first, step);
        args.extend(settings);
        // If cargo ran the programs themselves in spite of this, they would only list their benchmarks.
        args.extend(["--quiet", "--", "--list"].map(Into::into));
        let ended = start(&Step { env: variables, ..step_with(Program::Cargo, args) });
        let ended = ended.map_err(without_output)?;
        let after = runner::printed(&ended.stdout);
        for mut bench in self.built.split_off(first) {
            let is_own =
                |own: &&Environment| own.program.as_deref().map(Path::new) == Some(&bench.binary);
            if let (Some(before), Some(after)) = (before.first(), after.iter().find(is_own)) {
                bench.variables = runner::between(&before.variables, &after.variables);
                self.built.push(bench);
            } else {
                self.missing.push((bench.package.clone(), bench.target.clone()));
                let text = format!(
                    "failed to find the variables with which cargo runs the benchmarks of `{}`: it did not run them by the \
                     program that it was told to, and ended with exit code {}",
                    bench.target, ended.code
                );
                let output = ended.messages.clone();
                self.faults.push(Unmeasured { output, ..Unmeasured::new(Cause::Harness, text) });
            }
        }
        Ok(())
    }

    /// Returns the arguments of the build step, without the one that keeps cargo from running the programs. Cargo runs nothing if
    /// one of the named targets does not compile, so only those from index `first` on are named, which were built.
    fn arguments_to_run(&self, first: usize, step: &Step) -> Vec<String> {
        let is_built = |name: &String| self.built[first..].iter().any(|own| own.target == *name);
        let mut args = Vec::new();
        let mut given = step.args.iter().filter(|arg| *arg != "--no-run");
        while let Some(arg) = given.next() {
            if arg != "--bench" {
                args.push(arg.clone());
            } else if let Some(name) = given.next().filter(|name| is_built(name)) {
                args.extend([arg.clone(), name.clone()]);
            }
        }
        args
    }

    /// Adds a target that is not built, because it requires a feature that is off.
    fn leave_out(&mut self, package: &WirePackage, target: &WireTarget, feature: &str) {
        let (name, target) = (&package.name, &target.name);
        let text = format!(
            "the bench target `{target}` of `{name}` is not built without the feature `{feature}`; add it to `features` of the \
             budget"
        );
        self.missing.push((name.clone(), target.clone()));
        self.faults.push(Unmeasured::new(Cause::Missing, text));
    }
}

/// Returns with which features a target is built.
fn required(features: &[&str]) -> String {
    format!("with the required features {}", each(features))
}

/// Returns each name as code, and commas between them.
fn each<T: std::fmt::Display>(names: impl IntoIterator<Item = T>) -> String {
    let quoted = |name: T| format!("`{name}`");
    names.into_iter().map(quoted).collect::<Vec<_>>().join(", ")
}
