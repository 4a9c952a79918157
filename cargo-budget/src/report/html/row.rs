//! One limit as a row of the page, which opens to the details.

use maud::{Markup, html};
use perf_budget_core::outcome::Outcome;
use perf_budget_core::report::terminal::{bound_text, value_text};
use perf_budget_core::report::used as of_limit;
use perf_budget_core::verdict::Verdict;

use super::axis::percent;
use super::escape::Text;
use super::{detail, mark, trend};
use crate::report::Report;

/// Renders the row, open or closed.
pub(super) fn render(report: &Report, outcome: &Outcome, open: bool) -> Markup {
    let earlier = report.trend(outcome);
    let verdict = outcome.verdict;
    let (budget, label) = match outcome.test.strip_prefix(outcome.budget.as_str()) {
        Some(label) if !outcome.budget.is_empty() => (outcome.budget.as_str(), label),
        _ => ("", outcome.test.as_str()),
    };
    html! {
        details.limit.(verdict.name()) data-verdict=(verdict.name()) open[open] {
            summary {
                span.verdict.(verdict.name()) { (mark::verdict(verdict, 18)) (verdict.name()) " " }
                h3.name { bdi { b { (Text(budget)) } (Text(label)) } }
                span.number { span.unseen { " measured " } (Text(&value_text(outcome))) }
                span.number.bound { span.unseen { " limit " } (Text(&bound_text(outcome).replace("<=", "≤").replace(">=", "≥"))) }
                span.used { (used(outcome)) }
                span.history { @if let Some(spark) = trend::spark(&earlier, outcome) { (spark) } }
                @if verdict != Verdict::Pass { span.reason { (Text(&outcome.reason)) } }
            }
            (detail::render(report, &earlier, outcome))
        }
    }
}

/// Draws how much of the limit is used: a bar with a notch at the limit.
fn used(outcome: &Outcome) -> Markup {
    /// The percent of the bar at which the limit lies, so that a value beyond the limit can be seen.
    const FULL: f64 = 78.0;
    let (Some(estimate), Some(now)) = (outcome.estimate, of_limit::used(outcome)) else {
        return html! {};
    };
    let share =
        |value: f64| of_limit::used_by(outcome, value).map_or(0.0, |used| used.share.max(0.0));
    let place = |value: f64| (share(value) * FULL).min(100.0);
    // A change is one from a reference, and no part of a limit.
    let meaning = if now.short.contains('%') && outcome.relative_to.is_none() {
        " of the limit used"
    } else {
        ""
    };
    let text = now.short.replace('%', " %").replace(">10x", "> 10×").replace('x', "×");
    let ends = estimate.low.zip(estimate.high).filter(|_| outcome.evidence.is_some());
    html! {
        svg.track aria-hidden="true" focusable="false" width="100%" height="18" {
            rect.track x="0" y="6" width=(percent(FULL)) height="6" rx="3" {}
            rect.fill.(outcome.verdict.name()) x="0" y="6" width=(percent(place(estimate.value).max(0.5))) height="6" rx="3" {}
            @if let Some((low, high)) = ends {
                line.interval x1=(percent(place(low))) x2=(percent(place(high))) y1="9" y2="9" {}
            }
            line.limit x1=(percent(FULL)) x2=(percent(FULL)) y1="1" y2="17" {}
        }
        span.share { (text) span.unseen { (meaning) } }
    }
}
