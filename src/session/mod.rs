//! The session: one run of the tests. It decides which thread measures which group and when, so that every test gets
//! its outcome.
//!
//! A deterministic group is measured by the first thread that asks for one of its tests, beside other deterministic
//! groups. Statistical groups take turns, process by process, a few at a time: the thread that has the turn advances
//! the next group, and leaves when its own test is decided. If every test is a process of its own (nextest), the
//! first process that asks measures the whole group and leaves the outcomes for the others.

mod benchmarks;
mod benchmarks_found;
mod carried;
mod cause;
mod counted;
mod decided;
mod identity;
mod known;
mod leftovers;
mod machine;
mod machine_lock;
mod measure;
mod measurement;
mod outcomes;
mod profile;
mod reach;
mod reported;
mod revision;
mod rotation;
mod run_cache;
mod sampled;
mod selftest;
pub(crate) mod shard;
mod side;
mod state;
mod turns;

use perf_budget_core::outcome::{Cause, Outcome, Unmeasured};

use self::measurement::Purpose;
use self::run_cache::RunCache;
pub(crate) use self::state::Session;
use self::state::lock;

impl Session {
    /// Returns the outcome of a test, and measures it first if that has not been done.
    pub(crate) fn outcome(&self, test: usize) -> Outcome {
        if let Some(outcome) = self.decided_unmeasured(test) {
            return outcome;
        }
        let group = self.suite.tests[test].group;
        if let Some(run_cache) = &self.run_cache {
            return self.outcome_of_run(run_cache, group, test);
        }
        if let Some(outcome) = self.proven_by_reach(test) {
            return outcome;
        }
        if self.suite.groups[group].deterministic {
            self.measure_deterministic(group);
        } else {
            self.take_turns(test);
        }
        self.progress.clear();
        self.decided(test).unwrap_or_else(|| self.internal_error(test))
    }

    /// Returns the outcome of a test in a run of several processes. The first process of them measures the group.
    fn outcome_of_run(&self, run_cache: &RunCache, group: usize, test: usize) -> Outcome {
        let name = &self.suite.tests[test].name;
        match run_cache.claim(name, &machine::attempt()) {
            Ok(true) => {}
            Ok(false) => {
                let text = format!(
                    "the run `{}` has judged this test before, and what is measured may have changed since; give \
                     each run a name of its own",
                    self.run.id
                );
                return self.unmeasured(test, &Unmeasured::new(Cause::Harness, text));
            }
            Err(error) => {
                return self.unmeasured(test, &Unmeasured::new(Cause::Harness, error.to_string()));
            }
        }
        let outcomes = run_cache.outcomes(&self.key(group), || {
            let measurement = self.measure(group, &|_| true, Purpose::Judge);
            self.progress.clear();
            let remember = |outcome: &Outcome| {
                Some(self.remember(self.find_test(group, &outcome.test)?, outcome))
            };
            let measured = measurement.outcomes().iter().filter_map(remember);
            // If one process of the run has proven it, the others need not ask again.
            let open = self.suite.tests_of(group).map(|(test, _)| test);
            let open = open.filter(|&test| self.decided_unmeasured(test).is_none());
            measured.chain(open.filter_map(|test| self.proven_by_reach(test))).collect()
        });
        match outcomes {
            Ok(outcomes) => outcomes
                .into_iter()
                .find(|outcome| outcome.test == *name)
                .unwrap_or_else(|| self.internal_error(test)),
            Err(error) => {
                self.unmeasured(test, &Unmeasured::new(Cause::Harness, error.to_string()))
            }
        }
    }

    /// Measures a deterministic group, unless another thread has done so.
    fn measure_deterministic(&self, group: usize) {
        let mut slot = lock(&self.groups[group]);
        if slot.is_none() {
            let measurement = self.measure(group, &|test| self.is_selected(test), Purpose::Judge);
            self.keep(group, &measurement);
            *slot = Some(Box::new(measurement));
        }
    }

    /// Returns a name for a group, which is the same in every process of this run.
    fn key(&self, group: usize) -> String {
        let budget = self.suite.groups[group].budget;
        format!("{}-{group}", self.budgets.budgets[budget].name)
    }
}
