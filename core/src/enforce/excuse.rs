//! Whether other work on the machine may be the reason why a limit was shown to be broken.
//!
//! A time is longer on a busy machine for two reasons. It contains the waiting for a processor, unless that is subtracted.
//! And the work itself is slower, since other work uses the caches and the memory bandwidth. Neither is the subject's fault.

use super::Inquiry;
use super::open::{Judgement, Open};
use crate::budget::Target;
use crate::outcome::noise::{CONTENTION, Clock, contains_waiting};
use crate::quantity::Unit;
use crate::verdict::beyond;
use crate::verdict::judge::Judge;

impl Inquiry {
    /// Whether noise may be the reason why a limit was shown to be broken: the limit is on a time, and the machine did
    /// other work that may explain as much.
    pub(super) fn is_excused(&self, open: &Open) -> bool {
        if !open.is_absolute_time() {
            return false;
        }
        let noise = self.seen.noise_totals.noise();
        noise.may_explain() && !open.fails_in_spite_of_noise(noise.clock)
    }
}

impl Open {
    /// Whether the limit is on a time, so that a busy machine could break it. A comparison of pairs is not such a limit,
    /// since the two processes of a pair are interleaved.
    pub(super) fn is_absolute_time(&self) -> bool {
        let Target::Absolute(quantity) = self.pending.limit.target else { return false };
        let timed = matches!(quantity.unit, Unit::Seconds | Unit::PerSecond | Unit::BytesPerSecond);
        timed && self.pending.limit.metric.is_time()
    }

    /// Whether the times with the scheduling delay subtracted are so far over the limit that other work cannot be the
    /// reason.
    pub(super) fn fails_in_spite_of_noise(&self, clock: Option<Clock>) -> bool {
        let waits = contains_waiting(self.pending.limit.metric.sample(), clock);
        let judge = match &self.judgement {
            Judgement::Statistical(judge) if !waits => Some(judge),
            Judgement::Statistical(_) | Judgement::Deterministic(_) => self.less_waiting.as_ref(),
        };
        judge.is_some_and(|judge| beyond::log_evidence(judge, CONTENTION) >= judge.levels().fail)
    }

    /// Whether the times of a wall clock are over the limit even with the scheduling delay subtracted.
    pub(super) fn fails_less_waiting(&self) -> bool {
        let enough = |judge: &Judge| judge.log_evidence() >= judge.levels().fail;
        self.less_waiting.as_deref().is_some_and(enough)
    }
}
