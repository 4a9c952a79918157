//! The outcomes of the tests of one run: recorded as they come, and printed at the end.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};

use libtest_mimic::{Arguments, ColorSetting, Completion, Failed as Red, FormatSetting};
use perf_budget_core::outcome::{Cause, Outcome};
use perf_budget_core::report::count::{Tests, count};
use perf_budget_core::report::table::{self, Colour};
use perf_budget_core::report::{github, terminal};
use perf_budget_core::verdict::Verdict;
use perf_budget_core::{paths, record};

use super::summary;
use crate::progress;
use crate::session::Session;

/// The remedy where the record cannot be written.
pub(super) const MAKE_ROOM: &str = "make room there, or name another directory in PERF_BUDGET_DIR";

/// Collects the outcomes of the tests, and prints them at the end.
#[derive(Default)]
pub(super) struct OutcomeCollector {
    outcomes: Mutex<Vec<Outcome>>,
}

impl OutcomeCollector {
    /// Records an outcome, and turns it into a result of libtest.
    pub(super) fn record(
        &self,
        session: &Session,
        mut outcome: Outcome,
    ) -> Result<Completion, Red> {
        let recorded = record::append(&paths::record(&session.results), &outcome)
            .and_then(|()| session.report(&outcome));
        if let Err(error) = recorded {
            // An outcome that is not on record is missing from every report.
            outcome.reason = format!(
                "{}; the outcome could not be recorded: {error}; {MAKE_ROOM}",
                outcome.reason
            );
            if !outcome.is_red() {
                outcome.verdict = Verdict::Unmeasured;
                outcome.cause = Some(Cause::Harness.name().to_owned());
            }
        }
        let (verdict, is_red) = (outcome.verdict, outcome.is_red());
        let (reason, text) = (outcome.reason.clone(), terminal::explain(&outcome));
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner).push(outcome);
        if verdict == Verdict::Skipped {
            return Ok(Completion::ignored_with(reason));
        }
        if is_red { Err(text.into()) } else { Ok(Completion::Completed) }
    }

    /// Prints the table of the outcomes, the counts, and on GitHub the annotations and the summary.
    pub(super) fn print(
        &self,
        session: &Session,
        total: Tests,
        filtered: usize,
        arguments: &Arguments,
    ) {
        let mut outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let order: HashMap<&str, usize> =
            session.suite.tests.iter().enumerate().map(|(i, t)| (t.name.as_str(), i)).collect();
        // The outcomes are sorted by their lines. Outcomes of the same line keep the order of the suite.
        outcomes.sort_by_cached_key(|o| order.get(o.test.as_str()).copied().unwrap_or(usize::MAX));
        outcomes.sort_by_cached_key(|o| o.line);
        let mut text = String::new();
        if !arguments.quiet && !outcomes.is_empty() {
            text.push_str(&table::table(&outcomes, colour(arguments)));
        }
        text.push_str(&terminal::remarks(&outcomes));
        let counted = count(&outcomes, total, filtered);
        let _ = writeln!(text, "\n{counted}");
        if let Some(so_far) = session.verdicts_so_far() {
            let _ = writeln!(text, "this run so far: {}", count(&so_far, total, 0));
        }
        if std::env::var("GITHUB_ACTIONS").is_ok_and(|v| v == "true") {
            for annotation in github::annotations(&outcomes) {
                text.push_str(&annotation);
                text.push('\n');
            }
            summary::append(session, &outcomes, &counted, &mut text);
        }
        // If the tests' own protocol is for machines, standard output belongs to it.
        if arguments.format == Some(FormatSetting::Json) {
            let _ = std::io::stderr().write_all(text.as_bytes());
        } else {
            let _ = std::io::stdout().write_all(text.as_bytes());
        }
    }
}

fn colour(arguments: &Arguments) -> Colour {
    let wanted = match arguments.color {
        Some(ColorSetting::Always) => true,
        Some(ColorSetting::Never) => false,
        _ => {
            let refused = progress::is_plain() || progress::is_dumb();
            std::io::stdout().is_terminal() && !refused
        }
    };
    if wanted { Colour::Ansi } else { Colour::Plain }
}
