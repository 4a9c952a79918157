//! The HTML report: one page for people that needs no other file.
//!
//! The page works from a file, without network and without scripts: rows are `<details>` and charts are inline SVG.
//! One small script only filters rows and switches the theme. The content security policy at the top allows the one
//! style and the one script by their hashes, so that the text of an outcome could do nothing even if it were not
//! escaped. That is why no element has a `style` attribute: positions in charts are attributes, in percent of the
//! width.

pub(crate) mod axis;
pub(crate) mod blame;
mod both;
mod cases;
pub(crate) mod chart;
mod detail;
pub(crate) mod escape;
mod flame;
mod footer;
mod group;
mod label;
pub(crate) mod mark;
mod policy;
mod revision;
mod row;
mod trend;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use perf_budget_core::outcome::Outcome;
use perf_budget_core::verdict::Verdict;

use self::escape::{Prose, Text};
use super::groups::{self, Group};
use super::{Report, Trends, headline};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Renders the page, calling `step` after each of its limits.
pub(super) fn render(report: &Report, step: &dyn Fn()) -> String {
    let (headline, worst) = headline::headline(report);
    let project = headline::project(report);
    let groups = groups::groups(&report.outcomes);
    let trends = report.trends();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy::policy(STYLE, SCRIPT));
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (Text(&project)) ": " (Text(&headline)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#limits" { "Skip to the budgets" }
                (mark::patterns())
                header.top {
                    div.bar {
                        h1 { (Text(&project)) " " span.what { "performance budgets" } }
                        button #theme type="button" hidden { "Dark theme" }
                    }
                    (revision::render(&report.outcomes))
                    div.status.(worst.name()) {
                        (mark::verdict(worst, 44))
                        div {
                            p.headline { (Prose(&headline)) }
                            p.count { (Text(&report.closing())) }
                        }
                    }
                    (shares(&report.outcomes))
                    @for remark in &report.remarks { p.remark { (Prose(remark)) } }
                }
                (controls(&report.outcomes))
                main #limits tabindex="-1" {
                    @for (title, has) in SECTIONS { (section(report, &groups, &trends, (title, has), step)) }
                }
                footer { (footer::machine(&report.outcomes)) (footer::legend()) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string() + "\n"
}

/// A section: its title, and which budgets it has, by the worst of their limits.
type Section = (&'static str, fn(&Outcome) -> bool);

/// The sections in their order: what needs attention comes first.
const SECTIONS: [Section; 5] = [
    ("Red", Outcome::is_red),
    ("Inconclusive", |outcome| outcome.verdict == Verdict::Inconclusive && !outcome.is_red()),
    ("Warnings", |outcome| outcome.verdict == Verdict::Warn),
    ("Holding", |outcome| outcome.verdict == Verdict::Pass),
    ("Skipped", |outcome| outcome.verdict == Verdict::Skipped),
];

/// Renders the share of each verdict, as the parts of one bar.
fn shares(outcomes: &[Outcome]) -> Markup {
    let counts = counts(outcomes);
    let all = outcomes.len().max(1) as f64;
    let words: Vec<String> = counts.iter().map(|(v, n)| format!("{n} {}", v.name())).collect();
    let mut from = 0.0;
    html! {
        svg.shares role="img" aria-label=(words.join(", ")) width="100%" height="12" {
            @for (verdict, n) in &counts {
                @let wide = *n as f64 / all * 100.0;
                rect.(verdict.name()) x=(axis::percent(from)) y="0" width=(axis::percent(wide)) height="12" {}
                @if from > 0.0 { line.gap x1=(axis::percent(from)) x2=(axis::percent(from)) y1="0" y2="12" {} }
                @let () = from += wide;
            }
        }
    }
}

/// Returns the verdicts that occur with their numbers, the worst first.
fn counts(outcomes: &[Outcome]) -> Vec<(Verdict, usize)> {
    let count = |verdict| outcomes.iter().filter(|outcome| outcome.verdict == verdict).count();
    let mut counts: Vec<(Verdict, usize)> =
        Verdict::ALL.into_iter().map(|v| (v, count(v))).filter(|(_, n)| *n > 0).collect();
    counts.sort_by_key(|(verdict, _)| std::cmp::Reverse(verdict.severity()));
    counts
}

/// Renders the controls, which only the script shows.
fn controls(outcomes: &[Outcome]) -> Markup {
    html! {
        form.controls #controls role="search" aria-label="Filter budgets" hidden {
            div.find {
                label for="find" { "Filter" }
                input #find type="search" placeholder="name, metric, subject" autocomplete="off" spellcheck="false"
                    aria-describedby="shown";
            }
            fieldset {
                legend.unseen { "Verdicts" }
                @for (verdict, n) in counts(outcomes) {
                    label.chip.(verdict.name()) {
                        input type="checkbox" name="verdict" value=(verdict.name()) checked;
                        (mark::verdict(verdict, 16)) span { (verdict.name()) " " b { (n) } }
                    }
                }
            }
            button #open type="button" aria-controls="limits" { "Open all" }
            output #shown role="status" {}
        }
    }
}

fn section(
    report: &Report,
    groups: &[Group<'_>],
    trends: &Trends<'_>,
    (title, has): Section,
    step: &dyn Fn(),
) -> Markup {
    let mut own: Vec<&Group<'_>> = groups.iter().filter(|group| has(group.worst)).collect();
    // Limits that hold stay in the order of `budgets.toml`.
    if own.first().is_some_and(|group| group.worst.verdict != Verdict::Pass) {
        own.sort_by(|a, b| groups::order(a.worst, b.worst));
    }
    let id = format!("section-{}", title.to_lowercase());
    html! {
        @if !own.is_empty() {
            section aria-labelledby=(id) {
                h2 id=(id) { (title) " " span.many { (own.len()) } }
                div.columns aria-hidden="true" {
                    span { "verdict" } span { "budget" } span.number { "before" } span.number { "now" }
                    span { "change" } span { "limit" } span { "trend" }
                }
                // The first three reds are open, so that nobody has to click to see why they are red.
                @for (i, group) in own.iter().enumerate() {
                    (group::render(group, report, trends, group.worst.is_red() && i < 3, step))
                }
            }
        }
    }
}
