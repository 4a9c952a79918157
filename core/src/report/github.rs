//! GitHub Actions: annotations on lines of `budgets.toml`, and the step's summary. They need no token.
//!
//! A workflow command is one line, in which `%` and LF are escaped, and in properties also `:` and `,` (the
//! toolkit's `command.ts` is the reference). The summary is Markdown with HTML; every text from outside is escaped
//! for both.

use std::fmt::Write as _;

use super::plain::without_control;
use super::table::{left_out, visible_outcomes};
use super::terminal::{bound_text, value_text};
use super::used::used;
use crate::outcome::Outcome;
use crate::verdict::Verdict;

/// The size at which the summary is cut: GitHub refuses more than 1 MiB per step.
const LARGEST_SUMMARY: usize = 900 * 1024;

/// The number of errors that GitHub shows for one step, and also of warnings. It drops further ones without a message.
const MOST_SHOWN: usize = 10;

/// Returns the annotations of these outcomes, the worst first: no more than GitHub shows. If there would be more, the
/// last one says how many are left out, and where they are.
pub fn annotations(outcomes: &[Outcome]) -> Vec<String> {
    let mut worst: Vec<&Outcome> = outcomes.iter().collect();
    let share = |outcome: &Outcome| used(outcome).map_or(0.0, |used| used.share);
    worst.sort_by(|a, b| {
        let severity = b.verdict.severity().cmp(&a.verdict.severity());
        severity.then(share(b).total_cmp(&share(a)))
    });
    let mut lines = Vec::new();
    for (level, what) in [("error", "are red"), ("warning", "have a warning")] {
        let is_of_level = |o: &&Outcome| if level == "error" { o.is_red() } else { o.is_warning() };
        let own: Vec<&Outcome> = worst.iter().copied().filter(is_of_level).collect();
        let shown = if own.len() > MOST_SHOWN { MOST_SHOWN - 1 } else { own.len() };
        lines.extend(own[..shown].iter().filter_map(|outcome| annotation(outcome)));
        let rest = own.len() - shown;
        if rest > 0 {
            lines.push(format!(
                "::{level} title=and {rest} more::{rest} more limits {what}; GitHub shows {MOST_SHOWN} \
                 annotations of a step, the worst are above; the step's summary and its log have all of them"
            ));
        }
    }
    lines
}

/// Returns the annotation of an outcome; `None` if nothing needs attention.
fn annotation(outcome: &Outcome) -> Option<String> {
    let level = match (outcome.is_red(), outcome.is_warning()) {
        (true, _) => "error",
        (false, true) => "warning",
        (false, false) => return None,
    };
    let mut message = outcome.reason.clone();
    if let Some(why) = &outcome.why {
        let _ = write!(message, "\nwhy: {why}");
    }
    Some(format!(
        "::{level} file={},line={},title={}::{}",
        property(&outcome.file),
        outcome.line,
        property(&format!("{} {}", outcome.test, outcome.verdict.name())),
        data(&message)
    ))
}

/// Returns the rows of the summary for these outcomes, preceded by the head of the table if `head` is true.
pub fn summary(outcomes: &[Outcome], head: bool, closing: Option<&str>) -> String {
    let mut text = String::new();
    if head {
        text.push_str("### Performance budgets\n\n");
        text.push_str("| budget | measured | limit | verdict |\n|---|---:|---:|---|\n");
    }
    let (rows, proven) = visible_outcomes(outcomes);
    for (i, outcome) in rows.iter().enumerate() {
        if text.len() > LARGEST_SUMMARY {
            let _ = writeln!(text, "| and {} more | | | |", rows.len() - i);
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
    if proven > 0 {
        let _ = writeln!(text, "| and {} | | | |", left_out(proven));
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
    without_control(text).replace('%', "%25").replace('\n', "%0A")
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
    use crate::budget::Bound;
    use crate::outcome::{Against, Estimate};
    use crate::quantity::Unit;

    #[track_caller]
    fn check(got: &str, want: &str) {
        assert_eq!(got, want);
    }

    fn outcome(name: &str, verdict: Verdict, value: f64) -> Outcome {
        let unit = Unit::Seconds;
        Outcome {
            test: name.to_owned(),
            verdict,
            against: Some(Against {
                bound: Bound::Max,
                limit: 1.0,
                warn: 1.0,
                tolerance: 0.0,
                unit,
            }),
            estimate: Some(Estimate { value, low: None, high: None }),
            ..Outcome::default()
        }
    }

    #[test]
    fn the_worst_come_first_and_the_last_counts_the_rest() {
        let reds =
            |n: usize| (0..n).map(|i| outcome(&format!("t{i}"), Verdict::Fail, 1.0 + i as f64));
        let ten: Vec<Outcome> = reds(10).collect();
        assert_eq!(annotations(&ten).len(), 10);
        assert!(annotations(&ten)[0].contains("title=t9 fail::"), "{:?}", annotations(&ten));
        let mut many: Vec<Outcome> = reds(19).collect();
        many.insert(0, outcome("near", Verdict::Warn, 0.95));
        many.push(outcome("lost", Verdict::Unmeasured, 0.0));
        let lines = annotations(&many);
        assert_eq!(lines.len(), 11);
        assert!(lines[0].contains("t18 fail") && lines[8].contains("t10 fail"), "{lines:?}");
        assert!(
            lines[9].starts_with("::error title=and 11 more::11 more limits are red; "),
            "{lines:?}"
        );
        assert!(
            lines[10].starts_with("::warning ") && lines[10].contains("near warn"),
            "{lines:?}"
        );
        assert_eq!(annotations(&[outcome("good", Verdict::Pass, 0.1)]), Vec::<String>::new());
    }

    #[test]
    fn every_text_is_escaped() {
        check(&data("50 %\n::error::x\u{202e}y"), "50 %25%0A::error::x\\u{202e}y");
        check(&property("a,b:c\n%"), "a%2Cb%3Ac%0A%25");
        check(&cell("<img src=x>|a\n`b`"), "&lt;img src=x&gt;&#124;a<br>&#96;b&#96;");
    }
}
