//! Tests of `Percentile` and `Contrast`, from the first process to a verdict.

use super::super::{Contrast, Exceedance, Percentile, threshold};
use super::noise::Noise;

const FAIL: f64 = 0.01;
const PASS: f64 = 0.05;

/// Returns the verdict and how many processes it took; after 500 processes it is inconclusive.
fn judged(mut take: impl FnMut() -> (f64, f64)) -> (&'static str, usize) {
    for processes in 1..=500 {
        let (fail, pass) = take();
        if fail >= threshold(FAIL, 1) {
            return ("fail", processes);
        }
        if pass >= threshold(PASS, 1) {
            return ("pass", processes);
        }
    }
    ("inconclusive", 500)
}

#[test]
fn a_percentile_is_judged() {
    let check = |limit: f64, want: &str, most: usize| {
        let mut random = Noise::seeded(59);
        let mut p99 = Percentile::new(0.99, limit, 1.1 * limit, 50);
        let (verdict, processes) = judged(|| {
            p99.add_process(&(0..100).map(|_| random.latency()).collect::<Vec<_>>()).unwrap();
            (p99.log_fail(), p99.log_pass())
        });
        assert!(verdict == want && processes <= most, "{limit}: {verdict} after {processes}");
    };
    // The true p99 is 3.2.
    check(100.0, "pass", 4);
    check(4.0, "pass", 40);
    check(2.0, "fail", 6);
    check(2.8, "fail", 80);
}

#[test]
fn a_contrast_is_judged() {
    let check = |effect: f64, want: &str, most: usize| {
        let mut random = Noise::seeded(61);
        let mut contrast = Contrast::new(0.01, 0.02);
        let (verdict, pairs) = judged(|| {
            contrast.push(effect + random.coin() * 0.005 * random.normal()).unwrap();
            (contrast.log_fail(), contrast.log_pass())
        });
        assert!(verdict == want && pairs <= most, "{effect}: {verdict} after {pairs}");
        let estimate = contrast.estimate().unwrap();
        assert!((estimate - effect).abs() < 0.005, "{effect}: {estimate}");
        assert!(contrast.interval(2.0 * PASS).holds(effect));
    };
    check(-0.2, "pass", 7);
    check(0.0, "pass", 20);
    check(0.012, "pass", 40);
    check(0.03, "fail", 20);
    check(0.3, "fail", 11);
}

/// The smallest detectable violation of a ratio lies above its limit, and farther with more noise.
#[test]
fn a_contrast_knows_what_it_would_have_caught() {
    let enough = threshold(FAIL, 1);
    let claim = |limit: f64, noise: f64| {
        let mut random = Noise::seeded(67);
        let mut contrast = Contrast::new(limit, limit + 0.01);
        for _ in 0..40 {
            contrast.push(random.coin() * noise * random.normal()).unwrap();
        }
        contrast.smallest_violation(enough, 40).unwrap()
    };
    let (quiet, loud) = (claim(0.01, 0.002), claim(0.01, 0.02));
    assert!(quiet > 0.01 && quiet < 0.013, "{quiet}");
    assert!(((loud - 0.01) / (quiet - 0.01) - 10.0).abs() < 1e-3, "ten times the noise: {loud}");
    assert!((claim(0.5, 0.002) - 0.49 - quiet).abs() < 1e-9, "the distance is that of the noise");
}

#[test]
fn a_value_at_a_limit_neither_exceeds_it_nor_is_below_it() {
    let mut p50 = Percentile::new(0.5, 1.0, 1.0, 10);
    p50.add_process(&[1.0; 30]).unwrap();
    assert!(p50.log_fail() < 0.0 && p50.log_pass() < 0.0);
    let all = Exceedance::pass(0.5).log_evidence_of(30, 30);
    assert!((p50.log_pass() - all).abs() < 1e-12);
}

/// With the same rate in bursts, the values count for fewer, so the smallest detectable violation is larger.
#[test]
fn bursts_make_the_smallest_violation_larger() {
    let enough = threshold(FAIL, 1);
    let claim = |burst: f64| {
        let mut random = Noise::seeded(71);
        let mut p90 = Percentile::new(0.9, 2.0, 2.2, 100);
        for _ in 0..10 {
            let slow = random.bursts(0.1, burst, 1000);
            let process: Vec<_> =
                slow.iter().map(|&slow| random.uniform() + f64::from(u8::from(slow))).collect();
            p90.add_process(&process).unwrap();
        }
        p90.smallest_violation(enough, 10).unwrap()
    };
    let (even, uneven) = (claim(1.0), claim(10.0));
    assert!(even > 2.0 && uneven - 2.0 > 2.0 * (even - 2.0), "{even} {uneven}");
}

#[test]
fn a_process_with_an_invalid_value_is_refused_as_a_whole() {
    let mut p50 = Percentile::new(0.5, 1.0, 1.1, 10);
    p50.add_process(&[0.5; 10]).unwrap();
    let before = (p50.log_fail(), p50.log_pass(), p50.sample().len());
    assert!(p50.add_process(&[0.5, f64::NAN]).is_err());
    assert_eq!((p50.log_fail(), p50.log_pass(), p50.sample().len()), before);
    let mut contrast = Contrast::new(0.0, 0.1);
    contrast.push(0.2).unwrap();
    let before = (contrast.log_fail(), contrast.log_pass());
    assert!(contrast.push(f64::INFINITY).is_err());
    assert_eq!((contrast.log_fail(), contrast.log_pass()), before);
    assert_eq!(contrast.log_ratios(), [0.2]);
}
