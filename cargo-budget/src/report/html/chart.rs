//! The chart of one limit: how the values lie to it.

use maud::{Markup, html};
use perf_budget_core::budget::Bound;
use perf_budget_core::outcome::{Against, Estimate, HistogramBin, Outcome};
use perf_budget_core::verdict::Verdict;

use super::axis::{Axis, anchor, percent};
use super::safe::Text;

/// Rows from above: the limit's word, the estimate's, its interval, the bars, the axis' words, the dotted
/// line's word.
const LIMIT: f64 = 12.0;
const ESTIMATE: f64 = 30.0;
const INTERVAL: f64 = 42.0;
const TOP: f64 = 54.0;
const TALL: f64 = 84.0;
const FLOOR: f64 = TOP + TALL;
const TICKS: f64 = FLOOR + 17.0;
const SEEN: f64 = FLOOR + 36.0;

/// The distribution against the limit; for one deterministic value, that value against it.
pub(super) fn render(outcome: &Outcome) -> Option<Markup> {
    let (estimate, against) = (outcome.estimate?, outcome.against?);
    let seen = seen(outcome);
    let axis = axis(outcome, &estimate, &against);
    let height = if seen.is_some() { SEEN + 6.0 } else { TICKS + 6.0 };
    let limit = axis.at(against.limit);
    let value = axis.at(estimate.value);
    Some(html! {
        svg.chart role="img" aria-label=(Text(&words(outcome, &estimate, &against))) width="100%" height=(height) {
            (zones(&axis, &against))
            @if outcome.shape.is_some() { (bars(outcome, &axis, &against)) } @else {
                rect.sum x=(percent(axis.at(0.0))) width=(percent((value - axis.at(0.0)).max(0.2)))
                    y=(FLOOR - TALL * 0.6) height=(TALL * 0.4) {}
            }
            (ticked(&axis, &against))
            line.limit x1=(percent(limit)) x2=(percent(limit)) y1=(LIMIT + 4.0) y2=(FLOOR) {}
            text.limit x=(percent(limit)) y=(LIMIT) text-anchor=(anchor(limit)) {
                "limit " (against.quantity(against.limit))
            }
            (estimated(outcome, &estimate, &against, &axis))
            @if let Some(seen) = seen {
                @let place = axis.at(seen);
                line.seen x1=(percent(place)) x2=(percent(place)) y1=(TOP) y2=(SEEN - 10.0) {}
                text.seen x=(percent(place)) y=(SEEN) text-anchor=(anchor(place)) {
                    "would catch " (against.quantity(seen))
                }
            }
        }
    })
}

/// The values by themselves, where beside a limit far away they are too narrow to be seen.
pub(super) fn alone(outcome: &Outcome) -> Option<Markup> {
    /// Percent of the width below which a distribution is too narrow.
    const NARROW: f64 = 22.0;
    /// There is no limit's word at the top.
    const SAVED: f64 = 18.0;
    let (estimate, against) = (outcome.estimate?, outcome.against?);
    let bars = outcome.shape.as_ref()?.bars.as_slice();
    let (first, last) = (bars.first()?, bars.last()?);
    let whole = axis(outcome, &estimate, &against);
    if last.high <= first.low || whole.at(last.high) - whole.at(first.low) >= NARROW {
        return None;
    }
    let axis = Axis::of([first.low, last.high, estimate.value]);
    let label = format!(
        "the same values from {} to {}",
        against.quantity(first.low),
        against.quantity(last.high)
    );
    Some(html! {
        svg.chart role="img" aria-label=(Text(&label)) width="100%" height=(TICKS + 6.0 - SAVED) {
            svg.part y=(-SAVED) width="100%" height=(TICKS + 6.0) {
                (self::bars(outcome, &axis, &against))
                (ticked(&axis, &against))
                (estimated(outcome, &estimate, &against, &axis))
            }
        }
    })
}

/// The axis and its words.
fn ticked(axis: &Axis, against: &Against) -> Markup {
    html! {
        line.floor x1="0" x2="100%" y1=(FLOOR) y2=(FLOOR) {}
        @for (place, text) in axis.ticks(against.unit) {
            line.tick x1=(percent(place)) x2=(percent(place)) y1=(FLOOR) y2=(FLOOR + 4.0) {}
            text.tick x=(percent(place)) y=(TICKS) text-anchor=(anchor_tick(place)) { (text) }
        }
    }
}

/// The estimate and its interval.
fn estimated(outcome: &Outcome, estimate: &Estimate, against: &Against, axis: &Axis) -> Markup {
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

/// Whether the chart's axis is logarithmic.
pub(super) fn is_logarithmic(outcome: &Outcome) -> bool {
    let (Some(estimate), Some(against)) = (outcome.estimate, outcome.against) else { return false };
    axis(outcome, &estimate, &against).logarithmic
}

/// The smallest violation that would have been caught, where one was not.
fn seen(outcome: &Outcome) -> Option<f64> {
    let seen = outcome.evidence?.detectable.filter(|seen| seen.is_finite());
    seen.filter(|_| outcome.verdict != Verdict::Fail)
}

fn axis(outcome: &Outcome, estimate: &Estimate, against: &Against) -> Axis {
    let mut values = vec![estimate.value, against.limit, beyond(against)];
    values.extend([estimate.low, estimate.high, seen(outcome)].into_iter().flatten());
    match &outcome.shape {
        Some(shape) => values.extend(shape.bars.iter().flat_map(|bar| [bar.low, bar.high])),
        // A bar stands on nothing but zero.
        None => values.push(0.0),
    }
    let (low, high) =
        values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(*value), high.max(*value))
        });
    // Room beyond the limit, so that its far side is to be seen.
    let room = (high - low) * 0.06;
    values.push(match against.bound {
        Bound::Max => against.limit + against.tolerance + room,
        Bound::Min if low > 0.0 => (against.limit - against.tolerance) * 0.94,
        Bound::Min => against.limit - against.tolerance - room,
    });
    Axis::of(values)
}

/// Where the tolerance ends.
fn beyond(against: &Against) -> f64 {
    match against.bound {
        Bound::Max => against.limit + against.tolerance,
        Bound::Min => against.limit - against.tolerance,
    }
}

/// The tolerance, hatched, and what lies beyond it, shaded.
fn zones(axis: &Axis, against: &Against) -> Markup {
    let (limit, end) = (axis.at(against.limit), axis.at(beyond(against)));
    let (from, to) = match against.bound {
        Bound::Max => (end, 100.0),
        Bound::Min => (0.0, end),
    };
    html! {
        rect.broken x=(percent(from)) width=(percent(to - from)) y=(TOP) height=(TALL) {}
        @if against.tolerance > 0.0 {
            rect.tolerance x=(percent(limit.min(end))) width=(percent((limit - end).abs())) y=(TOP) height=(TALL)
                fill="url(#hatch)" {}
        }
    }
}

fn bars(outcome: &Outcome, axis: &Axis, against: &Against) -> Markup {
    let bars = outcome.shape.iter().flat_map(|shape| &shape.bars).filter(|bar| bar.count > 0);
    let most = bars.clone().map(|bar| bar.count).max().unwrap_or(0).max(1) as f64;
    html! {
        @for bar in bars {
            // A single value shows too: the tail is what percentiles are about.
            @let tall = (bar.count as f64 / most * (TALL - 4.0)).max(2.0);
            @for (low, high) in parts(bar, against.limit) {
                @let (from, to) = (axis.at(low), axis.at(high));
                @let side = if against.is_over(f64::midpoint(low, high)) { "over" } else { "within" };
                rect.value.(side) x=(percent(from)) width=(percent((to - from).max(0.3)))
                    y=(format!("{:.1}", FLOOR - tall)) height=(format!("{tall:.1}")) {}
            }
        }
    }
}

/// A bar that the limit goes through is of both sides.
fn parts(bar: &HistogramBin, limit: f64) -> Vec<(f64, f64)> {
    if bar.low < limit && limit < bar.high {
        vec![(bar.low, limit), (limit, bar.high)]
    } else {
        vec![(bar.low, bar.high)]
    }
}

/// What the chart shows, for who cannot see it.
fn words(outcome: &Outcome, estimate: &Estimate, against: &Against) -> String {
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

/// Words of the axis stand nearer to its ends than others.
fn anchor_tick(place: f64) -> &'static str {
    match place {
        p if p < 6.0 => "start",
        p if p > 94.0 => "end",
        _ => "middle",
    }
}
