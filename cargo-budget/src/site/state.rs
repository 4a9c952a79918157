//! The state of a site in `site.json`: what each page was made of. A later run makes only the pages whose data are new, and
//! removes only files that it made.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use perf_budget_core::fnv;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::file;
use crate::history::Recent;

/// The file with the state.
pub(super) const FILE: &str = "site.json";

/// The version of the state's format and of the pages; a site of another version is made anew.
const FORMAT: u32 = 2;

/// The state of a site.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct State {
    /// The version of its format.
    pub(super) format: u32,
    /// A digest of the settings, and of the program that made the pages.
    pub(super) made_by: String,
    pub(super) budgets: BTreeMap<String, Budget>,
    pub(super) commits: BTreeMap<String, Commit>,
    /// Every file of the site besides this one.
    pub(super) files: BTreeSet<String>,
}

/// A budget: what its pages were made of, and what the overview and the pages of commits show of it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Budget {
    pub(super) made_of: String,
    pub(super) files: Vec<String>,
    pub(super) rows: Vec<Row>,
    pub(super) steps: Vec<Step>,
    /// The run whose distributions its pages have; empty where there are none.
    #[serde(default)]
    pub(super) recorded: String,
    /// The time of the oldest commit that its pages link to.
    pub(super) linked: Option<i64>,
}

/// A test in the overview.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) test: String,
    /// The link to its chart.
    pub(super) href: String,
    pub(super) verdict: String,
    pub(super) is_red: bool,
    /// The changes for the worse, each with its time and its size as [`crate::history::TestTrend::moves`] returns it, in
    /// millionths, so that it is read back as it was written. Which of them are recent depends on the commits of other
    /// budgets too.
    pub(super) moves: Vec<(i64, i64)>,
    /// The share of the limit that is used, in millionths; `None` where there is no limit or no value.
    pub(super) share: Option<i64>,
    /// The line of its newest values, as an SVG path in a box of 100 by 24.
    pub(super) spark: String,
    /// A description of the line in words.
    pub(super) spark_text: String,
    pub(super) value: Option<String>,
    pub(super) limit: Option<String>,
    /// Its last step or drift.
    pub(super) change: Option<Step>,
    pub(super) environment: String,
    /// The number of other environments it was measured in.
    pub(super) others: usize,
    /// The environments whose newest outcome is red but does not count, since the newest commits did not measure it there.
    pub(super) past: Vec<String>,
    /// The time of the outcome that is shown: the newest one of its environment.
    pub(super) at: i64,
    /// The time of the newest outcome in any environment.
    pub(super) measured: i64,
    /// Whether budgets.toml has the test; `None` if that is not known.
    pub(super) is_listed: Option<bool>,
    /// Whether the test was no longer measured when its page was made.
    pub(super) is_gone: bool,
}

impl Row {
    /// Returns whether the limit is no longer measured.
    pub(super) fn is_gone(&self, recent: Recent) -> bool {
        recent.is_gone(self.measured, self.is_listed)
    }

    /// Returns how much worse the test got in the recent commits, as the logarithm of the ratio in millionths; 0 if it did not.
    pub(super) fn worst(&self, recent: Recent) -> i64 {
        let lately = self.moves.iter().filter(|(at, _)| *at >= recent.since);
        lately.map(|(_, worse)| *worse).max().unwrap_or(0)
    }
}

/// A step of a test.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Step {
    pub(super) test: String,
    pub(super) href: String,
    /// The first commit of the new level; `None` for a drift, or where the run had no commit.
    pub(super) commit: Option<String>,
    pub(super) at: i64,
    /// The relative change, such as `+12.3 %`.
    pub(super) by: String,
    /// The values on both sides, such as `10 ms → 11.2 ms`.
    pub(super) values: String,
    /// Whether the step is for the worse; `None` if only the project knows which direction is better.
    pub(super) worse: Option<bool>,
    pub(super) is_drift: bool,
    pub(super) environment: String,
}

/// A commit: what its pages were made of.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Commit {
    pub(super) made_of: String,
    pub(super) files: Vec<String>,
    /// The first line of its message; empty where the clone does not have it.
    pub(super) subject: String,
    pub(super) at: i64,
    pub(super) outcomes: i64,
    pub(super) red: i64,
    pub(super) judged: bool,
}

impl State {
    /// Reads the state of a directory. For a missing or older state it returns one that has only the known files, so that all
    /// pages are made anew.
    ///
    /// # Errors
    /// If the directory has an `index.html` or a state that this command did not write.
    pub(super) fn read(directory: &Path, made_by: &str) -> Result<State, Failure> {
        let path = directory.join(FILE);
        let fresh = |files| State {
            format: FORMAT,
            made_by: made_by.to_owned(),
            files,
            ..State::default()
        };
        if !path.exists() {
            if directory.join("index.html").exists() {
                return Err(Failure::usage(format!(
                    "`{}` has an index.html that is not of a site of `cargo budget site`, so nothing is written there; \
                     name another directory by --output, or empty this one",
                    directory.display()
                )));
            }
            return Ok(fresh(BTreeSet::new()));
        }
        let known: Option<State> = serde_json::from_str(&file::read(&path)?).ok();
        Ok(match known {
            Some(known) if known.format == FORMAT && known.made_by == made_by => known,
            Some(known) => fresh(known.files),
            None => {
                return Err(Failure::usage(format!(
                    "`{}` is not one that `cargo budget site` has written, or is damaged, so nothing is written beside it; name \
                     another directory by --output, or remove the site",
                    path.display()
                )));
            }
        })
    }
}

/// Returns a short digest of texts.
pub(super) fn digest<'t>(parts: impl IntoIterator<Item = &'t str>) -> String {
    let bytes: Vec<u8> = parts.into_iter().flat_map(|part| part.bytes().chain([0xff])).collect();
    format!("{:016x}", fnv::hash(&bytes))
}
