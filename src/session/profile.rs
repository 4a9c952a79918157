//! The profiles that are asked for, of what is red or green alike.

use std::sync::Arc;

use perf_budget_core::outcome::Blame;
use perf_budget_core::suite::names;

use super::cause::has_functions;
use super::state::Session;

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
            budget.cases.iter().enumerate().map(move |(case, of)| NamedCase {
                at: (at, case),
                name: names::case(budget, &of.label),
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
        let (at, nth) = case.at;
        let budget = &self.budgets.budgets[at];
        if !has_functions(budget) {
            return Err(format!(
                "only workloads and the benchmarks of Criterion and Divan have functions that are profiled, and the subject \
                 of `{}` is another",
                budget.name
            ));
        }
        let is_in = self.base.as_ref().is_some_and(|base| {
            match (budget.benchmark(&budget.cases[nth]), budget.limits.first()) {
                (Some(name), Some(limit)) => base.has_benchmark(budget, name, &limit.metric),
                _ => base.is_built() && base.has(&budget.name),
            }
        });
        self.cause_of((at, nth, is_in, true), &case.name)
    }
}
