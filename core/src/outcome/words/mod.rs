//! The words of an outcome, which are the same in every report.

use crate::budget::{Bound, Limit, Reference, Target};
use crate::metric::{Statistic, Units};
use crate::outcome::{Against, BARS, Distribution, Doubt, HistogramBin, Outcome};
use crate::quantity::{Quantity, Unit};
use crate::stats::{Sample, histogram, order};
use crate::verdict::Verdict;

mod blame;
mod count;
mod counters;
mod interference;
mod layout;
mod nothing;
mod stale;

pub(crate) use self::blame::{NAMELESS, SMALL};
pub use self::blame::{blame, profile, sampled};
use self::count::{count, of_these};
pub use self::counters::other_counter;
pub use self::interference::{LESS_WAITING_TOO, machine};
pub use self::layout::{LAYOUT, Linked, linked};
pub use self::nothing::did_nothing;
pub use self::stale::{built_later_than_now, is_on_age, older_than_source};

/// Returns the remark on a process that failed after others that did not: what it does depends on something that varies.
/// `before` is their number.
pub fn not_the_first(before: usize) -> Option<String> {
    match before {
        0 => None,
        1 => Some("one process was measured before this one failed".to_owned()),
        _ => Some(format!("{before} processes were measured before this one failed")),
    }
}

/// Returns the sentence of the verdict. `linked` says how both revisions were linked, if links were compared.
pub fn reason(outcome: &Outcome, limit: &Limit, linked: Option<Linked>) -> String {
    let (Some(against), Some(estimate)) = (outcome.against, outcome.estimate) else {
        return format!("`{}` was not measured", outcome.metric);
    };
    let reference = match &limit.target {
        Target::Absolute(_) => String::new(),
        Target::Relative { reference, .. } => format!(" x {}", reference_name(reference)),
    };
    let number = against.quantity(against.limit);
    let value = match &limit.target {
        Target::Relative { reference: other, .. } if estimate.value >= f64::MAX => {
            format!("above 0 where it is 0 of {}", reference_name(other))
        }
        Target::Absolute(_) | Target::Relative { .. } => {
            format!("{}{reference}", against.quantity(estimate.value))
        }
    };
    let bound = format!("{number}{reference}");
    let locked = outcome.accepted.as_ref().and_then(|accepted| Some((accepted, accepted.factor?)));
    let bound = locked.map_or(bound, |(accepted, factor)| {
        format!("{factor} x lock = {number} (accepted {})", accepted.describe())
    });
    let metric = &outcome.metric;
    let side = match limit.bound {
        Bound::Max => "over",
        Bound::Min => "under",
    };
    if let (Some(Doubt::Layout), Some(linked)) = (outcome.doubt, linked) {
        return layout::unsettled(outcome, &value, side, &bound, linked);
    }
    if let Some(doubt) = outcome.doubt {
        return unsettled(outcome, limit, &value, &bound, doubt);
    }
    match outcome.verdict {
        Verdict::Inconclusive if outcome.evidence.is_none() => {
            let least = against.quantity(estimate.low.unwrap_or(estimate.value));
            let most = against.quantity(estimate.high.unwrap_or(estimate.value));
            format!(
                "no verdict: {metric} is {least} to {most}{reference}, different in each process, with a limit of {bound}; \
                 several threads, or seeds that depend on addresses, make it so"
            )
        }
        // Both values may look the same when rounded for reading.
        Verdict::Fail if look_alike(&value, &format!("{number}{reference}")) => {
            let by = against.quantity((estimate.value - against.limit).abs());
            format!("{metric} is {value}, {side} the limit of {bound} by {by}")
        }
        Verdict::Fail => format!("{metric} is {value}, {side} the limit of {bound}"),
        Verdict::Warn if against.is_over(estimate.value) => {
            format!("{metric} is {value}, {side} the limit of {bound}, and within its tolerance")
        }
        Verdict::Warn if reference.is_empty() && locked.is_none() => {
            let used = Quantity::new(against.used(estimate.value), Unit::Share);
            format!("{metric} is {value}, {used} of the limit of {bound}")
        }
        Verdict::Warn => format!("{metric} is {value}, near the limit of {bound}"),
        _ if against.is_over(estimate.value) => {
            format!("{metric} is {value}, at the limit of {bound} and within its tolerance")
        }
        Verdict::Pass | Verdict::Inconclusive | Verdict::Unmeasured | Verdict::Skipped => {
            format!("{metric} is {value}, within the limit of {bound}")
        }
    }
}

/// Whether two numbers with their units are written as the same number: `10 KB` and `10.0 KB`.
fn look_alike(a: &str, b: &str) -> bool {
    let parts = |text: &str| {
        let (number, rest) = text.split_once(' ').unwrap_or((text, ""));
        Some((number.parse::<f64>().ok()?, rest.to_owned()))
    };
    a == b || parts(a).is_some_and(|a| Some(a) == parts(b))
}

/// Returns the sentence of a limit that cannot be judged; `why` is the reason.
pub fn unjudged(outcome: &Outcome, why: &str) -> String {
    let value = outcome.estimate.zip(outcome.against).map_or(String::new(), |(now, against)| {
        let value = against.quantity(now.value);
        format!("; it is {value} here (see `cargo budget accept`)")
    });
    format!("{why}{value}")
}

/// Why a limit is not settled that was measured for less than its `effort`.
const CUT_OFF: &str = "`total` in [settings] was used up before it was settled";

/// Returns the sentence of a limit that the evidence did not settle.
fn unsettled(outcome: &Outcome, limit: &Limit, value: &str, bound: &str, doubt: Doubt) -> String {
    let metric = &outcome.metric;
    let Some(evidence) = outcome.evidence else { return format!("{metric} is {value}") };
    let processes = count(evidence.processes, "process", "processes");
    let seen = match plural(evidence.values, outcome) {
        pairs if outcome.relative_to.is_some() => pairs,
        values => format!("{values} in {processes}"),
    };
    let worst = outcome.worst();
    let unseen = unseen(outcome);
    match doubt {
        Doubt::NearLimit => {
            // The worst end is left out if it reads the same as the value.
            let worst = worst.filter(|(_, worst)| worst.to_string() != value);
            let worst = worst
                .map_or(String::new(), |(end, worst)| format!(" and may be as {end} as {worst}"));
            let cut_off = if outcome.is_cut_off() { format!("; {CUT_OFF}") } else { String::new() };
            return format!(
                "{metric} is {value}{worst}, too near the limit of {bound} to tell after {seen}{unseen}{cut_off}"
            );
        }
        Doubt::Noise => return interference::noise(outcome, limit, value, bound),
        Doubt::Underpowered | Doubt::Layout => {}
    }
    let known = worst.map_or("too few to bound it".to_owned(), |(end, worst)| {
        format!("and may be as {end} as {worst}")
    });
    let others = "a quieter machine or a metric that needs fewer values would settle it";
    let remedy = match evidence.effort_to_settle {
        _ if evidence.is_recorded() => {
            "a quieter machine or a longer `measurement_time` would settle it".to_owned()
        }
        _ if outcome.is_cut_off() => CUT_OFF.to_owned(),
        Some(seconds) => format!("`effort = \"{seconds} s\"`, {others}"),
        None => format!("{others}; more `effort` would not, if more values are like these"),
    };
    format!(
        "no verdict: {metric} is {value} after {seen}, {known}, with a limit of {bound}{unseen}; {remedy}"
    )
}

/// Says which violation a run that settled nothing could have missed; empty if no odds are known.
fn unseen(outcome: &Outcome) -> String {
    let (Some(evidence), Some(against)) = (outcome.evidence, outcome.against) else {
        return String::new();
    };
    let beyond = |value: &f64| against.is_over(*value);
    match evidence.detectable.filter(beyond) {
        _ if evidence.is_recorded() => String::new(),
        Some(least) => {
            let side = if against.bound == Bound::Max { "up to" } else { "down to" };
            format!("; a true value {side} {} could have gone unseen", against.quantity(least))
        }
        None => "; no violation could have been seen".to_owned(),
    }
}

/// Returns the number of values with the noun for what each describes.
fn plural(values: usize, outcome: &Outcome) -> String {
    let noun = outcome.shape.as_ref().map_or("values", |shape| shape.of.as_str());
    of_these(values, if noun == "processes" { "readings" } else { noun })
}

/// Returns what a latency over its limit may be due to where the generator of the load was `lag` seconds late.
pub fn late_generator(statistic: Statistic, lag: f64, against: &Against) -> String {
    let most = if statistic == Statistic::Max { "the most" } else { "p99" };
    format!(
        "and the generator of the load was {} late at {most} by itself, more than a tenth of the limit; a lower rate, a \
         quieter machine or a higher limit would settle it",
        against.quantity(lag)
    )
}

/// Whether two notes are the same except for their figures.
pub fn are_alike(a: &str, b: &str) -> bool {
    let plain = |c: &char| !c.is_ascii_digit() && *c != '.';
    a.chars().filter(plain).eq(b.chars().filter(plain))
}

/// Returns how a reference is written in a sentence.
pub fn reference_name(reference: &Reference) -> &str {
    match reference {
        Reference::Base => "base",
        Reference::Lock => "lock",
        Reference::Budget(name) => name,
    }
}

/// Says which two values a ratio is made of.
pub fn sides(limit: &Limit, sides: &[(f64, f64)]) -> String {
    let typical = |pick: fn(&(f64, f64)) -> f64| order::median(sides.iter().map(pick).collect());
    let shown = |value: Option<f64>| match (value, limit.metric.units()) {
        (Some(value), Units::One(unit)) => Quantity::new(value, unit).to_string(),
        (Some(value), Units::Rate) => format!("{value:.4e} a second"),
        (Some(value), Units::Any) => Quantity::new(value, Unit::Number).to_string(),
        (None, _) => "nothing".to_owned(),
    };
    let name = match &limit.target {
        Target::Relative { reference, .. } => reference_name(reference),
        Target::Absolute(_) => "the reference",
    };
    format!(
        "{} {} against {} of `{name}`{}",
        limit.metric,
        shown(typical(|s| s.0)),
        shown(typical(|s| s.1)),
        // A value that is the same in every process need not be interleaved.
        if limit.metric.is_deterministic() { "" } else { ", interleaved" },
    )
}

/// Returns the sentence of a ratio that is `usual` for the usual operation, and `all` by the sums of all operations.
pub fn too_long_on_the_whole(limit: &Limit, against: &Against, usual: f64, all: f64) -> String {
    let reference = match &limit.target {
        Target::Relative { reference, .. } => format!(" x {}", reference_name(reference)),
        Target::Absolute(_) => String::new(),
    };
    let shown = |value: f64| format!("{}{reference}", against.quantity(value));
    format!(
        "no verdict: {} is {} for the usual operation, within the limit of {}, and rare long operations make it {} on the \
         whole; a limit on `p99`, `p999` or `instructions` would settle it",
        limit.metric,
        shown(usual),
        shown(against.limit),
        shown(all)
    )
}

/// Returns a note for a ratio whose median is within the limit and whose `mean` is not, or the other way around. Then
/// some of the processes are slower, or faster, than the others.
pub fn mean_beside_middle(outcome: &Outcome, mean: f64) -> Option<String> {
    let (against, estimate) = (outcome.against?, outcome.estimate?);
    let reaches = against.limit
        + match against.bound {
            Bound::Max => against.tolerance,
            Bound::Min => -against.tolerance,
        };
    let beyond = |value: f64| match against.bound {
        Bound::Max => value > reaches,
        Bound::Min => value < reaches,
    };
    let (apart, what) = if outcome.verdict == Verdict::Fail {
        (!against.is_over(mean), "within the limit")
    } else {
        (beyond(mean) && !beyond(estimate.value), "beyond the limit and its tolerance")
    };
    apart.then(|| {
        format!(
            "judged by the middle of the pairs, {}; their mean is {}, {what}: some of the processes differ \
             from the others, and `explain` shows how they are distributed",
            against.quantity(estimate.value),
            against.quantity(mean)
        )
    })
}

/// Whether the values of a distribution differ from each other.
pub fn varies(shape: &Distribution) -> bool {
    let named = |wanted| shape.quantiles.iter().find(|(name, _)| name == wanted).map(|q| q.1);
    named("min").map(f64::to_bits) != named("max").map(f64::to_bits)
}

/// Returns the distribution of `values`: the quantiles that they support, and a histogram.
pub fn shape(of: String, values: Vec<f64>) -> Distribution {
    let sample = Sample::new(values).unwrap_or_default();
    // A percentile needs values beyond it. With too few of them it would only be the greatest value.
    let supported = |q: f64| sample.len() as f64 * (1.0 - q) >= 5.0 || q <= 0.5;
    let named = [("min", 0.0), ("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)];
    let mut quantiles: Vec<(String, f64)> = named
        .into_iter()
        .chain([("p999", 0.999), ("max", 1.0)])
        .filter(|&(name, q)| name == "max" || supported(q))
        .filter_map(|(name, q)| Some((name.to_owned(), order::quantile(&sample, q)?)))
        .collect();
    quantiles.dedup();
    let bars = histogram(&sample, BARS).into_iter().map(HistogramBin::from).collect();
    Distribution { of, quantiles, bars }
}
