//! Plants: a known effect in the measured part, by which a selftest shows that the gate sees it.
//!
//! Planted where readings are taken and by nothing else than what a real regression does: time that is
//! worked off, blocks that are allocated, bytes that are held. A run that judges has none, and pays
//! nothing for it: a gauge is wrapped, and only where there is something to plant.

use std::hint::spin_loop;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::budget::Bound;
use crate::metric::{Metric, SubjectKind};

/// An effect of a known size.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Plant {
    /// What is planted.
    pub seed: Seed,
    /// How much, as a share of what the subject itself shows,
    pub share: f64,
    /// and so much besides, in the base unit of the metric.
    pub amount: f64,
}

/// What can be planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Seed {
    /// Work after each operation, or before a command's program: time on the processor.
    Work,
    /// A pause after each operation: time without work.
    Pause,
    /// Operations that count as failed.
    Failures,
    /// Pauses too short to matter but for the context switch that each is.
    Switches,
    /// Blocks of one byte, given back at once.
    Allocations,
    /// One block that is given back at once.
    Allocated,
    /// A block that is held beside the value.
    Held,
    /// A block on top of the highest.
    Peak,
    /// A block that nobody gives back.
    Leak,
    /// Bytes that are touched and held.
    Resident,
    /// Bytes that are touched on top of the highest, and given back.
    ResidentPeak,
    /// Bytes that each operation touches and nobody gives back.
    Growth,
    /// A recorded value that is changed.
    Recorded,
    /// Bytes that no compressor makes smaller, in a copy of the artifact.
    Bytes,
    /// Another exit code.
    Exit,
}

impl Seed {
    /// What moves `metric` of such a subject over a limit on this side.
    ///
    /// # Errors
    /// Where nothing can be planted, why.
    pub fn of(kind: SubjectKind, metric: &Metric, bound: Bound) -> Result<Seed, String> {
        let seed = match (kind, metric, bound) {
            (_, Metric::Scaling(of), Bound::Max) => return Seed::of(kind, of, bound),
            (SubjectKind::Criterion, ..) => {
                return Err("what Criterion recorded is of a run that has been: nothing can be \
                            planted into it"
                    .to_owned());
            }
            (_, Metric::Custom(_), _) => Seed::Recorded,
            (_, Metric::Exit, _) => Seed::Exit,
            (_, Metric::Throughput, Bound::Min) => Seed::Work,
            (_, Metric::Utilization, Bound::Min) => Seed::Pause,
            (_, _, Bound::Min) | (_, Metric::Throughput, Bound::Max) => {
                return Err(format!(
                    "a limit on this side of `{metric}` is broken by a subject that is better, which \
                     cannot be planted"
                ));
            }
            (
                _,
                Metric::Latency(_)
                | Metric::Wall(_)
                | Metric::Startup(_)
                | Metric::Cpu
                | Metric::Utilization,
                _,
            ) => Seed::Work,
            (_, Metric::ErrorRate, _) => Seed::Failures,
            (_, Metric::ContextSwitches, _) => Seed::Switches,
            (_, Metric::Allocs, _) => Seed::Allocations,
            (_, Metric::AllocBytes, _) => Seed::Allocated,
            (_, Metric::Heap, _) => Seed::Held,
            (_, Metric::PeakHeap, _) => Seed::Peak,
            (_, Metric::Leaked, _) => Seed::Leak,
            (_, Metric::Rss, _) => Seed::Resident,
            (_, Metric::PeakRss, _) => Seed::ResidentPeak,
            (_, Metric::RssGrowth, _) => Seed::Growth,
            (
                _,
                Metric::Size | Metric::Gzip | Metric::Brotli | Metric::Zstd | Metric::Stripped,
                _,
            ) => Seed::Bytes,
            (_, Metric::Layers | Metric::Unpacked | Metric::Fuel, _) => {
                return Err(format!("nothing is known that could be planted for `{metric}`"));
            }
        };
        Ok(seed)
    }

    /// In a word or two.
    pub fn words(self) -> &'static str {
        match self {
            Seed::Work => "busy work",
            Seed::Pause => "pauses",
            Seed::Failures => "failures",
            Seed::Switches => "context switches",
            Seed::Allocations => "allocations",
            Seed::Allocated => "allocated bytes",
            Seed::Held => "held heap bytes",
            Seed::Peak => "heap bytes at the peak",
            Seed::Leak => "leaked bytes",
            Seed::Resident => "resident bytes",
            Seed::ResidentPeak => "resident bytes at the peak",
            Seed::Growth => "resident bytes an operation",
            Seed::Recorded => "a changed record",
            Seed::Bytes => "random bytes",
            Seed::Exit => "another exit code",
        }
    }

    /// Whether it can be had as a share of what the subject shows: of what is read afterwards there is
    /// none while it runs.
    pub fn takes_share(self) -> bool {
        !matches!(self, Seed::Switches | Seed::Leak | Seed::Growth | Seed::Exit | Seed::Failures)
    }
}

impl Plant {
    /// What brings a subject of this kind from `value` to `target`, in the metric's base unit or, where
    /// the limit is `relative`, as ratios to the reference. `None` where it cannot be planted: less
    /// than there is, or more than one processor can do.
    pub fn to(
        seed: Seed,
        kind: SubjectKind,
        metric: &Metric,
        (value, target): (f64, f64),
        relative: bool,
    ) -> Option<Plant> {
        let share = match (seed, metric) {
            (Seed::Exit, _) => return Some(Plant { seed, share: 0.0, amount: 1.0 }),
            // The slope is moved by what each size is given.
            (_, Metric::Scaling(_)) => return positive(seed, 0.0, target - value),
            (Seed::Work, Metric::Throughput) | (Seed::Pause, _) => value / target - 1.0,
            (Seed::Work, Metric::Utilization) if target >= 1.0 => return None,
            (Seed::Work, Metric::Utilization) => (target - value) / (1.0 - target),
            (Seed::Recorded, _) if value != 0.0 => {
                let plant = Plant { seed, share: target / value - 1.0, amount: 0.0 };
                return plant.share.is_finite().then_some(plant);
            }
            (Seed::Recorded, _) => return Some(Plant { seed, share: 0.0, amount: target }),
            (Seed::Work, _) if kind == SubjectKind::Workload => target / value - 1.0,
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
    let Some(plant) = plant.filter(|plant| plant.seed == Seed::Work) else { return op() };
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
    let plant = plant.filter(|plant| plant.seed == Seed::Work)?;
    let took = began.elapsed();
    Some(began + took + Duration::from_secs_f64(plant.added(took.as_secs_f64())))
}

fn positive(seed: Seed, share: f64, amount: f64) -> Option<Plant> {
    let sum = share + amount;
    (sum.is_finite() && sum > 0.0).then_some(Plant { seed, share, amount })
}
