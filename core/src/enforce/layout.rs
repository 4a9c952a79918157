//! The conclusions that the links of a comparison allow.
//!
//! The place where a linker puts a function changes the time of its loops, and no code is to blame for that. If each
//! pair of processes has its own link of each side, this is part of the differences from pair to pair, and the
//! evidence is about a typical link. If pairs share links, no number of pairs shows what other links would do. Then a
//! limit is broken only by more than layout can make: [`LAYOUT`] of the time in which the operation runs on a processor,
//! and nothing of the time in which it waits. Only times and rates are moved by it, and no count or size that is read
//! from the same pairs.

use super::Inquiry;
use super::open::{Judgement, Open};
use crate::metric::Units;
use crate::outcome::words::LAYOUT;
use crate::quantity::Unit;

impl Inquiry {
    /// Whether a limit that was shown to be broken may be so by layout alone.
    pub(super) fn may_be_layout(&self, open: &Open) -> bool {
        open.is_moved_by_layout()
            && self.seen.links.are_shared()
            && open.beyond_layout().is_none_or(|(least, _)| least <= 0.0)
    }

    /// Whether there are no more links for an open limit. If there are fewer links than the pairs that it takes to see a total
    /// violation, pairs share links until there are that many pairs.
    pub(super) fn is_out_of_links(&self, open: &Open) -> bool {
        let links = &self.seen.links;
        let none_left = links.are_shared() || links.count() >= self.rules.links;
        let enough = || self.needed(open).is_some_and(|needed| open.processes() >= needed);
        links.count() > 1 && none_left && enough()
    }
}

impl Open {
    /// Whether the value is a time or a rate, which layout can change.
    pub(super) fn is_moved_by_layout(&self) -> bool {
        let metric = &self.pending.limit.metric;
        metric.is_time() && matches!(metric.units(), Units::One(Unit::Seconds) | Units::Rate)
    }

    /// Whether more pairs cannot show that it is more than layout, since the whole interval is within what layout can
    /// make.
    pub(super) fn stays_within_layout(&self) -> bool {
        self.beyond_layout().is_some_and(|(_, most)| most <= 0.0)
    }

    /// Returns the largest share by which layout can change the value; `None` if the time on the processor is unknown.
    pub(super) fn layout(&self) -> Option<f64> {
        let less = self.without_layout.as_ref().filter(|less| less.is_known)?;
        let Judgement::Statistical(judge) = &self.judgement else { return None };
        let ((value, _), (least, _)) = (judge.estimate()?, less.judge.estimate()?);
        Some((value - least).abs().exp_m1().min(LAYOUT))
    }

    /// Returns how far beyond the limit both ends of the interval are, without what layout can cause.
    fn beyond_layout(&self) -> Option<(f64, f64)> {
        self.without_layout.as_ref()?.judge.beyond()
    }
}
