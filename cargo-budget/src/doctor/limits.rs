//! The limits of the last run, and how close each of them could be on this machine.

use std::fmt::Write as _;

use perf_budget_core::outcome::{ClosestLimits, Outcome};

use crate::text;

/// How many limits the text shows; the rest is in the JSON.
const SHOWN: usize = 20;

/// The limits on statistical metrics of a run. Those that are too close to be held come first.
pub(crate) struct Limits<'a>(Vec<(&'a Outcome, ClosestLimits)>);

impl<'a> Limits<'a> {
    /// Returns the limits of these outcomes for which it is known how close they can be.
    pub(crate) fn from_outcomes(outcomes: &'a [Outcome]) -> Limits<'a> {
        let mut all: Vec<(&Outcome, ClosestLimits)> =
            outcomes.iter().filter_map(|outcome| Some((outcome, outcome.holdable()?))).collect();
        all.sort_by(|(one, held), (other, also)| {
            is_too_close(other, also)
                .cmp(&is_too_close(one, held))
                .then_with(|| one.test.cmp(&other.test))
        });
        Limits(all)
    }

    /// Renders a line for each limit; empty if there is none.
    pub(crate) fn render(&self) -> String {
        if self.0.is_empty() {
            return String::new();
        }
        let mut shown = String::new();
        let close = self.0.iter().filter(|(outcome, held)| is_too_close(outcome, held)).count();
        let _ = writeln!(
            shown,
            "\nthe last run had {} on statistical metrics",
            text::counted(self.0.len(), "limit")
        );
        for (outcome, held) in self.0.iter().take(SHOWN) {
            let Some((against, holdable)) = outcome.against.zip(outcome.held_here()) else {
                continue;
            };
            let mark = if is_too_close(outcome, held) {
                "\u{1b}[33mtoo close\u{1b}[0m"
            } else {
                "can be held"
            };
            let limit = against.quantity(against.limit);
            let reference =
                outcome.relative_to.as_ref().map_or_else(String::new, |name| format!(" x {name}"));
            let _ = writeln!(
                shown,
                "- {}, limit {limit}{reference}: {mark}; {holdable}",
                text::printable(&outcome.test)
            );
        }
        if let Some(more @ 1..) = self.0.len().checked_sub(SHOWN) {
            let _ = writeln!(shown, "- and {more} more: `--format json` shows all");
        }
        if close > 0 {
            let _ = writeln!(
                shown,
                "a limit that is too close is often inconclusive: widen it, give it more `effort`, or measure where less \
                 else runs"
            );
        }
        shown
    }

    /// Returns all of them for programs; limits are in the base unit.
    pub(crate) fn json(&self) -> serde_json::Value {
        let row = |(outcome, held): &(&Outcome, ClosestLimits)| {
            serde_json::json!({
                "test": outcome.test,
                "limit": outcome.against.map(|against| against.limit),
                "relative_to": outcome.relative_to,
                "unit": outcome.against.map(|against| against.unit),
                "closest": held.now,
                "closest_with_more_effort": held.longer,
                "too_close": is_too_close(outcome, held),
            })
        };
        self.0.iter().map(row).collect()
    }
}

fn is_too_close(outcome: &Outcome, held: &ClosestLimits) -> bool {
    outcome.against.is_some_and(|against| held.is_beyond(&against))
}

#[cfg(test)]
mod tests {
    use perf_budget_core::budget::Bound;
    use perf_budget_core::outcome::{Against, Estimate, Evidence};
    use perf_budget_core::quantity::Unit;

    use super::*;

    fn outcome(test: &str, value: f64, detectable: [Option<f64>; 2]) -> Outcome {
        let against = Against {
            bound: Bound::Max,
            limit: 0.1,
            warn: 0.09,
            tolerance: 0.01,
            unit: Unit::Seconds,
        };
        let [detectable, detectable_longer] = detectable;
        let evidence = Evidence {
            fail: 0.0,
            fail_at: 1.0,
            pass: 0.0,
            pass_at: 1.0,
            detectable,
            detectable_longer,
            effort_to_settle: None,
            processes: 8,
            values: 80,
            waited: None,
            preempted: None,
        };
        Outcome {
            test: test.to_owned(),
            against: Some(against),
            estimate: Some(Estimate { value, low: None, high: None }),
            evidence: Some(evidence),
            ..Outcome::default()
        }
    }

    #[test]
    fn a_limit_that_is_too_close_comes_first_and_says_what_would_hold() {
        let outcomes = [
            outcome("a::p50", 0.05, [Some(0.132), Some(0.121)]),
            outcome("b::p50", 0.1, [Some(0.132), Some(0.121)]),
            // For a size, and for an outcome of an older record, it is not known which limits can be held.
            outcome("c::size", 0.05, [None, None]),
            outcome("d::p50", 0.05, [Some(0.132), None]),
        ];
        let limits = Limits::from_outcomes(&outcomes);
        assert_eq!(
            limits.render().replace("\u{1b}[33m", "").replace("\u{1b}[0m", ""),
            "\nthe last run had 2 limits on statistical metrics\n\
             - b::p50, limit 100 ms: too close; limits from 120 ms on can be held here, and from 110 ms on with 4 times \
             the `effort`\n\
             - a::p50, limit 100 ms: can be held; limits from 60 ms on can be held here, and from 55 ms on with 4 times \
             the `effort`\n\
             a limit that is too close is often inconclusive: widen it, give it more `effort`, or measure where less \
             else runs\n"
        );
        let json = limits.json();
        assert_eq!(json[0]["test"], "b::p50");
        assert_eq!((&json[0]["too_close"], &json[1]["too_close"]), (&true.into(), &false.into()));
        assert!(Limits::from_outcomes(&outcomes[2..]).render().is_empty());
    }
}
