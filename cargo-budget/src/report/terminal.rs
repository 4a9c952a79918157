//! The terminal report, which repeats what `cargo test` printed after the run: why each red test is red, the table,
//! and the count.

use std::fmt::Write as _;

use perf_budget_core::outcome::Outcome;
use perf_budget_core::report::table::{Colour, table};
use perf_budget_core::report::terminal::{explain, remarks};

use super::{Report, is_nameless};
use crate::text;

/// Renders text with colours, which the printer removes where the output is not a terminal.
pub(super) fn render(report: &Report) -> String {
    let outcomes: Vec<Outcome> = report.outcomes.iter().map(text::plain).collect();
    let mut shown = String::new();
    for outcome in outcomes.iter().filter(|outcome| outcome.is_red()) {
        let verdict = format!("\u{1b}[1;31m{}\u{1b}[0m", outcome.verdict.name());
        if is_nameless(outcome) {
            let _ = writeln!(shown, "{verdict}: {}\n", outcome.reason);
        } else {
            let _ = writeln!(shown, "{verdict} {}: {}", outcome.test, explain(outcome));
        }
    }
    shown.push_str(&table(&outcomes, Colour::Ansi));
    shown.push_str(&remarks(&outcomes));
    for remark in &report.remarks {
        let _ = writeln!(shown, "note: {}", text::line(remark));
    }
    let _ = writeln!(shown, "\n{}", report.closing());
    text::safe_for_terminal(&shown)
}
