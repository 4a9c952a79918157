//! `load`: when the operations of a workload are due, whatever became of those before.

use std::fmt;
use std::time::Duration;

use toml::de::{DeTable, DeValue};

use super::collect::Reading;
use super::limit::Draft;
use super::printable::quoted;
use super::problem::Problem;
use super::read::{self, Entry};
use super::{Scaling, key};
use crate::metric::{Metric, SampleKind};
use crate::quantity::{Quantity, Unit};

/// `load = { shape = "constant", rate = "1000 op/s" }`: operations start when they are due, not when the
/// one before has ended (an open loop), and their latency counts from when they were due.
#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    /// How the rate goes over time.
    pub shape: LoadShape,
    /// Operations a second, over 0 and at most [`FASTEST`]: the rate itself; on average for
    /// [`Poisson`](LoadShape::Poisson) and [`Burst`](LoadShape::Burst); where a [`Ramp`](LoadShape::Ramp) begins;
    /// between the spikes of a [`Spike`](LoadShape::Spike).
    pub rate: f64,
    /// How many operations may be in flight at once; more wait, and their waiting counts. At least 1,
    /// the default.
    pub concurrency: u32,
}

/// How the rate of a [`Load`] goes over time. Peaks are in operations a second and over the rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LoadShape {
    /// Always the same time from one operation to the next.
    Constant,
    /// Independent of each other, as many callers are: exponential times from one to the next.
    Poisson,
    /// Evenly from the rate up to the peak, and again.
    Ramp {
        /// The rate it rises to.
        peak: f64,
        /// How long a rise takes.
        every: Duration,
    },
    /// The peak for a while in the middle of each period, the rate around it.
    Spike {
        /// The rate of the spike.
        peak: f64,
        /// From one spike to the next.
        every: Duration,
        /// How long a spike lasts; shorter than `every`.
        width: Duration,
    },
    /// All operations of a period at once, at its beginning.
    Burst {
        /// From one burst to the next.
        every: Duration,
    },
}

/// The highest rate, in operations a second: beyond it the generator is what is measured.
pub const FASTEST: f64 = 1e6;
/// The most operations of one period: a process measures whole periods.
pub const MOST_IN_PERIOD: f64 = 20_000.0;
/// The longest period.
pub const LONGEST_PERIOD: Duration = Duration::from_secs(60);
/// The most operations in flight.
pub(super) const MOST_IN_FLIGHT: u32 = 10_000;

/// The words for a shape, each with what it means, and the keys that it needs beside `rate`.
pub(super) const SHAPES: &[(&str, &str, &[&str])] = &[
    ("constant", "always the same time from one operation to the next", &[]),
    ("poisson", "independent of each other, as many callers are", &[]),
    ("ramp", "evenly from `rate` up to `peak`, and again", &["peak", "every"]),
    ("spike", "`peak` for `width` in the middle of each period", &["peak", "every", "width"]),
    ("burst", "all operations of a period at once", &["every"]),
];

impl Load {
    /// How many operations a period has on average, and how long it is; `None` without periods.
    pub fn period(&self) -> Option<(f64, Duration)> {
        match self.shape {
            LoadShape::Constant | LoadShape::Poisson => None,
            LoadShape::Ramp { peak, every } => {
                Some((f64::midpoint(self.rate, peak) * every.as_secs_f64(), every))
            }
            LoadShape::Spike { peak, every, width } => {
                let extra = (peak - self.rate) * width.as_secs_f64();
                Some((self.rate * every.as_secs_f64() + extra, every))
            }
            LoadShape::Burst { every } => Some((self.rate * every.as_secs_f64(), every)),
        }
    }
}

impl fmt::Display for Load {
    /// `spike of 100 op/s to 1 K op/s for 100 ms every 1 s, 8 in flight`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = |rate| Quantity::new(rate, Unit::PerSecond);
        let time = |time: Duration| Quantity::new(time.as_secs_f64(), Unit::Seconds);
        let from = rate(self.rate);
        match self.shape {
            LoadShape::Constant => write!(f, "constant {from}")?,
            LoadShape::Poisson => write!(f, "poisson {from}")?,
            LoadShape::Ramp { peak, every } => {
                write!(f, "ramp of {from} to {} every {}", rate(peak), time(every))?;
            }
            LoadShape::Spike { peak, every, width } => {
                let (peak, width, every) = (rate(peak), time(width), time(every));
                write!(f, "spike of {from} to {peak} for {width} every {every}")?;
            }
            LoadShape::Burst { every } => write!(f, "burst of {from} every {}", time(every))?,
        }
        if self.concurrency > 1 { write!(f, ", {} in flight", self.concurrency) } else { Ok(()) }
    }
}

/// Reads `load` of a budget with these limits, which have to be of what a load shows.
pub(super) fn read(
    entry: &Entry<'_>,
    limits: &[Draft],
    scaling: Option<&Scaling>,
    reading: &mut Reading<'_>,
) -> Option<Load> {
    check_metrics(entry, limits, scaling, reading);
    let table = entry.table(reading, "load = { shape = \"constant\", rate = \"1000 op/s\" }")?;
    read::check_keys(table, "`load`", key::LOAD, reading);
    let concurrency = match read::entry(table, "concurrency") {
        Some(entry) => entry.count(reading, MOST_IN_FLIGHT),
        None => Some(1),
    };
    let choices: Vec<_> = SHAPES.iter().map(|row| (row.0, row.1, row)).collect();
    let shape = needed(table, "shape", entry, reading);
    let row = shape.and_then(|shape| shape.choice(reading, &choices));
    let rate = needed(table, "rate", entry, reading).and_then(|rate| self::rate(&rate, reading));
    let (word, _, keys) = *row?;
    for other in ["peak", "every", "width"].into_iter().filter(|key| !keys.contains(key)) {
        if let Some(entry) = read::entry(table, other) {
            let title = format!("a load of the shape {} has no `{other}`", quoted(word));
            reading.report(Problem::new(entry.at, title).help("remove it"));
        }
    }
    let mut part = |key: &str| {
        let is_of_shape = keys.contains(&key);
        is_of_shape.then(|| needed(table, key, entry, reading)).flatten()
    };
    let (peak, every, width) = (part("peak"), part("every"), part("width"));
    let peak = peak.and_then(|peak| Some((self::rate(&peak, reading)?, peak)));
    let every = every.and_then(|every| Some((every.duration(reading)?, every)));
    let width = width.and_then(|width| Some((width.duration(reading)?, width)));
    let rate = rate?;
    let shape = match word {
        "constant" => LoadShape::Constant,
        "poisson" => LoadShape::Poisson,
        "ramp" => LoadShape::Ramp { peak: over(rate, peak?, reading)?, every: every.as_ref()?.0 },
        "spike" => {
            let (width, at) = width?;
            let (peak, every) = (over(rate, peak?, reading)?, every.as_ref()?.0);
            if width >= every {
                let title = "a spike lasts as long as its period, or longer";
                let help = "write a `width` that is shorter than `every`";
                reading.report(Problem::new(at.value.span(), title).help(help));
                return None;
            }
            LoadShape::Spike { peak, every, width }
        }
        _ => LoadShape::Burst { every: every.as_ref()?.0 },
    };
    let load = Load { shape, rate, concurrency: concurrency? };
    let (Some((operations, period)), Some((_, every))) = (load.period(), &every) else {
        return Some(load);
    };
    let title = if period > LONGEST_PERIOD {
        format!("a period is at most {} s", LONGEST_PERIOD.as_secs())
    } else if !(2.0..=MOST_IN_PERIOD).contains(&operations.round()) {
        format!("a period has from 2 to {MOST_IN_PERIOD} operations, and this one {operations:.1}")
    } else {
        return Some(load);
    };
    let help = "a process measures whole periods: change `every` or the rate";
    reading.report(Problem::new(every.value.span(), title).help(help));
    None
}

/// The entry of a key that has to be there.
fn needed<'t>(
    table: &'t DeTable<'t>,
    key: &str,
    load: &Entry<'_>,
    reading: &mut Reading<'_>,
) -> Option<Entry<'t>> {
    let found = read::entry(table, key);
    if found.is_none() {
        let such = match key {
            "shape" => "shape = \"constant\"",
            "rate" => "rate = \"1000 op/s\"",
            "peak" => "peak = \"5000 op/s\"",
            "every" => "every = \"500 ms\"",
            _ => "width = \"50 ms\"",
        };
        let title = format!("`load` lacks the key `{key}`");
        let help = format!("write {such}");
        reading.report_absence(Problem::new(load.value.span(), title).help(help));
    }
    found
}

/// A rate of operations.
fn rate(entry: &Entry<'_>, reading: &mut Reading<'_>) -> Option<f64> {
    let key = entry.key;
    let title = match entry.value.get_ref() {
        DeValue::String(text) => match Quantity::parse(text) {
            Ok(Quantity { value, unit: Unit::PerSecond }) if value > 0.0 && value <= FASTEST => {
                return Some(value);
            }
            Ok(Quantity { unit: Unit::PerSecond, .. }) => {
                let most = Quantity::new(FASTEST, Unit::PerSecond);
                format!("`{key}` has to be over 0 op/s and at most {most}")
            }
            Ok(other) => format!("`{key}` is a rate of operations, found {}", other.unit.noun()),
            Err(fault) => format!("`{key}`: {}", super::printable::printable(&fault)),
        },
        _ => format!("`{key}` is a rate of operations, found {}", read::found(entry.value)),
    };
    let such = match read::number_text(entry.value.get_ref()) {
        empty if empty.is_empty() => "1000".to_owned(),
        number => number,
    };
    let help = format!("write \"{such} op/s\"");
    reading.report(Problem::new(entry.value.span(), title.replace('\n', " ")).help(help));
    None
}

/// A peak, which is over the rate.
fn over(rate: f64, (peak, entry): (f64, Entry<'_>), reading: &mut Reading<'_>) -> Option<f64> {
    if peak <= rate {
        let help = "write a `peak` that is over `rate`, or shape = \"constant\"";
        reading
            .report(Problem::new(entry.value.span(), "the peak is not over the rate").help(help));
    }
    (peak > rate).then_some(peak)
}

/// Whether a load shows anything of this metric.
fn is_shown(metric: &Metric) -> bool {
    match metric.slope_of().unwrap_or(metric).sample() {
        SampleKind::Operation
        | SampleKind::Batch
        | SampleKind::Rate
        | SampleKind::Failure
        | SampleKind::Record => true,
        SampleKind::File | SampleKind::Run | SampleKind::Process | SampleKind::Sweep => false,
    }
}

/// Other metrics are of operations alone: the generator, which waits by working, would be in them.
fn check_metrics(
    entry: &Entry<'_>,
    limits: &[Draft],
    scaling: Option<&Scaling>,
    reading: &mut Reading<'_>,
) {
    let slopes = scaling.into_iter().flat_map(|scaling| &scaling.limits);
    let slopes = slopes.map(|limit| (&limit.metric, entry.at.clone()));
    let all = limits.iter().map(|draft| (&draft.limit.metric, draft.at.clone())).chain(slopes);
    for (metric, at) in all.filter(|(metric, _)| !is_shown(metric)) {
        let title = format!("`{metric}` is not measured under a load");
        reading.report(
            Problem::new(at, title)
                .also(entry.at.clone(), "the load")
                .help("limit it in a budget of its own, without `load`"),
        );
    }
}
