//! Tests that whatever goes wrong in a workload, or with its process, has a reason of its own, in words.

use std::path::Path;
use std::time::Duration;

use libtest_mimic::Trial;
use perf_budget::internals::process::{Request, measure};
use perf_budget_core::metric::{Key, Metric};
use perf_budget_core::outcome::Cause;
use perf_budget_core::outcome::Cause::{
    Crashed, ExitedBadly, ExitedEarly, Flooded, Harness, InvalidReading, MeasuredNothing, Panicked,
    TimedOut, WorkloadFailed,
};

use crate::{process_run, process_run_within, row, value};

const TABLE: &[(&str, &str, Cause, &str)] = &[
    ("nothing at all", "p50", MeasuredNothing, "it called no measuring method"),
    ("nothing at all", "rss", MeasuredNothing, "it called no measuring method"),
    ("records", "p50", MeasuredNothing, "it called no measuring method"),
    ("empty", "recall", MeasuredNothing, "(it recorded nothing)"),
    (
        "every one fails",
        "p50",
        WorkloadFailed,
        "operation 1 failed: no luck; failures are counted where the budget limits `error_rate`",
    ),
    ("every one fails", "p50 error_rate", MeasuredNothing, "gave no p50: "),
    ("every one fails", "allocs", WorkloadFailed, "operation 1 failed: no luck"),
    ("every one fails", "rss", WorkloadFailed, "operation 1 failed: no luck"),
    ("every fourth fails", "p50", WorkloadFailed, "operation 4 failed: the fourth"),
    ("an input fails", "p50", WorkloadFailed, "operation 1 failed: invalid digit found in string"),
    ("async fails", "throughput", WorkloadFailed, "operation 1 failed: refused"),
    ("fails to hold", "rss", WorkloadFailed, "failed to build the value to hold: no such file"),
    ("holds a Result", "rss", WorkloadFailed, "returns a Result: use `try_hold`"),
    (
        "returns a Result",
        "p50",
        WorkloadFailed,
        "returns a Result: use `try_iter`, so that a failing operation is not measured as a fast one",
    ),
    ("lends a Result", "p50", WorkloadFailed, "returns a Result: use `try_iter_with_ref`"),
    (
        "lent every fourth fails",
        "p50",
        WorkloadFailed,
        "operation 4 failed: the fourth; failures are counted where the budget limits `error_rate`",
    ),
    ("returns an async Result", "p50", WorkloadFailed, "use `try_iter_async`"),
    ("returns a future", "p50", WorkloadFailed, "returns a future or a closure, which nobody runs"),
    ("ops too late", "p50", WorkloadFailed, "`ops(8)`: call it before the measuring method"),
    ("no ops", "p50", WorkloadFailed, "`ops(0)`: an operation counts for at least 1"),
    ("records what is no number", "accuracy", InvalidReading, "recorded NaN as `accuracy`"),
    ("records less than nothing", "accuracy", InvalidReading, "recorded -1 as `accuracy`"),
    ("records without end", "accuracy", InvalidReading, "recorded inf as `accuracy`"),
    ("records and overlooks", "accuracy", InvalidReading, "recorded NaN as `accuracy`"),
    (
        "records p99",
        "accuracy",
        WorkloadFailed,
        "failed to record `p99`: the harness measures that itself",
    ),
    (
        "takes what is not there",
        "p50",
        WorkloadFailed,
        "add `params = { kind = \"text\" }` to the budget in budgets.toml",
    ),
    ("measures twice", "p50", WorkloadFailed, "`hold` was called after `iter`"),
    ("measures twice and overlooks", "rss", WorkloadFailed, "`iter` was called after `iter`"),
    (
        "is on a runtime of one thread",
        "p50",
        WorkloadFailed,
        "failed to run on a runtime of one thread: its tasks do not run through a handle; leave out `on`",
    ),
    ("fails", "p50", WorkloadFailed, "workload `fails`: the fixture is gone"),
    ("fails with an error", "p50", WorkloadFailed, "invalid digit found in string"),
    ("panics", "p50", Panicked, "workload `panics` panicked at tests/workload/subjects.rs:"),
    ("panics", "rss", Panicked, ": the fixture is gone"),
    ("panics beside text", "p50", Panicked, "with a payload that is not text"),
    ("panics in an async operation", "allocs", Panicked, ": in a future"),
    (
        "panics, catches and returns",
        "p50",
        MeasuredNothing,
        "broke off `iter` and returned as if it had not",
    ),
    ("sets a panic hook", "p50", Panicked, "panicked: hooked"),
    ("aborts", "p50", Crashed, "workload `aborts`"),
    #[cfg(unix)]
    ("crashes", "p50", Crashed, "workload `crashes`"),
    ("overflows", "p50", Crashed, "workload `overflows`"),
    #[cfg(unix)]
    ("is killed", "p50", Cause::Killed, "workload `is killed`"),
    ("exits", "p50", ExitedEarly, "workload `exits` exited with success before it reported"),
    #[cfg(unix)]
    ("leaves it to a copy", "p50", ExitedEarly, "exited with success before it reported"),
    ("exits badly", "p50", ExitedBadly, "exited with code 3 before it reported"),
    ("floods", "p50", Flooded, "workload `floods`"),
    (
        "no such",
        "p50",
        Harness,
        "no workload `no such` is registered in the harness; there are `aborts`, ",
    ),
    ("spin", "allocs rss", Harness, "one process has one instrument"),
];

pub(crate) fn rows() -> Vec<Trial> {
    let table = TABLE.iter().map(|&(workload, metrics, cause, text)| {
        let name = format!("failure::{workload}::{metrics}").replace([' ', ','], "_");
        row(&name, move || {
            let metrics: Vec<_> = metrics.split(' ').collect();
            let why = process_run(workload, &metrics).unwrap_err();
            assert_eq!(why.cause, cause, "{why}");
            assert!(why.text.contains(text), "{:?} does not say {text:?}", why.text);
        })
    });
    let own = [
        row("failure::one_value_is_not_recorded", || {
            let run = process_run("records", &["recall", "depth"]).unwrap();
            assert!(run.series(&Metric::recorded("depth")).is_ok());
            let why = run.series(&Metric::recorded("recall")).unwrap_err();
            let text = "did not record `recall`, which its budget limits (it recorded `accuracy`, `depth`)";
            assert!(why.cause == MeasuredNothing && why.text.contains(text), "{why}");
        }),
        row("failure::never_ends", || {
            let why =
                process_run_within("never ends", &["p50"], Duration::from_secs(1)).unwrap_err();
            assert_eq!(why.cause, TimedOut, "{why}");
        }),
        row("failure::reply_has_no_place", reply_has_no_place),
        row("failure::scratch_is_a_file", scratch_is_a_file),
        row("failure::started_by_a_workload", || {
            // The process is not a worker, which its exit code shows.
            assert_eq!(value(&process_run("starts itself", &["code"]).unwrap(), "code"), 2.0);
        }),
        row("failure::overflow_shows_its_output", || {
            let why = process_run("overflows", &["p50"]).unwrap_err();
            // Where musl is linked, Rust's runtime does not tell an overflow from another segmentation fault.
            let is_told = why.output.is_some_and(|text| text.contains("overflowed its stack"));
            assert!(
                is_told || cfg!(target_env = "musl") && why.text.contains("SIGSEGV"),
                "{}",
                why.text
            );
        }),
        row("failure::nothing_is_left_behind", nothing_is_left_behind),
    ];
    table.chain(own).collect()
}

fn request(workload: &str) -> Request {
    Request {
        workload: workload.to_owned(),
        params: Vec::new(),
        metrics: vec![Metric::from(Key::Throughput)],
        load: None,
        slice: Duration::from_millis(20),
        max_operations: 100,
        paired: false,
        injection: None,
        counting: None,
        sampling: None,
        constraint: perf_budget_core::budget::Constraint::default(),
    }
}

fn reply_has_no_place() {
    let doomed = Path::new(env!("CARGO_TARGET_TMPDIR")).join("doomed");
    let minute = Duration::from_secs(60);
    let why = measure(&request("removes the directory"), &doomed, minute).unwrap_err();
    assert_eq!(why.cause, Harness, "{why}");
    assert!(why.text.starts_with("failed to write the reply `"), "{why}");
}

fn scratch_is_a_file() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("a-file");
    std::fs::write(&file, "").unwrap();
    let why = measure(&request("spin"), &file, Duration::from_secs(60)).unwrap_err();
    assert_eq!(why.cause, Harness, "{why}");
    assert!(why.text.starts_with("failed to ask for a process in `"), "{why}");
}

fn nothing_is_left_behind() {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join("left-behind");
    for workload in ["spin", "panics", "exits"] {
        let _ = measure(&request(workload), &scratch, Duration::from_secs(60));
    }
    assert_eq!(std::fs::read_dir(&scratch).unwrap().count(), 0);
}
