//! The proof that a workload or a benchmark reaches only code that is the same in the base, so that it need not be
//! measured.
//!
//! The command has made a copy of both test binaries, and of both programs of benchmarks, with a breakpoint in each
//! function from which what differs can be reached. The workload runs once in each copy, as it would to be measured. If it
//! runs to its end in both, it is proven equal; a process that ends in any other way proves nothing.
//!
//! For a workload only times are proven in this way, since everything else is measured on cargo's own builds. For a
//! benchmark everything is proven, since everything that is compared is measured on the builds that the copies were
//! made of.

use perf_budget_core::metric::Metric;
use perf_budget_core::outcome::Outcome;
use perf_budget_core::suite::Span;

use super::decided::is_paired;
use super::state::Session;
use crate::base::{Base, BaseBenchmarks, WatchedBuilds};

impl Session {
    /// Whether a test has no outcome without a measurement.
    pub(super) fn must_be_measured(&self, test: usize) -> bool {
        self.decided_unmeasured(test).is_none() && self.proven_by_reach(test).is_none()
    }

    /// Returns the outcome of a test whose workload reaches only code that is the same in the base. `None` if that is not
    /// proven.
    pub(super) fn proven_by_reach(&self, test: usize) -> Option<Outcome> {
        let entry = &self.suite.tests[test];
        let base = self.base.as_ref()?;
        if entry.is_benchmark() {
            return self.benchmark_proven_by_reach(test, base);
        }
        let watched = base.watched(&entry.limit)?;
        let is_proven = is_paired(&self.suite.groups[entry.group])
            && *self.reaches_the_same[entry.group]
                .get_or_init(|| self.runs_in_both(entry.group, watched));
        is_proven.then(|| self.proven(test, &watched.proven, &base.link_notes))
    }

    fn benchmark_proven_by_reach(&self, test: usize, base: &Base) -> Option<Outcome> {
        let entry = &self.suite.tests[test];
        let budget = &self.budgets.budgets[entry.budget];
        let Span::Case(case) = self.suite.groups[entry.group].span else { return None };
        let (copies, proven) = base.watched_benchmark(budget, case, &entry.limit)?;
        let is_proven = *self.reaches_the_same[entry.group].get_or_init(|| {
            let metrics: Vec<Metric> = self
                .suite
                .tests_of(entry.group)
                .map(|(_, test)| test.limit.metric.clone())
                .collect();
            self.run_for_proof(entry.group, || {
                self.sources(None).benchmarks().runs_in_both(
                    (entry.budget, case),
                    metrics,
                    base,
                    copies,
                )
            })
        });
        let notes = base.benchmarks(budget).map(BaseBenchmarks::notes).unwrap_or_default();
        is_proven.then(|| self.proven(test, proven, notes))
    }

    /// Runs the workload of a group once in each of the watched binaries, and returns whether both processes ran to their
    /// end.
    fn runs_in_both(&self, group: usize, watched: &WatchedBuilds) -> bool {
        self.run_for_proof(group, || {
            let (sources, group) = (self.sources(None), &self.suite.groups[group]);
            sources.runs_once(group, &watched.head) && sources.runs_once(group, &watched.base)
        })
    }

    /// Returns whether both runs of a group's subject ended well. Nothing is run if there is no time left for it, and then
    /// nothing is proven.
    fn run_for_proof(&self, group: usize, runs: impl FnOnce() -> bool) -> bool {
        if self.out_of_time().is_some() {
            return false;
        }
        let Ok(_lock) = self.machine_lock.shared(&self.progress) else { return false };
        let group = &self.suite.groups[group];
        let budget = &self.budgets.budgets[group.budget];
        self.progress.show(|| match group.span {
            Span::Case(case) => {
                format!("looking at what {} {} reaches", budget.name, budget.cases[case].label)
            }
            Span::Sweep => format!("looking at what {} reaches", budget.name),
        });
        let both = runs();
        self.progress.clear();
        both
    }
}
