//! The rendering of the changes: text for people, JSON for programs, and Markdown for a comment.

use std::fmt::Write;

use serde::Serialize;

use super::{Change, Kind};
use crate::report::markdown::prose;
use crate::text::printable;

/// The two states that were compared, and the changes.
#[derive(Debug, Serialize)]
pub(crate) struct Comparison<'c> {
    /// The revision, as it was named.
    pub(crate) revision: &'c str,
    /// The commit of that revision.
    pub(crate) commit: &'c str,
    /// The path of the file, from the top of the repository.
    pub(crate) file: &'c str,
    /// The number of changes that weaken the gate without a reason.
    pub(crate) unexplained: usize,
    /// The reason from the command line, for all changes that weaken the gate.
    pub(crate) because: Option<&'c str>,
    /// All changes.
    pub(crate) changes: &'c [Change],
}

impl Comparison<'_> {
    /// Renders the changes for people.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for change in self.changes {
            let (colour, mark) = match (change.is_unexplained(), change.weakens, change.kind) {
                (true, _, _) => ("\u{1b}[31m", "!"),
                (_, true, _) => ("\u{1b}[33m", "~"),
                (_, _, Kind::Tightened | Kind::Added) => ("\u{1b}[32m", "+"),
                _ => ("", " "),
            };
            let reset = if colour.is_empty() { "" } else { "\u{1b}[0m" };
            let line = change.line.map_or(String::new(), |line| format!(" (line {line})"));
            let kind = change.kind.name();
            let words = printable(&change.sentence());
            let _ = writeln!(text, "{colour}{mark} {kind:<9}{reset} {words}{line}");
            if let Some(why) = change.why.as_ref().filter(|_| change.weakens) {
                let _ = writeln!(text, "            why: {}", printable(why));
            }
        }
        text + &self.summary() + "\n"
    }

    /// Renders the changes for programs.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::json!(self)
    }

    /// Renders the changes for a comment on a pull request.
    pub(crate) fn markdown(&self) -> String {
        let mut text = format!("### Budgets since {}\n\n", code(self.revision));
        if !self.changes.is_empty() {
            text += "| | what | before | after | why |\n|---|---|---|---|---|\n";
        }
        for change in self.changes {
            let kind = change.kind.name();
            let kind =
                if change.is_unexplained() { format!("**{kind}**") } else { kind.to_owned() };
            let cell = |text: &Option<String>| text.as_deref().map_or(String::new(), code);
            let why = match &change.why {
                Some(why) if change.weakens => prose(why),
                _ if change.is_unexplained() => "**none given**".to_owned(),
                _ => String::new(),
            };
            let (before, after) = (cell(&change.before), cell(&change.after));
            let _ =
                writeln!(text, "| {kind} | {} | {before} | {after} | {why} |", code(&change.what));
        }
        if !self.changes.is_empty() {
            text.push('\n');
        }
        text + &prose(&self.summary()) + "\n"
    }

    fn summary(&self) -> String {
        let Comparison { revision, file, unexplained, .. } = self;
        let count = self.changes.len();
        if count == 0 {
            return format!("{file} makes the same promises as at {revision}");
        }
        let weaker = self.changes.iter().filter(|change| change.weakens).count();
        let s = if count == 1 { "" } else { "s" };
        let mut text = format!("{count} change{s} since {revision}");
        if weaker == 0 {
            return text + ", none of which weakens the gate";
        }
        let _ = write!(
            text,
            ", {weaker} of which weaken{} the gate",
            if weaker == 1 { "s" } else { "" }
        );
        match (self.because, *unexplained) {
            (_, 0) => text + ", each with a reason",
            (Some(because), _) => format!("{text}, because {}", printable(because)),
            (None, n) => format!(
                "{text}, {n} of them without a reason: write or change the `why` of each, or give a reason with `--because`"
            ),
        }
    }
}

/// Renders a cell of a table as code, whatever characters it has.
fn code(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let ticks = "`".repeat(longest + 1);
    let space = if longest > 0 { " " } else { "" };
    format!("{ticks}{space}{}{space}{ticks}", printable(text).replace('|', "\\|"))
}
