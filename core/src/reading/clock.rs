//! What the clock that timed a process can tell apart, and what its times count.

use serde::{Deserialize, Serialize};

/// What the clock costs and can tell apart: times near these are not times of the subject.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clock {
    /// Seconds that reading the clock adds to each timed part; already subtracted.
    pub cost: f64,
    /// The smallest difference the clock showed, in seconds.
    pub resolution: f64,
}

/// What a time counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Timing {
    /// The wall clock, less the time in which it waited for a processor.
    LessWaiting,
    /// The wall clock with all there is in it: the work is that of several threads or processes, or
    /// the system does not tell waiting.
    Wall,
}
