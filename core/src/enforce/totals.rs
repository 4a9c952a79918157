//! The times of all operations of pairs, with rare long ones included. A ratio is judged by the usual operation alone.
//!
//! The ratio of a pair is the middle over its rounds, so that interruptions of the machine do not move it. An operation that
//! is long once in a thousand times, for instance because a buffer grows, does not move it either. So a ratio of means passes
//! only if the ratio of the sums allows it too.

use crate::metric::Metric;
use crate::reading::ProcessRun;

/// The seconds of one operation of each side, as the mean over all operations of a pair, for one pair after another.
#[derive(Debug, Default)]
pub(super) struct Totals(Vec<(f64, f64)>);

impl Totals {
    pub(super) fn add(&mut self, metric: &Metric, process: &ProcessRun) {
        self.0.extend(process.totals.get(metric));
    }

    /// Returns the logarithm of the ratio of the sums over all pairs; `None` without pairs.
    pub(super) fn log_ratio(&self) -> Option<f64> {
        let (subject, reference) =
            self.0.iter().fold((0.0, 0.0), |sums, pair| (sums.0 + pair.0, sums.1 + pair.1));
        Some((subject / reference).ln()).filter(|log| log.is_finite())
    }

    /// Returns the logarithms of the ratios of all pairs.
    pub(super) fn log_ratios(&self) -> Vec<f64> {
        self.0.iter().map(|(subject, reference)| (subject / reference).ln()).collect()
    }
}
