//! Tests of limits on instructions, which are compared once two processes agree on them, and never with the counts of
//! another counter.

use super::*;
use crate::outcome::{Accepted, Counted};
use crate::quantity::Unit;

const CALLGRIND: &str = "callgrind 3.19.0, glibc 2.36, x86-64-v3";

/// Judges a limit on instructions by processes that count these.
fn judge(limit: Limit, accepted: Option<Accepted>, counts: &'static [f64]) -> Outcome {
    let counted = Some(Counted { by: CALLGRIND.to_owned(), allocator: Some(70.0) });
    let mut nth = 0;
    let source = move || {
        let count = counts[nth.min(counts.len() - 1)];
        nth += 1;
        let values = [(Metric::from(Key::Instructions), count)].into();
        Ok(ProcessRun { values, counted: counted.clone(), ..ProcessRun::default() })
    };
    let template = Outcome { metric: "instructions".to_owned(), accepted, ..Outcome::default() };
    let asked = PendingLimit { limit, template, unjudged: None, carried: Carried::default() };
    drive(Box::new(source), vec![asked], Rules { repeats: 2, ..rules() }).remove(0)
}

fn limit_of(text: &str) -> Limit {
    max(Metric::from(Key::Instructions), text)
}

#[test]
fn the_value_is_that_on_which_two_processes_agree() {
    let agreed = judge(limit_of("1000"), None, &[1200.0, 900.0, 900.0]);
    assert_eq!(agreed.verdict, Verdict::Pass, "{}", agreed.reason);
    assert_eq!(agreed.estimate.map(|estimate| estimate.value), Some(900.0));
    let note =
        "not the same in 3 processes: 900 to 1200; the value that two of them agree on counts";
    assert!(agreed.notes.iter().any(|n| n == note), "{:?}", agreed.notes);
    assert!(agreed.notes.iter().any(|n| n.contains(CALLGRIND) && n.contains("70.0 more")));
    let over = judge(limit_of("1000"), None, &[1001.0, 1001.0]);
    assert_eq!(over.verdict, Verdict::Fail);
}

#[test]
fn where_none_agree_the_spread_is_compared() {
    let of = |text: &str| judge(limit_of(text), None, &[900.0, 910.0, 920.0, 930.0, 940.0]);
    assert_eq!(of("1200").verdict, Verdict::Pass);
    let between = of("925");
    assert_eq!(between.verdict, Verdict::Inconclusive);
    let reason =
        "no verdict: instructions is 900 to 940, different in each process, with a limit of 925";
    assert!(between.reason.starts_with(reason), "{}", between.reason);
}

/// Judges a limit by processes that count these, in the suite of these rules.
fn differing(limit: Limit, rules: Rules, count: impl Fn(usize) -> f64 + Send + 'static) -> Outcome {
    let metric = Metric::from(Key::Instructions);
    run(vec![limit], rules, move |n| Ok(value(metric.clone(), count(n)))).remove(0)
}

#[test]
fn counts_that_differ_are_red_once_chance_is_ruled_out() {
    let over = |n: usize| 1000.0 + n as f64;
    // `2^-12` is below 0.01 / 25, and `2^-11` is not.
    let red = differing(limit_of("999"), rules(), over);
    assert_eq!(red.verdict, Verdict::Fail, "{}", red.reason);
    assert!(
        red.notes.iter().any(|n| n.starts_with("not the same in 12 processes")),
        "{:?}",
        red.notes
    );
    // One that is within the limit leaves it open, and nothing more is measured for it.
    let open = differing(limit_of("999"), rules(), move |n| if n == 6 { 900.0 } else { over(n) });
    assert_eq!(open.verdict, Verdict::Inconclusive, "{}", open.reason);
    assert!(
        open.notes.iter().any(|n| n.starts_with("not the same in 7 processes")),
        "{:?}",
        open.notes
    );
    // Two that agree are no more than two over the limit, where a third has another value.
    let modes = differing(limit_of("1000"), rules(), |n| if n % 2 == 0 { 1200.0 } else { 900.0 });
    assert_ne!(modes.verdict, Verdict::Fail, "{}", modes.reason);
    let alike = differing(limit_of("1000"), rules(), |n| if n == 0 { 1100.0 } else { 1200.0 });
    assert_eq!(alike.verdict, Verdict::Fail, "{}", alike.reason);
    assert!(
        alike.notes.iter().any(|n| n.starts_with("not the same in 12 processes")),
        "{:?}",
        alike.notes
    );
}

/// Returns the share of suites with a single limit of `1.001 x base` that are red, where the logarithms of ratios lie around
/// `middle` with this standard deviation.
fn reds(middle: f64, sd: f64) -> f64 {
    const SUITES: usize = 4000;
    let mut noise = Noise::seeded(18);
    let mut red = 0;
    for _ in 0..SUITES {
        let ratios: Vec<f64> = (0..40).map(|_| middle * (sd * noise.normal()).exp()).collect();
        let limit = ratio(Metric::from(Key::Instructions), Bound::Max, 1.001);
        let rules = Rules { statistical: 1, ..rules() };
        let outcome = differing(limit, rules, move |n| ratios[n]);
        red += usize::from(outcome.verdict == Verdict::Fail);
    }
    red as f64 / SUITES as f64
}

#[test]
fn equal_code_whose_counts_differ_is_red_in_at_most_alpha() {
    // A ratio of two processes of equal code is above 1 as often as below.
    let equal = reds(1.0, 0.08);
    assert!(equal <= 0.01, "{equal}");
    // At the limit itself, where all processes over it have the greatest chance.
    let at_limit = reds(1.001, 0.08);
    assert!((0.004..=0.0115).contains(&at_limit), "{at_limit}");
    let slower = reds(1.2, 0.06);
    assert!(slower >= 0.95, "{slower}");
}

#[test]
fn counts_of_different_counters_are_never_compared() {
    let accepted = |counter: &str, factor: Option<f64>| Accepted {
        value: 900.0,
        low: None,
        high: None,
        unit: Unit::Number,
        date: "2026-11-01".parse().unwrap(),
        commit: None,
        elsewhere: None,
        counter: Some(counter.to_owned()),
        factor,
    };
    let of =
        |text: &str, accepted| judge(limit_of(text), Some(accepted), &[1000.0, 1000.0]).verdict;
    // `1.2 x lock` is 1080.
    assert_eq!(of("1080", accepted(CALLGRIND, Some(1.2))), Verdict::Pass);
    assert_eq!(of("1080", accepted("the processor's counter", Some(1.2))), Verdict::Inconclusive);
    // A limit in numbers holds whatever counts, but a red may be the counter's doing.
    assert_eq!(of("1200", accepted("the processor's counter", None)), Verdict::Pass);
    assert_eq!(of("950", accepted("the processor's counter", None)), Verdict::Inconclusive);
    assert_eq!(of("950", accepted(CALLGRIND, None)), Verdict::Fail);
}
