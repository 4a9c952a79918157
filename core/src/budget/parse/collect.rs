//! The state while a file is read, in which all of its mistakes are collected.

use std::ops::Range;

use super::problem::Problem;
use super::source::Source;

/// The number of problems that are shown in full. A file with more of them usually has a single cause.
pub(super) const SHOWN: usize = 50;

/// The mistakes of a file that is being read, with its text.
pub(super) struct Mistakes<'s> {
    pub source: Source<'s>,
    pub problems: Vec<Problem>,
    /// The notes about keys that are written in an old way, which is no mistake.
    pub notes: Vec<Problem>,
    /// Whether the file is not well-formed TOML. Then a missing key may be in a part that could not be read.
    pub is_malformed: bool,
}

impl<'s> Mistakes<'s> {
    pub(super) fn new(source: Source<'s>) -> Self {
        Mistakes { source, problems: Vec::new(), notes: Vec::new(), is_malformed: false }
    }

    #[cold]
    pub(super) fn report(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    #[cold]
    pub(super) fn note(&mut self, note: Problem) {
        self.notes.push(note);
    }

    /// Returns all notes as texts.
    pub(super) fn render_notes(&self) -> Vec<String> {
        self.notes.iter().map(|note| self.source.render_note(note)).collect()
    }

    /// Reports that something is missing, unless it may be in a part that could not be read.
    pub(super) fn report_absence(&mut self, problem: Problem) {
        if !self.is_malformed {
            self.report(problem);
        }
    }

    /// Whether the next problem will still be shown, so that it is worth while to search for a suggestion.
    pub(super) fn is_shown(&self) -> bool {
        self.problems.len() < SHOWN
    }

    /// Returns the line that a span starts on, from 1.
    pub(super) fn line(&self, at: &Range<usize>) -> usize {
        self.source.line(at.start) + 1
    }

    /// Returns all problems as one text, in the order of the file.
    pub(super) fn render(&mut self) -> String {
        self.problems.sort_by_cached_key(|p| p.at.end);
        self.problems.sort_by_cached_key(|p| p.at.start);
        let shown: Vec<_> =
            self.problems.iter().take(SHOWN).map(|p| self.source.render(p)).collect();
        let more = self.problems.len().saturating_sub(SHOWN);
        let rest = if more == 0 { String::new() } else { format!("\n... and {more} more\n") };
        shown.join("\n") + &rest
    }
}
