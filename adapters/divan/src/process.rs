//! The role of this process: it is one of `cargo bench`, or it measures a single benchmark for a harness.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use perf_budget::internals::served::{self, Work};

use crate::bencher::Bencher;
use crate::counted::first_bytes;

/// The text by which the harness sees, without starting the program, that it serves its benchmarks.
const SERVES: &str = "perf-budget serves benchmarks of divan 1";

/// How a program gets an allocator that counts.
const ALLOCATOR: &str = "turn on the feature `heap` of perf-budget-divan in Cargo.toml\n\
    \x20   divan = { package = \"perf-budget-divan\", features = [\"heap\"], … }\n\
    or add to the file with `main`, around an allocator of your own if you have one\n\
    \x20   #[global_allocator]\n\
    \x20   static ALLOC: divan::AllocProfiler = divan::AllocProfiler::system();";

/// Whether the calls of the benchmark are only counted.
static COUNTING: AtomicBool = AtomicBool::new(false);
/// The number of threads of each call of the benchmark.
static THREADS: Mutex<Vec<usize>> = Mutex::new(Vec::new());
/// The number of calls that were not only counted.
static CALLS: AtomicUsize = AtomicUsize::new(0);

/// Whether a harness has started this process to measure one benchmark.
pub(crate) fn is_asked() -> bool {
    black_box(SERVES);
    served::is_asked().unwrap_or_else(|code| end(code))
}

/// Runs the benchmarks without their functions, to count the threads of each call.
pub(crate) fn count_threads(all: impl FnOnce()) {
    COUNTING.store(true, Ordering::Relaxed);
    all();
    COUNTING.store(false, Ordering::Relaxed);
}

/// Reports that there is no such benchmark, unless one was measured.
pub(crate) fn finish() {
    served::finish().unwrap_or_else(|code| end(code));
}

/// Runs a benchmark that Divan calls: by Divan, or by the instruments if a harness asks for it. `counters` returns the work of
/// one operation, as the attribute gives it.
pub fn run(
    inner: divan::Bencher<'_, '_>,
    counters: impl FnOnce() -> Vec<Option<Work>>,
    benchmark: impl FnOnce(Bencher<'_, '_>),
) {
    if !is_asked() {
        return benchmark(Bencher::of_divan(inner));
    }
    // In a test run, Divan calls the function once on each thread. A benchmark that is not selected is not called at all.
    let threads = AtomicUsize::new(0);
    inner.bench(|| threads.fetch_add(1, Ordering::Relaxed));
    if COUNTING.load(Ordering::Relaxed) {
        return counts().push(threads.into_inner());
    }
    let counts = counts().clone();
    let nth = CALLS.fetch_add(1, Ordering::Relaxed);
    let most = counts.iter().copied().max().unwrap_or(1);
    let is_measured = counts.iter().position(|count| *count == most) == Some(nth);
    // A second call with the same count is another benchmark of the same name, which is refused.
    let is_again = counts.get(nth) == Some(&most) && !is_measured;
    if !is_measured && !is_again {
        return;
    }
    let measured = served::measure(ALLOCATOR, |run| {
        if let Some(work) = counters().into_iter().flatten().reduce(first_bytes) {
            run.counts(work);
        }
        let mut failed = None;
        benchmark(Bencher::of_run(run, &mut failed, most.max(1)));
        failed.map_or(Ok(()), Err)
    });
    measured.unwrap_or_else(|code| end(code));
}

fn counts() -> MutexGuard<'static, Vec<usize>> {
    THREADS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the process, because it cannot measure the benchmark that it was started for.
#[expect(clippy::exit, reason = "between `main` and a benchmark there is only Divan's code")]
fn end(code: u8) -> ! {
    std::process::exit(i32::from(code))
}
