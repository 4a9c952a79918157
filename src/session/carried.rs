//! Evidence that a run leaves for the next one of the same build, so that running again continues a test
//! instead of starting the test anew.
//!
//! A limit that was red or inconclusive is continued. Evidence multiplies, and each further run takes more room to pass, so
//! running again until the limit is green (or red) hardly changes the chance of a wrong verdict. A limit that was shown
//! to hold leaves nothing, and one that failed while the machine was noisy leaves only that there was a run.
//! Each test has a file of its own, since each may be a process of its own.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use perf_budget_core::atomic;
use perf_budget_core::error::Error;
use perf_budget_core::exact;
use perf_budget_core::fnv;
use perf_budget_core::outcome::{Doubt, Evidence, Outcome, words};
use perf_budget_core::suite::Test;
use perf_budget_core::verdict::Verdict;
use perf_budget_core::verdict::judge::Carried;
use serde::{Deserialize, Serialize};

use super::identity::identity;
use super::state::Session;
use crate::seal::Seal;

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
        Carried { fail: self.fail, pass: self.pass, varied: self.varied, runs: self.runs }
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

    /// Stores the evidence of an outcome for the next run, or removes it if the limit holds.
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
        // A limit that holds has used up its evidence. What was skipped or not measured has none, and changes nothing.
        // A waiver makes a warning of a red, which is no less broken for that.
        let is_held = matches!(outcome.verdict, Verdict::Pass | Verdict::Warn);
        if is_held && !outcome.is_waived() {
            return self.forget(&outcome.test);
        }
        let Some(evidence) = outcome.evidence.filter(|_| outcome.verdict != Verdict::Skipped)
        else {
            return Ok(());
        };
        // Certainty is not stored, because further evidence adds nothing to it. But an e-value as small as e^-700 is
        // stored, since the test would begin anew without it.
        if evidence.fail.abs() >= CERTAIN || evidence.pass.abs() >= CERTAIN {
            return self.forget(&outcome.test);
        }
        let (fail, pass) = continued(outcome, &evidence);
        let stored = Stored {
            test: outcome.test.clone(),
            identity,
            fail,
            pass,
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
            // What holds without evidence may not be built, so it has no identity.
            return store.keep(outcome, 0, None);
        }
        let Some(identity) = identity(&self.sources(None), test) else { return Ok(()) };
        let before = store.load(&outcome.test, identity);
        store.keep(outcome, identity, before.as_ref())
    }
}

/// Returns the evidence, to fail and to pass, with which the next run begins.
///
/// A limit that was red, and one whose processes differ too much to pass, may have evidence to pass as well, since
/// operations count one by one for that. After a red it is worth nothing, and otherwise no more than a pass takes. What is
/// never forgotten is that there was a run: each later one needs more room to pass.
fn continued(outcome: &Outcome, evidence: &Evidence) -> (f64, f64) {
    // Values that other work on the machine may have caused are no evidence about the build. The same holds for a shown
    // violation that may only be due to where a few links placed functions.
    let is_luck = match outcome.doubt {
        Some(Doubt::Noise) => true,
        Some(Doubt::Layout) => evidence.fail >= evidence.fail_at,
        Some(Doubt::NearLimit | Doubt::Underpowered) | None => false,
    };
    if is_luck {
        return (0.0, 0.0);
    }
    let is_red = outcome.verdict == Verdict::Fail || outcome.is_waived();
    let most = if is_red { 0.0 } else { evidence.pass_at };
    (evidence.fail, evidence.pass.min(most))
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use perf_budget_core::date::Date;
    use perf_budget_core::outcome::{Effect, Waived};

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
        assert_eq!(first.carried(), Carried { fail: 2.0, pass: -1.0, varied: false, runs: 1 });
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
        let held = Outcome { verdict: Verdict::Pass, ..outcome(-9.0, 4.0) };
        store.keep(&held, 7, None).unwrap();
        assert_eq!(store.load("a::p99", 7), None);
        // Evidence to pass, where only the room was missing, is kept up to what a pass takes, and none of a red's is.
        for (verdict, pass) in [(Verdict::Inconclusive, 3.0), (Verdict::Fail, 0.0)] {
            store.keep(&Outcome { verdict, ..outcome(9.0, 4.0) }, 7, None).unwrap();
            let carried = store.load("a::p99", 7).unwrap().carried();
            assert_eq!(carried, Carried { fail: 9.0, pass, varied: false, runs: 1 });
        }
        // A waiver makes a warning of a red, and is not what makes a limit hold.
        for (effect, pass) in [(Effect::Waived, Some(0.0)), (Effect::Unneeded, None)] {
            let waived = Waived {
                until: Date::of_unix(0),
                owner: "ann".to_owned(),
                why: "the new parser".to_owned(),
                effect,
            };
            let verdict = Verdict::Warn;
            let waived = Outcome { verdict, waived: Some(waived), ..outcome(9.0, 4.0) };
            store.keep(&waived, 7, None).unwrap();
            assert_eq!(store.load("a::p99", 7).map(|stored| stored.carried().pass), pass);
        }
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
        store.keep(&Outcome { evidence: None, ..outcome(0.0, 0.0) }, 7, None).unwrap();
        let first_run = store.load("a::p99", 7).unwrap();
        assert_eq!(first_run.carried(), Carried { fail: 2.0, pass: -1.0, varied: false, runs: 1 });
        // The evidence of a limit that failed amid noise is removed, the earlier one too; that there were runs is not.
        let noise = Outcome { doubt: Some(Doubt::Noise), ..outcome(362.0, -167.0) };
        store.keep(&noise, 7, Some(&first_run)).unwrap();
        let carried = store.load("a::p99", 7).unwrap().carried();
        assert_eq!(carried, Carried { fail: 0.0, pass: 0.0, varied: false, runs: 2 });
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
        store.keep(&held, 7, None).unwrap();
        store.keep(&held, 7, None).unwrap();
        std::fs::write(store.file("a::p99"), "{ half").unwrap();
        assert_eq!(store.load("a::p99", 7), None);
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
