//! The closing line: how many limits of how many budgets there are, and what became of them.

use std::collections::HashSet;
use std::fmt::Write as _;

use crate::outcome::Outcome;
use crate::verdict::Verdict;

/// How many tests there are, whether or not they were selected, and of how many budgets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tests {
    /// The tests; each is one limit of one case.
    pub limits: usize,
    /// The budgets that they are of; 0 if an older record does not say.
    pub budgets: usize,
}

impl Tests {
    /// Returns the greater number of limits and of budgets, if both are of the same file in two runs.
    #[must_use]
    pub fn max(self, other: Tests) -> Tests {
        Tests { limits: self.limits.max(other.limits), budgets: self.budgets.max(other.budgets) }
    }

    /// Returns the tests of both files.
    #[must_use]
    pub fn and(self, other: Tests) -> Tests {
        Tests { limits: self.limits + other.limits, budgets: self.budgets + other.budgets }
    }
}

/// Returns the closing line: `44 limits of 13 budgets: 41 pass, 2 inconclusive; 1 skipped`. The number of limits that a filter
/// left out is `filtered`. Tests that are not about a limit are counted apart.
pub fn count(outcomes: &[Outcome], tests: Tests, filtered: usize) -> String {
    let (others, limits): (Vec<&Outcome>, Vec<&Outcome>) =
        outcomes.iter().partition(|outcome| outcome.is_of_no_limit());
    let mut text = count_limits(&limits, tests, filtered);
    let others: Vec<String> = Verdict::ALL
        .into_iter()
        .map(|verdict| (others.iter().filter(|o| o.verdict == verdict).count(), verdict.name()))
        .filter(|(n, _)| *n > 0)
        .map(|(n, name)| format!("{n} {name}"))
        .collect();
    if !others.is_empty() {
        let _ = write!(text, "; other tests: {}", others.join(", "));
    }
    text
}

fn count_limits(outcomes: &[&Outcome], tests: Tests, filtered: usize) -> String {
    let number = |verdict| outcomes.iter().filter(|o| o.verdict == verdict).count();
    let waived = outcomes.iter().filter(|o| o.is_waived()).count();
    let proven = outcomes.iter().filter(|o| o.proven.is_some()).count();
    let list = |verdicts: &[Verdict]| {
        let some = verdicts.iter().filter(|&&v| number(v) > 0);
        some.map(|&v| {
            let waived = Some(waived).filter(|&n| n > 0 && v == Verdict::Warn);
            let waived = waived.map_or(String::new(), |n| format!(" ({n} waived)"));
            let proven = Some(proven).filter(|&n| n > 0 && v == Verdict::Pass);
            let proven =
                proven.map_or(String::new(), |n| format!(" ({n} proven equal, not measured)"));
            format!("{} {}{waived}{proven}", number(v), v.name())
        })
        .collect::<Vec<_>>()
        .join(", ")
    };
    let named: HashSet<&str> = outcomes.iter().map(|outcome| outcome.budget.as_str()).collect();
    let budgets = tests.budgets.max(named.len());
    let many = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let mut text = format!("{} of {}", many(tests.limits, "limit"), many(budgets, "budget"));
    let judgements = list(&[Verdict::Pass, Verdict::Warn, Verdict::Fail, Verdict::Inconclusive]);
    let mut rest = list(&[Verdict::Unmeasured, Verdict::Skipped]);
    let missing = tests.limits.saturating_sub(outcomes.len() + filtered);
    for (n, word) in [(filtered, "filtered out"), (missing, "not judged yet")] {
        if n > 0 {
            let comma = if rest.is_empty() { "" } else { ", " };
            let _ = write!(rest, "{comma}{n} {word}");
        }
    }
    let parts = [judgements, rest].into_iter().filter(|part| !part.is_empty());
    let parts = parts.collect::<Vec<_>>().join("; ");
    if !parts.is_empty() {
        let _ = write!(text, ": {parts}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::NO_BUDGET;

    #[test]
    fn limits_and_budgets_are_counted_by_verdict() {
        let of = |budget: &str, verdict| Outcome {
            budget: budget.to_owned(),
            verdict,
            ..Outcome::default()
        };
        let outcomes = [
            of("merge", Verdict::Pass),
            of("merge", Verdict::Inconclusive),
            of("app", Verdict::Skipped),
        ];
        let tests = |limits, budgets| Tests { limits, budgets };
        assert_eq!(
            count(&outcomes, tests(6, 3), 2),
            "6 limits of 3 budgets: 1 pass, 1 inconclusive; 1 skipped, 2 filtered out, 1 not judged yet"
        );
        // An older record does not say of how many.
        assert_eq!(count(&outcomes[..1], tests(1, 0), 0), "1 limit of 1 budget: 1 pass");
        assert_eq!(count(&[], tests(0, 0), 0), "0 limits of 0 budgets");
        // A workload without a budget is neither a limit nor a budget, and is red all the same.
        let idle = Outcome { metric: NO_BUDGET.to_owned(), ..of("idle", Verdict::Unmeasured) };
        assert_eq!(
            count(&[outcomes[0].clone(), idle.clone()], tests(1, 1), 0),
            "1 limit of 1 budget: 1 pass; other tests: 1 unmeasured"
        );
        assert_eq!(
            count(&[idle], tests(2, 1), 2),
            "2 limits of 1 budget: 2 filtered out; other tests: 1 unmeasured"
        );
        assert_eq!(tests(1, 1).and(tests(4, 2)), tests(5, 3));
    }
}
