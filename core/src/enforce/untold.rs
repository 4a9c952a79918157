//! What processes could not tell of a limit: values that may be too coarse for it, and operations that were never started.
//!
//! That a single process could not tell something is chance on a busy machine, and chance makes no red. So a limit is
//! unmeasured only where several processes agree.

/// In how many processes something must be unknown until it counts as unknown.
pub(super) const REPEATED: usize = 3;

/// What the processes so far could not tell of a limit.
#[derive(Debug, Default)]
pub(super) struct Untold {
    /// The processes whose values are unknown, since operations of a load were never started.
    pub(super) unstarted: usize,
    /// The smallest growth of memory that any process could have shown, and how many processes said theirs. A process
    /// that runs fewer operations, on a busy machine, shows less.
    grain: Option<(f64, usize)>,
}

impl Untold {
    /// Takes what one more process could have shown, and returns the finest of all, once there are enough processes.
    pub(super) fn finest_of(&mut self, grain: Option<f64>) -> Option<f64> {
        let (finest, processes) = self.grain.unwrap_or((f64::INFINITY, 0));
        self.grain = Some((finest.min(grain?), processes + 1));
        self.grain.filter(|(_, processes)| *processes >= REPEATED).map(|(finest, _)| finest)
    }
}
