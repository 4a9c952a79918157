//! Tests of limits on counts: they are compared once two processes agree on them, or once chance is ruled out, and never with
//! the counts of another counter.

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
    let pending = PendingLimit { limit, template, unjudged: None, carried: Carried::default() };
    drive(Box::new(source), vec![pending], Rules { repeats: 2, ..rules() }).remove(0)
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
fn if_none_agree_the_spread_is_compared() {
    let spread = |text: &str| judge(limit_of(text), None, &[900.0, 910.0, 920.0, 930.0, 940.0]);
    assert_eq!(spread("1200").verdict, Verdict::Pass);
    let between = spread("925");
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
    // A count within the limit leaves the verdict open, and nothing more is measured.
    let open = differing(limit_of("999"), rules(), move |n| if n == 6 { 900.0 } else { over(n) });
    assert_eq!(open.verdict, Verdict::Inconclusive, "{}", open.reason);
    assert!(
        open.notes.iter().any(|n| n.starts_with("not the same in 7 processes")),
        "{:?}",
        open.notes
    );
    // Two counts that agree are only two counts over the limit if a third one differs.
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

/// Returns the share of suites with a single limit of `1.001 x base` that are red. The ratios lie around `middle`, and their
/// logarithms have the standard deviation `sd`.
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
    // At the limit itself it is most likely that all processes are over it.
    let at_limit = reds(1.001, 0.08);
    assert!((0.004..=0.0115).contains(&at_limit), "{at_limit}");
    let slower = reds(1.2, 0.06);
    assert!(slower >= 0.95, "{slower}");
}

/// The counts of a program, each with its probability.
type Modes = &'static [(f64, f64)];
const TWO: Modes = &[(1000.0, 0.5), (1080.0, 0.5)];
const THREE: Modes = &[(1000.0, 0.4), (1020.0, 0.3), (1090.0, 0.3)];
const RARE: Modes = &[(1000.0, 0.9), (1200.0, 0.1)];
const OFTEN: Modes = &[(1000.0, 0.1), (1200.0, 0.9)];
const ONE: Modes = &[(1000.0, 1.0)];

fn draw(modes: Modes, noise: &mut Noise) -> f64 {
    let mut at = noise.uniform();
    for (count, share) in modes {
        at -= share;
        if at < 0.0 {
            return *count;
        }
    }
    modes[modes.len() - 1].0
}

/// Returns the share of red suites, and the most processes that a limit took. A suite has `limits` limits on counts. The counts
/// of the base are drawn from `modes`, and those of this revision are `factor` times such counts.
fn red_suites(key: Key, modes: Modes, factor: f64, limits: usize) -> (f64, usize) {
    const SUITES: usize = 3000;
    let mut noise = Noise::seeded(1818);
    let (mut red, mut most) = (0, 0);
    for _ in 0..SUITES {
        let mut is_red = false;
        for _ in 0..limits {
            let mut side = || draw(modes, &mut noise);
            let ratios: Vec<f64> = (0..40).map(|_| factor * side() / side()).collect();
            let metric = Metric::from(key);
            let limit = ratio(metric.clone(), Bound::Max, 1.001);
            let rules = Rules { statistical: limits, ..rules() };
            let taken = std::sync::Arc::new(AtomicUsize::new(0));
            let counter = taken.clone();
            let outcome = run(vec![limit], rules, move |n| {
                counter.store(n + 1, Ordering::Relaxed);
                Ok(value(metric.clone(), ratios[n]))
            });
            is_red |= outcome[0].verdict == Verdict::Fail;
            most = most.max(taken.load(Ordering::Relaxed));
        }
        red += usize::from(is_red);
    }
    (red as f64 / SUITES as f64, most)
}

#[test]
fn a_few_likely_counts_are_red_in_at_most_alpha_of_the_suites() {
    for key in [Key::Instructions, Key::Allocs, Key::PeakHeap, Key::Fuel] {
        for modes in [TWO, THREE, RARE, OFTEN] {
            let (red, most) = red_suites(key, modes, 1.0, 1);
            assert!(red <= 0.01, "{key:?} {modes:?}: {red}");
            assert!(most <= 7, "{key:?} {modes:?}: {most} processes");
        }
    }
    let (red, most) = red_suites(Key::Instructions, TWO, 1.0, 10);
    assert!(red <= 0.01 && most <= 10, "{red} {most}");
}

#[test]
fn a_change_beyond_the_counts_of_a_program_is_always_red() {
    for key in [Key::Instructions, Key::Allocs, Key::Leaked, Key::Fuel] {
        for (modes, factor) in [(ONE, 1.002), (TWO, 1.1), (THREE, 1.12), (RARE, 1.25)] {
            let (red, most) = red_suites(key, modes, factor, 1);
            assert_eq!((red, most), (1.0, 7), "{key:?} {modes:?}");
        }
    }
}

/// An absolute limit between two counts that are equally likely: the middle of the program is at the limit.
#[test]
fn a_limit_between_two_likely_counts_is_red_in_at_most_alpha() {
    for key in [Key::Instructions, Key::Allocs] {
        let mut noise = Noise::seeded(18);
        let mut red = 0;
        for _ in 0..4000 {
            let counts: Vec<f64> = (0..40).map(|_| draw(TWO, &mut noise)).collect();
            let metric = Metric::from(key);
            let rules = Rules { statistical: 1, ..rules() };
            let outcome = run(vec![max(metric.clone(), "1040")], rules, move |n| {
                Ok(value(metric.clone(), counts[n]))
            });
            red += usize::from(outcome[0].verdict == Verdict::Fail);
        }
        let share = red as f64 / 4000.0;
        assert!((0.003..=0.01).contains(&share), "{key:?}: {share}");
    }
}

#[test]
fn counts_within_the_limit_are_read_twice_as_before() {
    for key in [Key::Allocs, Key::AllocBytes, Key::PeakHeap, Key::Leaked, Key::Fuel] {
        let metric = Metric::from(key);
        let judged = |counts: [f64; 2]| {
            let metric = metric.clone();
            run(vec![max(metric.clone(), "1000")], rules(), move |n| {
                // A third process would have no count.
                Ok(value(metric.clone(), counts[n]))
            })
            .remove(0)
        };
        assert_eq!(judged([900.0, 900.0]).verdict, Verdict::Pass);
        // If all are within the limit, the worst one is the value.
        let differing = judged([900.0, 950.0]);
        assert_eq!(differing.verdict, Verdict::Pass);
        assert_eq!(differing.estimate.map(|estimate| estimate.value), Some(950.0));
        // One of two over the limit may be chance.
        let either = judged([900.0, 1100.0]);
        assert_eq!(either.verdict, Verdict::Inconclusive, "{}", either.reason);
        let note = "not the same in 2 processes: 900 to 1100; they are on either side of the limit";
        let is_bytes = !matches!(key, Key::Allocs | Key::Fuel);
        assert!(is_bytes || either.notes.iter().any(|n| n == note), "{:?}", either.notes);
    }
    // An exit code is not a matter of chance, and neither is the size of a file.
    let exit = Metric::from(Key::Exit);
    let outcome = run(vec![max(exit.clone(), "0")], Rules { repeats: 1, ..rules() }, move |n| {
        Ok(value(exit.clone(), [1.0][n]))
    });
    assert_eq!(outcome[0].verdict, Verdict::Fail);
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
    let verdict =
        |text: &str, accepted| judge(limit_of(text), Some(accepted), &[1000.0, 1000.0]).verdict;
    // `1.2 x lock` is 1080.
    assert_eq!(verdict("1080", accepted(CALLGRIND, Some(1.2))), Verdict::Pass);
    let by_processor = |factor| accepted("the processor's counter", factor);
    assert_eq!(verdict("1080", by_processor(Some(1.2))), Verdict::Inconclusive);
    // More effort does not help: the advice is to accept the value with the command.
    let other = accepted("the processor's counter", Some(1.2));
    let outcome = judge(limit_of("1080"), Some(other), &[1000.0, 1000.0]);
    assert!(outcome.awaits_acceptance());
    let advice = crate::report::terminal::explain(&outcome);
    assert!(advice.contains("cargo budget accept") && !advice.contains("effort"), "{advice}");
    // Counts that differ are accepted as well, as long as they are on one side of the limit.
    let other = || Some(accepted("the processor's counter", Some(1.2)));
    assert!(judge(limit_of("1080"), other(), &[1000.0, 1010.0, 1000.0]).awaits_acceptance());
    assert!(!judge(limit_of("1005"), other(), &[1000.0, 1010.0, 1000.0]).awaits_acceptance());
    // An older release recognized the allocator by another rule, which it did not name.
    let counted =
        Some(Counted { by: format!("{CALLGRIND}, allocator by rule 2"), allocator: None });
    let values = [(Metric::from(Key::Instructions), 1000.0)].into();
    let process = ProcessRun { values, counted, ..ProcessRun::default() };
    let template = Outcome { accepted: Some(accepted(CALLGRIND, Some(1.2))), ..Outcome::default() };
    let pending = PendingLimit {
        limit: limit_of("1080"),
        template,
        unjudged: None,
        carried: Carried::default(),
    };
    let older = drive(Box::new(move || Ok(process.clone())), vec![pending], rules()).remove(0);
    assert_eq!(older.verdict, Verdict::Inconclusive);
    assert!(older.reason.contains("other instructions of the allocator"), "{}", older.reason);
    // An absolute limit may pass with any counter, but a red may be due to the counter.
    assert_eq!(verdict("1200", by_processor(None)), Verdict::Pass);
    assert_eq!(verdict("950", by_processor(None)), Verdict::Inconclusive);
    assert_eq!(verdict("950", accepted(CALLGRIND, None)), Verdict::Fail);
}
