//! The links that pairs of processes were measured with, and what these allow to conclude.
//!
//! Where a linker puts a function changes the time of its loops, and no code is to blame. If each pair of processes
//! has a link of each side of its own, this is part of what varies from pair to pair, and the evidence is about a
//! typical link. If pairs share links, no number of pairs shows what other links would do. Then a limit is broken only
//! by more than [`LAYOUT`].

use std::collections::BTreeSet;

use super::Inquiry;
use super::open::{Judgement, Open};
use crate::outcome::words::{LAYOUT, Linked};

/// The links of the pairs so far.
#[derive(Debug, Default)]
pub(super) struct Links {
    pairs: usize,
    /// Which links of the subject were used, and which of its reference.
    used: [BTreeSet<usize>; 2],
}

impl Links {
    pub(super) fn add(&mut self, links: Option<[usize; 2]>) {
        let Some(links) = links else { return };
        self.pairs += 1;
        for (used, link) in self.used.iter_mut().zip(links) {
            used.insert(link);
        }
    }

    /// The number of links of either side; 0 where nothing was compared by links.
    fn count(&self) -> usize {
        self.used[0].len().min(self.used[1].len())
    }

    /// Whether some pairs had the same link of a side.
    fn are_shared(&self) -> bool {
        self.pairs > self.count()
    }

    /// What an outcome says of the links; `None` where nothing was compared by links.
    pub(super) fn linked(&self) -> Option<Linked> {
        let links = self.count();
        (links > 0).then_some(Linked { links, pairs: self.pairs })
    }

    /// The most pairs that a run may have, of which `most` can have links of their own.
    pub(super) fn most_pairs(&self, most: usize) -> usize {
        if self.pairs == 0 || self.are_shared() { usize::MAX } else { most }
    }
}

impl Inquiry {
    /// Whether a limit that was shown to be broken may be so by layout alone.
    pub(super) fn may_be_layout(&self, open: &Open) -> bool {
        let Judgement::Statistical(judge) = &open.judgement else { return false };
        let is_within = |(least, _): (f64, f64)| least <= LAYOUT.ln_1p();
        self.seen.links.are_shared() && judge.beyond().is_none_or(is_within)
    }

    /// Whether more pairs cannot show that it is more than layout, since the whole interval is within what layout can
    /// make.
    pub(super) fn stays_within_layout(&self, open: &Open) -> bool {
        let Judgement::Statistical(judge) = &open.judgement else { return false };
        judge.beyond().is_some_and(|(_, most)| most <= LAYOUT.ln_1p())
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
