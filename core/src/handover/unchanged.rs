//! What has not changed since the base, so that it need not be measured: as the command hands it over, and which limits it
//! settles.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use crate::budget::{Bound, Budget, Limit, Reference, Subject, Target};
use crate::error::Error;
use crate::outcome::Proven;

/// What has not changed since the base: it is proven, so that it need not be measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unchanged {
    /// How it is known of workloads, of which there is none that it does not hold for.
    pub proven: Proven,
    /// The budgets of other subjects that it holds for, by name.
    pub budgets: Vec<String>,
    /// The test binary that it was found of. It holds for no other.
    pub head: Written,
}

/// A file as it was when it was looked at: when it was written last, and how long it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// Where it is.
    path: PathBuf,
    /// In bytes.
    bytes: u64,
    /// Nanoseconds since 1970.
    modified: u64,
}

impl Written {
    /// The file as it is now.
    ///
    /// # Errors
    /// Where the system does not tell.
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
    /// Whether it is proven of a budget. Of an artifact or a command it is only where the command says so by name.
    pub fn covers(&self, budget: &Budget) -> bool {
        match budget.subject {
            Subject::Workload(_) => true,
            Subject::Artifact(_) | Subject::Command(_) => self.budgets.contains(&budget.name),
            // What another program recorded is not of this binary.
            Subject::Criterion(_) => false,
        }
    }
}

/// Whether a limit against the base holds where both sides are equal. One that demands an improvement does not, and is
/// measured.
pub fn holds_if_equal(limit: &Limit) -> bool {
    let Target::Relative { factor, reference: Reference::Base } = limit.target else {
        return false;
    };
    match limit.bound {
        Bound::Max => factor >= 1.0,
        Bound::Min => factor <= 1.0,
    }
}

/// By which everything is measured, whatever is proven.
pub const MEASURE: &str = "PERF_BUDGET_MEASURE";

/// Whether everything is to be measured, as [`MEASURE`] says: every audit and every comparison of a thing with itself
/// asks for it.
///
/// # Errors
/// Where it says something else than `always`.
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
    fn a_demand_for_an_improvement_is_no_limit_that_equality_holds() {
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
    fn everything_is_measured_where_that_is_asked_for() {
        let asked = |value: &str| measures_always(|_| Some(value.into()));
        assert!(!asked("").unwrap() && asked("always").unwrap());
        assert!(asked("1").unwrap_err().to_string().contains("write `always`"));
    }
}
