//! Simulations of the interleaved comparison: scripted pairs go through the real coin, ratio and judgement. Then one
//! ingredient is removed at a time, and the result must be worse without it.
//!
//! The noise belongs to the slot and not to the build in it. The true ratio lies exactly at the limit, where a false
//! red is most likely. What pinning is worth can only be measured on a real machine: see `docs/verdicts.md`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use perf_budget_core::budget::{Bound, Limit, Reference, Target};
use perf_budget_core::enforce::scripted::{limit, rules};
use perf_budget_core::enforce::{Inquiry, Origin, PendingLimit, Rules};
use perf_budget_core::metric::{Key, Metric, Statistic};
use perf_budget_core::outcome::{Outcome, Unmeasured};
use perf_budget_core::reading::ProcessRun;
use perf_budget_core::stats::{Betting, clopper_pearson, threshold};
use perf_budget_core::verdict::Verdict;
use perf_budget_core::verdict::judge::Carried;

use super::interleaved::{Interleaved, Pairs};
use super::{Coin, Source, Versus};
use crate::worker::pair::{Pair, Round};

const MEAN: Metric = Key::Mean.at(Statistic::Mean);
/// How many comparisons are simulated with each kind of noise.
const RUNS: u64 = 200;
/// The most pairs of one comparison.
const PAIRS: usize = 80;
/// The scale of the slots' noise, as a log-ratio: far more than the tolerance, so that nothing passes early.
const SIGMA: f64 = 0.2;

const NOISES: [&str; 8] = [
    "normal",
    "slot bias",
    "drift",
    "autoregressive",
    "bursts",
    "regimes",
    "cauchy",
    "exponential",
];

/// Returns how much longer the first slot takes than the second, pair by pair, as log-ratios.
fn noise(kind: &str, random: &mut Coin) -> Vec<f64> {
    let (mut walk, mut regime, mut bursting) = (3.0 * normal(random), 2.0, false);
    let pair = |at: usize| {
        let plain = normal(random);
        walk = 0.95 * walk + plain;
        regime *= if random.uniform() < 0.03 { -1.0 } else { 1.0 };
        bursting = random.uniform() < if bursting { 0.8 } else { 0.05 };
        SIGMA
            * match kind {
                "slot bias" => plain + 1.0,
                "drift" => plain + 4.0 * at as f64 / PAIRS as f64,
                "autoregressive" => walk,
                "bursts" if bursting => 20.0 * (plain + 1.0),
                "regimes" => plain + regime,
                "cauchy" => (std::f64::consts::PI * (random.uniform() - 0.5)).tan(),
                "exponential" => -(1.0 - random.uniform()).ln() - 1.0,
                _ => plain,
            }
    };
    (0..PAIRS).map(pair).map(|ratio| ratio.clamp(-300.0, 300.0)).collect()
}

/// Returns a number from the standard normal distribution (Box & Muller 1958).
fn normal(random: &mut Coin) -> f64 {
    let radius = (-2.0 * (1.0 - random.uniform()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.uniform()).cos()
}

/// Two slots, of which the first takes longer by `noise`. The subject takes longer than the reference by `effect`.
struct Slots {
    noise: std::vec::IntoIter<f64>,
    effect: f64,
}

impl Pairs for Slots {
    fn measure_pair(&mut self, swapped: bool, _coin: &mut Coin) -> Result<Pair, Unmeasured> {
        let noise = self.noise.next().expect("no more pairs are asked for than there are");
        let turns = |log: f64| vec![vec![log.exp()]; 4];
        let (first, second) = if swapped { (0.0, self.effect) } else { (self.effect, 0.0) };
        let (first, second) = (turns(first + noise / 2.0), turns(second - noise / 2.0));
        Ok(Pair { rounds: vec![Round { first, second, ..Round::default() }], ..Pair::default() })
    }
}

/// Returns the limit that allows the subject to be no slower than the base.
fn no_slower_than_base() -> Limit {
    limit(MEAN, Bound::Max, Target::Relative { factor: 1.0, reference: Reference::Base })
}

/// Whether a comparison with the base ends red within this many readings, in a suite of `statistical` limits.
fn ends_red(source: &mut dyn Source, readings: usize, statistical: usize) -> bool {
    let (template, carried) = (Outcome::default(), Carried::default());
    let pending = PendingLimit { limit: no_slower_than_base(), template, carried, unjudged: None };
    let mut inquiry =
        Inquiry::new(vec![pending], Rules { statistical, ..rules() }, Origin::Measured);
    for _ in 0..readings {
        inquiry.add(source.measure_process());
        if let Some(outcome) = inquiry.outcomes().first() {
            return outcome.verdict == Verdict::Fail;
        }
    }
    false
}

/// Whether a comparison with this noise ends red.
fn is_red(noise: Vec<f64>, effect: f64, coin: Coin, statistical: usize) -> bool {
    let pairs = noise.len();
    let slots = Box::new(Slots { noise: noise.into_iter(), effect });
    ends_red(&mut Interleaved { pairs: slots, metrics: vec![MEAN], coin }, pairs, statistical)
}

/// Returns how many of [`RUNS`] comparisons end red. `coin` makes the coin of each from a seed.
fn reds(kind: &str, effect: f64, coin: fn(u64) -> Coin) -> u64 {
    let mut random = Coin::new(20_261_121);
    let red = |run: u64| {
        let seed = run.wrapping_mul(0x2545_f491_4f6c_dd1d);
        is_red(noise(kind, &mut random), effect, coin(seed), 1)
    };
    (0..RUNS).map(red).filter(|&red| red).count() as u64
}

/// Fails if the rate is above `rate` with a confidence of 99.9 %.
#[track_caller]
fn assert_at_most(rate: f64, count: u64, runs: u64, what: &str) {
    let shown = clopper_pearson(count, runs, 0.998).low;
    assert!(shown <= rate, "{what}: {count} of {runs}, promised at most {rate}");
}

/// Fails unless the rate is above `rate` with a confidence of 99.9 %.
#[track_caller]
fn assert_above(rate: f64, count: u64, runs: u64, what: &str) {
    let shown = clopper_pearson(count, runs, 0.998).low;
    assert!(shown > rate, "{what}: only {count} of {runs}, should be above {rate}");
}

#[test]
fn noise_of_the_slots_does_not_make_an_equal_subject_red() {
    for kind in NOISES {
        assert_at_most(rules().alpha, reds(kind, 0.0, Coin::new), RUNS, kind);
    }
}

#[test]
fn a_slower_subject_is_red() {
    let check = |kind: &str, sigmas: f64, at_least: f64| {
        assert_above(at_least, reds(kind, sigmas * SIGMA, Coin::new), RUNS, kind);
    };
    check("normal", 1.0, 0.95);
    check("slot bias", 2.0, 0.95);
    check("exponential", 1.0, 0.95);
    check("bursts", 1.0, 0.6);
    check("cauchy", 2.0, 0.9);
}

/// The coin shows tails every time, so that the sides are never swapped.
#[test]
fn without_the_swap_a_comparison_is_flaky() {
    let check = |kind: &str, at_least: f64| {
        assert_above(at_least, reds(kind, 0.0, |_| Coin::loaded()), RUNS, kind);
    };
    check("slot bias", 0.95);
    check("drift", 0.9);
    check("autoregressive", 0.2);
    check("regimes", 0.2);
    check("bursts", 0.05);
}

/// Both sides run one after the other, and whichever is second is slower, because the machine is warm by then. Only
/// if a coin decides the order does a subject that is no slower than its reference stay green.
#[test]
fn a_coin_decides_which_of_two_sources_runs_first() {
    let reds = |coin: fn(u64) -> Coin| {
        let red = |run: u64| {
            let turn = Arc::new(AtomicUsize::new(0));
            let side = || -> Box<dyn Source> {
                let turn = Arc::clone(&turn);
                Box::new(move || {
                    let warm = turn.fetch_add(1, Ordering::Relaxed) % 2 == 1;
                    let batches = vec![if warm { 1.1e-3 } else { 1e-3 }];
                    Ok(ProcessRun { batches, ..ProcessRun::default() })
                })
            };
            let (subject, reference) = (side(), side());
            let mut versus =
                Versus { subject, reference, metrics: vec![MEAN], coin: coin(run), apart: None };
            ends_red(&mut versus, 30, 1)
        };
        (0..RUNS).filter(|&run| red(run)).count() as u64
    };
    assert_at_most(rules().alpha, reds(Coin::new), RUNS, "with the coin");
    assert_above(0.9, reds(|_| Coin::loaded()), RUNS, "without");
}

/// If the threshold did not depend on the number of limits, one of two hundred limits would be red, although the true
/// ratio of each lies exactly at its limit.
#[test]
fn without_the_number_of_limits_a_suite_is_flaky() {
    const SUITES: u64 = 10;
    let mut random = Coin::new(200);
    let mut suites = |statistical: usize| {
        let mut red = |_| {
            let pairs: Vec<f64> = (0..40).map(|_| SIGMA * normal(&mut random)).collect();
            is_red(pairs, 0.0, Coin::new(random.below(usize::MAX) as u64), statistical)
        };
        (0..SUITES).filter(|_| (0..200).map(&mut red).filter(|&red| red).count() > 0).count() as u64
    };
    assert_at_most(rules().alpha, suites(200), SUITES, "with m");
    assert_above(rules().alpha, suites(1), SUITES, "without m");
}

/// A score that is not clipped must be divided by the largest score so far, because the test must not lose more than it
/// has. Then a single outlier makes every later score too small to count.
#[test]
fn without_the_clip_outliers_hide_a_slower_subject() {
    let unclipped = |noise: &[f64], effect: f64, coin: &mut Coin| {
        let (mut betting, mut largest) = (Betting::default(), 0.0_f64);
        noise.iter().any(|noise| {
            let ratio = effect + if coin.toss() { *noise } else { -noise };
            largest = largest.max(ratio.abs());
            betting.push(ratio / largest);
            betting.log_evidence() >= threshold(rules().alpha, 1)
        })
    };
    let (mut random, mut coin) = (Coin::new(7), Coin::new(11));
    let (mut clipped_reds, mut unclipped_reds) = (0, 0);
    for run in 0..RUNS {
        let noise = noise("cauchy", &mut random);
        unclipped_reds += u64::from(unclipped(&noise, 2.0 * SIGMA, &mut coin));
        clipped_reds += u64::from(is_red(noise, 2.0 * SIGMA, Coin::new(run), 1));
    }
    assert_above(0.9, clipped_reds, RUNS, "clipped");
    let shown = clopper_pearson(unclipped_reds, RUNS, 0.998).high;
    assert!(shown < 0.7, "unclipped: {unclipped_reds} of {RUNS}, should miss more");
}
