//! Evidence that a run leaves for the next one of the same build, so that running again continues a test
//! instead of starting the test anew.
//!
//! A limit that was red or inconclusive is continued. Evidence multiplies, so running again until the limit is green
//! (or red) does not change the chance of a wrong verdict. A limit that was shown to hold leaves nothing, and neither
//! does one that failed while the machine was noisy. Each test has a file of its own, since each may be a process of
//! its own.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use perf_budget_core::atomic;
use perf_budget_core::budget::{Reference, Subject, lock};
use perf_budget_core::error::Error;
use perf_budget_core::exact;
use perf_budget_core::fnv;
use perf_budget_core::outcome::{Doubt, Evidence, Outcome, words};
use perf_budget_core::suite::{ReadBy, Test};
use perf_budget_core::verdict::Verdict;
use perf_budget_core::verdict::judge::Carried;
use serde::{Deserialize, Serialize};

use super::state::Session;
use crate::seal::Seal;
use crate::subject::Sources;

/// The greatest age of evidence. Evidence that is older is not used, because the machine may have changed.
pub(super) const FRESH: Duration = Duration::from_secs(24 * 60 * 60);

/// The directory of the evidence, in that of the results.
pub(super) const EVIDENCE: &str = "evidence";

/// The logarithm from which an e-value counts as certainty. Values never reach it. Only a rule that needs no
/// evidence does, such as the rule for a limit on a greatest value.
const CERTAIN: f64 = 1e300;

/// The stored evidence of one limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Stored {
    test: String,
    /// The hash of the build and of the limit.
    identity: u64,
    /// The natural logarithm of the e-value for a fail, over all runs so far.
    fail: f64,
    /// The natural logarithm of the e-value for a pass, over all runs so far.
    pass: f64,
    /// The number of these runs.
    runs: u32,
    /// When the last of them ended, in seconds since 1970.
    at: u64,
    /// Whether the values differed within one of these runs. Earlier releases did not store it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    varied: bool,
    /// The seal of all this. Evidence of an earlier release has none, and is not used.
    #[serde(default)]
    seal: String,
}

impl Stored {
    /// Returns the evidence with the seal that it must have.
    fn sealed(mut self, seal: Seal) -> Stored {
        let Stored { test, identity, fail, pass, runs, at, varied, .. } = &self;
        let (fail, pass) = (fail.to_bits(), pass.to_bits());
        // Earlier releases sealed evidence without this word.
        let varied = if *varied { "varied " } else { "" };
        let content = format!("{identity} {fail} {pass} {runs} {at} {varied}{test}");
        self.seal = seal.sign("evidence", content.as_bytes());
        self
    }

    /// Returns the evidence that the next judgement begins with.
    pub(super) fn carried(&self) -> Carried {
        Carried { fail: self.fail, pass: self.pass, varied: self.varied }
    }

    /// Returns the note for a reader of the outcome.
    pub(super) fn note(&self) -> String {
        match self.runs {
            1 => "continues the evidence of an earlier run of the same build".to_owned(),
            n => format!("continues the evidence of {n} earlier runs of the same build"),
        }
    }
}

/// The directory of the stored evidence.
#[derive(Debug, Clone)]
pub(super) struct Store {
    directory: PathBuf,
    /// The seal of the evidence. Without a seal nothing is stored.
    seal: Option<Seal>,
}

impl Store {
    pub(super) fn new(results: &Path, seal: Option<Seal>) -> Store {
        Store { directory: results.join(EVIDENCE), seal }
    }

    /// Returns the evidence that earlier runs of the same build left about a test. A file that cannot be read, or that
    /// this user's harness has not written, is ignored: that only costs time.
    pub(super) fn load(&self, test: &str, identity: u64) -> Option<Stored> {
        let stored: Stored = exact::read(&std::fs::read(self.file(test)).ok()?).ok()?;
        let is_valid = stored.fail.is_finite() && stored.pass.is_finite();
        let is_own = stored.clone().sealed(self.seal?) == stored;
        // If the clock was set back since, the evidence seems to come from the future, and its age is not known.
        let age = now().checked_sub(stored.at);
        let is_fresh = age.is_some_and(|age| age < FRESH.as_secs());
        (is_own && is_valid && is_fresh && stored.test == test && stored.identity == identity)
            .then_some(stored)
    }

    /// Stores the evidence of an outcome for the next run, or removes it if the next run must begin anew.
    ///
    /// # Errors
    /// If the file cannot be written or removed.
    pub(super) fn keep(
        &self,
        outcome: &Outcome,
        identity: u64,
        before: Option<&Stored>,
    ) -> Result<(), Error> {
        let file = self.file(&outcome.test);
        // Certainty is not stored, because further evidence adds nothing to it. But an e-value as small as e^-700 is
        // stored, since the test would begin anew without it.
        let is_open = |evidence: &Evidence| {
            let is_uncertain = |log: f64| log.abs() < CERTAIN;
            evidence.pass < evidence.pass_at
                && is_uncertain(evidence.fail)
                && is_uncertain(evidence.pass)
        };
        // A skipped test has no evidence. Values that other work on the machine may have caused are no evidence about
        // the build either. The same holds for a shown violation that may only be due to where a few links placed
        // functions.
        let showed_fail = |evidence: Evidence| evidence.fail >= evidence.fail_at;
        let is_luck = match outcome.doubt {
            Some(Doubt::Noise) => true,
            Some(Doubt::Layout) => outcome.evidence.is_some_and(showed_fail),
            Some(Doubt::NearLimit | Doubt::Underpowered) | None => false,
        };
        let is_done = is_luck || matches!(outcome.verdict, Verdict::Pass | Verdict::Skipped);
        let Some(evidence) = outcome.evidence.filter(is_open).filter(|_| !is_done) else {
            return self.forget(&outcome.test);
        };
        let stored = Stored {
            test: outcome.test.clone(),
            identity,
            fail: evidence.fail,
            pass: evidence.pass,
            runs: before.map_or(0, |before| before.runs) + 1,
            at: now(),
            varied: outcome.shape.as_ref().is_some_and(words::varies)
                || before.is_some_and(|before| before.varied),
            seal: String::new(),
        };
        // Without a seal nothing is stored, and the next run begins anew.
        let Some(seal) = self.seal else { return Ok(()) };
        atomic::write_json(&file, &stored.sealed(seal))
    }

    /// Removes what is stored about a test, so that the next run begins anew.
    ///
    /// # Errors
    /// If the file cannot be removed.
    fn forget(&self, test: &str) -> Result<(), Error> {
        let file = self.file(test);
        match std::fs::remove_file(&file) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::io("remove", &file, e))
            }
            _ => Ok(()),
        }
    }

    /// Returns the file of a test. Its name is a hash, since the name of a test may have characters that a file name
    /// may not have.
    fn file(&self, test: &str) -> PathBuf {
        self.directory.join(format!("{}.json", fnv::name(test.as_bytes())))
    }
}

impl Session {
    /// Returns the evidence that earlier runs of the same build left about a test, whose subject is built.
    pub(super) fn stored(&self, test: usize) -> Option<Stored> {
        let test = Some(&self.suite.tests[test]).filter(|test| !test.is_deterministic())?;
        let identity = identity(&self.sources(None), test)?;
        Store::new(&self.results, Seal::of_user()).load(&test.name, identity)
    }

    /// Stores the evidence of an outcome for the next run of the same build. Returns the outcome; if its evidence could
    /// not be stored, a note says so.
    pub(super) fn remember(&self, test: usize, outcome: &Outcome) -> Outcome {
        let mut outcome = self.with_cause(test, outcome.clone());
        let test = Some(&self.suite.tests[test]).filter(|test| !test.is_deterministic());
        if let Some(Err(error)) = test.map(|test| self.store(test, &outcome)) {
            outcome.notes.push(format!("the next run cannot continue this test: {error}"));
        }
        outcome
    }

    /// Stores the evidence of an outcome. A test that was not measured may not be built either, and has nothing to
    /// store.
    fn store(&self, test: &Test, outcome: &Outcome) -> Result<(), Error> {
        let store = Store::new(&self.results, Seal::of_user());
        if outcome.evidence.is_none() {
            return store.forget(&outcome.test);
        }
        let Some(identity) = identity(&self.sources(None), test) else { return Ok(()) };
        let before = store.load(&outcome.test, identity);
        store.keep(outcome, identity, before.as_ref())
    }
}

/// Returns a hash that identifies the build of what a test measures, and the limit. `None` if the build cannot be
/// identified; then no evidence is continued.
pub(super) fn identity(sources: &Sources<'_>, test: &Test) -> Option<u64> {
    let (budgets, base) = (sources.budgets, sources.base);
    let mut files = vec![std::env::current_exe().ok()?];
    if test.reading == ReadBy::RECORDED {
        // Reading the same record again gives no new evidence.
        return None;
    }
    let limit = &test.limit;
    // A limit of another environment is another limit, even if its number is the same.
    let judged = (&budgets.environment, limit.bound, &limit.target);
    let mut described = vec![format!("{judged:?}")];
    let reference = match test.limit.reference() {
        Some(Reference::Budget(name)) => budgets.budgets.iter().find(|b| b.name == *name),
        _ => None,
    };
    for budget in [Some(&budgets.budgets[test.budget]), reference].into_iter().flatten() {
        described.push(format!(
            "{:?} {:?} {:?} {:?} {:?}",
            budget.subject, budget.build, budget.cases, budget.load, budget.constraint
        ));
        if matches!(budget.subject, Subject::Benchmark(..)) {
            files.extend(sources.benchmarks().programs(budget, test)?);
        }
        if let Subject::Command(command) = &budget.subject {
            let words = sources.built(budget, test.case, &command.argv).ok()?;
            let paths = words.iter().map(|word| budgets.root.join(word));
            files.extend(paths.filter(|path| path.is_file()));
            files.extend(command.stdin.iter().map(|file| budgets.root.join(file)));
        }
    }
    if test.limit.reference() == Some(&Reference::Lock) {
        files.push(lock::place(&budgets.path));
    }
    if let (Some(Reference::Base), Some(base)) = (test.limit.reference(), base) {
        let budget = &budgets.budgets[test.budget];
        if matches!(budget.subject, Subject::Benchmark(..)) {
            // The programs themselves are among the files already.
            let links = base.different(budget, test.case).and_then(|own| own.links.as_ref());
            files.extend(links.map_or(Some(Vec::new()), |links| links.identity())?);
        } else {
            files.extend(base.build().map(|build| build.binary.clone()));
            files.extend(base.links().identity()?);
            described.extend(base.link_notes.iter().cloned());
        }
    }
    fingerprint(files.iter().map(PathBuf::as_path), &described)
}

/// Returns the hash of each file's path, length and time, and of the rest. `None` if a file cannot be read.
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
            detectable_longer: None,
            effort_to_settle: None,
            processes: 3,
            values: 3,
            waited: None,
            preempted: None,
        };
        let test = "a::p99".to_owned();
        Outcome { test, evidence: Some(evidence), ..Outcome::default() }
    }

    #[test]
    fn evidence_is_continued_unless_the_limit_holds() {
        let dir = std::env::temp_dir().join(format!("perf-budget-carried-{}", std::process::id()));
        let seal = Seal::in_directory(&dir.join("keys")).unwrap();
        let store = Store::new(&dir, Some(seal));
        assert_eq!(store.load("a::p99", 7), None);
        store.keep(&outcome(2.0, -1.0), 7, None).unwrap();
        let first = store.load("a::p99", 7).unwrap();
        assert_eq!(first.carried(), Carried { fail: 2.0, pass: -1.0, varied: false });
        assert!(first.note().ends_with("of an earlier run of the same build"));
        // If values differed in one run, the next run does not take them for values that never vary.
        let showing = |values: &[f64]| Outcome {
            shape: Some(words::shape("processes".to_owned(), values.to_vec())),
            ..outcome(2.0, -1.0)
        };
        for (values, varied) in [([3.0, 3.0], false), ([3.0, 4.0], true), ([3.0, 3.0], true)] {
            store.keep(&showing(&values), 7, store.load("a::p99", 7).as_ref()).unwrap();
            assert_eq!(store.load("a::p99", 7).unwrap().carried().varied, varied);
        }
        // Another build, another limit and another test begin anew.
        assert_eq!(store.load("a::p99", 8), None);
        assert_eq!(store.load("b::p99", 7), None);
        store.keep(&outcome(9.0, -4.0), 7, Some(&first)).unwrap();
        assert!(store.load("a::p99", 7).unwrap().note().contains("2 earlier runs"));
        store.keep(&outcome(-9.0, 4.0), 7, None).unwrap();
        assert_eq!(store.load("a::p99", 7), None);
        // The e-value of twenty thousand operations over their limit is stored too.
        store.keep(&outcome(9.0, -20_000.0), 7, None).unwrap();
        assert_eq!(
            store.load("a::p99", 7).unwrap().carried().pass.to_bits(),
            (-20_000f64).to_bits()
        );
        store.keep(&outcome(f64::MAX, -1.0), 7, None).unwrap();
        assert_eq!(store.load("a::p99", 7), None);
        store.keep(&outcome(2.0, -1.0), 7, None).unwrap();
        let skipped = Outcome { verdict: Verdict::Skipped, ..outcome(0.0, 0.0) };
        store.keep(&skipped, 7, None).unwrap();
        assert_eq!(store.load("a::p99", 7), None);
        // A limit that failed amid noise begins anew, and the earlier evidence is removed too.
        store.keep(&outcome(2.0, -1.0), 7, None).unwrap();
        let noise = Outcome { doubt: Some(Doubt::Noise), ..outcome(362.0, -167.0) };
        store.keep(&noise, 7, None).unwrap();
        assert_eq!(store.load("a::p99", 7), None);
        // Evidence of yesterday is too old.
        let ahead = Stored { at: now() + 3600, ..first.clone() }.sealed(seal);
        let old = Stored { at: now() - FRESH.as_secs(), ..first.clone() }.sealed(seal);
        std::fs::write(store.file("a::p99"), serde_json::to_vec(&old).unwrap()).unwrap();
        assert_eq!(store.load("a::p99", 7), None);
        // Evidence that was edited, or that comes from elsewhere, is not used.
        let other = Seal::in_directory(&dir.join("other keys")).unwrap();
        let fresh = Stored { at: now(), ..first };
        for (stored, used) in [
            (fresh.clone().sealed(seal), true),
            // The clock was set back after this was stored, so its time is in the future.
            (ahead, false),
            (Stored { pass: 1e200, ..fresh.clone().sealed(seal) }, false),
            (fresh.clone().sealed(other), false),
            (Stored { seal: String::new(), ..fresh.clone() }, false),
        ] {
            std::fs::write(store.file("a::p99"), serde_json::to_vec(&stored).unwrap()).unwrap();
            assert_eq!(store.load("a::p99", 7).is_some(), used, "{stored:?}");
        }
        assert_eq!(Store::new(&dir, None).load("a::p99", 7), None);
        // Evidence that is not there can be removed again without an error.
        store.keep(&outcome(-9.0, 4.0), 7, None).unwrap();
        std::fs::write(store.file("a::p99"), "{ half").unwrap();
        assert_eq!(store.load("a::p99", 7), None);
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn a_changed_file_is_another_build() {
        let dir = std::env::temp_dir().join(format!("perf-budget-identity-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let file = dir.join("binary");
        std::fs::write(&file, "one").unwrap();
        let hash = |limit: u32| fingerprint([file.as_path()], &limit);
        let before = hash(1);
        assert!(before.is_some() && before == hash(1) && before != hash(2));
        std::fs::write(&file, "three").unwrap();
        assert_ne!(hash(1), before);
        assert_eq!(fingerprint([dir.join("none").as_path()], &1), None);
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn the_format_of_stored_evidence_stays_the_same() {
        let stored: Stored = perf_budget_core::exact::frozen::frozen(
            r#"{"test":"a::p99","identity":18446744073709551615,"fail":2.3025850929940455,"pass":-20000.0,"runs":2,"at":1780000000,"seal":"00ff"}"#,
        );
        assert_eq!(
            (stored.identity, stored.fail, stored.runs),
            (u64::MAX, 2.302_585_092_994_045_5, 2)
        );
        // An earlier release wrote no seal.
        let earlier =
            r#"{"test":"a::p99","identity":7,"fail":2.0,"pass":-1.0,"runs":1,"at":1780000000}"#;
        assert_eq!(exact::read::<Stored>(earlier.as_bytes()).unwrap().seal, "");
    }
}
