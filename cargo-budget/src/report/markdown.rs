//! The Markdown report, a comment for a pull request: each red limit with its sentence, and a folded table of all
//! limits.
//!
//! Names are in `<code>`, where GitHub links neither `@names` nor `#numbers`. In sentences a zero-width space breaks
//! such links up. Every character that Markdown or HTML would interpret is a character reference.

use std::fmt::Write as _;

use perf_budget_core::outcome::Outcome;
use perf_budget_core::report::github::mark;
use perf_budget_core::report::terminal::{bound_text, interval_text, value_text};
use perf_budget_core::report::used::used;
use perf_budget_core::verdict::Verdict;

use super::Report;
use crate::text;

/// The length at which the comment is cut off. GitHub refuses a comment of more than 65,536 characters.
const LARGEST: usize = 60_000;

/// The first line of the comment, by which a bot finds the comment that it wrote before.
const MARK: &str = "<!-- perf-budget -->";

/// Renders the comment.
pub(super) fn render(report: &Report) -> String {
    let mut comment = format!("{MARK}\n### Performance budgets\n\n{}\n", prose(&report.closing()));
    for remark in &report.remarks {
        let _ = writeln!(comment, "\n_{}_", prose(remark));
    }
    let mut notable: Vec<&Outcome> = report
        .outcomes
        .iter()
        .filter(|o| o.verdict.severity() >= Verdict::Warn.severity())
        .collect();
    notable.sort_by_key(|outcome| std::cmp::Reverse(outcome.verdict.severity()));
    if !notable.is_empty() {
        comment.push('\n');
    }
    for (i, outcome) in notable.iter().enumerate() {
        if comment.len() > LARGEST / 2 {
            let _ = writeln!(comment, "- and {} more in the table", notable.len() - i);
            break;
        }
        let (mark, name) = (mark(outcome), outcome.verdict.name());
        let (test, reason) = (code(&outcome.test), prose(&outcome.reason));
        let why = outcome.why.as_ref().map_or(String::new(), |why| format!(" — {}", prose(why)));
        let _ = writeln!(comment, "- {mark} **{name}** {test}: {reason}{why}");
    }
    let many = report.outcomes.len();
    let _ = writeln!(comment, "\n<details><summary>All {many}</summary>\n");
    comment.push_str("| budget | measured | 90 % interval | limit | used | verdict |\n");
    comment.push_str("|---|---:|:---:|---:|---:|---|\n");
    for (i, outcome) in report.outcomes.iter().enumerate() {
        if comment.len() > LARGEST {
            let _ = writeln!(comment, "| and {} more | | | | | |", many - i);
            break;
        }
        let _ = writeln!(
            comment,
            "| {} | {} | {} | {} | {} | {} {} |",
            code(&outcome.test),
            prose(&value_text(outcome)),
            prose(&interval_text(outcome)),
            prose(&bound_text(outcome)),
            used_text(outcome),
            mark(outcome),
            outcome.verdict.name(),
        );
    }
    comment.push_str("\n</details>\n");
    if let Some(Outcome { run, .. }) = report.outcomes.first() {
        let machine = format!(
            "{} build, {}, {} with {} processors, perf-budget {}",
            run.profile, run.platform, run.processor, run.cores, run.version
        );
        let _ = writeln!(comment, "\n<sub>{}</sub>", prose(&machine));
    }
    comment
}

fn used_text(outcome: &Outcome) -> String {
    used(outcome).map_or("-".to_owned(), |used| prose(&used.short.replace('%', " %")))
}

/// Renders a name.
fn code(text: &str) -> String {
    format!("<code>{}</code>", escaped(text, false))
}

/// Renders a sentence, which may contain names, for a comment or a cell of a table in it.
pub(crate) fn prose(text: &str) -> String {
    escaped(text, true)
}

/// Escapes a text. In a sentence (`apart`), a zero-width space keeps GitHub from making links of names.
fn escaped(from: &str, apart: bool) -> String {
    let mut out = String::with_capacity(from.len());
    let mut before = ' ';
    let visible = text::visible(from);
    let mut chars = visible.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek();
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\n' | '\t' => out.push(' '),
            '|' | '\\' | '[' | ']' | '*' | '`' | '#' | '!' | '@' | '~' | '"' | '\'' | '$' | '^' => {
                let _ = write!(out, "&#{};", c as u32);
            }
            // An underscore within a word emphasizes nothing, but names of metrics contain it, so it is escaped
            // everywhere.
            '_' => out.push_str("&#95;"),
            ':' if next == Some(&'/') || (apart && next != Some(&' ')) => out.push_str("&#58;"),
            c => out.push(c),
        }
        // GitHub turns references back into characters before it looks for people, issues and addresses.
        let address = next == Some(&'/') && c == ':' || c == '.' && before == 'w';
        // Addresses are linked even in `<code>`, unlike people and issues.
        if address || (apart && matches!(c, '@' | '#')) {
            out.push_str("&#8203;");
        }
        before = c;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_links_are_disabled() {
        assert_eq!(code("a|b`c"), "<code>a&#124;b&#96;c</code>");
        assert_eq!(code("<img src=x>\n@you"), "<code>&lt;img src=x&gt; &#64;you</code>");
        assert_eq!(prose("ask @you in #1"), "ask &#64;&#8203;you in &#35;&#8203;1");
        assert_eq!(prose("https://x"), "https&#58;&#8203;//x");
        assert_eq!(code("https://x"), "<code>https&#58;&#8203;//x</code>");
    }
}
