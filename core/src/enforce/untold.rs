//! What processes could not tell of a limit: values that are too coarse for it, and operations that were never started.
//!
//! That a single process could not tell something is chance on a busy machine, and chance makes no red. So the value of such a
//! process does not count, and a limit is unmeasured only if several processes agree, and most of all.

/// In how many processes something must be unknown until it counts as unknown.
const REPEATED: usize = 3;

/// What the processes so far could not tell of a limit.
#[derive(Debug, Default)]
pub(super) struct Untold {
    /// The processes in which operations of a load were never started.
    pub(super) unstarted: usize,
    /// The processes whose values are too coarse.
    coarse: usize,
}

/// The reason why a process does not tell its value.
pub(super) enum Unknown {
    /// Operations of a load were never started.
    Unstarted,
    /// Any growth that the process could have shown is over the limit, since it ran too few operations.
    Coarse,
}

impl Untold {
    /// Counts one more process that does not tell its value. Returns whether such processes are usual, beside `known` others.
    pub(super) fn add(&mut self, why: &Unknown, known: usize) -> bool {
        match why {
            Unknown::Unstarted => self.unstarted += 1,
            Unknown::Coarse => self.coarse += 1,
        }
        let unknown = self.unstarted + self.coarse;
        unknown > known && unknown >= REPEATED
    }
}
