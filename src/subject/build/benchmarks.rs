//! The build of a revision's benchmarks, and the list of their names. The programs are asked for the names once.

use std::path::{Path, PathBuf};
use std::time::Duration;

use perf_budget_core::benchmarks::List;
use perf_budget_core::build::runner::Runner;
use perf_budget_core::build::{BenchBuild, Built, Program, ProgramResult, Step, hold};
use perf_budget_core::fnv;
use perf_budget_core::outcome::{Cause, Unmeasured};

use super::Builder;
use super::start::BuildEnvironment;
use crate::exec::{self, Launch};

/// The longest time that a program may take to list its benchmarks. All functions with benchmarks run for that, but no
/// benchmark does.
const LISTING: Duration = Duration::from_secs(60);

impl Builder {
    /// Builds the benchmarks of this revision, and returns their list. Nothing is built twice in a run.
    pub(crate) fn list(&self, how: &BenchBuild) -> Result<List, Unmeasured> {
        let file = self.list_file(how);
        let built = self.once(how.key(), || self.make_list(how, &file))?;
        List::read(&built.path).ok_or_else(|| {
            let text = format!("failed to read the list of benchmarks `{}`", built.path.display());
            Unmeasured::new(Cause::Harness, text)
        })
    }

    /// Returns the file of the list of this revision's benchmarks.
    pub(crate) fn list_file(&self, how: &BenchBuild) -> PathBuf {
        let key = format!("{} {}", self.root.display(), how.key());
        self.results.join("benchmarks").join(format!("{}.json", fnv::name(key.as_bytes())))
    }

    fn make_list(&self, how: &BenchBuild, file: &Path) -> Result<Built, Unmeasured> {
        let environment = BuildEnvironment::new(self.base.is_some(), self.timeout)?;
        let runner = Runner::new(&self.results.join("benchmarks/runner"), hold).map_err(|e| {
            let text = format!("failed to link a runner in `{}`: {e}", self.results.display());
            Unmeasured::new(Cause::Harness, text)
        })?;
        let benches = how.build(&self.site(), &runner, &|step| environment.start(step))?;
        let ask = |step: &Step| list_benchmarks(step, &environment);
        let list = List::of(&benches, how.note(), List::read(file).as_ref(), &ask);
        list.write(file).map_err(|e| Unmeasured::new(Cause::Harness, e.to_string()))?;
        Ok(Built { path: file.to_owned(), note: how.note() })
    }
}

/// Starts a program of benchmarks, which prints their names.
fn list_benchmarks(
    step: &Step,
    environment: &BuildEnvironment,
) -> Result<ProgramResult, Unmeasured> {
    let Program::Named(program) = &step.program else {
        return Err(Unmeasured::new(Cause::Harness, "cargo has no benchmarks"));
    };
    let mut launch = Launch::new(program);
    launch.args = step.args.iter().map(Into::into).collect();
    environment.apply(&mut launch);
    launch.env.extend(step.env.iter().map(|(name, value)| (name.into(), value.into())));
    launch.without.push("CARGO_CRITERION_PORT".into());
    launch.dir = Some(step.dir.clone());
    // The whole list is read, so more than its end is kept.
    launch.keep = 32 << 20;
    let done = exec::run(&launch, LISTING)?;
    let messages = done.stderr.text().or_else(|| done.stdout.text());
    Ok(ProgramResult { code: done.code, stdout: done.stdout.tail, messages })
}
