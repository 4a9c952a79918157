//! The Markdown report, a comment for a pull request: what came out in one sentence, a row for each budget that changed
//! or needs attention, and a folded table of all limits.
//!
//! Names are in `<code>`, where GitHub links neither `@names` nor `#numbers`. In sentences a zero-width space breaks
//! such links up. Every character that Markdown or HTML would interpret is a character reference.

use std::fmt::Write as _;

use perf_budget_core::outcome::{Outcome, short, words};
use perf_budget_core::report::change::{Change, bound_text, change};
use perf_budget_core::report::github::mark;
use perf_budget_core::report::table::{left_out, visible_outcomes};
use perf_budget_core::report::terminal::{e_value, value_text};
use perf_budget_core::verdict::Verdict;

use super::groups::{Group, certain_change, groups, order};
use super::{Report, headline};
use crate::text::{self, counted};

/// The size of a comment in bytes. GitHub refuses one of more than 65,536 characters.
const LARGEST: usize = 60_000;
/// The size up to which the comment gets rows of changed budgets, in bytes.
const LARGEST_CHANGED: usize = 36_000;
/// The most characters of a name or a sentence. Each may become several bytes.
const LONGEST: usize = 400;
/// The most characters of a line about what is to blame: a function's name may be very long.
const LONGEST_BLAME: usize = 200;

/// The first line of the comment, by which a bot finds the comment that it wrote before.
const MARK: &str = "<!-- perf-budget -->";

/// Renders the comment.
pub(super) fn render(report: &Report) -> String {
    let (sentence, _) = headline::headline(report);
    let mut comment = format!("{MARK}\n### Performance budgets\n\n");
    let _ = writeln!(comment, "**{}**\n\n{}", prose(&sentence), prose(&report.closing()));
    comment.push_str(&compared(report));
    for (i, remark) in report.remarks.iter().enumerate() {
        if comment.len() > LARGEST_CHANGED / 2 {
            let _ =
                writeln!(comment, "\n_and {}_", counted(report.remarks.len() - i, "more remark"));
            break;
        }
        let _ = writeln!(comment, "\n_{}_", prose(remark));
    }
    add_changed(&mut comment, report);
    add_all(&mut comment, report);
    if let Some(Outcome { run, .. }) = report.outcomes.first() {
        let environment = run
            .environment
            .as_ref()
            .map_or(String::new(), |name| format!(", limits of [env.{name}]"));
        let machine = format!(
            "{} build, {}, {} with {} processors, perf-budget {}{environment}",
            run.profile, run.platform, run.processor, run.cores, run.version
        );
        let _ = writeln!(comment, "\n<sub>{}</sub>", prose(&machine));
    }
    comment
}

/// Returns the line that says what was measured and with which revision it is compared; it is empty if neither is known.
fn compared(report: &Report) -> String {
    let project = report.outcomes.iter().any(|outcome| !outcome.run.package.is_empty());
    let run = report.outcomes.iter().map(|outcome| &outcome.run).max_by_key(|run| run.began);
    let project = project.then(|| code(&headline::project(report)));
    let commit = run.and_then(|run| run.commit.as_ref()).map(|commit| code(short(commit)));
    let measured = [project, commit].into_iter().flatten().collect::<Vec<_>>().join(" at ");
    let base = run
        .and_then(|run| run.base.as_ref())
        .map(|base| format!("compared with {} at {}", code(&base.name), code(short(&base.commit))));
    let known = [Some(measured).filter(|text| !text.is_empty()), base];
    let known = known.into_iter().flatten().collect::<Vec<_>>().join(", ");
    if known.is_empty() { known } else { format!("\n{known}\n") }
}

/// Adds a row for each budget that changed or needs attention, the worst first.
fn add_changed(comment: &mut String, report: &Report) {
    let needs_look = |group: &Group<'_>| {
        let shown = group.worst;
        let is_good = matches!(shown.verdict, Verdict::Pass | Verdict::Skipped);
        !is_good || certain_change(shown) > 0.0
    };
    let mut changed: Vec<Group<'_>> = groups(&report.outcomes);
    changed.retain(needs_look);
    changed.sort_by(|a, b| order(a.worst, b.worst));
    if changed.is_empty() {
        return;
    }
    comment.push_str(
        "\n| | budget | before | now | change | limit |\n|---|---|---:|---:|---:|---:|\n",
    );
    let mut whys = Vec::new();
    for (i, group) in changed.iter().enumerate() {
        let row = row(group);
        if comment.len() + row.len() > LARGEST_CHANGED {
            let rest = counted(changed.len() - i, "more budget");
            let _ = writeln!(comment, "| | and {rest} | | | | |");
            break;
        }
        comment.push_str(&row);
        whys.extend(whys_of(group));
    }
    if !whys.is_empty() {
        comment.push('\n');
    }
    for (i, why) in whys.iter().enumerate() {
        if comment.len() + why.len() > LARGEST_CHANGED + 8_000 {
            let _ =
                writeln!(comment, "- and {} in the table", counted(whys.len() - i, "more reason"));
            break;
        }
        comment.push_str(why);
    }
}

/// Returns the row of a budget: of its worst limit, with how many others it has.
fn row(group: &Group<'_>) -> String {
    let outcome = group.worst;
    let change = change(outcome);
    let more = match group.outcomes.len() - 1 {
        0 => String::new(),
        n => format!(" and {}", counted(n, "more limit")),
    };
    let [old, new] = values(outcome, change.as_ref());
    format!(
        "| {} {} | {}{more} | {} | {} | {} | {} |\n",
        mark(outcome),
        outcome.verdict.name(),
        code(&outcome.test),
        prose(&old),
        prose(&new),
        delta(outcome, change.as_ref()),
        prose(&bound_text(outcome)),
    )
}

/// Returns the sentences of a budget below the table, that of its worst limit first. There may be many, since all benchmarks
/// may belong to one budget.
fn whys_of<'g>(group: &'g Group<'_>) -> impl Iterator<Item = String> + 'g {
    let others = group.outcomes.iter().filter(|outcome| outcome.test != group.worst.test);
    std::iter::once(group.worst).chain(others.copied()).filter_map(why)
}

/// Returns the sentence below the table; `None` where the row says everything.
fn why(outcome: &Outcome) -> Option<String> {
    let is_good = matches!(outcome.verdict, Verdict::Pass | Verdict::Skipped);
    let why = outcome.why.as_ref().map_or(String::new(), |why| format!(" — {}", prose(why)));
    (!is_good).then(|| {
        let sentence = format!("- {}: {}{why}\n", code(&outcome.test), prose(&outcome.reason));
        sentence + &explained(outcome)
    })
}

/// Returns the list below the sentence of a red: the functions to blame, and what has changed.
fn explained(outcome: &Outcome) -> String {
    let blame = outcome.blame.iter().flat_map(|blame| words::blame(blame)).enumerate();
    let blame = blame.map(|(nth, line)| if nth == 0 { format!("blame: {line}") } else { line });
    let changed = outcome.changed.iter().map(|changed| format!("changed: {}", changed.describe()));
    blame.chain(changed).fold(String::new(), |mut list, line| {
        let _ = writeln!(list, "  - {}", prose(&truncate(line.trim(), LONGEST_BLAME)));
        list
    })
}

/// Returns the value before and the value now.
fn values(outcome: &Outcome, change: Option<&Change>) -> [String; 2] {
    let old = change.and_then(|change| change.old).map_or(String::new(), |old| old.to_string());
    let new = match change {
        Some(Change { new: Some(new), .. }) => new.to_string(),
        Some(Change { new: None, is_proven: false, .. }) => String::new(),
        Some(_) | None => value_text(outcome),
    };
    [old, new]
}

/// Returns the change with its confidence: the 90 % interval, and for a broken limit the evidence against it.
fn delta(outcome: &Outcome, change: Option<&Change>) -> String {
    let Some(change) = change.filter(|change| !change.is_proven) else { return String::new() };
    let text = prose(&change.text());
    let mut text = if change.is_certain { format!("**{text}**") } else { text };
    let interval = change.interval_text();
    match outcome.evidence {
        Some(_) if !interval.is_empty() => {
            let _ = write!(text, " ({}, 90 %)", prose(&interval));
        }
        None => text.push_str(" (exact)"),
        Some(_) => {}
    }
    let evidence =
        outcome.evidence.filter(|e| outcome.verdict == Verdict::Fail && !e.is_recorded());
    if let Some(evidence) = evidence.filter(|evidence| evidence.fail > 0.0) {
        let _ = write!(text, ", e-value {}", prose(&e_value(evidence.fail)));
    }
    text
}

/// Adds the folded table of all limits, those that hold included.
fn add_all(comment: &mut String, report: &Report) {
    let many = report.outcomes.len();
    let proven = report.outcomes.iter().filter(|outcome| outcome.proven.is_some()).count();
    let proven = if proven == 0 {
        String::new()
    } else {
        format!(", {proven} proven equal and not measured")
    };
    let _ =
        writeln!(comment, "\n<details><summary>All {}{proven}</summary>\n", counted(many, "limit"));
    comment.push_str(
        "| limit on | before | now | change | limit | verdict |\n|---|---:|---:|---:|---:|---|\n",
    );
    let (rows, left) = visible_outcomes(&report.outcomes);
    for (i, outcome) in rows.iter().enumerate() {
        let change = change(outcome);
        let [old, new] = values(outcome, change.as_ref());
        let change = change.filter(|change| !change.is_proven);
        let row = format!(
            "| {} | {} | {} | {} | {} | {} {} |\n",
            code(&outcome.test),
            prose(&old),
            prose(&new),
            prose(&change.map_or(String::new(), |change| change.text())),
            prose(&bound_text(outcome)),
            mark(outcome),
            outcome.verdict.name(),
        );
        if comment.len() + row.len() > LARGEST {
            let _ = writeln!(comment, "| and {} more | | | | | |", rows.len() - i);
            break;
        }
        comment.push_str(&row);
    }
    if left > 0 {
        let _ = writeln!(comment, "| and {} | | | | | |", left_out(left));
    }
    comment.push_str("\n</details>\n");
}

/// Renders a name.
fn code(text: &str) -> String {
    format!("<code>{}</code>", escaped(text, false))
}

/// Renders a sentence, which may contain names. What stands between backticks is code.
pub(crate) fn prose(text: &str) -> String {
    let text = shortened(text);
    let mut rest = text.as_str();
    let mut out = String::new();
    while let Some((before, name, after)) = text::between_backticks(rest) {
        out.push_str(&escaped(before, true));
        out.push_str(&code(name));
        rest = after;
    }
    out + &escaped(rest, true)
}

/// Escapes a text. In a sentence (`apart`), a zero-width space keeps GitHub from making links of names.
fn escaped(from: &str, apart: bool) -> String {
    let mut out = String::with_capacity(from.len());
    let mut before = ' ';
    let visible = shortened(&text::visible(from));
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
        let is_address = next == Some(&'/') && c == ':' || c == '.' && before == 'w';
        // Addresses are linked even in `<code>`, unlike people and issues.
        if is_address || (apart && matches!(c, '@' | '#')) {
            out.push_str("&#8203;");
        }
        before = c;
    }
    out
}

/// Returns the text, cut off where it is too long for a cell.
fn shortened(text: &str) -> String {
    truncate(text, LONGEST)
}

fn truncate(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns an outcome of which each text is `text`.
    fn outcome_of(text: &str, i: usize, verdict: Verdict) -> Outcome {
        let long = text.to_owned();
        Outcome {
            test: format!("{long}{i}"),
            budget: format!("{long}{}", i / 2),
            metric: long.clone(),
            reason: long.clone(),
            why: Some(long.clone()),
            changed: Some(perf_budget_core::outcome::CodeChanges {
                files: vec![long.clone()],
                dependencies: vec![long.clone()],
                read: vec![long.clone()],
            }),
            blame: Some(Box::new(perf_budget_core::outcome::Blame {
                by: long.clone(),
                ..Default::default()
            })),
            relative_to: Some(long.clone()),
            verdict,
            run: perf_budget_core::outcome::Run {
                package: long.clone(),
                processor: long.clone(),
                platform: long.clone(),
                version: long.clone(),
                profile: long,
                ..Default::default()
            },
            ..Outcome::default()
        }
    }

    /// Checks that GitHub accepts the comment of so many outcomes, with as many remarks.
    #[track_caller]
    fn check_size(text: &str, many: usize, verdict: impl Fn(usize) -> Verdict) {
        let outcomes = (0..many).map(|i| outcome_of(text, i, verdict(i))).collect();
        let mut report = Report::new(outcomes, Vec::new());
        report.remarks = vec![text.to_owned(); many];
        let comment = render(&report);
        assert!(comment.len() < 64 * 1024, "{many}: {}", comment.len());
        assert!(comment.contains("</details>"));
    }

    /// Every text is as long and as hostile as it may be: markup, characters of several bytes, names in backticks.
    #[test]
    fn the_comment_is_never_larger_than_github_accepts() {
        let third = |i: usize| if i.is_multiple_of(3) { Verdict::Fail } else { Verdict::Pass };
        for text in ["_|`[*#!@~\"'$^<&:/", "@", "`@`", "\u{1f980}", "e\u{301}\u{200d}", "w.", ":/"]
        {
            for (many, length) in [(0, 1), (1, 4000), (3, 4000), (200, 400)] {
                check_size(&text.repeat(length), many, third);
                check_size(&text.repeat(length), many, |_| Verdict::Fail);
            }
            // Thousands of budgets, all of them red.
            for length in [1, 10, 60] {
                check_size(&text.repeat(length), 3000, |_| Verdict::Fail);
            }
        }
        // Many short outcomes reach the size by their number.
        let short = |i: usize| Outcome {
            test: format!("t{i}::p99"),
            budget: format!("t{i}"),
            ..Outcome::default()
        };
        let comment = render(&Report::new((0..5000).map(short).collect(), Vec::new()));
        assert!((LARGEST - 2000..64 * 1024).contains(&comment.len()), "{}", comment.len());
        assert!(comment.contains("more budgets | | | | |") && comment.contains("more | | | | | |"));
    }

    #[test]
    fn every_red_of_one_budget_has_its_sentence() {
        let outcome = |case: usize| Outcome {
            test: format!("benches::sum/{case}::mean::x_base"),
            budget: "benches".to_owned(),
            reason: format!("mean is 1.{case} x base"),
            verdict: if case < 3 { Verdict::Fail } else { Verdict::Pass },
            ..Outcome::default()
        };
        let comment = render(&Report::new((0..9).map(outcome).collect(), Vec::new()));
        let sentences = comment.lines().filter(|line| line.starts_with("- <code>")).count();
        assert_eq!(sentences, 3, "{comment}");
    }

    #[test]
    fn markup_and_links_are_disabled() {
        assert_eq!(code("a|b`c"), "<code>a&#124;b&#96;c</code>");
        assert_eq!(code("<img src=x>\n@you"), "<code>&lt;img src=x&gt; &#64;you</code>");
        assert_eq!(prose("ask @you in #1"), "ask &#64;&#8203;you in &#35;&#8203;1");
        assert_eq!(prose("run `a|b` or ` c"), "run <code>a&#124;b</code> or &#96; c");
        assert_eq!(prose("https://x"), "https&#58;&#8203;//x");
        assert_eq!(code("https://x"), "<code>https&#58;&#8203;//x</code>");
    }
}
