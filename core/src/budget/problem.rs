//! A mistake in the file: where, what, and what to write instead; all of them found in one reading.
//!
//! Apart from [`super::source`], which draws them, so that whoever finds a mistake only says what it is.

use std::ops::{Deref, Range};

use super::source::Source;

/// How many problems are shown in full; a file with more has one cause, not so many.
pub(super) const SHOWN: usize = 50;

/// One mistake. Behind a box, and made by functions that are cold: there are a hundred places that make one.
pub(super) struct Problem(Box<Parts>);

/// What there is to say about a mistake.
pub(super) struct Parts {
    /// The bytes of the text that are underlined.
    pub at: Range<usize>,
    /// What is wrong: a lower case sentence without a full stop.
    pub title: String,
    /// Said beside the underline.
    pub label: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Another place that has to do with it, and what is there.
    pub also: Option<(Range<usize>, String)>,
    /// Where in our own source it is made, so that a test can tell that every message is shown once.
    #[cfg(test)]
    pub made_at: &'static std::panic::Location<'static>,
}

impl Problem {
    #[cold]
    #[cfg_attr(test, track_caller)]
    pub(super) fn new(at: Range<usize>, title: impl Into<String>) -> Self {
        Problem(Box::new(Parts {
            at,
            title: title.into(),
            label: String::new(),
            help: None,
            also: None,
            #[cfg(test)]
            made_at: std::panic::Location::caller(),
        }))
    }

    #[cold]
    pub(super) fn label(mut self, text: impl Into<String>) -> Self {
        self.0.label = text.into();
        self
    }

    #[cold]
    pub(super) fn help(mut self, text: impl Into<String>) -> Self {
        self.0.help = Some(text.into());
        self
    }

    #[cold]
    pub(super) fn also(mut self, at: Range<usize>, text: impl Into<String>) -> Self {
        self.0.also = Some((at, text.into()));
        self
    }
}

impl Deref for Problem {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// One reading of a file: its text and the problems found so far.
pub(super) struct Reading<'s> {
    pub source: Source<'s>,
    pub problems: Vec<Problem>,
    /// The file is not well formed: what is missing may stand where it could not be read.
    pub torn: bool,
}

impl<'s> Reading<'s> {
    pub(super) fn new(source: Source<'s>) -> Self {
        Reading { source, problems: Vec::new(), torn: false }
    }

    #[cold]
    pub(super) fn report(&mut self, problem: Problem) {
        self.problems.push(problem);
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

/// Text of the file as it is put into a sentence: in ticks, on one line, of bearable length.
pub(super) fn quoted(text: &str) -> String {
    const MOST: usize = 60;
    let line: String = super::source::printable(text).replace('\n', " ");
    match line.char_indices().nth(MOST) {
        _ if line.is_empty() => "`\"\"`".to_owned(),
        Some((end, _)) => format!("`{}...`", &line[..end]),
        None => format!("`{line}`"),
    }
}
