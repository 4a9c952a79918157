//! Operations that are due on a schedule, and memory that grows with them. Bounds are lower bounds, counts,
//! or ratios of what one process measured: no row depends on how fast the machine is.

use std::time::Duration;

use libtest_mimic::Trial;
use perf_budget_core::budget::{Load, Shape};
use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::reading::{Fork, Timing};

use crate::{row, taken, value};

pub(crate) fn rows() -> Vec<Trial> {
    let mut rows = vec![
        row("load::above_capacity_latency_grows", above),
        row("load::below_capacity_it_does_not", below),
        row("load::stalls_are_seen", stalls),
        row("load::beside_each_other", beside),
        row("load::no_room", no_room),
        row("load::hopeless", hopeless),
        row("load::errors_are_counted", errors),
        row("load::whole_periods", periods),
        row("load::on_a_runtime", on_a_runtime),
        row("load::set_up_is_outside", set_up),
        row("load::refused", refused),
    ];
    let growth = [
        // What each operation adds and keeps, at the least and at the most. An allocator adds its own.
        ("grows by 1000 B", 990.0, 1150.0),
        ("fills a cache", 0.0, 0.5),
        ("three boxes", 0.0, 0.5),
        ("spin", 0.0, 1.0),
    ];
    for (workload, least, most) in growth {
        rows.push(row(&format!("growth::{}", workload.replace(' ', "_")), move || {
            let fork = taken(workload, &["rss_growth"], None).unwrap();
            let growth = value(&fork, "rss_growth");
            assert!((least..=most).contains(&growth), "{growth}: {:?}", fork.notes);
            assert!(fork.grain.is_some_and(|grain| grain > 0.0), "{fork:?}");
        }));
    }
    rows.push(row("growth::of_what_is_held", || {
        let why = taken("holds", &["rss_growth"], None).unwrap_err();
        assert!(why.text.contains("built once does not grow"), "{}", why.text);
    }));
    rows
}

fn constant(rate: f64) -> Load {
    Load { shape: Shape::Constant, rate, concurrency: 1 }
}

fn fork(workload: &str, load: Load) -> Result<Fork, Unmeasured> {
    taken(workload, &["p50", "throughput", "error_rate"], Some(load))
}

fn most(times: &[f64]) -> f64 {
    times.iter().copied().fold(0.0, f64::max)
}

/// Sleeping 2 ms at 1000 op/s: however fast the machine is, each waits at least 1 ms longer than the one
/// before.
fn above() {
    let fork = fork("sleep", constant(1000.0)).unwrap();
    let n = fork.operations.len();
    assert!(n >= 100, "{:?}", fork.notes);
    // All are started, but where the machine woke it so late that even the second after the schedule was not enough.
    let enough = n as f64 / (n as f64 * 1e-3 + 1.0);
    let late = value(&fork, "throughput") < enough;
    assert!(fork.at_least.is_none() || late, "{fork:?}");
    for (at, latency) in fork.operations.iter().enumerate() {
        assert!(*latency >= 2e-3 + at as f64 * 1e-3 - 1e-6, "{latency} of {at}");
    }
    assert!(value(&fork, "throughput") <= 500.0, "{fork:?}");
    assert_eq!(fork.timing, Some(Timing::Wall));
    assert!(fork.clock.is_some() && fork.lag.is_some() && fork.batches.is_empty());
}

/// Sleeping 2 ms at 20 op/s: the first and the last wait as long, however long that is.
fn below() {
    let fork = fork("sleep", constant(20.0)).unwrap();
    assert!((18..=22).contains(&fork.operations.len()), "{}", fork.operations.len());
    let least = fork.operations.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(least >= 2e-3, "{least}");
    let mut half = fork.operations[10..].to_vec();
    half.sort_by(f64::total_cmp);
    assert!(half[half.len() / 2] < 0.05, "latency grows: {:?}", fork.operations);
    assert!(value(&fork, "throughput") <= 21.0, "{fork:?}");
}

/// Every hundredth operation sleeps 50 ms, and those due meanwhile wait for it.
fn stalls() {
    let fork = fork("stalls", constant(1000.0)).unwrap();
    let over = fork.operations.iter().filter(|&&latency| latency > 10e-3).count();
    let stalled = fork.operations.iter().filter(|&&latency| latency >= 50e-3).count();
    assert!(stalled >= 1, "{:?}", fork.notes);
    // Of each stall 40 were due while it had more than 10 ms to go.
    assert!(over * 100 >= 35 * fork.operations.len(), "{over} of {}", fork.operations.len());
}

/// Sleeping 20 ms at 200 op/s with room for 64: each sleeps beside the others.
fn beside() {
    let load = Load { concurrency: 64, ..constant(200.0) };
    let fork = fork("sleeps beside", load).unwrap();
    assert_eq!(fork.operations.len(), 100);
    assert!(fork.operations.iter().all(|&latency| latency >= 20e-3), "{fork:?}");
    // One after the other it were 50 a second at the most.
    assert!(value(&fork, "throughput") > 60.0, "{fork:?}");
}

/// The same with room for two: 100 a second, and the rest waits.
fn no_room() {
    let fork = fork("sleeps beside", Load { concurrency: 2, ..constant(200.0) }).unwrap();
    assert!(value(&fork, "throughput") <= 101.0, "{fork:?}");
    let last = fork.operations[fork.operations.len() - 1];
    assert!(last >= 0.4, "the last waits for those before: {last}");
}

/// Sleeping 300 ms at 100 op/s: most are never started, and count as long as they waited.
fn hopeless() {
    let fork = taken("sleeps long", &["p50", "throughput"], Some(constant(100.0))).unwrap();
    let least = fork.at_least.expect("some were never started");
    assert!(least >= 1.0, "{least}");
    assert!(fork.operations.len() == 50 && most(&fork.operations) >= 1.0, "{fork:?}");
    assert!(value(&fork, "throughput") <= 1.0 / 0.3 + 0.1, "{fork:?}");
}

fn errors() {
    for workload in ["every fourth fails", "lent every fourth fails"] {
        let fork = fork(workload, constant(1000.0)).unwrap();
        let rate = value(&fork, "error_rate");
        assert!((rate - 0.25).abs() < 0.01, "{rate}");
    }
    let why = taken("every fourth fails", &["p50"], Some(constant(1000.0))).unwrap_err();
    assert_eq!(why.cause, Cause::WorkloadFailed);
    assert!(why.text.contains("operation 4 failed"), "{}", why.text);
}

fn periods() {
    let every = Duration::from_millis(100);
    for (shape, count) in [
        (Shape::Burst { every }, 5 * 20),
        (Shape::Ramp { peak: 400.0, every }, 5 * 30),
        (Shape::Spike { peak: 1000.0, every, width: every / 10 }, 5 * 28),
    ] {
        let load = Load { shape, rate: 200.0, concurrency: 1 };
        let fork = fork("empty", load.clone()).unwrap();
        assert_eq!(fork.operations.len(), count, "{load}");
        assert!(fork.notes.iter().any(|note| note.contains(&load.to_string())), "{:?}", fork.notes);
    }
    let load = Load { shape: Shape::Poisson, rate: 1000.0, concurrency: 1 };
    let (a, b) = (fork("empty", load.clone()).unwrap(), fork("empty", load).unwrap());
    assert!((400..600).contains(&a.operations.len()), "{}", a.operations.len());
    assert!(a.operations.len() != b.operations.len() || a.operations != b.operations);
}

fn on_a_runtime() {
    for workload in ["async sleep", "async server", "async server beside"] {
        let fork = fork(workload, constant(500.0)).unwrap();
        assert_eq!(fork.operations.len(), 250, "{workload}");
    }
    let fork = fork("async server beside", Load { concurrency: 8, ..constant(500.0) }).unwrap();
    assert_eq!(fork.operations.len(), 250);
}

/// An input that takes 2 ms to make, at 1000 op/s: were it within, each would wait longer than the last.
fn set_up() {
    let fork = fork("set-up is slow", constant(1000.0)).unwrap();
    let mut latencies = fork.operations.clone();
    latencies.sort_by(f64::total_cmp);
    assert!(latencies[latencies.len() / 2] < 0.2, "{fork:?}");
}

fn refused() {
    for (workload, concurrency, words) in [
        ("holds", 1, "builds one value, and the budget has a load"),
        ("empty", 8, "`iter` runs one at a time"),
        ("async sleep", 8, "`iter_async` runs one at a time"),
    ] {
        let load = Load { concurrency, ..constant(100.0) };
        let why = fork(workload, load).unwrap_err();
        assert!(why.text.contains(words), "{workload}: {}", why.text);
    }
}
