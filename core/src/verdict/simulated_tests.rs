//! The promises of a verdict, checked by seeded simulation: a limit does not pass before the run could have seen a
//! violation, an interval covers the true value, a minimum detectable effect is detected, and a false red is as rare
//! as promised. Each promise has a negative control, or the figure of an earlier release that broke it.

use super::judge::{Carried, Finding, Hypothesis, Judge, Levels, Method};
use crate::budget::Bound;
use crate::stats::tests::noise::Noise;
use crate::stats::{clopper_pearson, threshold};

/// The number of processes that an effort of ten seconds allows.
const MOST: usize = 83;
const OPERATIONS: usize = 100;

/// Returns a limit of 1 on `method`, with a tolerance of 10 %.
fn limit(method: Method) -> Hypothesis {
    let levels = Levels { fail: threshold(0.01, 1), pass: threshold(0.05, 1) };
    Hypothesis { bound: Bound::Max, limit: 1.0, tolerance: 0.1, method, levels, confirms: true }
}

/// A workload whose processes have lognormal levels. Its true value is the quantile of all operations that lies `z`
/// standard deviations from the centre.
#[derive(Clone, Copy)]
struct LognormalWorkload {
    method: Method,
    z: f64,
    spread: f64,
    operations: usize,
}

const WITHIN: f64 = 0.05;
const P50: LognormalWorkload = LognormalWorkload {
    method: Method::Quantile(0.5),
    z: 0.0,
    spread: 0.0,
    operations: OPERATIONS,
};
const P90: LognormalWorkload =
    LognormalWorkload { method: Method::Quantile(0.9), z: 1.281_551_6, ..P50 };
const P95: LognormalWorkload =
    LognormalWorkload { method: Method::Quantile(0.95), z: 1.644_853_6, ..P50 };
const P99: LognormalWorkload =
    LognormalWorkload { method: Method::Quantile(0.99), z: 2.326_347_9, ..P50 };
/// Three processes have the 3000 operations that such a percentile needs.
const P999: LognormalWorkload = LognormalWorkload {
    method: Method::Quantile(0.999),
    z: 3.090_232_3,
    operations: 10 * OPERATIONS,
    ..P50
};

impl LognormalWorkload {
    fn of(self, spread: f64) -> LognormalWorkload {
        LognormalWorkload { spread, ..self }
    }

    fn process(self, random: &mut Noise, truth: f64) -> Vec<f64> {
        let reach = self.z * self.spread.hypot(WITHIN);
        let level = truth * (self.spread * random.normal() - reach).exp();
        (0..self.operations).map(|_| level * (WITHIN * random.normal()).exp()).collect()
    }

    /// Returns the judge at the end of a run, with its finding.
    fn judged(self, random: &mut Noise, truth: f64) -> (Judge, Finding) {
        self.continued(random, truth, Carried::default())
    }

    /// Returns the judge at the end of a run that continues others, with its finding.
    fn continued(self, random: &mut Noise, truth: f64, carried: Carried) -> (Judge, Finding) {
        self.judged_by(Judge::continuing(limit(self.method), carried), random, truth)
    }

    /// Returns this judge at the end of a run, with its finding.
    fn judged_by(self, mut judge: Judge, random: &mut Noise, truth: f64) -> (Judge, Finding) {
        for _ in 0..MOST {
            judge.add(&self.process(random, truth)).unwrap();
            if matches!(judge.finding(), Finding::Held | Finding::Broken) {
                break;
            }
        }
        let finding = judge.finding();
        (judge, finding)
    }

    /// Returns how many of `runs` runs end with `finding`, and how many processes a run takes on average.
    fn count(self, truth: f64, runs: u64, finding: Finding) -> (u64, f64) {
        let mut random = Noise::seeded(211);
        let all: Vec<_> = (0..runs).map(|_| self.judged(&mut random, truth)).collect();
        let processes = all.iter().map(|(judge, _)| judge.processes()).sum::<usize>();
        let count = all.iter().filter(|(_, found)| *found == finding).count();
        (count as u64, processes as f64 / runs as f64)
    }
}

#[track_caller]
fn at_most(share: f64, count: u64, runs: u64, name: &str) {
    let low = clopper_pearson(count, runs, 0.998).low;
    assert!(low <= share, "{name}: {count} of {runs}, promised at most {share}");
}

/// The true value is 5 % beyond limit and tolerance. In an earlier release 21 to 94 of 100 passed at a p99, from a
/// spread of 5 % on.
#[test]
fn a_violation_does_not_pass_unseen() {
    const RUNS: u64 = 60;
    for (name, like) in [("p50", P50), ("p90", P90), ("p95", P95), ("p99", P99)] {
        for spread in [0.0, 0.05, 0.1] {
            let passed = like.of(spread).count(1.155, RUNS, Finding::Held).0;
            at_most(0.05, passed, RUNS, &format!("{name} at {spread}"));
        }
    }
    for spread in [0.0, 0.05, 0.1] {
        let passed = P999.of(spread).count(1.155, RUNS / 3, Finding::Held).0;
        at_most(0.05, passed, RUNS / 3, &format!("p999 at {spread}"));
    }
    for (name, like) in [("p90", P90), ("p95", P95), ("p99", P99)] {
        let passed = like.of(0.2).count(1.155, RUNS, Finding::Held).0;
        at_most(0.05, passed, RUNS, &format!("{name} at 0.2"));
    }
}

/// A process has one value (memory, recorded values, `min`), or 20 batches with a limit above or below (`mean`, `throughput`).
#[test]
fn other_metrics_do_not_pass_a_violation_unseen() {
    const RUNS: u64 = 150;
    let others = [
        ("one value, tolerance 2 %", 1, Bound::Max, 0.02),
        ("one value", 1, Bound::Max, 0.1),
        ("20 batches", 20, Bound::Max, 0.1),
        ("20 batches, a floor", 20, Bound::Min, 1.0 - 1.0 / 1.1),
    ];
    for (name, operations, bound, tolerance) in others {
        for spread in [0.02, 0.05, 0.1, 0.2] {
            let like = LognormalWorkload { operations, ..P50.of(spread) };
            let edge = match bound {
                Bound::Max => (1.0 + tolerance) * 1.05,
                Bound::Min => (1.0 - tolerance) / 1.05,
            };
            let hypothesis = Hypothesis { bound, tolerance, ..limit(like.method) };
            let mut random = Noise::seeded(239);
            let mut count = |truth: f64, finding: Finding| {
                let runs = (0..RUNS).filter(|_| {
                    let judge = Judge::new(hypothesis);
                    like.judged_by(judge, &mut random, truth).1 == finding
                });
                runs.count() as u64
            };
            at_most(0.05, count(edge, Finding::Held), RUNS, &format!("{name} at {spread}"));
            at_most(0.01, count(1.0, Finding::Broken), RUNS, &format!("{name}, red, {spread}"));
        }
    }
}

/// A limit that was red or inconclusive is run again until it passes. Formerly 20 of 200 passed in five runs at a p90, and 28 at a
/// p99, since evidence to pass was carried, and the room for the differences between processes was asked for anew.
#[test]
fn running_again_does_not_pass_a_violation() {
    const RUNS: u64 = 60;
    let mut random = Noise::seeded(229);
    for (name, like) in [("p90", P90), ("p99", P99)] {
        let passes = |_: &u64| {
            let mut carried = Carried::default();
            (1..=4).any(|runs| {
                let (judge, found) = like.of(0.2).continued(&mut random, 1.155, carried);
                let most = if found == Finding::Broken { 0.0 } else { judge.levels().pass };
                let pass = judge.log_evidence_to_pass().min(most);
                carried = Carried { fail: judge.log_evidence(), pass, varied: true, runs };
                found == Finding::Held
            })
        };
        at_most(0.05, (0..RUNS).filter(passes).count() as u64, RUNS, name);
    }
}

/// A pass takes few processes at half of the limit, and more at nine tenths.
#[test]
fn a_pass_takes_few_processes() {
    const RUNS: u64 = 40;
    let check = |like: LognormalWorkload, truth: f64, most: f64| {
        let (passed, processes) = like.count(truth, RUNS, Finding::Held);
        assert_eq!(passed, RUNS, "at {truth} with a spread of {}", like.spread);
        assert!(processes <= most, "{processes} at {truth} with a spread of {}", like.spread);
    };
    check(P50, 0.5, 3.0);
    check(P99, 0.5, 4.0);
    check(P50.of(0.05), 0.9, 6.0);
    check(P90.of(0.05), 0.9, 6.5);
    check(P99.of(0.05), 0.9, 7.5);
    check(P50.of(0.1), 0.9, 7.0);
    check(P99.of(0.1), 0.9, 15.0);
}

/// The 90 % interval covers the true value at the moment of the verdict; in an earlier release in only 10 to 72 of 100.
#[test]
fn the_interval_covers_at_the_verdict() {
    const RUNS: u64 = 80;
    for (name, like) in [("p50", P50), ("p90", P90), ("p99", P99)] {
        for spread in [0.02, 0.1] {
            for truth in [0.8, 1.0] {
                let mut random = Noise::seeded(223);
                let missed = (0..RUNS).filter(|_| {
                    let (judge, _) = like.of(spread).judged(&mut random, truth);
                    !judge.estimate().unwrap().1.holds(truth)
                });
                at_most(0.1, missed.count() as u64, RUNS, &format!("{name}, {spread}, {truth}"));
            }
        }
    }
}

/// The minimum detectable effect of a pass, when injected, is red in 90 of 100 or more; in an earlier release it was red
/// in 4 to 27 at a p99.
#[test]
fn a_minimum_detectable_effect_is_detected() {
    const RUNS: u64 = 25;
    for (name, like) in [("p50", P50), ("p99", P99)] {
        for spread in [0.0, 0.05, 0.1] {
            let like = like.of(spread);
            let mut random = Noise::seeded(227);
            let red = (0..RUNS).filter(|_| {
                let (judge, _) = like.judged(&mut random, 0.9);
                let claim = judge.detectable(MOST).expect("a pass has a claim");
                assert!(claim > 1.1, "beyond limit and tolerance: {claim}");
                like.judged(&mut random, claim).1 == Finding::Broken
            });
            let missed = RUNS - red.count() as u64;
            at_most(0.1, missed, RUNS, &format!("{name} at {spread}, missed"));
        }
    }
}

/// Single values, as for memory: a red takes few processes, and there is no false red at the limit.
#[test]
fn single_values_are_red_soon_and_seldom_falsely() {
    const RUNS: u64 = 150;
    let hypothesis = limit(Method::Quantile(0.5));
    let mut judge = Judge::new(hypothesis);
    while judge.finding() != Finding::Broken {
        judge.add(&[2.0]).unwrap();
    }
    assert_eq!(judge.processes(), 11, "18 where each bet was halved");
    for tests in [1, 25] {
        let fail = threshold(0.01, tests);
        let hypothesis = Hypothesis { levels: Levels { fail, ..hypothesis.levels }, ..hypothesis };
        let mut random = Noise::seeded(229);
        let red = (0..RUNS).filter(|_| {
            let mut judge = Judge::new(hypothesis);
            (0..MOST).any(|_| {
                judge.add(&[(0.1 * random.normal()).exp()]).unwrap();
                judge.finding() == Finding::Broken
            })
        });
        at_most(0.01 / tests as f64, red.count() as u64, RUNS, &format!("of {tests}"));
    }
}

/// Slopes are skewed, for example if bursts hit the largest size in one sweep of four. Their median is at the limit.
/// Judged by their centre, 6.7 of 100 were red.
#[test]
fn skewed_slopes_are_not_red() {
    const RUNS: u64 = 400;
    let mut random = Noise::seeded(233);
    let red = (0..RUNS).filter(|_| {
        let mut judge = Judge::new(Hypothesis { tolerance: 0.05, ..limit(Method::Quantile(0.5)) });
        (0..MOST / 3).any(|_| {
            let burst = if random.happens(0.25) { 1.5f64.ln() } else { 0.0 };
            // The median of the noise with a burst in a quarter of the sweeps lies at 0.43 standard deviations.
            let noise = 0.05 * (random.normal() - 0.430_727) + burst;
            judge.add(&[1.0 + noise / 100f64.ln()]).unwrap();
            judge.finding() == Finding::Broken
        })
    });
    at_most(0.01, red.count() as u64, RUNS, "skewed slopes");
}

/// A spike of the machine in up to half of the processes breaks a limit on the maximum with a probability of at most
/// `alpha`; in an earlier release 25 of 100 were red at one in ten, and 57 at three in ten. A slow operation in most of
/// the processes does break it.
#[test]
fn a_greatest_value_over_the_limit_must_be_common() {
    const RUNS: u64 = 300;
    let red = |rate: f64| {
        let mut random = Noise::seeded(239);
        let mut red = 0;
        for _ in 0..RUNS {
            let mut judge = Judge::new(limit(Method::Greatest));
            red += u64::from((0..MOST).any(|_| {
                let greatest = if random.happens(rate) { 1.05 } else { 0.5 };
                let mut values = vec![0.4; OPERATIONS];
                values[7] = greatest;
                judge.add(&values).unwrap();
                judge.finding() == Finding::Broken
            }));
        }
        red
    };
    for share in [0.03, 0.1, 0.3, 0.5] {
        at_most(0.01, red(share), RUNS, &format!("spikes in {share} of the processes"));
    }
    assert_eq!(red(0.9), RUNS, "most processes");
}

#[test]
fn one_failure_is_red_at_once_where_none_is_allowed() {
    let hypothesis = Hypothesis { limit: 0.0, tolerance: 0.001, ..limit(Method::Share) };
    let mut judge = Judge::new(hypothesis);
    let mut operations = vec![0.0; 1000];
    judge.add(&operations).unwrap();
    assert_eq!(judge.finding(), Finding::Open);
    operations[500] = 1.0;
    judge.add(&operations).unwrap();
    assert_eq!(judge.finding(), Finding::Broken);
}
