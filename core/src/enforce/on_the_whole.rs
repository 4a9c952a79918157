//! Limits on ratios of means that hold for the usual operation: whether they also hold with rare long operations included.

use super::Inquiry;
use super::open::Open;
use crate::budget::Bound;
use crate::metric::SampleKind;
use crate::outcome::words;
use crate::stats::Spread;
use crate::verdict::judge::INTERVAL_ALPHA;

impl Inquiry {
    /// Whether the operations are too long on the whole, although the limit holds for the usual operation. While there is time
    /// for more pairs, it is enough that they were too long on average, since more pairs will show whether the machine was the
    /// cause. Afterwards it must be more than chance.
    pub(super) fn is_too_long_on_the_whole(&self, open: &Open) -> bool {
        let Some(edge) = open.time_edge() else { return false };
        let is_beyond = open.totals.log_ratio().is_some_and(|log| log > edge);
        is_beyond && (!self.is_without_more(open) || open.is_surely_too_long(edge))
    }

    /// Whether no more pairs are measured.
    pub(super) fn is_without_more(&self, open: &Open) -> bool {
        self.is_effort_spent() || self.is_out_of_links(open)
    }
}

impl Open {
    /// Returns the limit with its tolerance as the logarithm of a ratio of times; `None` if it is not a ratio of means.
    fn time_edge(&self) -> Option<f64> {
        let against = self.against();
        // Rare long operations are no reason to doubt that a time is over its `min`, or a rate below its `max`.
        let of_means = matches!(
            (self.pending.limit.metric.sample(), against.bound),
            (SampleKind::Batch, Bound::Max) | (SampleKind::Rate, Bound::Min)
        );
        let sign = against.bound.sign();
        // A rate over its `min` is a time below its `max`.
        (of_means && self.is_relative())
            .then(|| sign * (against.limit + sign * against.tolerance).ln())
    }

    fn is_surely_too_long(&self, edge: f64) -> bool {
        let spread = Spread::of_means(&self.totals.log_ratios());
        spread.is_some_and(|spread| spread.interval(INTERVAL_ALPHA).low > edge)
    }

    /// Returns the sentence about a limit that holds for the usual operation, and not on the whole.
    pub(super) fn too_long_on_the_whole(&self) -> Option<String> {
        let against = self.against();
        let log = self.totals.log_ratio()? * against.bound.sign();
        Some(words::too_long_on_the_whole(&self.pending.limit, &against, self.value()?, log.exp()))
    }
}
