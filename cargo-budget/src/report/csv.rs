//! The renderer of a table for spreadsheets: one row for each test, with numbers in base units.
//!
//! A spreadsheet takes a cell for a formula if it begins with `=`, `+`, `-` or `@`, or with a tab or the end of a
//! line, and a name may begin in this way. Such text gets an apostrophe in front, which tells a spreadsheet that it is text.
//! Numbers are written as numbers and get none.

use perf_budget_core::outcome::noise::Clock;
use perf_budget_core::outcome::{Doubt, Outcome};

use super::Report;
use crate::failure::Failure;
use crate::text::{no_commands, visible};

const HEADING: [&str; 41] = [
    "test",
    "budget",
    "case",
    "metric",
    "subject",
    "verdict",
    "reason",
    "unit",
    "value",
    "low",
    "high",
    "bound",
    "limit",
    "warn",
    "tolerance",
    "relative_to",
    "processes",
    "values",
    "detectable",
    "waited",
    "preempted",
    "doubt",
    "outside",
    "steal",
    "pressure",
    "clock",
    "accepted",
    "waived_until",
    "cause",
    "notes",
    "why",
    "file",
    "line",
    "seconds",
    "run",
    "began",
    "profile",
    "platform",
    "processor",
    "version",
    "environment",
];

/// Returns the table with a heading.
pub(super) fn render(report: &Report) -> Result<String, Failure> {
    let failed = |e: &dyn std::fmt::Display| {
        Failure::unmeasured(format!("failed to write outcomes as CSV: {e}"))
    };
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(HEADING).map_err(|e| failed(&e))?;
    for outcome in &report.outcomes {
        table.write_record(row(outcome)).map_err(|e| failed(&e))?;
    }
    let bytes = table.into_inner().map_err(|e| failed(&e))?;
    String::from_utf8(bytes).map_err(|e| failed(&e))
}

fn row(outcome: &Outcome) -> [String; 41] {
    let number = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
    let count = |value: Option<u64>| value.map_or(String::new(), |value| value.to_string());
    let optional = |value: &Option<String>| value.as_deref().map_or(String::new(), text);
    let (estimate, against) = (outcome.estimate, outcome.against);
    let (evidence, run) = (outcome.evidence, &outcome.run);
    let noise = outcome.noise.as_ref();
    let bound = against.map_or("", |a| a.bound.side());
    [
        text(&outcome.test),
        text(&outcome.budget),
        text(&outcome.case),
        text(&outcome.metric),
        text(&outcome.subject),
        outcome.verdict.name().to_owned(),
        text(&outcome.reason),
        against.map_or("", |a| super::github_action_benchmark::unit(a.unit)).to_owned(),
        number(estimate.map(|e| e.value)),
        number(estimate.and_then(|e| e.low)),
        number(estimate.and_then(|e| e.high)),
        bound.to_owned(),
        number(against.map(|a| a.limit)),
        number(against.map(|a| a.warn)),
        number(against.map(|a| a.tolerance)),
        optional(&outcome.relative_to),
        count(evidence.map(|e| e.processes as u64)),
        count(evidence.map(|e| e.values as u64)),
        number(evidence.and_then(|e| e.detectable)),
        number(evidence.and_then(|e| e.waited)),
        count(evidence.and_then(|e| e.preempted)),
        outcome.doubt.map_or("", doubt).to_owned(),
        number(noise.and_then(|l| l.outside)),
        number(noise.and_then(|l| l.steal)),
        number(noise.and_then(|l| l.pressure.cpu)),
        noise.and_then(|l| l.clock).map_or("", clock).to_owned(),
        number(outcome.accepted.as_ref().map(|accepted| accepted.value)),
        outcome.waived.as_ref().map_or(String::new(), |waived| waived.until.to_string()),
        optional(&outcome.cause),
        text(&outcome.notes.join("; ")),
        optional(&outcome.why),
        text(&outcome.file),
        outcome.line.to_string(),
        outcome.seconds.to_string(),
        text(&run.id),
        run.began.to_string(),
        text(&run.profile),
        text(&run.platform),
        text(&run.processor),
        text(&run.version),
        optional(&run.environment),
    ]
}

fn clock(clock: Clock) -> &'static str {
    match clock {
        Clock::LessWaiting => "less-waiting",
        Clock::Wall => "wall",
    }
}

fn doubt(doubt: Doubt) -> &'static str {
    match doubt {
        Doubt::NearLimit => "near-limit",
        Doubt::Underpowered => "underpowered",
        Doubt::Noise => "noise",
        Doubt::Layout => "layout",
    }
}

/// Returns the text of a cell that no spreadsheet takes for a formula.
fn text(text: &str) -> String {
    let text = no_commands(&visible(text));
    // Some spreadsheets ignore blanks and line feeds before the sign, and accept its full-width form.
    let signs = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
    let formula = text.starts_with(['\t', '\r', '\n']) || text.trim_start().starts_with(signs);
    if formula { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn text_is_never_a_formula() {
        for harmful in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\t=1",
            " =1",
            "\n=1",
            "\u{a0}\n =1",
            "\t1",
            " ＝1",
            "＠SUM(A1)",
        ] {
            assert_eq!(text(harmful), format!("'{harmful}"));
        }
        assert_eq!(text("merge::p99"), "merge::p99");
        assert_eq!(text("a=b, \"c\""), "a=b, \"c\"");
        // Each line of a cell is printed as a line of its own, so each is made harmless.
        assert_eq!(text("a\n::stop-commands::b"), "a\n| ::stop-commands::b");
    }
}
