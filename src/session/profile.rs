//! The profiles that are asked for, of what is red or green alike.

use perf_budget_core::profile::Profile;
use perf_budget_core::selftest::names;

use super::cause::has_functions;
use super::state::Session;

impl Session {
    /// Profiles each case that `name` names, by its own name or by that of its budget or of one of its tests: against the
    /// base if there is one. Calls `done` with each.
    ///
    /// # Errors
    /// What `done` returns.
    pub(crate) fn profiles<E>(
        &self,
        name: &str,
        done: &mut dyn FnMut(&Profile) -> Result<(), E>,
    ) -> Result<(), E> {
        for (at, budget) in self.budgets.budgets.iter().enumerate() {
            for (case, of) in budget.cases.iter().enumerate() {
                let case_name = if of.label.is_empty() {
                    budget.name.clone()
                } else {
                    format!("{}::{}", budget.name, of.label)
                };
                let tests = &self.suite.tests;
                let is_test = tests.iter().any(|test| {
                    (test.budget, test.case) == (at, case) && names(name, &test.name)
                });
                if is_test || names(name, &case_name) {
                    done(&self.profile_of(at, case, case_name))?;
                }
            }
        }
        Ok(())
    }

    fn profile_of(&self, at: usize, case: usize, name: String) -> Profile {
        let budget = &self.budgets.budgets[at];
        if !has_functions(budget) {
            let why = format!(
                "only workloads and the benchmarks of Criterion and Divan have functions that are profiled, and the subject \
                 of `{}` is another",
                budget.name
            );
            return Profile { name, blame: None, why };
        }
        let has_base = self.base.as_ref().is_some_and(|base| {
            let benchmark = budget.benchmark(&budget.cases[case]);
            match (benchmark, budget.limits.first()) {
                (Some(name), Some(limit)) => base.has_benchmark(budget, name, &limit.metric),
                _ => base.is_built() && base.has(&budget.name),
            }
        });
        match self.cause_of((at, case, has_base, true), &name) {
            Ok(blame) => Profile { name, blame: Some(Box::new((*blame).clone())), why: String::new() },
            Err(why) => Profile { name, blame: None, why },
        }
    }
}
