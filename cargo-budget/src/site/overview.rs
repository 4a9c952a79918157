//! The overview: every test with its line, its last value, the share of its limit and its last change, the worst first;
//! the newest commits; and the list of all commits.

use std::cmp::Reverse;

use maud::{Markup, html};
use perf_budget_core::verdict::Verdict;

use super::budget::share_text;
use super::chart::{class, json};
use super::frame::{self, Page};
use super::names;
use super::state::{Commit, Row, State};
use crate::history::{Recent, time_shown};
use crate::report::html::axis::percent;
use crate::report::html::escape::Text;
use crate::text::{counted, short};

/// The most tests on a page of the overview, and in one file for the search.
const MOST: usize = 200;
const SEARCHED: usize = 5000;

/// The share of a limit that is near it, in millionths.
const NEAR: i64 = 900_000;

/// The number of newest commits on the overview, and of commits on a page of the list.
const NEWEST: usize = 8;
const LISTED: usize = 500;

/// What the overview shows besides the budgets and the commits.
#[derive(Debug)]
pub(super) struct OverviewContext<'t> {
    pub(super) project: &'t str,
    pub(super) branch: Option<&'t str>,
    pub(super) notes: &'t [String],
    pub(super) recent: Recent,
    /// Whether there are older commits than those that have a page.
    pub(super) is_cut: bool,
}

/// Renders the overview and the lists it leads to, each file with its path.
pub(super) fn files(about: &OverviewContext<'_>, state: &State) -> Vec<(String, String)> {
    let (project, recent) = (about.project, about.recent);
    let mut rows: Vec<&Row> = state.budgets.values().flat_map(|budget| &budget.rows).collect();
    rows.sort_by(|a, b| order(a, recent).cmp(&order(b, recent)));
    let mut commits: Vec<(&String, &Commit)> = state.commits.iter().collect();
    commits.sort_by_key(|(hash, commit)| (Reverse(commit.at), *hash));
    let newest = commits.first().map_or(i64::MIN, |(_, commit)| commit.at);
    let parts: Vec<&[&Row]> = if rows.is_empty() { vec![&[]] } else { rows.chunks(MOST).collect() };
    let names: Vec<String> = (0..parts.len()).map(names::overview).collect();
    let searched: Vec<String> = if parts.len() > 1 {
        (0..rows.len().div_ceil(SEARCHED)).map(|i| format!("assets/search-{}.js", i + 1)).collect()
    } else {
        Vec::new()
    };
    let mut files = Vec::new();
    for (i, part) in parts.iter().enumerate() {
        let contents = html! {
            @if i == 0 { (summary(about, &rows, newest)) @for note in about.notes { p.remark { (Text(note)) } } }
            (controls(&searched))
            (frame::parts(&names, i))
            (listing(part, newest))
            (frame::parts(&names, i))
            @if i == 0 && !commits.is_empty() {
                h2 { "Newest commits" }
                (listed(&commits[..commits.len().min(NEWEST)]))
                p { a href="commits.html" { (commit_count(about, commits.len())) } }
            }
        };
        let page = Page { project, title: if i == 0 { "" } else { "Overview" }, up: "" };
        files.push((names[i].clone(), frame::page(&page, &contents)));
    }
    for (name, part) in searched.iter().zip(rows.chunks(SEARCHED)) {
        files.push((name.clone(), index(part)));
    }
    files.extend(lists(about, &commits));
    files
}

/// Returns the key by which rows are sorted: first red tests, then those that got worse lately, then those near their limits,
/// and at last those that are no longer measured.
fn order(row: &Row, recent: Recent) -> (bool, Reverse<u8>, Reverse<i64>, Reverse<i64>, &str) {
    if row.is_gone {
        return (true, Reverse(0), Reverse(row.measured), Reverse(0), &row.test);
    }
    let severity = frame::verdict_from_history(&row.verdict, row.is_red).severity();
    let red = if row.is_red { severity + 10 } else { 0 };
    let share = Reverse(row.share.unwrap_or(0));
    (false, Reverse(red), Reverse(row.worst(recent)), share, &row.test)
}

fn summary(about: &OverviewContext<'_>, rows: &[&Row], newest: i64) -> Markup {
    let measured: Vec<&Row> = rows.iter().copied().filter(|row| !row.is_gone).collect();
    let gone = rows.len() - measured.len();
    let stale = measured.iter().filter(|row| row.measured < newest).count();
    let (class, headline) = headline(&measured, newest, about.recent);
    html! {
        h1.headline.(class) { (headline) }
        p.count {
            (counted(measured.len(), "limit")) " on " (Text(about.branch.unwrap_or("no branch")))
            @if newest > i64::MIN { ", newest commit of " (time_shown(newest)) }
            @if stale > 0 { "; " (stale) " not measured there" }
            @if gone > 0 { "; " (gone) " no longer measured" }
        }
    }
}

/// Renders the tests of a page: those that are measured, and below them those that are no longer measured.
fn listing(rows: &[&Row], newest: i64) -> Markup {
    let (measured, gone) = rows.split_at(rows.partition_point(|row| !row.is_gone));
    html! {
        ol.tests #tests { @for row in measured { (test(row, newest)) } }
        @if !gone.is_empty() {
            h2 { "No longer measured" }
            ol.tests.gone { @for row in gone { (test(row, newest)) } }
        }
    }
}

/// Returns how many commits have a page, in words.
fn commit_count(about: &OverviewContext<'_>, commits: usize) -> String {
    let count = counted(commits, "recorded commit");
    match (about.is_cut, commits) {
        (true, 1) => "The newest recorded commit".to_owned(),
        (true, _) => format!("The newest {count}"),
        (false, 1) => "The one recorded commit".to_owned(),
        (false, _) => format!("All {count}"),
    }
}

/// Returns the headline with its class. It is green only if every limit was judged at the newest commit.
fn headline(rows: &[&Row], newest: i64, recent: Recent) -> (&'static str, String) {
    let red = rows.iter().filter(|row| row.is_red).count();
    let worse = rows.iter().filter(|row| !row.is_red && row.worst(recent) > 0).count();
    let is_judged = |row: &&&Row| {
        let verdict = frame::verdict_from_history(&row.verdict, row.is_red);
        row.measured >= newest && !matches!(verdict, Verdict::Skipped | Verdict::Unmeasured)
    };
    let judged = rows.iter().filter(is_judged).count();
    let limits = |n: usize, is: &str, are: &str| {
        format!("{} {}", counted(n, "limit"), if n == 1 { is } else { are })
    };
    match (red, worse) {
        (0, _) if judged == 0 => ("skipped", "No limit was judged at the newest commit".to_owned()),
        (0, 0) if judged < rows.len() => ("skipped", "No limit that was judged is red".to_owned()),
        (0, 0) => ("pass", "No limit is red, and none got worse lately".to_owned()),
        (0, n) => ("warn", limits(n, "got worse lately", "got worse lately")),
        (n, _) => ("fail", limits(n, "is red", "are red")),
    }
}

fn controls(searched: &[String]) -> Markup {
    html! {
        form.controls #controls role="search" aria-label="Search budgets" hidden data-index=(searched.join(" ")) {
            div.find {
                label for="find" { "Search" }
                input #find type="search" placeholder="budget, metric, environment" autocomplete="off" spellcheck="false" aria-describedby="shown";
            }
            output #shown role="status" {}
            ul #elsewhere hidden {}
        }
    }
}

fn test(row: &Row, newest: i64) -> Markup {
    let is_stale = row.measured < newest;
    // Another environment was measured later.
    let is_older = row.at < row.measured;
    html! {
        li.test.stale[is_stale] {
            (frame::verdict_of(row))
            div.name {
                a href=(row.href) { (Text(&row.test)) }
                span.of {
                    (Text(&row.environment))
                    @if row.others > 0 { " and " (counted(row.others, "more environment")) }
                }
                @if row.is_gone {
                    span.of.old { "was " (Text(frame::word(&row.verdict))) " at the commit of " (time_shown(row.at)) }
                } @else if is_older {
                    span.of.old { (Text(frame::word(&row.verdict))) " there at the commit of " (time_shown(row.at)) }
                } @else if is_stale {
                    span.of.old { "last measured at the commit of " (time_shown(row.at)) }
                }
                @if !row.past.is_empty() && !row.is_gone { span.of.old { "was red, and is not measured lately, on " (Text(&row.past.join("; "))) } }
            }
            div.spark-of {
                @if !row.spark.is_empty() {
                    svg.spark width="100%" height="28" viewBox="0 0 100 24" preserveAspectRatio="none" role="img" aria-label=(Text(&row.spark_text)) {
                        path.line.e0 d=(row.spark) vector-effect="non-scaling-stroke" {}
                    }
                }
            }
            div.value { @if let Some(value) = &row.value { b { (value) } } @else { "no value" } }
            div.limit-of {
                @if let Some(limit) = &row.limit {
                    span { (limit) @if let Some(share) = row.share { span.soft { ", " (share_text(share)) } } }
                    @if let Some(share) = row.share.filter(|_| !row.is_gone) {
                        svg.track width="100%" height="6" aria-hidden="true" {
                            rect.track width="100%" height="6" rx="3" {}
                            rect.fill.(if row.is_red { "fail" } else if share > NEAR { "warn" } else { "pass" })
                                width=(percent((share as f64 / 1e4).clamp(0.0, 100.0))) height="6" rx="3" {}
                        }
                    }
                } @else { span.soft { "no limit" } }
            }
            div.change {
                @if let Some(step) = &row.change {
                    b.(class(step)) { (step.by) } " "
                    span.soft {
                        @if step.is_drift { "drift" }
                        @else { @if let Some(commit) = &step.commit { span { "at " code { (Text(short(commit))) } } ", " } span { (day(step.at)) } }
                    }
                } @else { span.soft { "no step" } }
            }
        }
    }
}

/// Returns the day of a time.
fn day(at: i64) -> String {
    time_shown(at).split(' ').next().unwrap_or_default().to_owned()
}

/// Renders commits as a list, the newest first.
fn listed(commits: &[(&String, &Commit)]) -> Markup {
    html! {
        ul.commits {
            @for (hash, commit) in commits {
                li {
                    a href=(names::commit(hash, 0)) { code { (Text(short(hash))) } }
                    span.subject { (Text(&commit.subject)) }
                    span.soft { (time_shown(commit.at)) }
                    @let outcomes = usize::try_from(commit.outcomes).unwrap_or(0);
                    @if !commit.judged { span.soft { (counted(outcomes, "value")) ", not judged" } }
                    @else if commit.red > 0 { b.worse { (commit.red) " of " (commit.outcomes) " red" } }
                    @else { span.soft { (counted(outcomes, "outcome")) ", none red" } }
                }
            }
        }
    }
}

/// Renders the list of the commits that have a page.
fn lists(about: &OverviewContext<'_>, commits: &[(&String, &Commit)]) -> Vec<(String, String)> {
    let parts: Vec<_> = commits.chunks(LISTED).collect();
    let name = |i: usize| {
        if i == 0 { "commits.html".to_owned() } else { format!("commits-{}.html", i + 1) }
    };
    let names: Vec<String> = (0..parts.len()).map(name).collect();
    let page = Page { project: about.project, title: "Commits", up: "" };
    let count = commit_count(about, commits.len());
    let render = |(i, part): (usize, &&[(&String, &Commit)])| {
        let contents = html! { h1.title { "Commits" } p.count { (count) } (frame::parts(&names, i)) (listed(part)) };
        (names[i].clone(), frame::page(&page, &contents))
    };
    parts.iter().enumerate().map(render).collect()
}

/// Returns a script with the data for the search in an overview of several pages. It is a script because pages that are opened
/// as files cannot read other files.
fn index(rows: &[&Row]) -> String {
    let rows = rows.iter().map(|row| {
        let verdict = frame::verdict_from_history(&row.verdict, row.is_red).name();
        let verdict = if row.is_gone { frame::GONE } else { verdict };
        serde_json::json!([row.test, row.href, row.environment, verdict, row.value])
    });
    let rows = serde_json::Value::Array(rows.collect());
    format!("(self.perfBudget ??= []).push(...{});\n", json(&rows))
}
