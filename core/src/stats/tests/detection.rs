//! Tests that a run detects its minimum detectable effect 95 times in a hundred.

use super::super::{
    Blocks, Contrast, Exceedance, Paired, Percentile, Sample, clopper_pearson, detect, threshold,
};
use super::exact::decided_at;
use super::noise::Noise;

/// This is exact: the power at the reported rate is enough, and at a slightly smaller rate it is not.
#[test]
fn exceedance_is_at_most_three_percent_too_large() {
    let check = |q: f64, n: u64, tests: usize| {
        let enough = threshold(0.01, tests);
        let p1 = detect::exceedance(n, 1.0 - q, enough).unwrap();
        let test = Exceedance::fail(1.0 - q);
        let power = |p: f64| decided_at(&test, true, enough, p, n).iter().sum::<f64>();
        let (claimed, smaller) = (power(p1), power(p1 / 1.03));
        assert!(claimed >= 0.95, "{q} {n}: {claimed} at {p1}");
        assert!(smaller < 0.95, "{q} {n}: {smaller} at {}", p1 / 1.03);
    };
    check(0.5, 40, 1);
    check(0.5, 300, 1);
    check(0.9, 300, 1);
    check(0.9, 2000, 200);
    check(0.99, 400, 1);
    check(0.99, 3504, 1);
    check(0.99, 5000, 200);
}

#[test]
fn too_few_values_catch_nothing() {
    let enough = threshold(0.01, 1);
    assert_eq!(detect::exceedance(5, 0.5, enough), None);
    assert_eq!(detect::blocks(1, 50, 1.0, 0.5, enough), None);
    let noise = Sample::new(vec![-0.1, 0.0, 0.2]).unwrap();
    assert_eq!(detect::paired(&noise, 8, enough), None);
    assert!(detect::paired(&noise, 40, enough).is_some());
    assert_eq!(detect::paired(&Sample::default(), 40, enough), None);
    let still = Sample::new(vec![0.1; 12]).unwrap();
    assert_eq!(detect::paired(&still, 12, enough), Some(0.0));
    assert_eq!(Contrast::new(0.0, 0.1).smallest_violation(enough, 40), None);
    assert_eq!(Percentile::new(0.5, 1.0, 1.1, 10).smallest_violation(enough, 40), None);
}

#[track_caller]
fn assert_about_95(caught: u64, runs: u64, name: &str) {
    let rate = clopper_pearson(caught, runs, 0.998);
    assert!(rate.high >= 0.93 && rate.low <= 0.985, "{name}: {caught} of {runs}");
}

#[test]
fn blocks_catch_what_they_claim() {
    const RUNS: u64 = 200;
    let check = |p0: f64, blocks: u64, ops: u64| {
        let enough = threshold(0.01, 1);
        let p1 = detect::blocks(blocks, ops, 1.0, p0, enough).unwrap();
        let mut random = Noise::seeded(37);
        let caught = (0..RUNS).filter(|_| {
            let mut test = Blocks::fail(p0, ops);
            (0..blocks).any(|_| {
                test.push(ops, (0..ops).filter(|_| random.happens(p1)).count() as u64);
                test.log_evidence() >= enough
            })
        });
        assert_about_95(caught.count() as u64, RUNS, &format!("{blocks} of {ops} at {p0}: {p1}"));
    };
    check(0.01, 20, 50);
    check(0.01, 100, 50);
    check(0.1, 30, 20);
    check(0.5, 20, 20);
}

/// Operations in uneven blocks count for fewer, so the smallest detectable violation grows with the bursts.
#[test]
fn blocks_that_burst_claim_less() {
    const RUNS: u64 = 100;
    let enough = threshold(0.01, 1);
    let even = detect::blocks(60, 200, 1.0, 0.01, enough).unwrap();
    let uneven = detect::blocks(60, 200, 8.0, 0.01, enough).unwrap();
    assert!(uneven > 1.2 * even, "{even} {uneven}");
    let mut random = Noise::seeded(41);
    let caught = (0..RUNS).filter(|_| {
        let mut test = Blocks::fail(0.01, 200);
        random.bursts(uneven, 5.0, 12_000).chunks(200).any(|block| {
            test.push(200, block.iter().filter(|&&exceeds| exceeds).count() as u64);
            test.log_evidence() >= enough
        })
    });
    let caught = caught.count() as u64;
    assert!(clopper_pearson(caught, RUNS, 0.998).high >= 0.93, "{caught} at {uneven}");
}

#[test]
fn pairs_catch_what_they_claim() {
    const RUNS: u64 = 200;
    let check = |name: &str, pairs: u64, tests: usize, noise: fn(&mut Noise) -> f64| {
        let mut random = Noise::seeded(43);
        let known = Sample::new((0..2000).map(|_| noise(&mut random)).collect()).unwrap();
        let enough = threshold(0.01, tests);
        let effect = detect::paired(&known, pairs, enough).unwrap();
        let caught = (0..RUNS).filter(|_| {
            let mut test = Paired::fail(0.0);
            (0..pairs).any(|_| {
                test.push(effect + random.coin() * noise(&mut random)).unwrap();
                test.log_evidence() >= enough
            })
        });
        let caught = caught.count() as u64;
        assert_about_95(caught, RUNS, &format!("{name}, {pairs} pairs: {effect}"));
    };
    check("normal", 14, 1, Noise::normal);
    check("normal", 30, 1, Noise::normal);
    check("normal", 100, 1, Noise::normal);
    check("normal", 50, 200, Noise::normal);
    check("outliers", 38, 1, |random| {
        random.normal() * if random.happens(0.1) { 8.0 } else { 1.0 }
    });
}

/// The rule of thumb for the design of a run, `n = 2(ln(1/alpha) + 2)(sigma/m)²`, times 2.5 for 95 %.
#[test]
fn pairs_agree_with_the_rule_of_thumb() {
    let mut random = Noise::seeded(47);
    let normal = Sample::new((0..4000).map(|_| random.normal()).collect()).unwrap();
    let check = |pairs: u32, tests: usize| {
        let enough = threshold(0.01, tests);
        let got = detect::paired(&normal, u64::from(pairs), enough).unwrap();
        let rule = (5.0 * (enough + 2.0) / f64::from(pairs)).sqrt();
        assert!((0.75..1.25).contains(&(got / rule)), "{pairs} {tests}: {got}, rule {rule}");
    };
    check(30, 1);
    check(115, 1);
    check(500, 1);
    check(60, 200);
}

/// A violation is reported in the unit of the limit, as the quantile of the stretched sample.
#[test]
fn rates_become_quantiles() {
    let sample = Sample::new((1..=1000).map(f64::from).collect()).unwrap();
    let check = |q: f64, limit: f64, p1: f64, want: Option<f64>| {
        let got = detect::stretched_quantile(&sample, q, limit, p1);
        assert!(
            got.zip(want).map_or(got == want, |(got, want)| (got - want).abs() < 1e-9),
            "{q} {limit} {p1}: {got:?}"
        );
    };
    // 2 % above the limit of 2000: the 98th percentile, 980.5, is stretched to 2000.
    check(0.99, 2000.0, 0.02, Some(2000.0 / 980.5 * 990.5));
    check(0.99, 2000.0, 0.01, Some(2000.0));
    check(0.5, 2000.0, 1.0, Some(2000.0 * 500.5));
    check(0.5, -1.0, 0.6, None);
    let got = detect::stretched_quantile(&Sample::default(), 0.5, 1.0, 0.6);
    assert_eq!(got, None);
}

/// Ten processes detect the violation that they are said to detect, in the unit of the limit.
#[test]
fn a_percentile_catches_what_it_claims() {
    const RUNS: u64 = 100;
    let enough = threshold(0.01, 1);
    let mut random = Noise::seeded(53);
    let process_run =
        |random: &mut Noise, by: f64| (0..100).map(|_| by * random.latency()).collect::<Vec<_>>();
    let true_p90 = f64::exp(0.5 * 1.281_551_565_544_600_4);
    let mut healthy = Percentile::new(0.9, 3.0, 3.3, 20);
    for _ in 0..20 {
        healthy.add_process(&process_run(&mut random, 1.0)).unwrap();
    }
    let violation = healthy.smallest_violation(enough, 20).unwrap();
    assert!(violation > 3.0 && violation < 3.9, "{violation}");
    let caught = (0..RUNS).filter(|_| {
        let mut p90 = Percentile::new(0.9, 3.0, 3.3, 20);
        (0..20).any(|_| {
            p90.add_process(&process_run(&mut random, violation / true_p90)).unwrap();
            p90.log_fail() >= enough
        })
    });
    let caught = caught.count() as u64;
    assert!(clopper_pearson(caught, RUNS, 0.998).high >= 0.93, "{caught} at {violation}");
}
