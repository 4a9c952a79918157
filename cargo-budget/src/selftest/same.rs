//! The results of measuring the same code several times: how often it was red or inconclusive by chance, as a table for
//! people and as JSON for programs.

use std::fmt::Write as _;

use perf_budget_core::selftest::Repeat;
use perf_budget_core::stats::clopper_pearson;
use perf_budget_core::verdict::Verdict;
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::text;

/// The confidence of the intervals.
const CONFIDENCE: f64 = 0.95;

/// The measurements of all runs, in the order in which they were taken.
pub(crate) struct RepeatedRuns(pub(crate) Vec<Repeat>);

/// A count out of a total.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rate {
    count: u64,
    total: u64,
}

/// The verdicts of the runs on one limit.
struct Row<'a> {
    test: &'a str,
    red: Rate,
    inconclusive: Rate,
    /// The seconds of the median run.
    seconds: f64,
    /// The reason of the first red, or of the first inconclusive measurement; empty where there was neither.
    reason: &'a str,
}

impl RepeatedRuns {
    /// Returns the exit of the command. A red counts as it does in `check`, since a limit that the same code breaks cannot be
    /// held.
    pub(crate) fn exit(&self) -> Exit {
        match self.judged().next() {
            None => Exit::Unmeasured,
            Some(_) => Exit::from_outcomes(self.judged().map(|repeat| &repeat.seen)),
        }
    }

    /// Returns the measurements that were not skipped.
    fn judged(&self) -> impl Iterator<Item = &Repeat> {
        self.0.iter().filter(|repeat| repeat.seen.verdict != Verdict::Skipped)
    }

    /// Returns how many runs have at least one such verdict.
    fn runs_with(&self, is: fn(Verdict) -> bool) -> Rate {
        let mut runs: Vec<u32> = self.judged().map(|repeat| repeat.run).collect();
        runs.dedup();
        let any = |run: &&u32| self.judged().any(|r| r.run == **run && is(r.seen.verdict));
        Rate { count: runs.iter().filter(any).count() as u64, total: runs.len() as u64 }
    }

    fn rows(&self) -> Vec<Row<'_>> {
        let mut tests: Vec<&str> = Vec::new();
        for repeat in self.judged() {
            if !tests.contains(&repeat.seen.test.as_str()) {
                tests.push(&repeat.seen.test);
            }
        }
        tests.into_iter().map(|test| self.row(test)).collect()
    }

    fn row<'a>(&'a self, test: &'a str) -> Row<'a> {
        let all: Vec<&Repeat> = self.judged().filter(|repeat| repeat.seen.test == test).collect();
        let rate = |is: fn(Verdict) -> bool| Rate {
            count: all.iter().filter(|repeat| is(repeat.seen.verdict)).count() as u64,
            total: all.len() as u64,
        };
        let mut seconds: Vec<f64> = all.iter().map(|repeat| repeat.seen.seconds).collect();
        seconds.sort_by(f64::total_cmp);
        let first = |is: fn(Verdict) -> bool| all.iter().find(|r| is(r.seen.verdict));
        let reason = first(Verdict::is_red).or_else(|| first(is_inconclusive));
        Row {
            test,
            red: rate(Verdict::is_red),
            inconclusive: rate(is_inconclusive),
            seconds: seconds[seconds.len() / 2],
            reason: reason.map_or("", |repeat| &repeat.seen.reason),
        }
    }

    /// Renders the table.
    pub(crate) fn text(&self) -> String {
        let rows = self.rows();
        let width = rows.iter().map(|row| row.test.chars().count()).max().unwrap_or(0).max(4);
        let count = |rate: Rate| format!("{} of {}", rate.count, rate.total);
        let mut shown = format!(
            "\u{1b}[1m{:width$}  {:>9}  {:>12}  {:>8}\u{1b}[0m\n",
            "test", "red", "inconclusive", "s"
        );
        for row in rows {
            let colour = match (row.red.count, row.inconclusive.count) {
                (1.., _) => "1;31",
                (0, 1..) => "33",
                (0, 0) => "32",
            };
            let pad = width - row.test.chars().count();
            let _ = writeln!(
                shown,
                "\u{1b}[{colour}m{}{:pad$}  {:>9}  {:>12}  {:>8.1}\u{1b}[0m",
                text::line(row.test),
                "",
                count(row.red),
                count(row.inconclusive),
                row.seconds
            );
            if !row.reason.is_empty() {
                let _ = writeln!(shown, "  {}", text::line(row.reason));
            }
        }
        text::safe_for_terminal(&shown)
    }

    /// Renders all rates as JSON, of runs and of limits.
    pub(crate) fn json(&self) -> Value {
        let limits: Vec<Value> = self
            .rows()
            .into_iter()
            .map(|row| {
                json!({
                    "test": row.test,
                    "red": row.red.json(),
                    "inconclusive": row.inconclusive.json(),
                    "seconds": row.seconds,
                    "reason": row.reason,
                })
            })
            .collect();
        json!({
            "version": 1,
            "confidence": CONFIDENCE,
            "runs": {
                "red": self.runs_with(Verdict::is_red).json(),
                "inconclusive": self.runs_with(is_inconclusive).json(),
            },
            "limits": limits,
        })
    }

    /// Returns sentences that say how often a run was red or inconclusive, with intervals, and which limits were skipped.
    pub(crate) fn closing(&self) -> Vec<String> {
        let sentence = |what: &str, rate: Rate| {
            let (low, high) = rate.interval();
            format!(
                "{what} in {} of {} runs: between {:.1} and {:.1} % of runs, with {:.0} % confidence",
                rate.count,
                rate.total,
                low * 100.0,
                high * 100.0,
                CONFIDENCE * 100.0
            )
        };
        let mut lines = vec![
            sentence("a limit was red", self.runs_with(Verdict::is_red)),
            sentence("a limit was inconclusive", self.runs_with(is_inconclusive)),
        ];
        let skipped: Vec<&str> = self
            .0
            .iter()
            .filter(|repeat| repeat.run == 1 && repeat.seen.verdict == Verdict::Skipped)
            .map(|repeat| repeat.seen.test.as_str())
            .collect();
        if let [first, rest @ ..] = &skipped[..] {
            let more = match rest.len() {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            lines.push(format!("set aside, since this run does not judge it: {first}{more}"));
        }
        lines
    }
}

impl Rate {
    fn interval(self) -> (f64, f64) {
        let interval = clopper_pearson(self.count, self.total.max(1), CONFIDENCE);
        (interval.low, interval.high)
    }

    fn json(self) -> Value {
        let (low, high) = self.interval();
        json!({ "count": self.count, "of": self.total, "low": low, "high": high })
    }
}

fn is_inconclusive(verdict: Verdict) -> bool {
    verdict == Verdict::Inconclusive
}

#[cfg(test)]
mod tests {
    use perf_budget_core::outcome::Outcome;

    use super::*;

    fn repeat(run: u32, test: &str, verdict: Verdict) -> Repeat {
        let (test, reason) = (test.to_owned(), format!("{verdict:?} it is"));
        Repeat {
            run,
            seen: Outcome { test, verdict, reason, seconds: f64::from(run), ..Outcome::default() },
        }
    }

    fn same(verdicts: [[Verdict; 2]; 3]) -> RepeatedRuns {
        let runs = (1..).zip(verdicts);
        RepeatedRuns(
            runs.flat_map(|(run, [a, b])| [repeat(run, "a::p50", a), repeat(run, "b::p50", b)])
                .collect(),
        )
    }

    #[test]
    fn runs_and_limits_are_counted_apart() {
        use Verdict::{Fail, Inconclusive, Pass, Skipped, Unmeasured};
        let all = same([[Fail, Unmeasured], [Pass, Inconclusive], [Pass, Skipped]]);
        assert_eq!(all.runs_with(Verdict::is_red), Rate { count: 1, total: 3 });
        assert_eq!(all.runs_with(is_inconclusive), Rate { count: 1, total: 3 });
        let rows = all.rows();
        assert_eq!(
            (rows[0].red, rows[0].inconclusive),
            (Rate { count: 1, total: 3 }, Rate { count: 0, total: 3 })
        );
        assert_eq!(
            (rows[1].red, rows[1].inconclusive),
            (Rate { count: 1, total: 2 }, Rate { count: 1, total: 2 })
        );
        let one = same([[Fail, Skipped], [Pass, Pass], [Pass, Pass]]);
        let set_aside = one.closing().pop().unwrap();
        assert_eq!(set_aside, "set aside, since this run does not judge it: b::p50");
        let two = same([[Skipped, Skipped], [Pass, Pass], [Pass, Pass]]);
        assert!(two.closing().pop().unwrap().ends_with("a::p50 and 1 more"));
        assert_eq!((rows[0].reason, rows[1].reason), ("Fail it is", "Unmeasured it is"));
        assert_eq!(all.exit(), Exit::Broken);
        assert!(all.text().contains("a::p50     1 of 3        0 of 3       2.0"), "{}", all.text());
        let json = all.json();
        assert_eq!(json["limits"][1]["red"]["of"], 2);
        let high = json["runs"]["red"]["high"].as_f64().unwrap();
        assert!((high - 0.9057).abs() < 1e-4, "Clopper & Pearson of 1 in 3: {high}");
        assert_eq!(
            all.closing()[0],
            "a limit was red in 1 of 3 runs: between 0.8 and 90.6 % of runs, with 95 % confidence"
        );
    }

    #[test]
    fn a_selftest_that_judges_nothing_is_no_success() {
        use Verdict::{Pass, Skipped};
        assert_eq!(same([[Skipped; 2]; 3]).exit(), Exit::Unmeasured);
        let passed = same([[Pass; 2]; 3]);
        assert_eq!(passed.exit(), Exit::Holds);
        assert!(
            passed.closing()[0]
                .starts_with("a limit was red in 0 of 3 runs: between 0.0 and 70.8 %")
        );
    }
}
