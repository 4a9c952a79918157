//! Evidence that a run leaves for the next one of the same build, so that running again continues a test
//! instead of starting the test anew.
//!
//! A limit that was shown to be held leaves nothing, and neither does one that was broken amid noise. One that was red, or that could not be settled, is
//! continued: neither running again until it is green nor until it is red changes the chance of a wrong
//! verdict, as evidence multiplies. One small file a test, as tests may be processes of their own.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use perf_budget_core::budget::{Reference, Subject, lock};
use perf_budget_core::error::Error;
use perf_budget_core::exact;
use perf_budget_core::outcome::{Doubt, Evidence, Outcome};
use perf_budget_core::suite::{Reading, Test};
use perf_budget_core::verdict::Verdict;
use perf_budget_core::verdict::judge::Carried;
use serde::{Deserialize, Serialize};

use super::Session;
use crate::subject::Sources;

/// Evidence that is older says little of the machine as it is.
const FRESH: Duration = Duration::from_secs(24 * 60 * 60);

/// Log odds beyond this are no longer odds of any number of values, but certainty, as of a greatest value.
const CERTAIN: f64 = 1e300;

/// What is kept of one limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Stored {
    test: String,
    /// Of the build and the limit.
    identity: u64,
    /// Natural logarithms of the odds, over all runs so far.
    fail: f64,
    pass: f64,
    /// How many runs that were.
    runs: u32,
    /// When the last of them ended, in seconds since 1970.
    at: u64,
}

impl Stored {
    /// What judgement begins with.
    pub(super) fn carried(&self) -> Carried {
        Carried { fail: self.fail, pass: self.pass }
    }

    /// What a reader of the outcome must know.
    pub(super) fn note(&self) -> String {
        match self.runs {
            1 => "continues the evidence of an earlier run of the same build".to_owned(),
            n => format!("continues the evidence of {n} earlier runs of the same build"),
        }
    }
}

/// The directory with what is kept.
#[derive(Debug, Clone)]
pub(super) struct Store {
    directory: PathBuf,
}

impl Store {
    pub(super) fn new(results: &Path) -> Store {
        Store { directory: results.join("evidence") }
    }

    /// What earlier runs of the same build left about a test. What cannot be read is as good as nothing:
    /// it only costs time.
    pub(super) fn load(&self, test: &str, identity: u64) -> Option<Stored> {
        let kept: Stored = exact::read(&std::fs::read(self.file(test)).ok()?).ok()?;
        let sane = kept.fail.is_finite() && kept.pass.is_finite();
        let fresh = now().saturating_sub(kept.at) < FRESH.as_secs();
        (sane && fresh && kept.test == test && kept.identity == identity).then_some(kept)
    }

    /// Keeps the evidence of an outcome for the next run, or forgets it where the limit was shown to be
    /// held.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(super) fn keep(
        &self,
        outcome: &Outcome,
        identity: u64,
        before: Option<&Stored>,
    ) -> Result<(), Error> {
        let file = self.file(&outcome.test);
        // Certainty is not kept: nothing adds to it. Odds of e^-700 are: dropped, the test would start anew.
        let unsettled = |evidence: &Evidence| {
            let known = |log: f64| log.abs() < CERTAIN;
            evidence.pass < evidence.pass_at && known(evidence.fail) && known(evidence.pass)
        };
        // What was skipped was held against nothing, so there is no evidence to go on with; and what other work
        // on the machine may be the reason of is no evidence of the build.
        let noise = outcome.doubt == Some(Doubt::Noise);
        let done = noise || matches!(outcome.verdict, Verdict::Pass | Verdict::Skipped);
        let Some(evidence) = outcome.evidence.filter(unsettled).filter(|_| !done) else {
            return match std::fs::remove_file(&file) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                    Err(Error::io("remove", &file, e))
                }
                _ => Ok(()),
            };
        };
        let kept = Stored {
            test: outcome.test.clone(),
            identity,
            fail: evidence.fail,
            pass: evidence.pass,
            runs: before.map_or(0, |kept| kept.runs) + 1,
            at: now(),
        };
        let failed = |e| Error::io("write", &file, e);
        std::fs::create_dir_all(&self.directory).map_err(failed)?;
        let part = file.with_extension(format!("{}.part", std::process::id()));
        let text = serde_json::to_vec(&kept).map_err(|e| failed(e.into()))?;
        std::fs::write(&part, text).map_err(failed)?;
        std::fs::rename(&part, &file).map_err(failed)
    }

    /// A name for any text: a test's may hold what a file's may not.
    fn file(&self, test: &str) -> PathBuf {
        let mut hasher = DefaultHasher::new();
        test.hash(&mut hasher);
        self.directory.join(format!("{:016x}.json", hasher.finish()))
    }
}

impl Session {
    /// What earlier runs of the same build found of a test.
    pub(super) fn stored(&self, test: usize) -> Option<Stored> {
        let test = &self.suite.tests[test];
        let identity = identity(&self.sources(None), test)?;
        Store::new(&self.results).load(&test.name, identity)
    }

    /// The outcome, once the next run of the same build will know of its evidence.
    pub(super) fn remembered(&self, test: usize, outcome: &Outcome) -> Outcome {
        let mut outcome = outcome.clone();
        let test = Some(&self.suite.tests[test]).filter(|test| !test.is_deterministic());
        let of = |test| identity(&self.sources(None), test);
        if let Some(identity) = test.and_then(of) {
            let keep = Store::new(&self.results);
            let before = keep.load(&outcome.test, identity);
            if let Err(error) = keep.keep(&outcome, identity, before.as_ref()) {
                outcome.notes.push(format!("the next run cannot continue this test: {error}"));
            }
        }
        outcome
    }
}

/// What tells a build, of whatever a test measures, and what is asked of it from the next. `None` where
/// that cannot be told, so that nothing is continued.
pub(super) fn identity(sources: &Sources<'_>, test: &Test) -> Option<u64> {
    let (budgets, base) = (sources.budgets, sources.base);
    let mut files = vec![std::env::current_exe().ok()?];
    if test.reading == Reading::RECORDED {
        // To read the same values again is no more evidence.
        return None;
    }
    let mut asked = vec![format!("{:?} {:?}", test.limit.bound, test.limit.target)];
    let other = match test.limit.reference() {
        Some(Reference::Budget(name)) => budgets.budgets.iter().find(|b| b.name == *name),
        _ => None,
    };
    for budget in [Some(&budgets.budgets[test.budget]), other].into_iter().flatten() {
        asked.push(format!(
            "{:?} {:?} {:?} {:?}",
            budget.subject, budget.build, budget.cases, budget.load
        ));
        if let Subject::Command(command) = &budget.subject {
            let words = sources.built(budget, test.case, &command.argv).ok()?;
            let paths = words.iter().map(|word| budgets.root.join(word));
            files.extend(paths.filter(|path| path.is_file()));
        }
    }
    if test.limit.reference() == Some(&Reference::Lock) {
        files.push(lock::place(&budgets.path));
    }
    if let (Some(Reference::Base), Some(base)) = (test.limit.reference(), base) {
        let builds = base.build().into_iter().chain(base.links()).chain(base.head_links());
        files.extend(builds.map(|build| build.binary.clone()));
    }
    fingerprint(files.iter().map(PathBuf::as_path), &asked)
}

/// Each file's path, size and time, and the rest.
fn fingerprint<'a>(files: impl IntoIterator<Item = &'a Path>, rest: &impl Hash) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    rest.hash(&mut hasher);
    for file in files {
        let data = file.metadata().ok()?;
        (file, data.len(), data.modified().ok()?).hash(&mut hasher);
    }
    Some(hasher.finish())
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(fail: f64, pass: f64) -> Outcome {
        let evidence = Evidence {
            fail,
            fail_at: 7.0,
            pass,
            pass_at: 3.0,
            detectable: None,
            processes: 3,
            values: 3,
            waited: None,
            preempted: None,
        };
        let test = "a::p99".to_owned();
        Outcome { test, evidence: Some(evidence), ..Outcome::default() }
    }

    #[test]
    fn what_is_held_is_forgotten_and_the_rest_continued() {
        let dir = std::env::temp_dir().join(format!("perf-budget-kept-{}", std::process::id()));
        let keep = Store::new(&dir);
        assert_eq!(keep.load("a::p99", 7), None);
        keep.keep(&outcome(2.0, -1.0), 7, None).unwrap();
        let first = keep.load("a::p99", 7).unwrap();
        assert_eq!(first.carried(), Carried { fail: 2.0, pass: -1.0 });
        assert!(first.note().ends_with("of an earlier run of the same build"));
        // Another build, or another limit, begins anew; so does another test.
        assert_eq!(keep.load("a::p99", 8), None);
        assert_eq!(keep.load("b::p99", 7), None);
        keep.keep(&outcome(9.0, -4.0), 7, Some(&first)).unwrap();
        assert!(keep.load("a::p99", 7).unwrap().note().contains("2 earlier runs"));
        keep.keep(&outcome(-9.0, 4.0), 7, None).unwrap();
        assert_eq!(keep.load("a::p99", 7), None);
        // Twenty thousand operations over their limit are odds as well.
        keep.keep(&outcome(9.0, -20_000.0), 7, None).unwrap();
        assert_eq!(
            keep.load("a::p99", 7).unwrap().carried().pass.to_bits(),
            (-20_000f64).to_bits()
        );
        keep.keep(&outcome(f64::MAX, -1.0), 7, None).unwrap();
        assert_eq!(keep.load("a::p99", 7), None);
        keep.keep(&outcome(2.0, -1.0), 7, None).unwrap();
        let skipped = Outcome { verdict: Verdict::Skipped, ..outcome(0.0, 0.0) };
        keep.keep(&skipped, 7, None).unwrap();
        assert_eq!(keep.load("a::p99", 7), None);
        // What noise broke says nothing of the build, not even what was known before.
        keep.keep(&outcome(2.0, -1.0), 7, None).unwrap();
        let noise = Outcome { doubt: Some(Doubt::Noise), ..outcome(362.0, -167.0) };
        keep.keep(&noise, 7, None).unwrap();
        assert_eq!(keep.load("a::p99", 7), None);
        // Of yesterday.
        let old = Stored { at: now() - FRESH.as_secs(), ..first };
        std::fs::write(keep.file("a::p99"), serde_json::to_vec(&old).unwrap()).unwrap();
        assert_eq!(keep.load("a::p99", 7), None);
        // Twice is no error.
        keep.keep(&outcome(-9.0, 4.0), 7, None).unwrap();
        std::fs::write(keep.file("a::p99"), "{ half").unwrap();
        assert_eq!(keep.load("a::p99", 7), None);
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn another_file_is_another_build() {
        let dir = std::env::temp_dir().join(format!("perf-budget-identity-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let file = dir.join("binary");
        std::fs::write(&file, "one").unwrap();
        let of = |limit: u32| fingerprint([file.as_path()], &limit);
        let before = of(1);
        assert!(before.is_some() && before == of(1) && before != of(2));
        std::fs::write(&file, "three").unwrap();
        assert_ne!(of(1), before);
        assert_eq!(fingerprint([dir.join("none").as_path()], &1), None);
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn what_is_kept_stays_as_it_is() {
        let stored: Stored = perf_budget_core::exact::frozen::frozen(
            r#"{"test":"a::p99","identity":18446744073709551615,"fail":2.3025850929940455,"pass":-20000.0,"runs":2,"at":1780000000}"#,
        );
        assert_eq!(
            (stored.identity, stored.fail, stored.runs),
            (u64::MAX, 2.302_585_092_994_045_5, 2)
        );
    }
}
