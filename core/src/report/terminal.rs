//! The text of an outcome in a terminal: why it is red, its value, its interval and its limit.

use std::collections::HashSet;
use std::fmt::Write as _;

use super::next::next;
use super::plain::plain;
use super::used::used;
use crate::budget::Bound;
use crate::outcome::{
    Accepted, Against, BENCHMARKS, Distribution, Effect, Estimate, Evidence, Noise, Outcome,
    Waived, words,
};
use crate::quantity::Quantity;
use crate::verdict::Verdict;

/// Returns the whole text about an outcome that needs attention.
pub fn explain(outcome: &Outcome) -> String {
    let mut text = format!("{} ({})\n", plain(&outcome.reason), plain(&outcome.place()));
    let mut row = |name: &str, value: &str| {
        for (i, line) in plain(value).lines().enumerate() {
            let name = if i == 0 { name } else { "" };
            let _ = writeln!(text, "  {name:<10} {line}");
        }
    };
    row("subject", &outcome.subject);
    if let (Some(estimate), Some(against)) = (outcome.estimate, outcome.against) {
        row("measured", &measured_text(outcome, estimate, &against));
        let lock = outcome.accepted.as_ref().and_then(|accepted| accepted.factor);
        let lock = lock.map_or(String::new(), |factor| format!("= {factor} x lock "));
        let used = used(outcome).filter(|used| !used.long.is_empty());
        let used = used.map_or(String::new(), |used| format!("({})", used.long));
        row("limit", &format!("{} {lock}{used}", bound_text(outcome)));
        if let Some(accepted) = &outcome.accepted {
            row("accepted", &accepted_text(accepted));
        }
        if let Some(shape) = &outcome.shape {
            row("spread", &spread(shape, |v| against.quantity(v).to_string()));
            row("", &histogram(shape, against.limit));
        }
    }
    let judged = |evidence: &Evidence| !evidence.is_recorded() && !never_varied(outcome);
    if let Some(evidence) = outcome.evidence.filter(judged) {
        row("e-value", &e_value_text(outcome, &evidence));
        // The minimum detectable effect does not matter once a violation was detected.
        let unseen = evidence.detectable.filter(|_| outcome.verdict != Verdict::Fail);
        if let (Some(detectable), Some(against)) = (unseen, outcome.against) {
            let seen = against.quantity(detectable);
            row(
                "detects",
                &format!("{seen} or worse, in 95 % of such runs (minimum detectable effect)"),
            );
        }
        let noise = outcome.noise.as_ref().map(Noise::line).unwrap_or_default();
        row("noise", &noise);
    }
    if let Some(output) = &outcome.output {
        row("it wrote", output);
    }
    if let Some(blame) = &outcome.blame {
        for (nth, line) in words::blame(blame).iter().enumerate() {
            row(if nth == 0 { "blame" } else { "" }, line);
        }
    }
    outcome.sampled.iter().for_each(|sampled| row("samples", &words::sampled(sampled)));
    if let Some(changed) = &outcome.changed {
        row("changed", &changed.describe());
    }
    for note in &outcome.notes {
        row("note", note);
    }
    if let Some(why) = &outcome.why {
        row("why", why);
    }
    row("next", &next(outcome));
    text
}

/// Returns the measured value, its interval, and what they come from.
fn measured_text(outcome: &Outcome, estimate: Estimate, against: &Against) -> String {
    let scale = against.quantity(estimate.value);
    let mut measured = format!("{} {scale}", outcome.metric);
    let Some(evidence) = outcome.evidence else { return measured };
    let end = |v: f64| against.quantity(v).at_scale_of(scale);
    let between = match (estimate.low, estimate.high) {
        _ if never_varied(outcome) => "the same every time".to_owned(),
        (Some(low), Some(high)) => format!("between {} and {}", end(low), end(high)),
        (Some(low), None) => format!("at least {}", end(low)),
        (None, Some(high)) => format!("at most {}", end(high)),
        (None, None) => "not bounded yet".to_owned(),
    };
    let noun = outcome.shape.as_ref().map_or("values", |shape| shape.of.as_str());
    let level = if never_varied(outcome) { "" } else { " (90 %)" };
    let _ = write!(measured, ", {between}{level}, from {} {noun}", evidence.values);
    if evidence.is_recorded() {
        measured.push_str(" in one recorded process");
        return measured;
    }
    // If there is one value for each process, pair or sweep, their number is only said once.
    if evidence.values != evidence.processes {
        let _ = write!(measured, " in {} fresh processes", evidence.processes);
    }
    let _ = write!(measured, ", {:.1} s", outcome.seconds);
    measured
}

/// Whether the outcome is red although its e-value is too small for that: a value that never varies is simply compared.
fn never_varied(outcome: &Outcome) -> bool {
    let ends = outcome.estimate.map(|e| (e.low.map(f64::to_bits), e.high.map(f64::to_bits)));
    outcome.verdict == Verdict::Fail
        && ends.is_some_and(|(low, high)| low.is_some() && low == high)
        && outcome.evidence.is_some_and(|e| !e.is_recorded() && e.fail < e.fail_at)
}

/// Returns what was accepted, with its interval and, if it was accepted elsewhere, the place.
fn accepted_text(accepted: &Accepted) -> String {
    let value = accepted.quantity();
    let between = match (accepted.low, accepted.high) {
        (Some(low), Some(high)) if low.to_bits() != high.to_bits() => {
            let end = |v: f64| Quantity::new(v, accepted.unit).at_scale_of(value);
            format!(", between {} and {}", end(low), end(high))
        }
        _ => String::new(),
    };
    let elsewhere = accepted.elsewhere.as_ref();
    let elsewhere = elsewhere.map_or(String::new(), |place| format!(", elsewhere ({place})"));
    format!("{}{between}{elsewhere}", accepted.describe())
}

/// Returns what a reader should know of outcomes that are not red, one line each: warnings, changes since the value
/// was accepted, and waivers that are no longer needed.
pub fn remarks(outcomes: &[Outcome]) -> String {
    let mut text = String::new();
    for outcome in outcomes.iter().filter(|o| o.verdict == Verdict::Warn) {
        let _ = writeln!(text, "warning: {}: {}", outcome.test, plain(&outcome.reason));
    }
    // The test that says which benchmarks there are passes even if some are gone, and says so.
    let says_more = |o: &&Outcome| o.verdict == Verdict::Pass && o.metric == BENCHMARKS;
    for outcome in outcomes.iter().filter(says_more).filter(|o| o.reason.contains("; ")) {
        let _ = writeln!(text, "note: {}: {}", plain(&outcome.test), plain(&outcome.reason));
    }
    // The measured code may be older than the sources. A red shows this note itself.
    let mut aged = HashSet::new();
    for outcome in outcomes.iter().filter(|o| !o.is_red()) {
        for note in outcome.notes.iter().filter(|note| words::is_on_age(note)) {
            // All limits of a budget are on the same files.
            if aged.insert((&outcome.budget, note)) {
                let _ = writeln!(text, "note: {}: {}", plain(&outcome.budget), plain(note));
            }
        }
    }
    let unsettled = |o: &&Outcome| o.verdict == Verdict::Inconclusive && !o.is_red();
    for outcome in outcomes.iter().filter(unsettled) {
        let _ = writeln!(text, "INCONCLUSIVE: {}: {}", outcome.test, plain(&outcome.reason));
        let _ = writeln!(text, "  to settle it: {}", next(outcome));
    }
    let mut reported = HashSet::new();
    for outcome in outcomes.iter().filter(|o| !o.is_red()) {
        // Limits on the same series would repeat the same change.
        let change = outcome.change().filter(|_| reported.insert(outcome.series()));
        if let Some(change) = change {
            let _ = writeln!(text, "changed: {}: {change}", outcome.series());
        }
    }
    let under = |outcome: &Outcome| {
        let Waived { until, owner, why, effect } = outcome.waived.clone()?;
        Some(((outcome.budget.clone(), until, owner, why), effect))
    };
    let mut waivers = Vec::new();
    for (waiver, effect) in outcomes.iter().filter_map(under) {
        let needed = effect != Effect::Unneeded;
        match waivers.binary_search_by(|(known, _)| Ord::cmp(known, &waiver)) {
            Ok(at) => waivers[at].1 |= needed,
            Err(at) => waivers.insert(at, (waiver, needed)),
        }
    }
    for ((budget, until, owner, _), _) in waivers.into_iter().filter(|(_, needed)| !needed) {
        let _ = writeln!(
            text,
            "note: {budget}: what is waived until {until} by {owner} holds; remove the waiver"
        );
    }
    text
}

/// Returns the measured value with its unit; "proven equal" if it is proven to be the value of the base, and a dash if there is
/// none.
pub fn value_text(outcome: &Outcome) -> String {
    if outcome.proven.is_some() {
        return "proven equal".to_owned();
    }
    match (outcome.estimate, outcome.against) {
        (Some(estimate), Some(against)) => against.quantity(estimate.value).to_string(),
        _ => "-".to_owned(),
    }
}

/// Returns the interval that contains the true value with 90 % confidence, at the value's scale, as in `5.53 ..
/// 6.34`; `exact` if values are compared, and a dash if there is none.
pub fn interval_text(outcome: &Outcome) -> String {
    let (Some(estimate), Some(against), Some(_)) =
        (outcome.estimate, outcome.against, outcome.evidence)
    else {
        return if outcome.estimate.is_some() { "exact".to_owned() } else { "-".to_owned() };
    };
    let scale = against.quantity(estimate.value);
    let number = |v: f64| {
        let text = against.quantity(v).at_scale_of(scale);
        text.split(' ').next().unwrap_or_default().to_owned()
    };
    match (estimate.low, estimate.high) {
        // The measured value is 0, but the true one may be a little more, so the upper end is shown, which has a scale of its
        // own.
        (Some(low), Some(high)) if low == 0.0 && estimate.value == 0.0 && high > 0.0 => {
            format!("up to {}", against.quantity(high))
        }
        // An interval around 0, such as that of an exponent, is too wide for more digits.
        (Some(low), Some(high))
            if low < 0.0 && high > 0.0 && (0.095..95.0).contains(&(high - low)) =>
        {
            format!("{low:.1} .. {high:.1}")
        }
        (Some(low), Some(high)) => format!("{} .. {}", number(low), number(high)),
        (Some(low), None) => format!("from {}", number(low)),
        (None, Some(high)) => format!("up to {}", number(high)),
        (None, None) => "open".to_owned(),
    }
}

/// Returns the limit in the form `<= 10 ms`.
pub fn bound_text(outcome: &Outcome) -> String {
    let Some(against) = outcome.against else { return "-".to_owned() };
    let sign = match against.bound {
        Bound::Max => "<=",
        Bound::Min => ">=",
    };
    let factor = outcome.relative_to.as_ref().map_or(String::new(), |name| format!(" x {name}"));
    format!("{sign} {}{factor}", against.quantity(against.limit))
}

fn spread(shape: &Distribution, show: impl Fn(f64) -> String) -> String {
    let named = shape.quantiles.iter().map(|(name, value)| format!("{name} {}", show(*value)));
    named.collect::<Vec<_>>().join("  ")
}

/// Returns the histogram as one line of blocks, in which the place of the limit is marked.
fn histogram(shape: &Distribution, limit: f64) -> String {
    const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = shape.bars.iter().map(|bar| bar.count).max().unwrap_or(0);
    if shape.bars.len() < 2 || most == 0 {
        return String::new();
    }
    let mut blocks: String = shape
        .bars
        .iter()
        .map(|bar| {
            // Even a single value is shown, because percentiles depend on the tail.
            let height = (bar.count as f64 / most as f64 * 8.0).ceil() as usize;
            BLOCKS[height.min(8)]
        })
        .collect();
    let under = shape.bars.iter().filter(|bar| bar.high <= limit).count();
    match under {
        0 => blocks.insert_str(0, "limit ┃"),
        n if n >= shape.bars.len() => blocks.push_str("┃ limit"),
        n => {
            let place = blocks.char_indices().nth(n).map_or(blocks.len(), |(i, _)| i);
            blocks.insert(place, '┃');
            blocks.push_str("  (┃ is the limit)");
        }
    }
    blocks
}

/// Returns the evidence, with the one sentence that says what an e-value is.
fn e_value_text(outcome: &Outcome, evidence: &Evidence) -> String {
    let value = e_value(evidence.fail);
    let mut text = format!("{value} against the limit; red needs {}", e_value(evidence.fail_at));
    if evidence.fail > 0.0 {
        let _ = write!(text, "; if the limit held, at most 1 run in {value} would show as much");
    }
    if outcome.verdict == Verdict::Fail && outcome.relative_to.is_none() {
        text.push_str("; confirmed in fresh processes");
    }
    text
}

/// An e-value that is too large to write.
const OVERWHELMING: &str = "over 10^99";

/// Returns an e-value from its natural logarithm, such as `13400` or `10^18`. One that is not above 1 is no evidence.
pub fn e_value(log: f64) -> String {
    let ten = log / std::f64::consts::LN_10;
    match log {
        e if e <= 0.0 => "1 or less".to_owned(),
        _ if ten < 6.0 => format!("{:.0}", log.exp().max(1.0)),
        _ if ten < 99.0 => format!("10^{ten:.0}"),
        _ => OVERWHELMING.to_owned(),
    }
}
