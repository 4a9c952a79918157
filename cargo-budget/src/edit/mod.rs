//! Edits of files that people wrote.
//!
//! An edit replaces bytes at a position that a parser found, and leaves every other byte as it was: comments, order,
//! line endings, a byte order mark, a last line without a line ending. The edit is shown as a diff before it is
//! written and checked by parsing the result. `file` writes it as a whole or not at all.

pub(crate) mod diff;
pub(crate) mod headroom;
mod insert;
pub(crate) mod lock;
pub(crate) mod number;
pub(crate) mod place;
pub(crate) mod suggest;
pub(crate) mod tighten;

use std::fmt::Write as _;
use std::ops::Range;

use similar::TextDiff;

/// The byte order mark that some editors put at the start of a file.
pub(crate) const MARK: char = '\u{feff}';

/// Replacements in a text. They may be in any order, but no two at the same position.
#[derive(Debug, Default)]
pub(crate) struct Splices(Vec<(Range<usize>, String)>);

impl Splices {
    /// Replaces the bytes in the range `at` by `text`; an empty range inserts.
    pub(crate) fn replace(&mut self, at: Range<usize>, text: impl Into<String>) {
        self.0.push((at, text.into()));
    }

    /// Returns the text with all replacements.
    pub(crate) fn apply(mut self, text: &str) -> String {
        self.0.sort_by_key(|(at, _)| (at.start, at.end));
        let (mut edited, mut end) = (String::with_capacity(text.len() + 64), 0);
        for (at, new) in &self.0 {
            edited.push_str(&text[end..at.start]);
            edited.push_str(new);
            end = at.end;
        }
        edited.push_str(&text[end..]);
        edited
    }
}

/// Returns the line ending that this text uses.
pub(crate) fn line_end(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// Returns a unified diff in colours; it is empty where the texts are equal.
pub(crate) fn difference(before: Option<&str>, after: &str, name: &str) -> String {
    let old = before.map_or("/dev/null".to_owned(), |_| format!("a/{name}"));
    let diff = TextDiff::from_lines(before.unwrap_or_default(), after);
    let plain =
        diff.unified_diff().context_radius(3).header(&old, &format!("b/{name}")).to_string();
    let mut shown = String::new();
    for line in plain.lines() {
        let colour = match line.as_bytes().first() {
            _ if line.starts_with("+++") || line.starts_with("---") => "\u{1b}[1m",
            Some(b'+') => "\u{1b}[32m",
            Some(b'-') => "\u{1b}[31m",
            Some(b'@') => "\u{1b}[36m",
            _ => "",
        };
        let reset = if colour.is_empty() { "" } else { "\u{1b}[0m" };
        let _ = writeln!(shown, "{colour}{line}{reset}");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splices_are_applied_in_order() {
        let mut splices = Splices::default();
        splices.replace(4..5, "E");
        splices.replace(0..1, "AA");
        splices.replace(2..2, "-");
        assert_eq!(splices.apply("abcde"), "AAb-cdE");
    }
}
