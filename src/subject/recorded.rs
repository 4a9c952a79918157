//! The source of a benchmark that Criterion has measured. It has one reading, the recorded one, since nothing is
//! measured here.

use perf_budget_core::budget::{Budget, Budgets};
use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::paths;
use perf_budget_core::quantity::Unit;
use perf_budget_core::reading::ProcessRun;

use super::criterion::{self, Place};
use crate::meter::Source;

/// Returns the source of the benchmark `name`, which is the subject of `budget`.
pub(super) fn source(name: &str, budget: &Budget, budgets: &Budgets) -> Box<dyn Source> {
    let rate = super::benchmark::rate(budget);
    let home = paths::criterion().map_err(|e| Unmeasured::new(Cause::Harness, e.to_string()));
    let place = home.map(|home| Place { home, package: budgets.root.clone() });
    Box::new(Recorded { name: name.to_owned(), rate, place })
}

/// A benchmark that Criterion has measured.
struct Recorded {
    name: String,
    /// The unit of the limit on the throughput, if there is such a limit.
    rate: Option<Unit>,
    /// The place of the record, or the reason why it is unknown.
    place: Result<Place, Unmeasured>,
}

impl Source for Recorded {
    fn measure_process(&mut self) -> Result<ProcessRun, Unmeasured> {
        criterion::read(&self.name, self.rate, self.place.as_ref().map_err(Clone::clone)?)
    }

    fn is_recorded(&self) -> bool {
        true
    }
}
