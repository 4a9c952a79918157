//! GitHub Actions: annotations on lines of `budgets.toml`, and the step's summary. They need no token.
//!
//! A workflow command is one line, in which `%`, CR and LF are escaped, and in properties also `:` and `,` (the
//! toolkit's `command.ts` is the reference). The summary is Markdown with HTML; every text from outside is escaped
//! for both.

use std::fmt::Write as _;

use super::terminal::{bound_text, value_text};
use crate::outcome::Outcome;
use crate::verdict::Verdict;

/// The size at which the summary is cut: GitHub refuses more than 1 MiB per step.
const LARGEST_SUMMARY: usize = 900 * 1024;

/// The most annotations of one level that GitHub shows for a step. It drops the others without a word.
const MOST_ANNOTATIONS: usize = 10;

/// Returns the annotations of these outcomes, a line each. Where there are more of a level than GitHub shows, the last
/// one says how many are left.
pub fn annotations(outcomes: &[Outcome]) -> String {
    let mut text = String::new();
    for level in ["error", "warning"] {
        let mut lines: Vec<String> = outcomes
            .iter()
            .filter(|o| self::level(o) == Some(level))
            .map(|o| annotation(level, o))
            .collect();
        if lines.len() > MOST_ANNOTATIONS {
            let left = lines.len() - (MOST_ANNOTATIONS - 1);
            lines.truncate(MOST_ANNOTATIONS - 1);
            let what = if level == "error" { "red" } else { "to be warned of" };
            lines.push(format!("::{level} title=and {left} more::{left} more limits are {what}; the summary has all of them"));
        }
        for line in lines {
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}

/// Returns the level of an outcome's annotation; `None` if nothing needs attention.
fn level(outcome: &Outcome) -> Option<&'static str> {
    match (outcome.is_red(), outcome.is_warning()) {
        (true, _) => Some("error"),
        (false, true) => Some("warning"),
        (false, false) => None,
    }
}

fn annotation(level: &str, outcome: &Outcome) -> String {
    let mut message = outcome.reason.clone();
    if let Some(why) = &outcome.why {
        let _ = write!(message, "\nwhy: {why}");
    }
    format!(
        "::{level} file={},line={},title={}::{}",
        property(&outcome.file),
        outcome.line,
        property(&format!("{} {}", outcome.test, outcome.verdict.name())),
        data(&message)
    )
}

/// Returns the rows of the summary for these outcomes, preceded by the head of the table if `head` is true.
pub fn summary(outcomes: &[Outcome], head: bool, closing: Option<&str>) -> String {
    let mut text = String::new();
    if head {
        text.push_str("### Performance budgets\n\n");
        text.push_str("| budget | measured | limit | verdict |\n|---|---:|---:|---|\n");
    }
    for (i, outcome) in outcomes.iter().enumerate() {
        if text.len() > LARGEST_SUMMARY {
            let _ = writeln!(text, "| and {} more | | | |", outcomes.len() - i);
            break;
        }
        let verdict = match outcome.verdict {
            pass @ Verdict::Pass => pass.name().to_owned(),
            other @ (Verdict::Warn
            | Verdict::Fail
            | Verdict::Inconclusive
            | Verdict::Unmeasured
            | Verdict::Skipped) => {
                format!("<b>{}</b>: {}", other.name(), cell(&outcome.reason))
            }
        };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} {verdict} |",
            cell(&outcome.test),
            cell(&value_text(outcome)),
            cell(&bound_text(outcome)),
            mark(outcome),
        );
    }
    if let Some(closing) = closing {
        let _ = writeln!(text, "\n{}", cell(closing));
    }
    text
}

/// Returns the emoji for an outcome, by its name on GitHub.
pub fn mark(outcome: &Outcome) -> &'static str {
    match outcome.verdict {
        Verdict::Pass => ":white_check_mark:",
        Verdict::Warn => ":warning:",
        Verdict::Fail => ":x:",
        Verdict::Inconclusive if outcome.is_red() => ":x:",
        Verdict::Inconclusive => ":grey_question:",
        Verdict::Unmeasured => ":no_entry_sign:",
        Verdict::Skipped => ":fast_forward:",
    }
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Escapes a text for a cell of a Markdown table: it becomes one line, without markup of its own.
fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\n' | '\r' => out.push_str("<br>"),
            '|' | '\\' | '[' | ']' | '_' | '*' | '`' | '#' | '!' | '@' | '~' => {
                let _ = write!(out, "&#{};", c as u32);
            }
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(got: &str, want: &str) {
        assert_eq!(got, want);
    }

    #[test]
    fn every_text_is_escaped() {
        check(&data("50 %\r\n::error::x"), "50 %25%0D%0A::error::x");
        check(&property("a,b:c\n%"), "a%2Cb%3Ac%0A%25");
        check(&cell("<img src=x>|a\n`b`"), "&lt;img src=x&gt;&#124;a<br>&#96;b&#96;");
    }
}
