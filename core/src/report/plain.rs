//! The text that others wrote (a panic, the output of a command), without anything that controls a terminal: such
//! text must not be able to erase a red from the screen, or to act as a command of the program that reads the log.

use std::iter::Peekable;
use std::str::Chars;

/// Returns `text` without escape sequences and control characters, but with its line ends and tabs.
pub(super) fn plain(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\x1b' => skip_sequence(&mut chars),
            // `##[error]` is a command of GitHub's older form, anywhere in a line.
            '[' if kept.ends_with("##") => kept.push_str("\\u{5b}"),
            c if c.is_control() && !matches!(c, '\n' | '\t') => {}
            c => kept.push(c),
        }
    }
    kept
}

/// Skips what follows an escape (ECMA-48): parameters up to a final byte, or a string up to its terminator.
fn skip_sequence(chars: &mut Peekable<Chars<'_>>) {
    match chars.peek() {
        Some('[') => {
            chars.next();
            while chars.next_if(|c| matches!(c, ' '..='?')).is_some() {}
            chars.next_if(|c| matches!(c, '@'..='~'));
        }
        // This ends such a string.
        Some('\\') => drop(chars.next()),
        Some(']' | 'P' | 'X' | '^' | '_') => {
            // A string that is never closed hides at most the rest of its line.
            while chars.next_if(|&c| c != '\x07' && c != '\x1b' && c != '\n').is_some() {}
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: &str) {
        assert_eq!(plain(text), want);
    }

    #[test]
    fn control_sequences_are_left_out() {
        check("a\tb\nc é", "a\tb\nc é");
        check("\x1b[31mred\x1b[0m, \x1b[1;38;5;9mbold\x1b[m", "red, bold");
        check("\x1b[2Jgone\x07\r\u{9b}", "gone");
        check("\x1b]0;title\x07a\x1b]8;;u\x1b\\b\x1b]open\nc", "ab\nc");
        check("a ##[error]b #[c]", "a ##\\u{5b}error]b #[c]");
        check("##\x1b[0m[error]", "##\\u{5b}error]");
        check("\x1b", "");
        check("\x1b[", "");
    }
}
