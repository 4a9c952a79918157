//! Text of a file that is safe to print: it has no control characters and no invisible ones.

use std::borrow::Cow;

/// Replaces control characters and invisible characters. Each replacement has as many bytes as the character, so that
/// spans stay valid.
pub(super) fn printable(text: &str) -> Cow<'_, str> {
    let is_unprintable = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t'))
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}')
            || matches!(c, '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}')
            || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let replaced = text.chars().map(|c| match c.len_utf8() {
        _ if !is_unprintable(c) => c,
        1 if c == '\r' => ' ',
        1 => '?',
        2 => '\u{b7}',
        _ => '\u{fffd}',
    });
    Cow::Owned(replaced.collect())
}

/// Returns text of the file for use in a sentence: between backticks, on one line, and shortened if it is long.
pub(super) fn quoted(text: &str) -> String {
    const MOST: usize = 60;
    let line: String = printable(text).replace('\n', " ");
    match line.char_indices().nth(MOST) {
        _ if line.is_empty() => "`\"\"`".to_owned(),
        Some((end, _)) => format!("`{}...`", &line[..end]),
        None => format!("`{line}`"),
    }
}
