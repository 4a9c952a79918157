//! The closing table in a terminal, and the choice of the outcomes that have a row in a table for people.

use std::fmt::Write as _;

use super::terminal::{bound_text, interval_text, value_text};
use super::used::{Used, used};
use crate::outcome::Outcome;
use crate::verdict::Verdict;

/// Whether the text may contain escape sequences for colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// With bold, green, yellow and red.
    Ansi,
    /// Plain text.
    Plain,
}

/// The width of the bar that shows how much of a limit is used.
const BAR: usize = 12;

/// The most rows of a table that say "proven equal". More of them would hide the others.
const MOST_PROVEN: usize = 20;

/// Returns the outcomes that a table for people has a row for, in their order, and how many it leaves out: those that are
/// proven equal, if these are many. A reader has nothing to do with them, and their names are in the record.
pub fn visible_outcomes(outcomes: &[Outcome]) -> (Vec<&Outcome>, usize) {
    let is_quiet = |o: &&Outcome| o.proven.is_some() && o.verdict == Verdict::Pass;
    let proven = outcomes.iter().filter(is_quiet).count();
    if proven <= MOST_PROVEN {
        return (outcomes.iter().collect(), 0);
    }
    (outcomes.iter().filter(|outcome| !is_quiet(outcome)).collect(), proven)
}

/// Says how many outcomes a table leaves out.
pub fn left_out(proven: usize) -> String {
    format!("{proven} more limits, proven equal to the base and not measured")
}

/// Returns the closing table: one row for each outcome, in their order. If many are proven equal, these have one row together.
pub fn table(outcomes: &[Outcome], colour: Colour) -> String {
    let (outcomes, proven) = visible_outcomes(outcomes);
    let rows: Vec<[String; 4]> = outcomes
        .iter()
        .map(|o| [o.test.clone(), value_text(o), interval_text(o), bound_text(o)])
        .collect();
    let heads = ["budget", "measured", "90 % interval", "limit"];
    let mut widths = heads.map(width);
    for row in &rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = (*widest).max(width(cell));
        }
    }
    let mut text = String::new();
    let line = |cells: [&str; 4]| {
        let [name, value, interval, limit] = cells;
        let pad = |text: &str, i: usize| " ".repeat(widths[i] - width(text));
        format!(
            "{name}{}  {}{value}  {interval}{}  {}{limit}",
            pad(name, 0),
            pad(value, 1),
            pad(interval, 2),
            pad(limit, 3)
        )
    };
    let _ = writeln!(text, "{}  {:<BAR$}  verdict", line(heads), "used");
    for (outcome, row) in outcomes.iter().zip(&rows) {
        let cells = row.each_ref().map(String::as_str);
        let bar = bar(outcome);
        let verdict = paint(outcome.verdict, outcome.verdict.name(), colour);
        let _ = writeln!(text, "{}  {bar:<BAR$}  {verdict}", line(cells));
    }
    if proven > 0 {
        let _ = writeln!(text, "and {}", left_out(proven));
    }
    text
}

/// Returns a bar that is full at the limit.
fn bar(outcome: &Outcome) -> String {
    let Some(Used { share, short, .. }) = used(outcome) else { return String::new() };
    let cells = BAR - 5;
    let full = (share.clamp(0.0, 1.0) * cells as f64).round() as usize;
    format!("{}{} {short:>4}", "█".repeat(full), "·".repeat(cells - full))
}

fn paint(verdict: Verdict, text: &str, colour: Colour) -> String {
    let code = match verdict {
        Verdict::Pass => "32",
        Verdict::Warn => "33",
        Verdict::Inconclusive => "1;33",
        Verdict::Fail | Verdict::Unmeasured => "1;31",
        Verdict::Skipped => "2",
    };
    match colour {
        Colour::Ansi => format!("\x1b[{code}m{text}\x1b[0m"),
        Colour::Plain => text.to_owned(),
    }
}

fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{ComparisonMethod, Proven};

    fn outcomes(proven: usize) -> Vec<Outcome> {
        let one = |nth: usize| {
            let proof = Proven { by: ComparisonMethod::Files, commit: "3f2c1e0d9b8a".to_owned() };
            let proven = (nth > 0).then_some(proof);
            let test = format!("t{nth}");
            Outcome { test, verdict: Verdict::Pass, proven, ..Outcome::default() }
        };
        let mut outcomes: Vec<Outcome> = (0..=proven).map(one).collect();
        outcomes.push(Outcome { verdict: Verdict::Fail, ..one(0) });
        outcomes
    }

    #[test]
    fn a_few_that_are_proven_equal_have_rows_and_many_have_one() {
        let few = table(&outcomes(MOST_PROVEN), Colour::Plain);
        assert_eq!(few.lines().count(), 1 + 1 + MOST_PROVEN + 1);
        let many = table(&outcomes(1640), Colour::Plain);
        assert_eq!(many.lines().count(), 1 + 2 + 1, "{many}");
        let last = many.lines().last().unwrap();
        assert_eq!(last, "and 1640 more limits, proven equal to the base and not measured");
        // Each is in a row or is counted.
        let all = outcomes(1640);
        let (rows, left) = visible_outcomes(&all);
        assert_eq!(rows.len() + left, all.len());
        assert!(rows.iter().any(|outcome| outcome.verdict == Verdict::Fail));
    }

    #[test]
    fn an_outcome_that_is_proven_equal_and_does_not_pass_has_a_row() {
        let mut outcomes = outcomes(30);
        outcomes[7].verdict = Verdict::Warn;
        let (rows, left) = visible_outcomes(&outcomes);
        assert_eq!((rows.len(), left), (3, 29));
    }
}
