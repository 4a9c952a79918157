//! The opened row of a limit: the chart, the numbers, the reasons, and what to do next.

use std::fmt::Write as _;

use maud::{Markup, html};
use perf_budget_core::budget::Bound;
use perf_budget_core::outcome::{Against, Estimate, Evidence, Outcome};
use perf_budget_core::quantity::{Quantity, Unit};
use perf_budget_core::report::next::next;
use perf_budget_core::report::terminal::{e_value, interval_text};
use perf_budget_core::verdict::Verdict;

use super::axis::percent;
use super::escape::{Prose, Text};
use super::{blame, both, chart, trend};
use crate::inside::FileContents;
use crate::report::Report;
use crate::report::is_nameless;
use crate::text::counted;

/// Renders the opened row.
pub(super) fn render(report: &Report, earlier: &[&Outcome], outcome: &Outcome) -> Markup {
    html! {
        div.detail {
            @if outcome.verdict == Verdict::Pass { p.sentence { (Prose(&outcome.reason)) } }
            @if let Some(why) = &outcome.why { p.why { span.label { "Why " } (Prose(why)) } }
            div.halves {
                div {
                    @if let Some(chart) = both::render(outcome) { (chart) }
                    // For two values that never vary, both values say more than the ratio between them.
                    @let is_shown = outcome.sides.is_some() && outcome.evidence.is_none();
                    @if let Some(chart) = chart::render(outcome).filter(|_| !is_shown) {
                        figure { figcaption { (Text(&caption(outcome))) } (chart) }
                    }
                    @if let Some(chart) = chart::without_limit(outcome) {
                        figure { figcaption { "the same values, without the limit" } (chart) }
                    }
                    @if let Some(trend) = trend::chart(earlier, outcome) { (trend) }
                }
                div { (facts(outcome)) (quantiles(outcome)) }
            }
            @if let Some(blame) = &outcome.blame { (blame::render(blame)) }
            @if let Some(changed) = &outcome.changed {
                p.why { span.label { "Changed " } (Text(&changed.describe())) }
            }
            (notes(outcome))
            @for (name, inside) in report.inside_of(outcome) { (contents(name, inside)) }
            @if let Some(output) = &outcome.output {
                h4 { "Output" }
                pre tabindex="0" aria-label="What the process wrote" { (Text(output)) }
            }
            @let needs_a_look = outcome.is_red() || outcome.is_warning();
            @if needs_a_look && !is_nameless(outcome) {
                p.next { span.label { "Next " } (Prose(&next(outcome))) }
            }
        }
    }
}

/// Returns the caption of the chart.
fn caption(outcome: &Outcome) -> String {
    let mut text = match (&outcome.shape, outcome.evidence) {
        (Some(shape), Some(evidence)) if evidence.is_recorded() => {
            format!("{} {} in one recorded process", evidence.values, shape.of)
        }
        (Some(shape), Some(evidence)) if evidence.values != evidence.processes => {
            let (values, of, processes) = (evidence.values, &shape.of, evidence.processes);
            format!("{values} {of} in {processes} fresh processes")
        }
        (Some(shape), Some(evidence)) => format!("{} {}", evidence.values, shape.of),
        (Some(shape), None) => shape.of.clone(),
        (None, _) => "one deterministic value".to_owned(),
    };
    if let Some(name) = &outcome.relative_to {
        let _ = write!(text, ", each a ratio to {name}");
    }
    if chart::is_logarithmic(outcome) {
        text.push_str(", logarithmic axis");
    }
    text
}

/// Renders the notes. Where there are many, all but the first are folded.
fn notes(outcome: &Outcome) -> Markup {
    /// The number of notes that are not folded.
    const SHOWN: usize = 4;
    let (first, rest) = outcome.notes.split_at(outcome.notes.len().min(SHOWN));
    html! {
        @if !first.is_empty() {
            ul.notes aria-label="Notes" { @for note in first { li { (Prose(note)) } } }
        }
        @if !rest.is_empty() {
            details.more {
                summary { "and " (counted(rest.len(), "more note")) }
                ul.notes { @for note in rest { li { (Prose(note)) } } }
            }
        }
    }
}

/// Renders what the bytes of a file consist of.
fn contents(name: &str, inside: &FileContents) -> Markup {
    let bytes = |bytes: u64| Quantity::new(bytes as f64, Unit::Bytes).to_string();
    let share = |part: u64| part as f64 / inside.bytes.max(1) as f64 * 100.0;
    html! {
        details.more {
            summary { "What is inside " (Text(name)) ": " (inside.kind) ", " (bytes(inside.bytes)) }
            div.parts {
                @for (title, rows) in inside.largest() {
                    @if !rows.is_empty() {
                        table {
                            caption { (title) }
                            @for (part, size) in rows {
                                tr {
                                    th scope="row" { (Text(&part)) }
                                    td { (bytes(size)) }
                                    td { (format!("{:.1} %", share(size))) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn facts(outcome: &Outcome) -> Markup {
    let place = format!("{}:{}", outcome.file, outcome.line);
    html! {
        dl.facts {
            @if let (Some(estimate), Some(against)) = (outcome.estimate, outcome.against) {
                div { dt { "Measured" } dd { (measured(outcome, &estimate, &against)) } }
                div { dt { "Limit" } dd { (Text(&bounds(outcome, &against))) } }
                @if let Some(accepted) = &outcome.accepted {
                    div { dt { "Accepted" } dd {
                        (Text(&accepted.describe()))
                        @if let Some(place) = &accepted.elsewhere { ", elsewhere (" (Text(place)) ")" }
                        @if let Some(change) = outcome.change() { "; " (Prose(&change)) }
                    } }
                }
                @if let Some(evidence) = outcome.evidence.filter(|evidence| !evidence.is_recorded()) { (self::evidence(outcome, &evidence, &against)) }
            }
            @if let Some(waived) = &outcome.waived {
                div { dt { "Waiver" } dd {
                    "until " (waived.until) " by " (Text(&waived.owner)) ": " (Text(&waived.why))
                } }
            }
            @if let Some(cause) = &outcome.cause { div { dt { "Cause" } dd { (Text(cause)) } } }
            div { dt { "Subject" } dd { (Text(&outcome.subject)) } }
            @if outcome.seconds > 0.0 { div { dt { "Took" } dd { (format!("{:.1} s", outcome.seconds)) } } }
            div { dt { "Set in" } dd { (Text(&place)) } }
        }
    }
}

fn measured(outcome: &Outcome, estimate: &Estimate, against: &Against) -> Markup {
    html! {
        (against.quantity(estimate.value))
        @if outcome.evidence.is_some() { ", 90 % interval " (unbroken(&interval_text(outcome))) } @else { ", exact" }
    }
}

fn bounds(outcome: &Outcome, against: &Against) -> String {
    let (side, end) = match against.bound {
        Bound::Max => ("at most", against.limit + against.tolerance),
        Bound::Min => ("at least", against.limit - against.tolerance),
    };
    let factor = outcome.relative_to.as_ref().map_or(String::new(), |name| format!(" × {name}"));
    let mut text = format!("{side} {}{factor}", against.quantity(against.limit));
    if against.tolerance > 0.0 {
        let _ = write!(text, ", passes up to {}", against.quantity(end));
    }
    // A limit of 0 must be met exactly.
    if against.limit != 0.0 {
        let _ = write!(text, ", warns from {}", against.quantity(against.warn));
    }
    text
}

fn evidence(outcome: &Outcome, evidence: &Evidence, against: &Against) -> Markup {
    let detectable = evidence.detectable.filter(|_| outcome.verdict != Verdict::Fail);
    html! {
        div { dt { "E-value against" } dd {
            (unbroken(&e_value(evidence.fail))) span.need { ", red needs " (unbroken(&e_value(evidence.fail_at))) }
            (progress(evidence.fail, evidence.fail_at, "against"))
        } }
        div { dt { "E-value for" } dd {
            (unbroken(&e_value(evidence.pass))) span.need { ", green needs " (unbroken(&e_value(evidence.pass_at))) }
            (progress(evidence.pass, evidence.pass_at, "holds"))
        } }
        @if let Some(detectable) = detectable {
            div { dt { "Minimum detectable effect" } dd { (against.quantity(detectable)) ", with 95 %" } }
        }
        @if let Some(line) = interference(outcome, evidence) {
            div { dt { "Interference" } dd { (Text(&line)) } }
        }
    }
}

/// Returns what else the machine did. Older records have only the time that was spent waiting for a processor.
fn interference(outcome: &Outcome, evidence: &Evidence) -> Option<String> {
    let Some(noise) = &outcome.noise else {
        let waited = evidence.waited?;
        return Some(format!("{:.1} % waiting for a processor", waited * 100.0));
    };
    let state = match () {
        () if noise.is_calm() => "a calm machine",
        () if noise.may_explain() => "a busy machine",
        () => "",
    };
    let parts = [Some(state.to_owned()), Some(noise.line())];
    let parts: Vec<String> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// Keeps the text on one line.
fn unbroken(text: &str) -> String {
    text.replace(' ', "\u{a0}")
}

/// Draws how near the evidence has come to what a verdict needs.
fn progress(have: f64, need: f64, side: &str) -> Markup {
    let share = if need > 0.0 { (have / need).clamp(0.0, 1.0) * 100.0 } else { 0.0 };
    html! {
        svg.weight aria-hidden="true" focusable="false" width="100%" height="4" {
            rect.track x="0" y="0" width="100%" height="4" rx="2" {}
            rect.(side) x="0" y="0" width=(percent(share)) height="4" rx="2" {}
        }
    }
}

fn quantiles(outcome: &Outcome) -> Markup {
    let named = outcome.shape.iter().flat_map(|shape| &shape.quantiles);
    let Some(against) = outcome.against.filter(|_| named.clone().next().is_some()) else {
        return html! {};
    };
    html! {
        table.quantiles {
            caption.unseen { "Quantiles" }
            thead { tr { @for (name, _) in named.clone() { th scope="col" { (Text(name)) } } } }
            tbody { tr { @for (_, value) in named { td { (against.quantity(*value)) } } } }
        }
    }
}
