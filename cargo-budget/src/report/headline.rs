//! The head of a report for people: the project, and what came out, in one sentence.

use perf_budget_core::report::headline::headline as headline_of_outcome;
use perf_budget_core::verdict::Verdict;

use super::Report;
use super::groups::order;
use crate::exit::Exit;
use crate::text::{counted, line};

/// Returns the name of the project: of its packages, or a plain title where no package is recorded.
pub(super) fn project(report: &Report) -> String {
    let mut names: Vec<&str> = report
        .outcomes
        .iter()
        .map(|outcome| outcome.run.package.as_str())
        .filter(|name| !name.is_empty())
        .collect();
    names.sort_unstable();
    names.dedup();
    match names.len() {
        0 => "Performance budgets".to_owned(),
        1..=3 => names.join(", "),
        n => format!("{} and {}", names[..2].join(", "), counted(n - 2, "more package")),
    }
}

/// Returns the headline, and the verdict that it is about. The headline gives the worst broken limit with its numbers;
/// otherwise its words are those of the exit codes.
pub(super) fn headline(report: &Report) -> (String, Verdict) {
    // The subject of the sentence with `is` or `are`, and the number of outcomes with the verdict.
    let subject_of = |verdict| {
        let mut outcomes = report.outcomes.iter().filter(|outcome| outcome.verdict == verdict);
        match (outcomes.next(), outcomes.count()) {
            (Some(one), 0) => (line(&one.test), "is", 1),
            (one, more) => {
                let many = more + usize::from(one.is_some());
                (format!("{many} limits"), "are", many)
            }
        }
    };
    let about = |verdict, what: &str| {
        let (subject, is, _) = subject_of(verdict);
        (format!("{subject} {is} {what}"), verdict)
    };
    let plain = |text: &str, verdict| (text.to_owned(), verdict);
    let count = |verdict| subject_of(verdict).2;
    let all_skipped = count(Verdict::Skipped) == report.outcomes.len();
    match report.exit() {
        Exit::Broken => broken(report).unwrap_or_else(|| about(Verdict::Fail, "broken")),
        Exit::Inconclusive => about(Verdict::Inconclusive, "not settled by the evidence"),
        Exit::Unmeasured | Exit::Usage => about(Verdict::Unmeasured, "not measured"),
        Exit::Holds if all_skipped => plain("Nothing was judged", Verdict::Skipped),
        Exit::Holds if count(Verdict::Inconclusive) > 0 => {
            about(Verdict::Inconclusive, "not settled by the evidence, and no limit is broken")
        }
        Exit::Holds if count(Verdict::Warn) > 0 => {
            plain("Every judged limit holds, with a warning", Verdict::Warn)
        }
        Exit::Holds => plain("Every judged limit holds", Verdict::Pass),
    }
}

/// Returns the headline of the worst broken limit, with how many more there are.
fn broken(report: &Report) -> Option<(String, Verdict)> {
    let fails = || report.outcomes.iter().filter(|outcome| outcome.verdict == Verdict::Fail);
    let text = line(&headline_of_outcome(fails().min_by(|a, b| order(a, b))?)?);
    let more = match fails().count() - 1 {
        0 => String::new(),
        1 => ", and 1 more limit is broken".to_owned(),
        n => format!(", and {n} more limits are broken"),
    };
    Some((text + &more, Verdict::Fail))
}
