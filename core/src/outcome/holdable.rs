//! The closest limit that a machine can hold, as far as one run can tell.
//!
//! A limit can be held if the value of the run passes and a violation just beyond the limit is seen. Each needs about the
//! same distance: that between the limit with its tolerance and the minimum detectable effect. So the closest limit is
//! the value times the ratio of these two.

use serde::{Deserialize, Serialize};

use super::{Against, Outcome};
use crate::quantity::Unit;

/// The `effort` of the longer run, as a multiple of that of the run.
pub const MORE: usize = 4;

/// The largest multiple of a run's `effort` that is tried, to find out how much would settle a limit.
pub const MOST_TRIED: usize = 10;

/// How many times its `effort` a limit may take until a violation could have been seen.
pub const LONGEST: u32 = 6;

/// What it takes to see a limit broken, where that is more than [`LONGEST`] times its `effort`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Needs {
    /// The number of processes.
    pub processes: usize,
    /// How many seconds they take, if each takes as long as the shortest one so far.
    pub seconds: f64,
}

/// The closest limits that runs like this one settle, in the unit of the limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClosestLimits {
    /// With the `effort` of the run.
    pub now: f64,
    /// With [`MORE`] times the `effort`.
    pub longer: f64,
}

impl ClosestLimits {
    /// Returns the closest limits for a `value` and the minimum detectable effects of the run and of a longer one. `None` if
    /// a multiple of the value has no meaning, as for a share, or for a count that may be 0.
    fn of(against: &Against, value: f64, detectable: [f64; 2]) -> Option<ClosestLimits> {
        let multiplies = matches!(
            against.unit,
            Unit::Seconds | Unit::Bytes | Unit::PerSecond | Unit::BytesPerSecond | Unit::Ratio
        );
        let edge = against.limit + against.bound.sign() * against.tolerance;
        let [now, longer] = detectable.map(|seen| value * seen / edge);
        let is_limit = |limit: f64| limit.is_finite() && limit > 0.0;
        (multiplies && value > 0.0 && is_limit(now) && is_limit(longer))
            .then_some(ClosestLimits { now, longer })
    }

    /// Whether the limit itself is closer than what can be held.
    pub fn is_beyond(&self, against: &Against) -> bool {
        against.bound.sign() * (self.now - against.limit) > 0.0
    }
}

impl Outcome {
    /// Returns the closest limits that runs like this one settle; `None` for deterministic metrics, for what was not
    /// measured, and for records of releases before this was recorded.
    pub fn holdable(&self) -> Option<ClosestLimits> {
        let evidence = self.evidence?;
        let detectable = [evidence.detectable?, evidence.detectable_longer?];
        ClosestLimits::of(&self.against?, self.estimate?.value, detectable)
    }

    /// Says which limits can be held, with the `effort` of the run and with more.
    pub fn held_here(&self) -> Option<String> {
        let (held, against) = (self.holdable()?, self.against?);
        let of = self.relative_to.as_ref().map_or_else(String::new, |name| format!(" x {name}"));
        let text = |limit: f64| format!("{}{of}", against.quantity(limit));
        let more = if text(held.longer) == text(held.now) {
            "more `effort` does not help".to_owned()
        } else {
            format!("from {} on with {MORE} times the `effort`", text(held.longer))
        };
        Some(format!("limits from {} on can be held here, and {more}", text(held.now)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Bound;

    fn against(bound: Bound) -> Against {
        Against { bound, limit: 100.0, warn: 90.0, tolerance: 10.0, unit: Unit::Seconds }
    }

    #[test]
    fn the_distance_above_a_value_is_that_between_the_limit_and_what_is_detected() {
        let held = ClosestLimits::of(&against(Bound::Max), 50.0, [121.0, 115.5]).unwrap();
        assert!((held.now - 55.0).abs() < 1e-9 && (held.longer - 52.5).abs() < 1e-9, "{held:?}");
        assert!(!held.is_beyond(&against(Bound::Max)));
    }

    /// A floor is held by values above it, so what is detected is below it.
    #[test]
    fn the_distance_below_a_value_is_found_likewise() {
        let held = ClosestLimits::of(&against(Bound::Min), 100.0, [72.0, 81.0]).unwrap();
        assert!((held.now - 80.0).abs() < 1e-9 && (held.longer - 90.0).abs() < 1e-9, "{held:?}");
        assert!(
            held.is_beyond(&against(Bound::Min)),
            "a floor of 100 is closer to 100 than one of 80"
        );
    }

    #[test]
    fn a_value_without_multiples_has_no_closest_limit() {
        let shares = Against { unit: Unit::Share, ..against(Bound::Max) };
        assert_eq!(ClosestLimits::of(&shares, 50.0, [121.0, 115.0]), None);
        assert_eq!(ClosestLimits::of(&against(Bound::Max), 0.0, [121.0, 115.0]), None);
        let edge = Against { limit: -10.0, ..against(Bound::Max) };
        assert_eq!(ClosestLimits::of(&edge, 50.0, [121.0, 115.0]), None);
    }
}
