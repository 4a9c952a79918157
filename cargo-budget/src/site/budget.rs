//! The pages of a budget: for each of its tests the chart, the limit, the steps with their commits, and the environments.

use maud::{Markup, html};
use perf_budget_core::outcome::Outcome;

use super::chart::{self, class, sign};
use super::frame::{self, Page};
use super::names;
use super::state::{Row, Step};
use crate::history::{LATELY, Point, TestTrend, time_shown};
use crate::report::html as run;
use crate::report::html::escape::Text;
use crate::report::html::mark;
use crate::text::{counted, short};

/// The most tests on a page.
const MOST: usize = 20;

/// The most steps of a test that are listed.
const LISTED: usize = 12;

/// A test of the budget: its environments, the one that the overview shows first, and its row there.
#[derive(Debug)]
pub(super) struct Test {
    pub(super) lines: Vec<TestTrend>,
    /// The newest outcome of each environment, and whether it counts for the verdict of the test.
    pub(super) ends: Vec<(Point, bool)>,
    pub(super) row: Row,
    pub(super) steps: Vec<Step>,
    /// The number of environments that are not shown.
    pub(super) left_out: usize,
    /// The outcome in the last run on this machine, if the history has that run and the outcome has a distribution or a
    /// profile.
    pub(super) recorded: Option<Outcome>,
}

/// Renders the pages of a budget, each with its path.
pub(super) fn pages(
    project: &str,
    branch: Option<&str>,
    name: &str,
    tests: &[Test],
    has_page: &dyn Fn(&str) -> bool,
) -> Vec<(String, String)> {
    let parts: Vec<&[Test]> = tests.chunks(MOST).collect();
    let files: Vec<String> = (0..parts.len()).map(|i| names::budget(name, i)).collect();
    let render = |(i, part): (usize, &&[Test])| {
        let contents = html! {
            (mark::patterns())
            h1.title { (Text(name)) }
            p.count { (counted(tests.len(), "limit")) " on " (Text(branch.unwrap_or("no branch"))) }
            (frame::parts(&files, i))
            @for test in *part { (section(test, has_page)) }
            (frame::parts(&files, i))
        };
        let page = Page { project, title: name, up: "../" };
        (files[i].clone(), frame::page(&page, &contents))
    };
    parts.iter().enumerate().map(render).collect()
}

/// Returns the page of a budget that has the nth test.
pub(super) fn href(budget: &str, nth: usize, test: &str) -> String {
    format!("{}#{}", names::budget(budget, nth / MOST), names::anchor(test))
}

fn section(test: &Test, has_page: &dyn Fn(&str) -> bool) -> Markup {
    let row = &test.row;
    let anchor = names::anchor(&row.test);
    html! {
        section.test id=(anchor) aria-labelledby=(format!("h-{anchor}")) {
            div.heading {
                h2 id=(format!("h-{anchor}")) { (Text(&row.test)) }
                (frame::verdict_of(row))
                p.now-is {
                    @if let Some(value) = &row.value { b { (value) } } @else { "no value" }
                    @if let Some(limit) = &row.limit { " " span.soft { (limit) } }
                    @if let Some(share) = row.share { " " span.soft { "(" (share_text(share)) " of the limit)" } }
                    " " span.soft {
                        @if row.others > 0 { "on " (Text(&row.environment)) ", " }
                        "as of " (time_shown(row.at))
                    }
                }
            }
            @if let Some(chart) = chart::render(&test.lines, &test.steps, has_page) { (chart) }
            @else { p.soft { "Nothing was measured: there is no value to draw." } }
            (environments(test))
            (steps(test, has_page))
            (distribution(test))
            (profile(test))
        }
    }
}

/// Renders how the values of the last run are distributed, as the page of that run does.
fn distribution(test: &Test) -> Markup {
    let shaped = test.recorded.as_ref().filter(|outcome| outcome.shape.is_some());
    let drawn = shaped.and_then(|outcome| Some((outcome, run::chart::render(outcome)?)));
    html! {
        @if let Some((outcome, chart)) = drawn {
            figure.recorded {
                figcaption { "The values of the run of " (time_shown(outcome.run.began.cast_signed())) }
                (chart)
            }
        }
    }
}

/// Renders what was profiled in the last run, as the page of that run does: the calls as a graph, and the functions.
fn profile(test: &Test) -> Markup {
    let profiled =
        test.recorded.as_ref().and_then(|outcome| Some((outcome, outcome.blame.as_ref()?)));
    html! {
        @if let Some((outcome, blame)) = profiled {
            div.profile {
                h3 { "The profile of the run of " (time_shown(outcome.run.began.cast_signed())) }
                (run::blame::render(blame))
            }
        }
    }
}

/// Returns a share in millionths as percent.
pub(super) fn share_text(share: i64) -> String {
    format!("{:.0} %", share as f64 / 1e4)
}

fn environments(test: &Test) -> Markup {
    html! {
        ul.environments {
            @for (i, line) in test.lines.iter().enumerate() {
                li {
                    svg.swatch width="34" height="12" aria-hidden="true" {
                        path.line.(format!("e{i}")) d="M1 6H33" {} path.dot.(format!("e{i}")) d="M17 6h0" {}
                    }
                    span { (Text(&line.series.environment)) }
                    span.soft {
                        @if test.lines.len() > 1 { (newest_verdict(test, i)) ", " }
                        (about(line))
                    }
                }
            }
            @if test.left_out > 0 { li.soft { "and " (counted(test.left_out, "more environment")) } }
        }
    }
}

/// Returns the verdict of the newest outcome of an environment in words.
fn newest_verdict(test: &Test, i: usize) -> String {
    let (newest, counts) = &test.ends[i];
    let word = frame::word(&newest.verdict);
    let at = time_shown(newest.at);
    if *counts {
        format!("{word} at the commit of {at}")
    } else {
        format!(
            "{word} at the commit of {at}, and in none of the test's newest {LATELY} commits, so it does not count"
        )
    }
}

/// Returns the text beside the name of a line.
fn about(line: &TestTrend) -> String {
    let trend = &line.trend;
    let mut parts = vec![counted(trend.commits.len(), "commit")];
    if let Some((bound, limit)) = &trend.limit {
        parts.push(format!("limit {} {}", sign(bound), line.quantity(*limit)));
    }
    if trend.without_value > 0 {
        parts.push(format!("{} without a value", counted(trend.without_value, "outcome")));
    }
    if trend.is_short {
        parts.push("too few commits to tell a step from noise".to_owned());
    }
    if line.cut {
        parts.push("there are older ones".to_owned());
    }
    parts.join(", ")
}

fn steps(test: &Test, has_page: &dyn Fn(&str) -> bool) -> Markup {
    html! {
        @if !test.steps.is_empty() {
            ul.steps {
                @for step in test.steps.iter().take(LISTED) {
                    li.(class(step)) {
                        b { (step.by) } " " span { (Text(&step.values)) } " "
                        @if step.is_drift { "drift over the whole line" } @else { (place_of(step, has_page)) }
                        @if test.lines.len() > 1 { " " span.soft { (Text(&step.environment)) } }
                    }
                }
                @if test.steps.len() > LISTED { li.soft { "and " (counted(test.steps.len() - LISTED, "smaller one")) } }
            }
        }
    }
}

/// Renders where a step is: its commit, with a link where the commit has a page.
fn place_of(step: &Step, has_page: &dyn Fn(&str) -> bool) -> Markup {
    html! {
        @if let Some(commit) = &step.commit {
            "at "
            @if has_page(commit) { a href=(format!("../{}", names::commit(commit, 0))) { code { (Text(short(commit))) } } }
            @else { code { (Text(short(commit))) } }
            ", "
        }
        (time_shown(step.at))
    }
}
