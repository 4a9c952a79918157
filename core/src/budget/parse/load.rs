//! The reader of `load`, which says when the operations of a workload are due (an open-loop load).

use toml::de::{DeTable, DeValue};

use super::collect::Mistakes;
use super::key;
use super::limit::Draft;
use super::printable::quoted;
use super::problem::Problem;
use super::read::{self, Entry};
use crate::budget::{FASTEST, LONGEST_PERIOD, Load, LoadShape, MOST_IN_PERIOD, Scaling};
use crate::metric::{Metric, SampleKind};
use crate::quantity::{Quantity, Unit};

/// The most operations in flight.
pub(super) const MOST_IN_FLIGHT: u32 = 10_000;

/// The words for a shape, each with its meaning and the keys that it needs besides `rate`.
pub(super) const SHAPES: &[(&str, &str, &[&str])] = &[
    ("constant", "always the same time from one operation to the next", &[]),
    ("poisson", "independent of each other, as many callers are", &[]),
    ("ramp", "evenly from `rate` up to `peak`, and again", &["peak", "every"]),
    ("spike", "`peak` for `width` in the middle of each period", &["peak", "every", "width"]),
    ("burst", "all operations of a period at once", &["every"]),
];

/// Reads `load` of a budget with these limits. Limits on metrics that a load cannot show are reported.
pub(super) fn read(
    entry: &Entry<'_>,
    limits: &[Draft],
    scaling: Option<&Scaling>,
    mistakes: &mut Mistakes<'_>,
) -> Option<Load> {
    check_metrics(entry, limits, scaling, mistakes);
    let table = entry.table(mistakes, "load = { shape = \"constant\", rate = \"1000 op/s\" }")?;
    read::check_keys(table, "`load`", key::LOAD, mistakes);
    let concurrency = match read::entry(table, "concurrency") {
        Some(entry) => entry.count(mistakes, MOST_IN_FLIGHT),
        None => Some(1),
    };
    let choices: Vec<_> = SHAPES.iter().map(|row| (row.0, row.1, row)).collect();
    let shape = needed(table, "shape", entry, mistakes);
    let row = shape.and_then(|shape| shape.choice(mistakes, &choices));
    let rate = needed(table, "rate", entry, mistakes).and_then(|rate| self::rate(&rate, mistakes));
    let (word, _, keys) = *row?;
    for other in ["peak", "every", "width"].into_iter().filter(|key| !keys.contains(key)) {
        if let Some(entry) = read::entry(table, other) {
            let title = format!("a load of the shape {} has no `{other}`", quoted(word));
            mistakes.report(Problem::new(entry.at, title).help("remove it"));
        }
    }
    let mut part = |key: &str| {
        let is_of_shape = keys.contains(&key);
        is_of_shape.then(|| needed(table, key, entry, mistakes)).flatten()
    };
    let (peak, every, width) = (part("peak"), part("every"), part("width"));
    let peak = peak.and_then(|peak| Some((self::rate(&peak, mistakes)?, peak)));
    let every = every.and_then(|every| Some((every.duration(mistakes)?, every)));
    let width = width.and_then(|width| Some((width.duration(mistakes)?, width)));
    let rate = rate?;
    let shape = match word {
        "constant" => LoadShape::Constant,
        "poisson" => LoadShape::Poisson,
        "ramp" => LoadShape::Ramp { peak: over(rate, peak?, mistakes)?, every: every.as_ref()?.0 },
        "spike" => {
            let (width, at) = width?;
            let (peak, every) = (over(rate, peak?, mistakes)?, every.as_ref()?.0);
            if width >= every {
                let title = "a spike lasts as long as its period, or longer";
                let help = "write a `width` that is shorter than `every`";
                mistakes.report(Problem::new(at.value.span(), title).help(help));
                return None;
            }
            LoadShape::Spike { peak, every, width }
        }
        _ => LoadShape::Burst { every: every.as_ref()?.0 },
    };
    let load = Load { shape, rate, concurrency: concurrency? };
    let is_possible = every.is_none_or(|(_, every)| check_period(&load, &every, mistakes));
    is_possible.then_some(load)
}

/// Whether a process can measure whole periods of a load. If not, this is reported. `every` is the entry of the period.
fn check_period(load: &Load, every: &Entry<'_>, mistakes: &mut Mistakes<'_>) -> bool {
    let Some((operations, period)) = load.period() else { return true };
    let title = if period > LONGEST_PERIOD {
        format!("a period is at most {} s", LONGEST_PERIOD.as_secs())
    } else if !(2.0..=MOST_IN_PERIOD).contains(&operations.round()) {
        format!("a period has from 2 to {MOST_IN_PERIOD} operations, and this one {operations:.1}")
    } else {
        return true;
    };
    let help = "a process measures whole periods: change `every` or the rate";
    mistakes.report(Problem::new(every.value.span(), title).help(help));
    false
}

/// Returns the entry of a key, and reports it if it is missing.
fn needed<'t>(
    table: &'t DeTable<'t>,
    key: &str,
    load: &Entry<'_>,
    mistakes: &mut Mistakes<'_>,
) -> Option<Entry<'t>> {
    let found = read::entry(table, key);
    if found.is_none() {
        let example = match key {
            "shape" => "shape = \"constant\"",
            "rate" => "rate = \"1000 op/s\"",
            "peak" => "peak = \"5000 op/s\"",
            "every" => "every = \"500 ms\"",
            _ => "width = \"50 ms\"",
        };
        let title = format!("`load` lacks the key `{key}`");
        let help = format!("write {example}");
        mistakes.report_absence(Problem::new(load.value.span(), title).help(help));
    }
    found
}

/// Reads a rate of operations.
#[expect(clippy::wildcard_enum_match_arm, reason = "all other values of TOML are treated alike")]
fn rate(entry: &Entry<'_>, mistakes: &mut Mistakes<'_>) -> Option<f64> {
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
        _ => format!(
            "`{key}` is a rate of operations, found {}",
            read::type_with_article(entry.value)
        ),
    };
    let number = match read::number_text(entry.value.get_ref()) {
        empty if empty.is_empty() => "1000".to_owned(),
        number => number,
    };
    let help = format!("write \"{number} op/s\"");
    mistakes.report(Problem::new(entry.value.span(), title.replace('\n', " ")).help(help));
    None
}

/// Reads a peak, which must be above the rate.
fn over(rate: f64, (peak, entry): (f64, Entry<'_>), mistakes: &mut Mistakes<'_>) -> Option<f64> {
    if peak <= rate {
        let help = "write a `peak` that is over `rate`, or shape = \"constant\"";
        mistakes
            .report(Problem::new(entry.value.span(), "the peak is not over the rate").help(help));
    }
    (peak > rate).then_some(peak)
}

/// Whether this metric can be measured under a load.
fn is_measured_under_load(metric: &Metric) -> bool {
    match metric.slope_of().unwrap_or(metric).sample() {
        SampleKind::Operation
        | SampleKind::Batch
        | SampleKind::Rate
        | SampleKind::Failure
        | SampleKind::Record => true,
        SampleKind::File | SampleKind::Run | SampleKind::Process | SampleKind::Sweep => false,
    }
}

/// Reports limits on metrics that cannot be measured under a load. The generator of the load works while it waits, so its
/// own work would be in their values.
fn check_metrics(
    entry: &Entry<'_>,
    limits: &[Draft],
    scaling: Option<&Scaling>,
    mistakes: &mut Mistakes<'_>,
) {
    let slopes = scaling.into_iter().flat_map(|scaling| &scaling.limits);
    let slopes = slopes.map(|limit| (&limit.metric, entry.at.clone()));
    let all = limits.iter().map(|draft| (&draft.limit.metric, draft.at.clone())).chain(slopes);
    for (metric, at) in all.filter(|(metric, _)| !is_measured_under_load(metric)) {
        let title = format!("`{metric}` is not measured under a load");
        mistakes.report(
            Problem::new(at, title)
                .also(entry.at.clone(), "the load")
                .help("limit it in a budget of its own, without `load`"),
        );
    }
}
