//! The summary of a step on GitHub, to which the outcomes of a run are appended.

use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;

use perf_budget_core::error::Error;
use perf_budget_core::outcome::Outcome;
use perf_budget_core::report::github;

use crate::session::Session;

/// Appends to the step's summary. If the summary cannot be written, a warning says so, but nothing turns red.
pub(super) fn append(session: &Session, outcomes: &[Outcome], count: &str, text: &mut String) {
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY") else { return };
    let path = Path::new(&path);
    if path.metadata().is_ok_and(|data| !data.is_file()) {
        // Opening a pipe that nobody reads would never end.
        let _ = writeln!(text, "::warning::the step summary `{}` is not a file", path.display());
        return;
    }
    // The rows of a second process must not come before the head that the first one writes.
    let written = session.in_turn("summary", |first| {
        let (head, closing) = match first {
            None => (true, Some(count)),
            Some(first) => (first, None),
        };
        let summary = github::summary(outcomes, head, closing);
        let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
        let written = file.and_then(|mut file| file.write_all(summary.as_bytes()));
        written.map_err(|e| Error::io("write the step summary", path, e))
    });
    if let Err(error) = written {
        let _ = writeln!(text, "::warning::{error}");
    }
}
