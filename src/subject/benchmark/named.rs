//! The names of benchmarks, for tests that are made before anything is measured.

use std::path::Path;

use perf_budget_core::benchmarks::List;
use perf_budget_core::outcome::{Cause, Unmeasured};

use super::side::Origin;
use crate::subject::sources;

impl Origin {
    /// Returns the list of benchmarks from which the names of tests are made.
    ///
    /// A list of an earlier run is used if its programs are still the same files and no source is newer than it, so
    /// that nothing is started to list tests. In a run of several processes all of them use the first one's list, which
    /// is in the directory of the run. Otherwise a test might be missing in another process, and nobody would notice that
    /// it is not run there.
    ///
    /// `make` makes the list anew, if there is none to use.
    pub(crate) fn names(
        &self,
        make: &dyn Fn(&Origin) -> Result<List, Unmeasured>,
    ) -> Result<List, Unmeasured> {
        let Origin::Build(builder, how) = self else { return self.list() };
        let known = builder.list_file(how);
        let root = &builder.root;
        let usable = || {
            let list = List::read(&known)?;
            (list.is_current() && list.faults.is_empty() && !is_older(&known, root)).then_some(list)
        };
        let Some(run) = &builder.run else {
            return usable().map_or_else(|| make(self), Ok);
        };
        let name = known.file_name().unwrap_or_default().to_string_lossy();
        let shared = run.join(format!("names-{name}"));
        if let Some(list) = List::read(&shared) {
            return Ok(list);
        }
        let list = List::read(&known).map_or_else(|| make(self), Ok)?;
        list.write(&shared).map_err(|e| Unmeasured::new(Cause::Harness, e.to_string()))?;
        Ok(list)
    }
}

/// Whether a source of the project is newer than a file. If that is not known, it counts as newer.
fn is_older(file: &Path, root: &Path) -> bool {
    let Ok(written) = sources::modified(file) else { return true };
    let newest = sources::newest(root, sources::RUST);
    newest.map_or(true, |newest| newest.is_some_and(|(changed, _)| changed > written))
}
