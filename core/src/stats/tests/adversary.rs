//! Tests with the same code on both sides of a pair, under every kind of noise that makes other gates flaky.

use super::super::{Paired, threshold};
use super::noise::Noise;
use super::{assert_at_most, assert_breaks};

const RUNS: u64 = 400;
const PAIRS: usize = 80;

const NOISES: [&str; 8] = [
    "autoregressive",
    "slot bias",
    "drift",
    "regimes",
    "outliers",
    "cauchy",
    "exponential",
    "normal",
];

fn noise(kind: &str, random: &mut Noise) -> Vec<f64> {
    let walk = |random: &mut Noise, phi: f64| random.autoregressive(phi, PAIRS);
    match kind {
        "autoregressive" => walk(random, 0.95),
        "regimes" => {
            let regime = walk(random, 0.98);
            let noise = walk(random, 0.5);
            noise.iter().zip(regime).map(|(noise, regime)| noise + 3.0 * regime.signum()).collect()
        }
        _ => (0..PAIRS)
            .map(|i| match kind {
                "slot bias" => random.normal() + 1.0,
                "drift" => random.normal() + 4.0 * i as f64 / PAIRS as f64,
                "outliers" => random.normal() * if random.happens(0.3) { 20.0 } else { 1.0 },
                "cauchy" => random.cauchy(),
                "exponential" => random.exponential() - 1.0,
                _ => random.normal(),
            })
            .collect(),
    }
}

/// Counts how many of [`RUNS`] runs reach 1:100 and 1:20, when looked at after every pair.
fn alarms(kind: &str, swap: bool, effect: f64, side: fn(f64) -> Paired) -> (u64, u64) {
    let mut random = Noise::seeded(20_240_301);
    let (mut strict, mut loose) = (0, 0);
    for _ in 0..RUNS {
        let mut test = side(0.0);
        let mut most = f64::NEG_INFINITY;
        for noise in noise(kind, &mut random) {
            let coin = if swap { random.coin() } else { 1.0 };
            test.push(effect + coin * noise).unwrap();
            most = most.max(test.log_evidence());
        }
        strict += u64::from(most >= threshold(0.01, 1));
        loose += u64::from(most >= threshold(0.05, 1));
    }
    (strict, loose)
}

#[test]
fn with_the_swap_no_noise_makes_it_flake() {
    for kind in NOISES {
        let (strict, loose) = alarms(kind, true, 0.0, Paired::fail);
        assert_at_most(0.01, strict, RUNS, kind);
        assert_at_most(0.05, loose, RUNS, kind);
    }
    for kind in ["slot bias", "exponential"] {
        let (strict, loose) = alarms(kind, true, 0.0, Paired::pass);
        assert_at_most(0.01, strict, RUNS, kind);
        assert_at_most(0.05, loose, RUNS, kind);
    }
}

#[test]
fn half_way_to_the_limit_it_flakes_less() {
    for kind in ["normal", "cauchy"] {
        let (_, at_limit) = alarms(kind, true, 0.0, Paired::fail);
        let (strict, below) = alarms(kind, true, -0.5, Paired::fail);
        assert!(strict <= 1 && below <= at_limit, "{kind}: {below} {at_limit}");
    }
}

/// This is the negative control: without the coin, the same noises are called regressions.
#[test]
fn without_the_swap_it_flakes() {
    let check = |kind: &str, at_least: f64| {
        let (strict, _) = alarms(kind, false, 0.0, Paired::fail);
        assert_breaks(at_least, strict, RUNS, kind);
    };
    check("autoregressive", 0.3);
    check("slot bias", 0.95);
    check("drift", 0.95);
    check("regimes", 0.3);
}

/// Real effects are caught. Without this, a test that never fails anything would meet all the other guarantees.
#[test]
fn real_effects_are_caught() {
    let check = |kind: &str, effect: f64, at_least: f64| {
        let (strict, _) = alarms(kind, true, effect, Paired::fail);
        assert_breaks(at_least, strict, RUNS, kind);
    };
    check("normal", 1.0, 0.97);
    check("normal", 0.5, 0.65);
    check("outliers", 1.0, 0.65);
    check("exponential", 1.0, 0.95);
    check("cauchy", 2.0, 0.95);
}
