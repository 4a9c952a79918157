//! Open-loop load, and memory that grows under load. The bounds are lower bounds, counts, or ratios of what one
//! process measured: no test depends on how fast the machine is.

use std::time::Duration;

use libtest_mimic::Trial;
use perf_budget_core::budget::{Load, LoadShape};
use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::reading::{ProcessRun, Timing};

use crate::{process_run_under, row, value};

pub(crate) fn rows() -> Vec<Trial> {
    let mut rows = vec![
        row("load::above_capacity_latency_grows", above),
        row("load::below_capacity_it_does_not", below),
        row("load::stalls_are_seen", stalls),
        row("load::concurrent_operations", concurrent),
        row("load::no_room", no_room),
        row("load::overloaded", overloaded),
        row("load::errors_are_counted", errors),
        row("load::whole_periods", periods),
        row("load::on_a_runtime", on_a_runtime),
        row("load::set_up_is_outside", set_up),
        row("load::refused", refused),
    ];
    let growth = [
        // The fewest and the most bytes that an operation adds and keeps. The allocator adds its own overhead.
        ("grows by 1000 B", 990.0, 1150.0),
        ("fills a cache", 0.0, 0.5),
        ("three boxes", 0.0, 0.5),
        ("spin", 0.0, 1.0),
    ];
    for (workload, least, most) in growth {
        rows.push(row(&format!("growth::{}", workload.replace(' ', "_")), move || {
            let process = process_run_under(workload, &["rss_growth"], None).unwrap();
            let growth = value(&process, "rss_growth");
            assert!((least..=most).contains(&growth), "{growth}: {:?}", process.notes);
            assert!(process.grain.is_some_and(|grain| grain > 0.0), "{process:?}");
        }));
    }
    rows.push(row("growth::of_what_is_held", || {
        let why = process_run_under("holds", &["rss_growth"], None).unwrap_err();
        assert!(why.text.contains("built once does not grow"), "{}", why.text);
    }));
    rows
}

fn constant(rate: f64) -> Load {
    Load { shape: LoadShape::Constant, rate, concurrency: 1 }
}

fn process_run(workload: &str, load: Load) -> Result<ProcessRun, Unmeasured> {
    process_run_under(workload, &["p50", "throughput", "error_rate"], Some(load))
}

fn most(times: &[f64]) -> f64 {
    times.iter().copied().fold(0.0, f64::max)
}

/// The operation sleeps 2 ms at 1000 op/s. However fast the machine is, each operation waits at least 1 ms longer
/// than the one before.
fn above() {
    let process = process_run("sleep", constant(1000.0)).unwrap();
    let n = process.operations.len();
    assert!(n >= 100, "{:?}", process.notes);
    // All operations are started, unless the machine wakes the process so late that even the second after the
    // schedule is not enough.
    let enough = n as f64 / (n as f64 * 1e-3 + 1.0);
    let late = value(&process, "throughput") < enough;
    assert!(process.at_least.is_none() || late, "{process:?}");
    for (at, latency) in process.operations.iter().enumerate() {
        assert!(*latency >= 2e-3 + at as f64 * 1e-3 - 1e-6, "{latency} of {at}");
    }
    assert!(value(&process, "throughput") <= 500.0, "{process:?}");
    assert_eq!(process.timing, Some(Timing::Wall));
    assert!(process.clock.is_some() && process.lag.is_some() && process.batches.is_empty());
}

/// The operation sleeps 2 ms at 20 op/s: the first and the last operation wait equally long, however long that is. If each waited for
/// those before it, the last ten would wait half a second and more.
fn below() {
    let process = process_run("sleep", constant(20.0)).unwrap();
    assert!((18..=22).contains(&process.operations.len()), "{}", process.operations.len());
    let least = process.operations.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(least >= 2e-3, "{least}");
    let mut half = process.operations[10..].to_vec();
    half.sort_by(f64::total_cmp);
    assert!(half[half.len() / 2] < 0.5, "latency grows: {:?}", process.operations);
    assert!(value(&process, "throughput") <= 21.0, "{process:?}");
}

/// Every hundredth operation sleeps 50 ms, and those that are due meanwhile wait for it.
fn stalls() {
    let process = process_run("stalls", constant(1000.0)).unwrap();
    let over = process.operations.iter().filter(|&&latency| latency > 10e-3).count();
    let stalled = process.operations.iter().filter(|&&latency| latency >= 50e-3).count();
    assert!(stalled >= 1, "{:?}", process.notes);
    // During each stall, 40 operations were due while it still had more than 10 ms to go.
    assert!(over * 100 >= 35 * process.operations.len(), "{over} of {}", process.operations.len());
}

/// The operation sleeps 20 ms at 200 op/s with room for 64, so that all sleep beside each other.
fn concurrent() {
    let rate = || {
        let load = Load { concurrency: 64, ..constant(200.0) };
        let process = process_run("sleeps beside", load).unwrap();
        assert_eq!(process.operations.len(), 100);
        assert!(process.operations.iter().all(|&latency| latency >= 20e-3), "{process:?}");
        value(&process, "throughput")
    };
    // One after the other, there would never be more than 50 per second. A machine that stops for a second has fewer too, and so one
    // process of several has to show it.
    assert!((0..10).any(|_| rate() > 60.0), "none of ten processes ran two at a time");
}

/// With room for only two, the same operations give 100 per second, and the others wait.
fn no_room() {
    let process = process_run("sleeps beside", Load { concurrency: 2, ..constant(200.0) }).unwrap();
    assert!(value(&process, "throughput") <= 101.0, "{process:?}");
    let last = process.operations[process.operations.len() - 1];
    assert!(last >= 0.4, "the last waits for those before: {last}");
}

/// The operation sleeps 300 ms at 100 op/s: most operations are never started, and count with the time that they
/// waited.
fn overloaded() {
    let process =
        process_run_under("sleeps long", &["p50", "throughput"], Some(constant(100.0))).unwrap();
    let least = process.at_least.expect("some were never started");
    assert!(least >= 1.0, "{least}");
    assert!(process.operations.len() == 50 && most(&process.operations) >= 1.0, "{process:?}");
    assert!(value(&process, "throughput") <= 1.0 / 0.3 + 0.1, "{process:?}");
}

fn errors() {
    for workload in ["every fourth fails", "lent every fourth fails"] {
        let process = process_run(workload, constant(1000.0)).unwrap();
        let rate = value(&process, "error_rate");
        assert!((rate - 0.25).abs() < 0.01, "{rate}");
    }
    let why =
        process_run_under("every fourth fails", &["p50"], Some(constant(1000.0))).unwrap_err();
    assert_eq!(why.cause, Cause::WorkloadFailed);
    assert!(why.text.contains("operation 4 failed"), "{}", why.text);
}

fn periods() {
    let every = Duration::from_millis(100);
    for (shape, count) in [
        (LoadShape::Burst { every }, 5 * 20),
        (LoadShape::Ramp { peak: 400.0, every }, 5 * 30),
        (LoadShape::Spike { peak: 1000.0, every, width: every / 10 }, 5 * 28),
    ] {
        let load = Load { shape, rate: 200.0, concurrency: 1 };
        let process = process_run("empty", load.clone()).unwrap();
        assert_eq!(process.operations.len(), count, "{load}");
        assert!(
            process.notes.iter().any(|note| note.contains(&load.to_string())),
            "{:?}",
            process.notes
        );
    }
    let load = Load { shape: LoadShape::Poisson, rate: 1000.0, concurrency: 1 };
    let (a, b) = (process_run("empty", load.clone()).unwrap(), process_run("empty", load).unwrap());
    assert!((400..600).contains(&a.operations.len()), "{}", a.operations.len());
    assert!(a.operations.len() != b.operations.len() || a.operations != b.operations);
}

fn on_a_runtime() {
    for workload in ["async sleep", "async server", "async server beside"] {
        let process = process_run(workload, constant(500.0)).unwrap();
        assert_eq!(process.operations.len(), 250, "{workload}");
    }
    let process =
        process_run("async server beside", Load { concurrency: 8, ..constant(500.0) }).unwrap();
    assert_eq!(process.operations.len(), 250);
}

/// The input takes 2 ms to make, at 1000 op/s. If that were measured, each operation would wait longer than the one before.
fn set_up() {
    let process = process_run("set-up is slow", constant(1000.0)).unwrap();
    let mut latencies = process.operations.clone();
    latencies.sort_by(f64::total_cmp);
    assert!(latencies[latencies.len() / 2] < 0.2, "{process:?}");
}

fn refused() {
    for (workload, concurrency, words) in [
        ("holds", 1, "builds one value, and the budget has a load"),
        ("empty", 8, "`iter` runs one at a time"),
        ("async sleep", 8, "`iter_async` runs one at a time"),
    ] {
        let load = Load { concurrency, ..constant(100.0) };
        let why = process_run(workload, load).unwrap_err();
        assert!(why.text.contains(words), "{workload}: {}", why.text);
    }
}
