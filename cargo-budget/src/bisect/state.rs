//! The steps that a search has settled so far, so that an interrupted search goes on where it was.
//!
//! The state is in the user's cache, beside the key of the seals, and not among the results: those may come from
//! elsewhere, and a made-up state would name an innocent commit.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use perf_budget_core::outcome::Outcome;
use serde::{Deserialize, Serialize};

use super::evidence::Evidence;
use crate::clock::now;
use crate::failure::Failure;
use crate::file;

/// The seconds after which measurements are not continued, because the machine may have changed.
const FRESH: u64 = 24 * 60 * 60;

/// The facts that are known about one commit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Step {
    /// The name of the entry: a commit, or another name from the series.
    pub(super) of: String,
    /// The number of this comparison among those that need evidence, from 0. Its chance of a wrong answer depends on this
    /// number. `None` if the comparison has no evidence.
    pub(super) nth: Option<u32>,
    /// The evidence of its runs so far.
    pub(super) evidence: Evidence,
    /// The outcome of the last run; `None` where none gave one.
    pub(super) outcome: Option<Outcome>,
    /// A commit that is proven to run the same code, so that it has the same answer; `None` if there is none.
    #[serde(default)]
    pub(super) same: Option<String>,
    /// The reason why there is no answer; `None` where there is one.
    pub(super) skipped: Option<String>,
    /// When the last run ended, in seconds since 1970.
    pub(super) at: u64,
}

/// All steps of one search.
#[derive(Debug)]
pub(super) struct State {
    /// The file; `None` for a search that is not stored.
    path: Option<PathBuf>,
    steps: Vec<Step>,
}

#[derive(Debug, Serialize, Deserialize)]
struct WireState {
    version: u32,
    steps: Vec<Step>,
}

/// The version of the file. Another one is not read.
const VERSION: u32 = 1;

impl State {
    /// Reads the steps of a search. `identity` has everything that its answers depend on, and `place` is this project's
    /// directory in the user's cache.
    pub(super) fn read(place: &Path, identity: &str, is_fresh: bool) -> State {
        let hash = hmac_sha256::Hash::hash(identity.as_bytes());
        let name = hash[..8].iter().fold(String::new(), |name, byte| name + &format!("{byte:02x}"));
        let directory = place.join("searches");
        forget_old(&directory);
        let path = directory.join(format!("{name}.json"));
        let text = std::fs::read(&path).ok().filter(|_| !is_fresh);
        let wire = text.and_then(|text| serde_json::from_slice::<WireState>(&text).ok());
        let wire = wire.filter(|wire| wire.version == VERSION);
        let mut steps = wire.map(|wire| wire.steps).unwrap_or_default();
        let now = now();
        // If the clock was set back since, a step seems to come from the future, and its age is not known.
        steps.retain(|step| now.checked_sub(step.at).is_some_and(|age| age < FRESH));
        forget_unfounded(&mut steps);
        State { path: Some(path), steps }
    }

    /// Returns the state of a search that is not stored.
    pub(super) fn not_stored() -> State {
        State { path: None, steps: Vec::new() }
    }

    /// Whether the steps are stored, so that the same command can go on with an interrupted search.
    pub(super) fn is_stored(&self) -> bool {
        self.path.is_some()
    }

    /// Returns what is known of the entry with this name; `None` if nothing is known.
    pub(super) fn known(&self, name: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.of == name)
    }

    /// Returns what is known of the entry with this name; the step is new if nothing is known.
    pub(super) fn step(&mut self, name: &str) -> &mut Step {
        let known = self.steps.iter().position(|step| step.of == name);
        let at = known.unwrap_or_else(|| {
            self.steps.push(Step { of: name.to_owned(), ..Step::default() });
            self.steps.len() - 1
        });
        &mut self.steps[at]
    }

    /// Returns the number of the next comparison with evidence.
    pub(super) fn next(&self) -> u32 {
        self.steps.iter().filter_map(|step| Some(step.nth? + 1)).max().unwrap_or(0)
    }

    /// Writes the steps, if the search is stored.
    pub(super) fn store(&self) -> Result<(), Failure> {
        let Some(path) = &self.path else { return Ok(()) };
        let wire = WireState { version: VERSION, steps: self.steps.clone() };
        let text = serde_json::to_string(&wire)
            .map_err(|e| Failure::unmeasured(format!("failed to write the search: {e}")))?;
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory).map_err(|e| Failure::io("create", directory, &e))?;
        }
        file::write(path, &text)
    }

    /// Removes the file of a search that has ended.
    pub(super) fn forget(&self) {
        if let Some(path) = &self.path {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Removes each step that has the answer of another step which is not known any more.
fn forget_unfounded(steps: &mut Vec<Step>) {
    loop {
        let known: BTreeSet<String> = steps.iter().map(|step| step.of.clone()).collect();
        let before = steps.len();
        steps.retain(|step| step.same.as_ref().is_none_or(|same| known.contains(same)));
        if steps.len() == before {
            return;
        }
    }
}

/// Removes searches that nobody has gone on with.
fn forget_old(directory: &Path) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let modified = path.metadata().and_then(|data| data.modified()).ok();
        let age = modified.and_then(|modified| modified.elapsed().ok());
        if age.is_some_and(|age| age.as_secs() > FRESH) {
            let _ = std::fs::remove_file(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_with_the_answer_of_a_forgotten_step_is_forgotten_too() {
        let step = |name: &str, same: Option<&str>| Step {
            of: name.to_owned(),
            same: same.map(str::to_owned),
            ..Step::default()
        };
        let mut steps = vec![
            step("a", Some("b")),
            step("b", Some("gone")),
            step("c", None),
            step("d", Some("c")),
        ];
        forget_unfounded(&mut steps);
        let left: Vec<&str> = steps.iter().map(|step| &*step.of).collect();
        assert_eq!(left, ["c", "d"]);
    }
}
