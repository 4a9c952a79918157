//! The measuring methods for benchmarks of other libraries, which do not ask what an operation returns.
//!
//! A workload whose operation returns a `Result` is refused, so that a failing operation is not measured as a fast one. A
//! benchmark was written for a library that never asked, and has to be measured as it stands.

use std::hint::black_box;
use std::pin::Pin;
use std::time::Duration;

use perf_budget_core::metric::{SampleKind, WorkerInstrument};
use perf_budget_core::outcome::Cause;
use perf_budget_core::reading::Work;

use super::drive::{ByReference, ByValue, CannotFail, Failures};
use super::drive_async::drive;
use super::measurement::Watcher;
use super::{Failed, MethodState, Run};
use crate::instrument::laps::{Instrument, Repeat};

/// The whole loop of an asynchronous benchmark, for its runtime to run.
type BenchmarkLoop<'l> = Pin<Box<dyn Future<Output = ()> + 'l>>;

#[doc(hidden)]
impl Run {
    /// Whether a measuring method was called.
    pub(super) fn has_begun(&self) -> bool {
        self.method != MethodState::None
    }

    /// Measures an operation. What it returns is dropped within the measured part.
    ///
    /// # Errors
    /// If the benchmark has called a measuring method before, or this system cannot measure what the budget limits.
    pub fn benchmark<O>(
        &mut self,
        method: &'static str,
        mut op: impl FnMut() -> O,
    ) -> Result<(), Failed> {
        let op = ByValue(|()| drop(black_box(op())));
        self.measure::<CannotFail, _, _>(method, Repeat::Looped, || (), op)
    }

    /// Measures an operation that uses up its input. What it returns is dropped outside of the measured part.
    ///
    /// # Errors
    /// The errors are those of [`benchmark`](Run::benchmark).
    pub fn benchmark_with<I, O>(
        &mut self,
        method: &'static str,
        setup: impl FnMut() -> I,
        op: impl FnMut(I) -> O,
    ) -> Result<(), Failed> {
        self.measure::<CannotFail, _, _>(method, Repeat::Looped, setup, ByValue(op))
    }

    /// Measures an operation on an input that is lent to it. The input too is dropped outside of the measured part.
    ///
    /// # Errors
    /// The errors are those of [`benchmark`](Run::benchmark).
    pub fn benchmark_with_ref<I, O>(
        &mut self,
        method: &'static str,
        setup: impl FnMut() -> I,
        op: impl FnMut(&mut I) -> O,
    ) -> Result<(), Failed> {
        self.measure::<CannotFail, _, _>(method, Repeat::Looped, setup, ByReference(op))
    }

    /// Measures operations that time themselves: `op` runs the given number of them, and returns how long they took.
    ///
    /// # Errors
    /// If the budget limits more than times, since nobody knows which part of the call is timed. The other errors are those
    /// of [`benchmark`](Run::benchmark).
    pub fn benchmark_timed(
        &mut self,
        method: &'static str,
        mut op: impl FnMut(u64) -> Duration,
    ) -> Result<(), Failed> {
        self.refuse_untimed(method)?;
        let (mut watcher, mut failures) = self.begin(method, Repeat::Looped)?;
        match &mut watcher {
            Watcher::Time(time) => timed(&mut **time, &mut failures, &mut op),
            Watcher::Other(instrument) => timed(&mut **instrument, &mut failures, &mut op),
            Watcher::Arrivals(_) => {
                return Err(self.failed(Failed::from(NO_LOAD)));
            }
        }
        self.end(method, watcher, &failures)
    }

    /// Measures an asynchronous operation on a runtime, whose `block_on` is given. What the operation returns is dropped
    /// outside of the measured part.
    ///
    /// # Errors
    /// The errors are those of [`benchmark`](Run::benchmark).
    pub fn benchmark_async<I, O, F: Future<Output = O>>(
        &mut self,
        method: &'static str,
        block_on: impl FnOnce(BenchmarkLoop<'_>),
        mut setup: impl FnMut() -> I,
        mut op: impl FnMut(I) -> F,
    ) -> Result<(), Failed> {
        let (mut watcher, mut failures) = self.begin(method, Repeat::Looped)?;
        let (setup, op) = (async || setup(), async |input| op(input).await);
        match &mut watcher {
            Watcher::Time(time) => {
                let whole = drive::<CannotFail, _, _, _>(&mut **time, &mut failures, setup, op);
                block_on(Box::pin(whole));
            }
            Watcher::Other(other) => {
                let whole = drive::<CannotFail, _, _, _>(&mut **other, &mut failures, setup, op);
                block_on(Box::pin(whole));
            }
            Watcher::Arrivals(_) => {
                return Err(self.failed(Failed::from(NO_LOAD)));
            }
        }
        self.end(method, watcher, &failures)
    }

    /// Sets the work of one operation, for its throughput: a number of bytes, or of operations.
    pub fn counts(&mut self, work: Work) {
        self.process.work = work;
    }

    /// Adds a note to the result.
    pub fn note(&mut self, note: String) {
        self.process.notes.push(note);
    }

    /// Whether allocations are counted in this process.
    pub fn counts_allocations(&self) -> bool {
        self.instrument == WorkerInstrument::Heap
    }

    fn refuse_untimed(&mut self, method: &'static str) -> Result<(), Failed> {
        let is_time =
            |sample| matches!(sample, SampleKind::Operation | SampleKind::Batch | SampleKind::Rate);
        let untimed = self.request.metrics.iter().find(|metric| !is_time(metric.sample()));
        let Some(metric) = untimed else { return Ok(()) };
        let text = format!(
            "the benchmark times itself, by `{method}`, and so has no `{metric}`: nobody knows which part of it is timed"
        );
        Err(self.failed(Failed::new(Cause::Unsupported, text)))
    }
}

/// The reason why a benchmark is not measured under a load.
const NO_LOAD: &str = "a benchmark has no `load`";

/// Runs operations that time themselves, as long as the instrument needs laps.
fn timed<G: Instrument + ?Sized>(
    instrument: &mut G,
    failures: &mut Failures,
    op: &mut impl FnMut(u64) -> Duration,
) {
    while let Some(lap) = instrument.next() {
        instrument.start();
        let took = op(lap as u64);
        instrument.stop_after(took);
        failures.operations += lap;
        instrument.record(lap, 0);
    }
}
