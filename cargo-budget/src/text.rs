//! Sanitising of text from outside: names, reasons and the output of processes may contain anything.
//!
//! Each report format escapes its own markup. This module handles the characters that no format escapes and that can
//! mislead every reader.

use std::borrow::Cow;
use std::fmt::Write as _;

use perf_budget_core::outcome::Outcome;
use perf_budget_core::report::terminal::value_text;

/// Returns the text with invisible characters shown in the form `\u{202e}`: control characters except the line feed and
/// the tab, marks that reverse the direction of writing, and code points that are not characters.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) {
            let _ = write!(shown, "\\u{{{:x}}}", c as u32);
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// Returns the text as [`visible`] does, on one line.
pub(crate) fn line(text: &str) -> String {
    visible(text).replace(['\n', '\t'], " ")
}

fn is_hidden(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks = matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}');
    // These code points are never characters. XML may not contain some of them, not even escaped.
    let code = u32::from(c);
    let none = code & 0xfffe == 0xfffe || (0xfdd0..=0xfdef).contains(&code);
    turns || breaks || none || (c.is_control() && c != '\n' && c != '\t')
}

/// Returns the text with a blank in place of each character that would control a terminal or end a line.
pub(crate) fn printable(text: &str) -> String {
    let steers =
        |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if steers(c) { ' ' } else { c }).collect()
}

/// Returns the outcome with every text made [`visible`], and names on one line.
pub(crate) fn plain(outcome: &Outcome) -> Outcome {
    let all = |text: &Option<String>| text.as_ref().map(|text| visible(text).into_owned());
    Outcome {
        test: line(&outcome.test),
        budget: line(&outcome.budget),
        case: line(&outcome.case),
        metric: line(&outcome.metric),
        subject: line(&outcome.subject),
        reason: visible(&outcome.reason).into_owned(),
        relative_to: outcome.relative_to.as_ref().map(|name| line(name)),
        cause: all(&outcome.cause),
        output: all(&outcome.output),
        notes: outcome.notes.iter().map(|note| visible(note).into_owned()).collect(),
        why: all(&outcome.why),
        accepted: outcome.accepted.clone().map(|mut accepted| {
            accepted.commit = accepted.commit.as_deref().map(line);
            accepted.elsewhere = accepted.elsewhere.as_deref().map(line);
            accepted
        }),
        waived: outcome.waived.clone().map(|mut waived| {
            waived.owner = line(&waived.owner);
            waived.why = line(&waived.why);
            waived
        }),
        file: line(&outcome.file),
        ..outcome.clone()
    }
}

/// The codes of the styles that the command itself writes. None of them hides text or moves the cursor.
const STYLES: [&str; 9] = ["0", "1", "2", "31", "32", "33", "36", "1;31", "1;33"];

/// Returns a text as it is shown to people. Styles that the command writes stay, all other terminal sequences become
/// visible, and no line is a command for a runner of GitHub.
pub(crate) fn safe_for_terminal(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        safe.push_str(&visible(&rest[..at]));
        let style = rest[at..].strip_prefix("\u{1b}[").and_then(|code| code.split_once('m'));
        if let Some((code, after)) = style.filter(|(code, _)| STYLES.contains(code)) {
            let _ = write!(safe, "\u{1b}[{code}m");
            rest = after;
        } else {
            safe.push_str("\\u{1b}");
            rest = &rest[at + 1..];
        }
    }
    safe.push_str(&visible(rest));
    no_commands(&safe)
}

/// Changes lines so that a runner of GitHub does not take them for commands. It takes a line that begins with `::` for
/// one, with or without blanks before it, and `##[` (the older form) anywhere in a line.
pub(crate) fn no_commands(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        // Where styles are not shown, they are removed. The text after a style may then be at the start of the line.
        let bare = anstream::adapter::strip_str(line).to_string();
        let begins = bare.trim_start().starts_with("::");
        if begins {
            safe.push_str("| ");
        }
        if begins || bare.contains("##[") {
            safe.push_str(&bare.replace("##[", "##\\u{5b}"));
        } else {
            safe.push_str(line);
        }
    }
    safe
}

/// Splits a text at its first pair of backticks; `None` where there is none. Code is on one line, and not empty.
pub(crate) fn between_backticks(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('`')?;
    let (code, after) = rest.split_once('`')?;
    (!code.is_empty() && !code.contains('\n')).then_some((before, code, after))
}

/// Returns the first digits of a commit's hash, as people write it.
pub(crate) fn short(commit: &str) -> &str {
    commit.get(..9).unwrap_or(commit)
}

/// Returns the measured value of an outcome. For a ratio, the text has the reference too: `1.03 x base`.
pub(crate) fn value_shown(outcome: &Outcome) -> String {
    let value = value_text(outcome);
    match outcome.relative_to.as_ref().filter(|_| outcome.estimate.is_some()) {
        Some(other) => format!("{value} x {other}"),
        None => value,
    }
}

/// Returns a counted noun: `1 file`, `2 files`.
pub(crate) fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, shown: &str) {
        assert_eq!(visible(text), shown);
    }

    #[test]
    fn invisible_characters_are_shown() {
        check("merge::p99", "merge::p99");
        check("µ 日本 \u{1f600}\n\t", "µ 日本 \u{1f600}\n\t");
        check("a\u{1b}[31mb", "a\\u{1b}[31mb");
        check("a\u{202e}cba", "a\\u{202e}cba");
        check("a\rb\0\u{2028}", "a\\u{d}b\\u{0}\\u{2028}");
        check(
            "a\u{fffe}b\u{ffff}c\u{fdd0}d\u{10ffff}",
            "a\\u{fffe}b\\u{ffff}c\\u{fdd0}d\\u{10ffff}",
        );
        check("\u{fffd}\u{fdcf}\u{fdf0}", "\u{fffd}\u{fdcf}\u{fdf0}");
        assert_eq!(line("a\nb"), "a b");
    }

    #[test]
    fn no_line_is_a_workflow_command() {
        assert_eq!(no_commands("::error::x\na ::b\n  ::c"), "| ::error::x\na ::b\n|   ::c");
        assert_eq!(no_commands("a ##[error]b"), "a ##\\u{5b}error]b");
        // These become commands once the styles are removed.
        assert_eq!(no_commands("\u{1b}[0m::a\nb"), "| ::a\nb");
        assert_eq!(no_commands("\u{1b}[1mx\u{1b}[0m ##\u{1b}[0m[a]"), "x ##\\u{5b}a]");
    }

    #[test]
    fn only_our_own_styles_are_shown() {
        let check = |text: &str, safe: &str| {
            assert_eq!(safe_for_terminal(text), safe);
            assert_eq!(safe_for_terminal(safe), safe, "what is safe stays as it is");
        };
        check("\u{1b}[1;31mfail\u{1b}[0m a\tb\n", "\u{1b}[1;31mfail\u{1b}[0m a\tb\n");
        check("a\u{202e}b\n::stop-commands::c", "a\\u{202e}b\n| ::stop-commands::c");
        check("\u{1b}[8mhidden\u{1b}[2Kgone\u{1b}", "\\u{1b}[8mhidden\\u{1b}[2Kgone\\u{1b}");
        check("\u{1b}]0;title\u{7}", "\\u{1b}]0;title\\u{7}");
        check("\u{1b}[31m::a\u{1b}[0m", "| ::a");
    }
}
