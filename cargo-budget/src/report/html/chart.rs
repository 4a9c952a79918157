//! The chart of one limit: where the measured values lie relative to the limit.

use maud::{Markup, html};
use perf_budget_core::budget::Bound;
use perf_budget_core::outcome::{Against, Estimate, HistogramBin, Outcome};
use perf_budget_core::verdict::Verdict;

use super::axis::{Axis, anchor, percent};
use super::escape::Text;

/// The vertical positions, from the top: the text of the limit, the text of the estimate, its interval, the bars, the
/// text of the axis, and the text of the dotted line.
const LIMIT: f64 = 12.0;
const ESTIMATE: f64 = 30.0;
const INTERVAL: f64 = 42.0;
const TOP: f64 = 54.0;
const BARS: f64 = 84.0;
const FLOOR: f64 = TOP + BARS;
const TICKS: f64 = FLOOR + 17.0;
const DETECTABLE: f64 = FLOOR + 36.0;

/// Returns the chart: the distribution and the limit, or, for a deterministic metric, its one value and the limit.
pub(crate) fn render(outcome: &Outcome) -> Option<Markup> {
    let (estimate, against) = (outcome.estimate?, outcome.against?);
    let detectable = detectable(outcome);
    let axis = axis(outcome, &estimate, &against);
    let height = if detectable.is_some() { DETECTABLE + 6.0 } else { TICKS + 6.0 };
    let limit = axis.at(against.limit);
    let value = axis.at(estimate.value);
    Some(html! {
        svg.chart role="img" aria-label=(Text(&description(outcome, &estimate, &against))) width="100%" height=(height) {
            (regions(&axis, &against))
            @if outcome.shape.is_some() { (bars(outcome, &axis, &against)) } @else {
                rect.sum x=(percent(axis.at(0.0))) width=(percent((value - axis.at(0.0)).max(0.2)))
                    y=(FLOOR - BARS * 0.6) height=(BARS * 0.4) {}
            }
            (ticks(&axis, &against))
            line.limit x1=(percent(limit)) x2=(percent(limit)) y1=(LIMIT + 4.0) y2=(FLOOR) {}
            text.limit x=(percent(limit)) y=(LIMIT) text-anchor=(anchor(limit)) {
                "limit " (against.quantity(against.limit))
            }
            (estimate_mark(outcome, &estimate, &against, &axis))
            @if let Some(detectable) = detectable {
                @let place = axis.at(detectable);
                line.seen x1=(percent(place)) x2=(percent(place)) y1=(TOP) y2=(DETECTABLE - 10.0) {}
                text.seen x=(percent(place)) y=(DETECTABLE) text-anchor=(anchor(place)) {
                    "would catch " (against.quantity(detectable))
                }
            }
        }
    })
}

/// Returns a chart of the values without the limit, where they are too narrow to be seen next to a limit that is far
/// away.
pub(super) fn without_limit(outcome: &Outcome) -> Option<Markup> {
    /// The percent of the width below which a distribution counts as too narrow.
    const NARROW: f64 = 22.0;
    /// The height that is saved, since there is no text of a limit at the top.
    const SAVED: f64 = 18.0;
    let (estimate, against) = (outcome.estimate?, outcome.against?);
    let bars = outcome.shape.as_ref()?.bars.as_slice();
    let (first, last) = (bars.first()?, bars.last()?);
    let whole = axis(outcome, &estimate, &against);
    if last.high <= first.low || whole.at(last.high) - whole.at(first.low) >= NARROW {
        return None;
    }
    let axis = Axis::covering([first.low, last.high, estimate.value]);
    let label = format!(
        "the same values from {} to {}",
        against.quantity(first.low),
        against.quantity(last.high)
    );
    Some(html! {
        svg.chart role="img" aria-label=(Text(&label)) width="100%" height=(TICKS + 6.0 - SAVED) {
            svg.part y=(-SAVED) width="100%" height=(TICKS + 6.0) {
                (self::bars(outcome, &axis, &against))
                (ticks(&axis, &against))
                (estimate_mark(outcome, &estimate, &against, &axis))
            }
        }
    })
}

/// Draws the axis, its ticks and their texts.
fn ticks(axis: &Axis, against: &Against) -> Markup {
    html! {
        line.floor x1="0" x2="100%" y1=(FLOOR) y2=(FLOOR) {}
        @for (place, text) in axis.ticks(against.unit) {
            line.tick x1=(percent(place)) x2=(percent(place)) y1=(FLOOR) y2=(FLOOR + 4.0) {}
            text.tick x=(percent(place)) y=(TICKS) text-anchor=(anchor_tick(place)) { (text) }
        }
    }
}

/// Draws the estimate and its interval.
fn estimate_mark(outcome: &Outcome, estimate: &Estimate, against: &Against, axis: &Axis) -> Markup {
    let (value, low, high) = (
        axis.at(estimate.value),
        estimate.low.map_or(0.0, |low| axis.at(low)),
        estimate.high.map_or(100.0, |high| axis.at(high)),
    );
    html! {
        @if outcome.evidence.is_some() && (estimate.low.is_some() || estimate.high.is_some()) {
            line.interval x1=(percent(low)) x2=(percent(high)) y1=(INTERVAL) y2=(INTERVAL) {}
            @for (end, place) in [(estimate.low, low), (estimate.high, high)] {
                @if end.is_some() {
                    line.interval x1=(percent(place)) x2=(percent(place)) y1=(INTERVAL - 4.0) y2=(INTERVAL + 4.0) {}
                }
            }
        }
        line.estimate x1=(percent(value)) x2=(percent(value)) y1=(INTERVAL - 7.0) y2=(INTERVAL + 7.0) {}
        text.estimate x=(percent(value)) y=(ESTIMATE) text-anchor=(anchor(value)) {
            (Text(&outcome.metric)) " " (against.quantity(estimate.value))
        }
    }
}

/// Returns whether the axis of the chart is logarithmic.
pub(super) fn is_logarithmic(outcome: &Outcome) -> bool {
    let (Some(estimate), Some(against)) = (outcome.estimate, outcome.against) else { return false };
    axis(outcome, &estimate, &against).logarithmic
}

/// Returns the minimum detectable effect; `None` for a limit that failed, since there a violation was detected.
fn detectable(outcome: &Outcome) -> Option<f64> {
    let value = outcome.evidence?.detectable.filter(|value| value.is_finite());
    value.filter(|_| outcome.verdict != Verdict::Fail)
}

fn axis(outcome: &Outcome, estimate: &Estimate, against: &Against) -> Axis {
    let mut values = vec![estimate.value, against.limit, tolerance_end(against)];
    values.extend([estimate.low, estimate.high, detectable(outcome)].into_iter().flatten());
    match &outcome.shape {
        Some(shape) => values.extend(shape.bars.iter().flat_map(|bar| [bar.low, bar.high])),
        // A bar has to start at zero.
        None => values.push(0.0),
    }
    let (low, high) =
        values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(*value), high.max(*value))
        });
    // The axis leaves some room beyond the limit, so that the region that breaks it can be seen.
    let room = (high - low) * 0.06;
    values.push(match against.bound {
        Bound::Max => against.limit + against.tolerance + room,
        Bound::Min if low > 0.0 => (against.limit - against.tolerance) * 0.94,
        Bound::Min => against.limit - against.tolerance - room,
    });
    Axis::covering(values)
}

/// Returns the value at which the tolerance ends.
fn tolerance_end(against: &Against) -> f64 {
    match against.bound {
        Bound::Max => against.limit + against.tolerance,
        Bound::Min => against.limit - against.tolerance,
    }
}

/// Draws the tolerance as a hatched region, and the region that breaks the limit as a shaded one.
fn regions(axis: &Axis, against: &Against) -> Markup {
    let (limit, end) = (axis.at(against.limit), axis.at(tolerance_end(against)));
    let (from, to) = match against.bound {
        Bound::Max => (end, 100.0),
        Bound::Min => (0.0, end),
    };
    html! {
        rect.broken x=(percent(from)) width=(percent(to - from)) y=(TOP) height=(BARS) {}
        @if against.tolerance > 0.0 {
            rect.tolerance x=(percent(limit.min(end))) width=(percent((limit - end).abs())) y=(TOP) height=(BARS)
                fill="url(#hatch)" {}
        }
    }
}

fn bars(outcome: &Outcome, axis: &Axis, against: &Against) -> Markup {
    let bars = outcome.shape.iter().flat_map(|shape| &shape.bars).filter(|bar| bar.count > 0);
    let most = bars.clone().map(|bar| bar.count).max().unwrap_or(0).max(1) as f64;
    html! {
        @for bar in bars {
            // Even a single value is drawn, since percentiles depend on the tail.
            @let tall = (bar.count as f64 / most * (BARS - 4.0)).max(2.0);
            @for (low, high) in parts(bar, against.limit) {
                @let (from, to) = (axis.at(low), axis.at(high));
                @let side = if against.is_over(f64::midpoint(low, high)) { "over" } else { "within" };
                rect.value.(side) x=(percent(from)) width=(percent((to - from).max(0.3)))
                    y=(format!("{:.1}", FLOOR - tall)) height=(format!("{tall:.1}")) {}
            }
        }
    }
}

/// Splits a bar at the limit, so that each part gets the colour of its side.
fn parts(bar: &HistogramBin, limit: f64) -> Vec<(f64, f64)> {
    if bar.low < limit && limit < bar.high {
        vec![(bar.low, limit), (limit, bar.high)]
    } else {
        vec![(bar.low, bar.high)]
    }
}

/// Returns a description of the chart for people who cannot see it.
fn description(outcome: &Outcome, estimate: &Estimate, against: &Against) -> String {
    let quantity = |value: f64| against.quantity(value);
    let ends = outcome.shape.as_ref().and_then(|shape| {
        Some((shape.of.as_str(), shape.bars.first()?.low, shape.bars.last()?.high))
    });
    let side = match against.bound {
        Bound::Max => "at most",
        Bound::Min => "at least",
    };
    let spread = ends.map_or(String::new(), |(of, low, high)| {
        format!("{of} from {} to {}; ", quantity(low), quantity(high))
    });
    format!(
        "{spread}{} is {}, the limit is {side} {}",
        outcome.metric,
        quantity(estimate.value),
        quantity(against.limit)
    )
}

/// Returns how the text of a tick is anchored: it may stand nearer to the ends than other texts.
fn anchor_tick(place: f64) -> &'static str {
    match place {
        p if p < 6.0 => "start",
        p if p > 94.0 => "end",
        _ => "middle",
    }
}
