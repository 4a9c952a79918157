//! The changes as text for people, as JSON for programs, as Markdown for a comment.

use std::fmt::Write;

use serde::Serialize;

use super::{Change, Kind};
use crate::text::printable;

/// What is compared, and what came out.
#[derive(Debug, Serialize)]
pub(crate) struct Comparison<'c> {
    /// The revision as it was named.
    pub(crate) revision: &'c str,
    /// The commit that is.
    pub(crate) commit: &'c str,
    /// The file, from the top of the repository.
    pub(crate) file: &'c str,
    /// How many changes weaken the gate without a reason.
    pub(crate) unexplained: usize,
    /// The reason that was given for all that weakens, on the command line.
    pub(crate) because: Option<&'c str>,
    /// Every change.
    pub(crate) changes: &'c [Change],
}

impl Comparison<'_> {
    /// For people.
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

    /// For programs.
    pub(crate) fn json(&self) -> String {
        // Strings, numbers and lists of them have a rendering.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// For a comment on a change.
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
                Some(why) if change.weakens => escaped(why),
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
        text + &escaped(&self.summary()) + "\n"
    }

    fn summary(&self) -> String {
        let Comparison { revision, file, unexplained, .. } = self;
        let count = self.changes.len();
        if count == 0 {
            return format!("{file} promises what it did at {revision}");
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
                "{text}, {n} of them without a reason: write or change its `why`, or give a reason with `--because`"
            ),
        }
    }
}

/// Code in a cell of a table, whatever is in it.
fn code(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let ticks = "`".repeat(longest + 1);
    let space = if longest > 0 { " " } else { "" };
    format!("{ticks}{space}{}{space}{ticks}", printable(text).replace('|', "\\|"))
}

/// Prose in a cell of a table: nothing in it is markup.
fn escaped(text: &str) -> String {
    let mut safe = String::new();
    for c in printable(text).chars() {
        match c {
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '&' => safe += "&amp;",
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '#' | '~' | '@' => {
                safe.push('\\');
                safe.push(c);
            }
            c => safe.push(c),
        }
    }
    safe
}
