//! The chart of earlier values of the same test; the present value is the last.

use maud::{Markup, html};
use perf_budget_core::budget::Bound;
use perf_budget_core::outcome::{Against, Outcome};

use super::axis::percent;
use super::escape::Text;
use crate::text::{line as one_line, short};

/// The greatest distance at which a limit is drawn, as a multiple of the spread of the values. A limit further away would
/// flatten the line.
const FAR: f64 = 3.0;

/// The most runs that are listed below the chart.
const LISTED: usize = 12;

/// Returns the small line in the last column of a row.
pub(super) fn spark(earlier: &[&Outcome], outcome: &Outcome) -> Option<Markup> {
    let (runs, against) = runs(earlier, outcome)?;
    let scale = Scale::covering(&runs, None);
    let at = |i: usize| 4.0 + i as f64 / (runs.len() - 1) as f64 * 92.0;
    let y = |value: f64| scale.at(value, 4.0, 20.0);
    let last = runs.last()?;
    Some(html! {
        svg.spark role="img" aria-label=(Text(&description(&runs, &against))) width="100%" height="24" {
            svg viewBox="0 0 100 24" preserveAspectRatio="none" width="100%" height="24" {
                polyline.trend points=(line(&runs, at, y)) vector-effect="non-scaling-stroke" {}
            }
            circle.now.(last.verdict.name()) cx="96%" cy=(format!("{:.1}", y(value(last)))) r="3" {}
        }
    })
}

/// Returns the larger chart, which has intervals and the limit.
pub(super) fn chart(earlier: &[&Outcome], outcome: &Outcome) -> Option<Markup> {
    let (runs, against) = runs(earlier, outcome)?;
    let scale = Scale::covering(&runs, Some(&against));
    let at = |i: usize| 3.0 + i as f64 / (runs.len() - 1) as f64 * 94.0;
    let y = |value: f64| scale.at(value, 18.0, 78.0);
    let height = |value: f64| format!("{:.1}", y(value));
    let limit = y(against.limit);
    let shown = (18.0..=78.0).contains(&limit) && scale.has(against.limit);
    Some(html! {
        figure.trend {
            figcaption { "Trend, " (runs.len()) " runs since " (super::footer::format_start(runs[0].run.began)) }
            svg.chart role="img" aria-label=(Text(&description(&runs, &against))) width="100%" height="106" {
                @if shown {
                    line.limit x1="0" x2="100%" y1=(height(against.limit)) y2=(height(against.limit)) {}
                    text.limit x="3%" y=(format!("{:.1}", limit - 4.0)) { "limit " (against.quantity(against.limit)) }
                }
                @for (i, run) in runs.iter().enumerate() {
                    @if let (Some(estimate), Some(_)) = (run.estimate, run.evidence) {
                        @if let (Some(low), Some(high)) = (estimate.low, estimate.high) {
                            line.interval x1=(percent(at(i))) x2=(percent(at(i))) y1=(height(low)) y2=(height(high)) {}
                        }
                    }
                }
                svg viewBox="0 0 100 106" preserveAspectRatio="none" width="100%" height="106" {
                    polyline.trend points=(line(&runs, at, y)) vector-effect="non-scaling-stroke" {}
                }
                @for (i, run) in runs.iter().enumerate() {
                    // A red run is drawn as a square, so that it can be told without its colour.
                    @let x = percent(at(i));
                    @let title = point(run, &against);
                    @if run.is_red() {
                        svg.point x=(x) y=(height(value(run))) width="1" height="1" {
                            rect.now.(run.verdict.name()) x="-4" y="-4" width="8" height="8" { title { (Text(&title)) } }
                        }
                    } @else {
                        circle.now.(run.verdict.name()) cx=(x) cy=(height(value(run))) r="3.5" { title { (Text(&title)) } }
                    }
                }
                text.tick x="3%" y="102" { (against.quantity(value(runs[0]))) (commit(runs[0])) }
                text.tick x="97%" y="102" text-anchor="end" {
                    "now " (against.quantity(value(outcome))) (commit(outcome))
                }
            }
            (listed(&runs, &against))
        }
    })
}

/// Returns the commit of a run, to be put behind its value; empty where it is not known.
fn commit(run: &Outcome) -> String {
    run.run
        .commit
        .as_deref()
        .map_or(String::new(), |commit| format!(" at {}", one_line(short(commit))))
}

/// Returns the text of one point.
fn point(run: &Outcome, against: &Against) -> String {
    let (value, verdict) = (against.quantity(value(run)), run.verdict.name());
    format!("{value}{}, {verdict}, {}", commit(run), super::footer::format_start(run.run.began))
}

/// Renders the runs as a table, the newest first: a point cannot be hovered over on a phone.
fn listed(runs: &[&Outcome], against: &Against) -> Markup {
    html! {
        details.more {
            summary { "the newest of these runs, with their commits" }
            table.runs {
                thead { tr { th scope="col" { "measured" } th scope="col" { "commit" } th scope="col" { "value" } th scope="col" { "verdict" } } }
                tbody {
                    @for run in runs.iter().rev().take(LISTED) {
                        tr {
                            td { (super::footer::format_start(run.run.began)) }
                            td { @if let Some(commit) = &run.run.commit { code { (Text(short(commit))) } } }
                            td { (against.quantity(value(run))) }
                            td { (run.verdict.name()) }
                        }
                    }
                }
            }
        }
    }
}

/// Returns all runs with a value, the present one last; `None` where there is only one.
fn runs<'o>(earlier: &[&'o Outcome], outcome: &'o Outcome) -> Option<(Vec<&'o Outcome>, Against)> {
    let against = outcome.against?;
    let _ = outcome.estimate?;
    let finite = |run: &&Outcome| value(run).is_finite();
    let runs: Vec<&Outcome> = earlier.iter().copied().chain([outcome]).filter(finite).collect();
    (runs.len() > 1).then_some((runs, against))
}

/// Returns the value of a run, which is present since [`runs`] leaves out the others.
fn value(run: &Outcome) -> f64 {
    run.estimate.map_or(f64::NAN, |estimate| estimate.value)
}

fn line(runs: &[&Outcome], at: impl Fn(usize) -> f64, y: impl Fn(f64) -> f64) -> String {
    let points = runs.iter().enumerate();
    let points = points.map(|(i, run)| format!("{:.2},{:.2}", at(i), y(value(run))));
    points.collect::<Vec<_>>().join(" ")
}

fn description(runs: &[&Outcome], against: &Against) -> String {
    let values = || runs.iter().map(|run| value(run));
    let low = values().fold(f64::INFINITY, f64::min);
    let high = values().fold(f64::NEG_INFINITY, f64::max);
    let now = runs.last().map_or(f64::NAN, |run| value(run));
    let [low, high, now] = [low, high, now].map(|value| against.quantity(value));
    format!("{} runs between {low} and {high}, now {now}", runs.len())
}

/// The vertical scale of a trend.
struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    /// Returns a scale that covers the values, and the limit if it is not [`FAR`] from them.
    fn covering(runs: &[&Outcome], against: Option<&Against>) -> Scale {
        let mut low = runs.iter().map(|run| value(run)).fold(f64::INFINITY, f64::min);
        let mut high = runs.iter().map(|run| value(run)).fold(f64::NEG_INFINITY, f64::max);
        if let Some(against) = against {
            let room = (high - low).max(high.abs() * 0.05) * FAR;
            match against.bound {
                Bound::Max if against.limit > high && against.limit - high < room => {
                    high = against.limit;
                }
                Bound::Min if against.limit < low && low - against.limit < room => {
                    low = against.limit;
                }
                Bound::Max | Bound::Min => {}
            }
        }
        // Tiny changes must not look like mountains, so the scale covers at least 4 % of the value.
        let least = (high.abs().max(low.abs()) * 0.04).max(f64::MIN_POSITIVE);
        if high - low < least {
            let middle = f64::midpoint(low, high);
            return Scale { low: middle - least / 2.0, high: middle + least / 2.0 };
        }
        Scale { low, high }
    }

    fn has(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// Returns the vertical position of a value, counted from the top.
    fn at(&self, value: f64, top: f64, bottom: f64) -> f64 {
        let share = ((value - self.low) / (self.high - self.low)).clamp(-0.1, 1.1);
        bottom - share * (bottom - top)
    }
}
