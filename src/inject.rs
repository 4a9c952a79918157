//! Plants: a known effect in the measured part, by which a selftest shows that the gate sees it.
//!
//! Planted where readings are taken and by nothing else than what a real regression does: time that is
//! worked off, blocks that are allocated, bytes that are held. A run that judges has none, and pays
//! nothing for it: a gauge is wrapped, and only where there is something to plant.

use std::hint::spin_loop;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use perf_budget_core::budget::Bound;
use perf_budget_core::metric::{Better, Effect, Metric, SubjectKind, Units};
use perf_budget_core::quantity::Unit;

/// An effect of a known size.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Plant {
    /// What is planted.
    pub seed: Effect,
    /// How much, as a share of what the subject itself shows,
    pub share: f64,
    /// and so much besides, in the base unit of the metric.
    pub amount: f64,
}

/// What moves `metric` of such a subject over a limit on this side.
///
/// # Errors
/// Where nothing can be planted, why.
pub(crate) fn effect(kind: SubjectKind, metric: &Metric, bound: Bound) -> Result<Effect, String> {
    let inject = metric.inject();
    let effect = match bound {
        Bound::Max => inject.raises,
        Bound::Min => inject.lowers,
    };
    match (effect, metric.better(), bound) {
        _ if kind == SubjectKind::Criterion => {
            Err("what Criterion recorded is of a run that has been: \
                                                    nothing can be planted into it"
                .to_owned())
        }
        (Some(effect), ..) => Ok(effect),
        (None, Better::Lower, Bound::Min) | (None, Better::Higher, Bound::Max) => Err(format!(
            "a limit on this side of `{metric}` is broken by a subject that is better, which cannot be \
             planted"
        )),
        (None, Better::Lower | Better::Either, Bound::Max)
        | (None, Better::Higher | Better::Either, Bound::Min) => {
            Err(format!("nothing is known that could be planted for `{metric}`"))
        }
    }
}

impl Plant {
    /// What brings a subject of this kind from `value` to `target`, in the metric's base unit or, where
    /// the limit is `relative`, as ratios to the reference. `None` where it cannot be planted: less
    /// than there is, or more than one processor can do.
    pub fn to(
        seed: Effect,
        kind: SubjectKind,
        metric: &Metric,
        (value, target): (f64, f64),
        relative: bool,
    ) -> Option<Plant> {
        let share = match (seed, metric.units()) {
            (Effect::Exit, _) => return Some(Plant { seed, share: 0.0, amount: 1.0 }),
            // The slope is moved by what each size is given.
            _ if metric.slope_of().is_some() => return positive(seed, 0.0, target - value),
            (Effect::Work, Units::Rate) | (Effect::Pause, _) => value / target - 1.0,
            // A share of the time: it is moved by work only as far as one processor is free.
            (Effect::Work, Units::One(Unit::Share)) if target >= 1.0 => return None,
            (Effect::Work, Units::One(Unit::Share)) => (target - value) / (1.0 - target),
            (Effect::Recorded, _) if value != 0.0 => {
                let plant = Plant { seed, share: target / value - 1.0, amount: 0.0 };
                return plant.share.is_finite().then_some(plant);
            }
            (Effect::Recorded, _) => return Some(Plant { seed, share: 0.0, amount: target }),
            (Effect::Work, _) if kind == SubjectKind::Workload => target / value - 1.0,
            _ if relative && seed.takes_share() => target / value - 1.0,
            _ if relative => return None,
            _ => return positive(seed, 0.0, target - value),
        };
        positive(seed, share, 0.0)
    }

    /// The share of one case of several, so that a slope over their sizes rises by `amount`: `size` is
    /// so many times the smallest.
    pub(crate) fn tilted(self, size: f64) -> Plant {
        Plant { share: size.powf(self.amount) - 1.0, amount: 0.0, ..self }
    }

    /// What is to be added to `own`.
    pub(crate) fn added(self, own: f64) -> f64 {
        (self.share * own + self.amount).max(0.0)
    }

    /// The value that is recorded instead of `own`.
    pub(crate) fn recorded(self, own: f64) -> f64 {
        (own * (1.0 + self.share) + self.amount).max(0.0)
    }
}

/// Runs an operation, and works so much longer as is planted: where no instrument is between the two.
pub(crate) fn slowed<T>(plant: Option<Plant>, op: impl FnOnce() -> T) -> T {
    let Some(plant) = plant.filter(|plant| plant.seed == Effect::Work) else { return op() };
    let began = Instant::now();
    let output = op();
    let took = began.elapsed();
    let until = took + Duration::from_secs_f64(plant.added(took.as_secs_f64()));
    while began.elapsed() < until {
        spin_loop();
    }
    output
}

/// When an asynchronous operation that began then, and is done now, may end.
#[cfg(feature = "tokio")]
pub(crate) fn end(plant: Option<Plant>, began: Instant) -> Option<Instant> {
    let plant = plant.filter(|plant| plant.seed == Effect::Work)?;
    let took = began.elapsed();
    Some(began + took + Duration::from_secs_f64(plant.added(took.as_secs_f64())))
}

fn positive(seed: Effect, share: f64, amount: f64) -> Option<Plant> {
    let sum = share + amount;
    (sum.is_finite() && sum > 0.0).then_some(Plant { seed, share, amount })
}
