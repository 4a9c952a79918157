//! Tests with exceedances that come in bursts, at a long-run rate exactly at the limit.

use super::super::blocks::{self, Blocks};
use super::super::{Exceedance, threshold};
use super::noise::Noise;
use super::{assert_at_most, assert_breaks};

const P0: f64 = 0.01;
const OPS: usize = 10_000;
const RUNS: u64 = 150;

fn as_values(exceeds: &[bool]) -> Vec<f64> {
    exceeds.iter().map(|&exceeds| if exceeds { 2.0 } else { 0.5 }).collect()
}

/// Counts the runs that fail when looked at after every block; with `ops` of 0 single operations are tested.
fn alarms(rate: f64, burst: f64, ops: u64) -> u64 {
    let mut random = Noise::seeded(5);
    let enough = threshold(0.01, 1);
    let alarm = |exceeds: &[bool]| {
        let values = as_values(exceeds);
        if ops == 0 {
            let mut test = Exceedance::fail(P0);
            blocks::counts(&values, 1.0, 10).any(|(n, k)| {
                test.add(n, k);
                test.log_evidence() >= enough
            })
        } else {
            let mut test = Blocks::fail(P0, ops);
            blocks::counts(&values, 1.0, ops).any(|(n, k)| {
                test.push(n, k);
                test.log_evidence() >= enough
            })
        }
    };
    (0..RUNS).filter(|_| alarm(&random.bursts(rate, burst, OPS))).count() as u64
}

#[test]
fn blocks_of_ten_bursts_do_not_flake() {
    let check = |burst: f64, ops: u64| {
        assert_at_most(0.01, alarms(P0, burst, ops), RUNS, &format!("{ops} at {burst}"));
    };
    check(1.3, 50);
    check(5.0, 50);
    check(5.0, 200);
    check(20.0, 200);
    check(100.0, 1000);
}

/// This is the negative control: counted one by one, the operations of a burst pass for independent observations.
#[test]
fn single_operations_flake() {
    assert_breaks(0.25, alarms(P0, 5.0, 0), RUNS, "single operations, bursts of 5");
    assert_breaks(0.25, alarms(P0, 20.0, 0), RUNS, "single operations, bursts of 20");
    assert_breaks(0.04, alarms(P0, 100.0, 50), RUNS, "blocks shorter than a burst");
}

#[test]
fn blocks_still_see_a_real_violation() {
    assert_breaks(0.95, alarms(0.03, 1.3, 50), RUNS, "three times the rate");
    assert_breaks(0.95, alarms(0.05, 5.0, 200), RUNS, "five times the rate, in bursts");
}

#[test]
fn inflation_measures_the_bursts() {
    let inflation = |burst: f64, ops: u64| {
        let mut random = Noise::seeded(9);
        let values = as_values(&random.bursts(0.02, burst, 200_000));
        blocks::variance_inflation(&blocks::counts(&values, 1.0, ops).collect::<Vec<_>>()).unwrap()
    };
    let check = |burst: f64, ops: u64, low: f64, high: f64| {
        let got = inflation(burst, ops);
        assert!((low..high).contains(&got), "{burst} {ops}: {got}");
    };
    check(1.0, 50, 0.9, 1.1);
    check(5.0, 200, 6.0, 9.0);
    check(20.0, 1000, 22.0, 38.0);
    let mean = |blocks: &[(u64, u64)]| blocks::variance_inflation(blocks);
    assert_eq!(mean(&[(50, 1)]), None);
    assert_eq!(mean(&[(50, 0), (50, 0)]), None);
    assert_eq!(mean(&[(50, 50), (50, 50)]), None);
    // The value was computed by hand: p = 1/10, twice (2-1)²/10, divided by 1 · 0.09.
    assert!((mean(&[(10, 0), (10, 2)]).unwrap() - 0.2 / 0.09).abs() < 1e-12);
}

#[test]
fn a_pilot_settles_the_length() {
    let settled = |burst: f64| {
        let mut random = Noise::seeded(11);
        blocks::length(&as_values(&random.bursts(0.02, burst, 50_000)), 1.0, 20)
    };
    assert_eq!(settled(1.0), 20, "independent operations need no longer blocks");
    assert!((40..=80).contains(&settled(5.0)), "bursts of 5: {}", settled(5.0));
    assert!((160..=320).contains(&settled(20.0)), "bursts of 20: {}", settled(20.0));
    assert_eq!(blocks::length(&[0.5; 100], 1.0, 20), 20, "nothing seen, nothing changed");
    assert_eq!(blocks::length(&[2.0, 2.0, 0.5], 1.0, 2), 2, "too few to tell");
}

#[test]
fn a_value_at_the_limit_does_not_exceed_it() {
    let counts: Vec<_> = blocks::counts(&[0.5, 1.0, 1.5, 1.0, 2.0], 1.0, 3).collect();
    assert_eq!(counts, [(3, 1), (2, 1)]);
}

/// One operation in a hundred is slow and takes as long as a hundred others.
///
/// If blocks are cut by time, a block ends with the slow operation that falls into it, and its share is no longer
/// fair: the negative control flakes. Weighted by its size, the same block is fair.
#[test]
fn blocks_cut_by_time_are_fair_only_when_weighted() {
    let mut random = Noise::seeded(13);
    let enough = threshold(0.01, 1);
    let (mut shares, mut weighted) = (0, 0);
    for _ in 0..RUNS {
        let mut naive = Blocks::fail(P0, 100);
        let mut fair = Blocks::fail(P0, 20);
        let (mut naive_failed, mut fair_failed) = (false, false);
        for _ in 0..250 {
            let (mut n, mut k, mut time) = (0u64, 0u64, 0.0);
            while time < 20.0 && n < 20 {
                let slow = random.happens(P0);
                (n, k, time) = (n + 1, k + u64::from(slow), time + if slow { 100.0 } else { 1.0 });
            }
            naive.push(100, k * 100 / n);
            fair.push(n, k);
            naive_failed |= naive.log_evidence() >= enough;
            fair_failed |= fair.log_evidence() >= enough;
        }
        shares += u64::from(naive_failed);
        weighted += u64::from(fair_failed);
    }
    assert_breaks(0.5, shares, RUNS, "shares of blocks cut by time");
    assert_at_most(0.01, weighted, RUNS, "weighted blocks cut by time");
}
