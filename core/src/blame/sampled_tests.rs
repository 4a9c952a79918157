//! Tests with scripted samples of two sides: which functions are blamed.

use super::*;
use crate::outcome::{Blamed, words};

fn stacks(seconds: f64, chains: &[(&str, u64)]) -> Stacks {
    let chains = chains.iter().map(|&(name, count)| (name.to_owned(), count)).collect();
    Stacks { chains, seconds, ..Stacks::default() }
}

fn sample_request() -> Sampled {
    Sampled { own: vec!["work".to_owned()], seconds: 1.5, ..Sampled::default() }
}

/// An operation of 100 µs, and one in which `decode` takes 50 µs more.
fn both() -> (Stacks, Stacks) {
    let counts = |merge, decode, malloc| {
        [("work::merge", merge), ("work::decode'work::merge", decode), (MALLOC, malloc)]
    };
    // 60, 30 and 10 µs.
    let before = stacks(100e-6, &counts(600, 300, 100));
    // 60, 75 and 15 µs: the first takes as long as before, with fewer of the samples.
    let now = stacks(150e-6, &counts(400, 500, 100));
    (before, now)
}

const MALLOC: &str = "malloc'work::decode::h0123456789abcdef'work::merge";

#[test]
fn the_function_that_takes_longer_is_blamed_with_its_interval() {
    let (before, now) = both();
    let blame = sampled(Some(&before), &now, &sample_request());
    let first = &blame.functions[0];
    assert_eq!((first.name.as_str(), blame.functions.len()), ("work::decode", 2));
    assert!((first.own.by() - 50_000.0).abs() < 1.0, "{first:?}");
    let (low, high) = first.interval.unwrap();
    assert!(low > 44_000.0 && low < 46_500.0 && high > 53_500.0 && high < 56_000.0, "{low} {high}");
    let (low, high) = blame.functions[1].interval.unwrap();
    assert!(low < 0.0 && high > 0.0, "{low} {high}");
    assert!((blame.before.unwrap() - 100_000.0).abs() < 1e-3 && !blame.is_same());
    let lines = words::blame(&blame);
    assert_eq!(lines[0], "100 µs -> 150 µs (+50.0 %), by 1000 samples a side in 1.5 s");
    assert!(
        lines[1].starts_with("+50 µs work::decode  (90 % interval +4") && lines.len() == 2,
        "{lines:?}"
    );
    // The tree is in the same unit.
    let tree = blame.calls.unwrap();
    let sum: f64 = tree.frames.iter().map(|frame| frame.own.now).sum();
    assert!((sum - 150_000.0).abs() < 1.0, "{sum}");
}

#[test]
fn no_function_is_blamed_for_a_difference_that_chance_explains() {
    let before = stacks(1e-6, &[("work::a", 50), ("work::b", 50)]);
    let now = stacks(1e-6, &[("work::a", 55), ("work::b", 45)]);
    let blame = sampled(Some(&before), &now, &sample_request());
    assert!(!blame.functions.iter().any(Blamed::is_certain));
    let lines = words::blame(&blame);
    assert!(lines.len() == 2 && lines[1].contains("no function"), "{lines:?}");
}

#[test]
fn the_judged_time_is_shown_and_not_that_of_the_samples() {
    let (before, now) = both();
    let judged = Some(Change { before: 1e-3, now: 1.1e-3 });
    let blame = sampled(Some(&before), &now, &Sampled { judged, ..sample_request() });
    assert!((blame.now - 1.1e6).abs() < 1.0, "{}", blame.now);
}

#[test]
fn without_a_reference_it_says_where_the_time_goes() {
    let (_, now) = both();
    let blame = sampled(None, &now, &sample_request());
    let lines = words::blame(&blame);
    assert_eq!(lines[0], "150 µs now, by 1000 samples in 1.5 s");
    assert!(lines[1].starts_with("60 % work::decode  (90 % interval 57 % to 63 %"), "{lines:?}");
}

#[test]
fn the_remarks_say_what_samples_do_not_see() {
    let (mut before, now) = both();
    before = Stacks { waited: 0.5, others: 2.0, broken: 900, lost: 1, ..before };
    let why = "install Valgrind".to_owned();
    let blame = sampled(Some(&before), &now, &Sampled { why, ..sample_request() });
    let remarks = blame.remarks.join("\n");
    for word in ["install Valgrind", "50 %", "200 %", "900 of 2000", "fewer samples"] {
        assert!(remarks.contains(word), "{word}: {remarks}");
    }
    assert_eq!(words::blame(&blame).len(), 2 + blame.remarks.len());
    // A binary without symbols.
    let stripped = stacks(1e-6, &[("0x1234", 90), ("malloc", 10)]);
    let lines = words::blame(&sampled(None, &stripped, &sample_request()));
    assert!(lines[1].contains("90 %") && lines[1].contains("strip = false"), "{lines:?}");
}

#[test]
fn without_samples_no_function_is_blamed() {
    let blame = sampled(Some(&Stacks::default()), &Stacks::default(), &sample_request());
    assert!(blame.functions.is_empty());
    assert!(!words::blame(&blame).is_empty());
}

/// A limit in seconds is no comparison, so only the time now is known.
#[test]
fn the_judged_time_is_that_of_the_operation_without_a_reference_too() {
    let (_, now) = both();
    let judged = Some(Change { before: 0.0, now: 67.9e-6 });
    let blame = sampled(None, &now, &Sampled { judged, ..sample_request() });
    assert!((blame.now - 67_900.0).abs() < 1e-3, "{}", blame.now);
    // Against a reference both times have to be known.
    let blame = sampled(Some(&now), &now, &Sampled { judged, ..sample_request() });
    assert!((blame.now - 150_000.0).abs() < 1e-3, "{}", blame.now);
}

#[test]
fn a_thread_that_did_not_run_may_have_had_no_processor() {
    let (_, mut now) = both();
    now.waited = 0.44;
    let blame = sampled(None, &now, &sample_request());
    let says = |remark: &String| remark.contains("44 %") && remark.contains("its processor");
    assert!(blame.remarks.iter().any(says));
}

#[test]
fn samples_of_other_threads_are_told_from_those_of_the_thread_that_waits() {
    let (_, mut now) = both();
    (now.waited, now.others, now.instead) = (0.9, 0.8, 640);
    let remarks = sampled(None, &now, &sample_request()).remarks.join("\n");
    for word in ["90 %", "64 % of the samples are of another thread", "80 %"] {
        assert!(remarks.contains(word), "{word}: {remarks}");
    }
    assert!(!remarks.contains("not what it waited for"), "{remarks}");
}

/// Parts that are too small to be named are left out of the line.
#[test]
fn a_function_without_parts_that_are_named_has_no_list_of_them() {
    let before = stacks(1e-3, &[("work::a", 900), ("malloc'work::b", 0), ("free'work::b", 0)]);
    let now = stacks(1e-3, &[("work::a", 870), ("malloc'work::b", 15), ("free'work::b", 15)]);
    let lines = words::blame(&sampled(Some(&before), &now, &sample_request()));
    let line = lines.iter().find(|line| line.contains("work::b")).unwrap();
    assert!(!line.contains("of it") && line.ends_with(')'), "{lines:?}");
}
