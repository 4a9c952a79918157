//! For tests: what scripted readings are judged by.

use std::time::Duration;

use super::Rules;
use crate::budget::{Bound, Inconclusive, Limit, Target};
use crate::metric::Metric;

/// Rules as a suite of 25 limits has them.
///
/// # Panics
/// If the day below were not one.
pub fn rules() -> Rules {
    Rules {
        effort: Duration::from_secs(10),
        alpha: 0.01,
        statistical: 25,
        warn_at: 0.9,
        inconclusive: Inconclusive::Warn,
        today: "2026-11-21".parse().unwrap(),
        repeats: 2,
        layouts: 1,
    }
}

/// A limit as line 7 of a file has it.
pub fn limit(metric: Metric, bound: Bound, target: Target) -> Limit {
    let label = metric.name();
    Limit { metric, bound, target, warn: None, why: None, waiver: None, label, line: 7 }
}
