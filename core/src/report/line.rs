//! The progress line at the bottom of a terminal: when it is wanted, and the escape sequences that draw and clear it.
//! The harness and the command each have such a line with their own text; this file is what both share.

use std::ffi::OsString;
use std::time::Duration;

/// How often the line is drawn: often enough to look alive, and rarely enough to cost nothing.
pub const EVERY: Duration = Duration::from_millis(100);

/// The escape sequence that clears the line.
pub const CLEARED: &str = "\r\u{1b}[2K";

/// Returns the text that draws the line over the one before; it is dim unless `plain` is true.
pub fn drawn(text: &str, plain: bool) -> String {
    let (dim, end) = if plain { ("", "") } else { ("\u{1b}[2m", "\u{1b}[0m") };
    format!("{CLEARED}{dim}{text}{end}")
}

/// Whether the terminal cannot clear a line, by the value of TERM: the terminal of an editor, or an unknown one.
/// Windows has no such variable, but its terminals can.
pub fn is_dumb(term: Option<OsString>) -> bool {
    term.map_or(cfg!(unix), |term| term.is_empty() || term == "dumb")
}

/// Whether a variable is set, and not empty.
pub fn is_set(value: Option<OsString>) -> bool {
    value.is_some_and(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_drawn_over_itself() {
        assert_eq!(drawn("3 of 4", false), "\r\u{1b}[2K\u{1b}[2m3 of 4\u{1b}[0m");
        assert_eq!(drawn("3 of 4", true), "\r\u{1b}[2K3 of 4");
        assert!(drawn("", true).starts_with(CLEARED));
    }

    #[test]
    fn terminals_that_cannot_clear_a_line() {
        let of = |term: &str| is_dumb(Some(term.into()));
        assert_eq!([of("dumb"), of(""), of("xterm")], [true, true, false]);
        assert_eq!(is_dumb(None), cfg!(unix));
    }

    #[test]
    fn an_empty_variable_is_not_set() {
        assert_eq!(
            [None, Some(""), Some("1")].map(|set| is_set(set.map(Into::into))),
            [false, false, true]
        );
    }
}
