//! Tests that the instruments measure what the subjects do.

use libtest_mimic::Trial;
use perf_budget_core::reading::Work;

use crate::subjects::HELD;
use crate::{process_run, row, value};

/// A wait that is shorter than this cannot be distinguished from work.
const TOLERANCE: f64 = 25e-6;

pub(crate) fn rows() -> Vec<Trial> {
    let mut rows = vec![
        latency("time::spin", "spin", 200e-6),
        latency("time::sleep", "sleep", 2e-3),
        latency("time::threads", "two threads", 2e-3),
        latency("time::async_sleep", "async sleep", 2e-3),
        latency("time::async_input", "async input", 50e-6),
        latency("time::async_server", "async server", 0.0),
        latency("time::async_own_runtime", "async runtime of its own", 1e-3),
        latency("time::empty", "empty", 0.0),
        latency("time::held", "holds", 0.0),
        latency("time::restless", "is restless", 50e-6),
        latency("time::caught_panic", "panics and catches", 50e-6),
        latency("time::panic_elsewhere", "panics elsewhere", 0.0),
        row("time::drop_is_outside", drop_is_outside),
        row("time::set_up_is_outside", set_up_is_outside),
        row("time::sleep_is_not_work", sleep_is_not_work),
        row("time::threads_are_seen", threads_are_seen),
        #[cfg(target_os = "linux")]
        row("time::a_living_child_is_seen", a_living_child_is_seen),
        #[cfg(target_os = "linux")]
        row("time::bytes_are_counted", bytes_are_counted),
        #[cfg(target_os = "linux")]
        row("constraint::processors", fewer_processors),
        #[cfg(target_os = "linux")]
        row("constraint::memory", less_memory),
        row("time::batches_of_short_operations", batches),
        row("time::throughput", throughput),
        row("time::errors_are_counted", errors),
        row("time::nothing_but_what_is_asked", nothing_but_what_is_asked),
        row("time::hold_is_measured_once", hold_once),
        row("memory::held", held),
        row("memory::lent", lent),
        row("memory::peak", peak),
        row("memory::given_back", given_back),
        row("heap::param", || {
            assert_eq!(value(&process_run("takes a size", &["heap"]).unwrap(), "heap"), 1000.0);
        }),
        row("heap::freed_by_another_thread", || {
            let process = process_run("frees later", &["leaked", "allocs"]).unwrap();
            assert_eq!(value(&process, "leaked"), 0.0, "{process:?}");
        }),
        row("record::mean", records),
        row("record::beside_a_method", records_beside),
    ];
    let heap = [
        // The allocations and their bytes, the live bytes with the output, at the peak, and after it is dropped.
        ("three boxes", [3.0, 300.0, 300.0, 300.0, 0.0]),
        ("async boxes", [3.0, 300.0, 300.0, 300.0, 0.0]),
        // A reallocation is an allocation of the new size; live is what the block grew to.
        ("grows", [2.0, 40.0, 30.0, 30.0, 0.0]),
        ("temporary", [2.0, 5070.0, 70.0, 5000.0, 0.0]),
        ("leaks", [1.0, 123.0, 123.0, 123.0, 123.0]),
        // The input is made before the operation: it counts as live while it lives, but not as an allocation.
        ("eats its input", [1.0, 30.0, 30.0, 4030.0, 0.0]),
        // An input that is only lent is alive beside the output.
        ("changes its input", [1.0, 30.0, 4030.0, 4030.0, 0.0]),
        ("grows its input", [1.0, 1000.0, 1000.0, 1000.0, 0.0]),
        ("zeroed", [1.0, 640.0, 640.0, 640.0, 0.0]),
        ("elsewhere", [1.0, 1000.0, 1000.0, 1000.0, 1000.0]),
        ("only sometimes", [0.5, 5.0, 5.0, 5.0, 0.0]),
        ("empty", [0.0; 5]),
        ("holds", [1.0, HELD as f64, HELD as f64, HELD as f64, 0.0]),
    ];
    for (workload, expected) in heap {
        rows.push(row(&format!("heap::{}", workload.replace(' ', "_")), move || {
            let words = ["allocs", "alloc_bytes", "heap", "peak_heap", "leaked"];
            let process = process_run(workload, &words).unwrap();
            assert_eq!(words.map(|word| value(&process, word)), expected, "{:?}", process.notes);
        }));
    }
    rows
}

/// Asserts that most operations, and the means of most batches, take at least `least` seconds. Not all do: an
/// operation that is preempted as it goes to sleep waits and sleeps at the same time, and its waiting is subtracted.
fn latency(name: &str, workload: &'static str, least: f64) -> Trial {
    row(name, move || {
        let process = process_run(workload, &["p50", "mean"]).unwrap();
        assert!(!process.operations.is_empty() && !process.batches.is_empty(), "{process:?}");
        assert!(process.batch_size >= 1 && process.elapsed.as_secs_f64() > 0.0);
        for times in [&process.operations, &process.batches] {
            let most = middle(times);
            assert!(
                most >= least - TOLERANCE,
                "{most} s is less than {least} s: {:?}",
                process.notes
            );
        }
        let clock = process.clock.unwrap();
        assert!(clock.cost > 0.0 && clock.resolution > 0.0, "{clock:?}");
        assert!(
            process.notes.iter().any(|note| note.starts_with("clock: wall")),
            "{:?}",
            process.notes
        );
    })
}

fn middle(times: &[f64]) -> f64 {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn least(times: &[f64]) -> f64 {
    times.iter().copied().fold(f64::INFINITY, f64::min)
}

/// The value takes 5 ms to drop: if that were measured, no operation could take less.
fn drop_is_outside() {
    for workload in ["drops slowly", "input drops slowly"] {
        let process = process_run(workload, &["min", "mean"]).unwrap();
        assert!(least(&process.operations) < 4e-3 && least(&process.batches) < 4e-3, "{process:?}");
    }
}

/// The input takes 2 ms of processor time to make.
fn set_up_is_outside() {
    let process = process_run("set-up is slow", &["min", "mean", "cpu"]).unwrap();
    assert!(least(&process.operations) < 1e-3 && least(&process.batches) < 1e-3, "{process:?}");
    assert!(value(&process, "cpu") < 1e-3, "{process:?}");
}

fn sleep_is_not_work() {
    let process = process_run("sleep", &["p50", "cpu", "utilization", "context_switches"]).unwrap();
    assert!(value(&process, "cpu") < 1e-3 && value(&process, "utilization") < 0.5, "{process:?}");
    assert!(value(&process, "context_switches") >= 1.0, "{process:?}");
}

#[cfg(target_os = "linux")]
fn a_living_child_is_seen() {
    let process = process_run("asks a server", &["p50"]).unwrap();
    assert!(process.notes[0].contains("child processes"), "{:?}", process.notes);
}

fn threads_are_seen() {
    let process = process_run("two threads", &["p50", "cpu"]).unwrap();
    assert!(value(&process, "cpu") >= 4e-3, "{process:?}");
    assert!(process.notes[0].contains("other threads"), "{:?}", process.notes);
}

#[cfg(target_os = "linux")]
fn fewer_processors() {
    use perf_budget_core::budget::Constraint;
    let under = |processors| {
        let constraint = Constraint { processors: Some(processors), memory: None };
        crate::process_run_constrained("counts processors", &["processors"], constraint)
    };
    let process = under(1).unwrap();
    assert_eq!(value(&process, "processors"), 1.0);
    assert_eq!(process.notes, ["measured with at most 1 processor"]);
    // More than there are is no measurement.
    let refused = under(1000).unwrap_err().to_string();
    assert!(refused.contains("processors may be used here"), "{refused}");
}

#[cfg(target_os = "linux")]
fn less_memory() {
    use perf_budget_core::budget::Constraint;
    let under = |bytes| {
        let constraint = Constraint { memory: Some(bytes), processors: None };
        crate::process_run_constrained("needs memory", &["p50"], constraint)
    };
    let process = under(1 << 30).unwrap();
    assert!(process.notes.iter().any(|note| note.contains("memory of its own")), "{process:?}");
    let refused = under(100 << 20).unwrap_err().to_string();
    assert!(refused.contains("was ended by SIGABRT"), "{refused}");
}

/// The counters are exact: what the stopwatch itself reads is not in them.
#[cfg(target_os = "linux")]
fn bytes_are_counted() {
    let metrics = ["read_bytes", "written_bytes", "page_faults", "major_faults", "p50", "mean"];
    let process = process_run("copies a file", &metrics).unwrap();
    let length = std::fs::metadata("Cargo.toml").unwrap().len() as f64;
    assert_eq!(value(&process, "read_bytes"), length);
    assert_eq!(value(&process, "written_bytes"), 2.0 * length);
    assert!(value(&process, "major_faults") <= value(&process, "page_faults"));
    let empty = process_run("empty", &metrics).unwrap();
    assert_eq!((value(&empty, "read_bytes"), value(&empty, "written_bytes")), (0.0, 0.0));
    assert!(value(&empty, "page_faults") < 1.0, "{empty:?}");
}

/// An empty operation is measured in batches that are so large that reading the clock costs next to nothing beside
/// one of them. How large they are depends on the machine, and how long an empty loop takes depends on the build.
fn batches() {
    let process = process_run("empty", &["mean", "cpu", "context_switches"]).unwrap();
    assert!(process.operations.is_empty());
    assert!(process.batch_size > 1, "{}", process.batch_size);
    let batch = least(&process.batches) * process.batch_size as f64;
    assert!(batch > 10.0 * process.clock.unwrap().cost, "{process:?}");
}

fn throughput() {
    for (workload, amount, work) in
        [("bytes", 1000.0, Work::Bytes(1000.0)), ("ops", 8.0, Work::Operations(8.0))]
    {
        let process = process_run(workload, &["throughput"]).unwrap();
        assert_eq!(process.work, work);
        assert_eq!(value(&process, "throughput"), amount / middle(&process.batches));
        assert!(value(&process, "throughput") <= amount / (50e-6 - TOLERANCE));
    }
}

fn errors() {
    for workload in ["every fourth fails", "lent every fourth fails"] {
        errors_of(workload);
    }
}

fn errors_of(workload: &str) {
    let process = process_run(workload, &["p50", "error_rate"]).unwrap();
    let rate = value(&process, "error_rate");
    // A slow machine runs fewer operations; the rate is a quarter of them, to within one operation.
    let operations = process.operations.len() as f64 / (1.0 - rate);
    assert!((rate - 0.25).abs() <= 1.0 / operations, "{rate} of {operations}");
    assert!(least(&process.operations) >= 50e-6 - TOLERANCE, "a failed operation is a sample");
    assert!(process.notes.iter().any(|note| note.ends_with("the first: the fourth")));
}

fn nothing_but_what_is_asked() {
    let process = process_run("spin", &["p50"]).unwrap();
    assert!(process.batches.is_empty() && !process.operations.is_empty());
    let process = crate::process_run("spin", &["throughput"]).unwrap();
    assert!(!process.batches.is_empty() && process.operations.is_empty());
}

fn hold_once() {
    let process = process_run("holds", &["p50", "mean", "cpu"]).unwrap();
    assert_eq!((process.operations.len(), process.batches.len(), process.batch_size), (1, 1, 1));
}

fn held() {
    holds_all("holds", &["rss", "peak_rss"]);
}

/// An input that is only lent is resident while memory is read.
fn lent() {
    holds_all("loads its input", &["rss"]);
}

fn holds_all(workload: &str, words: &[&str]) {
    let process = process_run(workload, words).unwrap();
    for word in words {
        let share = value(&process, word) / HELD as f64;
        assert!((share - 1.0).abs() < 0.02, "{word} is {share} of what is held");
    }
}

fn peak() {
    let process = process_run("peaks", &["rss", "peak_rss"]).unwrap();
    // The kernel keeps its high-water mark only to within a few dozen pages.
    assert!(value(&process, "peak_rss") >= 0.98 * HELD as f64, "{process:?}");
    assert!(value(&process, "rss") < HELD as f64 / 16.0, "{process:?}");
}

fn given_back() {
    let process = process_run("gives back", &["rss"]).unwrap();
    assert_eq!(value(&process, "rss"), 0.0);
    assert!(process.notes.iter().any(|note| note.contains("fell by")), "{:?}", process.notes);
}

fn records() {
    let process = process_run("records", &["accuracy"]).unwrap();
    assert_eq!((value(&process, "accuracy"), value(&process, "depth")), (0.75, 7.0));
}

fn records_beside() {
    for metrics in [["accuracy", "p50"], ["accuracy", "allocs"], ["accuracy", "rss"]] {
        let process = process_run("measures and records", &metrics).unwrap();
        assert_eq!(value(&process, "accuracy"), 1.0);
    }
}
