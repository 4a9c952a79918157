//! The words about a machine that was not idle: a note if that matters, and the sentence of a verdict
//! that noise took back.
//!
//! They are apart from the other words because they are about the machine and not the limit. A calm machine is
//! mentioned only if a time is red, since that is the first thing people ask then.

use super::count::count;
use crate::budget::{Bound, Limit, Target};
use crate::metric::SampleKind;
use crate::outcome::noise::{BUSY, CONTENTION, Clock, FELT, contains_waiting};
use crate::outcome::{Noise, Outcome};

/// A value counts as a tail if it is at least this many times the median.
const TAIL: f64 = 2.0;

/// The note on a red by the wall clock that is red without the waiting too.
pub const LESS_WAITING_TOO: &str =
    "it is over the limit even without the time that it waited for a processor";

/// Says what the machine had to do with a time that is red or deserves a look; `None` if there is nothing to say.
pub fn machine(outcome: &Outcome, limit: &Limit) -> Option<String> {
    let looked_at = outcome.is_red() || outcome.is_warning();
    let noise = outcome.noise.as_ref().filter(|_| looked_at && limit.metric.is_time())?;
    let others = list_disturbances(noise);
    let elapses = match limit.metric.sample() {
        SampleKind::Operation | SampleKind::Batch | SampleKind::Rate | SampleKind::Run => true,
        SampleKind::File
        | SampleKind::Failure
        | SampleKind::Process
        | SampleKind::Record
        | SampleKind::Sweep => false,
    };
    let Some(waited) = noise.waited.filter(|&share| elapses && share > FELT) else {
        return if others.is_empty() {
            describe_calm(outcome, noise, limit)
        } else {
            Some(join(&others))
        };
    };
    let by_wall = noise.clock == Some(Clock::Wall);
    let behind = noise.outside.filter(|&cores| by_wall && cores < waited);
    let meanwhile = match (others.as_slice(), behind) {
        // Nobody else had work, so it can only have waited for its own threads.
        ([], Some(cores)) => {
            format!(" behind its own threads, while only {}", describe_busy(cores))
        }
        ([], None) => String::new(),
        _ => format!(" while {}", join(&others)),
    };
    let waited = format!("waited {:.0} % of the time for a processor{meanwhile}", waited * 100.0);
    Some(match (noise.clock, tail(outcome)) {
        // There is no clock for a pair: its waiting is in both sides.
        (None, _) => format!("it {waited}"),
        (Some(Clock::LessWaiting), _) => format!("it {waited}; that time is taken off"),
        (_, Some(median)) => {
            format!("median {median}; the tail comes from descheduling: it {waited}")
        }
        _ => format!("it {waited}; that time is not taken off"),
    })
}

/// Returns the sentence of a limit that is broken, if other work may be the reason.
pub(super) fn noise(outcome: &Outcome, limit: &Limit, value: &str, bound: &str) -> String {
    let side = if limit.bound == Bound::Max { "over" } else { "under" };
    let noise = outcome.noise.clone().unwrap_or_default();
    let mut why = list_disturbances(&noise);
    if why.is_empty() {
        why.extend(noise.outside.map(describe_busy));
    }
    let waits = contains_waiting(limit.metric.sample(), noise.clock);
    let (clock, slower) = if waits {
        (" by the wall clock", String::new())
    } else {
        let slower = "other work takes caches and memory bandwidth, and may make an operation";
        ("", format!(" ({slower} {CONTENTION} times as long, although its waiting is subtracted)"))
    };
    format!(
        "no verdict: {} is {value}{clock}, {side} the limit of {bound}, and {}{slower}; a calm machine \
         would settle it, or a limit against `x base` or another budget, interleaved",
        outcome.metric,
        join(&why),
    )
}

/// Says how busy the machine was, or that this is not known, if a time is red.
fn describe_calm(outcome: &Outcome, noise: &Noise, limit: &Limit) -> Option<String> {
    if !outcome.is_red() {
        return None;
    }
    let Some(cores) = noise.outside else {
        // A pair is interleaved, so it does not depend on how busy the machine was.
        let matters = matches!(limit.target, Target::Absolute(_));
        return matters.then(|| "how busy the machine was is not known".to_owned());
    };
    Some(if noise.is_calm() {
        format!("the machine was calm: {cores:.2} cores of other work")
    } else {
        describe_busy(cores)
    })
}

/// Lists the disturbances on the machine that are large enough to affect a measurement.
fn list_disturbances(noise: &Noise) -> Vec<String> {
    let share = |share: f64| format!("{:.0} %", share * 100.0);
    let felt = |value: Option<f64>| value.filter(|&value| value > FELT);
    let mut all = Vec::new();
    all.extend(noise.outside.filter(|&cores| cores > BUSY).map(describe_busy));
    all.extend(felt(noise.steal).map(|v| {
        format!("the machine's host gave {} of the processors' time to others", share(v))
    }));
    if let (Some(periods @ 1..), Some(seconds)) = (noise.throttled_periods, noise.throttled) {
        let periods = count(periods as usize, "period", "periods");
        all.push(format!("a processor quota held it back in {periods}, {seconds:.1} s in all"));
    }
    all.extend(
        felt(noise.pressure.memory).map(|v| format!("memory was short {} of the time", share(v))),
    );
    all.extend(
        felt(noise.pressure.io)
            .map(|v| format!("something waited for a disk {} of the time", share(v))),
    );
    all
}

fn describe_busy(cores: f64) -> String {
    format!("{cores:.2} cores were busy with other work")
}

/// Joins parts of a sentence: `a`, `a and b`, `a, b and c`.
fn join(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [part] => part.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

/// Returns the median if the judged value is far beyond it.
fn tail(outcome: &Outcome) -> Option<String> {
    let against = outcome.against?;
    let (_, median) = outcome.shape.as_ref()?.quantiles.iter().find(|(name, _)| name == "p50")?;
    let value = outcome.estimate?.value;
    let far = against.bound == Bound::Max && *median > 0.0 && value >= TAIL * median;
    far.then(|| against.quantity(*median).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::enforce::tests::{P99, max};
    use crate::metric::Key;
    use crate::metric::Metric;
    use crate::outcome::noise::StallShare;
    use crate::verdict::Verdict;

    #[track_caller]
    fn check(noise: Noise, expected: Option<&str>) {
        let outcome = Outcome { verdict: Verdict::Fail, noise: Some(noise), ..Outcome::default() };
        assert_eq!(machine(&outcome, &max(P99, "10 ms")).as_deref(), expected);
        // There is no note on a metric that load does not affect, nor on a limit that holds.
        assert_eq!(machine(&outcome, &max(Metric::from(Key::Rss), "1 MB")), None);
        let fine = Outcome { verdict: Verdict::Pass, ..outcome };
        assert_eq!(machine(&fine, &max(P99, "10 ms")), None);
    }

    #[test]
    fn what_affected_the_measurement_is_noted() {
        let calm = || Noise {
            outside: Some(0.02),
            waited: Some(0.0),
            steal: Some(0.0),
            clock: Some(Clock::Wall),
            ..Noise::default()
        };
        check(calm(), Some("the machine was calm: 0.02 cores of other work"));
        check(Noise::default(), Some("how busy the machine was is not known"));
        let waited = Noise { waited: Some(0.12), outside: Some(0.2), ..calm() };
        let words = "it waited 12 % of the time for a processor; that time is not taken off";
        check(waited, Some(words));
        // Processor time does not contain waiting.
        let outcome = Outcome {
            verdict: Verdict::Fail,
            noise: Some(Noise { waited: Some(0.7), outside: Some(1.5), ..calm() }),
            ..Outcome::default()
        };
        let note = machine(&outcome, &max(Metric::from(Key::Cpu), "1 ms"));
        assert_eq!(note.as_deref(), Some("1.50 cores were busy with other work"));
        let stolen = Noise { steal: Some(0.12), ..calm() };
        check(stolen, Some("the machine's host gave 12 % of the processors' time to others"));
        let throttled = Noise { throttled: Some(1.25), throttled_periods: Some(1), ..calm() };
        check(throttled, Some("a processor quota held it back in 1 period, 1.2 s in all"));
        let pressure = StallShare { cpu: Some(0.9), memory: Some(0.1), io: Some(0.2) };
        let words = "1.40 cores were busy with other work, memory was short 10 % of the time and \
                     something waited for a disk 20 % of the time";
        check(Noise { outside: Some(1.4), pressure, ..calm() }, Some(words));
    }
}
