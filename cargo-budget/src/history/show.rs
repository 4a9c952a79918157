//! The rendering of the history, as text for people and as JSON for programs.

use std::collections::HashSet;
use std::fmt::Write as _;

use perf_budget_core::metric::{Better, Metric, SubjectKind};
use perf_budget_core::quantity::Quantity;
use perf_budget_core::stats::order;

use super::entry::HARNESS;
use super::recent::Recent;
use super::store::{RunRow, Series};
use super::time;
use super::trend::{Change, TotalDrift, Trend};
use crate::text::{counted, short};

/// The trend of a budget.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) place: String,
    pub(crate) name: String,
    pub(crate) branch: Option<String>,
    pub(crate) environment: String,
    pub(crate) shown: Vec<TestTrend>,
    pub(crate) recent: Recent,
    /// The keys of the series that are no longer measured.
    pub(crate) gone: HashSet<i64>,
    pub(crate) notes: Vec<String>,
}

/// The trend of one test.
#[derive(Debug)]
pub(crate) struct TestTrend {
    pub(crate) series: Series,
    pub(crate) trend: Trend,
    /// For each change, the number of commits in its range; `None` where this clone does not have both ends.
    pub(crate) distances: Vec<Option<usize>>,
    /// Whether there may be older outcomes than those that were read.
    pub(crate) cut: bool,
}

/// The most changes of a deterministic metric that are listed one by one; there may be one at each commit.
const MOST_CHANGES: usize = 8;

/// The width of a sparkline, in columns.
const COLUMNS: usize = 60;

impl Answer {
    /// Renders the trend for people.
    pub(crate) fn text(&self) -> String {
        let branch = self.branch.as_deref().unwrap_or("no branch");
        let mut text = format!("{} on {branch}, {}\n", self.name, self.environment);
        for shown in &self.shown {
            shown.write(&mut text);
        }
        for note in &self.notes {
            let _ = writeln!(text, "\nnote: {note}");
        }
        text
    }

    /// Renders the trend for programs, as `docs/history.md` describes.
    pub(crate) fn json(&self) -> serde_json::Value {
        let series = self.shown.iter().map(|shown| {
            let mut series = shown.json();
            series["no_longer_measured"] = self.gone.contains(&shown.series.key).into();
            series
        });
        serde_json::json!({
            "history": self.place,
            "name": self.name,
            "branch": self.branch,
            "environment": self.environment,
            "series": series.collect::<Vec<_>>(),
            "notes": self.notes,
        })
    }
}

impl TestTrend {
    pub(crate) fn quantity(&self, value: f64) -> Quantity {
        Quantity::new(value, self.series.unit)
    }

    fn write(&self, text: &mut String) {
        let trend = &self.trend;
        let commits = &trend.commits;
        let _ = writeln!(text, "\n{}", self.series.test);
        let Some(last) = commits.last() else {
            let _ = writeln!(text, "  no values{}", self.left_out());
            return;
        };
        let values: Vec<f64> = commits.iter().map(|commit| commit.value).collect();
        let least = self.quantity(values.iter().copied().fold(f64::INFINITY, f64::min));
        let most = self.quantity(values.iter().copied().fold(f64::NEG_INFINITY, f64::max));
        let limit = trend.limit.as_ref().map_or_else(String::new, |(bound, limit)| {
            format!(", {bound} {}", self.quantity(*limit))
        });
        let last = self.quantity(last.value);
        let _ = writeln!(text, "  {}  {least} … {most}, now {last}{limit}", sparkline(&values));
        let count = counted(commits.len(), "commit");
        let (first, newest) = (commits[0].at, commits[commits.len() - 1].at);
        let since = if first == newest {
            String::new()
        } else {
            format!("{} to ", time::format_time(first))
        };
        let older = if self.cut { "; --last shows older ones" } else { "" };
        let _ = writeln!(
            text,
            "  {count}, {since}{}{}{older}",
            time::format_time(newest),
            self.left_out()
        );
        self.write_findings(text);
    }

    fn write_findings(&self, text: &mut String) {
        let trend = &self.trend;
        let mut listed: Vec<usize> = (0..trend.changes.len()).collect();
        let size = |change: &Change| (change.after - change.before).abs();
        listed.sort_by(|a, b| size(&trend.changes[*b]).total_cmp(&size(&trend.changes[*a])));
        listed.truncate(MOST_CHANGES);
        listed.sort_unstable();
        for &i in &listed {
            let _ = writeln!(text, "  {}", self.change(&trend.changes[i], self.distances[i]));
        }
        if listed.len() < trend.changes.len() {
            let rest = trend.changes.len() - listed.len();
            let _ = writeln!(text, "  and {}", counted(rest, "smaller change"));
        }
        if let Some(drift) = &trend.total_drift {
            let _ = writeln!(text, "  {}", self.drift(drift));
        }
        if trend.is_short && trend.commits.len() == 1 {
            let _ = writeln!(text, "  a trend needs more than one commit");
        } else if trend.is_short {
            let _ = writeln!(
                text,
                "  too few commits to tell a step from noise: {} are needed",
                super::change::LEAST
            );
        } else if trend.changes.is_empty() && trend.total_drift.is_none() {
            let _ = writeln!(text, "  no step, no drift");
        }
    }

    /// Returns the line of a change, such as "worse by +12.3 %: 10 ms -> 11.2 ms in abc..def, …".
    pub(super) fn change(&self, change: &Change, distance: Option<usize>) -> String {
        let commits = &self.trend.commits;
        let (good, bad) = (&commits[change.at - 1], &commits[change.at]);
        let range = match (&good.hash, &bad.hash) {
            (Some(good), Some(bad)) => {
                let range = format!("in {}..{}", short(good), short(bad));
                let remark = match distance {
                    None => " (this clone does not have both commits)".to_owned(),
                    Some(1) => String::new(),
                    Some(0) => " (the second does not follow the first: the branch was rewritten)"
                        .to_owned(),
                    Some(n) => format!(" ({n} commits, {} of them not measured)", n - 1),
                };
                range + &remark
            }
            _ => "between runs without a commit".to_owned(),
        };
        let p = change.p.map_or_else(String::new, |p| format!(", p {}", probability(p)));
        let word = match self.is_worse(change.after - change.before) {
            None => "step",
            Some(true) => "worse",
            Some(false) => "better",
        };
        let (before, after) = (self.quantity(change.before), self.quantity(change.after));
        // Two values may look the same when rounded for reading.
        let values = if before.to_string() == after.to_string() {
            let by = self.quantity((change.after - change.before).abs());
            format!("{before}, by {by}")
        } else {
            format!("{before} -> {after}")
        };
        let by = percent(change.before, change.after);
        format!("{word} by {by}: {values} {range}, {}{p}", time::format_time(bad.at))
    }

    pub(crate) fn drift(&self, drift: &TotalDrift) -> String {
        let commits = &self.trend.commits;
        let never_red = if commits.iter().any(|commit| commit.is_red) || self.trend.limit.is_none()
        {
            ""
        } else {
            ", and no outcome was red"
        };
        let reaches = drift.reaches.map_or_else(String::new, |n| {
            format!("; at this rate the limit is reached in {}", counted(n, "commit"))
        });
        format!(
            "drift of {} over {}: {} -> {}, p {}{never_red}{reaches}",
            percent(drift.from, drift.to),
            counted(commits.len(), "commit"),
            self.quantity(drift.from),
            self.quantity(drift.to),
            probability(drift.p)
        )
    }

    /// Returns the changes since a time, each with the number of commits in its range.
    pub(crate) fn recent(&self, since: i64) -> impl Iterator<Item = (&Change, Option<usize>)> {
        let all = self.trend.changes.iter().zip(self.distances.iter().copied());
        all.filter(move |(change, _)| self.trend.commits[change.at].at >= since)
    }

    /// Returns how much worse the value got since a time, as the logarithm of its ratio; less than 0 if it only got
    /// better, and 0 if it did not change.
    pub(super) fn worst(&self, since: i64) -> f64 {
        let moves = self.moves().into_iter().filter(|(at, _)| *at >= since);
        moves.map(|(_, worse)| worse).reduce(f64::max).unwrap_or(0.0)
    }

    /// Returns the changes and the drift. Each has its time and how much worse the value got by it, as the logarithm of its
    /// ratio; the logarithm is negative if the value got better.
    pub(crate) fn moves(&self) -> Vec<(i64, f64)> {
        let moved = |before: f64, after: f64| {
            let far = (after / before).ln().abs().min(f64::MAX);
            let far = if far.is_nan() { 0.0 } else { far };
            if self.is_worse(after - before) == Some(false) { -far } else { far }
        };
        let commits = &self.trend.commits;
        let changes = self.trend.changes.iter();
        let changes = changes.map(|c| (commits[c.at].at, moved(c.before, c.after)));
        let drift = self.trend.total_drift.as_ref().zip(commits.last());
        let drift = drift.map(|(drift, last)| (last.at, moved(drift.from, drift.to)));
        changes.chain(drift).collect()
    }

    /// Returns whether a rise by `rise` is a change for the worse; `None` if only the project knows which direction is better.
    pub(crate) fn is_worse(&self, rise: f64) -> Option<bool> {
        let lower = if let Some((bound, _)) = &self.trend.limit {
            bound == "max"
        } else {
            let metric = |kind: &SubjectKind| Metric::of(*kind, &self.series.metric);
            match SubjectKind::ALL.iter().rev().find_map(metric)?.better() {
                Better::Lower => true,
                Better::Higher => false,
                Better::Either => return None,
            }
        };
        Some(lower == (rise > 0.0))
    }

    fn left_out(&self) -> String {
        let mut text = String::new();
        if self.trend.without_value > 0 {
            let _ =
                write!(text, "; {} without a value", counted(self.trend.without_value, "outcome"));
        }
        if self.trend.dirty > 0 {
            let count = counted(self.trend.dirty, "outcome");
            let _ = write!(
                text,
                "; {count} of trees with uncommitted changes left out (--dirty shows them)"
            );
        }
        text
    }

    fn json(&self) -> serde_json::Value {
        let trend = &self.trend;
        let hash = |at: usize| &trend.commits[at].hash;
        let changes = trend.changes.iter().zip(&self.distances).map(|(change, distance)| {
            serde_json::json!({
                "last_good": hash(change.at - 1),
                "first_bad": hash(change.at),
                "commits_in_range": distance,
                "before": change.before,
                "after": change.after,
                "share": share(change.before, change.after),
                "worse": self.is_worse(change.after - change.before),
                "p": change.p,
            })
        });
        let changes: Vec<_> = changes.collect();
        let commits = trend.commits.iter().map(|commit| {
            serde_json::json!({
                "commit": commit.hash, "at": commit.at, "value": commit.value, "runs": commit.runs,
                "red": commit.is_red,
            })
        });
        serde_json::json!({
            "test": self.series.test,
            "metric": self.series.metric,
            "unit": self.series.unit,
            "exact": trend.is_exact,
            "limit": trend.limit.as_ref().map(|(bound, limit)| serde_json::json!({ bound: limit })),
            "commits": commits.collect::<Vec<_>>(),
            "method": if trend.is_exact { "every difference" } else { "E-divisive (Matteson & James 2014)" },
            "too_few_commits": trend.is_short,
            "changes": changes,
            "drift": trend.total_drift.as_ref().map(|drift| serde_json::json!({
                "method": "Mann-Kendall, Theil-Sen, within segments (Hirsch, Slack & Smith 1982)",
                "from": drift.from,
                "to": drift.to,
                "share": share(drift.from, drift.to),
                "worse": self.is_worse(drift.to - drift.from),
                "p": drift.p,
                "commits_to_limit": drift.reaches,
            })),
            "without_value": trend.without_value,
            "dirty_left_out": trend.dirty,
        })
    }
}

/// Renders a list of runs for people.
pub(crate) fn list(runs: &[RunRow]) -> String {
    let mut text = String::new();
    for run in runs {
        let commit = run.commit.as_deref().map_or("no commit", short);
        let dirty = if run.dirty { "+" } else { " " };
        let branch = run.branch.as_deref().unwrap_or("no branch");
        let red = match (run.source.as_str(), run.red) {
            (HARNESS, 0) => "none red".to_owned(),
            (HARNESS, red) => format!("{red} red"),
            (source, _) => format!("from {source}, not judged"),
        };
        let _ = writeln!(
            text,
            "{}  {commit:<9}{dirty} {branch:<12} {:>4} {}, {red}  {}  ({})",
            time::format_time(run.began),
            run.values,
            if run.values == 1 { "outcome" } else { "outcomes" },
            run.environment,
            run.id
        );
    }
    text
}

/// Renders a list of runs for programs.
pub(crate) fn list_json(place: &str, runs: &[RunRow]) -> serde_json::Value {
    let runs = runs.iter().map(|run| {
        let red = (run.source == HARNESS).then_some(run.red);
        serde_json::json!({
            "run": run.id, "began": run.began, "commit": run.commit, "dirty": run.dirty,
            "branch": run.branch, "environment": run.environment, "source": run.source,
            "outcomes": run.values, "red": red,
        })
    });
    serde_json::json!({ "history": place, "runs": runs.collect::<Vec<_>>() })
}

/// Returns a row of bars between the least and the greatest value. Where there are too many values, each bar is the
/// median of several neighbours.
pub(super) fn sparkline(values: &[f64]) -> String {
    let columns = values.len().min(COLUMNS);
    let levels: Vec<f64> = (0..columns)
        .map(|column| {
            let range = column * values.len() / columns..(column + 1) * values.len() / columns;
            order::median(values[range].to_vec()).unwrap_or(f64::NAN)
        })
        .collect();
    let least = levels.iter().copied().fold(f64::INFINITY, f64::min);
    let most = levels.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let height = |level: &f64| {
        let share = if most > least { (level - least) / (most - least) } else { 0.0 };
        ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'][(share * 7.0).round() as usize]
    };
    levels.iter().map(height).collect()
}

fn share(before: f64, after: f64) -> Option<f64> {
    let share = (after - before) / before.abs();
    share.is_finite().then_some(share)
}

/// Returns the relative change from one value to another, such as `+12.3 %`.
pub(crate) fn percent(before: f64, after: f64) -> String {
    share(before, after).map_or_else(
        || "a change from 0".to_owned(),
        |share| {
            let percent = share.abs() * 100.0;
            if percent > 0.0 && percent < 0.095 {
                // A byte of a megabyte is a change, and must not be shown as "+0.00 %".
                let decimals = (1.0 - percent.log10().floor()).min(9.0) as usize;
                format!("{:+.decimals$} %", share * 100.0)
            } else if share.abs() < 0.1 {
                format!("{:+.2} %", share * 100.0)
            } else {
                format!("{:+.1} %", share * 100.0)
            }
        },
    )
}

/// Returns a p-value as text.
pub(crate) fn probability(p: f64) -> String {
    if p < 0.001 { "< 0.001".to_owned() } else { format!("{p:.3}") }
}
