//! A run of the tests that asks for something other than verdicts: for profiles, or for a selftest. A variable contains
//! the request, a file the answer, and an exit code of its own says that the file is complete.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::context::Context;
use crate::base::{self, Base, Built, Target};
use crate::failure::Failure;
use crate::file;
use crate::project::Project;

/// The question that a run of the tests is to answer.
pub(super) struct Question<'a> {
    /// The variable of the request.
    pub(super) variable: &'static str,
    /// Returns the value of the variable, given the absolute path of the file for the answer.
    pub(super) value: &'a dyn Fn(PathBuf) -> String,
    /// The exit code of tests that have answered.
    pub(super) answered: u8,
    /// What tests did that end with another code, as the end of a sentence: "profiled nothing".
    pub(super) without_answer: &'static str,
}

impl Question<'_> {
    /// Runs the tests. They write the answer to `file`, and whatever else they make beside it.
    pub(super) fn ask(
        &self,
        project: &Project,
        (head, target): (&Built, &Target),
        base: Option<&Base>,
        file: &Path,
        context: Context,
    ) -> Result<(), Failure> {
        let file = std::path::absolute(file).map_err(|e| Failure::io("resolve", file, &e))?;
        // An earlier answer must not be taken for this one.
        file::remove(&file)?;
        let mut tests = base::harness(head, target, project)?;
        Base::tell(base, &mut tests)?;
        for name in ["PERF_BUDGET_SHARD", "PERF_BUDGET_RUN", "NEXTEST_RUN_ID"] {
            tests.env_remove(name);
        }
        if let Some(results) = file.parent() {
            tests.env("PERF_BUDGET_DIR", results);
        }
        tests.env(self.variable, (self.value)(file));
        tests.stdin(Stdio::null()).stdout(Stdio::null());
        if context.quiet {
            tests.env("PERF_BUDGET_QUIET", "1");
        }
        let status = tests
            .status()
            .map_err(|e| Failure::unmeasured(format!("failed to start the tests: {e}")))?;
        match status.code() {
            Some(code) if code == i32::from(self.answered) => Ok(()),
            Some(2) => {
                Err(Failure::usage("the tests did not start; they printed the reason above"))
            }
            _ => Err(Failure::unmeasured(format!(
                "the tests ended with {status} and {}; check that they use this version of perf-budget",
                self.without_answer
            ))),
        }
    }
}
