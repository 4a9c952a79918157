//! How well the generator of a load kept to its schedule.

/// How late the generator was by itself: seconds from when an operation was due and could have started
/// until it did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lag {
    /// The 99th percentile.
    pub p99: f64,
    /// The most.
    pub max: f64,
}
