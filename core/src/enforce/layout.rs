//! The conclusions that the links of a comparison allow.
//!
//! The place where a linker puts a function changes the time of its loops, and no code is to blame for that. If each
//! pair of processes has a link of each side of its own, this is part of the differences from pair to pair, and the
//! evidence is about a typical link. If pairs share links, no number of pairs shows what other links would do. Then a
//! limit is broken only by more than layout can make: [`LAYOUT`] of the time in which the operation runs on a processor,
//! and nothing of the time in which it waits.

use super::Inquiry;
use super::open::{Judgement, LN_OF_ZERO, Open};
use crate::budget::Bound;
use crate::metric::{Better, Metric};
use crate::outcome::words::LAYOUT;
use crate::reading::ProcessRun;
use crate::verdict::judge::{Hypothesis, Judge};

/// The evidence of the same ratios, without what layout may have made of them at most.
pub(super) struct LessLayout {
    judge: Judge,
    /// Whether the time on the processor was known of every pair.
    is_known: bool,
}

impl LessLayout {
    pub(super) fn new(hypothesis: Hypothesis) -> Self {
        LessLayout { judge: Judge::new(hypothesis), is_known: true }
    }

    /// Takes one more pair, whose ratio is `ratio`. Where the time on the processor is not known, the operation counts
    /// as one that never waits.
    pub(super) fn add(
        &mut self,
        (metric, bound): (&Metric, Bound),
        process: &ProcessRun,
        ratio: f64,
    ) {
        // A reading is about layout that makes the subject worse. A limit on the other side has no such reading.
        let worse = if metric.better() == Better::Higher { Bound::Min } else { Bound::Max };
        let known = process.less_layout.get(metric).copied().filter(|_| bound == worse);
        self.is_known &= known.is_some();
        let sign = bound.sign();
        let most = ratio.ln() - sign * LAYOUT.ln_1p();
        // No reading takes away more than layout can make, nor does it add anything.
        let (a, b) = (most.min(ratio.ln()), most.max(ratio.ln()));
        let less = known.map_or(most, |known| known.ln().clamp(a, b));
        // The same ratio was taken as a value of the limit, or refused there.
        let _ = self.judge.add(&[less.max(LN_OF_ZERO)]);
    }
}

impl Inquiry {
    /// Whether a limit that was shown to be broken may be so by layout alone.
    pub(super) fn may_be_layout(&self, open: &Open) -> bool {
        self.seen.links.are_shared() && open.beyond_layout().is_none_or(|(least, _)| least <= 0.0)
    }

    /// Whether there are no more links for an open limit. Where there are fewer than a total violation needs to be
    /// seen, pairs share them until they have as many pairs as that.
    pub(super) fn is_out_of_links(&self, open: &Open) -> bool {
        let links = &self.seen.links;
        let none_left = links.are_shared() || links.count() >= self.rules.links;
        let enough = || self.needed(open).is_some_and(|needed| open.processes() >= needed);
        links.count() > 1 && none_left && enough()
    }
}

impl Open {
    /// Whether more pairs cannot show that it is more than layout, since the whole interval is within what layout can
    /// make.
    pub(super) fn stays_within_layout(&self) -> bool {
        self.beyond_layout().is_some_and(|(_, most)| most <= 0.0)
    }

    /// Returns the share by which layout can change the value at most; `None` where the time on the processor is unknown.
    pub(super) fn layout(&self) -> Option<f64> {
        let less = self.less_layout.as_ref().filter(|less| less.is_known)?;
        let Judgement::Statistical(judge) = &self.judgement else { return None };
        let ((value, _), (least, _)) = (judge.estimate()?, less.judge.estimate()?);
        Some((value - least).abs().exp_m1().min(LAYOUT))
    }

    /// Returns how far beyond the limit both ends of the interval lie without what layout can make.
    fn beyond_layout(&self) -> Option<(f64, f64)> {
        self.less_layout.as_ref()?.judge.beyond()
    }
}
