//! `cargo budget check`.

use std::path::{Path, PathBuf};
use std::process::Command;

use perf_budget_core::handover;
use perf_budget_core::outcome::Outcome;
use perf_budget_core::record::Record;

use super::added::{Before, NothingJudged, nothing_judged};
use super::context::Context;
use super::judged::Judged;
use super::output::{print, show};
use super::promises;
use super::rendering::Rendering;
use super::target::Options;
use super::targets::{self, Chosen};
use crate::base::{self, Base, Built, Target};
use crate::benches;
use crate::bisect;
use crate::child;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::project::Project;
use crate::report::{self, Better, Format, Report, input};
use crate::runs::last_run;
use crate::sampled;

/// Judge every limit, and compare this revision with a base revision
///
/// Runs the tests of `budgets.toml` as `cargo test --release` does. With `--base`, the revision is checked out in the
/// user's cache and built (once for each commit), and every limit against `base` is measured by an interleaved comparison
/// of old and new, on this machine, in the same minutes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo budget check
  cargo budget check --base main
  cargo budget check --base origin/main -- merge         only the tests whose names have `merge` in them
  cargo budget check --base main --benches               every Criterion benchmark, old against new
  cargo budget check --base v1.2.0 --prepare ./build-wasm.sh")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(super) struct Check {
    /// The revision to compare with: a branch, a tag or a commit. If it has commits of its own, the merge base is used
    #[arg(long, value_name = "REV")]
    base: Option<String>,
    /// Run this shell command in the base's checkout; it makes what budgets measure and cargo does not build
    #[arg(long, value_name = "COMMAND", requires = "base")]
    prepare: Option<String>,
    /// Link each revision this many times at first, each time in another order; this overrides `layouts` in the settings
    #[arg(long, value_name = "COUNT", requires = "base", value_parser = clap::value_parser!(u32).range(1..=128))]
    layouts: Option<u32>,
    /// Take the base's test binaries from this directory, which `save-base` wrote. If they are of another commit, toolchain,
    /// flags or options, the base is built
    #[arg(long, value_name = "DIR", requires = "base")]
    base_from: Option<PathBuf>,
    /// Measure each limit for at most this many seconds, where that is less than its effort; fewer limits are then settled
    #[arg(long, value_name = "SECONDS", requires = "base", value_parser = clap::value_parser!(u32).range(1..))]
    effort: Option<u32>,
    /// Only ask whether every limit against the base is proven to hold by files: 0 if so, and else 3
    #[arg(long, requires = "base", conflicts_with_all = ["benches", "prepare", "base_from"], hide = true)]
    unchanged: bool,
    /// If a limit against the base is red, say whether the sources or the lock file did it, and which dependency
    #[arg(long, requires = "base", conflicts_with = "benches")]
    causes: bool,
    #[command(flatten)]
    options: Options,
    /// Compare every Criterion benchmark of the workspace with the base. The project needs no budgets.toml and no test for
    /// that; each benchmark may be 5 % slower, unless `--at-most` says otherwise
    #[arg(long, requires = "base", conflicts_with_all = ["base_from", "test", "profile", "features"])]
    benches: bool,
    /// With `--benches`, the most that each benchmark may take: 1.02 is 2 % slower than in the base [default: 1.05]
    #[arg(long, value_name = "FACTOR", requires = "benches", value_parser = benches::factor)]
    at_most: Option<f64>,
    /// Measure only this part of the budgets: 2/4 is the second of four parts
    #[arg(long, value_name = "PART/OF")]
    shard: Option<String>,
    /// Build both revisions and measure nothing, so that another job can measure what this one has built
    #[arg(long, requires = "base", conflicts_with_all = ["shard", "tests"])]
    no_run: bool,
    /// The format of the output: what the tests print, or the report of this run as JSON. With JSON, what the tests print is
    /// on standard error
    #[arg(long, value_enum, default_value_t, conflicts_with_all = ["no_run", "unchanged"])]
    format: Rendering,
    /// Arguments for the tests: filters and the options of libtest
    #[arg(last = true, value_name = "ARGS")]
    tests: Vec<String>,
}

impl Check {
    pub(super) fn run(self, context: Context) -> Result<Exit, Failure> {
        if self.benches {
            return self.run_benches(context);
        }
        let project = Project::current()?;
        // Mistakes of the file, and a revision that does not exist, are reported before anything is built.
        project.budgets()?;
        if let Some(revision) = &self.base {
            base::commit(&project, revision)?;
        }
        let chosen = targets::choose(&project, &self.options, context)?;
        let mut alphas = Vec::new();
        for Chosen { project: own, .. } in &chosen {
            alphas.push(own.budgets()?.settings.alpha);
        }
        let (before, mut judged) = (self.before(&project)?, Judged::default());
        for Chosen { target, project: own } in &chosen {
            if chosen.len() > 1 {
                let file = own.file_in(Path::new(""));
                context.tell(&format!("{}, by the test target `{}`:", file.display(), target.test));
            }
            judged.add(self.run_in(own, target, context, None)?);
        }
        if !self.no_run && !self.unchanged {
            let sum = promises::sum_of_alphas(&alphas);
            if let Some(text) = &sum {
                context.tell(text);
            }
            judged.remarks.extend(sum);
        }
        let is_read = |chosen: &Chosen| chosen.project.file() == project.file();
        if self.options.test.is_none() && !chosen.iter().any(is_read) {
            let why = format!(
                "no test target reads `{}`, and so nothing judged it; name it by `Harness::file`, or remove it",
                project.file().display()
            );
            judged.add(Judged { nothing: Some(NothingJudged::Fault(why)), ..Judged::default() });
        }
        self.conclude(judged, before.as_ref(), &project, context)
    }

    /// Compares the benchmarks of the workspace by a harness of this command's own version.
    fn run_benches(&self, context: Context) -> Result<Exit, Failure> {
        let project = Project::workspace()?;
        base::commit(&project, self.base.as_deref().unwrap_or("HEAD"))?;
        let harness = benches::Harness::write(&project, self.at_most)?;
        let project = project.with_file(harness.budgets());
        let built = harness.build()?;
        let before = self.before(&project)?;
        let judged = self.run_in(&project, &self.options.target(), context, Some(built))?;
        self.conclude(judged, before.as_ref(), &project, context)
    }

    /// Returns the state of the record, if the outcomes that are added to it are rendered in the end.
    fn before(&self, project: &Project) -> Result<Option<Before>, Failure> {
        self.format.is_json().then(|| Before::read(project)).transpose()
    }

    /// Ends with what was judged. With `--format json`, it renders that for programs.
    fn conclude(
        &self,
        judged: Judged,
        before: Option<&Before>,
        project: &Project,
        context: Context,
    ) -> Result<Exit, Failure> {
        let Judged { exit, remarks, causes, nothing, any } = judged;
        match nothing {
            Some(NothingJudged::LeftOut(_)) if any => {}
            Some(nothing) => return Err(Failure::unmeasured(nothing.why())),
            None => {}
        }
        if let Some(before) = before {
            let record = before.read_since(project)?;
            let causes = self.causes.then_some(causes);
            let report =
                Report { ended: Some(exit), causes, ..input::split(record, remarks, Some(0)) };
            let (text, _) =
                report::render(&report, Format::Json, Better::Smaller, context.progress)?;
            print(&text)?;
        }
        Ok(exit)
    }

    /// Judges the limits that one test target reads. `harness` is a harness that is not a test of the project.
    fn run_in(
        &self,
        project: &Project,
        target: &Target,
        context: Context,
        harness: Option<Built>,
    ) -> Result<Judged, Failure> {
        let budgets = project.budgets()?;
        let always = handover::measures_always(|name| std::env::var_os(name))?;
        let is_apart = harness.is_some();
        let head = match harness {
            Some(built) => built,
            None => base::head(target, &project.root)?,
        };
        let build = base::BuildOptions::for_budgets(&budgets);
        let links = self.layouts.unwrap_or(build.links);
        let request = base::BaseRequest {
            revision: self.base.as_deref(),
            prepare: self.prepare.as_deref(),
            times: (!self.unchanged).then_some(base::BuildOptions { links, ..build }),
            from: self.base_from.as_deref(),
            head: Some(&head),
            proves: !always,
            effort: self.effort,
            asks_files: self.unchanged,
        };
        let tell = |text: &str| context.tell(text);
        let compared = base::compared(project, target, &request, context.progress, &tell)?;
        if self.unchanged {
            let proven = compared?.is_some_and(|base| base.proves(&budgets));
            let exit = if proven { Exit::Holds } else { Exit::Unmeasured };
            return Ok(Judged { exit, ..Judged::default() });
        }
        if self.no_run {
            let remarks = compared?.map(|base| base.built_benchmarks()).transpose()?;
            remarks.iter().flatten().for_each(|text| context.tell(text));
            return Ok(Judged::default());
        }
        let tests = self.tests(project, target, is_apart.then_some(&head));
        self.judge(project, target, tests, compared, context)
    }

    /// Runs the tests, compared with the base if it was built, and returns what they judged.
    fn judge(
        &self,
        project: &Project,
        target: &Target,
        tests: Command,
        compared: Result<Option<Base>, Failure>,
        context: Context,
    ) -> Result<Judged, Failure> {
        let before = Before::read(project)?;
        let base = compared.as_ref().ok().and_then(Option::as_ref);
        let code = self.run_tests(tests, base, context)?;
        let (record, last) = self.outcomes_since(project, &before, context)?;
        let (exit, nothing) = match (Exit::from_outcomes(&last), code) {
            // The tests ended before any verdict, and printed the reason above.
            (_, Some(2)) => (Exit::Usage, None),
            (Exit::Holds, Some(0)) => {
                let is_part = !self.tests.is_empty() || self.shard.is_some();
                (Exit::Holds, nothing_judged(project, &record, &target.test, is_part))
            }
            (Exit::Holds, _) => (Exit::Unmeasured, None),
            (exit, _) => (exit, None),
        };
        // Less time than the limits have is no fault of theirs.
        let refusals = promises::refusals(if self.effort.is_none() { &last } else { &[] });
        for text in &refusals {
            context.warn(text);
        }
        let exit = if refusals.is_empty() { exit } else { exit.worse(Exit::Unmeasured) };
        let mut judged = Judged { exit, any: nothing.is_none(), nothing, ..Judged::default() };
        judged.remarks.extend(refusals);
        match compared {
            Ok(Some(base)) => {
                self.tell_of_base(&base, project, target, &last, context, &mut judged)?;
            }
            Ok(None) => {}
            // The other limits were judged, but the comparison that was asked for was not made.
            Err(failure) => {
                let rest = if judged.any { "; the other limits were judged" } else { "" };
                let not_compared = format!("{}{failure}{rest}", base::NOT_COMPARED);
                context.warn(&not_compared);
                judged.remarks.push(not_compared);
                if exit == Exit::Holds {
                    judged.exit = failure.exit;
                }
            }
        }
        Ok(judged)
    }

    /// Returns what was added to the record since then, and the last outcome of each limit. It names the functions in the
    /// samples of these outcomes, and prints them.
    fn outcomes_since(
        &self,
        project: &Project,
        before: &Before,
        context: Context,
    ) -> Result<(Record, Vec<Outcome>), Failure> {
        let work = context.progress.busy("reading outcomes");
        let record = before.read_since(project)?;
        drop(work);
        let mut last = last_run(&record);
        match sampled::complete(&mut last, &project.record()) {
            Ok(text) if text.is_empty() => return Ok((record, last)),
            Ok(text) if self.format.is_json() => context.tell(&text),
            Ok(text) => show(&text)?,
            // The verdict stays what it is.
            Err(failure) => context.warn(&format!("no function is named by samples: {failure}")),
        }
        Ok((before.read_since(project)?, last))
    }

    /// Tells which budgets of the base are gone, and with `--causes` what made the limits red.
    fn tell_of_base(
        &self,
        base: &base::Base,
        project: &Project,
        target: &Target,
        last: &[Outcome],
        context: Context,
        judged: &mut Judged,
    ) -> Result<(), Failure> {
        for name in base::removed_budgets(project, &base.root) {
            let gone = format!("budget `{name}` of the base is gone");
            context.tell(&gone);
            judged.remarks.push(gone);
        }
        if self.causes && judged.exit == Exit::Broken {
            // The verdict stays what it is.
            match self.causes_of(project, target, &base.commit, last, context) {
                Ok(found) if self.format.is_json() => {
                    judged.remarks.extend(found.remarks);
                    judged.causes.extend(found.causes);
                }
                Ok(found) => show(&found.text())?,
                Err(failure) => {
                    let why = format!("no cause was looked for: {failure}");
                    context.warn(&why);
                    judged.remarks.push(why);
                }
            }
        }
        Ok(())
    }

    /// Returns what made the limits red: the sources or the lock file.
    fn causes_of(
        &self,
        project: &Project,
        target: &Target,
        base: &str,
        outcomes: &[Outcome],
        context: Context,
    ) -> Result<bisect::Causes, Failure> {
        let reds: Vec<Outcome> =
            outcomes.iter().filter(|outcome| outcome.is_red()).cloned().collect();
        let options = bisect::Options {
            name: "",
            range: "",
            by: None,
            alpha: bisect::ALPHA,
            effort: bisect::EFFORT,
            prepare: self.prepare.as_deref(),
            layouts: self.layouts,
            target,
            is_fresh: true,
            lock: true,
            toolchain: None,
        };
        bisect::causes(project, base, &reds, &options, &|text| context.tell(text))
    }

    /// Returns the command that runs the tests.
    fn tests(&self, project: &Project, target: &Target, harness: Option<&Built>) -> Command {
        if let Some(built) = harness {
            let mut tests = built.harness(&project.root);
            // The results belong to the project, and not to the place that the harness was built in.
            tests.args(&self.tests).env("PERF_BUDGET_DIR", project.results());
            return tests;
        }
        let mut cargo = child::cargo();
        cargo.arg("test").args(target.arguments()).arg("--").args(&self.tests);
        cargo.current_dir(&project.root);
        cargo
    }

    /// Runs the tests and returns their exit code; `None` where a signal ended them.
    fn run_tests(
        &self,
        mut cargo: Command,
        base: Option<&Base>,
        context: Context,
    ) -> Result<Option<i32>, Failure> {
        Base::tell(base, &mut cargo)?;
        if let Some(shard) = &self.shard {
            cargo.env("PERF_BUDGET_SHARD", shard);
        }
        if context.quiet {
            cargo.env("PERF_BUDGET_QUIET", "1");
        }
        if self.format.is_json() {
            cargo.stdout(std::io::stderr());
        }
        let status = cargo
            .status()
            .map_err(|e| Failure::unmeasured(format!("failed to start cargo: {e}")))?;
        Ok(status.code())
    }
}
