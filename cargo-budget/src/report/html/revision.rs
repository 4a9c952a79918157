//! Which revision a page is about.

use maud::{Markup, html};
use perf_budget_core::outcome::{Outcome, short};

use super::escape::Text;
use super::footer;

/// Renders which revision was measured, and which it is compared with.
pub(super) fn render(outcomes: &[Outcome]) -> Markup {
    let newest = outcomes.iter().map(|outcome| &outcome.run).max_by_key(|run| run.began);
    let Some(run) = newest else { return html! {} };
    html! {
        dl.revision {
            @if let Some(branch) = &run.branch { div { dt { "branch" } dd { code { (Text(branch)) } } } }
            @if let Some(commit) = &run.commit {
                div { dt { "commit" } dd { code title=(Text(commit)) { (Text(short(commit))) } } }
            }
            @if let Some(base) = &run.base {
                div {
                    dt { "compared with" }
                    dd { code { (Text(&base.name)) } " at " code title=(Text(&base.commit)) { (Text(short(&base.commit))) } }
                }
            }
            @if let Some(name) = &run.environment { div { dt { "limits of" } dd { code { "[env." (Text(name)) "]" } } } }
            @if run.began > 0 { div { dt { "measured" } dd { (footer::format_start(run.began)) } } }
        }
    }
}
