//! Tests of comparisons with links. A limit is judged on pairs that have their own links, and its measurement ends when
//! there are no more links. If pairs share links, it is broken only by more than layout can cause.

use std::time::Duration;

use super::scripted::{limit, rules};
use super::tests::{run, tenth};
use crate::budget::{Bound, Limit, Reference, Target};
use crate::metric::{Key, Metric, Statistic};
use crate::outcome::{Doubt, Outcome};
use crate::reading::ProcessRun;
use crate::stats::tests::noise::Noise;
use crate::verdict::Verdict;

const MEAN: Metric = Key::Mean.at(Statistic::Mean);

fn as_base(factor: f64) -> Limit {
    limit(MEAN, Bound::Max, Target::Relative { factor, reference: Reference::Base })
}

/// Returns the outcome of a limit of 1.05 x base, if the n-th pair has the ratio `ratio(n)` and there are `links` links. A
/// pair takes a tenth of a second.
fn outcome(links: usize, ratio: impl Fn(usize) -> f64 + Send + 'static) -> Outcome {
    let rules = super::Rules { links, statistical: 1, ..rules() };
    let pair = move |n: usize| {
        let mut process =
            ProcessRun { elapsed: Duration::from_millis(100), ..ProcessRun::default() };
        process.values.insert(MEAN, ratio(n));
        process.links = Some([n % links; 2]);
        Ok(process)
    };
    run(vec![as_base(1.05)], rules, pair).remove(0)
}

/// Returns ratios that differ by this standard deviation.
fn differing(middle: f64, sd: f64) -> impl Fn(usize) -> f64 + Send + 'static {
    let mut noise = Noise::seeded(271);
    let ratios: Vec<f64> = (0..1000).map(|_| middle * (sd * noise.normal()).exp()).collect();
    move |n| ratios[n]
}

#[track_caller]
fn check(outcome: &Outcome, verdict: Verdict, doubt: Option<Doubt>, words: &[&str]) {
    assert_eq!((outcome.verdict, outcome.doubt), (verdict, doubt), "{}", outcome.reason);
    let all = format!("{}\n{}", outcome.reason, outcome.notes.join("\n"));
    for words in words {
        assert!(all.contains(words), "{words} is not in: {all}");
    }
}

fn pairs(outcome: &Outcome) -> usize {
    outcome.evidence.unwrap().processes
}

#[test]
fn pairs_with_links_of_their_own_are_judged_and_the_outcome_says_so() {
    let red = outcome(128, differing(1.2, 0.02));
    let own = "the ratio of a typical link: the middle of ";
    check(&red, Verdict::Fail, None, &[own, "each with a link of either side"]);
    let green = outcome(128, differing(1.0, 0.02));
    check(&green, Verdict::Pass, None, &[own]);
    assert!(pairs(&green) <= 8, "{}", pairs(&green));
}

#[test]
fn a_limit_ends_when_there_are_no_more_links() {
    let near = outcome(32, differing(1.055, 0.05));
    let words = ["32 links of each side were not enough: a limit farther from the value"];
    check(&near, Verdict::Inconclusive, Some(Doubt::Layout), &words);
    assert_eq!(pairs(&near), 32);
    // What could be detected is stated for as many pairs as there are links.
    let more = outcome(64, differing(1.055, 0.05));
    let detectable = |outcome: &Outcome| outcome.evidence.unwrap().detectable.unwrap();
    assert!(detectable(&near) > detectable(&more));
}

#[test]
fn fewer_links_than_a_violation_needs_are_shared() {
    // Nine pairs are the fewest that can be red.
    let doubled = outcome(5, |_| 2.0);
    check(&doubled, Verdict::Fail, None, &["5 links of each side, which 9 pairs shared"]);
    let slower = outcome(5, |_| 1.2);
    check(&slower, Verdict::Inconclusive, Some(Doubt::Layout), &["with 5 links of each side"]);
    let near = outcome(5, differing(1.055, 0.05));
    check(&near, Verdict::Inconclusive, Some(Doubt::Layout), &["5 links of each side were not"]);
    assert_eq!(pairs(&near), 9);
}

#[test]
fn with_a_single_link_only_more_than_layout_is_red() {
    let layout =
        "over the limit of 1.05 x base, but with one link of each side: layout alone can make 25 %";
    let luck = outcome(1, differing(1.2, 0.01));
    check(&luck, Verdict::Inconclusive, Some(Doubt::Layout), &[layout]);
    assert!(pairs(&luck) < 20, "more pairs of the same links cannot settle it: {}", pairs(&luck));
    // The value is far enough beyond the limit, but the end of its interval is not.
    let unsettled = outcome(1, differing(1.3, 0.2));
    check(&unsettled, Verdict::Inconclusive, Some(Doubt::Layout), &[layout]);
    assert_eq!(pairs(&unsettled), 100, "the effort is spent");
    let slower = outcome(1, differing(1.4, 0.01));
    check(&slower, Verdict::Fail, None, &["this is beyond the limit by more"]);
    let faster = outcome(1, differing(0.9, 0.01));
    check(
        &faster,
        Verdict::Pass,
        None,
        &["a difference of that size may be hidden, and is not an improvement"],
    );
}

/// Returns the outcome of a limit for pairs of one link. Their ratio is `ratio`, or `less` without the largest difference that
/// layout can cause.
fn waiting(limit: Limit, ratio: f64, less: f64) -> Outcome {
    let metric = limit.metric.clone();
    let (values, left) = (differing(ratio, 0.002), differing(less, 0.002));
    let pair = move |n: usize| {
        let mut process = tenth();
        process.values.insert(metric.clone(), values(n));
        process.without_layout.insert(metric.clone(), left(n));
        process.links = Some([0; 2]);
        Ok(process)
    };
    run(vec![limit], super::Rules { statistical: 1, ..rules() }, pair).remove(0)
}

#[test]
fn layout_does_not_excuse_a_red_of_waiting() {
    // An operation takes 720 µs instead of 600 µs, 30 µs of it on the processor: layout can cause 1.25 % of the whole.
    let sleeps = waiting(as_base(1.05), 1.176, 1.176 / 1.0125);
    check(&sleeps, Verdict::Fail, None, &["lie can make up to 1.25 %, and this is beyond"]);
    assert!((sleeps.layout.unwrap() - 0.0125).abs() < 1e-3, "{:?}", sleeps.layout);
    // If it runs on the processor all the time, or half of the time, layout may be the reason.
    for less in [1.176 / 1.25, 1.176 / 1.15] {
        let runs = waiting(as_base(1.05), 1.176, less);
        check(&runs, Verdict::Inconclusive, Some(Doubt::Layout), &["layout alone can make "]);
        assert!(runs.layout_explains(), "{less}: {runs:#?}");
    }
}

#[test]
fn an_unknown_time_counts_as_time_on_the_processor() {
    let unknown = outcome(1, differing(1.176, 0.002));
    check(&unknown, Verdict::Inconclusive, Some(Doubt::Layout), &["layout alone can make 25 %"]);
    // But it is not said that layout is the reason.
    assert!(unknown.layout.is_none() && !unknown.layout_explains(), "{unknown:#?}");
    // A reading that takes away more than layout can cause, or adds something, is bounded.
    let much = waiting(as_base(1.05), 1.4, 0.5);
    check(&much, Verdict::Fail, None, &["lie can make up to 25 %"]);
    let more = waiting(as_base(1.05), 1.04, 1.4);
    check(&more, Verdict::Pass, None, &[]);
}

#[test]
fn a_throughput_that_waits_is_red_too() {
    let target = Target::Relative { factor: 0.95, reference: Reference::Base };
    let least = || limit(Metric::from(Key::Throughput), Bound::Min, target.clone());
    let sleeps = waiting(least(), 0.85, 0.85 * 1.01);
    check(&sleeps, Verdict::Fail, None, &["beyond the limit by more"]);
    let runs = waiting(least(), 0.85, 0.85 * 1.25);
    check(&runs, Verdict::Inconclusive, Some(Doubt::Layout), &["under the limit"]);
    assert!(runs.layout_explains());
    // A limit on the other side has no such reading.
    let other = waiting(limit(MEAN, Bound::Min, target.clone()), 0.85, 0.85);
    check(&other, Verdict::Inconclusive, Some(Doubt::Layout), &["25 %"]);
}
