//! Tests of every verdict and its sentence on scripted readings, without a clock and without processes.

mod counted;
mod load;
mod lock;
mod recorded;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::scripted::limit;
pub(crate) use super::scripted::rules;
use super::{Inquiry, Origin, PendingLimit, Rules};
use crate::budget::{Bound, Inconclusive, Limit, Reference, Target};
use crate::metric::{Key, Metric, Statistic};
use crate::outcome::Doubt;
use crate::outcome::Outcome;
use crate::outcome::{Cause, Unmeasured};
use crate::quantity::Quantity;
use crate::reading::{Clock, ProcessRun, Work};
use crate::stats::tests::noise::Noise;
use crate::verdict::Verdict;
use crate::verdict::judge::Carried;

pub(crate) const P99: Metric = Key::Latency.at(Statistic::P99);
pub(crate) const P50: Metric = Key::Latency.at(Statistic::P50);

pub(crate) fn max(metric: Metric, text: &str) -> Limit {
    limit(metric, Bound::Max, Target::Absolute(Quantity::parse(text).unwrap()))
}

pub(crate) fn min(metric: Metric, text: &str) -> Limit {
    limit(metric, Bound::Min, Target::Absolute(Quantity::parse(text).unwrap()))
}

pub(crate) fn ratio(metric: Metric, bound: Bound, factor: f64) -> Limit {
    let reference = Reference::Budget("other".into());
    limit(metric, bound, Target::Relative { factor, reference })
}

/// Runs an inquiry to its end; `process_run` returns the n-th process.
pub(crate) fn run(
    limits: Vec<Limit>,
    rules: Rules,
    process_run: impl Fn(usize) -> Result<ProcessRun, Unmeasured> + Send + 'static,
) -> Vec<Outcome> {
    let next = AtomicUsize::new(0);
    finish(Box::new(move || process_run(next.fetch_add(1, Ordering::Relaxed))), limits, rules)
}

/// The origin of scripted readings.
type Script = Box<dyn FnMut() -> Result<ProcessRun, Unmeasured>>;

fn finish(source: Script, limits: Vec<Limit>, rules: Rules) -> Vec<Outcome> {
    finish_from(Carried::default(), source, limits, rules)
}

fn finish_from(carried: Carried, source: Script, limits: Vec<Limit>, rules: Rules) -> Vec<Outcome> {
    drive(source, pending_limits(carried, limits), rules)
}

pub(crate) fn pending_limits(carried: Carried, limits: Vec<Limit>) -> Vec<PendingLimit> {
    let pending = |limit: Limit| PendingLimit {
        carried,
        template: Outcome { metric: limit.metric.name(), ..Outcome::default() },
        limit,
        unjudged: None,
    };
    limits.into_iter().map(pending).collect()
}

/// Adds readings from a source until every limit has its outcome.
fn drive(source: Script, pending: Vec<PendingLimit>, rules: Rules) -> Vec<Outcome> {
    drive_from(Origin::Measured, source, pending, rules)
}

pub(crate) fn drive_from(
    origin: Origin,
    mut source: Script,
    pending: Vec<PendingLimit>,
    rules: Rules,
) -> Vec<Outcome> {
    let mut inquiry = Inquiry::new(pending, rules, origin);
    for _ in 0..100_000 {
        if inquiry.is_done() {
            return inquiry.outcomes().to_vec();
        }
        inquiry.add(source());
    }
    panic!("the inquiry did not end");
}

pub(crate) fn tenth() -> ProcessRun {
    ProcessRun { elapsed: Duration::from_millis(100), ..ProcessRun::default() }
}

/// Returns a process of 100 operations, one in `every` of which takes `tail` seconds and the others 1 ms.
pub(crate) fn operations(n: usize, tail: f64, every: usize) -> ProcessRun {
    let operations =
        (0..100).map(|i| if (n * 100 + i).is_multiple_of(every) { tail } else { 0.001 });
    ProcessRun { operations: operations.collect(), ..tenth() }
}

fn value(metric: Metric, value: f64) -> ProcessRun {
    ProcessRun { values: [(metric, value)].into(), ..tenth() }
}

#[track_caller]
fn check(outcomes: &[Outcome], verdict: Verdict, reason: &str) {
    assert_eq!(outcomes.len(), 1);
    assert_eq!(outcomes[0].reason, reason);
    assert_eq!(outcomes[0].verdict, verdict, "{reason}");
}

#[test]
fn a_comfortable_percentile_passes_soon() {
    let outcomes = run(vec![max(P99, "10 ms")], rules(), |n| Ok(operations(n, 0.002, 50)));
    check(&outcomes, Verdict::Pass, "p99 is 2 ms, within the limit of 10 ms");
    assert!(outcomes[0].evidence.unwrap().processes <= 4, "{:?}", outcomes[0].evidence);
}

#[test]
fn a_broken_percentile_fails_and_is_confirmed() {
    let outcomes = run(vec![max(P99, "10 ms")], rules(), |n| Ok(operations(n, 0.02, 20)));
    check(&outcomes, Verdict::Fail, "p99 is 20 ms, over the limit of 10 ms");
    let evidence = outcomes[0].evidence.unwrap();
    assert!(evidence.fail >= evidence.fail_at);
}

#[test]
fn one_bad_process_is_no_red() {
    // The first process is slow throughout, as on a busy core; the others are not.
    let outcomes = run(vec![max(P50, "10 ms")], rules(), |n| {
        Ok(operations(n, if n == 0 { 0.1 } else { 0.001 }, 1))
    });
    check(&outcomes, Verdict::Pass, "p50 is 1 ms, within the limit of 10 ms");
}

#[test]
fn a_burst_that_ends_is_not_confirmed() {
    // The burst is long enough to cross the level, and over before fresh processes confirm it.
    let p90 = max(Key::Latency.at(Statistic::P90), "10 ms");
    let outcomes =
        run(vec![p90], rules(), |n| Ok(operations(n, if n < 4 { 0.1 } else { 0.001 }, 1)));
    assert!(!outcomes[0].verdict.is_red(), "{}", outcomes[0].reason);
}

#[test]
fn near_the_limit_is_a_warning_and_says_so() {
    let alternating = |high: f64| {
        move |_| {
            let operations = (0..100).map(|i| if i % 2 == 0 { high } else { 0.000_97 });
            Ok(ProcessRun { operations: operations.collect(), ..tenth() })
        }
    };
    // Over the limit but within the tolerance either answer is right, and the reason says so.
    let outcomes = run(vec![max(P50, "1 ms")], rules(), alternating(0.001_05));
    assert_eq!(outcomes[0].verdict, Verdict::Warn, "{}", outcomes[0].reason);
    // With half of the operations beyond the tolerance nothing can be shown, and the truth is near.
    let outcomes = run(vec![max(P50, "1 ms")], rules(), alternating(0.001_11));
    assert_eq!(outcomes[0].verdict, Verdict::Inconclusive, "{}", outcomes[0].reason);
    assert_eq!(outcomes[0].doubt, Some(Doubt::NearLimit));
    assert!(outcomes[0].is_warning());
    assert!(outcomes[0].reason.contains("too near the limit of 1 ms to tell"));
    let strict = Rules { inconclusive: Inconclusive::Fail, ..rules() };
    let outcomes = run(vec![max(P50, "1 ms")], strict, alternating(0.001_11));
    assert_eq!(outcomes[0].verdict, Verdict::Inconclusive, "{}", outcomes[0].reason);
    assert!(outcomes[0].is_red());
}

#[test]
fn too_few_operations_are_underpowered() {
    // One operation a process, 1 s each: a p99 cannot be shown within 10 s.
    let slow =
        || Ok(ProcessRun { operations: vec![1.0], elapsed: Duration::from_secs(1), ..tenth() });
    let outcomes = run(vec![max(P99, "10 s")], rules(), move |_| slow());
    assert_eq!(outcomes[0].verdict, Verdict::Inconclusive);
    assert_eq!(outcomes[0].doubt, Some(Doubt::Underpowered));
    assert!(!outcomes[0].is_red());
    assert!(outcomes[0].reason.starts_with("no verdict: p99 is 1 s after 10 operations in 10"));
    let strict = Rules { inconclusive: Inconclusive::Fail, ..rules() };
    let outcomes = run(vec![max(P99, "10 s")], strict, move |_| slow());
    assert!(outcomes[0].is_red());
}

#[test]
fn a_floor_on_throughput() {
    let rate = |seconds: f64| {
        move |_| {
            let (batches, work) = (vec![seconds; 5], Work::Operations(10.0));
            Ok(ProcessRun { batches, work, batch_size: 1, ..tenth() })
        }
    };
    let outcomes = run(vec![min(Metric::from(Key::Throughput), "1000 op/s")], rules(), rate(0.001));
    check(&outcomes, Verdict::Pass, "throughput is 10 K op/s, within the limit of 1 K op/s");
    let outcomes = run(vec![min(Metric::from(Key::Throughput), "1000 op/s")], rules(), rate(0.1));
    check(&outcomes, Verdict::Fail, "throughput is 100 op/s, under the limit of 1 K op/s");
}

#[test]
fn exact_readings_are_compared() {
    let two = |a: f64, b: f64| {
        move |n: usize| Ok(value(Metric::from(Key::Allocs), if n == 0 { a } else { b }))
    };
    let outcomes = run(vec![max(Metric::from(Key::Allocs), "3")], rules(), two(3.0, 3.0));
    check(&outcomes, Verdict::Pass, "allocs is 3, within the limit of 3");
    let outcomes = run(vec![max(Metric::from(Key::Allocs), "3")], rules(), two(4.0, 4.0));
    check(&outcomes, Verdict::Fail, "allocs is 4, over the limit of 3");
    let outcomes = run(vec![max(Metric::from(Key::Allocs), "3")], rules(), two(3.0, 4.0));
    // One of two over the limit may be chance, but all twelve over it cannot be.
    assert_eq!(outcomes[0].verdict, Verdict::Inconclusive, "{}", outcomes[0].reason);
    let note = "not the same in 2 processes: 3 to 4; they are on either side of the limit";
    assert_eq!(outcomes[0].notes, [note]);
    let outcomes = run(vec![max(Metric::from(Key::Allocs), "3")], rules(), two(5.0, 4.0));
    check(&outcomes, Verdict::Fail, "allocs is 5, over the limit of 3");
    assert_eq!(outcomes[0].notes, ["not the same in 12 processes: 4 to 5; the worst counts"]);
}

#[test]
fn a_used_up_limit_warns() {
    let outcomes = run(vec![max(Metric::from(Key::Gzip), "100 KB")], rules(), |_| {
        Ok(value(Metric::from(Key::Gzip), 95_000.0))
    });
    check(&outcomes, Verdict::Warn, "gzip is 95 KB, 95 % of the limit of 100 KB");
}

#[test]
fn a_recorded_value_that_never_varies_needs_no_statistics() {
    let accuracy = || Metric::recorded("accuracy");
    let outcomes =
        run(vec![min(accuracy(), "98.4 %")], rules(), move |_| Ok(value(accuracy(), 0.99)));
    check(&outcomes, Verdict::Pass, "accuracy is 99 %, within the limit of 98.4 %");
    let outcomes =
        run(vec![min(accuracy(), "98.4 %")], rules(), move |_| Ok(value(accuracy(), 0.98)));
    check(&outcomes, Verdict::Fail, "accuracy is 98 %, under the limit of 98.4 %");
    // Odds smaller than a red needs would contradict the verdict, so they are not shown.
    let text = crate::report::terminal::explain(&outcomes[0]);
    assert!(text.contains("98 %, the same every time, from 12 processes"), "{text}");
    assert!(!text.contains("red needs"), "{text}");
}

#[test]
fn no_reading_is_red_whatever_came_before() {
    let outcomes = run(vec![max(P99, "10 ms")], rules(), |n| match n {
        0 => Ok(operations(n, 0.001, 1)),
        _ => Err(Unmeasured::new(Cause::Panicked, "workload `x` panicked")),
    });
    check(&outcomes, Verdict::Unmeasured, "workload `x` panicked");
    assert_eq!(outcomes[0].notes, ["one process was measured before this one failed"]);
    let outcomes = run(vec![max(P99, "10 ms")], rules(), |_| {
        Err(Unmeasured::new(Cause::Panicked, "workload `x` panicked"))
    });
    assert!(outcomes[0].notes.is_empty());
    let nan = |_| Ok(value(Metric::from(Key::Rss), f64::NAN));
    let outcomes = run(vec![max(Metric::from(Key::Rss), "1 MB")], rules(), nan);
    let text = "`rss` was measured as NaN, which is not a finite number";
    check(&outcomes, Verdict::Unmeasured, text);
    let outcomes = run(vec![max(Metric::from(Key::Rss), "1 MB")], rules(), |_| Ok(tenth()));
    check(&outcomes, Verdict::Unmeasured, "no `rss` was measured");
}

#[test]
fn a_limit_that_a_process_cannot_resolve_is_red() {
    let process_run = |_| {
        let clock = Some(Clock { cost: 3e-8, resolution: 1e-9 });
        Ok(ProcessRun { operations: vec![1e-8; 100], batches: vec![0.02; 5], clock, ..tenth() })
    };
    let text = "a limit of 50 ns on single operations is too near what the clock itself takes, 30 ns; \
                limit `mean` or `throughput`, which time many operations together";
    check(&run(vec![max(P99, "50 ns")], rules(), process_run), Verdict::Unmeasured, text);
    let text = "the limit is in bytes a second, and the workload does not say how many bytes an \
                operation is: call `run.bytes(n)` before it measures";
    let limits = vec![min(Metric::from(Key::Throughput), "1 MB/s")];
    check(&run(limits, rules(), process_run), Verdict::Unmeasured, text);
}

#[test]
fn an_error_rate_is_judged() {
    let failing = |share: f64| {
        move |_| {
            let values = [(Metric::from(Key::ErrorRate), share)].into();
            Ok(ProcessRun { operations: vec![0.001; 500], values, ..tenth() })
        }
    };
    let outcomes = run(vec![max(Metric::from(Key::ErrorRate), "1 %")], rules(), failing(0.0));
    check(&outcomes, Verdict::Pass, "error_rate is 0 %, within the limit of 1 %");
    let outcomes = run(vec![max(Metric::from(Key::ErrorRate), "1 %")], rules(), failing(0.1));
    check(&outcomes, Verdict::Fail, "error_rate is 10.1 %, over the limit of 1 %");
}

/// Under noise that differs between processes, the chance that any limit of a suite is red whose limits lie exactly at
/// the true values stays within alpha. Violations beyond the tolerance are found.
#[test]
fn the_suite_keeps_its_alpha() {
    let (suites, limits) = (60, 25);
    let (mut red_suites, mut caught) = (0, 0);
    let mut seed = 1;
    for _ in 0..suites {
        let mut red = false;
        for _ in 0..limits {
            seed += 1;
            let at_limit = statistical(seed, 1.0);
            red |= at_limit.verdict == Verdict::Fail;
        }
        red_suites += u32::from(red);
        seed += 1;
        caught += u32::from(statistical(seed, 1.5).verdict == Verdict::Fail);
    }
    assert!(red_suites <= 3, "{red_suites} of {suites} suites at their limits were red");
    assert!(caught >= 55, "{caught} of {suites} medians of 1.5 times the limit were red");
}

/// Returns the outcome of a median of `truth` milliseconds, limited to 1 ms, with noise of 5 % between processes and
/// of 10 % within.
fn statistical(seed: u64, truth: f64) -> Outcome {
    let mut coin = Noise::seeded(seed);
    let mut uniform = move || coin.uniform() - 0.5;
    let mut processes = Vec::new();
    for _ in 0..60 {
        let process = truth * (1.0 + 0.1 * uniform());
        let operations = (0..40).map(|_| 1e-3 * process * (1.0 + 0.2 * uniform())).collect();
        processes.push(operations);
    }
    let rules = Rules { effort: Duration::from_secs(5), ..rules() };
    let outcomes = run(vec![max(P50, "1 ms")], rules, move |n| {
        let operations: &Vec<f64> = &processes[n.min(59)];
        Ok(ProcessRun { operations: operations.clone(), ..tenth() })
    });
    outcomes[0].clone()
}

#[test]
fn a_value_that_reads_like_its_limit_says_by_how_much_it_is_over() {
    let bytes = |_| Ok(value(Metric::from(Key::Gzip), 1_160.0));
    let outcomes = run(vec![max(Metric::from(Key::Gzip), "1159 B")], rules(), bytes);
    check(&outcomes, Verdict::Fail, "gzip is 1.16 KB, over the limit of 1.16 KB by 1 B");
    let bytes = |_| Ok(value(Metric::from(Key::Gzip), 10_000.0));
    let outcomes = run(vec![max(Metric::from(Key::Gzip), "9999 B")], rules(), bytes);
    check(&outcomes, Verdict::Fail, "gzip is 10 KB, over the limit of 10.0 KB by 1 B");
}

#[test]
fn a_note_of_every_process_is_made_once() {
    let noted = |n: usize| {
        let notes = vec!["no swap".to_owned(), format!("{n}.5 % of the time waited")];
        Ok(ProcessRun { notes, ..value(Metric::from(Key::Allocs), 3.0) })
    };
    let outcomes = run(vec![max(Metric::from(Key::Allocs), "3")], rules(), noted);
    let varied =
        "0.5 % of the time waited; this is the first process, and the others differ in the figures";
    assert_eq!(outcomes[0].notes, ["no swap", varied]);
}

#[test]
fn running_again_continues_the_test() {
    let finish = |carried, process_run: fn(usize) -> ProcessRun| {
        let next = AtomicUsize::new(0);
        let source = Box::new(move || Ok(process_run(next.fetch_add(1, Ordering::Relaxed))));
        let outcomes = finish_from(carried, source, vec![max(P99, "10 ms")], rules());
        let evidence = outcomes[0].evidence.unwrap();
        (outcomes[0].verdict, evidence)
    };
    let (healthy, broken) = (|n| operations(n, 0.002, 50), |n| operations(n, 0.02, 20));
    let (red, evidence) = finish(Carried::default(), broken);
    assert_eq!(red, Verdict::Fail);
    let carried = Carried { fail: evidence.fail, pass: evidence.pass, varied: true, runs: 1 };
    // The second run is red again, from the carried evidence and a few fresh processes.
    let (again, continued) = finish(carried, broken);
    assert_eq!(again, Verdict::Fail);
    assert!(continued.processes <= 5 && continued.processes < evidence.processes, "{continued:?}");
    // After a false red, the next run needs only as much more evidence as makes up for it.
    let (green, cleared) = finish(carried, healthy);
    let (_, fresh) = finish(Carried::default(), healthy);
    assert_eq!(green, Verdict::Pass);
    assert!(cleared.processes > fresh.processes && cleared.pass >= cleared.pass_at, "{cleared:?}");
}
