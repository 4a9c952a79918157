//! What the processes of one run tell each other, where every test is a process.

use super::Session;
use crate::Error;
use crate::verdict::Outcome;

impl Session {
    /// Lets the other processes of the run know of an outcome.
    pub(crate) fn tell(&self, outcome: &Outcome) -> Result<(), Error> {
        self.shelf.as_ref().map_or(Ok(()), |shelf| shelf.tell(&outcome.test, outcome.verdict))
    }

    /// Which tests of a run of several processes have which verdict so far, and nothing else of them.
    pub(crate) fn so_far(&self) -> Option<Vec<Outcome>> {
        let told = self.shelf.as_ref()?.told().into_iter();
        Some(told.map(|(test, verdict)| Outcome { test, verdict, ..Outcome::default() }).collect())
    }

    /// Does something that the processes of a run do one after the other, and says whether this is
    /// the first; `None` where it is the only one.
    pub(crate) fn in_turn<T>(
        &self,
        what: &str,
        act: impl FnOnce(Option<bool>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match &self.shelf {
            None => act(None),
            Some(shelf) => shelf.in_turn(what, |first| act(Some(first))),
        }
    }
}
