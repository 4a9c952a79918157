//! The search for the point where a monotone condition starts to hold.
//!
//! The limits of a rate, the smallest detectable effect and the ends of an interval are each the point at
//! which a condition starts to hold. None of these conditions has a closed form, and all are monotone.

/// Returns the point of `[low, high]` at which `holds` turns from false to true, from the side where it holds.
///
/// `holds` must be monotone, false below and true above. `high` is returned if it holds nowhere below `high`.
/// The error is `(high - low) / 2^steps`.
pub(super) fn turning_point(
    mut low: f64,
    mut high: f64,
    steps: u32,
    holds: impl Fn(f64) -> bool,
) -> f64 {
    for _ in 0..steps {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            break;
        }
        if holds(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_where_a_condition_starts() {
        let root = turning_point(0.0, 2.0, 100, |x| x * x >= 2.0);
        assert!((root - 2f64.sqrt()).abs() < 1e-15);
        let never = turning_point(0.0, 2.0, 30, |_| false);
        assert!((never - 2.0).abs() < f64::EPSILON);
    }
}
