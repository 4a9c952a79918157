//! The messages about each measurement: lines for people, or one line for programs.

use std::fmt::Write as _;

use perf_budget_core::outcome::Outcome;
use perf_budget_core::report::terminal::interval_text;
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::text::{short, value_shown};

/// How many saved files people are shown.
const FILES: usize = 3;

/// A message.
pub(crate) enum Message<'a> {
    /// The commit of the base, before the first measurement.
    Begins { commit: &'a str, name: &'a str, base: &'a str },
    /// A measurement, with the files that were saved before it.
    Measured { commit: &'a str, saved: Vec<String>, measured: Measured },
}

/// One measurement.
pub(crate) struct Measured {
    /// An outcome for each limit.
    pub(super) outcomes: Vec<Outcome>,
    /// Why something was not measured, in the words of cargo or of the tests.
    pub(super) failed: Option<String>,
    /// How long it took, with the build.
    pub(super) seconds: Option<f64>,
    pub(super) exit: Exit,
}

impl Measured {
    /// Returns a measurement that failed before it began.
    pub(super) fn failed(failure: Failure) -> Measured {
        let (outcomes, exit) = (Vec::new(), failure.exit);
        Measured { outcomes, failed: Some(failure.text + "\n"), seconds: None, exit }
    }
}

impl Message<'_> {
    /// Renders it for people.
    pub(crate) fn text(&self) -> String {
        match self {
            Message::Begins { commit, name, base } => {
                format!("watching {name} against {} ({base}); Ctrl-C ends it\n", short(commit))
            }
            Message::Measured { saved, measured, .. } => {
                let mut text = names(saved);
                measured.outcomes.iter().for_each(|outcome| text += &line(outcome));
                text += measured.failed.as_deref().unwrap_or_default();
                if let Some(seconds) = measured.seconds {
                    let _ = writeln!(text, "  in {seconds:.1} s");
                }
                text
            }
        }
    }

    /// Renders it for programs; `None` where nothing was measured yet.
    pub(crate) fn json(&self) -> Option<Value> {
        let Message::Measured { commit, saved, measured } = self else { return None };
        Some(json!({
            "version": 1,
            "base": commit,
            "saved": saved,
            "seconds": measured.seconds,
            "exit": measured.exit.code(),
            "failed": measured.failed,
            "outcomes": measured.outcomes,
        }))
    }
}

/// Returns the line of an outcome: its test, its verdict, its value and the interval.
fn line(outcome: &Outcome) -> String {
    let interval = interval_text(outcome);
    let between =
        if matches!(&*interval, "-" | "exact") { String::new() } else { format!(" ({interval})") };
    let why =
        if outcome.estimate.is_none() { format!(", {}", outcome.reason) } else { String::new() };
    let verdict = outcome.verdict.name();
    format!("  {verdict:<12} {:<32} {}{between}{why}\n", outcome.test, value_shown(outcome))
}

/// Returns a line with the names of saved files; empty where there are none.
fn names(saved: &[String]) -> String {
    let more = match saved.len().saturating_sub(FILES) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    match saved {
        [] => String::new(),
        _ => saved[..saved.len().min(FILES)].join(", ") + &more + "\n",
    }
}
