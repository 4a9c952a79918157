//! The clock that all processes share, as a number that can be sent from one to another.

use std::time::{Duration, Instant};

use super::kernel;

/// Returns the nanoseconds of the clock that `Instant` reads too, and that all processes share.
pub(crate) fn monotonic() -> u64 {
    kernel::clock(kernel::Clock::Monotonic).map_or(0, |time| time.as_nanos() as u64)
}

/// Returns the moment at which [`monotonic`] returned `nanos`.
pub(crate) fn instant(nanos: u64) -> Instant {
    let (now, ago) = (Instant::now(), Duration::from_nanos(monotonic().saturating_sub(nanos)));
    now.checked_sub(ago).unwrap_or(now)
}
