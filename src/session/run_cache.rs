//! Outcomes that one process of a run leaves for the others.
//!
//! Under nextest every test is a process, and the limits of a budget still share one measurement: the
//! first process measures the group while the others wait for its lock, and then read. A retry of a
//! red test finds the red again, instead of starting the test anew.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use perf_budget_core::budget::lock;
use perf_budget_core::error::Error;
use perf_budget_core::exact;
use perf_budget_core::outcome::Outcome;
use perf_budget_core::verdict::Verdict;

use super::machine;

/// Run caches older than this are of no run that still goes on.
const STALE: Duration = Duration::from_secs(24 * 3600);

/// The directory of one run.
pub(crate) struct RunCache {
    directory: PathBuf,
}

impl RunCache {
    /// The run's run_cache, where the environment names a run of several processes. A name that is used
    /// again after `budgets`, its lock or this binary has changed is another run.
    ///
    /// # Errors
    /// Where the directory cannot be made.
    pub(crate) fn of_this_run(results: &Path, budgets: &Path) -> Result<Option<RunCache>, Error> {
        let Some(id) = machine::named_run() else {
            return Ok(None);
        };
        let runs = results.join("runs");
        let binary = std::env::current_exe().unwrap_or_default();
        let mut version = DefaultHasher::new();
        for file in [budgets, &lock::place(budgets)] {
            std::fs::read(file).unwrap_or_default().hash(&mut version);
        }
        binary.metadata().and_then(|data| data.modified()).ok().hash(&mut version);
        let binary = binary.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let directory = runs.join(format!(
            "{}-{}-{:016x}",
            file_name(&id),
            file_name(&binary),
            version.finish()
        ));
        std::fs::create_dir_all(&directory).map_err(|e| Error::io("create", &directory, e))?;
        remove_stale(&runs);
        Ok(Some(RunCache { directory }))
    }

    /// When the first process of the run began.
    ///
    /// # Errors
    /// Where that cannot be kept.
    pub(crate) fn began(&self) -> Result<SystemTime, Error> {
        let place = self.directory.join("began");
        let opened = OpenOptions::new().write(true).create_new(true).open(&place);
        match opened {
            Ok(_) => {}
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(Error::io("create", &place, e)),
        }
        // Nobody writes to it again.
        let modified = place.metadata().and_then(|data| data.modified());
        modified.map_err(|e| Error::io("read", &place, e))
    }

    /// Where it is, for whatever else the processes of the run share.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The outcomes under `key`: those that are there, or those that `measure` gives, kept.
    ///
    /// # Errors
    /// Where they cannot be read or kept.
    pub(crate) fn outcomes(
        &self,
        key: &str,
        measure: impl FnOnce() -> Vec<Outcome>,
    ) -> Result<Vec<Outcome>, Error> {
        let place = self.file(key, "json");
        let _lock = self.lock(key)?;
        if place.is_file() {
            let text = std::fs::read(&place).map_err(|e| Error::io("read", &place, e))?;
            return exact::read(&text).map_err(|e| Error::io("read", &place, e.into()));
        }
        let outcomes = measure();
        let text =
            serde_json::to_vec(&outcomes).map_err(|e| Error::io("write", &place, e.into()))?;
        let part = place.with_extension("part");
        let kept = std::fs::write(&part, text).and_then(|()| std::fs::rename(&part, &place));
        kept.map_err(|e| Error::io("write", &place, e))?;
        Ok(outcomes)
    }

    /// Adds a test to those whose verdict was reported in this run, if only that it is skipped.
    ///
    /// # Errors
    /// Where that cannot be written.
    pub(crate) fn report(&self, test: &str, verdict: Verdict) -> Result<(), Error> {
        let path = self.directory.join("reported.jsonl");
        let failed = |e| Error::io("append to", &path, e);
        let mut line = serde_json::to_vec(&(test, verdict)).map_err(|e| failed(e.into()))?;
        line.push(b'\n');
        let mut file = OpenOptions::new().append(true).create(true).open(&path).map_err(failed)?;
        file.write_all(&line).map_err(failed)
    }

    /// The verdicts that were reported so far; of a test that was retried, the last.
    pub(crate) fn reported(&self) -> HashMap<String, Verdict> {
        let text =
            std::fs::read_to_string(self.directory.join("reported.jsonl")).unwrap_or_default();
        let mut reported = HashMap::new();
        for line in text.lines() {
            if let Ok((test, verdict)) = serde_json::from_str(line) {
                reported.insert(test, verdict);
            }
        }
        reported
    }

    /// Does something under `name` while no other process of the run does, and says whether it is the
    /// first time; what failed does not count.
    ///
    /// # Errors
    /// Where the others cannot be kept away, or what was done failed.
    pub(crate) fn in_turn<T>(
        &self,
        name: &str,
        act: impl FnOnce(bool) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut lock = self.lock(name)?;
        let first = lock.metadata().is_ok_and(|data| data.len() == 0);
        let done = act(first)?;
        lock.write_all(b".").map_err(|e| Error::io("write", &self.file(name, "lock"), e))?;
        Ok(done)
    }

    fn file(&self, key: &str, ending: &str) -> PathBuf {
        self.directory.join(file_name(key)).with_extension(ending)
    }

    fn lock(&self, key: &str) -> Result<File, Error> {
        let guard = self.file(key, "lock");
        let lock = OpenOptions::new().write(true).create(true).truncate(false).open(&guard);
        let lock = lock.map_err(|e| Error::io("open", &guard, e))?;
        lock.lock().map_err(|e| Error::io("lock", &guard, e))?;
        Ok(lock)
    }
}

/// Text as the name of a file, different for different texts.
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
    name
}

fn remove_stale(runs: &Path) {
    let Ok(entries) = std::fs::read_dir(runs) else { return };
    for entry in entries.flatten() {
        let age = entry
            .metadata()
            .and_then(|data| data.modified())
            .map(|at| SystemTime::now().duration_since(at).unwrap_or_default());
        if age.is_ok_and(|age| age > STALE) {
            // Another process may be at it too; whoever is first is right.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use perf_budget_core::exact::frozen::frozen;

    use super::*;

    #[test]
    fn the_lines_of_what_was_told_stay_as_they_are() {
        for verdict in Verdict::ALL {
            let line = format!(r#"["a::p99","{}"]"#, verdict.name());
            assert_eq!(frozen::<(String, Verdict)>(&line), ("a::p99".to_owned(), verdict));
        }
    }
}
