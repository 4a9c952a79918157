//! What a selftest was asked and what it found, as data: the command asks, the harness answers, and the command
//! makes a table of it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::exact;
use crate::outcome::Outcome;
use crate::verdict::Verdict;

/// Asks for a selftest, with an [`Asked`] in it.
pub const VARIABLE: &str = "PERF_BUDGET_SELFTEST";
/// The exit code after a selftest, which judges nothing and is therefore never success.
pub const SELFTESTED: u8 = 103;

/// What is asked of a selftest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Where results go.
    pub file: PathBuf,
    /// Budgets, or tests, to inject into; all where there are none.
    pub only: Vec<String>,
}

impl Asked {
    /// As the variable has it.
    pub fn to_text(&self) -> String {
        serde_json::json!(self).to_string()
    }

    /// What the environment asks for; `None` where it asks for none.
    ///
    /// # Errors
    /// Where it is not understood: never a run that judges in its place.
    pub fn of_environment() -> Result<Option<Asked>, Error> {
        let Some(text) = std::env::var_os(VARIABLE) else { return Ok(None) };
        let asked = serde_json::from_str(&text.to_string_lossy());
        asked.map(Some).map_err(|e| {
            Error::other(format!(
                "{VARIABLE} is set, for `cargo budget selftest` alone, and not understood: {e}; unset it"
            ))
        })
    }
}

/// Whether `name` names this test or its budget or case.
pub fn names(name: &str, test: &str) -> bool {
    test.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// What injecting showed of one limit. It is no outcome, so that nothing takes it for evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SelftestResult {
    /// What came of it.
    pub finding: Finding,
    /// In one sentence, where it did not turn red or nothing was injected.
    pub reason: String,
    /// What is injected, in words; empty where nothing can be.
    #[serde(alias = "planted")]
    pub injected: String,
    /// The outcome with nothing injected.
    pub bare: Outcome,
    /// Every size that was tried, in that order.
    pub steps: Vec<Step>,
}

/// What came of injecting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Finding {
    /// It turned red.
    Red,
    /// No size turned it red: this gate guards nothing.
    Never,
    /// It was red with nothing injected.
    Already,
    /// It could not be settled with nothing injected.
    Inconclusive,
    /// It could not be measured with nothing injected.
    Unmeasured,
    /// It is not judged in this run, or nothing can be injected for it.
    Aside,
}

/// One size that was injected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The value that was aimed at, in the base unit of the limit.
    pub target: f64,
    /// That much beyond the limit, as a share of it; the value itself where the limit is 0.
    pub beyond: f64,
    /// What came out.
    pub verdict: Verdict,
    /// The measured value; `None` where nothing was measured.
    pub value: Option<f64>,
    /// The smallest value that this measurement would have failed with 95 %; `None` where that is not known.
    pub detectable: Option<f64>,
    /// The verdict's sentence.
    pub reason: String,
}

impl SelftestResult {
    /// The smallest size that turned it red, and the largest that did not.
    pub fn edges(&self) -> (Option<&Step>, Option<&Step>) {
        let by_size = |a: &&Step, b: &&Step| a.beyond.total_cmp(&b.beyond);
        let red = self.steps.iter().filter(|step| step.verdict.is_red()).min_by(by_size);
        let green = self.steps.iter().filter(|step| !step.verdict.is_red()).max_by(by_size);
        (red, green)
    }
}

/// Reads results back, in the order they were written.
///
/// # Errors
/// Where the file cannot be read, or a line is none.
pub fn read(path: &Path) -> Result<Vec<SelftestResult>, Error> {
    let text = std::fs::read_to_string(path).map_err(|e| Error::io("read", path, e))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let result = |(i, line): (usize, &str)| {
        exact::read(line.as_bytes()).map_err(|e| {
            let path = path.display();
            Error::other(format!(
                "failed to read `{path}`: line {} is no result of a selftest: {e}",
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
    fn a_line_stays_as_it_is() {
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
    fn what_was_asked_stays_as_it_is() {
        let asked: super::Asked = frozen(r#"{"file":"target/x.jsonl","only":["sort"]}"#);
        assert_eq!(asked.to_text(), r#"{"file":"target/x.jsonl","only":["sort"]}"#);
    }
}
