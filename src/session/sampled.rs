//! The places where a red spends its time, by samples. They are taken where Valgrind is missing, or where it counts the
//! same instructions on both sides.
//!
//! The stacks are written beside the record, and the command names their functions: unwinding them takes a reader of
//! debug information, which is too much to build for a test.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use perf_budget_core::fnv;
use perf_budget_core::metric::{Metric, SampleKind, Statistic};
use perf_budget_core::outcome::{Cause as Reason, Change, Outcome, Sampled, Unmeasured};
use perf_budget_core::quantity::Unit;
use perf_budget_core::samples::{Code, FOLDER, SIDES, Samples, file_name};
use perf_budget_core::suite::names;

use super::side::{Side, both};
use super::state::{Profiled, SampleResult, Session, lock};
use crate::instrument::sampled::{IS_KNOWN, Sampling, unsupported};

/// How many samples are taken of each side. A difference of 3 % needs this many.
const MOST: usize = 3000;
/// The fewest samples whose shares are reported.
const FEWEST: f64 = 100.0;
/// The longest time that the operations of one side run for it. A thousand samples take a quarter of a second.
const LONGEST: Duration = Duration::from_secs(8);

impl Session {
    /// Samples both sides of a case, unless that has been done. `within` is the time that is left for it, and `why` says why
    /// nothing was counted.
    pub(super) fn samples_of(
        &self,
        profiled: Profiled,
        name: &str,
        within: Duration,
        why: &str,
    ) -> SampleResult {
        let mut all = lock(&self.samples);
        if let Some(known) = all.get(&profiled) {
            return known.clone();
        }
        self.progress.clear();
        self.progress.show(|| format!("sampling {name}, to name what grew"));
        let taken = self.sample(profiled, name, within, why).map(Arc::new).map_err(|why| why.text);
        self.progress.clear();
        all.insert(profiled, taken.clone());
        taken
    }

    /// Returns the name that the files of a case have.
    pub(super) fn key_of(&self, profiled: Profiled, name: &str) -> String {
        let budget = &self.budgets.budgets[profiled.0];
        let case = names::case(budget, &budget.cases[profiled.1].label);
        // If each test is a process, the tests of a case do this at the same time, so each needs a file of its own.
        let name = if self.run_cache.is_some() { name } else { "" };
        let key = format!("{} {case} {profiled:?} {name}", self.run.checkout);
        fnv::name(key.as_bytes())
    }

    /// Samples both sides at the same time, while nothing is measured, so that the machine's other work affects both.
    fn sample(
        &self,
        profiled: Profiled,
        name: &str,
        within: Duration,
        why: &str,
    ) -> Result<Sampled, Unmeasured> {
        if !IS_KNOWN {
            return Err(unsupported());
        }
        let _lock = self.machine_lock.shared(&self.progress)?;
        let (head, reference) = self.sides(profiled)?;
        let budget = &self.budgets.budgets[profiled.0];
        let limited = budget.limits.iter().map(|limit| limit.metric.clone());
        let failures: Vec<Metric> =
            limited.filter(|metric| metric.sample() == SampleKind::Failure).collect();
        let files = self.results.join(FOLDER);
        let key = self.key_of(profiled, name);
        let [now, before] = SIDES.map(|side| files.join(file_name(&key, side)));
        let unread = StackFiles(Some([&now, &before]));
        let began = Instant::now();
        let run = |side: &Side, place: usize| {
            let file = [&now, &before][place];
            let longest = LONGEST.min(within / 3);
            let sampling = Sampling { file: file.clone(), most: MOST, longest };
            side.sample(&sampling, &failures, within).map_err(interrupted)?;
            let text = || format!("`{}` cannot be read", file.display());
            let samples = Samples::read(file)
                .map_err(|e| Unmeasured::new(Reason::Harness, e.to_string()))?
                .taken
                .len() as f64;
            let (_, at) =
                Code::state(file).ok_or_else(|| Unmeasured::new(Reason::Harness, text()))?;
            Ok::<_, Unmeasured>((samples, at))
        };
        let ((samples, at), of_before) = both(&head, reference.as_ref(), run)?;
        let before_samples = of_before.map_or(0.0, |sampled| sampled.0);
        let fewest = if reference.is_some() { samples.min(before_samples) } else { samples };
        if fewest < FEWEST {
            let text = format!(
                "only {fewest:.0} samples were taken, since so little time was spent in the operation"
            );
            return Err(Unmeasured::new(Reason::Unresolvable, text));
        }
        unread.keep();
        Ok(Sampled {
            now: text(&now),
            before: reference.is_some().then(|| text(&before)),
            at,
            samples: Change { before: before_samples, now: samples },
            judged: None,
            own: self.own_crates(&head).into_iter().collect(),
            seconds: began.elapsed().as_secs_f64(),
            why: why.to_owned(),
        })
    }
}

/// Files that are removed unless somebody is there to read them: a stack may contain whatever a workload had in memory.
struct StackFiles<'p>(Option<[&'p PathBuf; 2]>);

impl StackFiles<'_> {
    /// Keeps the files, since somebody will read them.
    fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for StackFiles<'_> {
    fn drop(&mut self) {
        for file in self.0.into_iter().flatten() {
            // A file that does not exist need not be removed, and one that stays is removed later.
            let _ = std::fs::remove_file(file);
        }
    }
}

/// Returns the time of one operation on both sides as it was judged. The time before is 0 if nothing was compared. `None` if a
/// tail percentile was judged, and not the mean or the median.
pub(super) fn judged(outcome: &Outcome, metric: &Metric) -> Option<Change> {
    let is_middle = matches!(metric.statistic(), None | Some(Statistic::Mean | Statistic::P50));
    if !is_middle {
        return None;
    }
    if let Some(sides) = &outcome.sides {
        let is_time = sides.unit == Unit::Seconds;
        return is_time
            .then_some(Change { before: sides.reference.value, now: sides.subject.value });
    }
    let (against, estimate) = outcome.against.as_ref().zip(outcome.estimate)?;
    (against.unit == Unit::Seconds).then_some(Change { before: 0.0, now: estimate.value })
}

/// Adds to the reason of a failed workload that the samples are to blame, if a signal has interrupted one of its system
/// calls.
fn interrupted(why: Unmeasured) -> Unmeasured {
    // Rust shows such an error on Linux by its kind and by its number.
    let is_so = ["Interrupted", "os error 4)", "EINTR"].iter().any(|sign| why.text.contains(sign));
    let text = "a sample interrupts a call of the system, and some calls must then be repeated by the code that made \
                them; without samples this does not happen";
    if is_so { Unmeasured { text: format!("{} ({text})", why.text), ..why } } else { why }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use perf_budget_core::budget::Bound;
    use perf_budget_core::metric::SubjectKind;
    use perf_budget_core::outcome::{Against, Estimate};

    use super::*;

    #[test]
    fn a_call_that_a_sample_interrupts_is_no_fault_of_the_workload() {
        let error = std::io::Error::from(std::io::ErrorKind::Interrupted);
        let own = format!("workload `wait` failed: {error:?}");
        let explained = interrupted(Unmeasured::new(Reason::Panicked, own.clone()));
        assert!(
            explained.text.starts_with(&own) && explained.text.contains("without samples"),
            "{}",
            explained.text
        );
        let other = Unmeasured::new(Reason::Panicked, "workload `wait` failed: os error 44)");
        assert_eq!(interrupted(other.clone()).text, other.text);
    }

    #[test]
    fn the_time_of_an_operation_is_the_one_that_was_judged() {
        let known = Metric::known(SubjectKind::Workload);
        let metric = |name| known.iter().find(|metric| metric.name() == name).unwrap();
        let (p50, p99) = (metric("p50"), metric("p99"));
        let against =
            |unit| Against { bound: Bound::Max, limit: 50e-6, warn: 50e-6, tolerance: 0.0, unit };
        let estimate = Estimate { value: 67.9e-6, low: None, high: None };
        let outcome = |unit| Outcome {
            against: Some(against(unit)),
            estimate: Some(estimate),
            ..Outcome::default()
        };
        // A limit in seconds compares nothing, and has only one side.
        let number = outcome(Unit::Seconds);
        assert_eq!(judged(&number, p50), Some(Change { before: 0.0, now: 67.9e-6 }));
        assert_eq!(judged(&number, p99), None);
        // An estimate that is not a time does not show how long an operation takes.
        assert_eq!(judged(&outcome(Unit::Ratio), p50), None);
        assert_eq!(judged(&Outcome::default(), p50), None);
    }

    #[test]
    fn samples_that_nobody_reads_are_removed() {
        let place = |name: &str| {
            std::env::temp_dir().join(format!("perf-budget-unread-{}-{name}", std::process::id()))
        };
        let (now, before) = (place("now"), place("before"));
        std::fs::write(&now, "").unwrap();
        StackFiles(Some([&now, &before])).keep();
        assert!(now.exists());
        drop(StackFiles(Some([&now, &before])));
        assert!(!now.exists());
    }
}
