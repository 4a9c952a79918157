//! The theorem behind the paired test, checked by enumeration: whatever the noise, the evidence has
//! a mean of at most 1 over all outcomes of the coins.

use super::super::{Betting, Paired};
use super::noise::Noise;

const NOISES: [&str; 4] = ["normal", "cauchy", "drift", "four decades"];

fn noise(kind: &str, n: usize, random: &mut Noise) -> Vec<f64> {
    let mut level = 3.0;
    (0..n)
        .map(|_| match kind {
            "normal" => random.normal(),
            "cauchy" => random.cauchy(),
            "drift" => {
                level += random.normal();
                level
            }
            _ => random.exponential() * 10f64.powf(4.0 * random.uniform() - 2.0),
        })
        .collect()
}

/// Returns two means over all `2^n` outcomes of the coins: of the evidence after each pair, and of the evidence of a
/// run that stops as soon as it has doubled.
fn means(noise: &[f64], effect: f64, test: &Paired) -> (Vec<f64>, f64) {
    let n = noise.len();
    let mut at = vec![0.0; n];
    let mut stopped = 0.0;
    let share = 1.0 / f64::from(1u32 << n);
    for coins in 0..1u32 << n {
        let mut test = test.clone();
        let mut stop = None;
        for (i, noise) in noise.iter().enumerate() {
            let sign = if coins >> i & 1 == 1 { 1.0 } else { -1.0 };
            test.push(effect + sign * noise).unwrap();
            let evidence = test.log_evidence().exp();
            at[i] += evidence * share;
            stop = stop.or((evidence >= 2.0 || i + 1 == n).then_some(evidence));
        }
        stopped += stop.unwrap_or(1.0) * share;
    }
    (at, stopped)
}

#[test]
fn evidence_is_fair_at_the_threshold_and_losing_beyond() {
    let mut random = Noise::seeded(1939);
    for kind in NOISES {
        let noise = noise(kind, 8, &mut random);
        let check = |effect: f64, test: &Paired, fair: bool| {
            let (at, stopped) = means(&noise, effect, test);
            for mean in at.into_iter().chain([stopped]) {
                assert!(mean <= 1.0 + 1e-12, "{kind} {effect}: {mean}");
                assert!(!fair || (mean - 1.0).abs() <= 1e-12, "{kind} {effect}: {mean}");
            }
        };
        check(0.0, &Paired::fail(0.0), true);
        check(0.3, &Paired::pass(0.3), true);
        for effect in [-0.01, -0.3, -5.0] {
            check(effect, &Paired::fail(0.0), false);
            check(-effect, &Paired::pass(0.0), false);
        }
    }
}

#[test]
fn a_real_effect_is_not_fair() {
    let noise = noise("normal", 8, &mut Noise::seeded(7));
    let (at, stopped) = means(&noise, 0.5, &Paired::fail(0.0));
    assert!(at[7] > 1.5 && stopped > 1.1, "{at:?} {stopped}");
}

#[test]
fn the_kernel_is_a_martingale() {
    let sizes = [0.3, 1.0, 0.0, 0.7, 0.999, 0.05, 1.0, 0.5, 0.2, 0.9, 1.0, 0.6];
    let mean: f64 = (0..1u32 << sizes.len())
        .map(|coins| {
            let mut betting = Betting::default();
            for (i, size) in sizes.iter().enumerate() {
                betting.push(if coins >> i & 1 == 1 { *size } else { -size });
            }
            betting.log_evidence().exp()
        })
        .sum::<f64>()
        / 4096.0;
    assert!((mean - 1.0).abs() <= 1e-12, "{mean}");
}

#[test]
fn a_pair_exactly_at_the_limit_changes_nothing() {
    let mut test = Paired::fail(0.0);
    test.push(0.0).unwrap();
    assert!(test.log_evidence().abs() < 1e-15);
    test.push(0.1).unwrap();
    let before = test.log_evidence();
    assert!(before > 0.0);
    assert!(test.push(f64::NAN).is_err() && test.push(f64::NEG_INFINITY).is_err());
    assert!((test.log_evidence() - before).abs() < 1e-15);
}

/// Nine pairs are the fewest that can fail at 1 %, and six the fewest that can pass at 5 %.
#[test]
fn no_effect_is_proved_by_a_few_pairs() {
    let check = |alpha: f64, want: usize| {
        let mut test = Paired::fail(0.0);
        let needed = (1..100).find(|_| {
            test.push(1e6).unwrap();
            test.log_evidence() >= (1.0 / alpha).ln()
        });
        assert_eq!(needed, Some(want), "{alpha}");
    };
    check(0.01, 9);
    check(0.01 / 34.0, 15);
    check(0.05, 6);
}
