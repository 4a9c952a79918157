//! Open-loop load, without coordinated omission: when each operation is due, and what became of it.

pub(crate) mod arrivals;
pub(crate) mod schedule;
