//! Text from outside made harmless: names, reasons and what processes wrote may hold anything.
//!
//! Each format escapes its own markup; here is what no format escapes and every reader suffers from.

use std::borrow::Cow;
use std::fmt::Write as _;

use perf_budget::verdict::Outcome;

/// The text with what cannot be seen made visible: control characters but the line feed and the tab, and
/// marks that turn the direction of writing round, are shown as `\u{202e}`.
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

/// As [`visible`], on one line.
pub(crate) fn line(text: &str) -> String {
    visible(text).replace(['\n', '\t'], " ")
}

fn is_hidden(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks = matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}');
    turns || breaks || (c.is_control() && c != '\n' && c != '\t')
}

/// Text that cannot steer a terminal or break a line.
pub(crate) fn printable(text: &str) -> String {
    let steers =
        |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if steers(c) { ' ' } else { c }).collect()
}

/// The outcome with every text visible, and names on one line.
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

/// Lines for a terminal that may be GitHub's runner, which would take one that begins with `::` for a
/// command, blanks before it or not, and `##[` (the older form) anywhere in a line.
pub(crate) fn no_commands(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with("::") {
            safe.push_str("| ");
        }
        safe.push_str(line);
    }
    safe.replace("##[", "##\\u{5b}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, shown: &str) {
        assert_eq!(visible(text), shown);
    }

    #[test]
    fn what_cannot_be_seen_is_shown() {
        check("merge::p99", "merge::p99");
        check("µ 日本 \u{1f600}\n\t", "µ 日本 \u{1f600}\n\t");
        check("a\u{1b}[31mb", "a\\u{1b}[31mb");
        check("a\u{202e}cba", "a\\u{202e}cba");
        check("a\rb\0\u{2028}", "a\\u{d}b\\u{0}\\u{2028}");
        assert_eq!(line("a\nb"), "a b");
    }

    #[test]
    fn no_line_is_a_workflow_command() {
        assert_eq!(no_commands("::error::x\na ::b\n  ::c"), "| ::error::x\na ::b\n|   ::c");
        assert_eq!(no_commands("a ##[error]b"), "a ##\\u{5b}error]b");
    }
}
