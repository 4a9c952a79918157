//! The lag of a load's generator: how well it kept to its schedule.

/// How late the generator itself was: the seconds from when an operation was due and could have started until it did
/// start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lag {
    /// The 99th percentile, in seconds.
    pub p99: f64,
    /// The largest lag, in seconds.
    pub max: f64,
}
