//! The exact error rates of the test of counts. The test depends on `(n, k)` alone, so a dynamic program over `k` gives
//! the probability of a verdict at every `n`, without any simulation.

use super::super::{Exceedance, threshold};

/// Returns the probability that the test is decided at each number of values, at the true rate `p`.
pub(super) fn decided_at(
    test: &Exceedance,
    fails: bool,
    enough: f64,
    p: f64,
    most: u64,
) -> Vec<f64> {
    let mut going = vec![1.0];
    let mut decided = vec![0.0];
    let mut critical = if fails { Some(0) } else { None };
    for n in 1..=most {
        going.push(0.0);
        let mut one_less = 0.0;
        for state in &mut going {
            let here = *state;
            *state = here * (1.0 - p) + one_less * p;
            one_less = here;
        }
        critical = follow(test, fails, enough, n, critical);
        let mut caught = 0.0;
        if fails {
            let from = critical.map_or(going.len(), |k| (k as usize).min(going.len()));
            caught = going[from..].iter().sum();
            going.truncate(from);
        } else if let Some(k) = critical {
            let upto = (k as usize + 1).min(going.len());
            caught = going[..upto].iter().sum();
            going[..upto].fill(0.0);
        }
        decided.push(caught);
        // Far tails cost time and do not change any figure of the tables.
        while going.len() > 1 && going.last().is_some_and(|&last| last < 1e-18) {
            going.pop();
        }
    }
    decided
}

/// Returns the critical count at `n` from the one at `n - 1`, below which it never lies.
fn follow(test: &Exceedance, fails: bool, enough: f64, n: u64, last: Option<u64>) -> Option<u64> {
    let reaches = |k: u64| k <= n && test.log_evidence_of(n, k) >= enough;
    if fails {
        (last.unwrap_or(0)..=n).find(|&k| reaches(k)).or(Some(n + 1))
    } else {
        let next = last.map_or(0, |k| k + 1);
        if reaches(next) { Some(next) } else { last }
    }
}

/// Returns the number of values by which the test is decided with probability `share`.
fn by(decided: &[f64], share: f64) -> Option<usize> {
    let mut sum = 0.0;
    decided.iter().position(|p| {
        sum += p;
        sum >= share
    })
}

#[test]
fn critical_counts_agree_with_the_walk() {
    let check = |test: &Exceedance, fails: bool, enough: f64, most: u64| {
        let mut last = if fails { Some(0) } else { None };
        for n in 1..=most {
            last = follow(test, fails, enough, n, last);
            assert_eq!(test.critical(n, enough), last.filter(|&k| k <= n), "{n} {test:?}");
        }
    };
    for p0 in [0.5, 0.1, 0.01, 0.8] {
        check(&Exceedance::fail(p0), true, threshold(0.01, 1), 800);
        check(&Exceedance::pass(p0), false, threshold(0.05, 1), 800);
    }
}

/// One subject is exactly at its limit, and one at 0.9 of the allowed rate.
#[test]
fn false_fails_are_as_rare_as_tabled() {
    let check = |q: f64, tests: usize, most: u64, at_limit: f64, below: Option<f64>| {
        let test = Exceedance::fail(1.0 - q);
        let enough = threshold(0.01, tests);
        let rate = |p: f64| decided_at(&test, true, enough, p, most).iter().sum::<f64>();
        let exactly = rate(1.0 - q);
        assert!(exactly <= 0.01 / tests as f64, "{q} {tests}: {exactly}");
        assert!((exactly - at_limit).abs() <= 5.1e-7, "{q} {tests}: {exactly}");
        if let Some(below) = below {
            let healthy = rate(0.9 * (1.0 - q));
            assert!((healthy / below - 1.0).abs() <= 5e-3, "{q} {tests}: {healthy}");
        }
    };
    check(0.5, 1, 2000, 0.008_490, Some(1.27e-3));
    check(0.5, 200, 2000, 0.000_042, Some(1.29e-6));
    check(0.9, 1, 10_000, 0.007_453, Some(2.24e-3));
    check(0.9, 200, 10_000, 0.000_034, None);
    check(0.95, 1, 10_000, 0.006_211, Some(1.73e-3));
    check(0.95, 200, 10_000, 0.000_031, None);
    check(0.99, 1, 30_000, 0.005_545, Some(1.98e-3));
    check(0.99, 200, 30_000, 0.000_025, None);
}

/// The table has the number of values to a red at a multiple of the allowed rate, for half of the runs and for 95 %.
#[test]
fn fails_come_as_soon_as_tabled() {
    let check = |q: f64, tests: usize, times: f64, half: usize, most: usize| {
        let test = Exceedance::fail(1.0 - q);
        let p = times * (1.0 - q);
        let decided = decided_at(&test, true, threshold(0.01, tests), p, most as u64 + 1);
        assert_eq!(
            (by(&decided, 0.5), by(&decided, 0.95)),
            (Some(half), Some(most)),
            "{q} {times}"
        );
    };
    check(0.5, 1, 1.5, 36, 86);
    check(0.5, 200, 1.5, 79, 146);
    check(0.9, 1, 2.0, 117, 291);
    check(0.9, 200, 5.0, 21, 43);
    check(0.95, 1, 1.5, 926, 2267);
    check(0.95, 1, 10.0, 7, 18);
    check(0.99, 1, 1.5, 5086, 12_286);
    check(0.99, 1, 2.0, 1413, 3504);
    check(0.99, 1, 5.0, 135, 360);
    check(0.99, 1, 10.0, 39, 111);
    check(0.99, 1, 30.0, 8, 22);
    check(0.99, 200, 30.0, 15, 32);
    check(0.99, 200, 2.0, 2854, 5629);
    check(0.99, 200, 10.0, 76, 173);
}

/// The table has the number of values to a green if none of them is near the limit, and the rate of false greens.
///
/// No method passes a p99 on fewer than 299 values at 5 %. Without half of the weight on "never"
/// it would take 404 values.
#[test]
fn passes_are_quick_and_seldom_wrong() {
    let check = |q: f64, quickest: u64, quarter: [usize; 2], half: [usize; 2]| {
        let test = Exceedance::pass(1.0 - q);
        let enough = threshold(0.05, 1);
        let first = (1..1000).find(|&n| test.critical(n, enough).is_some());
        assert_eq!(first, Some(quickest), "{q}");
        let decided = |times: f64, most: usize| {
            decided_at(&test, false, enough, times * (1.0 - q), most as u64 + 1)
        };
        let wrong: f64 = decided(1.0, 3 * half[1]).iter().sum();
        assert!(wrong > 0.03 && wrong <= 0.05, "{q}: {wrong}");
        for (times, want) in [(0.25, quarter), (0.5, half)] {
            let right = decided(times, want[1]);
            assert_eq!([0.5, 0.95].map(|share| by(&right, share)), want.map(Some), "{q} {times}");
        }
    };
    check(0.5, 5, [5, 28], [25, 76]);
    check(0.9, 33, [75, 196], [212, 577]);
    check(0.95, 68, [154, 399], [429, 1190]);
    check(0.99, 346, [784, 2016], [2322, 6120]);
}

/// A rate above a half is judged as its mirror image, and keeps the promised error rates.
#[test]
fn high_rates_are_judged_too() {
    let check = |p0: f64| {
        let fail = Exceedance::fail(p0);
        let wrong: f64 = decided_at(&fail, true, threshold(0.01, 1), p0, 1500).iter().sum();
        assert!(wrong > 0.001 && wrong <= 0.01, "{p0}: {wrong}");
        let pass = Exceedance::pass(p0);
        let wrong: f64 = decided_at(&pass, false, threshold(0.05, 1), p0, 1500).iter().sum();
        assert!(wrong > 0.005 && wrong <= 0.05, "{p0}: {wrong}");
    };
    check(0.9);
    check(0.75);
}

/// Three of three values exceed at a rate of 1 %: the evidence is the mean of `(p/p0)³` over the rates of the bets.
#[test]
fn evidence_is_a_mean_of_likelihood_ratios() {
    let cubes: f64 =
        [1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 90.0].iter().map(|p| f64::powi(*p, 3)).sum();
    let got = Exceedance::fail(0.01).log_evidence_of(3, 3);
    assert!((got - (cubes / 9.0).ln()).abs() < 1e-12, "{got}");
}

#[test]
fn evidence_follows_the_counts() {
    for (test, sign) in [(Exceedance::fail(0.01), 1.0), (Exceedance::pass(0.01), -1.0)] {
        let row: Vec<f64> = (0..=500).map(|k| sign * test.log_evidence_of(500, k)).collect();
        assert!(row.is_sorted(), "{test:?}");
    }
    let mut test = Exceedance::fail(0.01);
    test.add(100, 3);
    test.add(50, 2);
    assert!((test.log_evidence() - test.log_evidence_of(150, 5)).abs() < 1e-12);
    test.add(u64::from(u32::MAX), 0);
    assert!(test.log_evidence().is_finite());
}
