//! Tests that whatever a selftest injects is measured as well: it is in the measured part, and of the stated size.

use libtest_mimic::Trial;
use perf_budget::internals::Injection;
use perf_budget::internals::process::{Request, measure};
use perf_budget_core::metric::Effect;

use crate::subjects::HELD;
use crate::{process_run, request, row, value};

/// Returns the metric of a workload with `share` and `amount` of `effect` injected.
fn injected(workload: &str, metric: &str, effect: Effect, share: f64, amount: f64) -> f64 {
    let injection = Some(Injection { effect, share, amount });
    let scratch = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("injections");
    let request = Request { injection, ..request(workload, &[metric]) };
    let process = measure(&request, &scratch, std::time::Duration::from_secs(60)).unwrap();
    if metric == "p50" {
        let mut operations = process.operations;
        operations.sort_by(f64::total_cmp);
        return operations[operations.len() / 2];
    }
    value(&process, metric)
}

pub(crate) fn rows() -> Vec<Trial> {
    // The workload makes three boxes of 300 bytes in all, as the tests of the instruments also assume.
    let boxes = |metric: &'static str, effect, share, amount, want: f64| {
        row(&format!("injection::{metric}"), move || {
            assert_eq!(injected("three boxes", metric, effect, share, amount), want);
        })
    };
    vec![
        boxes("allocs", Effect::Allocations, 0.0, 2.0, 5.0),
        boxes("allocs", Effect::Allocations, 1.0, 0.0, 6.0),
        boxes("alloc_bytes", Effect::Allocated, 0.0, 50.0, 350.0),
        boxes("heap", Effect::Held, 0.5, 0.0, 450.0),
        boxes("peak_heap", Effect::Peak, 0.0, 40.0, 340.0),
        boxes("leaked", Effect::Leak, 0.0, 7.0, 7.0),
        row("injection::temporary_peak", || {
            // The peak is in the middle of the operation, and what is injected comes on top of it.
            assert_eq!(injected("temporary", "peak_heap", Effect::Peak, 1.0, 0.0), 10_000.0);
        }),
        row("injection::p50", || {
            // The operation spins for 200 µs, and the injection doubles it.
            let slowed = injected("spin", "p50", Effect::Work, 1.0, 0.0);
            assert!(slowed >= 350e-6, "{slowed}");
        }),
        row("injection::rss", || {
            let more = 8e6;
            let rss = injected("holds", "rss", Effect::Resident, 0.0, more);
            assert!(rss >= HELD as f64 * 0.5 + more, "{rss}");
        }),
        #[cfg(target_os = "linux")]
        row("injection::counted", || {
            for amount in [0.5, 7.0, 5000.0] {
                for (metric, effect) in
                    [("read_bytes", Effect::Read), ("written_bytes", Effect::Written)]
                {
                    // Parts of bytes add up until they are a whole byte, so the mean has the part.
                    let counted = injected("sleep", metric, effect, 0.0, amount);
                    assert!((counted - amount).abs() <= 1.0, "{metric}: {counted}, not {amount}");
                }
            }
            let faults = injected("sleep", "page_faults", Effect::Faults, 0.0, 300.0);
            assert!((300.0..330.0).contains(&faults), "{faults}");
        }),
        row("injection::nothing_by_itself", || {
            assert_eq!(value(&process_run("three boxes", &["allocs"]).unwrap(), "allocs"), 3.0);
        }),
    ]
}
