//! The clock that timed a process: what it can tell apart, and what its times include.

use serde::{Deserialize, Serialize};

/// What a clock costs and can tell apart. Times near these figures say nothing about the subject.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clock {
    /// The seconds that reading the clock adds to each timed part; they are already subtracted.
    pub cost: f64,
    /// The smallest difference that the clock showed, in seconds.
    pub resolution: f64,
}

/// What a measured time includes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Timing {
    /// The wall clock, without the time in which the thread waited for a processor.
    LessWaiting,
    /// The wall clock with everything in it, because several threads or processes did the work, or because
    /// the system does not report waiting.
    Wall,
}
