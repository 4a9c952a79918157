//! The accepted values of `budgets.lock`: which of them belongs to a test, and what a limit against it amounts to on
//! this machine.

use std::path::PathBuf;

use crate::budget::lock::{self, Environment, Lock, Locked};
use crate::budget::{Bound, Budget, Limit, Reference, Target};
use crate::enforce::PendingLimit;
use crate::error::Error;
use crate::metric::{Metric, Units};
use crate::outcome::{Accepted, Outcome, Run};
use crate::paths;
use crate::quantity::{Quantity, Unit};
use crate::verdict::judge::Carried;

/// A limit that no reading is beyond, for a value that is measured only to be accepted.
const OUT_OF_REACH: f64 = f64::MAX / 4.0;

/// The accepted values, and the environment in which they are used.
pub struct AcceptedValues {
    lock: Lock,
    path: PathBuf,
    here: Environment,
}

/// Why a limit against an accepted value cannot be judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unjudged {
    /// Nothing is accepted yet, or only in another environment. This is nobody's fault.
    SetAside(String),
    /// The accepted value has another unit than the limit.
    Unsuitable(String),
}

impl AcceptedValues {
    /// Loads the accepted values beside the file of budgets, for a run.
    ///
    /// # Errors
    /// The errors are those of [`lock::load`].
    pub fn beside(budgets: &std::path::Path, run: &Run) -> Result<AcceptedValues, Error> {
        let path = lock::place(budgets);
        Ok(AcceptedValues { lock: lock::load(&path)?, path, here: environment(run) })
    }

    /// Gives an outcome the accepted value of what it measures.
    pub fn attach(&self, outcome: &mut Outcome, limit: &Limit) {
        let Some(locked) = self.lock.values.get(&outcome.series()) else { return };
        if let Some(fault) = self.unsuitable(outcome, limit, locked) {
            outcome.notes.push(fault);
            return;
        }
        let Locked { value, low, high, unit, date, .. } = *locked;
        let elsewhere = (locked.environment != self.here).then(|| locked.environment.to_string());
        let factor = match limit.target {
            Target::Relative { factor, reference: Reference::Lock } => Some(factor),
            Target::Relative { reference: Reference::Base | Reference::Budget(_), .. }
            | Target::Absolute(_) => None,
        };
        let (commit, counter) = (locked.commit.clone(), locked.counter.clone());
        outcome.accepted =
            Some(Accepted { value, low, high, unit, date, commit, elsewhere, counter, factor });
    }

    /// Returns why a limit `FACTOR x lock` cannot be judged; `outcome` is the test's before it is measured.
    pub fn unjudged(&self, outcome: &Outcome, limit: &Limit) -> Option<Unjudged> {
        let Some(Reference::Lock) = limit.reference() else { return None };
        let series = outcome.series();
        let Some(locked) = self.lock.values.get(&series) else {
            return Some(Unjudged::SetAside(format!("no value of `{series}` is accepted yet")));
        };
        let Some(accepted) = &outcome.accepted else {
            return self.unsuitable(outcome, limit, locked).map(Unjudged::Unsuitable);
        };
        let elsewhere = accepted.elsewhere.as_ref().filter(|_| !limit.metric.is_deterministic())?;
        Some(Unjudged::SetAside(format!(
            "the value of `{series}` was accepted in another environment ({elsewhere}), and statistical values \
             differ from one to another"
        )))
    }

    /// Returns the limit as it is judged here, with the waiver that holds for it.
    pub fn pending(&self, template: Outcome, limit: &Limit, budget: &Budget) -> PendingLimit {
        let mut limit = limit.clone();
        limit.waiver = limit.waiver.or_else(|| budget.waiver.clone());
        let unjudged = match self.unjudged(&template, &limit) {
            Some(Unjudged::SetAside(reason) | Unjudged::Unsuitable(reason)) => Some(reason),
            None => None,
        };
        let Target::Relative { factor, reference: Reference::Lock } = limit.target else {
            return PendingLimit { limit, template, unjudged: None, carried: Carried::default() };
        };
        let quantity = match (&unjudged, &template.accepted, limit.bound) {
            (None, Some(accepted), _) => Quantity::new(accepted.value * factor, accepted.unit),
            (_, _, Bound::Max) => Quantity::new(OUT_OF_REACH, unit(&limit.metric, budget)),
            (_, _, Bound::Min) => Quantity::new(-OUT_OF_REACH, unit(&limit.metric, budget)),
        };
        // A value that stays as it was accepted is near its limit by intention.
        (limit.warn, limit.target) = (Some(quantity), Target::Absolute(quantity));
        PendingLimit {
            limit,
            template,
            carried: Carried::default(),
            unjudged: unjudged.map(|reason| (reason, factor)),
        }
    }

    /// Returns a message if the accepted value has another unit than the limit.
    fn unsuitable(&self, outcome: &Outcome, limit: &Limit, locked: &Locked) -> Option<String> {
        let fits = match (&limit.target, limit.metric.units()) {
            _ if outcome.relative_to.is_some() => locked.unit == Unit::Number,
            (Target::Absolute(quantity), _) => locked.unit == quantity.unit,
            (Target::Relative { .. }, Units::One(unit)) => locked.unit == unit,
            (Target::Relative { .. }, Units::Rate) => {
                matches!(locked.unit, Unit::PerSecond | Unit::BytesPerSecond)
            }
            (Target::Relative { .. }, Units::Any) => true,
        };
        (!fits).then(|| {
            format!(
                "the value accepted of `{}` is {}, but `{}` is not ({}:{}); remove that block, and \
                 accept the value of the next run",
                outcome.series(),
                locked.unit.noun(),
                limit.metric,
                paths::display_path(&self.path),
                locked.line
            )
        })
    }
}

/// Returns the environment of a run: what its statistical values depend on besides the code.
pub fn environment(run: &Run) -> Environment {
    let Run { processor, cores, platform, profile, .. } = run.clone();
    Environment { processor, cores, platform, profile }
}

/// Returns the unit of a metric; if it may have several, the unit of another limit on it.
fn unit(metric: &Metric, budget: &Budget) -> Unit {
    let other = budget.limits.iter().filter(|limit| limit.metric == *metric);
    let other = other.into_iter().find_map(|limit| match limit.target {
        Target::Absolute(quantity) => Some(quantity.unit),
        Target::Relative { .. } => None,
    });
    match metric.units() {
        Units::One(unit) => unit,
        Units::Rate => other.unwrap_or(Unit::PerSecond),
        Units::Any => other.unwrap_or(Unit::Number),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const LOCK: &str = r#"
        version = 1
        ["a::p99"]
        value = 0.0051
        unit = "s"
        date = "2026-11-01"
        environment = { platform = "linux x86_64", processor = "Z80", cores = 2, profile = "release" }
        ["a::gzip"]
        value = 100
        unit = "B"
        date = "2026-11-01"
        environment = { platform = "plan9 mips", processor = "R4000", cores = 1, profile = "debug" }
        ["b::gzip"]
        value = 100
        unit = "s"
        date = "2026-11-01"
        environment = { platform = "linux x86_64", processor = "Z80", cores = 2, profile = "release" }
    "#;

    /// Returns each of the `limits` of the budget `name` as it is judged on a machine with this processor, and why it cannot
    /// be judged.
    fn judged_limits(
        subject: &str,
        name: &str,
        limits: &str,
        processor: &str,
    ) -> Vec<(PendingLimit, Option<Unjudged>)> {
        let text = format!("[budget.{name}]\n{subject}\n{limits}\n");
        let budgets = crate::budget::parse(&text, Path::new("budgets.toml")).unwrap();
        let path = lock::place(&budgets.path);
        let lock = lock::parse(LOCK, &path).unwrap();
        let here = Environment {
            processor: processor.to_owned(),
            cores: 2,
            platform: "linux x86_64".to_owned(),
            profile: "release".to_owned(),
        };
        let values = AcceptedValues { lock, path, here };
        let budget = &budgets.budgets[0];
        let judged = |limit: &std::sync::Arc<Limit>| {
            let metric = limit.metric.name();
            let mut template = Outcome { budget: name.to_owned(), metric, ..Outcome::default() };
            values.attach(&mut template, limit);
            let unjudged = values.unjudged(&template, limit);
            (values.pending(template, limit, budget), unjudged)
        };
        budget.limits.iter().map(judged).collect()
    }

    fn target(pending: &PendingLimit) -> Quantity {
        match pending.limit.target {
            Target::Absolute(quantity) => quantity,
            Target::Relative { .. } => panic!("{:?}", pending.limit),
        }
    }

    const WORKLOAD: &str = "workload = \"w\"";
    const ARTIFACT: &str = "artifact = \"f\"";

    #[test]
    fn an_accepted_value_makes_a_limit() {
        let both = judged_limits(WORKLOAD, "a", "max.p99 = [\"10 ms\", \"2 x lock\"]", "Z80");
        let [(absolute, None), (locked, None)] = &both[..] else { panic!("{both:?}") };
        assert_eq!(target(absolute), Quantity::new(0.01, Unit::Seconds));
        assert_eq!(absolute.template.accepted.as_ref().unwrap().factor, None);
        assert_eq!(target(locked), Quantity::new(0.0102, Unit::Seconds));
        assert_eq!(locked.limit.warn, Some(target(locked)));
        assert_eq!(locked.template.accepted.as_ref().unwrap().factor, Some(2.0));
        assert_eq!(locked.unjudged, None);
    }

    #[track_caller]
    fn set_aside(pending: &(PendingLimit, Option<Unjudged>), words: &str) {
        let Some(Unjudged::SetAside(reason)) = &pending.1 else { panic!("{pending:?}") };
        assert!(reason.contains(words), "{reason}");
        assert_eq!(pending.0.unjudged.as_ref().map(|(reason, _)| reason), Some(reason));
        assert!(target(&pending.0).value.abs() > 1e300);
    }

    #[test]
    fn statistical_values_stay_where_they_were_accepted() {
        let elsewhere = "environment (Z80, 2 cores, linux x86_64, release)";
        set_aside(&judged_limits(WORKLOAD, "a", "max.p99 = \"2 x lock\"", "6502")[0], elsewhere);
        // Deterministic values are the same everywhere.
        let exact = judged_limits(ARTIFACT, "a", "max.gzip = \"2 x lock\"", "6502");
        assert_eq!((target(&exact[0].0).value.to_bits(), &exact[0].1), (200_f64.to_bits(), &None));
    }

    #[test]
    fn a_value_that_is_not_accepted_yet_sets_its_limit_aside() {
        set_aside(
            &judged_limits(WORKLOAD, "b", "max.p99 = \"2 x lock\"", "Z80")[0],
            "no value of `b::p99`",
        );
        let floor =
            &judged_limits(WORKLOAD, "b", "min.throughput = [\"1 MB/s\", \"2 x lock\"]", "Z80")[1];
        assert_eq!(target(&floor.0).unit, Unit::BytesPerSecond);
        assert!(target(&floor.0).value < -1e300);
    }

    #[test]
    fn a_value_of_another_unit_is_no_reference() {
        let both = judged_limits(ARTIFACT, "b", "max.gzip = [\"1 KB\", \"2 x lock\"]", "Z80");
        let words = "the value accepted of `b::gzip` is a time, but `gzip` is not (budgets.lock:13); \
                     remove that block, and accept the value of the next run";
        assert_eq!(both[0].0.template.notes, [words]);
        assert_eq!((&both[0].0.template.accepted, &both[0].1), (&None, &None));
        assert_eq!(both[1].1, Some(Unjudged::Unsuitable(words.to_owned())));
    }
}
