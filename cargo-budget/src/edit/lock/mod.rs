//! The plan of `cargo budget accept`: which outcomes of a run become accepted values, which values stay, and which
//! are refused.

mod block;
pub(crate) mod revision;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use perf_budget_core::budget::Budgets;
use perf_budget_core::budget::lock::{Environment, Lock, Locked};
use perf_budget_core::date::Date;
use perf_budget_core::metric::{Metric, SubjectKind};
use perf_budget_core::outcome::{Effect, Outcome};
use perf_budget_core::verdict::Verdict;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::report::names;

/// The options under which values are accepted.
#[derive(Debug, Clone)]
pub(crate) struct Terms<'a> {
    /// The names of budgets, cases or values to accept; empty for all.
    pub(crate) named: &'a [String],
    /// Whether a value is accepted that is red only against the lock.
    pub(crate) red: bool,
    /// Today's date.
    pub(crate) today: Date,
    /// The commit that was measured.
    pub(crate) commit: Option<String>,
}

/// Whether a value is accepted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Decision {
    /// The value is accepted. The sentence gives the new and the old value.
    Accepted(String),
    /// The value is the same as before.
    Unchanged,
    /// The value is refused, for this reason and with this exit code.
    Refused(String, Exit),
}

/// The new text of `budgets.lock`, and what happens to each value, by name.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) text: String,
    pub(crate) rows: Vec<(String, Decision)>,
}

/// Plans which values of a run are accepted into the lock. `text` is the lock's text.
pub(crate) fn plan(
    text: Option<&str>,
    lock: &Lock,
    budgets: &Budgets,
    outcomes: &[Outcome],
    terms: &Terms<'_>,
) -> Result<Plan, Failure> {
    let series = selected(outcomes, terms.named)?;
    let mut accepted = BTreeMap::new();
    let mut rows = Vec::new();
    for (name, outcomes) in series {
        let (decision, value) = decide(&outcomes, lock.values.get(&name), budgets, terms);
        accepted.extend(value.map(|value| (name.clone(), value)));
        rows.push((name, decision));
    }
    Ok(Plan { text: block::write(text, &accepted)?, rows })
}

/// Decides whether the value of these outcomes is accepted, and returns it if so. `was` is the value in the lock.
fn decide(
    outcomes: &[&Outcome],
    was: Option<&Locked>,
    budgets: &Budgets,
    terms: &Terms<'_>,
) -> (Decision, Option<Locked>) {
    let outcome = match value(outcomes, budgets, terms) {
        Ok(outcome) => outcome,
        Err((reason, exit)) => return (Decision::Refused(reason, exit), None),
    };
    let Some(now) = locked(outcome, terms) else {
        let reason = "its reading has no value".to_owned();
        return (Decision::Refused(reason, Exit::Unmeasured), None);
    };
    let is_red = outcomes.iter().any(|outcome| is_broken(outcome));
    let may_stay = terms.named.is_empty() && !is_red;
    if may_stay && was.is_some_and(|was| is_same(was, &now, outcome)) {
        return (Decision::Unchanged, None);
    }
    (Decision::Accepted(sentence(was, &now)), Some(now))
}

/// A lock without the values that `budgets.toml` no longer has.
#[derive(Debug)]
pub(crate) struct Pruned {
    pub(crate) text: String,
    /// The names of the removed blocks.
    pub(crate) gone: Vec<String>,
}

/// Removes blocks whose budget, case or limit is no longer in `budgets.toml`. `budgets` is the file in each of its
/// environments, since a limit may be in one of them alone.
pub(crate) fn prune(text: &str, lock: &Lock, budgets: &[Budgets]) -> Result<Pruned, Failure> {
    let tests = budgets.iter().flat_map(names::unmeasured);
    // A limit relative to the lock uses the block of the metric itself.
    let known = tests.map(|test| {
        let relative_to = test.relative_to.clone().filter(|other| other != "lock");
        Outcome { relative_to, ..test }.series()
    });
    let known: BTreeSet<String> = known.collect();
    let gone: Vec<String> =
        lock.values.keys().filter(|name| !known.contains(*name)).cloned().collect();
    let text = if gone.is_empty() { text.to_owned() } else { block::remove(text, &gone)? };
    Ok(Pruned { text, gone })
}

/// Returns the measured values by name, each with the outcomes that are about it. A ratio to the base revision is not
/// among them, since each run measures it anew against another base.
fn selected<'o>(
    outcomes: &'o [Outcome],
    named: &[String],
) -> Result<BTreeMap<String, Vec<&'o Outcome>>, Failure> {
    let names = |outcome: &Outcome, name: &String| {
        let case = format!("{}::{}", outcome.budget, outcome.case);
        [&outcome.budget, &case, &outcome.test, &outcome.series()].contains(&name)
    };
    let acceptable = || outcomes.iter().filter(|o| o.relative_to.as_deref() != Some("base"));
    for name in named {
        if !acceptable().any(|outcome| names(outcome, name)) {
            let mut known: Vec<_> = acceptable().map(|o| format!("`{}`", o.budget)).collect();
            let mut seen = BTreeSet::new();
            known.retain(|name| seen.insert(name.clone()));
            return Err(Failure::usage(format!(
                "the last run has no `{name}` that could be accepted; it has {}; run `cargo test \
                 --release` for it, or fix the name",
                known.join(", ")
            )));
        }
    }
    let mut series: BTreeMap<String, Vec<&Outcome>> = BTreeMap::new();
    for outcome in acceptable() {
        if named.is_empty() || named.iter().any(|name| names(outcome, name)) {
            series.entry(outcome.series()).or_default().push(outcome);
        }
    }
    Ok(series)
}

/// Returns the outcome whose value is accepted: the one with the most evidence, where there are several.
fn value<'o>(
    outcomes: &[&'o Outcome],
    budgets: &Budgets,
    terms: &Terms<'_>,
) -> Result<&'o Outcome, (String, Exit)> {
    for outcome in outcomes {
        refusal(outcome, budgets, terms)?;
    }
    let values = |outcome: &&&Outcome| outcome.evidence.map_or(0, |evidence| evidence.values);
    let measured = outcomes.iter().filter(|outcome| outcome.estimate.is_some());
    match (measured.max_by_key(values), outcomes.first()) {
        (Some(best), _) => Ok(best),
        (None, Some(first)) => {
            let exit = Exit::from_outcomes([*first]);
            Err((format!("it has no value: {}", first.reason), exit))
        }
        (None, None) => Err(("it was not measured".to_owned(), Exit::Unmeasured)),
    }
}

/// Returns why the value of an outcome cannot be accepted.
fn refusal(outcome: &Outcome, budgets: &Budgets, terms: &Terms<'_>) -> Result<(), (String, Exit)> {
    let Outcome { verdict, reason, budget, .. } = outcome;
    let against_lock = outcome.accepted.as_ref().is_some_and(|a| a.factor.is_some());
    let refuse = |words: String, exit| Err((words, exit));
    if budgets.budgets.iter().all(|known| known.name != *budget) {
        return refuse(format!("budgets.toml has no budget `{budget}` any more"), Exit::Holds);
    }
    let is_artifacts = Metric::of(SubjectKind::Artifact, &outcome.metric).is_some();
    if outcome.run.profile == "debug" && !is_artifacts && outcome.estimate.is_some() {
        let words = "it was measured in a debug build; run `cargo test --release`".to_owned();
        return refuse(words, Exit::Unmeasured);
    }
    if is_broken(outcome) && against_lock && terms.red {
        return Ok(());
    }
    let waived = outcome.waived.as_ref().filter(|waived| waived.effect == Effect::Waived);
    match (verdict, against_lock) {
        // Only accepting the value settles this limit.
        (Verdict::Inconclusive, _) if outcome.awaits_acceptance() => Ok(()),
        (Verdict::Inconclusive, _) => {
            refuse(format!("the evidence did not suffice: {reason}"), Exit::Inconclusive)
        }
        (Verdict::Fail, false) => {
            refuse(format!("{reason}; fix it, or change the limit first"), Exit::Broken)
        }
        (Verdict::Fail, true) => refuse(
            format!("{reason}; if the change is intended, accept it with --red"),
            Exit::Broken,
        ),
        (Verdict::Pass | Verdict::Warn | Verdict::Unmeasured | Verdict::Skipped, _)
            if waived.is_some() =>
        {
            refuse(
                format!("{reason}; the limit is broken and waived, so its value is not accepted"),
                Exit::Holds,
            )
        }
        (Verdict::Pass | Verdict::Warn | Verdict::Unmeasured | Verdict::Skipped, _) => Ok(()),
    }
}

/// Returns whether the limit is broken, even if it is waived.
fn is_broken(outcome: &Outcome) -> bool {
    let waived = outcome.waived.as_ref().is_some_and(|waived| waived.effect == Effect::Waived);
    let over =
        outcome.estimate.zip(outcome.against).is_some_and(|(e, limit)| limit.is_over(e.value));
    outcome.verdict == Verdict::Fail || (waived && over)
}

fn locked(outcome: &Outcome, terms: &Terms<'_>) -> Option<Locked> {
    let (estimate, against) = (outcome.estimate?, outcome.against?);
    let run = outcome.run.clone();
    let exact = outcome.evidence.is_none();
    Some(Locked {
        value: estimate.value,
        // A deterministic metric has no interval, unless its readings differed.
        low: estimate.low.filter(|low| !exact || low.to_bits() != estimate.value.to_bits()),
        high: estimate.high.filter(|high| !exact || high.to_bits() != estimate.value.to_bits()),
        unit: against.unit,
        date: terms.today,
        commit: terms.commit.clone(),
        counter: outcome.counted.as_ref().map(|counted| counted.by.clone()),
        environment: Environment {
            processor: run.processor,
            cores: run.cores,
            platform: run.platform,
            profile: run.profile,
        },
        line: 0,
    })
}

/// Returns whether a value is unchanged. A deterministic value must be the same. For a statistical one, the interval
/// must overlap the accepted interval of the same environment: if the new value were accepted each time, it could
/// drift away from the value that somebody looked at.
fn is_same(was: &Locked, now: &Locked, outcome: &Outcome) -> bool {
    if was.unit != now.unit {
        return false;
    }
    if outcome.evidence.is_none() {
        return was.value.to_bits() == now.value.to_bits();
    }
    let below =
        |low: Option<f64>, high: Option<f64>| low.zip(high).is_none_or(|(low, high)| low <= high);
    was.environment == now.environment && below(was.low, now.high) && below(now.low, was.high)
}

/// Returns the sentence with the new and the old value.
fn sentence(was: Option<&Locked>, now: &Locked) -> String {
    let value = block::display_locked(now);
    match was {
        None => format!("{value}, for the first time"),
        Some(was) => {
            let at = was.commit.as_ref().map_or(String::new(), |commit| format!(" at {commit}"));
            format!("{value}; it was {} on {}{at}", block::display_locked(was), was.date)
        }
    }
}
