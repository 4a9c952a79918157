//! What the processes of one run tell each other, where every test is a process.

use perf_budget_core::error::Error;
use perf_budget_core::outcome::Outcome;

use super::Session;

impl Session {
    /// Lets the other processes of the run know of an outcome.
    pub(crate) fn report(&self, outcome: &Outcome) -> Result<(), Error> {
        self.run_cache
            .as_ref()
            .map_or(Ok(()), |run_cache| run_cache.report(&outcome.test, outcome.verdict))
    }

    /// Which tests of a run of several processes have which verdict so far, and nothing else of them.
    pub(crate) fn so_far(&self) -> Option<Vec<Outcome>> {
        let reported = self.run_cache.as_ref()?.reported().into_iter();
        Some(
            reported
                .map(|(test, verdict)| Outcome { test, verdict, ..Outcome::default() })
                .collect(),
        )
    }

    /// Does something that the processes of a run do one after the other, and says whether this is
    /// the first; `None` where it is the only one.
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
