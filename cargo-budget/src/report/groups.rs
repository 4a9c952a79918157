//! The limits of each budget together, and which of them stands for the budget in one line.

use std::cmp::Ordering;
use std::collections::HashMap;

use perf_budget_core::outcome::Outcome;
use perf_budget_core::report::change::change;
use perf_budget_core::report::used::used;
use perf_budget_core::verdict::Verdict;

/// The limits of one budget, in their order. There is at least one.
pub(super) struct Group<'o> {
    pub(super) outcomes: Vec<&'o Outcome>,
    /// The limit that stands for the budget: the worst one, or, if all of them hold, the one that has changed the most. Of
    /// equal ones it is the first.
    pub(super) worst: &'o Outcome,
}

/// Returns the budgets of a report, in their order.
pub(super) fn groups(outcomes: &[Outcome]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut known: HashMap<(&str, &str, &str), usize> = HashMap::new();
    for outcome in outcomes {
        let at = match outcome.budget.as_str() {
            "" => groups.len(),
            budget => {
                let key = (outcome.run.package.as_str(), outcome.file.as_str(), budget);
                *known.entry(key).or_insert(groups.len())
            }
        };
        match groups.get_mut(at) {
            Some(group) => {
                group.outcomes.push(outcome);
                if order(outcome, group.worst) == Ordering::Less {
                    group.worst = outcome;
                }
            }
            None => groups.push(Group { outcomes: vec![outcome], worst: outcome }),
        }
    }
    groups
}

/// Orders two outcomes: the one that needs more attention comes first.
pub(super) fn order(a: &Outcome, b: &Outcome) -> Ordering {
    let severity = (b.is_red(), b.verdict.severity()).cmp(&(a.is_red(), a.verdict.severity()));
    severity.then_with(|| match a.verdict {
        // A limit against the base comes first, since it shows a change by this revision.
        Verdict::Fail => {
            let is_relative = |outcome: &Outcome| outcome.relative_to.is_some();
            is_relative(b).cmp(&is_relative(a)).then_with(|| share(b).total_cmp(&share(a)))
        }
        Verdict::Warn | Verdict::Inconclusive | Verdict::Unmeasured => {
            share(b).total_cmp(&share(a))
        }
        Verdict::Pass | Verdict::Skipped => certain_change(b).total_cmp(&certain_change(a)),
    })
}

fn share(outcome: &Outcome) -> f64 {
    used(outcome).map_or(0.0, |used| used.share.max(0.0))
}

/// Returns the size of a change as the logarithm of its ratio; 0 where the change may be chance.
pub(super) fn certain_change(outcome: &Outcome) -> f64 {
    let certain = change(outcome).filter(|change| change.is_certain);
    let size = certain.map_or(0.0, |change| change.ratio.ln().abs());
    if size.is_nan() { 0.0 } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_grouped_by_their_budgets() {
        let outcome = |budget: &str, metric: &str, verdict| Outcome {
            budget: budget.to_owned(),
            metric: metric.to_owned(),
            verdict,
            ..Outcome::default()
        };
        let outcomes = [
            outcome("a", "mean", Verdict::Pass),
            outcome("b", "mean", Verdict::Pass),
            outcome("a", "p99", Verdict::Fail),
            outcome("b", "p99", Verdict::Pass),
            outcome("", "missing", Verdict::Unmeasured),
            outcome("", "missing", Verdict::Unmeasured),
        ];
        let groups = groups(&outcomes);
        let sizes: Vec<usize> = groups.iter().map(|group| group.outcomes.len()).collect();
        assert_eq!(sizes, [2, 2, 1, 1]);
        assert_eq!(groups[0].worst.metric, "p99");
        assert_eq!(groups[1].worst.metric, "mean");
    }
}
