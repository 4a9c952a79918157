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
    /// The processes whose values are too coarse: any growth that they could have shown is over the limit, since they ran too
    /// few operations.
    pub(super) coarse: usize,
}

impl Untold {
    /// Whether a process that does not tell its value is usual, beside `known` others that do.
    pub(super) fn is_usual(&self, known: usize) -> bool {
        let unknown = self.unstarted + self.coarse;
        unknown > known && unknown >= REPEATED
    }
}
