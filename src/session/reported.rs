//! The verdicts that the processes of one run share, where every test is a process of its own.

use std::collections::HashSet;

use perf_budget_core::error::Error;
use perf_budget_core::outcome::{NO_BUDGET, Outcome};
use perf_budget_core::verdict::Verdict;

use super::state::Session;

impl Session {
    /// Reports an outcome to the other processes of the run.
    pub(crate) fn report(&self, outcome: &Outcome) -> Result<(), Error> {
        self.run_cache
            .as_ref()
            .map_or(Ok(()), |run_cache| run_cache.report(&outcome.test, outcome.verdict))
    }

    /// Returns the verdicts that the processes of this run have reported so far. Each outcome has only its test and its
    /// verdict, and says whether the test is of a limit. `None` if the run has a single process.
    pub(crate) fn verdicts_so_far(&self) -> Option<Vec<Outcome>> {
        let limits: HashSet<&str> =
            self.suite.tests.iter().map(|test| test.name.as_str()).collect();
        let outcome = |(test, verdict): (String, Verdict)| {
            let metric = if limits.contains(test.as_str()) { "" } else { NO_BUDGET };
            Outcome { metric: metric.to_owned(), test, verdict, ..Outcome::default() }
        };
        Some(self.run_cache.as_ref()?.reported().into_iter().map(outcome).collect())
    }

    /// Calls `act` while no other process of the run does. Its argument says whether this process is the first that
    /// does; it is `None` if the run has a single process.
    pub(crate) fn in_turn<T>(
        &self,
        what: &str,
        act: impl FnOnce(Option<bool>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match &self.run_cache {
            None => act(None),
            Some(run_cache) => run_cache.in_turn(what, |first| act(Some(first))),
        }
    }
}
