//! The comparison of an outcome with the value that was last accepted.

use crate::budget::{Bound, Limit};
use crate::metric::{Better, Halved};
use crate::outcome::Outcome;
use crate::verdict::Verdict;

/// Notes how the value has changed since it was accepted, and warns if it is suspiciously good.
pub fn compare(outcome: &mut Outcome, limit: &Limit) {
    outcome.notes.extend(outcome.change());
    let (Some(accepted), Some(now)) = (&outcome.accepted, outcome.estimate) else { return };
    let more_is_better = match (limit.metric.better(), limit.bound) {
        (Better::Higher, _) | (Better::Either, Bound::Min) => true,
        (Better::Lower, _) | (Better::Either, Bound::Max) => false,
    };
    let green = matches!(outcome.verdict, Verdict::Pass | Verdict::Warn);
    let exact = outcome.evidence.is_none();
    let same_unit = outcome.against.is_some_and(|against| against.unit == accepted.unit);
    if green
        && same_unit
        && limit.metric.halved() == Halved::Suspicious
        && accepted.is_suspicious(now, exact, more_is_better)
    {
        let side = if more_is_better { "more than twice" } else { "less than half of" };
        let words = format!(
            "; suspiciously good: {side} what was accepted, {}: see that the subject still does its \
             work, and accept the new value with `cargo budget accept`",
            accepted.describe()
        );
        outcome.verdict = Verdict::Warn;
        outcome.reason.push_str(&words);
    }
}
