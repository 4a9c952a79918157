//! A limit as the head of a row: before, now, the change, and the limit.

use maud::{Markup, html};
use perf_budget_core::outcome::Outcome;
use perf_budget_core::report::change::{self, Change};
use perf_budget_core::report::terminal::value_text;
use perf_budget_core::report::used as share_of_limit;
use perf_budget_core::verdict::Verdict;

use super::axis::percent;
use super::escape::{Prose, Text};
use super::{mark, trend};

/// The name of a row.
pub(super) enum Name<'n> {
    /// By its budget. The limit that it shows is named below, with how many others there are.
    Budget(&'n str),
    /// By the limit alone, in the rows of one budget.
    Limit,
}

/// Renders the head of a row.
pub(super) fn summary(outcome: &Outcome, earlier: &[&Outcome], name: &Name<'_>) -> Markup {
    let verdict = outcome.verdict;
    let change = change::change(outcome);
    html! {
        summary.row {
            span.verdict.(verdict.name()) { (mark::verdict(verdict, 18)) (verdict.name()) " " }
            (self::name(outcome, name))
            span.number.old { (old(change.as_ref())) }
            span.number.new { (new(outcome, change.as_ref())) }
            span.change { (delta(outcome, change.as_ref())) }
            span.bound { (bound(outcome)) (bar(outcome)) }
            span.history { @if let Some(spark) = trend::spark(earlier, outcome) { (spark) } }
            @if verdict != Verdict::Pass { span.reason { (Prose(&outcome.reason)) } }
        }
    }
}

fn name(outcome: &Outcome, name: &Name<'_>) -> Markup {
    let label = label(outcome);
    html! {
        @match name {
            Name::Budget(more) => {
                @let budget = if outcome.budget.is_empty() { &outcome.test } else { &outcome.budget };
                h3.name {
                    bdi { b { (Text(budget)) } }
                    @if !outcome.budget.is_empty() { " " span.of { bdi { (Text(&label)) } " " (more) } }
                }
            }
            Name::Limit => { h4.name { bdi { (Text(&label)) } } }
        }
    }
}

/// Returns the limit's name within its budget: `p99`, `n=1000 p99`.
fn label(outcome: &Outcome) -> String {
    let prefix = format!("{}::", outcome.budget);
    let rest = outcome.test.strip_prefix(&prefix).unwrap_or(&outcome.metric);
    rest.strip_suffix("::x_base").unwrap_or(rest).replace("::", " ")
}

fn old(change: Option<&Change>) -> Markup {
    html! {
        @if let Some(old) = change.and_then(|change| change.old) { span.unseen { " before " } (old) }
    }
}

fn new(outcome: &Outcome, change: Option<&Change>) -> Markup {
    let value = match change {
        Some(Change { new: Some(new), .. }) => new.to_string(),
        Some(Change { new: None, is_proven, .. }) => if *is_proven { "" } else { "-" }.to_owned(),
        _ => value_text(outcome),
    };
    html! { span.unseen { " now " } (Text(&value)) }
}

/// Renders the change, or how much of the limit is used where there is nothing to compare with.
fn delta(outcome: &Outcome, change: Option<&Change>) -> Markup {
    let Some(change) = change else {
        let used = share_of_limit::used(outcome).map_or(String::new(), |used| {
            used.short.replace('%', " %").replace(">10x", "> 10 ×").replace('x', "×")
        });
        let is_zero = outcome.against.is_some_and(|against| against.limit == 0.0);
        return html! { @if !used.is_empty() && !is_zero { span.share { (used) " of limit" } } };
    };
    let side = match (change.is_certain, outcome.is_red()) {
        (_, true) => "worse",
        (true, false) => "sure",
        (false, false) => "same",
    };
    html! {
        @if change.is_proven { span.share { "proven equal" } } @else {
            b.(side) { (change.text().replace(" x", " ×")) }
            @let interval = change.interval_text();
            @if !interval.is_empty() { " " span.ends { span.unseen { "90 % interval " } (interval.replace(" x", " ×")) } }
        }
        " " span.from { "to " bdi { (Text(&change.from)) } }
    }
}

fn bound(outcome: &Outcome) -> Markup {
    let text = change::bound_text(outcome).replace("<=", "≤").replace(">=", "≥");
    html! { span.unseen { " limit " } span.text { (Text(&text)) } }
}

/// Draws how much of the limit is used: a bar with a notch at the limit. A limit of 0 has no share that is used.
pub(super) fn bar(outcome: &Outcome) -> Markup {
    /// The percent of the bar at which the limit lies, so that a value beyond the limit can be seen.
    const FULL: f64 = 78.0;
    let (Some(estimate), Some(now)) = (outcome.estimate, share_of_limit::used(outcome)) else {
        return html! {};
    };
    if outcome.against.is_none_or(|against| against.limit == 0.0) {
        return html! {};
    }
    let share = |value: f64| {
        share_of_limit::used_by(outcome, value).map_or(0.0, |used| used.share.max(0.0))
    };
    let place = |share: f64| (share * FULL).min(100.0);
    let ends = estimate.low.zip(estimate.high).filter(|_| outcome.evidence.is_some());
    html! {
        svg.track aria-hidden="true" focusable="false" width="100%" height="10" {
            rect.track x="0" y="2.5" width=(percent(FULL)) height="5" rx="2.5" {}
            rect.fill.(outcome.verdict.name()) x="0" y="2.5" width=(percent(place(now.share.max(0.0)).max(0.5))) height="5" rx="2.5" {}
            @if let Some((low, high)) = ends {
                line.interval x1=(percent(place(share(low)))) x2=(percent(place(share(high)))) y1="5" y2="5" {}
            }
            line.limit x1=(percent(FULL)) x2=(percent(FULL)) y1="0" y2="10" {}
        }
    }
}
