//! The clock on the wall, which may be set back or forward at any time. So a stored time that is later than now does not
//! show what is newest.

use std::time::{SystemTime, UNIX_EPOCH};

/// How far the clocks of two machines may differ, in seconds.
const SKEW: u64 = 60;

/// Returns the seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Whether a stored time is later than now, by more than the clocks of two machines may differ.
pub(crate) fn is_ahead(stored: u64, now: u64) -> bool {
    stored > now.saturating_add(SKEW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_may_differ_a_little() {
        assert!(!is_ahead(1000, 1000) && !is_ahead(1060, 1000) && is_ahead(1061, 1000));
        assert!(!is_ahead(3, u64::MAX));
    }
}
