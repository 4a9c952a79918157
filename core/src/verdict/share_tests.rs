//! Seeded simulation of limits on the share of operations that fail: failures that come together in some of the
//! processes do not pass unseen, independent failures need few processes, and the minimum detectable effect is detected.

use super::judge::{Finding, Hypothesis, Judge, Levels, Method};
use crate::budget::Bound;
use crate::stats::tests::noise::Noise;
use crate::stats::{FEWEST_TO_PASS, clopper_pearson, threshold};

/// The number of processes that an effort of ten seconds allows.
const MOST: usize = 83;
const OPERATIONS: usize = 1000;

/// Returns a limit of 1 %, with a tolerance of a tenth of a point, as one of `limits`.
fn limit(limits: usize) -> Hypothesis {
    let levels = Levels { fail: threshold(0.01, limits), pass: threshold(0.05, 1) };
    let (bound, method) = (Bound::Max, Method::Share);
    Hypothesis { bound, limit: 0.01, tolerance: 0.001, method, levels, confirms: true }
}

/// Returns the judge at the end of a run whose processes fail at the rates that `rate` draws.
fn judged(random: &mut Noise, limits: usize, rate: impl Fn(&mut Noise) -> f64) -> Judge {
    let mut judge = Judge::new(limit(limits));
    for _ in 0..MOST {
        let rate = rate(random);
        let failed = (0..OPERATIONS).filter(|_| random.happens(rate)).count();
        let mut operations = vec![0.0; OPERATIONS];
        operations[..failed].fill(1.0);
        judge.add(&operations).unwrap();
        if matches!(judge.finding(), Finding::Held | Finding::Broken) {
            break;
        }
    }
    judge
}

#[track_caller]
fn at_most(share: f64, count: usize, runs: usize, name: &str) {
    let low = clopper_pearson(count as u64, runs as u64, 0.998).low;
    assert!(low <= share, "{name}: {count} of {runs}, promised at most {share}");
}

/// Returns a rate of mean `mean` whose logarithm differs between processes by `sd`.
fn lognormal(random: &mut Noise, mean: f64, sd: f64) -> f64 {
    (mean * (sd * random.normal() - sd * sd / 2.0).exp()).min(1.0)
}

#[test]
fn failures_that_come_together_do_not_pass_unseen() {
    const RUNS: usize = 60;
    let passed = |name, share, rate: &dyn Fn(&mut Noise) -> f64| {
        let mut random = Noise::seeded(257);
        let held =
            (0..RUNS).filter(|_| judged(&mut random, 1, rate).finding() == Finding::Held).count();
        at_most(share, held, RUNS, name);
    };
    // In 13 of 100 runs none of the seven processes is bad, so there is nothing to see; hence 0.14.
    passed("8 % in one of four", 0.14, &|random| if random.happens(0.25) { 0.08 } else { 0.0 });
    passed("rates of 2 %, far apart", 0.05, &|random| lognormal(random, 0.02, 1.0));
    passed("rates of 1.155 %", 0.05, &|random| lognormal(random, 0.011_55, 0.5));
    passed("equal rates of 1.155 %", 0.05, &|_| 0.011_55);
}

#[test]
fn independent_failures_cost_no_more_than_the_fewest_processes() {
    for (rate, most) in [(0.0, 0.0), (0.001, 0.0), (0.005, 0.7)] {
        let (mut random, runs) = (Noise::seeded(263), 40);
        let mut processes = 0;
        for _ in 0..runs {
            let judge = judged(&mut random, 1, |_| rate);
            assert_eq!(judge.finding(), Finding::Held, "at {rate}");
            processes += judge.processes();
        }
        let mean = processes as f64 / f64::from(runs);
        assert!(mean <= FEWEST_TO_PASS as f64 + most, "{mean} at {rate}");
    }
}

#[test]
fn a_minimum_detectable_share_is_detected() {
    const RUNS: usize = 40;
    for (limits, sd) in [(1, 0.0), (1, 0.2), (25, 0.2)] {
        let mut random = Noise::seeded(269);
        let missed = (0..RUNS).filter(|_| {
            let judge = judged(&mut random, limits, |random| lognormal(random, 0.008, sd));
            let claim = judge.detectable(MOST).expect("there is a claim");
            assert!(claim >= 0.011 * 1.05, "{claim}");
            let again = judged(&mut random, limits, |random| lognormal(random, claim, sd));
            again.finding() != Finding::Broken
        });
        at_most(0.1, missed.count(), RUNS, &format!("{sd}, {limits} limits"));
    }
}
