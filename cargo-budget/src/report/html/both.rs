//! The chart of a ratio's two sides: the values now over those of the base, on one axis.

use maud::{Markup, html};
use perf_budget_core::outcome::{HistogramBin, Outcome, Sides};
use perf_budget_core::quantity::Quantity;
use perf_budget_core::report::change::change;

use super::axis::{Axis, anchor, percent};
use super::escape::Text;

/// The vertical positions, from the top: the two texts, the bars, and the text of the axis.
const OLD: f64 = 12.0;
const NEW: f64 = 30.0;
const TOP: f64 = 40.0;
const BARS: f64 = 76.0;
const FLOOR: f64 = TOP + BARS;
const TICKS: f64 = FLOOR + 17.0;

/// Returns the figure; `None` for a limit on a quantity, and for an older record.
pub(super) fn render(outcome: &Outcome) -> Option<Markup> {
    let sides = outcome.sides.as_ref()?;
    let from = change(outcome)?.from;
    let (old, new) = (sides.reference.value, sides.subject.value);
    let limit = limit(outcome, sides);
    let quantity = |value: f64| Quantity::new(value, sides.unit);
    let has_no_bars = sides.subject.bars.is_empty();
    let axis = axis(sides, limit);
    let caption = match &outcome.shape {
        Some(shape) if !has_no_bars => format!("now, over {from}: {}", shape.of),
        _ => format!("now, beside {from}"),
    };
    let label = format!(
        "now {}, {from} {}; {}",
        quantity(new),
        quantity(old),
        limit.map_or(String::new(), |limit| format!("the limit is {}", quantity(limit)))
    );
    Some(html! {
        figure {
            figcaption {
                span.key.now aria-hidden="true" {} span.key.before aria-hidden="true" {} (Text(&caption))
                @if let Some(limit) = limit.filter(|limit| axis.has(*limit)) { "; the line is the limit, " (quantity(limit)) }
                @if axis.logarithmic { "; logarithmic axis" }
            }
            svg.chart.both role="img" aria-label=(Text(&label)) width="100%" height=(TICKS + 6.0) {
                @if has_no_bars { (lengths(&axis, old, new)) } @else {
                    @let most = highest_density(sides);
                    (bars(&sides.reference.bars, &axis, most, "before"))
                    (bars(&sides.subject.bars, &axis, most, "now"))
                }
                line.floor x1="0" x2="100%" y1=(FLOOR) y2=(FLOOR) {}
                @for (place, text) in axis.ticks(sides.unit) {
                    line.tick x1=(percent(place)) x2=(percent(place)) y1=(FLOOR) y2=(FLOOR + 4.0) {}
                    text.tick x=(percent(place)) y=(TICKS) text-anchor=(anchor(place)) { (text) }
                }
                @if let Some(limit) = limit.filter(|limit| axis.has(*limit)) {
                    @let place = axis.at(limit);
                    line.limit x1=(percent(place)) x2=(percent(place)) y1=(TOP - 4.0) y2=(FLOOR) {}
                }
                (median(&axis, old, OLD, "before", &format!("{from} {}", quantity(old))))
                (median(&axis, new, NEW, "now", &format!("now {}", quantity(new))))
            }
        }
    })
}

/// Draws the median of one side with its text.
fn median(axis: &Axis, value: f64, at: f64, side: &str, text: &str) -> Markup {
    let place = axis.at(value);
    html! {
        line.median.(side) x1=(percent(place)) x2=(percent(place)) y1=(at + 3.0) y2=(FLOOR) {}
        text.side.(side) x=(percent(place)) y=(at) text-anchor=(anchor(place)) { (Text(text)) }
    }
}

/// Returns the limit as a value: the factor of the limit times the value of the reference.
fn limit(outcome: &Outcome, sides: &Sides) -> Option<f64> {
    let limit = outcome.against?.limit * sides.reference.value;
    limit.is_finite().then_some(limit)
}

/// Returns an axis that covers both sides. It covers the limit too, unless that is so far away that both sides would look
/// like one line.
fn axis(sides: &Sides, limit: Option<f64>) -> Axis {
    let both = [&sides.subject, &sides.reference];
    let bars = both.iter().flat_map(|side| &side.bars).filter(|bar| bar.count > 0);
    let mut values: Vec<f64> = bars.flat_map(|bar| [bar.low, bar.high]).collect();
    values.extend(both.iter().map(|side| side.value));
    if sides.subject.bars.is_empty() {
        values.push(0.0);
    }
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    values.extend(limit.filter(|limit| {
        let room = (high - low) * 2.0;
        (low - room..=high + room).contains(limit)
    }));
    Axis::covering(values)
}

fn highest_density(sides: &Sides) -> f64 {
    let both = sides.subject.bars.iter().chain(&sides.reference.bars);
    both.map(|bar| bar.count).max().unwrap_or(0).max(1) as f64
}

fn bars(bars: &[HistogramBin], axis: &Axis, most: f64, side: &str) -> Markup {
    html! {
        @for bar in bars.iter().filter(|bar| bar.count > 0) {
            @let tall = (bar.count as f64 / most * (BARS - 4.0)).max(2.0);
            @let (from, to) = (axis.at(bar.low), axis.at(bar.high));
            rect.side.(side) x=(percent(from)) width=(percent((to - from).max(0.4)))
                y=(format!("{:.1}", FLOOR - tall)) height=(format!("{tall:.1}")) {}
        }
    }
}

/// Draws two values that never vary as two lengths.
fn lengths(axis: &Axis, old: f64, new: f64) -> Markup {
    let tall = BARS / 2.0 - 8.0;
    html! {
        @for (value, y, side) in [(old, TOP + 4.0, "before"), (new, TOP + BARS / 2.0 + 2.0, "now")] {
            @let (from, to) = (axis.at(0.0), axis.at(value));
            rect.side.(side) x=(percent(from.min(to))) width=(percent((to - from).abs().max(0.4)))
                y=(format!("{y:.1}")) height=(format!("{tall:.1}")) {}
        }
    }
}
