//! The clock on the wall, which may be set back or forward at any time: a stored time that is later than now says nothing
//! about what is new.

use std::ops::RangeInclusive;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How far the clocks of two machines may differ, in seconds.
const SKEW: u64 = 60;

/// A point in time by both clocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Began {
    wall: u64,
    steady: Instant,
}

impl Began {
    /// Returns this point in time.
    pub(crate) fn now() -> Began {
        Began { wall: now(), steady: Instant::now() }
    }

    /// Returns the seconds since 1970 that a clock on the wall may have shown since then.
    pub(crate) fn until_now(&self) -> RangeInclusive<u64> {
        period(self.wall, self.steady.elapsed(), now())
    }
}

/// Returns the seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Whether a stored time is later than now, by more than clocks differ.
pub(crate) fn is_ahead(stored: u64, now: u64) -> bool {
    stored > now.saturating_add(SKEW)
}

/// Returns the period that begins at `from`, where so much time has passed and the clock shows `now`. A clock that was
/// set back does not shorten it, and what was stored with a later time, before the clock was set back, is not in it.
fn period(from: u64, passed: Duration, now: u64) -> RangeInclusive<u64> {
    from..=now.max(from.saturating_add(passed.as_secs() + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_with_a_later_time_did_not_begin_since() {
        let second = Duration::from_secs;
        assert_eq!(period(1000, second(9), 1009), 1000..=1010);
        // The clock was set back meanwhile, to before the period began.
        assert_eq!(period(1000, second(9), 400), 1000..=1010);
        // It was set forward: what began after that is part of it.
        assert_eq!(period(1000, second(9), 5000), 1000..=5000);
        assert!(!period(1000, second(9), 1009).contains(&4600));
        assert!(period(u64::MAX, second(9), 3).contains(&u64::MAX));
    }

    #[test]
    fn clocks_may_differ_a_little() {
        assert!(!is_ahead(1000, 1000) && !is_ahead(1060, 1000) && is_ahead(1061, 1000));
        assert!(!is_ahead(3, u64::MAX));
    }
}
