//! What the worker of one case is asked for, and for how long it measures.

use std::time::Duration;

use perf_budget_core::budget::Budget;
use perf_budget_core::metric::{Metric, WorkerInstrument};

use crate::worker::process::Request;

/// How long a process of a workload measures, set-up and warm-up not counted.
const SLICE: Duration = Duration::from_millis(100);
/// How long one measures under a load at the least: a queue takes time to grow.
const LOADED_SLICE: Duration = Duration::from_millis(250);
/// The most that a process measures, however long its set-up; and what one does that has to see memory grow.
pub(super) const LONGEST_SLICE: Duration = Duration::from_millis(500);
/// Operations of one process at the most: what a percentile can use.
const MOST_OPERATIONS: usize = 20_000;

/// The request for `metrics` of one case of a budget on `workload`.
pub(super) fn request(
    workload: &str,
    budget: &Budget,
    case: usize,
    metrics: Vec<Metric>,
    paired: bool,
) -> Request {
    let mut request = Request {
        workload: workload.to_owned(),
        params: budget.cases[case].params.clone(),
        metrics,
        load: budget.load.clone(),
        slice: SLICE,
        max_operations: MOST_OPERATIONS,
        paired,
        injection: None,
    };
    request.slice = shortest(&request);
    request
}

/// How long the next process measures, where one took `elapsed` in all. A workload that prepares for long is
/// measured for longer: else preparing would be most of what its effort goes into.
pub(super) fn slice_after(request: &Request, elapsed: Duration) -> Duration {
    if request.load.is_some() {
        // A queue that is worked off afterwards is no preparing.
        return request.slice;
    }
    let around = elapsed.saturating_sub(request.slice);
    (around * 2).clamp(shortest(request), LONGEST_SLICE)
}

fn shortest(request: &Request) -> Duration {
    match &request.load {
        Some(_) => LOADED_SLICE,
        None if request.instrument().is_ok_and(|one| one == WorkerInstrument::Growth) => {
            LONGEST_SLICE
        }
        None => SLICE,
    }
}
