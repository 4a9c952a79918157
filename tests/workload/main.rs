//! The instruments of a workload, each on subjects whose values are known: they spin for a stated time, allocate
//! stated bytes, or fail in every way that a process can.
//!
//! It is a target of its own, because the measured processes run this binary again. The bounds are lower bounds or
//! counts: no test depends on how fast the machine is.

#![expect(clippy::float_cmp, reason = "counts and their means are exact")]

mod failures;
mod fuel;
mod gaps;
mod injections;
mod instructions;
mod instruments;
mod lent;
mod load;
#[cfg(unix)]
mod pairs;
mod server;
mod spin;
mod subjects;
#[cfg(target_os = "linux")]
mod syscalls;
mod used;

use std::num::NonZero;
use std::path::Path;
use std::process::ExitCode;
use std::thread::available_parallelism;
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use perf_budget::internals::process::{Request, measure};
use perf_budget_core::budget::Load;
use perf_budget_core::metric::{Metric, SubjectKind};
use perf_budget_core::outcome::Unmeasured;
use perf_budget_core::reading::ProcessRun;

#[global_allocator]
static HEAP: perf_budget::Heap = perf_budget::Heap::system();

fn main() -> ExitCode {
    if let Some(code) = perf_budget::internals::serve(&subjects::subjects()) {
        return code;
    }
    let rows = instruments::rows().into_iter().chain(failures::rows()).chain(load::rows());
    let rows = rows.chain(fuel::rows());
    let rows = rows.chain(injections::rows()).chain(instructions::rows());
    #[cfg(unix)]
    let rows = rows.chain(pairs::rows());
    #[cfg(target_os = "linux")]
    let rows = rows.chain(syscalls::rows());
    let mut arguments = Arguments::from_args();
    // A test mostly waits, for operations that are due and for processes that do not end.
    arguments
        .test_threads
        .get_or_insert_with(|| 2 * available_parallelism().map_or(1, NonZero::get));
    libtest_mimic::run(&arguments, gaps::mark(rows)).exit_code()
}

/// Measures the metrics with these names.
fn process_run(workload: &str, metrics: &[&str]) -> Result<ProcessRun, Unmeasured> {
    process_run_within(workload, metrics, Duration::from_secs(60))
}

fn process_run_within(
    workload: &str,
    metrics: &[&str],
    timeout: Duration,
) -> Result<ProcessRun, Unmeasured> {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join("workload");
    measure(&request(workload, metrics), &scratch, timeout)
}

/// Measures with less memory or fewer processors.
#[cfg(target_os = "linux")]
fn process_run_constrained(
    workload: &str,
    metrics: &[&str],
    constraint: perf_budget_core::budget::Constraint,
) -> Result<ProcessRun, Unmeasured> {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join("workload");
    let request = Request { constraint, ..request(workload, metrics) };
    measure(&request, &scratch, Duration::from_secs(60))
}

/// Measures under a load, or for as long as growth needs.
fn process_run_under(
    workload: &str,
    metrics: &[&str],
    load: Option<Load>,
) -> Result<ProcessRun, Unmeasured> {
    let slice = Duration::from_millis(500);
    let request = Request { load, slice, ..request(workload, metrics) };
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join("workload");
    measure(&request, &scratch, Duration::from_secs(60))
}

fn request(workload: &str, metrics: &[&str]) -> Request {
    let metric = |word: &&str| Metric::of(SubjectKind::Workload, word).unwrap();
    Request {
        workload: workload.to_owned(),
        params: vec![("size".to_owned(), perf_budget_core::budget::Param::Int(1000))],
        metrics: metrics.iter().map(metric).collect(),
        load: None,
        slice: Duration::from_millis(60),
        max_operations: 50_000,
        paired: false,
        injection: None,
        counting: None,
        sampling: None,
        constraint: perf_budget_core::budget::Constraint::default(),
    }
}

/// Returns the value of the metric with this name.
fn value(process: &ProcessRun, word: &str) -> f64 {
    process.values[&Metric::of(SubjectKind::Workload, word).unwrap()]
}

/// Makes a test that passes unless `check` panics.
fn row(name: &str, check: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(name, move || {
        check();
        Ok::<(), Failed>(())
    })
}
