//! The trait of all instruments, as the loop that runs the operation sees them.
//!
//! The loop knows operations but no instrument, and an instrument knows laps but no operation. This trait is between
//! them, so that one loop is enough for plain operations, and one for asynchronous ones.

use perf_budget_core::outcome::Unmeasured;
use perf_budget_core::reading::ProcessRun;

/// An instrument that watches laps of operations. The loop calls `next`, `start`, `stop` and `record`, in this order.
/// It makes the inputs between `next` and `start`; between `stop` and `record` it drops the outputs, and the inputs
/// that were only lent.
pub(crate) trait Instrument {
    /// Returns how many operations the next lap has; `None` when nothing is left to measure.
    fn next(&mut self) -> Option<usize>;

    /// Called when the operations of a lap are about to run.
    fn start(&mut self);

    /// Called when they have run. Their outputs are alive, as are the inputs that were only lent.
    fn stop(&mut self);

    /// Called in the place of `stop` where the operations themselves tell how long they took.
    /// Only benchmarks in the place of Criterion's and Divan's do so.
    #[cfg(feature = "internals")]
    fn stop_after(&mut self, _took: std::time::Duration) {
        self.stop();
    }

    /// Called with how many of the lap's operations failed. The inputs and outputs are gone.
    fn record(&mut self, operations: usize, failed: usize);

    /// Returns the instructions of the last lap, if this instrument has counted them: what a selftest adds a share of.
    fn counted(&mut self) -> Option<f64> {
        None
    }

    /// Writes what was measured to `process`.
    fn finish(&mut self, process: &mut ProcessRun) -> Result<(), Unmeasured>;
}

/// Whether an operation is measured repeatedly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It is repeated as often as the instrument needs.
    Looped,
    /// It is measured once, the first time: a value that is built and held.
    Once,
}
