//! Tests that a slow subject is measured until a violation could have been seen; otherwise the outcome says what that
//! would take.

use std::time::Duration;

use super::scripted::{limit, rules};
use super::tests::{P50, drive_from, max, pending_limits, run, tenth};
use super::{Inquiry, Origin, Rules};
use crate::budget::{Bound, Limit, Reference, Target};
use crate::metric::{Key, Metric, Statistic};
use crate::outcome::{Cause, Doubt, Outcome, Unmeasured};
use crate::reading::ProcessRun;
use crate::stats::clopper_pearson;
use crate::stats::tests::noise::Noise;
use crate::verdict::Verdict;
use crate::verdict::judge::Carried;

/// A process of one operation, which takes nearly all of its time.
fn slow(seconds: f64, elapsed: f64) -> ProcessRun {
    let elapsed = Duration::from_secs_f64(elapsed);
    ProcessRun { operations: vec![seconds], elapsed, ..ProcessRun::default() }
}

fn one(limit: Limit, seconds: impl Fn(usize) -> f64 + Send + 'static, elapsed: f64) -> Outcome {
    run(vec![limit], rules(), move |n| Ok(slow(seconds(n), elapsed))).remove(0)
}

#[test]
fn a_total_violation_is_seen_however_slow_the_operation_is() {
    // Five processes fit into the effort of 10 s, and show nothing; two dozen are enough.
    let outcome = one(max(P50, "1 s"), |_| 2.0, 2.0);
    assert_eq!(outcome.verdict, Verdict::Fail, "{}", outcome.reason);
    let evidence = outcome.evidence.unwrap();
    assert!(evidence.processes > 10 && outcome.seconds <= 60.0, "{evidence:?}");
}

#[test]
fn a_doubling_is_inconclusive_in_at_most_one_of_a_hundred() {
    for (elapsed, spread) in [(1.5, 0.02), (2.0, 0.1), (2.0, 0.2)] {
        let mut noise = Noise::seeded(7);
        let mut missed = 0;
        for _ in 0..300 {
            let values: Vec<f64> =
                (0..400).map(|_| 2.0 * (spread * noise.normal()).exp()).collect();
            let outcome = one(max(P50, "1 s"), move |n| values[n], elapsed);
            missed += usize::from(outcome.verdict != Verdict::Fail);
        }
        assert!(missed <= 3, "{missed} of 300 at {elapsed} s and {spread}");
    }
}

#[test]
fn a_limit_that_holds_takes_no_longer() {
    let outcome = one(max(P50, "10 s"), |_| 1.0, 2.0);
    assert_eq!(outcome.verdict, Verdict::Pass, "{}", outcome.reason);
    assert!(outcome.seconds <= 12.0, "{}", outcome.seconds);
}

#[test]
fn a_limit_that_cannot_be_seen_broken_in_time_says_what_it_takes() {
    let outcome = one(max(P50, "1 s"), |_| 2.0, 20.0);
    assert_eq!(
        (outcome.verdict, outcome.doubt),
        (Verdict::Inconclusive, Some(Doubt::Underpowered))
    );
    assert!(!outcome.is_red());
    // No time is spent if even the longest time would not be enough.
    assert!(outcome.seconds <= 20.0, "{}", outcome.seconds);
    let why = "processes to be seen, and at 20 s each there was time for 1: give it `effort = \"";
    assert!(outcome.reason.contains(why), "{}", outcome.reason);
    let effort = outcome.reason.split("`effort = \"").nth(1).unwrap();
    let effort: f64 = effort.split(' ').next().unwrap().parse().unwrap();
    // `cargo budget check` refuses such a limit with these figures.
    let needs = outcome.needs.unwrap();
    assert!(needs.processes > 10, "{needs:?}");
    assert!((needs.seconds - 20.0 * needs.processes as f64).abs() < 1e-6, "{needs:?}");
    // The effort that the reason names is enough.
    let rules = Rules { effort: Duration::from_secs_f64(effort), ..rules() };
    let outcome = run(vec![max(P50, "1 s")], rules, |_| Ok(slow(2.0, 20.0))).remove(0);
    assert_eq!(outcome.verdict, Verdict::Fail, "{}", outcome.reason);
}

/// A limit that had too little time for another reason needs no more than it has.
#[test]
fn a_limit_that_can_be_seen_broken_is_not_refused() {
    let asked = pending_limits(Carried::default(), vec![max(P50, "1 s")]);
    let mut inquiry = Inquiry::new(asked, rules(), Origin::Measured);
    inquiry.add(Ok(slow(2.0, 1.0)));
    inquiry.cut_off(&Unmeasured::new(Cause::OutOfTime, "the time is up"));
    let cut = &inquiry.outcomes()[0];
    assert_eq!((cut.verdict, cut.needs), (Verdict::Inconclusive, None), "{}", cut.reason);
}

/// A tail takes many operations, and each of these takes as long as a process does.
#[test]
fn a_tail_of_long_operations_names_the_effort_that_settles_it() {
    let measured = |seconds: f64| {
        let rules = Rules { effort: Duration::from_secs_f64(seconds), ..rules() };
        let p99 = max(Key::Latency.at(Statistic::P99), "10 s");
        run(vec![p99], rules, |_| Ok(slow(2.5, 2.5))).remove(0)
    };
    let unsettled = measured(200.0);
    assert_eq!(unsettled.verdict, Verdict::Inconclusive, "{}", unsettled.reason);
    let effort = unsettled.evidence.unwrap().effort_to_settle.unwrap();
    let named = format!("`effort = \"{effort} s\"`, a quieter machine or a metric");
    assert!(unsettled.reason.contains(&named), "{}", unsettled.reason);
    assert_eq!(measured(effort).verdict, Verdict::Pass, "{effort}");
    // With less than a tenth of that effort, the reason says that no such effort was found.
    let unsettled = measured(effort / 20.0);
    assert_eq!(unsettled.evidence.unwrap().effort_to_settle, None);
    assert!(unsettled.reason.contains("; more `effort` would not"), "{}", unsettled.reason);
}

/// The values of another run differ from those by which the effort was found.
#[test]
fn the_effort_that_an_unsettled_limit_names_settles_it_in_most_runs() {
    let mut noise = Noise::seeded(16);
    let mut measured = |truth: f64, effort: f64| {
        let values: Vec<f64> = (0..2000).map(|_| truth * (0.2 * noise.normal()).exp()).collect();
        let rules = Rules { effort: Duration::from_secs_f64(effort), ..rules() };
        run(vec![max(P50, "1 s")], rules, move |n| Ok(slow(values[n], 0.5))).remove(0)
    };
    for truth in [0.97, 1.25] {
        let (mut named, mut settled) = (0, 0);
        for _ in 0..60 {
            let first = measured(truth, 6.0);
            let Some(effort) = first.evidence.and_then(|seen| seen.effort_to_settle) else {
                continue;
            };
            assert!((6.0..=90.0).contains(&effort), "{effort}");
            named += 1;
            settled += usize::from(measured(truth, effort).verdict != Verdict::Inconclusive);
        }
        assert!(named >= 20 && settled * 10 >= named * 7, "{truth}: {settled} of {named}");
    }
}

/// An unsettled outcome says which limit could be held: with that limit the same subject passes.
#[test]
fn an_unsettled_limit_names_one_that_can_be_held() {
    const RUNS: u64 = 20;
    let measured = |limit: f64, truth: f64, effort: u64, seed: u64| {
        let mut noise = Noise::seeded(seed);
        let values: Vec<f64> = (0..600).map(|_| truth * (0.3 * noise.normal()).exp()).collect();
        let rules = Rules { effort: Duration::from_secs(effort), ..rules() };
        let limit = max(P50, &format!("{limit:.3} s"));
        run(vec![limit], rules, move |n| Ok(slow(values[n], 0.4))).remove(0)
    };
    let named = |reason: &str, before: &str| -> f64 {
        let text = reason.split(before).nth(1).unwrap_or_else(|| panic!("{reason}"));
        text.split(' ').next().unwrap().parse().unwrap()
    };
    // The true value is at the edge of the tolerance, so that no run settles the limit.
    let unsettled: Vec<Outcome> = (0..40)
        .map(|seed| measured(1.0, 1.09, 10, seed))
        .filter(|outcome| outcome.verdict == Verdict::Inconclusive)
        .take(3)
        .collect();
    assert!(unsettled.len() == 3);
    for outcome in unsettled {
        let (value, reason) = (outcome.estimate.unwrap().value, outcome.reason);
        let now = named(&reason, "limits from ");
        let longer = named(&reason, "held here, and from ");
        assert!(value < longer && longer < now && now < 4.0, "{reason}");
        for (limit, effort) in [(now, 10), (longer, 40)] {
            let count = |truth: f64, verdict: fn(Verdict) -> bool| {
                let runs = (0..RUNS).map(|seed| measured(limit, truth, effort, 100 + seed).verdict);
                runs.filter(|&found| verdict(found)).count() as u64
            };
            let held = count(value, |verdict| matches!(verdict, Verdict::Pass | Verdict::Warn));
            assert!(held * 10 >= RUNS * 7, "{held} of {RUNS} at {limit}: {reason}");
        }
    }
}

#[test]
fn an_extension_is_announced() {
    let mut inquiry = Inquiry::new(
        pending_limits(Carried::default(), vec![max(P50, "1 s")]),
        rules(),
        Origin::Measured,
    );
    let mut announced = 0;
    while !inquiry.is_done() {
        inquiry.add(Ok(slow(2.0, 2.0)));
        if let Some(extension) = inquiry.extended() {
            announced += 1;
            assert!(extension.processes < extension.needed);
            assert_eq!(extension.most, Duration::from_secs(60));
            assert!(inquiry.progress().0 >= rules().effort);
        } else {
            assert!(inquiry.is_done() || inquiry.progress().0 < rules().effort);
        }
    }
    assert!(announced > 5, "{announced}");
}

/// The time for all measurements is up.
#[test]
fn a_measured_limit_is_inconclusive_and_one_without_a_reading_is_unmeasured() {
    let rss = Metric::from(Key::Heap);
    let reason = Unmeasured::new(Cause::OutOfTime, "the time was up");
    let new = |limits| {
        Inquiry::new(pending_limits(Carried::default(), limits), rules(), Origin::Measured)
    };
    let mut inquiry = new(vec![max(P50, "1 s"), max(rss.clone(), "1 KB")]);
    let process = ProcessRun { values: [(rss.clone(), 10.0)].into(), ..slow(0.9, 3.0) };
    inquiry.add(Ok(process));
    inquiry.cut_off(&reason);
    assert!(inquiry.is_done());
    let outcome_of = |metric: &str| {
        inquiry.outcomes().iter().find(|outcome| outcome.metric == metric).unwrap().clone()
    };
    let open = outcome_of("p50");
    assert_eq!((open.verdict, open.cause.as_deref()), (Verdict::Inconclusive, Some("out-of-time")));
    // More `effort` than it has would not have helped.
    let why = "; `total` in [settings] was used up before it was settled";
    assert!(open.reason.ends_with(why) && !open.reason.contains("effort"), "{}", open.reason);
    // Deterministic readings have to agree, and a single one does not show whether they do.
    assert_eq!(
        (outcome_of("heap").verdict, outcome_of("heap").reason.as_str()),
        (Verdict::Unmeasured, "the time was up")
    );
    let mut inquiry = new(vec![max(P50, "1 s")]);
    inquiry.cut_off(&reason);
    let outcome = &inquiry.outcomes()[0];
    assert_eq!(
        (outcome.verdict, outcome.cause.as_deref()),
        (Verdict::Unmeasured, Some("out-of-time"))
    );
    assert!(outcome.is_red());
}

/// Returns a process in which a workload records this value.
fn recorded(value: f64, elapsed: f64) -> ProcessRun {
    let mut process =
        ProcessRun { elapsed: Duration::from_secs_f64(elapsed), ..ProcessRun::default() };
    process.values.insert(Metric::recorded("pages"), value);
    process
}

/// Returns the outcome of a limit of at most 100 on a recorded value, in a suite of `limits` limits, with an effort of 10 s.
fn pages(
    limits: usize,
    elapsed: f64,
    carried: Carried,
    value: impl Fn(usize) -> f64 + Send + 'static,
) -> Outcome {
    let rules = Rules { statistical: limits, ..rules() };
    let pending = pending_limits(carried, vec![max(Metric::recorded("pages"), "100")]);
    let mut next = 0;
    let source = move || {
        next += 1;
        Ok(recorded(value(next - 1), elapsed))
    };
    drive_from(Origin::Measured, Box::new(source), pending, rules).remove(0)
}

/// If three equal values were compared as soon as the effort is spent, 6.4 % of these limits would be red.
#[test]
fn three_equal_values_of_slow_processes_are_no_proof() {
    for (limits, elapsed, over) in [(1, 3.4, 0.4), (1, 2.5, 0.5), (25, 3.4, 0.4), (25, 2.5, 0.5)] {
        let mut noise = Noise::seeded(251);
        let (mut red, runs) = (0, 150);
        for _ in 0..runs {
            let values: Vec<f64> =
                (0..60).map(|_| if noise.happens(over) { 110.0 } else { 90.0 }).collect();
            let outcome = pages(limits, elapsed, Carried::default(), move |n| values[n]);
            red += u64::from(outcome.is_red());
        }
        let least = clopper_pearson(red, runs, 0.998).low;
        assert!(least <= 0.01 / limits as f64, "{red} of {runs} with {limits} limits");
    }
}

#[test]
fn a_slow_process_whose_value_never_varies_is_measured_until_chance_is_ruled_out() {
    let outcome = pages(25, 3.4, Carried::default(), |_| 101.0);
    assert_eq!(outcome.verdict, Verdict::Fail, "{}", outcome.reason);
    assert_eq!(outcome.evidence.unwrap().processes, 12);
    let outcome = pages(25, 3.4, Carried::default(), |_| 99.0);
    assert_eq!(outcome.verdict, Verdict::Pass, "{}", outcome.reason);
    assert_eq!(outcome.evidence.unwrap().processes, 5);
    // Seven processes do not fit into six times the effort, and the reason says how long it would have to be.
    let outcome = pages(1, 11.0, Carried::default(), |_| 101.0);
    assert_eq!(outcome.verdict, Verdict::Inconclusive);
    let why = "any violation takes 7 processes to be seen, and at 11 s each there was time for 1: \
               give it `effort = \"13 s\"`";
    assert!(outcome.reason.contains(why), "{}", outcome.reason);
    // If the values of an earlier run of the same build differed, equal ones are no proof.
    let carried = Carried { varied: true, ..Carried::default() };
    let outcome = pages(1, 0.5, carried, |_| 101.0);
    assert!(!outcome.is_red(), "within the tolerance: {}", outcome.reason);
}

/// Returns the outcomes of comparisons at `1.02 x base` whose pairs differ by 7 %, as those of a copy of 8 MB do on a busy
/// machine. A hundred pairs fit into the effort.
fn comparisons(count: usize, ratio: f64, seed: u64) -> Vec<Outcome> {
    let mean = Key::Mean.at(Statistic::Mean);
    let base = Target::Relative { factor: 1.02, reference: Reference::Base };
    let mut noise = Noise::seeded(seed);
    let rules = Rules { statistical: 1, ..rules() };
    let mut one = || {
        let ratios: Vec<f64> = (0..400).map(|_| ratio * (0.07 * noise.normal()).exp()).collect();
        let limits = vec![limit(mean.clone(), Bound::Max, base.clone())];
        let mean = mean.clone();
        run(limits, rules, move |n| {
            Ok(ProcessRun { values: [(mean.clone(), ratios[n])].into(), ..tenth() })
        })
        .remove(0)
    };
    (0..count).map(|_| one()).collect()
}

/// Returns how many of these outcomes have this verdict after at most so many seconds.
fn count(outcomes: &[Outcome], verdict: Verdict, seconds: f64) -> usize {
    outcomes.iter().filter(|o| o.verdict == verdict && o.seconds <= seconds).count()
}

/// Without more time than its `effort`, most of these comparisons end without a verdict.
#[test]
fn a_comparison_on_its_way_to_a_verdict_is_measured_for_longer() {
    let outcomes = comparisons(40, 1.0425, 3);
    assert!(outcomes.iter().all(|outcome| outcome.seconds <= 30.1));
    let in_time = count(&outcomes, Verdict::Fail, 10.1);
    let at_last = count(&outcomes, Verdict::Fail, 30.1);
    assert!(in_time <= 20 && at_last >= 28, "{in_time} and {at_last} of 40");
}

/// Neither error becomes more frequent by it, since evidence is valid whenever one stops. `docs/comparison.md` has the rates.
#[test]
fn a_comparison_that_is_measured_for_longer_errs_no_more_often() {
    let within = comparisons(30, 1.02, 4);
    assert!(count(&within, Verdict::Fail, 30.1) <= 1, "at most 1 of a hundred is red at the limit");
    let beyond = comparisons(30, 1.02 * 1.01_f64.powf(1.05), 5);
    assert!(count(&beyond, Verdict::Pass, 30.1) <= 3, "at most 5 of a hundred pass beyond it");
    for outcomes in [&within, &beyond] {
        assert!(outcomes.iter().any(|outcome| outcome.seconds > 11.0), "some took longer");
    }
}
