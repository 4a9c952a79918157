//! The text of the file, and the drawing of a problem in it. Only this file uses the library that draws.

use std::cell::OnceCell;
use std::ops::Range;
use std::path::Path;

use codespan_reporting::diagnostic::{Diagnostic, Label};
use codespan_reporting::files::{self, Files};
use codespan_reporting::term::{Chars, Config, emit_into_string};

use super::printable::printable;
use super::problem::Problem;

/// The text of a file with its name and the starts of its lines.
pub(super) struct Source<'s> {
    pub text: &'s str,
    name: String,
    /// `text` without control characters, with the same byte offsets; made when it is first needed.
    printable: OnceCell<String>,
    starts: Vec<usize>,
}

impl<'s> Source<'s> {
    pub(super) fn new(path: &Path, text: &'s str) -> Self {
        let starts = files::line_starts(text).collect();
        Source { text, name: path.display().to_string(), printable: OnceCell::new(), starts }
    }

    /// Returns the index of the line that a byte is on, from 0.
    pub(super) fn line(&self, byte: usize) -> usize {
        self.starts.partition_point(|&start| start <= byte).saturating_sub(1)
    }

    /// Returns the span of a line, without its end.
    pub(super) fn line_span(&self, line: usize) -> Range<usize> {
        let start = self.starts.get(line).copied().unwrap_or(self.text.len());
        let end = self.starts.get(line + 1).copied().unwrap_or(self.text.len());
        start..start + self.text[start..end].trim_end_matches(['\n', '\r']).len()
    }

    /// Draws a problem: `error: title`, its place, the line with carets below it, and the help.
    pub(super) fn render(&self, problem: &Problem) -> String {
        self.draw(problem, Diagnostic::error(), "error")
    }

    /// Draws a note in the same way: `note: title`.
    pub(super) fn render_note(&self, note: &Problem) -> String {
        self.draw(note, Diagnostic::note(), "note")
    }

    fn draw(&self, problem: &Problem, diagnostic: Diagnostic<()>, level: &str) -> String {
        let mut view = View { source: self, cuts: Vec::new() };
        let mut labels =
            vec![Label::primary((), view.cut(&problem.at)).with_message(&problem.label)];
        if let Some((at, text)) = &problem.also {
            labels.push(Label::secondary((), view.cut(at)).with_message(text));
        }
        let help = problem.help.iter().map(|help| format!("help: {help}")).collect();
        let diagnostic =
            diagnostic.with_message(&problem.title).with_labels(labels).with_notes(help);
        let config = Config { chars: Chars::ascii(), ..Config::default() };
        if let Ok(text) = emit_into_string(&config, &view, &diagnostic) {
            return text.trim_end().lines().map(|l| l.trim_end().to_owned() + "\n").collect();
        }
        // Drawing fails only if a span is outside the text. Then the title is shown without the drawing.
        let line = self.line(problem.at.start) + 1;
        format!("{level}: {}\n  --> {}:{line}\n", problem.title, self.name)
    }
}

/// A source in which a line with a label is cut down to what is near the label. Otherwise a file without line ends
/// would be printed whole for each of its mistakes.
struct View<'v> {
    source: &'v Source<'v>,
    /// The lines that are cut, each with the part of it that is shown.
    cuts: Vec<(usize, Range<usize>)>,
}

impl View<'_> {
    /// Returns the part of `at` that is on its first line, and within the part of this line that is shown.
    fn cut(&mut self, at: &Range<usize>) -> Range<usize> {
        const BEFORE: usize = 60;
        const AFTER: usize = 100;
        let text = self.source.text;
        let start = boundary(text, at.start);
        let line = self.source.line(start);
        let whole = self.source.line_span(line);
        let known = self.cuts.iter().find(|cut| cut.0 == line).map(|cut| cut.1.clone());
        let shown = known.unwrap_or_else(|| {
            let left = boundary(text, start.saturating_sub(BEFORE).max(whole.start));
            let right = boundary(text, (start + AFTER).min(whole.end));
            let shown = left.min(whole.end)..right.max(left);
            self.cuts.push((line, shown.clone()));
            shown
        });
        let start = start.clamp(shown.start, shown.end);
        start..boundary(text, at.end).clamp(start, shown.end)
    }
}

impl<'a> Files<'a> for View<'a> {
    type FileId = ();
    type Name = &'a str;
    type Source = &'a str;

    fn name(&'a self, (): ()) -> Result<&'a str, files::Error> {
        Ok(&self.source.name)
    }

    fn source(&'a self, (): ()) -> Result<&'a str, files::Error> {
        Ok(self.source.printable.get_or_init(|| printable(self.source.text).into_owned()))
    }

    fn line_index(&'a self, (): (), byte: usize) -> Result<usize, files::Error> {
        Ok(self.source.line(byte))
    }

    fn column_number(&'a self, (): (), line: usize, byte: usize) -> Result<usize, files::Error> {
        let start = self.source.line_span(line).start;
        Ok(self.source.text[start..byte.max(start)].chars().count() + 1)
    }

    fn line_range(&'a self, (): (), line: usize) -> Result<Range<usize>, files::Error> {
        let cut = self.cuts.iter().find(|cut| cut.0 == line).map(|cut| cut.1.clone());
        Ok(cut.unwrap_or_else(|| self.source.line_span(line)))
    }
}

/// Returns the last boundary between characters at or before `byte`.
fn boundary(text: &str, byte: usize) -> usize {
    (0..=byte.min(text.len())).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0)
}
