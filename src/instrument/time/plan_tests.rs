//! Tests of the plan with made-up operations: the test states what each lap took, and nothing waits.

use super::*;
use crate::os::usage::Counts;

const ALL: Requirements = Requirements { singles: true, batches: true, usage: true };
const BOUNDS: Bounds = Bounds { slice: 0.1, singles: 100_000, lap: 3e-6, usage_lap: 2e-4 };

/// Runs `plan` on an operation whose n-th call takes `cost(n)` seconds, with a set-up of `setup` seconds before each.
/// Returns the plan and how many operations ran.
fn run(mut plan: Plan, setup: f64, cost: impl Fn(usize) -> f64) -> (Plan, usize) {
    let (mut at, mut done) = (0.0, 0);
    while let Some(lap) = plan.next() {
        let wall: f64 = (done..done + lap).map(&cost).sum();
        done += lap;
        at += setup * lap as f64 + wall;
        let counts = Counts { switches: lap as u64, ..Counts::default() };
        let usage = plan.reads_usage().then_some(Used { cpu: wall, counts, traffic: None });
        plan.record(lap, 0, StopwatchReading { wall, waited: 0.0, usage }, at);
        assert!(done < 1_000_000_000, "the plan has no end");
    }
    (plan, done)
}

#[track_caller]
fn near(actual: f64, expected: f64, tolerance: f64) {
    assert!((actual - expected).abs() <= tolerance * expected, "{actual} is not near {expected}");
}

#[test]
fn a_short_operation_has_a_stage_for_each_purpose() {
    let (plan, _) = run(Plan::looped(ALL, BOUNDS), 0.0, |_| 1e-7);
    let measured = &plan.measured;
    assert!(measured.warmed.1);
    // Each stage has a third of the slice, 33 ms. The room for operations of 100 ns is full before that, which ends
    // the stage.
    assert_eq!(measured.walls.len(), 100_000);
    assert!(measured.walls.iter().all(|&wall| (wall - 1e-7).abs() < 1e-15));
    // A batch is a fifth of the stage: 6.7 ms, in laps of 30 operations.
    near(plan.batch as f64, 66_667.0, 0.001);
    assert!((4..=5).contains(&measured.batches.len()), "{}", measured.batches.len());
    for batch in &measured.batches {
        near(batch.wall / batch.operations as f64, 1e-7, 1e-9);
        assert!(batch.operations >= plan.batch);
    }
    let (used, laps) = measured.usage.unwrap();
    near(used.cpu, laps.wall, 1e-9);
    assert_eq!(used.counts.switches, laps.operations as u64);
}

#[test]
fn a_long_operation_is_timed_once_for_every_purpose() {
    let (plan, done) = run(Plan::looped(ALL, BOUNDS), 0.0, |_| 1e-3);
    let measured = &plan.measured;
    near(measured.walls.len() as f64, 100.0, 0.02);
    assert_eq!(plan.batch, 20);
    assert_eq!(measured.batches.len(), 5);
    assert_eq!(measured.usage.unwrap().1.operations, measured.walls.len());
    assert_eq!(done, measured.walls.len() + measured.warmed.0);
}

#[test]
fn a_slow_operation_is_warmed_once_and_measured_at_least_once() {
    for seconds in [0.025, 0.1, 5.0] {
        let (plan, done) = run(Plan::looped(ALL, BOUNDS), 0.0, |_| seconds);
        assert_eq!(plan.measured.warmed, (1, true));
        assert_eq!(done, 1 + ((0.1 / seconds).ceil() as usize));
        assert_eq!(plan.measured.walls.len(), done - 1);
        assert_eq!(plan.measured.batches.len(), done - 1);
    }
}

#[test]
fn warming_ends_when_the_operation_has_settled() {
    // The first hundred calls get faster and faster, and all later ones take the same time.
    let cost = |n: usize| if n < 100 { 1e-4 * (1.0 + (100 - n) as f64) } else { 1e-4 };
    let bounds = Bounds { slice: 2.0, ..BOUNDS };
    let (plan, _) = run(Plan::looped(ALL, bounds), 0.0, cost);
    assert!(plan.measured.warmed.1 && plan.measured.warmed.0 >= 100);
    assert!(plan.measured.walls.iter().all(|&wall| (wall - 1e-4).abs() < 1e-12));
}

#[test]
fn an_operation_that_never_settles_is_reported() {
    // Each call is a fifth slower than the one before.
    let (plan, _) = run(Plan::looped(ALL, BOUNDS), 0.0, |n| 1e-5 * 1.2_f64.powf(n as f64));
    assert!(!plan.measured.warmed.1);
    assert!(!plan.measured.walls.is_empty());
}

#[test]
fn a_long_set_up_does_not_prevent_a_batch() {
    let (plan, done) = run(Plan::looped(ALL, BOUNDS), 0.05, |_| 1e-6);
    assert_eq!(plan.measured.batches.len(), 1);
    assert!(!plan.measured.walls.is_empty());
    assert!(plan.measured.usage.is_some());
    // There is no lap of hundreds of operations, each with its set-up.
    assert!(done < 20, "{done}");
}

#[test]
fn a_single_operation_is_measured_without_warm_up() {
    let (plan, done) = run(Plan::once(ALL, BOUNDS), 0.0, |_| 0.5);
    assert_eq!((done, plan.batch), (1, 1));
    assert_eq!(plan.measured.walls, [0.5]);
    assert_eq!(plan.measured.batches.len(), 1);
    assert_eq!(plan.measured.usage.unwrap().1.operations, 1);
}

#[test]
fn nothing_wanted_runs_the_operation_once() {
    let (plan, done) = run(Plan::looped(Requirements::default(), BOUNDS), 0.0, |_| 1e-6);
    assert_eq!(done, 1);
    assert_eq!(plan.measured.total, Batch::default());
}

#[test]
fn failures_are_counted_but_give_no_samples() {
    let mut plan = Plan::looped(Requirements { usage: false, ..ALL }, BOUNDS);
    let mut at = 0.0;
    let mut n = 0;
    while let Some(lap) = plan.next() {
        at += 1e-3;
        n += 1;
        let failed = usize::from(n % 4 == 0);
        let wall = if failed == 1 { 1e-6 } else { 1e-3 };
        plan.record(lap, failed, StopwatchReading { wall, ..StopwatchReading::default() }, at);
    }
    let Measured { walls, total, batches, .. } = plan.measured;
    assert!(walls.iter().all(|&wall| wall > 1e-4));
    assert_eq!(walls.len(), total.operations - total.failed);
    near(total.failed as f64 / total.operations as f64, 0.25, 0.05);
    assert_eq!(batches.iter().map(|b| b.failed).max(), Some(5));
}

#[test]
fn the_time_waited_is_kept_beside_the_wall_time() {
    let mut plan = Plan::once(ALL, BOUNDS);
    plan.record(1, 0, StopwatchReading { wall: 0.004, waited: 0.003, usage: None }, 0.004);
    assert_eq!(plan.measured.waits, [(0, 0.003)]);
    assert_eq!((plan.measured.total.wall, plan.measured.total.waited), (0.004, 0.003));
    assert_eq!(plan.measured.usage, None);
}
