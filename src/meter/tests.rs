//! Ratios and slopes of scripted sources, judged by the rules of every limit.

use std::time::Duration;

use perf_budget_core::budget::{Bound, Limit, Reference, Target};
use perf_budget_core::enforce::scripted::{limit, rules};
use perf_budget_core::enforce::{Inquiry, Origin, PendingLimit};
use perf_budget_core::metric::{Key, Metric, Statistic};
use perf_budget_core::outcome::Outcome;
use perf_budget_core::quantity::Quantity;
use perf_budget_core::reading::ProcessRun;
use perf_budget_core::verdict::Verdict;
use perf_budget_core::verdict::judge::Carried;

use super::{Coin, Source, Sweep, Versus};

const P50: Metric = Key::Latency.at(Statistic::P50);

fn tenth() -> ProcessRun {
    ProcessRun { elapsed: Duration::from_millis(100), ..ProcessRun::default() }
}

/// Judges the readings of a source.
#[track_caller]
fn check(mut source: Box<dyn Source>, limit: Limit, verdict: Verdict, reason: &str) -> Outcome {
    let template = Outcome { metric: limit.metric.name(), ..Outcome::default() };
    let pending = PendingLimit { limit, template, carried: Carried::default(), unjudged: None };
    let mut inquiry = Inquiry::new(vec![pending], rules(), Origin::Measured);
    while !inquiry.is_done() {
        inquiry.add(source.measure_process());
    }
    let outcome = inquiry.outcomes()[0].clone();
    assert_eq!((outcome.verdict, outcome.reason.as_str()), (verdict, reason));
    outcome
}

/// A workload that holds next to nothing has resident memory by chance: none in one process, some pages in the next.
#[test]
fn a_few_pages_are_no_difference() {
    let rss = Metric::from(Key::Rss);
    let ratio = |x: f64, y: f64| {
        let side = |bytes: f64| -> Box<dyn Source> {
            let values = [(Metric::from(Key::Rss), bytes)].into();
            let process = ProcessRun { values, ..tenth() };
            Box::new(move || Ok(process.clone()))
        };
        let (subject, reference) = (side(x), side(y));
        let mut versus = Versus {
            subject,
            reference,
            metrics: vec![rss.clone()],
            coin: Coin::new(1),
            apart: None,
        };
        *versus.measure_process().unwrap().values.get(&rss).unwrap()
    };
    for (x, y) in [(0.0, 0.0), (61_440.0, 0.0), (0.0, 61_440.0), (61_440.0, 40_960.0)] {
        assert!((ratio(x, y) - 1.0).abs() < 1e-12, "{x} against {y}");
    }
    assert!((ratio(1_048_576.0, 0.0) - 4.0).abs() < 1e-12);
    assert!((ratio(3e6, 2e6) - 1.5).abs() < 1e-12);
}

/// A metric without a ratio does not take the ratios of the other metrics away.
#[test]
fn each_metric_of_a_comparison_fails_by_itself() {
    let (allocs, leaked) = (Metric::from(Key::Allocs), Metric::from(Key::Leaked));
    let side = |count: f64| -> Box<dyn Source> {
        let values = [(Metric::from(Key::Allocs), count), (Metric::from(Key::Leaked), 0.0)];
        Box::new(move || Ok(ProcessRun { values: values.clone().into(), ..tenth() }))
    };
    let (subject, reference) = (side(3.0), side(0.0));
    let metrics = vec![allocs.clone(), leaked.clone()];
    let both = Versus { subject, reference, metrics, coin: Coin::new(1), apart: None }
        .measure_process()
        .unwrap();
    assert!((both.values.get(&leaked).unwrap() - 1.0).abs() < 1e-12);
    assert!(
        both.unmeasured.get(&allocs).unwrap().text.starts_with("`allocs` was 0 at the reference")
    );
    assert!(both.series(&leaked).is_ok() && both.series(&allocs).is_err());
}

#[test]
fn the_ratio_of_two_sources_is_judged() {
    let versus = |x: f64, y: f64| -> Box<dyn Source> {
        let metrics = vec![P50];
        let side = |v: f64| -> Box<dyn Source> {
            Box::new(move || Ok(ProcessRun { operations: vec![v; 9], ..tenth() }))
        };
        Box::new(Versus {
            subject: side(x),
            reference: side(y),
            metrics,
            coin: Coin::new(1),
            apart: None,
        })
    };
    let ratio = || {
        let reference = Reference::Budget("other".into());
        limit(P50, Bound::Max, Target::Relative { factor: 0.8, reference })
    };
    let within = "p50 is 0.5 x other, within the limit of 0.8 x other";
    check(versus(1e-3, 2e-3), ratio(), Verdict::Pass, within);
    let over = "p50 is 1 x other, over the limit of 0.8 x other";
    let outcome = check(versus(1e-3, 1e-3), ratio(), Verdict::Fail, over);
    assert_eq!(outcome.notes, ["p50 1 ms against 1 ms of `other`, interleaved"]);
    // A subject that falls to 0 is an improvement, and not a mistake of the measurement.
    let none = "p50 is 0 x other, within the limit of 0.8 x other";
    check(versus(0.0, 1e-3), ratio(), Verdict::Pass, none);
}

/// The counter is 0 in most runs of the same program, and 13 in some. Formerly one pair whose reference was 0 made the limit
/// red, in 9 of 15 runs.
#[test]
fn a_reference_that_is_sometimes_zero_makes_no_red() {
    let written = Metric::from(Key::WrittenBytes);
    let target = || Target::Relative { factor: 1.5, reference: Reference::Budget("other".into()) };
    let outcome = |seed: u64, subject: f64, reference: f64| {
        let side = |seed: u64, rate: f64| -> Box<dyn Source> {
            let mut coin = Coin::new(seed);
            Box::new(move || {
                let rare = (0..10).map(|_| u32::from(coin.toss())).sum::<u32>();
                let value = if f64::from(rare) < rate { 13.0 } else { 0.0 };
                Ok(ProcessRun {
                    values: [(Metric::from(Key::WrittenBytes), value)].into(),
                    ..tenth()
                })
            })
        };
        let (subject, reference) = (side(2 * seed, subject), side(2 * seed + 1, reference));
        let metrics = vec![written.clone()];
        let mut versus = Versus { subject, reference, metrics, coin: Coin::new(seed), apart: None };
        let limit = limit(written.clone(), Bound::Max, target());
        let template = Outcome { metric: limit.metric.name(), ..Outcome::default() };
        let pending = PendingLimit { limit, template, carried: Carried::default(), unjudged: None };
        let mut inquiry = Inquiry::new(vec![pending], rules(), Origin::Measured);
        while !inquiry.is_done() {
            inquiry.add(versus.measure_process());
        }
        inquiry.outcomes()[0].clone()
    };
    // Ten coins show three heads or fewer in 17 runs of 100.
    let red = (0..150).filter(|&seed| outcome(seed, 4.0, 4.0).is_red()).count();
    assert!(red <= 1, "{red} of 150");
    // If the reference is always 0 and the subject never is, the subject is over every multiple.
    let always = outcome(1, 99.0, -1.0);
    let reason = "written_bytes is above 0 where it is 0 of other, over the limit of 1.5 x other";
    assert_eq!((always.verdict, always.reason.as_str()), (Verdict::Fail, reason));
    assert_eq!(outcome(1, -1.0, -1.0).verdict, Verdict::Pass);
}

/// Formerly a single reading of 0 at one of the sizes made the limit red.
#[test]
fn a_size_that_is_zero_in_one_sweep_does_not_decide() {
    let faults = Metric::from(Key::MajorFaults);
    let mut sweeps = 0;
    let points = [1e3_f64, 1e4, 1e5].map(|x| -> (f64, Box<dyn Source>) {
        let mut n = 0;
        let source = move || {
            n += 1;
            let value = if n % 3 == 2 && x < 5e3 { 0.0 } else { x };
            Ok(ProcessRun { values: [(Metric::from(Key::MajorFaults), value)].into(), ..tenth() })
        };
        (x, Box::new(source))
    });
    let metrics = vec![faults.clone()];
    let mut sweep = Sweep { points: Vec::from(points), metrics, coin: Coin::new(1) };
    let target = Target::Absolute(Quantity::parse("1.1").unwrap());
    let limit = limit(Metric::slope(faults), Bound::Max, target);
    let template = Outcome { metric: limit.metric.name(), ..Outcome::default() };
    let pending = PendingLimit { limit, template, carried: Carried::default(), unjudged: None };
    let mut inquiry = Inquiry::new(vec![pending], rules(), Origin::Measured);
    while !inquiry.is_done() {
        sweeps += 1;
        inquiry.add(sweep.measure_process());
    }
    let outcome = &inquiry.outcomes()[0];
    assert!(!outcome.is_red(), "{} after {sweeps} sweeps", outcome.reason);
    let note = "`major_faults` was 0 at some size, where it has no logarithm, and counts as next to nothing there";
    assert!(outcome.notes.iter().any(|text| text == note), "{:?}", outcome.notes);
}

#[test]
fn the_slope_of_a_sweep_is_judged() {
    let sweep = |exponent: f64| -> Box<dyn Source> {
        let points = [1e3_f64, 1e4, 1e5].map(|x| {
            let rss = move || 100.0 * x.powf(exponent);
            let source: Box<dyn Source> = Box::new(move || {
                Ok(ProcessRun { values: [(Metric::from(Key::Rss), rss())].into(), ..tenth() })
            });
            (x, source)
        });
        let (points, metrics) = (Vec::from(points), vec![Metric::from(Key::Rss)]);
        Box::new(Sweep { points, metrics, coin: Coin::new(1) })
    };
    let slope = || {
        let target = Target::Absolute(Quantity::parse("1.1").unwrap());
        limit(Metric::slope(Metric::from(Key::Rss)), Bound::Max, target)
    };
    check(sweep(1.0), slope(), Verdict::Pass, "scaling_rss is 1, within the limit of 1.10");
    check(sweep(2.0), slope(), Verdict::Fail, "scaling_rss is 2, over the limit of 1.10");
}

/// The machine may still be warming up when the first size of a sweep is measured. So no size is always the first.
#[test]
fn a_coin_orders_the_sizes_of_a_sweep() {
    use std::sync::{Arc, Mutex};
    let order: Arc<Mutex<Vec<f64>>> = Arc::default();
    let points = [1e3_f64, 1e4, 1e5].map(|x| {
        let order = Arc::clone(&order);
        let source: Box<dyn Source> = Box::new(move || {
            order.lock().unwrap().push(x);
            Ok(ProcessRun { values: [(Metric::from(Key::Rss), x)].into(), ..tenth() })
        });
        (x, source)
    });
    let (points, metrics) = (Vec::from(points), vec![Metric::from(Key::Rss)]);
    let mut sweep = Sweep { points, metrics, coin: Coin::new(1) };
    (0..60).for_each(|_| drop(sweep.measure_process().unwrap()));
    let order = order.lock().unwrap();
    for size in [1e3_f64, 1e4, 1e5] {
        let first = order.chunks(3).filter(|sweep| sweep[0].to_bits() == size.to_bits()).count();
        assert!((8..=35).contains(&first), "{size} came first in {first} of 60");
    }
}
