//! The proof that something has not changed since the base, so that it need not be measured: its format in the
//! handover, and the limits that it decides.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use crate::budget::{Bound, Budget, Limit, Reference, Subject, Target};
use crate::error::Error;
use crate::outcome::{ComparisonMethod, Proven};

/// The proof that subjects have not changed since the base, so that they need not be measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unchanged {
    /// How it is proven. The proof holds for all workloads.
    pub proven: Proven,
    /// The names of the budgets on other subjects that the proof holds for.
    pub budgets: Vec<String>,
    /// The test binary that the proof was made for. It holds for no other binary.
    pub head: Written,
}

/// Copies of both revisions' test binaries, or of their programs of benchmarks, as they are built to compare times. They have
/// a breakpoint in each function from which different code can be reached. A workload or a benchmark that runs to its end in
/// both copies reaches nothing that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watched {
    /// The full hash of the commit that is the base.
    pub commit: String,
    /// The copy of the base's binary.
    pub base: PathBuf,
    /// The copy of this revision's.
    pub head: PathBuf,
    /// This revision's test binary as cargo builds it, or its program of benchmarks. The proof holds for no other file.
    pub of: Written,
}

impl Watched {
    /// Returns the proof for a workload or a benchmark that ran to its end in both copies.
    pub fn proven(&self) -> Proven {
        Proven { by: ComparisonMethod::Reach, commit: self.commit.clone() }
    }
}

/// The identity of a file: its path, its length, and when it was last written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// The canonical path.
    path: PathBuf,
    /// The length in bytes.
    bytes: u64,
    /// When the file was last written, in nanoseconds since 1970.
    modified: u64,
}

impl Written {
    /// Returns the identity of a file as it is now.
    ///
    /// # Errors
    /// If the system does not return the file's metadata.
    pub fn of(path: &Path) -> Result<Written, Error> {
        let failed = |e| Error::io("read", path, e);
        let path = path.canonicalize().map_err(failed)?;
        let known = path.metadata().map_err(failed)?;
        let modified = known.modified().map_err(failed)?;
        let modified = modified.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        Ok(Written {
            path,
            bytes: known.len(),
            modified: u64::try_from(modified).unwrap_or(u64::MAX),
        })
    }
}

impl Unchanged {
    /// Whether the proof holds for a budget. It does for every workload; for an artifact or a command only if `budgets`
    /// names the budget.
    pub fn covers(&self, budget: &Budget) -> bool {
        match budget.subject {
            Subject::Workload(_) => true,
            Subject::Artifact(_) | Subject::Command(_) => self.budgets.contains(&budget.name),
            // Other programs measure these subjects, and the proof is about the test binary only.
            Subject::Benchmark(..) | Subject::Record(_) => false,
        }
    }
}

/// Whether a limit against the base holds if both sides are equal. A limit that demands an improvement does not hold
/// then, and must be measured.
pub fn holds_if_equal(limit: &Limit) -> bool {
    let Target::Relative { factor, reference: Reference::Base } = limit.target else {
        return false;
    };
    match limit.bound {
        Bound::Max => factor >= 1.0,
        Bound::Min => factor <= 1.0,
    }
}

/// The variable by which everything is measured, even what is proven unchanged.
pub const MEASURE: &str = "PERF_BUDGET_MEASURE";

/// Whether [`MEASURE`] asks for everything to be measured. Every audit sets it, and every comparison of a revision with
/// itself.
///
/// # Errors
/// If its value is something other than `always`.
pub fn measures_always(lookup: impl Fn(&str) -> Option<OsString>) -> Result<bool, Error> {
    match lookup(MEASURE).filter(|value| !value.is_empty()) {
        None => Ok(false),
        Some(value) if value == "always" => Ok(true),
        Some(value) => Err(Error::other(format!(
            "{MEASURE} is `{}`; write `always`, or leave it out",
            value.display()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_demands_an_improvement_does_not_hold_for_equal_sides() {
        let check = |text: &str, want: bool| {
            let text = format!("[budget.b]\nworkload = \"w\"\n{text}\n");
            let file = crate::budget::parse(&text, Path::new("budgets.toml")).unwrap();
            assert_eq!(holds_if_equal(&file.budgets[0].limits[0]), want, "{text}");
        };
        check("max = { allocs = \"1.05 x base\" }", true);
        check("max = { allocs = \"1 x base\" }", true);
        check("max = { allocs = \"0.9 x base\" }", false);
        check("min = { throughput = \"0.95 x base\" }", true);
        check("min = { throughput = \"1.5 x base\" }", false);
        check("max = { allocs = \"1.05 x lock\" }", false);
        check("max = { allocs = 7 }", false);
    }

    #[test]
    fn the_variable_has_everything_measured() {
        let measures = |value: &str| measures_always(|_| Some(value.into()));
        assert!(!measures("").unwrap() && measures("always").unwrap());
        assert!(measures("1").unwrap_err().to_string().contains("write `always`"));
    }
}
