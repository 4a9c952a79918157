//! Deterministic readings: whether they were taken as often as necessary, and which value is compared if they differ.

use super::open::{Judgement, Open, enough_values};
use crate::metric::Judged;

impl Open {
    /// Whether deterministic readings were taken as often as necessary. If the counts of all processes are over the limit, further
    /// ones are read until chance is ruled out, even if all agree so far: a program may have several counts, each of them likely.
    pub(super) fn is_read(&self, repeats: usize) -> bool {
        let judged = self.pending.limit.metric.judged();
        if self.processes() < judged.fewest().max(repeats) {
            return false;
        }
        if self.may_be_chance() && self.is_all_over() {
            return self.is_certain();
        }
        match judged {
            Judged::Agreed { most } => self.agreed().is_some() || self.processes() >= most,
            Judged::Compared { .. } | Judged::Statistical(_) | Judged::UntilConstant(_) => true,
        }
    }

    /// Whether the value may differ from process to process, so that one over the limit may be chance. This is of no importance
    /// without a limit.
    pub(super) fn may_be_chance(&self) -> bool {
        self.pending.limit.metric.judged().may_differ() && !self.is_unjudged()
    }

    /// Returns how many processes it takes to rule chance out, if the values of all processes so far are over the limit and there
    /// are too few of them.
    pub(super) fn ruling_out_chance(&self) -> Option<usize> {
        let needed = enough_values(self.levels.fail);
        let is_open = self.processes() > 0 && self.may_be_chance() && self.is_all_over();
        (is_open && self.processes() < needed).then_some(needed)
    }

    /// Returns the value on which two processes agree, if the metric is judged by such a value. A value over the limit does not
    /// count if any process has another one: two that agree are then no more than two values over the limit.
    pub(super) fn agreed(&self) -> Option<f64> {
        let Judgement::Deterministic(readings) = &self.judgement else { return None };
        let (last, before) = readings.split_last().filter(|_| self.is_by_agreement())?;
        let is_last = |other: &&f64| other.to_bits() == last.to_bits();
        let alike = before.iter().filter(is_last).count();
        let counts = alike == before.len() || !self.against.is_over(*last);
        (alike > 0 && counts).then_some(*last)
    }

    /// Whether the values of all processes are over the limit.
    fn is_all_over(&self) -> bool {
        let Judgement::Deterministic(readings) = &self.judgement else { return false };
        readings.iter().all(|&value| self.against.is_over(value))
    }

    /// Whether the value of any process is over the limit.
    fn is_any_over(&self) -> bool {
        let Judgement::Deterministic(readings) = &self.judgement else { return false };
        readings.iter().any(|&value| self.against.is_over(value))
    }

    /// Whether there are enough processes for a verdict if the values of all of them are over the limit: if the median were
    /// within the limit, `n` values over it would have a chance of at most `2^-n`.
    pub(super) fn is_certain(&self) -> bool {
        self.processes() >= enough_values(self.levels.fail)
    }

    fn is_by_agreement(&self) -> bool {
        matches!(self.pending.limit.metric.judged(), Judged::Agreed { .. })
    }

    /// Returns a note if deterministic readings differed.
    pub(super) fn disagreement(&self) -> Option<String> {
        let Judgement::Deterministic(readings) = &self.judgement else { return None };
        let estimate = self.estimate()?;
        let (low, high) = (estimate.low?, estimate.high?);
        (low.to_bits() != high.to_bits()).then(|| {
            let high = self.against.quantity(high);
            let low = self.against.quantity(low).at_scale_of(high);
            let counts = match self.agreed() {
                Some(_) => "the value that two of them agree on counts",
                None if self.may_be_chance() && !self.is_all_over() && self.is_any_over() => {
                    "they are on either side of the limit"
                }
                None => "the worst counts",
            };
            format!("not the same in {} processes: {low} to {high}; {counts}", readings.len())
        })
    }
}
