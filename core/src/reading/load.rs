//! How well the generator of a load kept to its schedule.

/// How late the generator of a load was itself: the seconds from when an operation was due and could have started
/// until it started.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lag {
    /// The 99th percentile.
    pub p99: f64,
    /// The maximum.
    pub max: f64,
}
