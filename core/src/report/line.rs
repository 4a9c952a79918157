//! The one line at the bottom of a terminal while something takes long: who wants it, and what draws it over itself and
//! takes it away. The harness and the command each have one, with words of their own; this is what both must do alike.

use std::ffi::OsString;
use std::time::Duration;

/// How often it is drawn: often enough to be alive, seldom enough to cost nothing.
pub const EVERY: Duration = Duration::from_millis(100);

/// What takes it away.
pub const CLEARED: &str = "\r\u{1b}[2K";

/// What draws it over the one that stands there: dim, unless nobody wants colours.
pub fn drawn(text: &str, plain: bool) -> String {
    let (dim, end) = if plain { ("", "") } else { ("\u{1b}[2m", "\u{1b}[0m") };
    format!("{CLEARED}{dim}{text}{end}")
}

/// Whether a terminal takes no line away, by the value of TERM: an editor's, or one that nobody knows. Windows has no
/// such variable, and its terminals do.
pub fn is_dumb(term: Option<OsString>) -> bool {
    term.map_or(cfg!(unix), |term| term.is_empty() || term == "dumb")
}

/// Whether a variable asks for something: it is set, and not to nothing.
pub fn is_set(value: Option<OsString>) -> bool {
    value.is_some_and(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_drawn_over_itself() {
        assert_eq!(drawn("3 of 4", false), "\r\u{1b}[2K\u{1b}[2m3 of 4\u{1b}[0m");
        assert_eq!(drawn("3 of 4", true), "\r\u{1b}[2K3 of 4");
        assert!(drawn("", true).starts_with(CLEARED));
    }

    #[test]
    fn what_takes_no_line_away() {
        let of = |term: &str| is_dumb(Some(term.into()));
        assert_eq!([of("dumb"), of(""), of("xterm")], [true, true, false]);
        assert_eq!(is_dumb(None), cfg!(unix));
    }

    #[test]
    fn nothing_is_no_wish() {
        assert_eq!(
            [None, Some(""), Some("1")].map(|set| is_set(set.map(Into::into))),
            [false, false, true]
        );
    }
}
