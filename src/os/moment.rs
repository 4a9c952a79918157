//! The clock that all processes share, as a number that goes from one to another.

use std::time::{Duration, Instant};

use super::kernel;

/// Nanoseconds of the clock that `Instant` reads too, and that all processes share.
pub(crate) fn monotonic() -> u64 {
    kernel::clock(kernel::Clock::Monotonic).map_or(0, |time| time.as_nanos() as u64)
}

/// The moment at which [`monotonic`] read so much.
pub(crate) fn instant(nanos: u64) -> Instant {
    let (now, ago) = (Instant::now(), Duration::from_nanos(monotonic().saturating_sub(nanos)));
    now.checked_sub(ago).unwrap_or(now)
}
