//! The profiles of the subjects for which the command asks, red or green.

use std::sync::Arc;

use perf_budget_core::outcome::Blame;
use perf_budget_core::suite::names;

use super::cause::{LONGEST, has_functions};
use super::state::{Profiled, SampleResult, Session};

/// A case of a budget: the indices of both, and its name.
pub(crate) struct NamedCase {
    at: (usize, usize),
    pub(crate) name: String,
}

impl Session {
    /// Returns the cases that are named, by their own names or by those of their tests.
    pub(crate) fn cases(&self, is_named: &dyn Fn(&str) -> bool) -> Vec<NamedCase> {
        let budgets = self.budgets.budgets.iter().enumerate();
        let cases = budgets.flat_map(|(at, budget)| {
            budget.cases.iter().enumerate().map(move |(nth, case)| NamedCase {
                at: (at, nth),
                name: names::case(budget, &case.label),
            })
        });
        let tests = &self.suite.tests;
        let has_test = |case: &NamedCase| {
            tests.iter().any(|test| (test.budget, test.case) == case.at && is_named(&test.name))
        };
        cases.filter(|case| is_named(&case.name) || has_test(case)).collect()
    }

    /// Profiles a case, against the base if that has it.
    ///
    /// # Errors
    /// If it cannot be profiled.
    pub(crate) fn profiled(&self, case: &NamedCase) -> Result<Arc<Blame>, String> {
        let budget = &self.budgets.budgets[case.at.0];
        if !has_functions(budget) {
            return Err(format!(
                "only workloads and the benchmarks of Criterion and Divan have functions that are profiled, and the subject \
                 of `{}` is another",
                budget.name
            ));
        }
        self.cause_of(self.of_case(case), &case.name)
    }

    /// Samples a case whose profile could not be taken, or shows the same instructions on both sides. `None` if there is nothing
    /// to sample.
    pub(crate) fn sampled(
        &self,
        case: &NamedCase,
        blame: Option<&Blame>,
        why: &str,
    ) -> Option<SampleResult> {
        let is_explained = blame.is_some_and(|blame| !blame.is_same());
        if is_explained || !has_functions(&self.budgets.budgets[case.at.0]) {
            return None;
        }
        Some(self.samples_of(self.of_case(case), &case.name, LONGEST, why))
    }

    /// Returns what is profiled of a case. It is compared with the base if the base has it.
    fn of_case(&self, case: &NamedCase) -> Profiled {
        let (at, nth) = case.at;
        let budget = &self.budgets.budgets[at];
        let is_in = self.base.as_ref().is_some_and(|base| {
            match (budget.benchmark(&budget.cases[nth]), budget.limits.first()) {
                (Some(name), Some(limit)) => base.has_benchmark(budget, name, &limit.metric),
                _ => base.is_built() && base.has(&budget.name),
            }
        });
        (at, nth, is_in, true)
    }
}
