//! The links that pairs of processes were measured with.

use crate::outcome::words::Linked;

/// The links of the pairs so far.
#[derive(Debug, Default)]
pub(super) struct Links {
    pairs: usize,
    /// Which links of the subject were used, and which of its reference.
    used: [Vec<usize>; 2],
}

impl Links {
    pub(super) fn add(&mut self, links: Option<[usize; 2]>) {
        let Some(links) = links else { return };
        self.pairs += 1;
        for (used, link) in self.used.iter_mut().zip(links) {
            if !used.contains(&link) {
                used.push(link);
            }
        }
    }

    /// Returns the number of links of each side, or of the side with fewer; 0 if nothing was compared by links.
    pub(super) fn count(&self) -> usize {
        self.used[0].len().min(self.used[1].len())
    }

    /// Whether some pairs had the same link of a side.
    pub(super) fn are_shared(&self) -> bool {
        self.pairs > self.count()
    }

    /// Returns the description of the links for an outcome whose value memory layout can change by the share `layout`; `None`
    /// if nothing was compared by links.
    pub(super) fn linked(&self, layout: f64) -> Option<Linked> {
        let links = self.count();
        (links > 0).then_some(Linked { links, pairs: self.pairs, layout })
    }

    /// Returns the most pairs that a run may have, if `most` pairs can have links of their own.
    pub(super) fn most_pairs(&self, most: usize) -> usize {
        if self.pairs == 0 || self.are_shared() { usize::MAX } else { most }
    }
}
