//! Injections: known effects in the measured part, by which a selftest shows that the gate notices them.
//!
//! They are injected where readings are taken, and by what a real regression does: time that is spent working, blocks
//! that are allocated, bytes that are held. A run that judges has none and pays nothing for them, because an
//! instrument is wrapped only if there is something to inject.

use std::hint::spin_loop;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use perf_budget_core::budget::Bound;
use perf_budget_core::metric::{Better, Effect, Metric, SubjectKind, Units};
use perf_budget_core::quantity::Unit;

/// An effect of a known size.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Injection {
    /// The effect that is injected.
    #[serde(alias = "seed")]
    pub effect: Effect,
    /// The part of the size that is a share of the subject's own value.
    pub share: f64,
    /// The part of the size that is absolute, in the base unit of the metric.
    pub amount: f64,
}

/// Returns the effect that moves `metric` of such a subject over a limit on this side.
///
/// # Errors
/// The reason, if nothing can be injected.
pub(crate) fn effect(kind: SubjectKind, metric: &Metric, bound: Bound) -> Result<Effect, String> {
    let inject = metric.inject();
    let effect = match bound {
        Bound::Max => inject.raises,
        Bound::Min => inject.lowers,
    };
    match (effect, metric.better(), bound) {
        _ if kind == SubjectKind::Record => {
            Err("Criterion recorded a run that is over: nothing can be injected into it".to_owned())
        }
        _ if kind.is_benchmark() => {
            Err("a benchmark is run by its own program: nothing is injected into it".to_owned())
        }
        (Some(effect), ..) => Ok(effect),
        (None, Better::Lower, Bound::Min) | (None, Better::Higher, Bound::Max) => Err(format!(
            "a limit on this side of `{metric}` is broken by an improvement of the subject, which cannot be \
             injected"
        )),
        (None, Better::Lower | Better::Either, Bound::Max)
        | (None, Better::Higher | Better::Either, Bound::Min) => {
            Err(format!("no effect is known that could be injected for `{metric}`"))
        }
    }
}

impl Injection {
    /// Returns the injection that brings a subject of this kind from `value` to `target`, in the metric's base unit
    /// or, if the limit is `relative`, as ratios to the reference. It is `None` if that cannot be injected: the
    /// target is less than there is, or more than one processor can do.
    pub fn toward(
        effect: Effect,
        kind: SubjectKind,
        metric: &Metric,
        (value, target): (f64, f64),
        relative: bool,
    ) -> Option<Injection> {
        // The slope is moved by injecting a different share into each size.
        if metric.slope_of().is_some() && effect != Effect::Exit {
            return positive(effect, 0.0, target - value);
        }
        match effect {
            Effect::Exit => Some(Injection { effect, share: 0.0, amount: 1.0 }),
            Effect::Pause => positive(effect, value / target - 1.0, 0.0),
            Effect::Work => Self::of_work(kind, metric.units(), (value, target), relative),
            Effect::Recorded if value != 0.0 => {
                let injection = Injection { effect, share: target / value - 1.0, amount: 0.0 };
                injection.share.is_finite().then_some(injection)
            }
            Effect::Recorded => Some(Injection { effect, share: 0.0, amount: target }),
            Effect::Instructions
            | Effect::Failures
            | Effect::Switches
            | Effect::Allocations
            | Effect::Allocated
            | Effect::Held
            | Effect::Peak
            | Effect::Leak
            | Effect::Resident
            | Effect::ResidentPeak
            | Effect::Growth
            | Effect::Faults
            | Effect::Read
            | Effect::Written
            | Effect::Calls
            | Effect::Bytes => Self::of_limit(effect, (value, target), relative),
        }
    }

    /// Returns the work that brings a value of these units to the target.
    fn of_work(
        kind: SubjectKind,
        units: Units,
        (value, target): (f64, f64),
        relative: bool,
    ) -> Option<Injection> {
        let effect = Effect::Work;
        match units {
            Units::Rate => positive(effect, value / target - 1.0, 0.0),
            // The value is a share of the time: work moves it only as far as one processor is free.
            Units::One(Unit::Share) if target >= 1.0 => None,
            Units::One(Unit::Share) => positive(effect, (target - value) / (1.0 - target), 0.0),
            Units::One(_) | Units::Any if kind == SubjectKind::Workload => {
                positive(effect, target / value - 1.0, 0.0)
            }
            Units::One(_) | Units::Any => Self::of_limit(effect, (value, target), relative),
        }
    }

    /// Returns the injection in the terms of the limit: a share where that is a ratio, and else an amount.
    fn of_limit(effect: Effect, (value, target): (f64, f64), relative: bool) -> Option<Injection> {
        match relative {
            true if effect.takes_share() => positive(effect, target / value - 1.0, 0.0),
            true => None,
            false => positive(effect, 0.0, target - value),
        }
    }

    /// Returns the injection for one case of several, so that a slope over their sizes rises by `amount`. `size` is
    /// the size of the case divided by the smallest one.
    pub(crate) fn tilted(self, size: f64) -> Injection {
        Injection { share: size.powf(self.amount) - 1.0, amount: 0.0, ..self }
    }

    /// Returns what is to be added to `own`, the subject's own value.
    pub(crate) fn added(self, own: f64) -> f64 {
        (self.share * own + self.amount).max(0.0)
    }

    /// Returns the value that is recorded instead of `own`.
    pub(crate) fn recorded(self, own: f64) -> f64 {
        (own * (1.0 + self.share) + self.amount).max(0.0)
    }
}

/// Runs an operation, and then works for as long as is injected. This is for operations without an instrument around
/// them.
pub(crate) fn slowed<T>(injection: Option<Injection>, op: impl FnOnce() -> T) -> T {
    let Some(injection) = injection.filter(|injection| injection.effect == Effect::Work) else {
        return op();
    };
    let began = Instant::now();
    let output = op();
    let took = began.elapsed();
    let until = took + Duration::from_secs_f64(injection.added(took.as_secs_f64()));
    while began.elapsed() < until {
        spin_loop();
    }
    output
}

/// Returns when an asynchronous operation that began at `began`, and is done now, may end.
#[cfg(feature = "tokio")]
pub(crate) fn may_end_at(injection: Option<Injection>, began: Instant) -> Option<Instant> {
    let injection = injection.filter(|injection| injection.effect == Effect::Work)?;
    let took = began.elapsed();
    Some(began + took + Duration::from_secs_f64(injection.added(took.as_secs_f64())))
}

fn positive(effect: Effect, share: f64, amount: f64) -> Option<Injection> {
    let sum = share + amount;
    (sum.is_finite() && sum > 0.0).then_some(Injection { effect, share, amount })
}
