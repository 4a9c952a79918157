//! The same code several times, with nothing injected: what is red then is red by chance.
//!
//! A run measures every limit once, as an ordinary run does: the limits of a budget share their processes. No evidence
//! is carried from one run to the next.

use std::fmt::Write as _;
use std::io;

use perf_budget_core::outcome::Outcome;
use perf_budget_core::selftest::Repeat;
use perf_budget_core::verdict::Verdict;

use super::results::Results;
use crate::session::Session;

/// Measures these tests in each of `runs` runs, and adds what it sees to `results`.
///
/// # Errors
/// If the results cannot be written.
pub(super) fn run(
    session: &Session,
    tests: &[usize],
    runs: u32,
    results: &mut Results,
    print: &dyn Fn(&str),
) -> io::Result<()> {
    for run in 1..=runs {
        let mut all = Vec::new();
        for seen in session.measure_again(tests, &format!("run {run} of {runs}")) {
            let repeat = Repeat { run, seen };
            results.add(&repeat)?;
            all.push(repeat.seen);
        }
        print(&format!("run {run} of {runs}: {}", describe(&all)));
    }
    Ok(())
}

/// Returns what a run showed, in a few words, with every red.
fn describe(all: &[Outcome]) -> String {
    let red: Vec<&Outcome> = all.iter().filter(|seen| seen.verdict.is_red()).collect();
    let open = all.iter().filter(|seen| seen.verdict == Verdict::Inconclusive).count();
    let mut text = format!("{} of {} red, {open} inconclusive", red.len(), all.len());
    for seen in red {
        let _ = write!(text, "\n  {}: {}", seen.test, seen.reason);
    }
    text
}
