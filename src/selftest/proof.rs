//! What planting showed of one limit: data, of which the command makes a table.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::exact;
use crate::outcome::Outcome;
use crate::verdict::Verdict;

/// What planting showed of one limit. It is no outcome, so that nothing takes it for evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proof {
    /// What came of it.
    pub finding: Finding,
    /// In one sentence, where it did not turn red or nothing was planted.
    pub reason: String,
    /// What is planted, in words; empty where nothing can be.
    pub planted: String,
    /// The outcome with nothing planted.
    pub bare: Outcome,
    /// Every size that was tried, in that order.
    pub steps: Vec<Step>,
}

/// What came of planting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Finding {
    /// It turned red.
    Red,
    /// No size turned it red: this gate guards nothing.
    Never,
    /// It was red with nothing planted.
    Already,
    /// It could not be settled with nothing planted.
    Unsure,
    /// It could not be measured with nothing planted.
    Unmeasured,
    /// It is not judged in this run, or nothing can be planted for it.
    Aside,
}

/// One size that was planted.
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

impl Proof {
    /// The smallest size that turned it red, and the largest that did not.
    pub fn edges(&self) -> (Option<&Step>, Option<&Step>) {
        let by_size = |a: &&Step, b: &&Step| a.beyond.total_cmp(&b.beyond);
        let red = self.steps.iter().filter(|step| step.verdict.is_red()).min_by(by_size);
        let green = self.steps.iter().filter(|step| !step.verdict.is_red()).max_by(by_size);
        (red, green)
    }
}

/// Reads proofs back, in the order they were written.
///
/// # Errors
/// Where the file cannot be read, or a line is none.
pub fn read(path: &Path) -> Result<Vec<Proof>, Error> {
    let text = std::fs::read_to_string(path).map_err(|e| Error::io("read", path, e))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let proof = |(i, line): (usize, &str)| {
        exact::read(line.as_bytes()).map_err(|e| {
            let path = path.display();
            Error::other(format!("failed to read `{path}`: line {} is no proof: {e}", i + 1))
        })
    };
    lines.map(proof).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exact::tests::frozen;

    #[test]
    fn a_line_stays_as_it_is() {
        let bare = serde_json::to_string(&Outcome::default()).unwrap();
        let step = r#"{"target":0.010000000000000009,"beyond":0.1,"verdict":"fail","value":null,"detectable":1.5,"reason":"over"}"#;
        let line = format!(
            r#"{{"finding":"red","reason":"","planted":"work","bare":{bare},"steps":[{step}]}}"#
        );
        let proof: Proof = frozen(&line);
        assert_eq!((proof.finding, proof.steps[0].target), (Finding::Red, 1.03 - 1.02));
        for word in ["never", "already", "unsure", "unmeasured", "aside"] {
            frozen::<Finding>(&format!("\"{word}\""));
        }
    }

    #[test]
    fn what_was_asked_stays_as_it_is() {
        let asked: super::super::Asked = frozen(r#"{"file":"target/x.jsonl","only":["sort"]}"#);
        assert_eq!(asked.to_text(), r#"{"file":"target/x.jsonl","only":["sort"]}"#);
    }
}
