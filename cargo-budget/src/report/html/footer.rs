//! The footer of the page: the run and its machine, and how to read the page.

use chrono::DateTime;
use maud::{Markup, html};
use perf_budget_core::outcome::{Noise, Outcome};
use perf_budget_core::verdict::Verdict;

use super::escape::Text;
use super::mark;
use crate::text::counted;

/// Renders when and where the tests ran. Each different fact is listed once.
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
        ("Began", all(&|o| format_start(o.run.began))),
        ("Build", all(&|o| o.run.profile.clone())),
        ("Platform", all(&|o| o.run.platform.clone())),
        ("Processor", all(&processor)),
        ("Environment", all(&|o| o.run.environment.clone().unwrap_or_default())),
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

/// Returns on how many measurements the machine's other work may have had an effect.
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

/// Returns a time as `2026-11-21 08:22 UTC`.
pub(super) fn format_start(seconds: u64) -> String {
    let at = i64::try_from(seconds).ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    at.map_or(String::new(), |at| at.format("%Y-%m-%d %H:%M UTC").to_string())
}

/// Renders what the verdicts and the charts mean.
pub(super) fn legend() -> Markup {
    let meanings = [
        (Verdict::Pass, "shown to be within the limit and its tolerance"),
        (Verdict::Warn, "passes, but deserves a look: it is close to the limit"),
        (Verdict::Fail, "shown to be broken, and confirmed in fresh processes"),
        (
            Verdict::Inconclusive,
            "the evidence was not sufficient to decide: a warning, and red where the settings say so",
        ),
        (Verdict::Unmeasured, "nothing was measured: red"),
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
                    li { "Bars above the axis are measured values: a taller bar stands for more of them." }
                    li { "The thick mark is the estimate; the thin line through it is its 90 % interval." }
                    li { "The vertical line is the limit. The hatched area is the tolerance, which still passes; the shaded area breaks the limit." }
                    li { "The dotted line is the smallest true value that this run would have failed with 95 %." }
                    li { "The bar below a limit reaches its notch at the limit, for upper and lower limits alike." }
                    li { "The change is from the value before to the value now, with its 90 % interval below. It is in bold where chance alone does not explain it. Without a value before, it says how much of the limit is used." }
                    li { "An e-value is evidence as a number: if the claim that it speaks against were true, at most one run in E would show an e-value of E or more." }
                    li { "The trend shows earlier runs of the same build and platform, the oldest first; its last point is this run. A point says its commit." }
                }
            }
        }
    }
}
