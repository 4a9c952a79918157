//! What all instruments have in common as seen by the loop that runs the operation.
//!
//! The loop knows operations and no instrument; an instrument knows laps and no operation. Between
//! them lies this trait, so that there is one loop for plain and one for asynchronous operations.

use perf_budget_core::outcome::Unmeasured;
use perf_budget_core::reading::ProcessRun;

/// An instrument that watches laps of operations. The loop calls, in this order, `next`, `start`,
/// `stop` and `record`; between `next` and `start` it makes the inputs, between `stop` and `record` it
/// drops the outputs, and the inputs that were only lent.
pub(crate) trait Instrument {
    /// How many operations the next lap has; `None` when there is nothing left to measure.
    fn next(&mut self) -> Option<usize>;

    /// The operations of a lap are about to run.
    fn start(&mut self);

    /// They have run, and their outputs are alive, as are the inputs that were only lent.
    fn stop(&mut self);

    /// Of the lap's operations so many failed; inputs and outputs are gone.
    fn record(&mut self, operations: usize, failed: usize);

    /// Writes down what was measured.
    fn finish(&mut self, process: &mut ProcessRun) -> Result<(), Unmeasured>;
}

/// Whether an operation is measured again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// As often as the instrument needs.
    Looped,
    /// Once, the first time: a value that is built and held.
    Once,
}
