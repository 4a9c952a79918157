//! The rules and limits by which tests judge scripted readings.

use std::time::Duration;

use super::Rules;
use crate::budget::{Bound, CaseFilter, Inconclusive, Limit, Target};
use crate::metric::Metric;

/// Returns the rules of a suite of 25 limits.
///
/// # Panics
/// If the day below were not a valid one.
pub fn rules() -> Rules {
    Rules {
        effort: Duration::from_secs(10),
        alpha: 0.01,
        statistical: 25,
        warn_at: 0.9,
        inconclusive: Inconclusive::Warn,
        today: "2026-11-21".parse().unwrap(),
        repeats: 2,
        links: 1,
    }
}

/// Returns a limit as if it were from line 7 of a file.
pub fn limit(metric: Metric, bound: Bound, target: Target) -> Limit {
    let label = metric.name();
    Limit {
        metric,
        cases: CaseFilter::default(),
        bound,
        target,
        warn: None,
        why: None,
        waiver: None,
        label,
        environment: None,
        line: 7,
    }
}
