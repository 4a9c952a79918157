//! Tests of limits under a load, and of limits on growth: how a late generator, an endless queue and coarse pages affect
//! them.

use super::*;
use crate::metric::Key;
use crate::reading::Lag;

const LIMIT: f64 = 0.01;

/// Returns a process of operations that take `latency`. The generator was late by `p99` in the 99th percentile and by `max` at
/// most.
fn loaded(latency: f64, p99: f64, max: f64) -> ProcessRun {
    ProcessRun { operations: vec![latency; 100], lag: Some(Lag { p99, max }), ..tenth() }
}

#[test]
fn a_late_generator_prevents_a_red() {
    let verdict = |metric, latency, p99, most| {
        let process = loaded(latency, p99, most);
        let outcomes = run(vec![max(metric, "10 ms")], rules(), move |_| Ok(process.clone()));
        (outcomes[0].verdict, outcomes[0].doubt, outcomes[0].reason.clone())
    };
    let late = (Verdict::Inconclusive, Some(Doubt::Noise));
    let (red, doubt, reason) = verdict(P99, 0.02, 0.0011, 0.0011);
    assert_eq!((red, doubt), late);
    assert_eq!(
        reason,
        "no verdict: p99 is 20 ms, over the limit of 10 ms, and the generator of the load was 1.10 ms late \
         at p99 by itself, more than a tenth of the limit; a lower rate, a quieter machine or a higher \
         limit would settle it"
    );
    assert_eq!(verdict(P99, 0.02, 0.0009, 0.5).0, Verdict::Fail);
    // The slowest operation may be the one for which the generator was late.
    let max = Key::Latency.at(Statistic::Max);
    assert_eq!(verdict(max.clone(), 0.02, 0.0009, 0.5).1, late.1);
    assert_eq!(verdict(max, 0.02, 0.0009, 0.0009).0, Verdict::Fail);
    // A limit that holds although the generator was late does hold.
    assert_eq!(verdict(P99, 0.002, 0.0015, 0.0015).0, Verdict::Pass);
}

#[test]
fn a_generator_that_was_late_in_one_process_does_not_prevent_a_red() {
    let process_run = |n: usize| loaded(0.02, if n == 0 { 0.5 } else { 1e-5 }, 1e-5);
    let outcomes = run(vec![max(P99, "10 ms")], rules(), move |n| Ok(process_run(n)));
    assert_eq!(outcomes[0].verdict, Verdict::Fail);
}

#[test]
fn operations_that_never_started_settle_only_limits_that_they_exceed() {
    let verdict = |limit: Limit, at_least: f64| {
        let mut process = loaded(3.0 * LIMIT, 0.0, 0.0);
        process.at_least = Some(at_least);
        process.values.insert(Key::Mean, 3.0 * LIMIT);
        process.values.insert(Key::Throughput, 7.0);
        run(vec![limit], rules(), move |_| Ok(process.clone()))[0].clone()
    };
    assert_eq!(verdict(max(P99, "10 ms"), 0.02).verdict, Verdict::Fail);
    // Within the tolerance of 10 % the limit might still have held.
    let outcome = verdict(max(P99, "10 ms"), 0.0105);
    assert_eq!(
        (outcome.verdict, outcome.cause.as_deref()),
        (Verdict::Unmeasured, Some("unresolvable"))
    );
    assert!(
        outcome.reason.starts_with("the load is more than the workload can take"),
        "{outcome:?}"
    );
    assert_eq!(verdict(max(P99, "1 s"), 0.02).verdict, Verdict::Unmeasured);
    assert_eq!(verdict(min(P99, "1 ms"), 0.02).verdict, Verdict::Unmeasured);
    assert_eq!(verdict(ratio(P99, Bound::Max, 1.5), 0.02).verdict, Verdict::Unmeasured);
    let mean = Key::Mean.at(Statistic::Mean);
    assert_eq!(verdict(max(mean.clone(), "20 ms"), 0.02).verdict, Verdict::Fail);
    assert_eq!(verdict(max(mean, "30 ms"), 0.02).verdict, Verdict::Unmeasured);
    assert_eq!(verdict(min(Metric::from(Key::Throughput), "9 op/s"), 0.02).verdict, Verdict::Fail);
}

/// A machine that stands still for a second in one process makes no red. It hides what the operations of that process took, so
/// the others make no green either.
#[test]
fn operations_that_never_started_in_one_process_leave_a_limit_inconclusive() {
    let outcome = |latency: f64, stalled: fn(usize) -> bool| {
        let process = move |n: usize| {
            let at_least = stalled(n).then_some(0.005);
            Ok(ProcessRun { at_least, ..loaded(latency, 0.0, 0.0) })
        };
        run(vec![max(P99, "10 ms")], rules(), process)[0].clone()
    };
    for stalled in [|n: usize| n == 0, |n: usize| n == 2, |n: usize| n % 4 == 1] {
        let once = outcome(0.002, stalled);
        assert_eq!((once.verdict, once.doubt), (Verdict::Inconclusive, Some(Doubt::Noise)));
        assert!(!once.is_red());
        let words = "no verdict: p99 is 2 ms, within the limit of 10 ms, but in ";
        assert!(once.reason.starts_with(words), "{}", once.reason);
        // What the other processes show to be broken is broken.
        assert_eq!(outcome(0.02, stalled).verdict, Verdict::Fail);
    }
    // Where most processes cannot take the load, nothing is known of the limit.
    let most = outcome(0.002, |n| n % 4 != 3);
    assert_eq!((most.verdict, most.cause.as_deref()), (Verdict::Unmeasured, Some("unresolvable")));
}

/// A process that was slow, since the machine was busy, runs fewer operations, and its pages show less of each.
#[test]
fn a_process_that_is_too_coarse_for_a_limit_on_growth_does_not_count() {
    let verdict = |grains: [f64; 3]| {
        let growth = Metric::from(Key::RssGrowth);
        let process = move |n: usize| ProcessRun {
            grain: Some(grains[n % 3]),
            ..value(Metric::from(Key::RssGrowth), 0.0)
        };
        run(vec![max(growth, "1 B")], rules(), move |n| Ok(process(n)))[0].verdict
    };
    assert_eq!(verdict([80.0, 0.1, 0.1]), Verdict::Pass);
    assert_eq!(verdict([0.1, 80.0, 0.1]), Verdict::Pass);
    assert_eq!(verdict([80.0, 80.0, 0.1]), Verdict::Unmeasured);
    assert_eq!(verdict([80.0, 80.0, 70.0]), Verdict::Unmeasured);
    // What a process could not show is no value: those that are coarse read 0 here, and the others are over the limit.
    let leaks = |n: usize| {
        let is_coarse = n.is_multiple_of(3);
        let grown = if is_coarse { 0.0 } else { 50.0 };
        let grain = Some(if is_coarse { 80.0 } else { 0.1 });
        Ok(ProcessRun { grain, ..value(Metric::from(Key::RssGrowth), grown) })
    };
    let leaking = run(vec![max(Metric::from(Key::RssGrowth), "1 B")], rules(), leaks);
    assert_eq!(leaking[0].verdict, Verdict::Fail, "{}", leaking[0].reason);
}

#[test]
fn growth_has_a_tolerance_of_a_byte_and_says_what_it_cannot_tell() {
    let verdict = |limit: &str, growth: f64, grain: f64| {
        let process =
            ProcessRun { grain: Some(grain), ..value(Metric::from(Key::RssGrowth), growth) };
        let limits = vec![max(Metric::from(Key::RssGrowth), limit)];
        run(limits, rules(), move |_| Ok(process.clone()))[0].clone()
    };
    assert_eq!(verdict("1 B", 0.0, 0.1).verdict, Verdict::Pass);
    assert_eq!(verdict("0 B", 0.5, 0.1).verdict, Verdict::Pass);
    assert_eq!(verdict("1 B", 1000.0, 0.1).verdict, Verdict::Fail);
    assert_eq!(verdict("1 KB", 1000.0, 0.1).verdict, Verdict::Warn);
    assert_eq!(verdict("1 KB", 500.0, 0.1).verdict, Verdict::Pass);
    assert_eq!(verdict("1 KB", 1200.0, 0.1).verdict, Verdict::Fail);
    let outcome = verdict("1 B", 0.0, 80.0);
    assert_eq!(
        (outcome.verdict, outcome.cause.as_deref()),
        (Verdict::Unmeasured, Some("unresolvable"))
    );
    assert!(outcome.reason.contains("its pages show 80 B an operation"), "{}", outcome.reason);
}
