//! The state of a process that serves the benchmarks of another library: which one is asked for, and whether it was
//! measured. The crates that stand in for those libraries call these functions where a benchmark runs.
//!
//! The state is one for the whole process, since the code between `main` and a benchmark belongs to the other library.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use perf_budget_core::outcome::{Cause, Unmeasured};
pub use perf_budget_core::reading::Work;

use super::serve::{Accepted, accept};
use super::{Failed, Run};

/// The request to this process, and how often a benchmark that it names was reached.
struct Request {
    accepted: Accepted,
    reached: AtomicUsize,
}

static REQUEST: OnceLock<Result<Option<Request>, u8>> = OnceLock::new();

/// Whether a harness has started this process to measure one benchmark. The first call decides it.
///
/// # Errors
/// The exit code with which the process has to end, if it was not a living harness that has started it.
pub fn is_asked() -> Result<bool, u8> {
    let request = |accepted| Request { accepted, reached: AtomicUsize::new(0) };
    let request = REQUEST.get_or_init(|| accept().map(|accepted| accepted.map(request)));
    request.as_ref().map(Option::is_some).map_err(|code| *code)
}

/// Measures the benchmark that is asked for, and writes the reply. The library has to call this for that benchmark alone;
/// a second call replaces the reply by the reason why two benchmarks of one name are not measured. `allocator` says how a
/// program of this library gets an allocator that counts, for a program that has none.
///
/// # Errors
/// The exit code with which the process has to end, if the reply cannot be written.
pub fn measure(
    allocator: &'static str,
    benchmark: impl FnOnce(&mut Run) -> Result<(), Failed>,
) -> Result<(), u8> {
    let Some(Ok(Some(request))) = REQUEST.get() else { return Ok(()) };
    if request.reached.fetch_add(1, Ordering::Relaxed) == 0 {
        return request.accepted.answer(|run| {
            run.allocator = allocator;
            benchmark(run)?;
            if run.has_begun() { Ok(()) } else { Err(measured_nothing(request.accepted.name())) }
        });
    }
    let text = format!(
        "the program has several benchmarks `{}`; give them different names",
        request.accepted.name()
    );
    request.accepted.refuse(Unmeasured::new(Cause::WorkloadFailed, text))
}

/// Writes that the benchmark is not there, unless it was measured. Call it when all benchmarks had their turn.
///
/// # Errors
/// The exit code with which the process has to end, if the reply cannot be written.
pub fn finish() -> Result<(), u8> {
    let Some(Ok(Some(request))) = REQUEST.get() else { return Ok(()) };
    if request.reached.load(Ordering::Relaxed) > 0 {
        return Ok(());
    }
    let text = format!("the program has no benchmark `{}`", request.accepted.name());
    request.accepted.refuse(Unmeasured::new(Cause::WorkloadFailed, text))
}

fn measured_nothing(name: &str) -> Failed {
    let text = format!(
        "benchmark `{name}` measured nothing: it called no method of its bencher that measures, such as `iter`"
    );
    Failed::new(Cause::MeasuredNothing, text)
}

/// Returns the reason why a benchmark is refused.
pub fn refused(text: impl Into<String>) -> Failed {
    Failed::new(Cause::Unsupported, text)
}
