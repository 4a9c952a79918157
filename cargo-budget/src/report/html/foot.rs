//! The foot of the page: the run and its machine, and how to read what is above.

use chrono::DateTime;
use maud::{Markup, html};
use perf_budget_core::outcome::{Noise, Outcome};
use perf_budget_core::verdict::Verdict;

use super::mark;
use super::safe::Text;
use crate::report::merge::counted;

/// Where and when it ran, of each kind once.
pub(super) fn machine(outcomes: &[Outcome]) -> Markup {
    let all = |fact: &dyn Fn(&Outcome) -> String| {
        let mut facts: Vec<String> = outcomes.iter().map(fact).filter(|f| !f.is_empty()).collect();
        facts.sort();
        facts.dedup();
        let more = facts.len().saturating_sub(3);
        facts.truncate(3);
        let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
        facts.join("; ") + &rest
    };
    let processor = |o: &Outcome| match o.run.processor.as_str() {
        "" => counted(o.run.cores, "processor"),
        name => format!("{name}, {}", counted(o.run.cores, "processor")),
    };
    let facts = [
        ("Began", all(&|o| began(o.run.began))),
        ("Build", all(&|o| o.run.profile.clone())),
        ("Platform", all(&|o| o.run.platform.clone())),
        ("Processor", all(&processor)),
        ("Run", all(&|o| o.run.id.clone())),
        ("perf-budget", all(&|o| o.run.version.clone())),
        ("Interference", interference(outcomes)),
    ];
    html! {
        section aria-labelledby="section-run" {
            h2 #section-run { "Run" }
            dl.facts.wide {
                @for (name, fact) in &facts {
                    @if !fact.is_empty() { div { dt { (name) } dd { (Text(fact)) } } }
                }
            }
        }
    }
}

/// On how many measurements the machine's other work may have told.
fn interference(outcomes: &[Outcome]) -> String {
    let measured: Vec<&Noise> = outcomes.iter().filter_map(|o| o.noise.as_ref()).collect();
    if measured.is_empty() {
        return String::new();
    }
    let calm = measured.iter().filter(|noise| noise.is_calm()).count();
    let busy = measured.iter().filter(|noise| noise.may_explain()).count();
    format!(
        "of {} judged, {calm} on a calm machine, {busy} on a busy one",
        counted(measured.len(), "limit")
    )
}

/// `2026-11-21 08:22 UTC`.
pub(super) fn began(seconds: u64) -> String {
    let at = i64::try_from(seconds).ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    at.map_or(String::new(), |at| at.format("%Y-%m-%d %H:%M UTC").to_string())
}

/// What verdicts and charts mean.
pub(super) fn legend() -> Markup {
    let meanings = [
        (Verdict::Pass, "shown not to be over the limit by more than the tolerance"),
        (Verdict::Warn, "holds, and deserves a look"),
        (Verdict::Fail, "shown to be broken, and confirmed in fresh processes"),
        (
            Verdict::Inconclusive,
            "the evidence did not suffice to say: a warning, and red where the settings say so",
        ),
        (Verdict::Unmeasured, "there is no reading: red"),
        (Verdict::Skipped, "not judged, for a stated reason"),
    ];
    html! {
        section aria-labelledby="section-legend" {
            h2 #section-legend { "How to read this" }
            div.legend {
                dl {
                    @for (verdict, meaning) in meanings {
                        div { dt.(verdict.name()) { (mark::verdict(verdict, 16)) (verdict.name()) } dd { (meaning) } }
                    }
                }
                ul {
                    li { "Bars above the axis are measured values; the taller, the more of them." }
                    li { "The thick stroke is the estimate; the thin one through it covers the truth with 90 %." }
                    li { "The upright line is the limit. Hatched is the tolerance, which still passes; shaded is what breaks it." }
                    li { "The dotted line is the smallest true value that this run would have failed with 95 %." }
                    li { "“Of it used” is full at the limit, from whichever side the limit bounds. Of a limit against another value it is the change, and full where all that is allowed is used." }
                    li { "An e-value is evidence as a number: if the claim it speaks against were true, a run would show one of E or more at most once in E runs." }
                    li { "The trend has earlier runs of the same build and platform, oldest first; this run is its last point." }
                }
            }
        }
    }
}
