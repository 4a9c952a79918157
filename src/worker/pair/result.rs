//! The result of one pair of processes: its rounds, and how they were timed.

use std::time::Duration;

use perf_budget_core::reading::{Clock, Timing, Work};

/// The result of one pair of processes.
#[derive(Debug, Default)]
pub struct Pair {
    /// The rounds, in order.
    pub rounds: Vec<Round>,
    /// The amount that an operation of each side counts for in a throughput.
    pub work: [Work; 2],
    /// The operations of one batch; 1 if an operation is as long as a batch.
    pub batch: usize,
    /// How long the pair took, with starting and set-up.
    pub elapsed: Duration,
    /// The share of the measured time in which an operation waited for a processor; `None` if unknown.
    pub waited: Option<f64>,
    /// The processor time of other threads and of child processes, as a share of the measured time; `None` if
    /// unknown.
    pub others: Option<f64>,
    /// The cost and the resolution of the clock.
    pub clock: Option<Clock>,
    /// Whether the wait for a processor was subtracted.
    pub timing: Option<Timing>,
    /// The processor that both ran on, if it was one.
    pub processor: Option<usize>,
    /// Which link of each side was measured, counted from 0; `None` if the sides are not links of two revisions.
    pub links: Option<[usize; 2]>,
    /// Remarks for the reader about how it was timed.
    pub notes: Vec<String>,
}

/// Four turns of each side: first, second, second, first, second, first, first, second; or the other way around,
/// depending on how the pair began.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Round {
    /// Whether the times are those of single operations; otherwise each is one mean of a batch.
    pub single: bool,
    /// The seconds of the first side, one list for each of its turns.
    pub first: Vec<Vec<f64>>,
    /// The seconds of the second side, one list for each of its turns.
    pub second: Vec<Vec<f64>>,
    /// The most seconds that each side was on a processor in each of its turns; for a batch, those of one operation. They
    /// are infinite if they are not known.
    pub busy: [Vec<f64>; 2],
}

impl Pair {
    /// Returns the pair with its sides exchanged.
    pub(crate) fn swapped(mut self) -> Pair {
        self.work.swap(0, 1);
        self.links = self.links.map(|[first, second]| [second, first]);
        for round in &mut self.rounds {
            std::mem::swap(&mut round.first, &mut round.second);
            round.busy.swap(0, 1);
        }
        self
    }
}
