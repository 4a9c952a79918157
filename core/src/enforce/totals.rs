//! The times of all operations of pairs, rare long ones included, beside the usual operation that a ratio is judged by.
//!
//! The ratio of a pair is the middle over its rounds, which no interruption of the machine moves. Neither does an operation
//! that is long once in a thousand times, as where a buffer grows. So a ratio of means passes only where the ratio of the
//! sums allows it too.

use super::Inquiry;
use super::open::Open;
use crate::metric::{Metric, SampleKind};
use crate::outcome::words;
use crate::reading::ProcessRun;
use crate::stats::Spread;
use crate::verdict::judge::INTERVAL_ALPHA;

/// The seconds of one operation of each side, as the mean over all operations of a pair, for one pair after another.
#[derive(Debug, Default)]
pub(super) struct Totals(Vec<(f64, f64)>);

impl Totals {
    pub(super) fn add(&mut self, metric: &Metric, process: &ProcessRun) {
        self.0.extend(process.totals.get(metric));
    }

    /// Returns the logarithm of the ratio of the sums over all pairs; `None` without pairs.
    fn log_ratio(&self) -> Option<f64> {
        let (subject, reference) =
            self.0.iter().fold((0.0, 0.0), |sums, pair| (sums.0 + pair.0, sums.1 + pair.1));
        Some((subject / reference).ln()).filter(|log| log.is_finite())
    }

    /// Returns the logarithms of the ratios of all pairs, with the sign that makes worse ones larger.
    fn log_ratios(&self) -> Vec<f64> {
        self.0.iter().map(|(subject, reference)| (subject / reference).ln()).collect()
    }
}

impl Inquiry {
    /// Whether the operations of a limit that holds for the usual one are too long on the whole. While there is time, it is
    /// enough that they were so on average, since more pairs tell whether that was the machine. Then it must be more than
    /// chance.
    pub(super) fn is_too_long_on_the_whole(&self, open: &Open) -> bool {
        let Some(edge) = open.time_edge() else { return false };
        let is_beyond = open.totals.log_ratio().is_some_and(|log| log > edge);
        is_beyond && (!self.is_without_more(open) || open.is_surely_too_long(edge))
    }

    /// Whether no more pairs are measured to tell.
    pub(super) fn is_without_more(&self, open: &Open) -> bool {
        self.is_effort_spent() || self.is_out_of_links(open)
    }
}

impl Open {
    /// Returns the limit with its tolerance as the logarithm of a ratio of times; `None` where it is not one of means.
    fn time_edge(&self) -> Option<f64> {
        let of_means =
            matches!(self.asked.limit.metric.sample(), SampleKind::Batch | SampleKind::Rate);
        let against = self.against();
        let sign = against.bound.sign();
        // A rate is over its floor where a time is under its ceiling.
        (of_means && self.is_relative())
            .then(|| sign * (against.limit + sign * against.tolerance).ln())
    }

    fn is_surely_too_long(&self, edge: f64) -> bool {
        let spread = Spread::of_means(&self.totals.log_ratios());
        spread.is_some_and(|spread| spread.interval(INTERVAL_ALPHA).low > edge)
    }

    /// Returns the sentence of a limit that holds for the usual operation, and not on the whole.
    pub(super) fn too_long_on_the_whole(&self) -> Option<String> {
        let against = self.against();
        let log = self.totals.log_ratio()? * against.bound.sign();
        Some(words::too_long_on_the_whole(&self.asked.limit, &against, self.value()?, log.exp()))
    }
}
