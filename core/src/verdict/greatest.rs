//! Limits on the greatest value of a run.
//!
//! One value over the limit proves that the limit was exceeded, but the machine may be the cause. So a red is about the
//! middle process: the limit is broken once it is shown, at the level of every other limit, that more than half of the
//! processes have a value over it. A pass asks for more: that no process had one.

use crate::stats::{NotFinite, Percentile};

/// The fewest values after which a limit on the greatest of them can pass.
const FEWEST_VALUES: usize = 100;

/// The evidence about the greatest value of each process.
#[derive(Debug, Clone)]
pub(super) struct Greatest {
    limit: f64,
    tolerance_limit: f64,
    /// The evidence about the middle of the processes' greatest values.
    middle: Percentile,
    /// How many processes had a value over the limit, or at the tolerance limit.
    reached: usize,
    values: usize,
}

impl Greatest {
    pub(super) fn new(limit: f64, tolerance_limit: f64) -> Self {
        let middle = Percentile::by_processes(0.5, limit, tolerance_limit);
        Greatest { limit, tolerance_limit, middle, reached: 0, values: 0 }
    }

    /// Takes the values of one more process.
    ///
    /// # Errors
    /// If the greatest of them is not finite.
    pub(super) fn add(&mut self, process: &[f64]) -> Result<(), NotFinite> {
        let Some(greatest) = process.iter().copied().reduce(f64::max) else { return Ok(()) };
        self.middle.add_process(&[greatest])?;
        self.reached += usize::from(greatest > self.limit || greatest >= self.tolerance_limit);
        self.values += process.len();
        Ok(())
    }

    /// Returns the log evidence that more than half of the processes have a value over the limit.
    pub(super) fn log_fail(&self) -> f64 {
        self.middle.log_fail()
    }

    /// Returns infinite evidence if no process had a value over the limit and there were enough values.
    pub(super) fn log_pass(&self) -> f64 {
        if self.reached == 0 && self.values >= FEWEST_VALUES { f64::INFINITY } else { 0.0 }
    }

    /// Returns the smallest value of the middle process (the greatest value of each process counts) that `processes`
    /// processes would have failed with a probability of 95 %, at the log evidence `threshold`.
    pub(super) fn smallest_violation(&self, threshold: f64, processes: u64) -> Option<f64> {
        self.middle.smallest_violation(threshold, processes)
    }
}
