//! One reading of a file, in which all of its mistakes are found.

use std::ops::Range;

use super::problem::Problem;
use super::source::Source;

/// How many problems are shown in full; a file with more has one cause, not so many.
pub(super) const SHOWN: usize = 50;

/// One reading of a file: its text and the problems found so far.
pub(super) struct Reading<'s> {
    pub source: Source<'s>,
    pub problems: Vec<Problem>,
    /// What is no mistake: it is read, and could be written better.
    pub notes: Vec<Problem>,
    /// The file is not well formed: what is missing may stand where it could not be read.
    pub torn: bool,
}

impl<'s> Reading<'s> {
    pub(super) fn new(source: Source<'s>) -> Self {
        Reading { source, problems: Vec::new(), notes: Vec::new(), torn: false }
    }

    #[cold]
    pub(super) fn report(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    #[cold]
    pub(super) fn note(&mut self, note: Problem) {
        self.notes.push(note);
    }

    /// All notes as texts.
    pub(super) fn render_notes(&self) -> Vec<String> {
        self.notes.iter().map(|note| self.source.render_note(note)).collect()
    }

    /// Reports that something is not there, unless it may be in a part that could not be read.
    pub(super) fn report_absence(&mut self, problem: Problem) {
        if !self.torn {
            self.report(problem);
        }
    }

    /// Whether the next problem will still be shown, so that a search for a suggestion pays.
    pub(super) fn is_shown(&self) -> bool {
        self.problems.len() < SHOWN
    }

    /// The line that a span starts on, from 1.
    pub(super) fn line(&self, at: &Range<usize>) -> usize {
        self.source.line(at.start) + 1
    }

    /// All problems as text, in the order of the file.
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
