//! The files that earlier runs have left and that nothing reads any more: evidence and samples that are too old, and
//! the files of processes that were killed.

use std::time::Duration;

use perf_budget_core::samples::FOLDER;

use super::carried::{EVIDENCE, FRESH};
use super::run_cache::remove_older;
use super::state::Session;

/// The age of a scratch file that no process uses any more: no measurement takes that long.
const ABANDONED: Duration = Duration::from_secs(7 * 24 * 60 * 60);

impl Session {
    /// Removes what earlier runs have left. What cannot be removed does no harm.
    pub(crate) fn remove_leftovers(&self) {
        remove_older(&self.results.join(EVIDENCE), FRESH);
        remove_older(&self.results.join("scratch"), ABANDONED);
        remove_older(&self.results.join(FOLDER), ABANDONED);
    }
}
