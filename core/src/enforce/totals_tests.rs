//! Tests of ratios of means, by the usual operation and by all operations together.

use std::time::Duration;

use super::scripted::rules;
use super::tests::{drive_from, pending_limits};
use super::{Origin, Rules};
use crate::budget::{Bound, Limit, Reference, Target};
use crate::metric::{Key, Metric, Statistic};
use crate::outcome::Outcome;
use crate::reading::ProcessRun;
use crate::stats::tests::noise::Noise;
use crate::verdict::Verdict;
use crate::verdict::judge::Carried;

const MEAN: Metric = Key::Mean.at(Statistic::Mean);

fn limit(metric: Metric, bound: Bound, factor: f64) -> Limit {
    super::scripted::limit(metric, bound, Target::Relative { factor, reference: Reference::Base })
}

/// Judges pairs of 50 ms whose usual operations are alike, up to the noise of a pair, while all operations of the subject
/// take `whole` times as long, and those of the reference once.
fn judged(seed: u64, limit: Limit, whole: impl Fn(&mut Noise) -> f64 + Send + 'static) -> Outcome {
    let mut random = Noise::seeded(seed);
    let metric = limit.metric.clone();
    let source = move || {
        let elapsed = Duration::from_millis(50);
        let mut process = ProcessRun { elapsed, ..ProcessRun::default() };
        let usual = (0.005 * random.normal()).exp();
        process.values.insert(metric.clone(), usual);
        let whole = whole(&mut random);
        process.totals.insert(metric.clone(), (whole * (0.013 * random.normal()).exp(), 1.0));
        Ok(process)
    };
    let rules = Rules { statistical: 1, ..rules() };
    let pending = pending_limits(Carried::default(), vec![limit]);
    drive_from(Origin::Measured, Box::new(source), pending, rules).remove(0)
}

/// Returns how long `operations` operations take on average, of which one in `every` takes `times` as long as the others.
fn amortized(random: &mut Noise, operations: usize, every: f64, times: f64) -> f64 {
    let long = (0..operations).filter(|_| random.happens(1.0 / every)).count();
    1.0 + long as f64 * (times - 1.0) / operations as f64
}

/// The subjects are 19.5, 35 and 20 % slower. Judged by the usual operation alone, all of them would pass.
#[test]
fn rare_long_operations_do_not_pass() {
    for (operations, every, times) in [(960, 200.0, 40.0), (128, 20.0, 8.0), (960, 2000.0, 400.0)] {
        let mut passed = 0;
        for seed in 0..60 {
            let outcome = judged(seed, limit(MEAN, Bound::Max, 1.03), move |random| {
                amortized(random, operations, every, times)
            });
            passed += usize::from(outcome.verdict == Verdict::Pass);
            assert!(!outcome.is_red(), "the usual operation is as long: {}", outcome.reason);
        }
        assert!(passed <= 3, "{passed} of 60 with one of {every} operations {times} times as long");
    }
    let outcome = judged(1, limit(MEAN, Bound::Max, 1.03), |_| 1.195);
    assert_eq!(outcome.verdict, Verdict::Inconclusive);
    let why = "for the usual operation, within the limit of 1.03 x base, and rare long operations make it 1.19";
    assert!(outcome.reason.contains(why), "{}", outcome.reason);
    // A rate is smaller if a time is larger.
    let rate = || limit(Metric::from(Key::Throughput), Bound::Min, 0.97);
    let outcome = judged(1, rate(), |_| 1.195);
    assert!(outcome.reason.contains("rare long operations make it 0.83"), "{}", outcome.reason);
    assert_eq!(judged(1, rate(), |_| 0.8).verdict, Verdict::Pass);
}

/// One pair in 20 is a tenth longer, by a time slice that was not noticed.
#[test]
fn a_spike_of_the_machine_costs_a_few_pairs() {
    let (mut pairs, runs) = (0, 100);
    for seed in 0..runs {
        let outcome = judged(seed, limit(MEAN, Bound::Max, 1.01), |random| {
            if random.happens(0.05) { 1.1 } else { 1.0 }
        });
        assert_eq!(outcome.verdict, Verdict::Pass, "{}", outcome.reason);
        pairs += outcome.evidence.unwrap().processes;
    }
    let mean = pairs as f64 / runs as f64;
    assert!(mean <= 9.5, "{mean} pairs");
}
