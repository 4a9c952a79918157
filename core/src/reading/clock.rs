//! The properties of the clock that timed a process, and what its times count.

use serde::{Deserialize, Serialize};

/// The cost and the resolution of a clock. Times of about this length are not times of the subject.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clock {
    /// The seconds that reading the clock adds to each timed part. They are already subtracted.
    pub cost: f64,
    /// The smallest difference that the clock showed, in seconds.
    pub resolution: f64,
}

/// The time that was counted: whether the scheduling delay is subtracted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Timing {
    /// The time of the wall clock, with the scheduling delay subtracted.
    LessWaiting,
    /// The whole time of the wall clock. Nothing is subtracted if several threads or processes work, or if the system
    /// does not tell for how long they waited.
    Wall,
}
