//! The recent changes of all budgets: the tests whose value stepped in the newest commits of the branch, the worst first.

use std::fmt::Write as _;

use super::recent::LATELY;
use super::show::{Answer, TestTrend, sparkline};
use crate::text::counted;

impl Answer {
    /// Renders what changed lately, for people.
    pub(crate) fn overview(&self) -> String {
        let branch = self.branch.as_deref().unwrap_or("no branch");
        let since = self.recent.since;
        let measured = || self.shown.iter().filter(|shown| !self.gone.contains(&shown.series.key));
        let mut recent: Vec<&TestTrend> =
            measured().filter(|shown| shown.worst(since) != 0.0).collect();
        recent.sort_by(|a, b| b.worst(since).total_cmp(&a.worst(since)));
        let mut text = format!("all budgets on {branch}, {}\n", self.environment);
        for shown in &recent {
            let values: Vec<f64> = shown.trend.commits.iter().map(|commit| commit.value).collect();
            let _ = writeln!(text, "\n{}  {}", shown.series.test, sparkline(&values));
            for (change, distance) in shown.recent(since) {
                let _ = writeln!(text, "  {}", shown.change(change, distance));
            }
            let last = shown.trend.commits.last();
            let is_recent = last.is_some_and(|commit| commit.at >= since);
            if let Some(drift) = shown.trend.total_drift.as_ref().filter(|_| is_recent) {
                let _ = writeln!(text, "  {}", shown.drift(drift));
            }
        }
        let tests = counted(measured().count(), "test");
        let short = measured().filter(|shown| shown.trend.is_short).count();
        let _ = match recent.len() {
            0 => writeln!(text, "\nnone of {tests} changed in the newest {LATELY} commits"),
            n => {
                let drift = if n == 1 { "drifts" } else { "drift" };
                writeln!(
                    text,
                    "\n{n} of {tests} changed in the newest {LATELY} commits, or {drift}"
                )
            }
        };
        let gone = self.shown.len() - measured().count();
        if gone > 0 {
            let are = if gone == 1 { "is" } else { "are" };
            let _ = writeln!(text, "{} {are} no longer measured", counted(gone, "test"));
        }
        if short > 0 {
            let least = super::change::LEAST;
            let _ = writeln!(
                text,
                "{} too few commits to tell a step from noise: {least} are needed",
                if short == 1 { "1 test has".to_owned() } else { format!("{short} tests have") }
            );
        }
        for note in &self.notes {
            let _ = writeln!(text, "\nnote: {note}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use perf_budget_core::quantity::Unit;

    use super::super::recent::Recent;
    use super::super::store::Series;
    use super::super::trend::{Change, Commit, Trend};
    use super::*;

    /// Returns a test of 30 commits whose value stepped at one of them.
    fn trend_with_step(test: &str, at: usize, after: f64) -> TestTrend {
        let commit = |i: usize| Commit {
            hash: Some(format!("{i:040}")),
            at: 1_700_000_000 + 3600 * i64::try_from(i).unwrap(),
            value: if i < at { 1.0 } else { after },
            runs: 1,
            is_red: false,
            limit: None,
        };
        let change = Change { at, before: 1.0, after, p: Some(0.001) };
        TestTrend {
            series: Series {
                key: 0,
                test: test.to_owned(),
                budget: test.to_owned(),
                metric: "mean".to_owned(),
                unit: Unit::Seconds,
                environment: String::new(),
                branch: None,
                newest: 0,
            },
            trend: Trend {
                commits: (0..30).map(commit).collect(),
                changes: vec![change],
                ..Trend::default()
            },
            distances: vec![Some(1)],
            cut: false,
        }
    }

    #[test]
    fn the_test_that_became_the_worst_comes_first() {
        let mut gone = trend_with_step("gone", 28, 1.4);
        gone.series.key = 1;
        let shown = vec![
            trend_with_step("better", 25, 0.5),
            trend_with_step("old", 5, 9.0),
            trend_with_step("worse", 20, 1.1),
            trend_with_step("worst", 29, 1.3),
            gone,
        ];
        let answer = Answer {
            place: String::new(),
            name: String::new(),
            branch: Some("main".to_owned()),
            environment: "Abacus".to_owned(),
            shown,
            recent: Recent { since: 1_700_000_000 + 3600 * 10, newest: 1_700_000_000 + 3600 * 29 },
            gone: [1].into(),
            notes: Vec::new(),
        };
        let text = answer.overview();
        let at = |what: &str| text.find(&format!("\n{what}  ")).unwrap_or(usize::MAX);
        assert!(at("worst") < at("worse") && at("worse") < at("better"), "{text}");
        assert!(!text.contains("\nold "), "{text}");
        assert!(text.contains("worse by +30.0 %: 1 s -> 1.30 s in 000000000..000000000"), "{text}");
        assert!(
            text.ends_with(
                "\n3 of 4 tests changed in the newest 20 commits, or drift\n1 test is no longer measured\n"
            ),
            "{text}"
        );
    }
}
