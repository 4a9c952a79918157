//! The rule by which a limit is derived from a measurement. The module is pure: numbers in, a number out.
//!
//! A limit on a *statistical* metric is put at the end of the interval that the evidence does not rule out, plus a
//! headroom: the larger of the limit's tolerance and half the interval's width. With less than the tolerance, the next run
//! would have to tell apart what the gate treats as the same. With less than the interval's width, the next run would
//! have to be luckier than this one. A limit on a *deterministic* metric, which is the same every time, is put 2 % beyond
//! its value: that is room for a change of the compiler, but not for a feature. Where a limit warns before it is reached,
//! it is put so far away that the measured value does not warn, unless the user names the headroom.

use perf_budget_core::budget::{Bound, Limit};
use perf_budget_core::metric::{Metric, SampleKind};
use perf_budget_core::outcome::{Against, Estimate, Outcome};
use perf_budget_core::quantity::{Quantity, Unit};
use perf_budget_core::verdict::Verdict;

/// The headroom of a deterministic metric.
pub(crate) const EXACT: f64 = 0.02;
/// The least and the greatest share by which a limit may be rounded.
const ROUNDING: (f64, f64) = (0.005, 0.05);

/// The limit that a measurement suggests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SuggestedLimit {
    /// The limit, before it is rounded.
    pub(crate) limit: f64,
    /// The worst value that the evidence does not rule out. The headroom is added to it.
    pub(crate) worst: f64,
    /// The headroom, as a share of the worst value.
    pub(crate) headroom: f64,
    /// The measured value.
    pub(crate) value: f64,
    /// Whether the metric is deterministic, so that measuring again gives the same value.
    pub(crate) exact: bool,
}

impl SuggestedLimit {
    /// Returns the share by which the limit may be rounded: half the headroom.
    pub(crate) fn rounding_share(self) -> f64 {
        (self.headroom / 2.0).clamp(ROUNDING.0, ROUNDING.1)
    }

    /// Returns whether the limit is a whole number and has to stay one.
    pub(crate) fn is_whole(self) -> bool {
        self.exact && self.value.fract() == 0.0
    }

    /// Returns the one of two suggested limits that is easier to hold.
    pub(crate) fn looser(self, other: SuggestedLimit, bound: Bound) -> SuggestedLimit {
        let is_looser = match bound {
            Bound::Max => self.limit >= other.limit,
            Bound::Min => self.limit <= other.limit,
        };
        if is_looser { self } else { other }
    }
}

/// Raises a limit on single operations to what the gate can judge on every machine. The gate refuses a limit of less
/// than five readings of the clock, and other machines may have a slower clock.
pub(crate) fn clear_of_clock(
    metric: &Metric,
    bound: Bound,
    goal: SuggestedLimit,
    clock: f64,
) -> SuggestedLimit {
    const READINGS: f64 = 10.0;
    let single = metric.sample() == SampleKind::Operation;
    if single && bound == Bound::Max {
        return SuggestedLimit { limit: goal.limit.max(READINGS * clock), ..goal };
    }
    goal
}

/// Moves a limit so far from what was measured that it does not warn in every run: a limit that was just derived should
/// be quiet. `warn_at` is the share of a limit beyond which it warns.
pub(crate) fn clear_of_warning(
    bound: Bound,
    unit: Unit,
    goal: SuggestedLimit,
    warn_at: f64,
) -> SuggestedLimit {
    let beyond = Limit::warns_by_default(goal.limit, unit, bound, warn_at);
    let limit = match bound {
        Bound::Max if goal.value > beyond => goal.value / warn_at,
        Bound::Min if goal.value < beyond => goal.value * warn_at,
        Bound::Max | Bound::Min => return goal,
    };
    // The limit is rounded, and must not be rounded to where it warns.
    let room = 1.0 + ROUNDING.0;
    let limit = match (bound, goal.is_whole()) {
        (Bound::Max, true) => (limit * room).ceil(),
        (Bound::Max, false) => limit * room,
        (Bound::Min, true) => (limit / room).floor(),
        (Bound::Min, false) => limit / room,
    };
    let headroom = match bound {
        Bound::Max => limit / goal.worst - 1.0,
        Bound::Min => goal.worst / limit - 1.0,
    };
    SuggestedLimit { limit, headroom, ..goal }
}

/// Returns why an outcome cannot be used to derive a limit; `None` where it can.
pub(crate) fn unusable(outcome: &Outcome) -> Option<String> {
    if outcome.run.profile == "debug" {
        return Some("it was measured in a debug build; run `cargo test --release`".to_owned());
    }
    match outcome.verdict {
        Verdict::Pass | Verdict::Warn if outcome.doubt.is_none() => None,
        Verdict::Fail => Some(format!("it is red: {}", outcome.reason)),
        Verdict::Pass | Verdict::Warn | Verdict::Inconclusive => {
            Some(format!("it is unsettled: {}", outcome.reason))
        }
        Verdict::Unmeasured => Some(format!("it was not measured: {}", outcome.reason)),
        Verdict::Skipped => Some(format!("it was skipped: {}", outcome.reason)),
    }
}

/// Returns the limit that an outcome suggests, or a sentence that says why there is none.
pub(crate) fn suggested_limit(
    outcome: &Outcome,
    headroom: Option<f64>,
) -> Result<SuggestedLimit, String> {
    if let Some(reason) = unusable(outcome) {
        return Err(reason);
    }
    let (Some(against), Some(estimate)) = (outcome.against, outcome.estimate) else {
        return Err("its outcome has no value".to_owned());
    };
    limit_beyond(&against, &estimate, outcome.evidence.is_none(), headroom)
}

/// Returns the limit that an estimate suggests.
fn limit_beyond(
    against: &Against,
    estimate: &Estimate,
    exact: bool,
    headroom: Option<f64>,
) -> Result<SuggestedLimit, String> {
    let value = estimate.value;
    let (worst, side) = match against.bound {
        Bound::Max => (if exact { Some(value) } else { estimate.high }, "above"),
        Bound::Min => (if exact { Some(value) } else { estimate.low }, "below"),
    };
    let Some(worst) = worst.filter(|worst| worst.is_finite()) else {
        return Err(format!(
            "the evidence does not bound it from {side}; give it more `effort` and run again"
        ));
    };
    if worst < 0.0 || (worst == 0.0 && !exact) {
        return Err("the measured value is not above zero, so no headroom can be added".to_owned());
    }
    let noise = if worst == 0.0 { 0.0 } else { ((worst - value) / worst).abs() };
    let tolerance =
        if against.limit == 0.0 { 0.0 } else { (against.tolerance / against.limit).abs() };
    let share = headroom.unwrap_or(if exact { EXACT } else { tolerance.min(1.0).max(noise) });
    let limit = match against.bound {
        Bound::Max => worst * (1.0 + share),
        Bound::Min => worst / (1.0 + share),
    };
    let mut goal = SuggestedLimit { limit, worst, headroom: share, value, exact };
    if goal.is_whole() {
        // The limit on a count is rounded towards the value: 2 % of three allocations are no allocation.
        goal.limit = match against.bound {
            Bound::Max => limit.floor().max(worst),
            Bound::Min => limit.ceil().min(worst),
        };
    }
    Ok(goal)
}

/// Returns what a limit was derived from.
pub(crate) fn basis(goal: SuggestedLimit, bound: Bound, unit: Unit) -> String {
    let shown = |value| Quantity::new(value, unit);
    let share = Quantity::new(goal.headroom, Unit::Share);
    if goal.exact {
        return format!("measured {}, exactly, with a headroom of {share}", shown(goal.value));
    }
    let end = match bound {
        Bound::Max => "at most",
        Bound::Min => "at least",
    };
    let (value, worst) = (shown(goal.value), shown(goal.worst));
    format!("measured {value}, {end} {worst}, with a headroom of {share}")
}

#[cfg(test)]
mod tests {
    use perf_budget_core::metric::SubjectKind;
    use perf_budget_core::outcome::Doubt;

    use super::*;

    fn against(bound: Bound, limit: f64, tolerance: f64) -> Against {
        Against { bound, limit, warn: limit * 0.9, tolerance, unit: Unit::Seconds }
    }

    #[track_caller]
    fn check(
        bound: Bound,
        (value, low, high): (f64, f64, f64),
        exact: bool,
        headroom: Option<f64>,
        want: f64,
    ) {
        let estimate = Estimate { value, low: Some(low), high: Some(high) };
        let tolerance = if exact { 0.0 } else { 10.0 };
        let goal =
            limit_beyond(&against(bound, 100.0, tolerance), &estimate, exact, headroom).unwrap();
        assert!((goal.limit - want).abs() < 1e-9, "{goal:?}");
    }

    #[test]
    fn a_limit_lies_beyond_the_interval_by_tolerance_or_noise() {
        // The interval is narrow, so the tolerance of 10 % is the larger.
        check(Bound::Max, (40.0, 39.0, 41.0), false, None, 45.1);
        // The interval from 40 to 50 is a fifth of 50, and larger than the tolerance.
        check(Bound::Max, (40.0, 30.0, 50.0), false, None, 60.0);
        check(Bound::Min, (400.0, 330.0, 410.0), false, None, 330.0 / 1.212_121_212_121_212_1);
        check(Bound::Max, (40.0, 39.0, 41.0), false, Some(0.5), 61.5);
    }

    #[test]
    fn a_deterministic_limit_has_two_per_cent() {
        check(Bound::Max, (5_000.0, 0.0, 0.0), true, None, 5_100.0);
        check(Bound::Max, (3.0, 0.0, 0.0), true, None, 3.0);
        check(Bound::Max, (0.0, 0.0, 0.0), true, None, 0.0);
        check(Bound::Max, (0.5, 0.0, 0.0), true, None, 0.51);
        check(Bound::Min, (98.0, 0.0, 0.0), true, None, 97.0);
    }

    #[test]
    fn single_operations_stay_clear_of_the_clock() {
        let goal =
            SuggestedLimit { limit: 2e-7, worst: 2e-7, headroom: 0.1, value: 2e-7, exact: false };
        let limit = |word, bound| {
            let metric = Metric::of(SubjectKind::Workload, word).unwrap();
            clear_of_clock(&metric, bound, goal, 6e-8).limit
        };
        assert!((limit("p99", Bound::Max) - 6e-7).abs() < 1e-15);
        assert!((limit("mean", Bound::Max) - 2e-7).abs() < 1e-15);
        assert!((limit("p99", Bound::Min) - 2e-7).abs() < 1e-15);
    }

    #[test]
    fn a_derived_limit_does_not_warn() {
        let goal = SuggestedLimit {
            limit: 102.0,
            worst: 100.0,
            headroom: 0.02,
            value: 100.0,
            exact: true,
        };
        let clear = |unit, bound, goal| clear_of_warning(bound, unit, goal, 0.9);
        let bytes = clear(Unit::Bytes, Bound::Max, goal);
        assert!(bytes.limit * 0.9 >= 100.0 && bytes.limit < 113.0, "{bytes:?}");
        assert!((bytes.headroom - (bytes.limit / 100.0 - 1.0)).abs() < 1e-12);
        // A count warns only beyond its limit.
        assert_eq!(clear(Unit::Number, Bound::Max, goal), goal);
        let far = SuggestedLimit { limit: 150.0, ..goal };
        assert_eq!(clear(Unit::Bytes, Bound::Max, far), far);
        let floor = SuggestedLimit { limit: 98.0, exact: false, ..goal };
        let floor = clear(Unit::PerSecond, Bound::Min, floor);
        assert!(floor.limit / 0.9 <= 100.0 && floor.limit > 88.0, "{floor:?}");
    }

    #[test]
    fn an_unbounded_estimate_gives_no_limit() {
        let estimate = Estimate { value: 1.0, low: Some(0.5), high: None };
        let why = limit_beyond(&against(Bound::Max, 9.0, 0.9), &estimate, false, None).unwrap_err();
        assert!(why.contains("does not bound it from above"), "{why}");
    }

    #[test]
    fn only_a_green_release_run_counts() {
        let mut outcome = Outcome { verdict: Verdict::Pass, ..Outcome::default() };
        assert_eq!(unusable(&outcome), None);
        outcome.doubt = Some(Doubt::Noise);
        assert!(unusable(&outcome).unwrap().contains("unsettled"));
        outcome.doubt = None;
        "debug".clone_into(&mut outcome.run.profile);
        assert!(unusable(&outcome).unwrap().contains("debug build"));
        for verdict in Verdict::ALL.into_iter().filter(|v| v.is_red() || *v == Verdict::Skipped) {
            let outcome = Outcome { verdict, ..Outcome::default() };
            assert!(unusable(&outcome).is_some(), "{verdict:?}");
        }
    }
}
