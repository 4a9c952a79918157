//! The request to a worker: what it measures for one case of a budget, and for how long.

use std::time::Duration;

use perf_budget_core::budget::{Budget, Subject};
use perf_budget_core::metric::{Metric, WorkerInstrument};

use crate::worker::process::Request;

/// The shortest measuring time of a workload's process. Its set-up and warm-up are not counted.
const SLICE: Duration = Duration::from_millis(100);
/// The measuring time under a load. It is longer, since a queue takes time to grow.
const LOADED_SLICE: Duration = Duration::from_millis(250);
/// The longest measuring time of a process, however long its set-up takes. A process in which the growth of memory is
/// measured always takes this long.
pub(super) const LONGEST_SLICE: Duration = Duration::from_millis(500);
/// The most operations of one process. A percentile gains nothing from more.
const MOST_OPERATIONS: usize = 20_000;

/// Returns the request for `metrics` of one case of a budget on `workload`.
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
        counting: None,
        sampling: None,
        constraint: budget.constraint,
    };
    request.slice = shortest_slice(&request);
    request
}

/// Returns the measuring time of the next process, after one that took `elapsed` in all. A workload with a long set-up
/// is measured for longer, since otherwise most of the time would be spent on set-ups.
pub(super) fn slice_after(request: &Request, elapsed: Duration) -> Duration {
    if request.load.is_some() {
        // Under a load, the rest of the time is spent on the operations that still wait, and not on the set-up.
        return request.slice;
    }
    let set_up = elapsed.saturating_sub(request.slice);
    (set_up * 2).clamp(shortest_slice(request), LONGEST_SLICE)
}

fn shortest_slice(request: &Request) -> Duration {
    match &request.load {
        Some(_) => LOADED_SLICE,
        None if request
            .instrument()
            .is_ok_and(|instrument| instrument == WorkerInstrument::Growth) =>
        {
            LONGEST_SLICE
        }
        None => SLICE,
    }
}

/// Returns the request for metrics without a limit, by which a red is explained.
pub(crate) fn explaining(budget: &Budget, case: usize, metrics: Vec<Metric>) -> Request {
    let workload = match &budget.subject {
        Subject::Workload(workload) => workload.as_str(),
        Subject::Artifact(_)
        | Subject::Command(_)
        | Subject::Benchmark(..)
        | Subject::Record(_) => "",
    };
    Request { load: None, ..request(workload, budget, case, metrics, false) }
}
