//! One of the two revisions by which a red is explained: how it is profiled, and how it is sampled.

use std::path::PathBuf;
use std::time::Duration;

use perf_budget_core::callgrind::Profile;
use perf_budget_core::metric::Metric;
use perf_budget_core::outcome::{Cause, Unmeasured};

use crate::instrument::sampled::Sampling;
use crate::instrument::time;
use crate::os::threads;
use crate::subject::BenchmarkProfile;
use crate::worker::process::{self, Build, Request};

/// One revision of a profiled subject.
pub(super) enum Side {
    /// A workload of a test binary.
    Workload { build: Build, request: Request, scratch: PathBuf },
    /// A benchmark.
    Benchmark(BenchmarkProfile),
}

impl Side {
    /// Runs this side under callgrind, and returns a profile for each operation.
    pub(super) fn profiles(&self, timeout: Duration) -> Result<Vec<Profile>, Unmeasured> {
        match self {
            Side::Workload { build, request, scratch } => {
                process::profile_in(build, request, scratch, timeout)
            }
            Side::Benchmark(benchmark) => benchmark.run(timeout),
        }
    }

    /// Returns the page faults of one operation of this side.
    pub(super) fn page_faults(&self, timeout: Duration) -> Result<f64, Unmeasured> {
        let unknown = || Unmeasured::new(Cause::Unsupported, "its page faults are not known");
        let metric = time::page_faults();
        match self {
            Side::Workload { build, request, scratch } => {
                let request = Request { metrics: vec![metric.clone()], ..request.clone() };
                let process = process::measure_in(build, &request, scratch, timeout)?;
                process.values.get(&metric).copied().ok_or_else(unknown)
            }
            Side::Benchmark(_) => Err(unknown()),
        }
    }

    /// Samples this side. Failures are counted if a budget limits them.
    pub(super) fn sample(
        &self,
        sampling: &Sampling,
        failures: &[Metric],
        timeout: Duration,
    ) -> Result<(), Unmeasured> {
        match self {
            Side::Workload { build, request, scratch } => {
                let request = Request { metrics: failures.to_vec(), ..request.clone() };
                process::sample_in(build, &request, sampling, scratch, timeout)
            }
            Side::Benchmark(benchmark) => benchmark.sample(sampling, timeout),
        }
    }

    /// Whether the program of a benchmark serves it, and so is profiled as a workload is.
    pub(super) fn serves(&self) -> bool {
        matches!(self, Side::Benchmark(benchmark) if benchmark.serves())
    }

    /// Returns the name of the crate of its program, whose file has a hash behind it.
    pub(super) fn crate_name(&self) -> Option<String> {
        let program = match self {
            Side::Workload { build, .. } => &build.binary,
            Side::Benchmark(benchmark) => benchmark.program(),
        };
        let stem = program.file_stem()?.to_str()?;
        Some(stem.rsplit_once('-').map_or(stem, |(name, _)| name).replace('-', "_"))
    }
}

/// Runs both sides at the same time, so that the machine's other work affects both. `run` also gets the index of the
/// side: 0 for this revision, and 1 for the base.
pub(super) fn both<T: Send>(
    head: &Side,
    base: Option<&Side>,
    run: impl Fn(&Side, usize) -> Result<T, Unmeasured> + Sync,
) -> Result<(T, Option<T>), Unmeasured> {
    let (before, now) = threads::both(|| base.map(|side| run(side, 1)), || run(head, 0));
    let before = before.unwrap_or_else(|_| {
        let text = "the thread that ran it panicked, which is a bug";
        Some(Err(Unmeasured::new(Cause::Harness, text)))
    });
    // The base was measured already, and this is another run of it.
    let of_base = |why: Unmeasured| Unmeasured { text: format!("the base: {}", why.text), ..why };
    Ok((now?, before.transpose().map_err(of_base)?))
}
