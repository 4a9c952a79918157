//! Tests of what instructions say of a limit: the table of cases in `docs/blame.md`, a line of it for each test.

use perf_budget_core::budget::Bound;
use perf_budget_core::outcome::{Against, Blamed, Estimate, words};

use super::*;

/// Returns the outcome of a limit of 1.05 x base whose value is 1.2 x base, of which layout can make 25 %.
fn over(verdict: Verdict, doubt: Option<Doubt>) -> Outcome {
    let (bound, limit) = (Bound::Max, 1.05);
    Outcome {
        verdict,
        doubt,
        reason: "1.2 x base".to_owned(),
        against: Some(Against { bound, limit, warn: limit, tolerance: 0.0, unit: Unit::Ratio }),
        estimate: Some(Estimate { value: 1.2, low: None, high: None }),
        layout: Some(0.25),
        ..Outcome::default()
    }
}

/// Returns a profile in which one operation runs so many instructions and calls the system so often, at the base and now.
fn counts(instructions: [f64; 2], calls: [f64; 2]) -> Blame {
    let change = |[before, now]: [f64; 2]| Change { before, now };
    let function =
        Blamed { name: "work::merge".to_owned(), own: change(instructions), ..Blamed::default() };
    Blame {
        by: "callgrind".to_owned(),
        before: Some(instructions[0]),
        now: instructions[1],
        system_calls: Some(change(calls)),
        functions: vec![function],
        ..Blame::default()
    }
}

/// Adds what counts say, and returns what was added to the reason, and the lines of the blame. No verdict and no doubt changes.
fn with_counts(outcome: Outcome, blame: &Blame) -> (String, Vec<String>) {
    with_faults(outcome, blame, Some(Change { before: 3.0, now: 3.05 }))
}

/// Does the same for an operation with these page faults.
fn with_faults(
    mut outcome: Outcome,
    blame: &Blame,
    faults: Option<Change>,
) -> (String, Vec<String>) {
    let before = outcome.clone();
    let is_layout = add_instruction_counts(&mut outcome, blame, faults);
    let added = outcome.reason.strip_prefix(&*before.reason).unwrap().to_owned();
    assert_eq!(Outcome { reason: before.reason.clone(), ..outcome }, before, "only the reason");
    (added, words::blame(&Blame { is_layout, ..blame.clone() }))
}

const EQUAL: [f64; 2] = [1000.0, 1000.0];
const NO_CALLS: [f64; 2] = [0.0, 0.0];

#[test]
fn a_time_within_what_layout_can_make_is_said_to_be_layout_if_all_counts_are_equal() {
    let may_be_layout = || over(Verdict::Inconclusive, Some(Doubt::Layout));
    let (added, lines) = with_counts(may_be_layout(), &counts(EQUAL, NO_CALLS));
    assert_eq!(added, ONLY_LAYOUT);
    assert!(lines[0].ends_with("link order or memory layout"), "{lines:?}");
    // Other system calls, or calls that were not counted, are another cause.
    let other = counts(EQUAL, [1.0, 2.0]);
    let unknown = Blame { system_calls: None, ..counts(EQUAL, NO_CALLS) };
    for blame in [other, unknown] {
        let (added, lines) = with_counts(may_be_layout(), &blame);
        assert_eq!(added, NOT_ONLY_LAYOUT);
        assert!(lines[0].ends_with("waiting, memory or caches are left"), "{lines:?}");
    }
    // So is memory: other page faults, faults that are not known, and other bytes that are allocated.
    let equal = counts(EQUAL, NO_CALLS);
    for faults in [None, Some(Change { before: 1.0, now: 60.0 })] {
        assert_eq!(with_faults(may_be_layout(), &equal, faults).0, NOT_ONLY_LAYOUT);
    }
    assert!(faults_remark(Change { before: 1.0, now: 60.0 }).unwrap().starts_with("1.0 -> 60.0 "));
    assert_eq!(faults_remark(Change { before: 1.0, now: 1.02 }), None);
    let larger = Blame { allocated: Some(Change { before: 64.0, now: 4096.0 }), ..equal };
    assert_eq!(with_counts(may_be_layout(), &larger).0, NOT_ONLY_LAYOUT);
    // So is a difference of which layout can make a part only: the operation waits for the rest.
    let waits = Outcome { layout: Some(0.02), ..may_be_layout() };
    assert_eq!(with_counts(waits, &counts(EQUAL, NO_CALLS)).0, NOT_ONLY_LAYOUT);
    let unknown = Outcome { layout: None, ..may_be_layout() };
    assert_eq!(with_counts(unknown, &counts(EQUAL, NO_CALLS)).0, NOT_ONLY_LAYOUT);
}

#[test]
fn a_red_stays_red_whatever_the_instructions_are() {
    // A time that waits, or that has several links, and a red of memory or of system calls with the same instructions.
    for blame in [counts(EQUAL, NO_CALLS), counts(EQUAL, [1.0, 2.0])] {
        let (added, lines) = with_counts(over(Verdict::Fail, None), &blame);
        assert_eq!(added, "");
        assert!(lines[0].ends_with("waiting, memory or caches are left"), "{lines:?}");
    }
    // Other instructions name the function, whatever layout could make.
    for (verdict, doubt) in [(Verdict::Fail, None), (Verdict::Inconclusive, Some(Doubt::Layout))] {
        let (added, lines) = with_counts(over(verdict, doubt), &counts([1000.0, 1200.0], NO_CALLS));
        assert_eq!(added, "");
        assert!(lines[1].contains("work::merge"), "{lines:?}");
    }
}

#[test]
fn what_a_limit_leaves_out_is_said_where_it_is_known() {
    let of = |allocator| Counted { by: "callgrind 3.19.0".to_owned(), allocator };
    assert!(allocator_remark(Some(&of(Some(12.0)))).unwrap().contains("allocator"));
    // The processor's counter has the allocator's too, and a time has no count.
    assert_eq!(allocator_remark(Some(&of(None))), None);
    assert_eq!(allocator_remark(None), None);
}
