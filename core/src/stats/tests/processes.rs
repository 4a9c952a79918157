//! Tests with processes that differ from each other, in level and in how many operations they have time for.

use super::super::{Blocks, Exceedance, Percentile, threshold};
use super::noise::Noise;
use super::{assert_at_most, assert_breaks};

const RUNS: u64 = 120;
const PROCESSES: usize = 30;

/// Returns the operations of a process, which vary around its level. The level is lognormal around `truth`.
fn process(random: &mut Noise, truth: f64, spread: f64, operations: usize) -> Vec<f64> {
    let level = truth * (spread * random.normal()).exp();
    (0..operations).map(|_| level * (0.1 * random.normal()).exp()).collect()
}

/// Counts the false reds if the median is exactly at the limit. The first process has time for five operations, the
/// others for `later`.
fn alarms(later: usize, test: fn() -> Percentile) -> u64 {
    let mut random = Noise::seeded(83);
    let alarm = |_| {
        let mut p50 = test();
        (0..PROCESSES).any(|nth| {
            let operations = if nth == 0 { 5 } else { later };
            p50.add_process(&process(&mut random, 1.0, 0.2, operations)).unwrap();
            p50.log_fail() >= threshold(0.01, 1)
        })
    };
    (0..RUNS).map(alarm).filter(|&red| red).count() as u64
}

#[test]
fn a_process_is_one_observation_however_long() {
    for later in [3, 20, 100] {
        let count = alarms(later, || Percentile::by_processes(0.5, 1.0, 1.1));
        assert_at_most(0.01, count, RUNS, &format!("{later} operations"));
    }
}

/// This is the negative control: cut into blocks as long as the first process, each of the others counts as many
/// independent observations.
#[test]
fn cut_in_blocks_processes_flake() {
    let count = alarms(100, || Percentile::new(0.5, 1.0, 1.1, 7));
    assert_breaks(0.3, count, RUNS, "blocks of seven");
}

#[test]
fn a_long_process_that_is_slow_still_fails() {
    let mut p50 = Percentile::by_processes(0.5, 1.0, 1.1);
    let mut random = Noise::seeded(89);
    for nth in 0..12 {
        let operations = if nth == 0 { 5 } else { 400 };
        p50.add_process(&process(&mut random, 2.0, 0.1, operations)).unwrap();
    }
    assert!(p50.log_fail() >= threshold(0.01, 1), "{}", p50.log_fail());
    let caught = p50.smallest_violation(threshold(0.01, 1), 12).unwrap();
    assert!(caught > 1.0 && caught < 2.0, "{caught}");
}

/// A process that was cut short counts for less.
#[test]
fn a_short_process_weighs_little() {
    let gain = |operations: u64| {
        let mut blocks = Blocks::of_runs(0.5);
        blocks.push(100, 0);
        let before = blocks.log_evidence();
        blocks.push(operations, operations);
        blocks.log_evidence() - before
    };
    assert!(gain(1) > 0.0 && gain(1) < gain(100) / 20.0, "{} {}", gain(1), gain(100));
    assert!((gain(125) - gain(500)).abs() < 1e-12, "a longer one weighs no more");
}

/// Counts the runs that pass although the median is 5 % beyond the tolerance, by the passing side of a quantile and by
/// operations that count one by one.
fn misses(spread: f64) -> (u64, u64) {
    let mut random = Noise::seeded(97);
    let enough = threshold(0.05, 1);
    let (mut by_processes, mut by_operations) = (0, 0);
    for _ in 0..RUNS {
        let (mut p50, mut single) =
            (Percentile::by_processes(0.5, 1.0, 1.1), Exceedance::pass(0.5));
        let (mut passed, mut single_passed) = (false, false);
        for nth in 1..=PROCESSES {
            let values = process(&mut random, 1.155, spread, 100);
            p50.add_process(&values).unwrap();
            single.add(100, values.iter().filter(|&&value| value >= 1.1).count() as u64);
            passed |= nth >= 3 && p50.log_pass() >= enough;
            single_passed |= nth >= 3 && single.log_evidence() >= enough;
        }
        by_processes += u64::from(passed);
        by_operations += u64::from(single_passed);
    }
    (by_processes, by_operations)
}

#[test]
fn a_slow_process_is_not_many_observations_for_passing() {
    for spread in [0.0, 0.05, 0.1, 0.2] {
        assert_at_most(0.05, misses(spread).0, RUNS, &format!("{spread}"));
    }
    // This is the negative control.
    assert_breaks(0.2, misses(0.2).1, RUNS, "operations one by one");
}

/// If processes are alike, nothing is subtracted, and an interval agrees with the verdict at its limit.
#[test]
fn the_interval_ends_where_passing_begins() {
    let mut random = Noise::seeded(101);
    for (spread, processes) in [(0.0, 3), (0.1, 5), (0.1, 12), (0.3, 20)] {
        for tolerance_limit in [0.9, 1.0, 1.1, 1.2, 1.5] {
            let mut p50 = Percentile::by_processes(0.5, tolerance_limit / 1.1, tolerance_limit);
            for _ in 0..processes {
                p50.add_process(&process(&mut random, 1.0, spread, 50)).unwrap();
            }
            let passes = p50.log_pass() >= threshold(0.05, 1);
            assert_eq!(
                p50.interval(0.1).high < tolerance_limit,
                passes,
                "{spread} {tolerance_limit}"
            );
        }
    }
}
