//! The request and the result of a selftest, as data: the command asks, the harness answers, and the command makes a
//! table of the answer.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::exact;
use crate::handover::request;
use crate::outcome::Outcome;
use crate::verdict::Verdict;

/// The variable that asks for a selftest; its value is a [`Request`].
pub const VARIABLE: &str = "PERF_BUDGET_SELFTEST";
/// The exit code after a selftest. It is never success, because a selftest judges nothing.
pub const SELFTESTED: u8 = 103;

/// The request for a selftest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The file for the results.
    pub file: PathBuf,
    /// The budgets or tests to inject into; an empty list means all.
    pub only: Vec<String>,
    /// How often every limit is measured with nothing injected, instead of a search; `None` for the search.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same: Option<u32>,
}

impl Request {
    /// Returns the value of the variable.
    pub fn to_text(&self) -> String {
        serde_json::json!(self).to_string()
    }

    /// Returns the request in the environment; `None` if there is none.
    ///
    /// # Errors
    /// If the variable is not understood. A run that judges must not take place instead.
    pub fn of_environment() -> Result<Option<Request>, Error> {
        request::of_environment(VARIABLE, "cargo budget selftest")
    }
}

/// Whether `name` is the name of this test, or of its budget or case.
pub fn names(name: &str, test: &str) -> bool {
    test.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// The result of a selftest for one limit. It is not an outcome, so that nothing uses it as evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SelftestResult {
    /// The finding.
    pub finding: Finding,
    /// The reason in one sentence, if the limit did not turn red or nothing was injected.
    pub reason: String,
    /// The effect that was injected, in words; empty if nothing can be injected.
    #[serde(alias = "planted")]
    pub injected: String,
    /// The outcome with nothing injected.
    pub bare: Outcome,
    /// Every size that was tried, in that order.
    pub steps: Vec<Step>,
}

/// One of several measurements of the same code, with nothing injected. It is no outcome either: nothing uses it as
/// evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Repeat {
    /// The number of the run, from 1. All limits are measured once in each run.
    pub run: u32,
    /// The outcome of the run for one limit.
    pub seen: Outcome,
}

/// The finding of a selftest about a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Finding {
    /// The limit turned red.
    Red,
    /// No size turned it red: this gate guards nothing.
    Never,
    /// It was red with nothing injected.
    Already,
    /// The limit could not be settled with nothing injected.
    Inconclusive,
    /// The limit could not be measured with nothing injected.
    Unmeasured,
    /// The limit is not judged in this run, or nothing can be injected for it.
    Aside,
}

/// One size that was injected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The value that the injection aimed at, in the base unit of the limit.
    pub target: f64,
    /// How far the target is beyond the limit, as a share of it; the value itself if the limit is 0.
    pub beyond: f64,
    /// The verdict with this size injected.
    pub verdict: Verdict,
    /// The measured value; `None` if nothing was measured.
    pub value: Option<f64>,
    /// The smallest value that this measurement would have failed with 95 % probability; `None` if that is not known.
    pub detectable: Option<f64>,
    /// The verdict's sentence.
    pub reason: String,
}

impl SelftestResult {
    /// Returns the smallest size that turned the limit red, and the largest that did not.
    pub fn edges(&self) -> (Option<&Step>, Option<&Step>) {
        let by_size = |a: &&Step, b: &&Step| a.beyond.total_cmp(&b.beyond);
        let red = self.steps.iter().filter(|step| step.verdict.is_red()).min_by(by_size);
        let green = self.steps.iter().filter(|step| !step.verdict.is_red()).max_by(by_size);
        (red, green)
    }
}

/// Reads results ([`SelftestResult`] or [`Repeat`]) back, in the order in which they were written.
///
/// # Errors
/// If the file cannot be read, or a line is not a result.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, Error> {
    let text = std::fs::read_to_string(path).map_err(|e| Error::io("read", path, e))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let result = |(i, line): (usize, &str)| {
        exact::read(line.as_bytes()).map_err(|e| {
            let path = path.display();
            Error::other(format!(
                "failed to read `{path}`: line {} is not a result of a selftest: {e}",
                i + 1
            ))
        })
    };
    lines.map(result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exact::frozen::frozen;

    #[test]
    fn the_form_of_a_result_is_frozen() {
        let bare = serde_json::to_string(&Outcome::default()).unwrap();
        let step = r#"{"target":0.010000000000000009,"beyond":0.1,"verdict":"fail","value":null,"detectable":1.5,"reason":"over"}"#;
        let line = format!(
            r#"{{"finding":"red","reason":"","injected":"work","bare":{bare},"steps":[{step}]}}"#
        );
        let result: SelftestResult = frozen(&line);
        assert_eq!((result.finding, result.steps[0].target), (Finding::Red, 1.03 - 1.02));
        for word in ["never", "already", "inconclusive", "unmeasured", "aside"] {
            frozen::<Finding>(&format!("\"{word}\""));
        }
    }

    #[test]
    fn the_form_of_the_request_is_frozen() {
        let request: super::Request = frozen(r#"{"file":"target/x.jsonl","only":["sort"]}"#);
        assert_eq!(request.to_text(), r#"{"file":"target/x.jsonl","only":["sort"]}"#);
        let request: super::Request = frozen(r#"{"file":"target/x.jsonl","only":[],"same":20}"#);
        assert_eq!(request.same, Some(20));
    }

    #[test]
    fn the_form_of_a_repeat_is_frozen() {
        let seen = serde_json::to_string(&Outcome::default()).unwrap();
        let repeat: Repeat = frozen(&format!(r#"{{"run":2,"seen":{seen}}}"#));
        assert_eq!((repeat.run, repeat.seen.verdict), (2, Verdict::Unmeasured));
    }
}
