//! The proof that a workload reaches only code that is the same in the base, so that its times need not be measured.
//!
//! The command has made a copy of both test binaries, with a breakpoint in each function from which what differs can be
//! reached. The workload runs once in each copy, as it would to be measured. If it runs to its end in both, it is proven
//! equal; a process that ends in any other way proves nothing.

use perf_budget_core::outcome::Outcome;

use super::decided::is_paired;
use super::state::Session;
use crate::base::WatchedBuilds;

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
        let watched = base.watched(&entry.limit)?;
        let is_proven = is_paired(&self.suite.groups[entry.group])
            && *self.reaches_the_same[entry.group]
                .get_or_init(|| self.runs_in_both(entry.group, watched));
        is_proven.then(|| self.proven(test, &watched.proven, &base.link_notes))
    }

    /// Runs the workload of a group once in each of the watched binaries, and returns whether both processes ran to their
    /// end.
    fn runs_in_both(&self, group: usize, watched: &WatchedBuilds) -> bool {
        let group = &self.suite.groups[group];
        if self.out_of_time().is_some() {
            return false;
        }
        let Ok(_lock) = self.machine_lock.shared(&self.progress) else { return false };
        self.progress.show(|| {
            format!("looking at what {} reaches", self.budgets.budgets[group.budget].name)
        });
        let sources = self.sources(None);
        let both =
            sources.runs_once(group, &watched.head) && sources.runs_once(group, &watched.base);
        self.progress.clear();
        both
    }
}
