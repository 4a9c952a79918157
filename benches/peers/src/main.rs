//! The cost of measuring itself, beside criterion and divan: `cargo run --release -p peers`.
//!
//! Every round runs every tool on every subject, one after the other in processes of their own, so that all see the same
//! machine. There are two figures for each: the time that a tool reports for an operation, and the processor time that it
//! spends for each operation while it measures.

mod ours;
mod subjects;
mod theirs;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

/// The result of one tool for one subject, in nanoseconds an operation.
#[derive(Debug, Clone, Copy)]
struct Row {
    reported: f64,
    spent: f64,
}

/// A function that measures the subject of this name.
type Measure = fn(&str) -> Row;

fn main() -> ExitCode {
    if let Some(code) = ours::serve() {
        return code;
    }
    if let Ok(tool) = std::env::var(theirs::VARIABLE) {
        theirs::serve(&tool);
        return ExitCode::SUCCESS;
    }
    let rounds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(5);
    let mut rows: BTreeMap<(&str, &str), Vec<Row>> = BTreeMap::new();
    for round in 0..rounds {
        for subject in subjects::NAMES {
            let mut tools: Vec<(&str, Measure)> = vec![
                ("ours, batches", ours::batches),
                ("criterion", theirs::criterion),
                ("divan", theirs::divan),
                ("ours, one by one", ours::singles),
                ("divan, one by one", theirs::divan_singles),
            ];
            // The order changes, so that no tool always has the same neighbour.
            tools.rotate_left(round % 5);
            for (tool, measure) in tools {
                rows.entry((subject, tool)).or_default().push(measure(subject));
            }
        }
    }
    let _ = std::io::stdout().write_all(table(&rows).as_bytes());
    ExitCode::SUCCESS
}

/// Returns the table of results. A figure is the least of the rounds, since other work on the machine only adds time, and
/// has the multiple of ours beside it.
fn table(rows: &BTreeMap<(&str, &str), Vec<Row>>) -> String {
    let mut text =
        String::from("subject  tool               reported ns  (x ours)  spent ns  (x ours)\n");
    let least = |subject, tool, of: fn(&Row) -> f64| {
        rows[&(subject, tool)].iter().map(of).fold(f64::INFINITY, f64::min)
    };
    for &(subject, tool) in rows.keys() {
        let ours = if tool.ends_with("one by one") { "ours, one by one" } else { "ours, batches" };
        let of = |tool| (least(subject, tool, |r| r.reported), least(subject, tool, |r| r.spent));
        let ((reported, spent), (our_reported, our_spent)) = (of(tool), of(ours));
        // A time too short for the clock is reported as 0 and has no multiple.
        let times = |value: f64, ours: f64| {
            if ours > 0.0 { format!("{:.2}x", value / ours) } else { "-".to_owned() }
        };
        let _ = writeln!(
            text,
            "{subject:<8} {tool:<18} {reported:>11.2}  {:>8}  {spent:>9.1}  {:>8}",
            times(reported, our_reported),
            times(spent, our_spent),
        );
    }
    text
}
