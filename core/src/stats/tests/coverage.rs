//! Tests that every interval covers the truth as often as it promises; the intervals of `sequence.rs` do so at all
//! looks at once.

use super::super::{Contrast, Interval, Percentile, Sample, detect, order, sequence};
use super::assert_at_most;
use super::noise::Noise;

const ALPHA: f64 = 0.1;

/// Returns the true quantile of the latencies of [`Noise`], which are `exp(normal/2)`.
fn true_quantile(q: f64) -> f64 {
    let normal = match q {
        0.5 => 0.0,
        0.9 => 1.281_551_565_544_600_4,
        0.99 => 2.326_347_874_040_840_8,
        _ => unreachable!("no table for {q}"),
    };
    f64::exp(0.5 * normal)
}

#[test]
fn fixed_intervals_cover() {
    const RUNS: u64 = 400;
    let check = |q: f64, n: usize| {
        let mut random = Noise::seeded(3);
        let missed = (0..RUNS).filter(|_| {
            let sample = Sample::new((0..n).map(|_| random.latency()).collect()).unwrap();
            !order::interval(&sample, q, 1.0 - ALPHA).unwrap().holds(true_quantile(q))
        });
        assert_at_most(ALPHA, missed.count() as u64, RUNS, &format!("p{q} of {n}"));
    };
    check(0.5, 40);
    check(0.9, 100);
    check(0.99, 400);
}

/// Growing samples are looked at a hundred times, and a miss at any look counts.
#[test]
fn sequences_cover_at_every_look() {
    const RUNS: u64 = 60;
    let check = |q: f64, step: usize| {
        let mut random = Noise::seeded(17);
        let mut missed = 0;
        for _ in 0..RUNS {
            let mut sample = Sample::default();
            let mut gap = false;
            for _ in 0..40 {
                let more: Vec<f64> = (0..step).map(|_| random.latency()).collect();
                sample.extend(&more).unwrap();
                gap |= !sequence::quantile(&sample, q, ALPHA).holds(true_quantile(q));
            }
            missed += u64::from(gap);
        }
        assert_at_most(ALPHA, missed, RUNS, &format!("p{q}"));
    };
    check(0.5, 5);
    check(0.9, 20);
    check(0.99, 50);
}

#[test]
fn sequences_cover_what_bursts() {
    const RUNS: u64 = 25;
    let mut random = Noise::seeded(19);
    let (mut missed, mut bounded) = (0, 0);
    for _ in 0..RUNS {
        let mut p90 = Percentile::new(0.9, 1.0, 1.1, 100);
        let mut gap = false;
        for _ in 0..10 {
            // Values are uniform on (0, 1) in calm times and on (1, 2) in bursts, so the true p90 is 1.
            let process: Vec<f64> = random
                .bursts(0.1, 5.0, 500)
                .into_iter()
                .map(|bursts| random.uniform() + f64::from(u8::from(bursts)))
                .collect();
            p90.add_process(&process).unwrap();
            gap |= p90.interval(ALPHA).low > 1.0;
        }
        missed += u64::from(gap);
        bounded += u64::from(p90.interval(ALPHA).low > 0.8);
    }
    assert_at_most(ALPHA / 2.0, missed, RUNS, "lower end, in blocks");
    assert_eq!(bounded, RUNS, "and is no idle bound");
}

#[test]
fn paired_sequences_cover_under_drift_and_heavy_tails() {
    const RUNS: u64 = 30;
    let check = |name: &str, noise: fn(&mut Noise, usize) -> f64| {
        let mut random = Noise::seeded(23);
        let (mut missed, mut width) = (0, 0.0);
        for _ in 0..RUNS {
            let mut contrast = Contrast::new(0.0, 0.1);
            let mut gap = false;
            for i in 0..32 {
                contrast.push(0.3 + random.coin() * noise(&mut random, i)).unwrap();
                if i == 15 || i == 31 {
                    gap |= !contrast.interval(ALPHA).holds(0.3);
                }
            }
            missed += u64::from(gap);
            width += contrast.interval(ALPHA).width() / RUNS as f64;
        }
        assert_at_most(ALPHA, missed, RUNS, name);
        assert!(width < 12.0, "{name}: {width}");
    };
    check("normal", |random, _| random.normal());
    check("cauchy", |random, _| random.cauchy());
    check("drift", |random, i| random.normal() + i as f64 / 10.0);
}

/// Interval and verdict are one test: an end of the interval crosses the limit exactly when that side decides.
#[test]
fn intervals_agree_with_verdicts() {
    let mut random = Noise::seeded(29);
    // Each side of the interval has half of alpha, and the single side of the verdict has all of it.
    let enough = super::super::threshold(ALPHA / 2.0, 1);
    let mut decided = 0;
    for i in 0..60 {
        let limit = 1.0 + 0.04 * f64::from(i);
        let mut p90 = Percentile::new(0.9, limit, limit, 10);
        p90.add_process(&(0..300).map(|_| random.latency()).collect::<Vec<_>>()).unwrap();
        let Interval { low, high } = p90.interval(ALPHA);
        assert_eq!(p90.log_fail() >= enough, low > limit, "{limit} {low}");
        assert_eq!(p90.log_pass() >= enough, high < limit, "{limit} {high}");
        decided += u32::from(low > limit) + 100 * u32::from(high < limit);
    }
    assert!(decided % 100 > 5 && decided / 100 > 5, "{decided}");
}

#[test]
fn what_is_not_bounded_says_so() {
    let few = Sample::new(vec![1.0; 5]).unwrap();
    let got = sequence::quantile(&few, 0.99, 0.05);
    assert_eq!((got.low, got.high), (1.0, f64::INFINITY), "five at 1 do bound a p99 from below");
    let got = sequence::quantile(&Sample::default(), 0.5, 0.05);
    assert_eq!((got.low, got.high), (f64::NEG_INFINITY, f64::INFINITY));
    let of = |log_ratios: &[f64]| {
        let mut contrast = Contrast::new(0.0, 0.1);
        for &z in log_ratios {
            contrast.push(z).unwrap();
        }
        contrast.interval(0.05)
    };
    assert!(of(&[]).width().is_infinite() && of(&[0.1]).width().is_infinite());
    let got = of(&[0.1; 30]);
    assert!((got.low - 0.1).abs() < 1e-9 && got.width() < 1e-9, "{got:?}");
}

/// A hundred thousand values are handled, at three percentiles.
#[test]
fn large_samples_are_no_burden() {
    let mut random = Noise::seeded(31);
    let sample = Sample::new((0..100_000).map(|_| random.latency()).collect()).unwrap();
    for q in [0.5, 0.9, 0.99] {
        let got = sequence::quantile(&sample, q, 0.05);
        assert!(got.holds(true_quantile(q)), "{q}: {got:?}");
        assert!(got.width() < 0.05 * true_quantile(q), "{q}: {got:?}");
    }
    let p1 = detect::exceedance(100_000, 0.01, super::super::threshold(0.01, 200)).unwrap();
    assert!(p1 > 0.01 && p1 < 0.013, "{p1}");
}
