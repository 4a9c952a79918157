//! The chart of one test: its values over the commits in each environment, with the limits as they were then and the steps.
//! It is drawn here, so that it needs no script. The script only shows the values under the pointer or the cursor.

use std::collections::BTreeMap;

use maud::{Markup, PreEscaped, html};

use super::frame::{path, place};
use super::names;
use super::state::Step;
use crate::history::{Commit, TestTrend, time_shown};
use crate::report::html::axis::{Axis, percent};
use crate::report::html::escape::Text;
use crate::text::{counted, short, visible};

/// The greatest distance at which a limit is drawn, as a multiple of the spread of the values, as on the page of a run.
const FAR: f64 = 3.0;

/// The least height of a chart, as a share of the value: a smaller change must not look like a mountain.
const LEAST: f64 = 0.02;

/// The least distance of two texts above steps, in percent of the width.
const APART: f64 = 9.0;

/// Where the lines of steps begin, in pixels: below the row of the texts, so that no line runs through a text.
const BELOW_TEXTS: &str = "16";

/// The key of a commit on the horizontal axis.
type Key<'t> = (i64, &'t Option<String>);

/// Renders the chart of a test from its environments, the newest first; `None` where nothing was measured.
pub(super) fn render(
    lines: &[TestTrend],
    steps: &[Step],
    has_page: &dyn Fn(&str) -> bool,
) -> Option<Markup> {
    let first = lines.first()?;
    let all = || lines.iter().flat_map(|line| &line.trend.commits);
    let mut order: BTreeMap<Key<'_>, usize> = all().map(|commit| (key(commit), 0)).collect();
    for (i, at) in order.values_mut().enumerate() {
        *at = i;
    }
    let (oldest, newest) = (order.keys().next()?.0, order.keys().next_back()?.0);
    let last = order.len().saturating_sub(1).max(1) as f64;
    let x = |commit: &Commit| order[&key(commit)] as f64 / last * 1000.0;
    let axis = axis(lines);
    let y = |value: f64| 1000.0 - axis.at(value) * 10.0;
    let steps = placed(steps, &order, last);
    Some(html! {
        div.plot tabindex="0" role="group" aria-roledescription="chart"
            aria-label=(Text(&format!("{}: values of {}. Arrow keys move over the commits, Enter opens one.", first.series.test, counted(order.len(), "commit")))) {
            svg.chart width="100%" height="240" role="img" aria-label=(Text(&described(lines))) {
                @for (at, value) in axis.ticks_apart(first.series.unit, 10.0) {
                    @let at = 100.0 - at;
                    line.grid x1="0" x2="100%" y1=(percent(at)) y2=(percent(at)) {}
                    text.tick x="-8" y=(percent(at)) dy="4" text-anchor="end" { (value) }
                }
                @for (step, at, _) in &steps {
                    @let at = percent(at / 10.0);
                    line.step.(class(step)) x1=(at) x2=(at) y1=(BELOW_TEXTS) y2="100%" {}
                }
                svg viewBox="0 0 1000 1000" preserveAspectRatio="none" width="100%" height="100%" {
                    @for limit in limits(lines, &x, &y, &axis) {
                        path.limit d=(limit) vector-effect="non-scaling-stroke" {}
                    }
                    @for (i, line) in lines.iter().enumerate().rev() {
                        @let commits = &line.trend.commits;
                        @let dots_of = |red: bool| dots(commits.iter().filter(|commit| commit.is_red == red).map(|c| (x(c), y(c.value))));
                        @let class = format!("e{i}");
                        path.line.(class) d=(path(commits.iter().map(|c| Some((x(c), y(c.value)))))) vector-effect="non-scaling-stroke" {}
                        path.dot.(class) d=(dots_of(false)) vector-effect="non-scaling-stroke" {}
                        path.red d=(dots_of(true)) vector-effect="non-scaling-stroke" {}
                    }
                }
                @for (step, at, has_text) in &steps {
                    @if *has_text {
                        text.by.(class(step)) x=(percent(at / 10.0)) y="11" text-anchor=(if *at > 930.0 { "end" } else if *at < 70.0 { "start" } else { "middle" }) { (step.by) }
                    }
                }
                line.cursor x1="0" x2="0" y1="0" y2="100%" visibility="hidden" {}
            }
            div.ends aria-hidden="true" {
                span { (time_shown(oldest)) }
                @if newest > oldest { span { (time_shown(newest)) } }
            }
            div.tip aria-hidden="true" hidden {}
            script type="application/json" { (PreEscaped(data(lines, &order, &y, has_page, &steps))) }
        }
        output.said.unseen role="status" {}
    })
}

fn key(commit: &Commit) -> Key<'_> {
    (commit.at, &commit.hash)
}

/// Returns the vertical axis: all values, and the newest limit where it is not too far away.
fn axis(lines: &[TestTrend]) -> Axis {
    let values = || lines.iter().flat_map(|line| &line.trend.commits).map(|commit| commit.value);
    let (mut low, mut high) =
        values().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    let room = (high - low).max(high.abs() * 0.05) * FAR;
    let limits = lines.iter().flat_map(|line| &line.trend.commits).filter_map(|c| c.limit);
    let near: Vec<f64> = limits.filter(|l| (low - room..=high + room).contains(l)).collect();
    low = near.iter().copied().fold(low, f64::min);
    high = near.iter().copied().fold(high, f64::max);
    let least = (high.abs().max(low.abs()) * LEAST).max(f64::MIN_POSITIVE);
    if high - low < least {
        let middle = f64::midpoint(low, high);
        (low, high) = (middle - least / 2.0, middle + least / 2.0);
    }
    // The text of a step stands above the values.
    Axis::covering([low, high + (high - low) * 0.08])
}

/// Returns the lines of the limits, which are stairs. A line that several environments share is drawn once.
fn limits(
    lines: &[TestTrend],
    x: &dyn Fn(&Commit) -> f64,
    y: &dyn Fn(f64) -> f64,
    axis: &Axis,
) -> Vec<String> {
    let mut drawn: Vec<String> = Vec::new();
    for line in lines {
        let mut points = Vec::new();
        let mut before: Option<f64> = None;
        for commit in &line.trend.commits {
            let limit = commit.limit.filter(|limit| axis.has(*limit));
            if let (Some(old), Some(new)) = (before, limit)
                && old.total_cmp(&new).is_ne()
            {
                points.push(Some((x(commit), y(old))));
            }
            points.push(limit.map(|limit| (x(commit), y(limit))));
            before = limit;
        }
        // One commit alone is a short line.
        if let [Some((x, y))] = points[..] {
            points = vec![Some((x, y)), Some((x + 1000.0, y))];
        }
        let path = path(points.into_iter());
        if !path.is_empty() && !drawn.contains(&path) {
            drawn.push(path);
        }
    }
    drawn
}

/// Returns a path of points alone, which keep their size in a chart that is stretched.
fn dots(points: impl Iterator<Item = (f64, f64)>) -> String {
    let mut path = String::new();
    for (x, y) in points {
        path.extend(["M", &place(x), " ", &place(y), "h0"]);
    }
    path
}

/// Returns the steps with their places, and whether each has room for its text. The largest steps get their room first.
fn placed<'s>(
    steps: &'s [Step],
    order: &BTreeMap<Key<'_>, usize>,
    last: f64,
) -> Vec<(&'s Step, f64, bool)> {
    let at = |step: &Step| order.get(&(step.at, &step.commit)).map(|at| *at as f64 / last * 1000.0);
    let mut taken: Vec<f64> = Vec::new();
    let steps = steps.iter().filter(|step| !step.is_drift);
    steps
        .filter_map(|step| Some((step, at(step)?)))
        .map(|(step, at)| {
            let is_free = taken.iter().all(|other| (other - at).abs() > APART * 10.0);
            if is_free {
                taken.push(at);
            }
            (step, at, is_free)
        })
        .collect()
}

/// Returns the class of a step.
pub(super) fn class(step: &Step) -> &'static str {
    match step.worse {
        Some(true) => "worse",
        Some(false) => "better",
        None => "either",
    }
}

/// Returns a description of the chart for people who cannot see it.
fn described(lines: &[TestTrend]) -> String {
    let text = |line: &TestTrend| {
        let values = || line.trend.commits.iter().map(|commit| commit.value);
        let least = line.quantity(values().fold(f64::INFINITY, f64::min));
        let most = line.quantity(values().fold(f64::NEG_INFINITY, f64::max));
        let last = values().next_back().map(|value| line.quantity(value).to_string());
        let last = last.unwrap_or_default();
        format!("{}: {least} to {most}, now {last}", visible(&line.series.environment))
    };
    lines
        .iter()
        .filter(|line| !line.trend.commits.is_empty())
        .map(text)
        .collect::<Vec<_>>()
        .join("; ")
}

/// Returns the data that the script shows, as JSON that cannot end the element it is in.
fn data(
    lines: &[TestTrend],
    order: &BTreeMap<Key<'_>, usize>,
    y: &dyn Fn(f64) -> f64,
    has_page: &dyn Fn(&str) -> bool,
    steps: &[(&Step, f64, bool)],
) -> String {
    let commits = order.keys().map(|(at, hash)| {
        let hash = hash.as_deref().unwrap_or_default();
        let href =
            if has_page(hash) { format!("../{}", names::commit(hash, 0)) } else { String::new() };
        serde_json::json!([visible(short(hash)), time_shown(*at), href])
    });
    let environments = lines.iter().map(|line| {
        let bound = line.trend.limit.as_ref().map_or("", |(bound, _)| sign(bound));
        let points = line.trend.commits.iter().map(|commit| {
            let limit = commit.limit.map_or_else(String::new, |l| format!("{bound} {}", line.quantity(l)));
            let value = line.quantity(commit.value).to_string();
            serde_json::json!([
                order[&key(commit)], y(commit.value).round(), value, limit, u8::from(commit.is_red)
            ])
        });
        serde_json::json!({ "name": visible(&line.series.environment), "points": points.collect::<Vec<_>>() })
    });
    let last = order.len().saturating_sub(1).max(1) as f64;
    let steps = steps.iter().map(|(step, at, _)| {
        serde_json::json!([(at / 1000.0 * last).round(), format!("{}, {}", step.by, step.values)])
    });
    let whole = serde_json::json!({
        "commits": commits.collect::<Vec<_>>(),
        "lines": environments.collect::<Vec<_>>(),
        "steps": steps.collect::<Vec<_>>(),
    });
    json(&whole)
}

/// Returns JSON for a script element: no text in it can end the element or begin a comment.
pub(super) fn json(value: &serde_json::Value) -> String {
    value.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// Returns the sign of a bound.
pub(super) fn sign(bound: &str) -> &'static str {
    if bound == "min" { "≥" } else { "≤" }
}
