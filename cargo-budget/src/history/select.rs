//! The choice of the series that a question is about: a budget has a series for each test, environment and branch.

use std::collections::{HashMap, HashSet};

use super::database::Fault;
use super::entry::NO_VERDICT;
use super::place::Place;
use super::recent::Listed;
use super::revision;
use super::show::{Answer, TestTrend};
use super::store::{Point, Series, Store, series_at_once};
use super::trend::{self as analysis, Change, Trend};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::project::Project;

/// Which series to show.
#[derive(Debug)]
pub(crate) struct TrendQuery<'a> {
    /// The name of a budget or of a test; `None` for all of them.
    pub(crate) name: Option<&'a str>,
    pub(crate) branch: Option<&'a str>,
    /// A part of the environment's text.
    pub(crate) environment: Option<&'a str>,
    /// The number of outcomes of each test to read, newest first.
    pub(crate) last: u16,
    /// Whether outcomes of trees with uncommitted changes count.
    pub(crate) dirty: bool,
}

impl TrendQuery<'_> {
    /// Returns the name of the query for messages.
    fn description(&self) -> String {
        self.name.map_or("the history".to_owned(), |name| format!("`{name}`"))
    }
}

/// Analyses how the values of a budget developed.
pub(crate) fn trend(
    place: &Place,
    project: Option<&Project>,
    which: &TrendQuery<'_>,
    progress: Progress,
) -> Result<Answer, Failure> {
    let work = progress.busy("reading the history");
    let mut store = place.existing("read")?;
    let failed = |fault: super::database::Fault| fault.failure("read", &place.public_name());
    let all = store.series(which.name).map_err(failed)?;
    if all.is_empty() {
        return Err(match which.name {
            Some(name) => unknown(&mut store, place, project, name),
            None => place.nothing_recorded(),
        });
    }
    let mut notes = Vec::new();
    let on_branch = choose_branch(&all, which, project, &mut notes)?;
    let selected = choose_environment(&on_branch, which, &mut notes)?;
    let (branch, environment) = (selected[0].branch.clone(), selected[0].environment.clone());
    let recent = store.recent(branch.as_deref()).map_err(failed)?;
    let listed = project.and_then(Listed::read);
    let mut shown = Vec::new();
    let mut gone = HashSet::new();
    let mut removed = Vec::new();
    let chosen = newest_units(&selected, &mut notes);
    drop(work);
    let work = progress.count("analysing", "tests", chosen.len());
    for some in chosen.chunks(series_at_once(which.last)) {
        let keys: Vec<i64> = some.iter().map(|series| series.key).collect();
        let read = store.points_of(&keys, which.last).map_err(failed)?;
        let clean = clean_after(&mut store, &keys, &read, which).map_err(failed)?;
        for ((&series, points), clean) in some.iter().zip(read).zip(clean) {
            let is_judged = points.iter().any(|point| point.verdict != NO_VERDICT);
            let has = |listed: &Listed| listed.has(&series.budget, &series.test);
            let is_listed = listed.as_ref().filter(|_| is_judged).map(has);
            if recent.is_gone(series.newest, is_listed) {
                gone.insert(series.key);
            }
            if is_listed == Some(false) {
                removed.push(series);
            }
            let cut = points.len() == usize::from(which.last);
            let points = with_clean(points, clean);
            let trend = analysis::analyse(&points, which.dirty);
            // An overview shows only recent changes, so git is asked about no others.
            let oldest = if which.name.is_some() { i64::MIN } else { recent.since };
            let distances = distances(&trend, project, oldest);
            shown.push(TestTrend { series: series.clone(), trend, distances, cut });
            work.step();
        }
    }
    if which.name.is_some() {
        notes.extend(listed.and_then(|listed| removed_note(&listed, &removed)));
    }
    Ok(Answer {
        place: place.public_name(),
        name: which.name.unwrap_or_default().to_owned(),
        branch,
        environment,
        shown,
        recent,
        gone,
        notes,
    })
}

/// Returns, for each series, its newest outcomes that are not of trees with uncommitted changes, where some of those that were
/// read are; `None` where none is, and where those of such trees are asked for.
fn clean_after(
    store: &mut Store,
    keys: &[i64],
    read: &[Vec<Point>],
    which: &TrendQuery<'_>,
) -> Result<Vec<Option<Vec<Point>>>, Fault> {
    let is_mixed = |points: &Vec<Point>| !which.dirty && points.iter().any(|point| point.dirty);
    let mixed: Vec<i64> = (keys.iter().zip(read))
        .filter(|(_, points)| is_mixed(points))
        .map(|(key, _)| *key)
        .collect();
    let clean = if mixed.is_empty() { Vec::new() } else { store.clean_of(&mixed, which.last)? };
    let mut clean = clean.into_iter();
    Ok(read.iter().map(|points| is_mixed(points).then(|| clean.next()).flatten()).collect())
}

/// Returns the outcomes to be analysed: the newest may all be of trees with uncommitted changes, which are only counted.
fn with_clean(mut points: Vec<Point>, clean: Option<Vec<Point>>) -> Vec<Point> {
    if let Some(clean) = clean {
        points.retain(|point| point.dirty);
        points.extend(clean);
    }
    points
}

/// Returns the number of commits in the range of each change; `None` for a change before `oldest`, or if git does not know
/// both commits.
fn distances(trend: &Trend, project: Option<&Project>, oldest: i64) -> Vec<Option<usize>> {
    let distance = |change: &Change| {
        if trend.commits[change.at].at < oldest {
            return None;
        }
        let (from, to) = (&trend.commits[change.at - 1].hash, &trend.commits[change.at].hash);
        revision::distance(&project?.root, from.as_ref()?, to.as_ref()?)
    };
    trend.changes.iter().map(distance).collect()
}

/// Returns the failure for a name that is not in the history: it is misspelt, it was never recorded, or the history
/// is empty.
fn unknown(store: &mut Store, place: &Place, project: Option<&Project>, name: &str) -> Failure {
    let budgets = store.budgets().unwrap_or_default();
    let is_budget = project
        .and_then(|project| project.budgets().ok())
        .is_some_and(|budgets| budgets.budgets.iter().any(|budget| budget.name == name));
    let why = if is_budget {
        "it is in budgets.toml, so run `cargo test --release` and `cargo budget history record`"
            .to_owned()
    } else if let Some(near) = nearest(name, &budgets) {
        format!("did you mean `{near}`?")
    } else if budgets.is_empty() {
        "nothing is recorded there yet: run `cargo budget history record` after the tests"
            .to_owned()
    } else {
        let some = budgets.iter().take(8).map(|name| format!("`{name}`")).collect::<Vec<_>>();
        format!("it has {}", some.join(", "))
    };
    let text = format!("`{name}` has no history in `{}`; {why}", place.public_name());
    if is_budget || budgets.is_empty() { Failure::unmeasured(text) } else { Failure::usage(text) }
}

/// Returns the series on one branch: the named branch, else the one that is checked out, else the one with the newest
/// outcome.
pub(crate) fn choose_branch<'s>(
    all: &'s [Series],
    which: &TrendQuery<'_>,
    project: Option<&Project>,
    notes: &mut Vec<String>,
) -> Result<Vec<&'s Series>, Failure> {
    let on = |branch: Option<&str>| -> Vec<&Series> {
        all.iter().filter(|series| series.branch.as_deref() == branch).collect()
    };
    let mut branches: Vec<&str> =
        all.iter().filter_map(|series| series.branch.as_deref()).collect();
    branches.sort_unstable();
    branches.dedup();
    if let Some(named) = which.branch {
        let found = on(Some(named));
        if found.is_empty() {
            return Err(Failure::usage(format!(
                "{} has no outcomes on branch `{named}`; it has some on {}",
                which.description(),
                if branches.is_empty() { "no branch".to_owned() } else { branches.join(", ") }
            )));
        }
        return Ok(found);
    }
    let current = project.and_then(|project| revision::branch(&project.root));
    let found = on(current.as_deref());
    if current.is_some() && !found.is_empty() {
        return Ok(found);
    }
    let newest = all.iter().max_by_key(|series| series.newest);
    let branch = newest.and_then(|series| series.branch.as_deref());
    if let (Some(current), Some(branch)) = (current, branch) {
        notes.push(format!("nothing is recorded on `{current}`, so `{branch}` is shown"));
    }
    Ok(on(branch))
}

/// Returns the series in one environment: the one that the query names, else the one with the newest outcome.
fn choose_environment<'s>(
    series: &[&'s Series],
    which: &TrendQuery<'_>,
    notes: &mut Vec<String>,
) -> Result<Vec<&'s Series>, Failure> {
    let mut known: Vec<&str> = series.iter().map(|series| series.environment.as_str()).collect();
    known.sort_unstable();
    known.dedup();
    let is_selected =
        |series: &&&Series| which.environment.is_none_or(|part| series.environment.contains(part));
    let Some(newest) = series.iter().filter(is_selected).max_by_key(|series| series.newest) else {
        return Err(Failure::usage(format!(
            "{} was not measured in an environment with `{}` in its name; it was in: {}",
            which.description(),
            which.environment.unwrap_or_default(),
            known.join("; ")
        )));
    };
    if known.len() > 1 && which.environment.is_none() {
        let others = known.iter().filter(|other| **other != newest.environment);
        let others: Vec<_> = others.map(|other| format!("`{other}`")).collect();
        notes.push(format!(
            "{} was also measured in {}; `--environment` selects one",
            if which.name.is_some() { "the budget" } else { "the project" },
            others.join(", ")
        ));
    }
    let environment = &newest.environment;
    Ok(series.iter().filter(|series| series.environment == *environment).copied().collect())
}

/// Returns for each test the series with its present unit, since values in different units cannot be compared.
fn newest_units<'s>(series: &[&'s Series], notes: &mut Vec<String>) -> Vec<&'s Series> {
    let mut chosen: Vec<&Series> = Vec::new();
    let mut known: HashMap<&str, usize> = HashMap::new();
    for &series in series {
        let at = *known.entry(&series.test).or_insert(chosen.len());
        let Some(other) = chosen.get_mut(at) else {
            chosen.push(series);
            continue;
        };
        if series.newest > other.newest {
            *other = series;
        }
        notes.push(format!("`{}` once had another unit; those values are left out", series.test));
    }
    chosen
}

/// Returns a note about the tests that are shown but no longer in budgets.toml; `None` if there are none. If the whole budget
/// was removed, the note names the budget.
fn removed_note(listed: &Listed, removed: &[&Series]) -> Option<String> {
    let budget = &removed.first()?.budget;
    let (names, count) = if listed.has_budget(budget) {
        let names: Vec<String> =
            removed.iter().map(|series| format!("`{}`", series.test)).collect();
        (names.join(", "), names.len())
    } else {
        (format!("`{budget}`"), 1)
    };
    let (are, its) = if count == 1 { ("is", "its") } else { ("are", "their") };
    Some(format!("{names} {are} no longer in budgets.toml; this is {its} recorded history"))
}

/// Returns the known name that is most similar, if at most a third of its letters differ.
fn nearest<'n>(name: &str, known: &'n [String]) -> Option<&'n String> {
    let far = name.chars().count() / 3 + 1;
    let by_distance = known.iter().map(|other| (distance(name, other), other));
    by_distance.filter(|(distance, _)| *distance <= far).min().map(|(_, other)| other)
}

/// Returns how many letters must be inserted, removed or replaced (Levenshtein 1966).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
