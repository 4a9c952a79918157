//! The results of a selftest, as a table for people and as JSON for programs.

mod same;

use std::fmt::Write as _;

use perf_budget_core::report::terminal::bound_text;
use perf_budget_core::selftest::{Finding, SelftestResult, Step};
use perf_budget_core::verdict::Verdict;
use serde_json::json;

use crate::exit::Exit;
use crate::text;

pub(crate) use self::same::RepeatedRuns;

/// The results, in the order of the tests.
pub(crate) struct Table(pub(crate) Vec<SelftestResult>);

impl Table {
    /// Returns the exit of the command. A limit that detects nothing counts first, then one that could not be measured, then
    /// one that is inconclusive.
    pub(crate) fn exit(&self) -> Exit {
        let any = |finding: Finding| self.0.iter().any(|result| result.finding == finding);
        if any(Finding::Never) || any(Finding::Already) {
            Exit::Broken
        } else if any(Finding::Unmeasured) {
            Exit::Unmeasured
        } else if any(Finding::Inconclusive) {
            Exit::Inconclusive
        } else if any(Finding::Red) {
            Exit::Holds
        } else {
            // None of the limits could be tested.
            Exit::Unmeasured
        }
    }

    /// Renders the table.
    pub(crate) fn text(&self) -> String {
        let head = [
            "test",
            "limit",
            "measured",
            "turned red at",
            "still green at",
            "detected with 95 %",
            "can be held from",
        ];
        let mut rows = vec![head.map(str::to_owned)];
        rows.extend(self.0.iter().map(row));
        let widths: Vec<usize> = (0..head.len())
            .map(|column| rows.iter().map(|row| width(&row[column])).max().unwrap_or(0))
            .collect();
        let mut shown = String::new();
        for (nth, row) in rows.iter().enumerate() {
            let finding = nth.checked_sub(1).map(|at| self.0[at].finding);
            let colour = match finding {
                None => "1",
                Some(Finding::Red) => "32",
                Some(Finding::Aside) => "2",
                Some(Finding::Inconclusive | Finding::Unmeasured) => "33",
                Some(Finding::Never | Finding::Already) => "1;31",
            };
            let mut line = String::new();
            for (cell, width_of_all) in row.iter().zip(&widths) {
                let pad = width_of_all - width(cell);
                let _ = write!(line, "{cell}{:pad$}  ", "");
            }
            let _ = writeln!(shown, "\u{1b}[{colour}m{}\u{1b}[0m", line.trim_end());
            if let Some(at) = nth.checked_sub(1)
                && !self.0[at].reason.is_empty()
            {
                let _ = writeln!(shown, "  {}", text::line(&self.0[at].reason));
            }
        }
        text::safe_for_terminal(&shown)
    }

    /// Renders all results as JSON, with each size that was tried.
    pub(crate) fn json(&self) -> serde_json::Value {
        let results: Vec<serde_json::Value> = self
            .0
            .iter()
            .map(|result| {
                let (red, green) = result.edges();
                let bare = &result.bare;
                json!({
                    "test": bare.test,
                    "budget": bare.budget,
                    "metric": bare.metric,
                    "finding": result.finding,
                    "reason": result.reason,
                    "injected": result.injected,
                    "against": bare.against,
                    "relative_to": bare.relative_to,
                    "measured": bare.estimate,
                    "detectable": detectable(result),
                    "held_from": bare.holdable().map(|held| held.now),
                    "red_at": red,
                    "green_at": green,
                    "steps": result.steps,
                })
            })
            .collect();
        json!({ "version": 2, "results": results })
    }

    /// Returns the sentence that counts the limits that turned red, and the others by their findings.
    pub(crate) fn closing(&self) -> Vec<String> {
        let count =
            |finding: Finding| self.0.iter().filter(|result| result.finding == finding).count();
        let mut parts = vec![format!("{} of {} turned red", count(Finding::Red), self.0.len())];
        let others = [
            (Finding::Never, "never did"),
            (Finding::Already, "red by themselves"),
            (Finding::Inconclusive, "inconclusive by themselves"),
            (Finding::Unmeasured, "not measured"),
            (Finding::Aside, "set aside"),
        ];
        let others = others.map(|(finding, words)| (count(finding), words));
        parts.extend(others.iter().filter(|o| o.0 > 0).map(|(n, words)| format!("{n} {words}")));
        vec![parts.join(", ")]
    }
}

fn row(result: &SelftestResult) -> [String; 7] {
    let bare = &result.bare;
    let Some(against) = bare.against else {
        let dash = || "-".to_owned();
        let finding = word(result.finding);
        return [text::line(&bare.test), dash(), dash(), finding, dash(), dash(), dash()];
    };
    let quantity = |value: f64| against.quantity(value).to_string();
    let size = |step: &Step| {
        let beyond = match against.limit {
            0.0 => String::new(),
            _ => format!(" ({:+.0} %)", step.beyond * 100.0),
        };
        let verdict = match step.verdict {
            Verdict::Fail => String::new(),
            Verdict::Pass
            | Verdict::Warn
            | Verdict::Inconclusive
            | Verdict::Unmeasured
            | Verdict::Skipped => format!(", {}", step.verdict.name()),
        };
        let seen =
            step.value.map_or(String::new(), |value| format!(", seen as {}", quantity(value)));
        format!("{}{beyond}{verdict}{seen}", quantity(step.target))
    };
    let (red, green) = result.edges();
    [
        text::line(&bare.test),
        text::line(&bound_text(bare)),
        bare.estimate.map_or("-".to_owned(), |estimate| quantity(estimate.value)),
        red.map_or_else(|| word(result.finding), size),
        green.map_or("-".to_owned(), |step| quantity(step.target)),
        detectable(result).map_or("-".to_owned(), quantity),
        bare.holdable().map_or("-".to_owned(), |held| quantity(held.now)),
    ]
}

/// Returns the minimum detectable effect that the measurement without an injected effect reported. Where it reported
/// none, it is that of the injected size next to the limit.
fn detectable(result: &SelftestResult) -> Option<f64> {
    let bare = result.bare.evidence.and_then(|evidence| evidence.detectable);
    let (red, green) = result.edges();
    bare.or_else(|| green?.detectable).or_else(|| red?.detectable)
}

fn word(finding: Finding) -> String {
    match finding {
        Finding::Red | Finding::Aside => "-",
        Finding::Never => "never",
        Finding::Already => "by itself",
        Finding::Inconclusive => "inconclusive by itself",
        Finding::Unmeasured => "not measured",
    }
    .to_owned()
}

fn width(text: &str) -> usize {
    text.chars().count()
}
