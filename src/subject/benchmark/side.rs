//! One benchmark of one revision: where its list comes from, and how its processes are run.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use perf_budget_core::benchmarks::List;
use perf_budget_core::budget::Library;
use perf_budget_core::build::BenchBuild;
use perf_budget_core::metric::Metric;
use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::quantity::Unit;

use super::libtest;
use super::process::{self, Mode, Patience, ReadyBenchmark, Run};
use crate::exec::Changes;
use crate::subject::build::Builder;
use crate::worker::process::Build;
use crate::worker::process::Request;

/// The time from which a process counts as slow, without its waits for a processor. The code of such a benchmark sets its own
/// times, or has long iterations.
const SLOW: Duration = Duration::from_secs(1);

/// Where the list of a revision's benchmarks comes from.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    /// The benchmarks are built here.
    Build(Arc<Builder>, BenchBuild),
    /// The benchmarks were built elsewhere, and this file has their list.
    File(PathBuf),
}

/// One benchmark of one revision.
#[derive(Debug, Clone)]
pub(super) struct Side {
    /// The name by which the budget knows it.
    pub(super) name: String,
    /// The name of this side in messages, if it is the reference.
    pub(super) role: Option<String>,
    pub(super) library: Library,
    pub(super) origin: Origin,
    /// The differences of its processes' environment from that of this process.
    pub(super) environment: Changes,
}

impl Origin {
    /// Returns the list of the benchmarks.
    pub(crate) fn list(&self) -> Result<List, Unmeasured> {
        match self {
            Origin::Build(builder, how) => builder.list(how),
            Origin::File(file) => List::read(file).ok_or_else(|| {
                let text = format!("failed to read the list of benchmarks `{}`", file.display());
                Unmeasured::new(Cause::Harness, text)
            }),
        }
    }
}

impl Side {
    /// Builds the benchmark and returns where it is.
    pub(super) fn find(&self) -> Result<ReadyBenchmark, Unmeasured> {
        let list = self.origin.list().map_err(|why| self.with_role(why))?;
        let entry = list.find(self.library, &self.name).map_err(|why| self.with_role(why))?;
        if self.library == Library::Criterion && entry.skills.serves && entry.is_cut() {
            return Err(self.with_role(ambiguous_name(entry.plain)));
        }
        Ok(ReadyBenchmark {
            library: self.library,
            environment: self.environment.clone(),
            name: entry.plain.to_owned(),
            program: Build::new(
                entry.program.binary.clone(),
                Some(entry.program.directory.clone()),
            ),
            directory: entry.program.directory.clone(),
            variables: entry.program.variables.clone(),
            skills: entry.skills,
            note: list.note.clone(),
        })
    }

    pub(super) fn with_role(&self, why: Unmeasured) -> Unmeasured {
        why.of_role(self.role.as_deref())
    }
}

/// Returns the reason why a benchmark is not measured that is known by the beginning of its name alone.
pub(super) fn ambiguous_name(name: &str) -> Unmeasured {
    let text = format!(
        "the benchmark `{name}` is known by the beginning of its name alone, since Criterion lists the first 100 bytes; give it a \
         shorter name"
    );
    Unmeasured::new(Cause::Unsuitable, text)
}

/// The terms that all processes of a benchmark share.
#[derive(Debug, Clone)]
pub(super) struct Terms {
    pub(super) metrics: Vec<Metric>,
    /// The unit of the limit on the throughput, if there is such a limit.
    pub(super) rate: Option<Unit>,
    /// The directory in which Criterion writes its records.
    pub(super) scratch: PathBuf,
    /// How long one process may take.
    pub(super) timeout: Duration,
    /// The request to a program that serves its benchmarks, without the name.
    pub(super) request: Request,
}

impl Terms {
    pub(super) fn run(&self, found: &ReadyBenchmark, mode: Mode) -> Result<Run, Unmeasured> {
        self.run_unless_long(found, mode, None)?.ok_or_else(|| {
            let text = format!("the benchmark `{}` took too long", found.name);
            Unmeasured::new(Cause::TimedOut, text)
        })
    }

    /// Runs a benchmark, and ends it if it takes longer than `own` without its waits for a processor; the result is `None`
    /// then.
    pub(super) fn run_unless_long(
        &self,
        found: &ReadyBenchmark,
        mode: Mode,
        own: Option<Duration>,
    ) -> Result<Option<Run>, Unmeasured> {
        let patience = Patience { timeout: self.timeout, own };
        match found.library {
            Library::Libtest => libtest::run(found, &self.scratch, patience),
            Library::Criterion | Library::Divan => {
                process::run(found, mode, self.rate, &self.scratch, patience)
            }
        }
    }

    /// Runs a benchmark for the first time, and returns how it is to be run from now on.
    pub(super) fn choose(&self, found: &ReadyBenchmark) -> Result<(Mode, Run), Unmeasured> {
        if !found.skills.quick {
            return Ok((Mode::Timed, self.run(found, Mode::Timed)?));
        }
        // A later process that takes much longer than this one is ended. Waits for a processor do not count.
        let quick = self.run(found, Mode::Quick)?;
        let own = (quick.own_time() * 2).max(SLOW);
        match self.run_unless_long(found, Mode::Timed, Some(own)) {
            Ok(Some(timed)) => Ok((Mode::Timed, timed)),
            Ok(None) => Ok((Mode::Quick, quick)),
            Err(why) if why.cause == Cause::TimedOut => Ok((Mode::Quick, quick)),
            Err(why) => Err(why),
        }
    }
}

/// Returns the notes for a reader of the result.
pub(super) fn notes(found: &[&ReadyBenchmark], mode: Mode, run: &Run) -> Vec<String> {
    let mut notes: Vec<String> = found.iter().map(|found| found.note.clone()).collect();
    notes.dedup();
    notes.push(match mode {
        Mode::Timed if found.iter().any(|found| found.library == Library::Libtest) => {
            "measured by the standard test harness, one value of each process".to_owned()
        }
        Mode::Timed => "measured by Criterion, one value of each process".to_owned(),
        Mode::Quick => {
            let why = if run.has_long_iterations(SLOW) {
                "one iteration takes long"
            } else {
                "the benchmark sets its own times"
            };
            format!("measured by Criterion with `--quick`, since {why}; one value of each process")
        }
    });
    notes.extend(run.long_set_up());
    notes
}
