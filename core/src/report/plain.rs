//! The text that others wrote (a panic, the output of a command), without anything that controls a terminal: such
//! text must not be able to erase a red from the screen, to show itself in another order, or to act as a command of the
//! program that reads the log.

use std::fmt::Write as _;
use std::iter::Peekable;
use std::str::Chars;

/// Returns the text as [`without_control`] does, with a `| ` before each line that GitHub's runner would take for a
/// command, even if it is indented. The first line has no such mark, since it always follows words of this program.
pub(super) fn plain(text: &str) -> String {
    let text = without_control(text);
    let mut lines = text.split('\n');
    let mut shown = lines.next().unwrap_or_default().to_owned();
    for line in lines {
        let mark = if line.trim_start().starts_with("::") { "| " } else { "" };
        let _ = write!(shown, "\n{mark}{line}");
    }
    shown
}

/// Returns `text` without escape sequences and control characters, but with its line ends and tabs. Marks that turn the
/// direction of writing are shown in the form `\u{202e}`.
pub(super) fn without_control(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\x1b' => skip_sequence(&mut chars),
            // `##[error]` is a command of GitHub's older form, anywhere in a line.
            '[' if clean.ends_with("##") => clean.push_str("\\u{5b}"),
            c if c.is_control() && !matches!(c, '\n' | '\t') => {}
            c if turns_direction(c) => {
                let _ = write!(clean, "{}", c.escape_unicode());
            }
            c => clean.push(c),
        }
    }
    clean
}

/// Whether the character turns the direction of writing, or ends a line for some programs only.
fn turns_direction(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Skips what follows an escape (ECMA-48): parameters up to a final byte, or a string up to its terminator.
fn skip_sequence(chars: &mut Peekable<Chars<'_>>) {
    match chars.peek() {
        Some('[') => {
            chars.next();
            while chars.next_if(|c| matches!(c, ' '..='?')).is_some() {}
            chars.next_if(|c| matches!(c, '@'..='~'));
        }
        // This is the terminator of such a string.
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
        check("a\u{202e}cba\u{2028}b", "a\\u{202e}cba\\u{2028}b");
        check("\x1b", "");
        check("\x1b[", "");
    }

    #[test]
    fn no_further_line_is_a_workflow_command() {
        check("a\n::stop-commands::b\n  ::error::c", "a\n| ::stop-commands::b\n|   ::error::c");
        check("a\n\x1b[1m::add-mask::b\r\n::c", "a\n| ::add-mask::b\n| ::c");
        check("std::fmt\nstd::io\n", "std::fmt\nstd::io\n");
    }
}
