//! The request for a profile and its result, as data: the command asks, the harness answers, and the command shows the
//! answer.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::exact;
use crate::handover::request;
use crate::outcome::{Blame, Sampled};

/// The variable that asks for profiles; its value is a [`Request`].
pub const VARIABLE: &str = "PERF_BUDGET_PROFILE";
/// The exit code after profiles. It is never success, because nothing is judged.
pub const PROFILED: u8 = 104;

/// The request for profiles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The file for the results.
    pub file: PathBuf,
    /// The name of a budget, of a case or of a test.
    pub name: String,
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
        request::of_environment(VARIABLE, "cargo budget explain --profile")
    }
}

/// The profile of one case of a budget. It is no outcome: nothing is judged by it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// The budget, and its case if it has several: `merge` or `records::records=1000`.
    pub name: String,
    /// The functions, with their changes since the base if there is one; `None` if it could not be profiled.
    pub blame: Option<Box<Blame>>,
    /// Why it could not be profiled; empty if it could.
    pub why: String,
    /// The samples that were taken in its place, whose functions the command names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampled: Option<Box<Sampled>>,
}

/// Reads profiles back, in the order in which they were written.
///
/// # Errors
/// If the file cannot be read, or a line is not a profile.
pub fn read(path: &Path) -> Result<Vec<Profile>, Error> {
    let text = std::fs::read_to_string(path).map_err(|e| Error::io("read", path, e))?;
    let profile = |(at, line): (usize, &str)| {
        exact::read(line.as_bytes()).map_err(|e| {
            let path = path.display();
            Error::other(format!("failed to read `{path}`: line {} is not a profile: {e}", at + 1))
        })
    };
    text.lines().enumerate().map(profile).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exact::frozen::frozen;

    #[test]
    fn the_forms_are_frozen() {
        let text = r#"{"file":"target/x.jsonl","name":"sort::p50"}"#;
        let request: Request = frozen(text);
        assert_eq!(request.to_text(), text);
        let profile: Profile = frozen(r#"{"name":"sort","blame":null,"why":"no Valgrind"}"#);
        assert!(profile.blame.is_none());
    }
}
