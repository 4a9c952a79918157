//! Ratios of means that hold for the usual operation: whether they hold on the whole, rare long operations included.

use super::Inquiry;
use super::open::Open;
use crate::budget::Bound;
use crate::metric::SampleKind;
use crate::outcome::words;
use crate::stats::Spread;
use crate::verdict::judge::INTERVAL_ALPHA;

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
        let against = self.against();
        // Rare long operations are no reason to doubt that a time is over a floor, or a rate under a ceiling.
        let of_means = matches!(
            (self.asked.limit.metric.sample(), against.bound),
            (SampleKind::Batch, Bound::Max) | (SampleKind::Rate, Bound::Min)
        );
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
