//! Operations that are due on a schedule: when each one is, and what became of it.

pub(crate) mod arrivals;
pub(crate) mod schedule;
