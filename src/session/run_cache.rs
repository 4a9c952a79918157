//! The run cache: outcomes that one process of a run leaves for the others.
//!
//! Under nextest every test is a process, but the limits of a budget still share one measurement. The first process
//! measures the group while the others wait for its lock; then they read the outcomes. A retry of a red test therefore
//! finds the same outcome, and does not measure anew.

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use perf_budget_core::budget::{Budgets, lock};
use perf_budget_core::error::Error;
use perf_budget_core::outcome::Outcome;
use perf_budget_core::verdict::Verdict;
use perf_budget_core::{atomic, exact, fnv};

use serde::{Deserialize, Serialize};

use super::machine;
use crate::seal::Seal;

/// The age after which a run cache is removed. No run takes that long.
const STALE: Duration = Duration::from_secs(24 * 3600);

/// The cache of one run, which is a directory.
pub(crate) struct RunCache {
    directory: PathBuf,
}

impl RunCache {
    /// Returns the cache of this run, if the environment names a run of several processes. The same name
    /// stands for another run if the file of `budgets`, its environment, its lock file or this binary has changed in the
    /// meantime.
    ///
    /// # Errors
    /// If the directory cannot be created.
    pub(crate) fn of_this_run(
        results: &Path,
        budgets: &Budgets,
    ) -> Result<Option<RunCache>, Error> {
        let Some(id) = machine::named_run() else {
            return Ok(None);
        };
        let runs = results.join("runs");
        let binary = std::env::current_exe().unwrap_or_default();
        let mut version = DefaultHasher::new();
        for file in [&budgets.path, &lock::place(&budgets.path)] {
            std::fs::read(file).unwrap_or_default().hash(&mut version);
        }
        budgets.environment.hash(&mut version);
        binary.metadata().and_then(|data| data.modified()).ok().hash(&mut version);
        let binary = binary.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let directory = runs.join(format!(
            "{}-{}-{:016x}",
            file_name(&id),
            file_name(&binary),
            version.finish()
        ));
        std::fs::create_dir_all(&directory).map_err(|e| Error::io("create", &directory, e))?;
        // Directories of runs that ended long ago are removed.
        remove_older(&runs, STALE);
        Ok(Some(RunCache { directory }))
    }

    /// Returns when the first process of the run began.
    ///
    /// # Errors
    /// If the file that keeps this time cannot be created or read.
    pub(crate) fn start_time(&self) -> Result<SystemTime, Error> {
        let path = self.directory.join("began");
        let opened = OpenOptions::new().write(true).create_new(true).open(&path);
        match opened {
            Ok(_) => {}
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(Error::io("create", &path, e)),
        }
        // No process writes to the file again, so its time is that of its creation.
        let modified = path.metadata().and_then(|data| data.modified());
        modified.map_err(|e| Error::io("read", &path, e))
    }

    /// Returns the directory, for other files that the processes of the run share.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns the outcomes under `key`. If there are none yet, calls `measure` and keeps the outcomes that it returns.
    ///
    /// # Errors
    /// If the outcomes cannot be read or written.
    pub(crate) fn outcomes(
        &self,
        key: &str,
        measure: impl FnOnce() -> Vec<Outcome>,
    ) -> Result<Vec<Outcome>, Error> {
        let place = self.file(key, "json");
        let name = place.display().to_string();
        let seal = Seal::of_user().ok_or_else(|| {
            Error::other(
                "the processes of this run cannot share what they measure, as there is no place for the key that seals it; \
                 set PERF_BUDGET_CACHE to a directory",
            )
        })?;
        let shared = atomic::once(&place, || SharedOutcomes::sealed(measure(), &name, seal))?;
        if shared.seal != SharedOutcomes::seal_of(&shared.outcomes, &name, seal) {
            return Err(Error::other(format!(
                "`{name}` has outcomes that no process of this run has left; remove the file, and give each run a name \
                 of its own"
            )));
        }
        Ok(shared.outcomes)
    }

    /// Claims a test for this process: whether no process of the run has asked for it in this attempt before. A second
    /// claim means that the name of the run was used for another one, whose outcomes may be of other files.
    ///
    /// # Errors
    /// If the claim cannot be written.
    pub(crate) fn claim(&self, test: &str, attempt: &str) -> Result<bool, Error> {
        let path = self.file(&format!("{test} {attempt}"), "asked");
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(_) => Ok(true),
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
            Err(e) => Err(Error::io("create", &path, e)),
        }
    }

    /// Reports the verdict of a test to the other processes of the run. A skipped test is reported too.
    ///
    /// # Errors
    /// If the line cannot be written.
    pub(crate) fn report(&self, test: &str, verdict: Verdict) -> Result<(), Error> {
        let path = self.directory.join("reported.jsonl");
        let failed = |e| Error::io("append to", &path, e);
        let mut line = serde_json::to_vec(&(test, verdict)).map_err(|e| failed(e.into()))?;
        line.push(b'\n');
        let mut file = OpenOptions::new().append(true).create(true).open(&path).map_err(failed)?;
        file.write_all(&line).map_err(failed)
    }

    /// Returns the verdicts that were reported so far. If a test was retried, its last verdict counts.
    pub(crate) fn reported(&self) -> HashMap<String, Verdict> {
        let text =
            std::fs::read_to_string(self.directory.join("reported.jsonl")).unwrap_or_default();
        let mut reported = HashMap::new();
        for line in text.lines() {
            if let Ok((test, verdict)) = exact::read(line.as_bytes()) {
                reported.insert(test, verdict);
            }
        }
        reported
    }

    /// Calls `act` while no other process of the run calls one of the same `name`. Its argument says whether this is
    /// the first call; a call that failed does not count.
    ///
    /// # Errors
    /// If the lock cannot be taken, or if `act` fails.
    pub(crate) fn in_turn<T>(
        &self,
        name: &str,
        act: impl FnOnce(bool) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut lock = atomic::lock(&self.file(name, "lock"))?;
        let first = lock.metadata().is_ok_and(|data| data.len() == 0);
        let done = act(first)?;
        lock.write_all(b".").map_err(|e| Error::io("write", &self.file(name, "lock"), e))?;
        Ok(done)
    }

    /// Returns the path of the file with this ending that belongs to `key`.
    fn file(&self, key: &str, ending: &str) -> PathBuf {
        self.directory.join(file_name(key)).with_extension(ending)
    }
}

/// The outcomes of a group, as one process leaves them for the others.
#[derive(Debug, Serialize, Deserialize)]
struct SharedOutcomes {
    outcomes: Vec<Outcome>,
    /// The seal of the outcomes.
    seal: String,
}

impl SharedOutcomes {
    fn sealed(outcomes: Vec<Outcome>, name: &str, seal: Seal) -> SharedOutcomes {
        let seal = SharedOutcomes::seal_of(&outcomes, name, seal);
        SharedOutcomes { outcomes, seal }
    }

    fn seal_of(outcomes: &[Outcome], name: &str, seal: Seal) -> String {
        let content = serde_json::to_vec(outcomes).unwrap_or_default();
        seal.sign(name, &content)
    }
}

/// The longest text that is the name of a file as it is.
const LONGEST_NAME: usize = 64;

/// Returns a text as the name of a file. Different texts have different names.
fn file_name(text: &str) -> String {
    use std::fmt::Write;
    let mut name = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => name.push(byte as char),
            other => {
                let _ = write!(name, "%{other:02x}");
            }
        }
    }
    // A file's name has at most 255 bytes on most systems, and an ending is added.
    if name.len() > LONGEST_NAME {
        name.truncate(LONGEST_NAME);
        let _ = write!(name, "-{}", fnv::name(text.as_bytes()));
    }
    name
}

/// Removes the entries that were last written longer ago than this, with everything in them. An entry that cannot be
/// removed does no harm.
pub(super) fn remove_older(directory: &Path, age: Duration) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let Ok(data) = entry.metadata() else { continue };
        let is_old = |at| SystemTime::now().duration_since(at).is_ok_and(|passed| passed > age);
        if !data.modified().is_ok_and(is_old) {
            continue;
        }
        // Another process may remove the same file at this moment.
        let _ = if data.is_dir() {
            std::fs::remove_dir_all(entry.path())
        } else {
            std::fs::remove_file(entry.path())
        };
    }
}

#[cfg(test)]
mod tests {
    use perf_budget_core::exact::frozen::frozen;

    use super::*;

    #[test]
    fn a_long_name_is_cut_and_stays_its_own() {
        assert_eq!(file_name("merge::p99"), "merge%3a%3ap99");
        let [first, second] =
            ["a", "b"].map(|end| file_name(&format!("{}{end}", "漢字".repeat(40))));
        assert_ne!(first, second);
        assert!(first.len() < 100 && first.starts_with("%e6%bc%a2"), "{first}");
    }

    #[test]
    fn the_format_of_a_reported_verdict_stays_the_same() {
        for verdict in Verdict::ALL {
            let line = format!(r#"["a::p99","{}"]"#, verdict.name());
            assert_eq!(frozen::<(String, Verdict)>(&line), ("a::p99".to_owned(), verdict));
        }
    }

    /// Only on Unix can a directory be opened as a file, to give it another age.
    #[cfg(unix)]
    #[test]
    fn only_what_is_old_is_removed() {
        let dir =
            std::env::temp_dir().join(format!("perf-budget-leftovers-{}", std::process::id()));
        std::fs::create_dir_all(dir.join("directory")).unwrap();
        for name in ["new", "old", "directory"] {
            if name != "directory" {
                std::fs::write(dir.join(name), name).unwrap();
            }
            let age = Duration::from_secs(if name == "new" { 10 } else { 1000 });
            std::fs::File::open(dir.join(name))
                .unwrap()
                .set_modified(SystemTime::now() - age)
                .unwrap();
        }
        remove_older(&dir, Duration::from_secs(100));
        let left: Vec<_> =
            std::fs::read_dir(&dir).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left, ["new"]);
        remove_older(&dir.join("none"), Duration::ZERO);
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
