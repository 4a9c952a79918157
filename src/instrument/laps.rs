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

    /// Called instead of `stop` if the operations themselves report how long they took. Only benchmarks that stand in for
    /// Criterion's and Divan's do so.
    #[cfg(feature = "internals")]
    fn stop_after(&mut self, _took: std::time::Duration) {
        self.stop();
    }

    /// Called with how many of the lap's operations failed. The inputs and outputs are gone.
    fn record(&mut self, operations: usize, failed: usize);

    /// Returns the instructions of the last lap, if this instrument has counted them. A selftest adds a share of them.
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

/// The laps of one operation that an instrument which counts still has to see: some for the warm-up, then those that count.
#[derive(Debug, Clone, Copy)]
pub(super) struct Remaining {
    warm_ups: usize,
    counted: usize,
}

impl Remaining {
    /// Returns the laps of a measurement. If the operation is measured once, this is one lap that counts.
    pub(super) fn new(repeat: Repeat, warm_ups: usize, counted: usize) -> Remaining {
        match repeat {
            Repeat::Looped => Remaining { warm_ups, counted },
            Repeat::Once => Remaining { warm_ups: 0, counted: 1 },
        }
    }

    /// Returns how many of the laps count.
    pub(super) fn counted(self) -> usize {
        self.counted
    }

    /// Returns the operations of the next lap, if there is one.
    pub(super) fn next(self) -> Option<usize> {
        (self.warm_ups > 0 || self.counted > 0).then_some(1)
    }

    /// Whether the warm-up is over.
    pub(super) fn is_warm(self) -> bool {
        self.warm_ups == 0
    }

    /// Whether the next lap is the last one of the warm-up.
    pub(super) fn is_last_warm_up(self) -> bool {
        self.warm_ups == 1
    }

    /// Notes that a lap has run, and returns whether it counts.
    pub(super) fn passes(&mut self) -> bool {
        let counts = self.is_warm();
        let left = if counts { &mut self.counted } else { &mut self.warm_ups };
        *left -= 1;
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn laps_of_the_warm_up_do_not_count() {
        let passed = |mut laps: Remaining| {
            let mut passed = Vec::new();
            while laps.next().is_some() {
                passed.push((laps.is_last_warm_up(), laps.passes()));
            }
            passed
        };
        let counted = (false, true);
        assert_eq!(
            passed(Remaining::new(Repeat::Looped, 2, 3)),
            [(false, false), (true, false), counted, counted, counted]
        );
        assert_eq!(passed(Remaining::new(Repeat::Looped, 0, 1)), [counted]);
        assert_eq!(passed(Remaining::new(Repeat::Once, 2, 3)), [counted]);
    }
}
