//! Tests of the lock: values survive writing and reading to the last digit, and unchanged values stay.

use std::path::Path;

use perf_budget_core::budget;
use perf_budget_core::budget::{Bound, lock};
use perf_budget_core::outcome::{Accepted, Against, Counted, Estimate, Evidence};
use perf_budget_core::quantity::Unit;

use super::*;

fn locked_at(value: f64, low: f64, high: f64) -> Locked {
    let environment = Environment {
        processor: "Z80 \"fast\"".to_owned(),
        cores: 2,
        platform: "linux x86_64".to_owned(),
        profile: "release".to_owned(),
    };
    Locked {
        value,
        low: Some(low),
        high: Some(high),
        unit: Unit::Seconds,
        date: "2026-11-01".parse().unwrap(),
        commit: Some("a1b2c3d".to_owned()),
        counter: Some("callgrind 3.19.0, glibc 2.36, x86-64-v3".to_owned()),
        environment,
        line: 0,
    }
}

#[track_caller]
fn check_round_trip(was: &Locked) {
    let taken = [("a::p99".to_owned(), was.clone())].into();
    let text = block::write(None, &taken).unwrap();
    let mut lock = lock::parse(&text, Path::new("budgets.lock")).expect(&text);
    let mut read = lock.values.remove("a::p99").unwrap();
    read.line = 0;
    assert_eq!(read, *was, "{text}");
}

#[test]
fn every_digit_is_kept() {
    for value in
        [0.0, 3.0, 0.1 + 0.2, 1e-9 / 3.0, 1e300, 1.0 / 3.0, 9e15, 1e16, 123_456_789.0, 5e-324]
    {
        check_round_trip(&locked_at(value, value / 3.0, value * 1.1));
    }
    let bare =
        Locked { low: None, high: None, commit: None, counter: None, ..locked_at(1.5, 1.0, 2.0) };
    check_round_trip(&bare);
    for (_, unit) in lock::UNITS {
        check_round_trip(&Locked { unit, ..bare.clone() });
    }
    let nameless = Environment { processor: String::new(), ..bare.environment.clone() };
    check_round_trip(&Locked { environment: nameless, ..bare });
}

#[test]
fn a_block_has_the_documented_form() {
    let taken = [("merge::p99".to_owned(), locked_at(0.005_123, 0.005_05, 0.005_21))].into();
    let want = "# The values last accepted, one block each, written by `cargo budget accept`. Keep it under \
                version control.\n\
                version = 1\n\
                \n\
                [\"merge::p99\"]\n\
                value = 0.005123 # 5.12 ms, between 5.05 ms and 5.21 ms\n\
                low = 0.00505\n\
                high = 0.00521\n\
                unit = \"s\"\n\
                date = \"2026-11-01\"\n\
                commit = \"a1b2c3d\"\n\
                counter = \"callgrind 3.19.0, glibc 2.36, x86-64-v3\"\n\
                environment = { platform = \"linux x86_64\", processor = 'Z80 \"fast\"', cores = 2, \
                profile = \"release\" }\n";
    assert_eq!(block::write(None, &taken).unwrap(), want);
}

#[track_caller]
fn check_same(want: bool, was: &Locked, now: &Locked, exact: bool) {
    let evidence = Evidence {
        fail: 0.0,
        fail_at: 5.0,
        pass: 3.0,
        pass_at: 3.0,
        detectable: None,
        detectable_longer: None,
        effort_to_settle: None,
        processes: 3,
        values: 9,
        waited: None,
        preempted: None,
    };
    let outcome = Outcome { evidence: (!exact).then_some(evidence), ..Outcome::default() };
    assert_eq!(is_same(was, now, &outcome), want, "{was:?} {now:?}");
}

#[test]
fn unchanged_values_are_recognized() {
    let was = locked_at(5.0, 4.5, 5.5);
    check_same(true, &was, &locked_at(5.0, 5.0, 5.0), true);
    check_same(false, &was, &locked_at(5.1, 5.1, 5.1), true);
    check_same(true, &was, &locked_at(6.0, 5.5, 6.5), false);
    check_same(false, &was, &locked_at(6.1, 5.6, 6.5), false);
    check_same(true, &was, &locked_at(4.0, 3.5, 4.5), false);
    check_same(false, &was, &locked_at(3.9, 3.5, 4.4), false);
    // An end that is not bounded may be anywhere, so such intervals overlap.
    check_same(true, &was, &Locked { high: None, ..locked_at(4.0, 3.5, 0.0) }, false);
    let mut elsewhere = was.clone();
    elsewhere.environment.cores = 8;
    check_same(false, &was, &elsewhere, false);
    check_same(true, &was, &elsewhere, true);
    check_same(false, &was, &Locked { unit: Unit::Bytes, ..was.clone() }, true);
}

/// If another counter counted the accepted value, only accepting the new value settles the limit.
#[test]
fn a_value_that_another_counter_counted_is_accepted() {
    let text = "[budget.b]\nworkload = \"w\"\nmax.instructions = \"1.2 x lock\"\n";
    let budgets = budget::parse(text, Path::new("budgets.toml")).unwrap();
    let terms =
        Terms { named: &[], red: false, today: "2026-11-01".parse().unwrap(), commit: None };
    let check = |counter: &str, limit: f64, ends: Option<f64>, want: bool| {
        let accepted = Accepted {
            value: 900.0,
            low: None,
            high: None,
            unit: Unit::Number,
            date: terms.today,
            commit: None,
            elsewhere: None,
            counter: Some(counter.to_owned()),
            factor: Some(1.2),
        };
        let outcome = Outcome {
            budget: "b".to_owned(),
            metric: "instructions".to_owned(),
            verdict: Verdict::Inconclusive,
            against: Some(Against {
                bound: Bound::Max,
                limit,
                warn: limit,
                tolerance: 0.0,
                unit: Unit::Number,
            }),
            estimate: Some(Estimate { value: 1000.0, low: ends, high: ends.map(|low| low + 1.0) }),
            counted: Some(Counted { by: "callgrind 3.19.0".to_owned(), allocator: None }),
            accepted: Some(accepted),
            ..Outcome::default()
        };
        assert_eq!(
            refusal(&outcome, &budgets, &terms).is_ok(),
            want,
            "{counter}, {limit}, {ends:?}"
        );
    };
    check("the processor's counter", 1080.0, None, true);
    check("callgrind 3.19.0", 1080.0, None, false);
    // Counts on both sides of the limit have to be made equal first.
    check("the processor's counter", 1080.0, Some(999.0), true);
    check("the processor's counter", 999.5, Some(999.0), false);
}
