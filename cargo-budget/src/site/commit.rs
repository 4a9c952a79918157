//! The pages of a commit: what it changed, and every outcome that was recorded for it.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use maud::{Markup, html};
use perf_budget_core::quantity::Quantity;

use super::chart::{class, sign};
use super::frame::{self, Page};
use super::names;
use super::state::{Commit, Step};
use crate::history::{CommitRun, OutcomeRow, percent, time_shown};
use crate::report::html::escape::Text;
use crate::text::{counted, short};

/// The most outcomes on a page.
const MOST: usize = 300;

/// The data that the pages of a commit show.
#[derive(Debug)]
pub(super) struct CommitData<'t> {
    pub(super) project: &'t str,
    pub(super) hash: &'t str,
    pub(super) about: &'t Commit,
    /// The recorded commit before this one.
    pub(super) before: Option<&'t str>,
    /// The address of the commit at a host of repositories.
    pub(super) address: Option<String>,
    pub(super) steps: &'t [&'t Step],
    pub(super) runs: &'t [(CommitRun, Vec<OutcomeRow>)],
}

/// Renders the pages, each with its path.
pub(super) fn pages(
    shown: &CommitData<'_>,
    href: &dyn Fn(&OutcomeRow) -> Option<String>,
) -> Vec<(String, String)> {
    let mut rows: Vec<(&CommitRun, &OutcomeRow)> =
        shown.runs.iter().flat_map(|(run, rows)| rows.iter().map(move |row| (run, row))).collect();
    rows.sort_by_key(|&(_, row)| {
        let severity = frame::verdict_from_history(&row.verdict, row.is_red).severity();
        (Reverse((row.is_red, severity)), Reverse(change_size(row)), &row.test)
    });
    let parts: Vec<_> = if rows.is_empty() { vec![&[][..]] } else { rows.chunks(MOST).collect() };
    let files: Vec<String> = (0..parts.len()).map(|i| names::commit(shown.hash, i)).collect();
    let title = short(shown.hash).to_owned();
    let environments: BTreeSet<&str> =
        shown.runs.iter().map(|(run, _)| run.environment.as_str()).collect();
    let has_several = environments.len() > 1;
    let render = |(i, part): (usize, &&[(&CommitRun, &OutcomeRow)])| {
        let contents = html! {
            (head(shown))
            @if i == 0 { (steps(shown)) }
            h2 { "Outcomes " span.many { (rows.len()) } }
            (frame::parts(&files, i))
            ol.outcomes { @for (run, row) in *part { (outcome(run, row, has_several, href)) } }
            (frame::parts(&files, i))
        };
        let page = Page { project: shown.project, title: &title, up: "../" };
        (files[i].clone(), frame::page(&page, &contents))
    };
    parts.iter().enumerate().map(render).collect()
}

/// Returns by which share a value differs from the one before, in millionths.
fn change_size(row: &OutcomeRow) -> u64 {
    let share =
        row.value.zip(row.before).map_or(0.0, |(value, before)| ((value - before) / before).abs());
    (share * 1e6).min(1e15) as u64
}

fn head(shown: &CommitData<'_>) -> Markup {
    html! {
        h1.title { "Commit " code { (Text(short(shown.hash))) } }
        @if !shown.about.subject.is_empty() { p.subject-of { (Text(&shown.about.subject)) } }
        p.count { (time_shown(shown.about.at)) " · " code.whole { (Text(shown.hash)) } }
        p.ways {
            @if let Some(address) = &shown.address { a href=(address) rel="noreferrer" { "the commit in its repository" } }
            @if let Some(before) = shown.before {
                a href=(file(&names::commit(before, 0))) { "the measured commit before it, " code { (Text(short(before))) } }
            }
        }
        ul.runs-of {
            @for (run, _) in shown.runs {
                li {
                    (Text(&run.environment)) " "
                    span.soft { (counted(usize::try_from(run.outcomes).unwrap_or(0), "outcome")) ", measured " (time_shown(run.began)) ", run " code { (Text(&run.id)) } }
                }
            }
        }
    }
}

/// Returns the last part of a path.
fn file(path: &str) -> String {
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

fn steps(shown: &CommitData<'_>) -> Markup {
    html! {
        @if !shown.steps.is_empty() {
            h2 { "Steps that begin here" }
            ul.steps {
                @for step in shown.steps {
                    li.(class(step)) {
                        b { (step.by) } " " a href=(format!("../{}", step.href)) { (Text(&step.test)) } " " span { (Text(&step.values)) }
                        " " span.soft { (Text(&step.environment)) }
                    }
                }
            }
        }
    }
}

fn outcome(
    run: &CommitRun,
    row: &OutcomeRow,
    has_several_environments: bool,
    href: &dyn Fn(&OutcomeRow) -> Option<String>,
) -> Markup {
    let show = |value: f64| Quantity::new(value, row.unit).to_string();
    html! {
        li.outcome {
            (frame::verdict(&row.verdict, row.is_red))
            div.name {
                @if let Some(href) = href(row) { a href=(format!("../{href}")) { (Text(&row.test)) } } @else { (Text(&row.test)) }
                @if has_several_environments { span.of { (Text(&run.environment)) } }
                @if row.is_red || row.value.is_none() { span.of.reason { (Text(&row.reason)) } }
            }
            div.value { @if let Some(value) = row.value { b { (show(value)) } } @else { "no value" } }
            div.limit-of { @if let Some((bound, limit)) = &row.limit { (sign(bound)) " " (show(*limit)) } }
            div.change {
                @if let (Some(value), Some(before)) = (row.value, row.before) {
                    @if value.total_cmp(&before).is_eq() { span.soft { "as before" } }
                    @else { span { (percent(before, value)) } " " span.soft { "from " (show(before)) } }
                }
            }
        }
    }
}
