//! One step of a test for the worse, as the range of commits that it lies in.

use super::show::{Answer, TestTrend};
use super::trend::Change;
use crate::failure::Failure;
use crate::text::short;

/// The number of commits on either side that belong to the range of a step in noisy values. Such a step is found where it
/// fits best, which may be beside the commit that made it.
const MARGIN: usize = 3;

/// A step for the worse.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WorseStep {
    /// The name of the test.
    pub(crate) test: String,
    /// The last commit that is surely before it, and the first that is surely after it.
    pub(crate) good: String,
    pub(crate) bad: String,
    /// By how much the value became worse, as a share.
    pub(crate) by: f64,
}

/// Returns the step of the only test in an answer that has one: the newest, or the one whose first commit with the new
/// level is `named`, by the beginning of its hash.
pub(crate) fn worse_step(answer: &Answer, named: Option<&str>) -> Result<WorseStep, Failure> {
    let (levels, compared): (Vec<&TestTrend>, Vec<&TestTrend>) =
        answer.shown.iter().partition(|shown| !is_comparison(&shown.series.test));
    let steps: Vec<Result<WorseStep, &str>> =
        levels.iter().filter_map(|shown| find_step(shown, named)).collect();
    match &steps[..] {
        [Ok(only)] => Ok(only.clone()),
        [Err(test)] => Err(Failure::unmeasured(format!(
            "the history shows that `{test}` became worse, but on one side of the step no commit is known; name a range by GOOD..BAD"
        ))),
        [] if levels.is_empty() && !compared.is_empty() => Err(Failure::usage(format!(
            "what is recorded of `{}` is compared with a base, which is another one in each run, so its steps are not those of a commit; \
             name a range by GOOD..BAD",
            answer.name
        ))),
        [] => Err(no_step(answer, &levels, named)),
        several => {
            let test = |step: &Result<WorseStep, &str>| match step {
                Ok(step) => format!("`{}`", step.test),
                Err(test) => format!("`{test}`"),
            };
            let names: Vec<String> = several.iter().map(test).collect();
            Err(Failure::usage(format!(
                "several tests of `{}` became worse; name one of {}",
                answer.name,
                names.join(", ")
            )))
        }
    }
}

/// Returns the failure that there is no such step, with the commits at which steps begin.
fn no_step(answer: &Answer, levels: &[&TestTrend], named: Option<&str>) -> Failure {
    let name = &answer.name;
    let Some(named) = named else {
        return Failure::unmeasured(format!(
            "the history shows no step of `{name}` for the worse; name a range by GOOD..BAD"
        ));
    };
    let firsts = levels.iter().flat_map(|shown| {
        let worse = shown.trend.changes.iter().filter(|change| factor(shown, change).is_some());
        worse.filter_map(|change| shown.trend.commits[change.at].hash.as_deref())
    });
    let firsts: Vec<String> = firsts.map(|hash| format!("`{}`", short(hash))).collect();
    Failure::usage(match firsts.len() {
        0 => format!(
            "the history shows no step of `{name}` for the worse, at `{named}` or elsewhere"
        ),
        _ => format!(
            "no step of `{name}` for the worse begins at `{named}`; steps begin at {}",
            firsts.join(", ")
        ),
    })
}

/// Whether the values of a test are multiples of another measurement: `merge::p99::x_base`.
fn is_comparison(test: &str) -> bool {
    test.rsplit("::").next().is_some_and(|label| label.starts_with("x_"))
}

/// Returns by which factor the value became worse; `None` if it did not become worse, or was 0 before.
fn factor(shown: &TestTrend, change: &Change) -> Option<f64> {
    let (before, after) = (change.before, change.after);
    let is_worse = shown.is_worse(after - before) == Some(true);
    let factor = if after > before { after / before } else { before / after };
    (is_worse && factor.is_finite() && factor > 1.0).then_some(factor)
}

/// Returns the newest step of a test, or the one that is named; `None` if there is none. The error is the name of the test,
/// if no commit on one side of the step is known.
fn find_step<'s>(shown: &'s TestTrend, named: Option<&str>) -> Option<Result<WorseStep, &'s str>> {
    let trend = &shown.trend;
    let hash = |at: usize| trend.commits.get(at)?.hash.clone();
    let is_wanted = |change: &Change| {
        let begins = |name: &str| hash(change.at).is_some_and(|hash| hash.starts_with(name));
        factor(shown, change).is_some() && named.is_none_or(begins)
    };
    let nth = trend.changes.iter().rposition(is_wanted)?;
    let change = &trend.changes[nth];
    let margin = if trend.is_exact { 0 } else { MARGIN };
    // The range does not reach beyond the steps before and after this one.
    let first = nth.checked_sub(1).map_or(0, |before| trend.changes[before].at);
    let next = trend.changes.get(nth + 1).map_or(trend.commits.len(), |next| next.at);
    let good = (change.at - 1).saturating_sub(margin).max(first);
    let bad = (change.at + margin).min(next - 1);
    let by = factor(shown, change)? - 1.0;
    // A run without a commit cannot be an end of the range. Then the next run towards the step is the end.
    let ends = ((good..change.at).find_map(hash), (change.at..=bad).rev().find_map(hash));
    let (Some(good), Some(bad)) = ends else { return Some(Err(&shown.series.test)) };
    Some(Ok(WorseStep { test: shown.series.test.clone(), good, bad, by }))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use perf_budget_core::quantity::Unit;

    use super::super::recent::Recent;
    use super::super::store::Series;
    use super::super::trend::{Commit, Trend};
    use super::*;

    /// Returns the trend of a test with these values, at commits `c0`, `c1` and so on, which stepped at `changes`.
    fn made_trend(
        test: &str,
        bound: &str,
        values: &[f64],
        changes: &[usize],
        is_exact: bool,
    ) -> TestTrend {
        let commit = |(nth, value): (usize, &f64)| Commit {
            hash: Some(format!("c{nth}")),
            at: i64::try_from(nth).unwrap(),
            value: *value,
            runs: 1,
            is_red: false,
            limit: None,
        };
        let change =
            |at: &usize| Change { at: *at, before: values[at - 1], after: values[*at], p: None };
        TestTrend {
            series: Series {
                key: 1,
                test: test.to_owned(),
                budget: "merge".to_owned(),
                metric: "p99".to_owned(),
                unit: Unit::Seconds,
                environment: String::new(),
                branch: None,
                newest: 0,
            },
            trend: Trend {
                commits: values.iter().enumerate().map(commit).collect(),
                changes: changes.iter().map(change).collect(),
                limit: Some((bound.to_owned(), 100.0)),
                is_exact,
                ..Trend::default()
            },
            distances: vec![None; changes.len()],
            cut: false,
        }
    }

    fn ask(shown: Vec<TestTrend>, named: Option<&str>) -> Result<(String, String, f64), String> {
        let answer = Answer {
            place: String::new(),
            name: "merge".to_owned(),
            branch: None,
            environment: String::new(),
            shown,
            recent: Recent::from_times(&[]),
            gone: HashSet::new(),
            notes: Vec::new(),
        };
        let step = worse_step(&answer, named).map_err(|failure| failure.text)?;
        Ok((step.good, step.bad, step.by))
    }

    #[test]
    fn the_newest_step_for_the_worse_is_found_or_the_named_one() {
        let values = [10.0, 10.0, 12.0, 12.0, 15.0, 15.0, 9.0, 9.0];
        let all = || vec![made_trend("merge::p99", "max", &values, &[2, 4, 6], true)];
        assert_eq!(ask(all(), None), Ok(("c3".to_owned(), "c4".to_owned(), 0.25)));
        let (good, bad, by) = ask(all(), Some("c2")).unwrap();
        assert_eq!((&*good, &*bad), ("c1", "c2"));
        assert!((by - 0.2).abs() < 1e-12);
        // The step at `c6` is for the better.
        let refused = ask(all(), Some("c6")).unwrap_err();
        assert!(refused.contains("begins at `c6`; steps begin at `c2`, `c4`"), "{refused}");
        let falls = vec![made_trend("merge::p99", "min", &values, &[2, 4, 6], true)];
        let (good, bad, by) = ask(falls, None).unwrap();
        assert_eq!((&*good, &*bad), ("c5", "c6"));
        assert!((by - 6.0 / 9.0).abs() < 1e-12);
    }

    #[test]
    fn a_step_in_noise_may_be_beside_its_commit_but_not_beyond_another_step() {
        let values = [10.0, 10.0, 10.0, 10.0, 10.0, 12.0, 12.0, 15.0, 15.0, 15.0, 15.0, 15.0];
        let one = vec![made_trend("merge::p99", "max", &values, &[5, 7], false)];
        let (good, bad, _) = ask(one, None).unwrap();
        assert_eq!((&*good, &*bad), ("c5", "c10"));
    }

    #[test]
    fn an_end_without_a_commit_gives_way_to_the_next_one_towards_the_step() {
        let values = [10.0, 10.0, 10.0, 10.0, 10.0, 12.0, 12.0, 12.0, 12.0];
        let without = |unknown: &[usize]| {
            let mut shown = made_trend("merge::p99", "max", &values, &[5], false);
            for &at in unknown {
                shown.trend.commits[at].hash = None;
            }
            ask(vec![shown], None).map(|(good, bad, _)| (good, bad))
        };
        let range = |good: &str, bad: &str| Ok((good.to_owned(), bad.to_owned()));
        assert_eq!(without(&[]), range("c1", "c8"));
        assert_eq!(without(&[1, 8]), range("c2", "c7"));
        assert_eq!(without(&[1, 2, 3, 6, 7, 8]), range("c4", "c5"));
        let unknown = without(&[5, 6, 7, 8]).unwrap_err();
        assert!(unknown.contains("`merge::p99` became worse, but on one side"), "{unknown}");
    }

    #[test]
    fn a_change_that_is_no_step_of_a_commit_is_refused() {
        let values = [1.0, 1.0, 2.0];
        let compared = vec![made_trend("merge::p99::x_base", "max", &values, &[2], true)];
        assert!(ask(compared, None).unwrap_err().contains("is compared with a base"));
        let two = || made_trend("merge::p99", "max", &values, &[2], true);
        assert!(ask(vec![two(), two()], None).unwrap_err().contains("name one of `merge::p99`, "));
        let flat = vec![made_trend("merge::p99", "max", &values, &[], true)];
        assert!(ask(flat, None).unwrap_err().contains("shows no step of `merge` for the worse"));
        let from_nothing = vec![made_trend("merge::p99", "max", &[0.0, 1.0], &[1], true)];
        assert!(ask(from_nothing, None).is_err());
    }
}
