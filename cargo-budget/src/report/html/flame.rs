//! The calls of one operation as a flame graph: a bar for each function, below the one that calls it, with the change
//! since the reference as its colour.
//!
//! It is inline SVG without a script. Positions are in percent of the width, and each bar is an `<svg>` of its own, which
//! clips its name. What a pointer shows of a bar is in the text below as well.

use std::fmt::Write as _;

use maud::{Markup, html};
use perf_budget_core::outcome::{Blame, CallTree, Change, Counter, Frame};

use super::axis::percent;
use super::escape::Text;

/// The height of a bar with the gap below it, and of the bar alone, in pixels.
const ROW: usize = 19;
const BAR: usize = 18;
/// The most rows that are drawn. A record that a program has written has fewer.
const ROWS: usize = 40;
/// The narrowest bar that is drawn, and the narrowest with a name, in percent of the width.
const DRAWN: f64 = 0.1;
const NAMED: f64 = 2.5;
/// The shares of the greatest change from which a bar gets the strong colour, and from which it gets a colour at all.
const STRONG: f64 = 0.5;
const WEAK: f64 = 0.05;

/// Renders the graph; empty where the record has no tree.
pub(super) fn render(blame: &Blame) -> Markup {
    let bars = blame.calls.as_ref().map(bars).unwrap_or_default();
    let whole: f64 = bars.iter().filter(|bar| bar.row == 0).map(|bar| bar.width).sum();
    if whole <= 0.0 {
        return html! {};
    }
    let (unit, is_change) = (blame.counter.unit(), blame.before.is_some());
    let most = bars.iter().map(|bar| bar.own.by().abs()).fold(0.0, f64::max);
    let rows = bars.iter().map(|bar| bar.row + 1).max().unwrap_or(1).min(ROWS);
    let share = |amount: f64| amount / whole * 100.0;
    let drawn =
        bars.iter().filter(|bar| bar.row < ROWS && share(bar.width) >= DRAWN).collect::<Vec<_>>();
    html! {
        h4 { "Calls" }
        p.hint { (hint(blame.counter, is_change)) }
        div.flame tabindex="0" role="group" aria-label="The calls of one operation, as a graph that can be scrolled" {
            svg role="img" aria-label="Flame graph; the text below has the same" width="100%" height=(rows * ROW) {
                @for bar in drawn {
                    svg.(tone(bar, most, is_change)) x=(percent(share(bar.left))) y=(bar.row * ROW) width=(percent(share(bar.width))) height=(BAR) {
                        title { (Text(&describe(bar, unit, is_change))) }
                        rect width="100%" height="100%" rx="2" {}
                        @if share(bar.width) >= NAMED { text x="5" y="13" { (Text(short(bar.name))) } }
                    }
                }
            }
        }
        details.more {
            summary { "The same as text" }
            pre tabindex="0" aria-label="The calls of one operation" { (Text(&text(&bars, unit, is_change))) }
        }
    }
}

fn hint(counter: Counter, is_change: bool) -> &'static str {
    match (counter, is_change) {
        (Counter::Instructions, true) => {
            "Each bar is a function, below the one that calls it, and as wide as its instructions on the side that has more \
             of them. Red runs more instructions by itself than before, blue fewer."
        }
        (Counter::Instructions, false) => {
            "Each bar is a function, below the one that calls it, and as wide as its instructions."
        }
        (Counter::Samples, true) => {
            "Each bar is a function, below the one that calls it, and as wide as its time on the side where it takes longer, \
             by samples. Red takes longer by itself than before, blue less; small changes may be chance."
        }
        (Counter::Samples, false) => {
            "Each bar is a function, below the one that calls it, and as wide as its time, by samples."
        }
    }
}

/// One function in one chain of callers.
struct Bar<'a> {
    name: &'a str,
    row: usize,
    left: f64,
    width: f64,
    /// The amount of the function by itself.
    own: Change,
    /// The amount of the function with all that it calls.
    whole: Change,
}

/// Returns the bars, each caller before the functions that it calls. A record may have been changed by hand: a frame whose
/// caller is missing is drawn below the nearest frame before it that is less deep.
fn bars(tree: &CallTree) -> Vec<Bar<'_>> {
    let mut bars: Vec<Bar<'_>> = Vec::with_capacity(tree.frames.len());
    let mut callers: Vec<Option<usize>> = Vec::with_capacity(tree.frames.len());
    let mut open: Vec<(usize, usize)> = Vec::new();
    for (at, frame) in tree.frames.iter().enumerate() {
        while open.last().is_some_and(|(depth, _)| *depth >= frame.depth) {
            open.pop();
        }
        callers.push(open.last().map(|(_, caller)| *caller));
        let own = without_invalid(frame);
        let (row, width) = (open.len(), own.before.max(own.now));
        bars.push(Bar { name: tree.name(frame), row, left: 0.0, width, own, whole: own });
        open.push((frame.depth, at));
    }
    for at in (0..bars.len()).rev() {
        let Some(caller) = callers[at] else { continue };
        let (width, whole) = (bars[at].width, bars[at].whole);
        bars[caller].width += width;
        bars[caller].whole.before += whole.before;
        bars[caller].whole.now += whole.now;
    }
    let mut next = vec![0.0; bars.len()];
    let mut outermost = 0.0;
    for at in 0..bars.len() {
        let place = callers[at].map_or(&mut outermost, |caller| &mut next[caller]);
        bars[at].left = *place;
        *place += bars[at].width;
        next[at] = bars[at].left;
    }
    bars
}

/// Returns the amounts of a frame by itself. An amount that is not finite, or is below 0, becomes 0.
fn without_invalid(frame: &Frame) -> Change {
    let amount = |amount: f64| if amount.is_finite() { amount.max(0.0) } else { 0.0 };
    Change { before: amount(frame.own.before), now: amount(frame.own.now) }
}

/// Returns the class of a bar: how much its own amount has changed, relative to the greatest change.
fn tone(bar: &Bar<'_>, most: f64, is_change: bool) -> &'static str {
    let share = if most > 0.0 { bar.own.by() / most } else { 0.0 };
    match share {
        _ if !is_change => "even",
        _ if share >= STRONG => "grew much",
        _ if share >= WEAK => "grew",
        _ if share <= -STRONG => "shrank much",
        _ if share <= -WEAK => "shrank",
        _ => "even",
    }
}

/// Returns the name of a bar's function with its amounts.
fn describe(bar: &Bar<'_>, unit: &str, is_change: bool) -> String {
    let name = if bar.name.is_empty() { "smaller ones" } else { bar.name };
    let Change { before, now } = bar.whole;
    if !is_change {
        return format!("{name}: {now:.0} {unit} (by itself {:.0})", bar.own.now);
    }
    format!(
        "{name}: {before:.0} -> {now:.0} {unit} ({:+.0}, by itself {:+.0})",
        bar.whole.by(),
        bar.own.by()
    )
}

/// Returns the last two parts of a path: `Index::post` of `text::index::Index::post`.
fn short(name: &str) -> &str {
    if name.is_empty() {
        return "…";
    }
    // Names with brackets have paths within them.
    if name.contains(['<', '{', ' ']) {
        return name;
    }
    let mut ends = name.rmatch_indices("::");
    ends.nth(1).map_or(name, |(at, _)| &name[at + 2..])
}

fn text(bars: &[Bar<'_>], unit: &str, is_change: bool) -> String {
    bars.iter().fold(String::new(), |mut text, bar| {
        let indent = 2 * bar.row.min(ROWS);
        let _ = writeln!(text, "{:indent$}{}", "", describe(bar, unit, is_change));
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(depth: usize, name: Option<usize>, before: f64, now: f64) -> Frame {
        Frame { depth, name, own: Change { before, now } }
    }

    fn blame(frames: Vec<Frame>, before: Option<f64>) -> Blame {
        let names = ["work::text::merge", "malloc", "gone"].map(str::to_owned).into();
        Blame { before, calls: Some(CallTree { names, frames }), ..Blame::default() }
    }

    #[test]
    fn a_bar_is_as_wide_as_its_callees_and_a_function_that_is_gone_is_drawn() {
        let frames = vec![
            frame(0, Some(0), 100.0, 100.0),
            frame(1, Some(1), 0.0, 200.0),
            frame(1, Some(2), 100.0, 0.0),
        ];
        let graph = render(&blame(frames, Some(200.0))).into_string();
        assert!(
            graph.contains("<svg class=\"even\" x=\"0.00%\" y=\"0\" width=\"100.00%\""),
            "{graph}"
        );
        assert!(
            graph.contains("<svg class=\"grew much\" x=\"0.00%\" y=\"19\" width=\"50.00%\""),
            "{graph}"
        );
        assert!(
            graph.contains("<svg class=\"shrank much\" x=\"50.00%\" y=\"19\" width=\"25.00%\""),
            "{graph}"
        );
        assert!(graph.contains(">text::merge</text>"), "{graph}");
        assert!(
            graph.contains("work::text::merge: 200 -&gt; 300 instructions (+100, by itself +0)"),
            "{graph}"
        );
    }

    #[test]
    fn a_record_that_was_changed_by_hand_is_drawn_too() {
        let frames = vec![
            frame(9, Some(7), f64::NAN, -5.0),
            frame(usize::MAX, None, f64::INFINITY, 10.0),
            frame(2, Some(1), 3.0, 4.0),
        ];
        let graph = render(&blame(frames, None)).into_string();
        assert!(graph.contains("malloc: 4 instructions"), "{graph}");
        let sampled =
            Blame { counter: Counter::Samples, ..blame(vec![frame(0, Some(1), 0.0, 4.0)], None) };
        let graph = render(&sampled).into_string();
        assert!(graph.contains(": 4 ns") && !graph.contains("instructions"), "{graph}");
        assert!(render(&blame(Vec::new(), None)).into_string().is_empty());
        assert!(render(&Blame::default()).into_string().is_empty());
    }
}
