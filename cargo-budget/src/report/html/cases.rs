//! The charts of a budget over a parameter: a value for each case, now and at the base.

use std::collections::BTreeMap;

use maud::{Markup, html};
use perf_budget_core::outcome::Outcome;
use perf_budget_core::quantity::{Quantity, Unit};
use perf_budget_core::report::change::{change, times};

use super::axis::{Axis, percent};
use super::escape::Text;
use super::label;

/// The most charts that a budget has, and the most lines that a chart has.
const MOST_CHARTS: usize = 6;
const MOST_LINES: usize = 5;

/// The vertical positions, from the top.
const TOP: f64 = 22.0;
const FLOOR: f64 = 138.0;
const TICKS: f64 = FLOOR + 17.0;

/// A metric over a parameter.
struct Chart<'o> {
    parameter: &'o str,
    metric: &'o str,
    kind: Kind,
    /// The revision or the budget that the values before belong to.
    from: Option<String>,
    /// The lines, each by the other parameters of its cases.
    lines: BTreeMap<String, Vec<Point<'o>>>,
}

/// The kind of values that a chart shows.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Values in a unit.
    Value(Unit),
    /// Values as multiples of those before, since a change of some percent cannot be seen beside values that spread over
    /// decades.
    Change,
}

/// The value of one case.
struct Point<'o> {
    /// The value of the parameter.
    at: f64,
    now: f64,
    before: Option<f64>,
    outcome: &'o Outcome,
}

/// Renders a chart for each metric that is measured at several values of a parameter.
pub(super) fn render(outcomes: &[&Outcome]) -> Markup {
    let charts = charts(outcomes);
    html! {
        @if !charts.is_empty() {
            div.cases { @for chart in charts.iter().take(MOST_CHARTS) { (chart.render()) } }
        }
    }
}

fn charts<'o>(outcomes: &[&'o Outcome]) -> Vec<Chart<'o>> {
    let Some(parameter) = parameter(outcomes) else { return Vec::new() };
    let mut charts: Vec<Chart<'o>> = Vec::new();
    for outcome in outcomes {
        let from = change(outcome).map(|change| change.from);
        for (line, point, kind) in points(outcome, parameter) {
            let alike = |chart: &Chart<'_>| chart.metric == outcome.metric && chart.kind == kind;
            let at = charts.iter().position(alike).unwrap_or_else(|| {
                let (metric, lines) = (outcome.metric.as_str(), BTreeMap::new());
                charts.push(Chart { parameter, metric, kind, from: None, lines });
                charts.len() - 1
            });
            let chart = &mut charts[at];
            let compares = point.before.is_some() || kind == Kind::Change;
            chart.from = chart.from.take().or(from.clone().filter(|_| compares));
            chart.lines.entry(line).or_default().push(point);
        }
    }
    for chart in &mut charts {
        for points in chart.lines.values_mut() {
            points.sort_by(|a, b| a.at.total_cmp(&b.at));
            // An absolute limit and one against the base are about the same value.
            points.dedup_by(|b, a| {
                a.at.total_cmp(&b.at).is_eq() && {
                    a.before = a.before.or(b.before);
                    true
                }
            });
        }
        chart.lines.retain(|_, points| points.len() > 1);
    }
    charts.retain(|chart| !chart.lines.is_empty());
    charts
}

/// Returns the parameter with the most different numbers.
fn parameter<'o>(outcomes: &[&'o Outcome]) -> Option<&'o str> {
    let mut values: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for outcome in outcomes {
        for (name, value) in parts(&outcome.case) {
            if let Ok(number) = value.replace('_', "").parse::<f64>() {
                values.entry(name).or_default().push(number.to_bits());
            }
        }
    }
    let count_different = |values: &mut Vec<u64>| {
        values.sort_unstable();
        values.dedup();
        values.len()
    };
    let counts = values.iter_mut().map(|(name, values)| (count_different(values), *name));
    counts.filter(|(n, _)| *n > 1).max_by_key(|(n, _)| *n).map(|(_, name)| name)
}

/// Returns the parameters of a case with their values.
fn parts(case: &str) -> impl Iterator<Item = (&str, &str)> {
    case.split(',').filter_map(|part| part.split_once('='))
}

/// Returns the points of an outcome, each with the other parameters of its case, which name its line.
fn points<'o>(outcome: &'o Outcome, parameter: &str) -> Vec<(String, Point<'o>, Kind)> {
    let mut at = None;
    let mut others = Vec::new();
    for (name, value) in parts(&outcome.case) {
        match value.replace('_', "").parse::<f64>() {
            Ok(number) if name == parameter => at = Some(number),
            _ => others.push(format!("{name}={value}")),
        }
    }
    let (Some(at), Some(estimate), Some(against)) = (at, outcome.estimate, outcome.against) else {
        return Vec::new();
    };
    let line = others.join(", ");
    let mut points = Vec::new();
    let mut add = |now: f64, before: Option<f64>, kind: Kind| {
        if now.is_finite() {
            points.push((line.clone(), Point { at, now, before, outcome }, kind));
        }
    };
    if outcome.relative_to.is_none() {
        add(estimate.value, None, Kind::Value(against.unit));
        return points;
    }
    if let Some(sides) = &outcome.sides {
        add(sides.subject.value, Some(sides.reference.value), Kind::Value(sides.unit));
    }
    add(estimate.value, None, Kind::Change);
    points
}

impl Chart<'_> {
    fn render(&self) -> Markup {
        let points = || self.lines.values().flatten();
        let across = Axis::covering(points().map(|point| point.at));
        let up = self.up();
        let limit = self.limit();
        // The position on an axis is a percent of its length.
        let y = |value: f64| FLOOR - (up.at(value) - 3.0) / 94.0 * (FLOOR - TOP);
        let x = |value: f64| 12.0 + across.at(value) * 0.85;
        html! {
            figure {
                figcaption {
                    (Text(self.metric))
                    @if self.kind == Kind::Change { ", change to " (Text(self.from.as_deref().unwrap_or("the reference"))) }
                    " over " (Text(self.parameter))
                    @if let Some(from) = self.from.as_ref().filter(|_| self.kind != Kind::Change) {
                        " (" span.key.now aria-hidden="true" {} "now, " span.key.before aria-hidden="true" {} (Text(from)) ")"
                    }
                    @if up.logarithmic || across.logarithmic { ", logarithmic" }
                }
                svg.chart.cases role="img" aria-label=(Text(&self.description())) width="100%" height=(TICKS + 6.0) {
                    @for (place, text) in self.ticks(&up) {
                        @let height = FLOOR - (place - 3.0) / 94.0 * (FLOOR - TOP);
                        line.grid x1="0" x2="100%" y1=(format!("{height:.1}")) y2=(format!("{height:.1}")) {}
                        text.tick x="0" y=(format!("{:.1}", height - 4.0)) { (text) }
                    }
                    @if let Some(limit) = limit {
                        @let height = format!("{:.1}", y(limit));
                        @let (end, base) = label::place(y(limit), FLOOR, &self.drawn(x, y));
                        line.limit x1="0" x2="100%" y1=(height) y2=(height) {}
                        text.limit x=(percent(end)) y=(format!("{base:.1}")) text-anchor="end" { "limit " (self.shown(limit)) }
                    }
                    @if self.kind == Kind::Change {
                        @for point in points() { (interval(point, x(point.at), y)) }
                    }
                    @for (place, text) in across.ticks(Unit::Number) {
                        @let place = 12.0 + place * 0.85;
                        line.tick x1=(percent(place)) x2=(percent(place)) y1=(FLOOR) y2=(FLOOR + 4.0) {}
                        text.tick x=(percent(place)) y=(TICKS) text-anchor=(if place > 94.0 { "end" } else { "middle" }) { (text) }
                    }
                    line.floor x1="0" x2="100%" y1=(FLOOR) y2=(FLOOR) {}
                    svg viewBox="0 0 100 160" preserveAspectRatio="none" width="100%" height="160" {
                        @for points in self.lines.values().take(MOST_LINES) {
                            @if points.iter().any(|point| point.before.is_some()) {
                                polyline.before points=(line(points, x, y, |point| point.before)) vector-effect="non-scaling-stroke" {}
                            }
                            polyline.trend points=(line(points, x, y, |point| Some(point.now))) vector-effect="non-scaling-stroke" {}
                        }
                    }
                    @for (name, points) in self.lines.iter().take(MOST_LINES) {
                        @for point in points {
                            circle.now.(point.outcome.verdict.name()) cx=(percent(x(point.at))) cy=(format!("{:.1}", y(point.now))) r="3.5" {
                                title { (Text(&self.point(point))) }
                            }
                        }
                        @if let Some(last) = points.last().filter(|_| !name.is_empty()) {
                            text.tick x=(percent(x(last.at))) y=(format!("{:.1}", y(last.now) - 8.0)) text-anchor="end" { (Text(name)) }
                        }
                    }
                }
            }
        }
    }

    /// Returns the vertical axis. It begins at 0, unless the values spread so far that they could not be told apart.
    fn up(&self) -> Axis {
        let points = || self.lines.values().flatten();
        if self.kind == Kind::Change {
            let ends = points().filter_map(|point| point.outcome.estimate);
            let ends = ends.flat_map(|estimate| [estimate.low, estimate.high]).flatten();
            let values = points().map(|point| point.now).chain(ends).chain([1.0]);
            return Axis::covering(values.chain(self.limit()));
        }
        let values = || points().flat_map(|point| [Some(point.now), point.before]).flatten();
        let least = values().fold(f64::INFINITY, f64::min);
        let most = values().fold(f64::NEG_INFINITY, f64::max);
        let is_wide = least > 0.0 && most / least > 5.0;
        Axis::covering(values().chain((!is_wide).then_some(0.0)))
    }

    fn ticks(&self, up: &Axis) -> Vec<(f64, String)> {
        match self.kind {
            Kind::Value(unit) => up.ticks(unit).into_iter().take(5).collect(),
            Kind::Change => {
                up.places().into_iter().map(|(place, value)| (place, times(value))).collect()
            }
        }
    }

    /// Returns the one limit of all changes; `None` where they have several.
    fn limit(&self) -> Option<f64> {
        let mut limits = self.lines.values().flatten().filter_map(|point| point.outcome.against);
        let first = limits.next()?.limit;
        let is_one = self.kind == Kind::Change
            && limits.all(|other| other.limit.to_bits() == first.to_bits());
        is_one.then_some(first)
    }

    /// Returns the straight lines that are drawn between the values, and those of their intervals.
    fn drawn(&self, x: impl Fn(f64) -> f64, y: impl Fn(f64) -> f64) -> Vec<[(f64, f64); 2]> {
        let mut drawn = Vec::new();
        for points in self.lines.values().take(MOST_LINES) {
            let at = |point: &Point<'_>| (x(point.at), y(point.now));
            drawn.extend(points.windows(2).map(|pair| [at(&pair[0]), at(&pair[1])]));
            drawn.extend(points.iter().map(|point| {
                let estimate = point.outcome.estimate;
                let end = |end: Option<f64>| (x(point.at), y(end.unwrap_or(point.now)));
                [end(estimate.and_then(|e| e.low)), end(estimate.and_then(|e| e.high))]
            }));
        }
        drawn
    }

    fn shown(&self, value: f64) -> String {
        match self.kind {
            Kind::Value(unit) => Quantity::new(value, unit).to_string(),
            Kind::Change => times(value),
        }
    }

    fn point(&self, point: &Point<'_>) -> String {
        let before = match (point.before, &self.from) {
            (Some(before), Some(from)) => format!(", {from} {}", self.shown(before)),
            _ => String::new(),
        };
        let verdict = point.outcome.verdict.name();
        format!("{}: {}{before}, {verdict}", point.outcome.case, self.shown(point.now))
    }

    fn description(&self) -> String {
        let points = self.lines.values().flatten().take(24).map(|point| self.point(point));
        let points: Vec<String> = points.collect();
        format!("{} over {}: {}", self.metric, self.parameter, points.join("; "))
    }
}

/// Draws the interval of a change.
fn interval(point: &Point<'_>, x: f64, y: impl Fn(f64) -> f64) -> Markup {
    let ends = point.outcome.estimate.and_then(|estimate| estimate.low.zip(estimate.high));
    html! {
        @if let Some((low, high)) = ends.filter(|_| point.outcome.evidence.is_some()) {
            line.interval x1=(percent(x)) x2=(percent(x)) y1=(format!("{:.1}", y(low))) y2=(format!("{:.1}", y(high))) {}
        }
    }
}

fn line(
    points: &[Point<'_>],
    x: impl Fn(f64) -> f64,
    y: impl Fn(f64) -> f64,
    value: impl Fn(&Point<'_>) -> Option<f64>,
) -> String {
    let places = points
        .iter()
        .filter_map(|point| Some(format!("{:.2},{:.2}", x(point.at), y(value(point)?))));
    places.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use perf_budget_core::budget::Bound;
    use perf_budget_core::outcome::{Against, Estimate, Sides};

    use super::*;

    fn outcome(case: &str, value: f64) -> Outcome {
        let unit = Unit::Seconds;
        Outcome {
            case: case.to_owned(),
            metric: "mean".to_owned(),
            against: Some(Against {
                bound: Bound::Max,
                limit: 1.0,
                warn: 1.0,
                tolerance: 0.0,
                unit,
            }),
            estimate: Some(Estimate { value, low: None, high: None }),
            ..Outcome::default()
        }
    }

    #[track_caller]
    fn check(cases: &[&str], want: &[(&str, &str, &[usize])]) {
        let outcomes: Vec<Outcome> = cases.iter().map(|case| outcome(case, 0.5)).collect();
        let charts = charts(&outcomes.iter().collect::<Vec<_>>());
        let got: Vec<(&str, &str, Vec<usize>)> = charts
            .iter()
            .map(|chart| {
                (chart.parameter, chart.metric, chart.lines.values().map(Vec::len).collect())
            })
            .collect();
        let want: Vec<(&str, &str, Vec<usize>)> =
            want.iter().map(|(a, b, c)| (*a, *b, c.to_vec())).collect();
        assert_eq!(got, want);
    }

    #[test]
    fn a_budget_with_cases_has_a_chart() {
        check(&["n=10", "n=100", "n=1_000"], &[("n", "mean", &[3])]);
        check(
            &["n=10,kind=a", "n=10,kind=b", "n=20,kind=a", "n=20,kind=b"],
            &[("n", "mean", &[2, 2])],
        );
        check(&["n=10", "n=10", ""], &[]);
        check(&["kind=a", "kind=b"], &[]);
        check(&["", ""], &[]);
    }

    #[test]
    fn a_ratio_shows_both_sides() {
        let ratio = |case: &str| Outcome {
            sides: Sides::of(&[(0.2, 0.1)], Unit::Seconds),
            relative_to: Some("base".to_owned()),
            ..outcome(case, 2.0)
        };
        let outcomes = [ratio("n=1"), ratio("n=2")];
        let charts = charts(&outcomes.iter().collect::<Vec<_>>());
        assert_eq!(charts.len(), 2);
        assert_eq!(charts[0].from.as_deref(), Some("base"));
        let drawn = charts[0].render().into_string();
        assert!(drawn.contains("polyline class=\"before\""), "{drawn}");
        let drawn = charts[1].render().into_string();
        assert!(drawn.contains("change to base over n") && drawn.contains("limit +0 %"), "{drawn}");
    }
}
