//! The outcome of a limit whose finding is known: numbers, notes and the sentence, put together in one place.

use std::time::Duration;

use super::ending::Ending;
use super::links::Links;
use super::noise_totals::NoiseTotals;
use super::open::{Judgement, Open};
use super::without_layout::LN_OF_ZERO;
use super::{Origin, Rules};
use crate::budget::Bound;
use crate::metric::{ByMetric, SampleKind, Units};
use crate::outcome::{
    Cause, Counted, Distribution, Evidence, MORE, Noise, Outcome, Sides, Unmeasured, system_calls,
    versus_accepted, words,
};
use crate::quantity::Unit;
use crate::reading::{ProcessRun, Work};
use crate::verdict::Verdict;
use crate::verdict::judge::{Judge, Levels};

/// The most processes that are assumed to fit into an effort.
const MOST_PLANNED: f64 = 10_000.0;

/// The notes and totals that the readings of a measurement contained beside the values.
#[derive(Default)]
pub(super) struct NotesAndTotals {
    /// The time that all readings took.
    pub(super) spent: Duration,
    /// The number of readings.
    pub(super) readings: usize,
    /// The time that the shortest reading took.
    pub(super) shortest: Duration,
    /// The noise: what else the machine did meanwhile.
    pub(super) noise_totals: NoiseTotals,
    /// The links that pairs were measured with.
    pub(super) links: Links,
    /// The notes of readings, each with whether another reading had the same note with other figures.
    notes: Vec<(String, bool)>,
    /// The batches in words, with the number of operations in each; `None` if there are no batches.
    batches: Option<String>,
    /// How instructions were counted.
    counted: Option<Counted>,
    /// How often each system call was made.
    system_calls: system_calls::Mean,
    sides: ByMetric<Vec<(f64, f64)>>,
    /// The work of one operation, which a rate counts.
    work: Work,
    remarks: ByMetric<Vec<String>>,
}

impl NotesAndTotals {
    /// Takes one more reading.
    pub(super) fn add(&mut self, process: &ProcessRun) {
        let first = self.spent.is_zero();
        self.shortest = if first { process.elapsed } else { self.shortest.min(process.elapsed) };
        self.readings += 1;
        self.spent += process.elapsed;
        self.noise_totals.add(process);
        self.links.add(process.links);
        for note in &process.notes {
            match self.notes.iter_mut().find(|(known, _)| words::are_alike(known, note)) {
                Some((known, varies)) => *varies |= known != note,
                None => self.notes.push((note.clone(), false)),
            }
        }
        for (metric, remarks) in process.remarks.rows() {
            if !self.remarks.contains_key(metric) {
                self.remarks.insert(metric.clone(), remarks.clone());
            }
        }
        for (metric, sides) in process.sides.rows() {
            self.sides.or_default(metric).push(*sides);
        }
        if first || matches!(process.work, Work::Bytes(_)) {
            self.work = process.work;
        }
        if self.counted.is_none() {
            self.counted.clone_from(&process.counted);
        }
        self.system_calls.add(&process.system_calls);
        if self.batches.is_none() && process.batch_size > 1 {
            self.batches = Some(format!("batches of {} operations", process.batch_size));
        }
    }

    /// Returns the work of one operation.
    pub(super) fn work(&self) -> Work {
        self.work
    }

    /// Returns how instructions were counted, if they were.
    pub(super) fn counted(&self) -> Option<&Counted> {
        self.counted.as_ref()
    }

    fn notes(&self) -> impl Iterator<Item = String> {
        self.notes.iter().map(|(note, varies)| match varies {
            false => note.clone(),
            true => {
                format!("{note}; this is the first process, and the others differ in the figures")
            }
        })
    }
}

/// Returns the outcome of a limit. Its verdict is decided before: here it is put into words.
pub(super) fn conclude(
    open: &Open,
    ending: &Ending,
    seen: &NotesAndTotals,
    rules: &Rules,
    origin: Origin,
) -> Outcome {
    let limit = &open.pending.limit;
    let shown = ending.shown;
    let mut outcome = begin(open, seen);
    // The sentence is about what the values show; what else decides is added to it at the end.
    outcome.verdict = shown;
    outcome.doubt = ending.doubt;
    outcome.inconclusive = rules.inconclusive;
    outcome.cause = ending.is_cut_off.then(|| Cause::OutOfTime.name().to_owned());
    outcome.notes.extend(seen.notes());
    if open.is_unjudged() {
        outcome.notes.extend(open.may_have_been_longer());
    }
    if let Some(remarks) = seen.remarks.get(&limit.metric) {
        outcome.notes.extend_from_slice(remarks);
    }
    outcome.estimate = open.estimate();
    outcome.counted.clone_from(&seen.counted);
    outcome.notes.extend(seen.counted.as_ref().map(Counted::note));
    outcome.system_calls = system_calls::most_relevant(&seen.system_calls.calls());
    outcome.notes.extend(system_calls::note(&outcome.system_calls));
    if let Judgement::Statistical(judge) = &open.judgement {
        let evidence = evidence(judge, open, seen, origin, rules);
        outcome.evidence = Some(Evidence { effort_to_settle: ending.effort, ..evidence });
        outcome.shape = Some(shape(judge, open, seen, origin));
        outcome.noise = (origin == Origin::Measured).then(|| seen.noise_totals.noise());
        outcome.notes.extend(words::machine(&outcome, limit));
        outcome.notes.extend(mean_note(judge, open, &outcome));
    }
    let may_be_noise = outcome.noise.as_ref().is_some_and(Noise::may_explain);
    if shown == Verdict::Fail && may_be_noise && open.fails_less_waiting() {
        outcome.notes.push(words::LESS_WAITING_TOO.to_owned());
    }
    let linked = seen.links.linked(open.layout().unwrap_or(words::LAYOUT));
    let linked = linked.filter(|_| open.is_moved_by_layout());
    outcome.layout = linked.and_then(|_| open.layout());
    outcome.notes.extend(linked.map(|linked| words::linked(&outcome, linked)));
    outcome.notes.extend(open.disagreement());
    outcome.notes.extend(seen.sides.get(&limit.metric).map(|sides| words::sides(limit, sides)));
    outcome.sides = sides(open, seen);
    outcome.reason = match &open.pending.unjudged {
        Some((reason, _)) => words::unjudged(&outcome, reason),
        None => words::reason(&outcome, limit, linked),
    };
    // A `min` limit fails because there were too few calls, so the calls that grew do not explain it.
    let is_over = shown == Verdict::Fail && limit.bound == Bound::Max;
    if let Some(grown) = system_calls::grown(&outcome.system_calls).filter(|_| is_over) {
        outcome.reason = format!("{}: {grown}", outcome.reason);
    }
    outcome.verdict = ending.verdict();
    outcome.doubt = ending.doubt();
    outcome.reason = ending.reason(outcome.reason);
    versus_accepted::compare(&mut outcome, limit);
    if let Some(waiver) = &limit.waiver {
        outcome.waive(waiver, rules.today);
    }
    outcome
}

/// Returns the note about the mean of the values beside their middle, if there is one.
fn mean_note(judge: &Judge, open: &Open, outcome: &Outcome) -> Option<String> {
    // Ratios have no mean if a side of one of them is 0.
    let has_mean = judge.values().values().iter().all(|value| value.abs() < -LN_OF_ZERO);
    let mean = judge.mean().filter(|_| has_mean && !open.is_unjudged())?;
    words::mean_beside_middle(outcome, open.display_value(mean))
}

/// Returns both sides of a ratio; `None` for a limit on a quantity.
fn sides(open: &Open, seen: &NotesAndTotals) -> Option<Sides> {
    let metric = &open.pending.limit.metric;
    let unit = match metric.units() {
        Units::One(unit) => unit,
        Units::Rate if matches!(seen.work, Work::Bytes(_)) => Unit::BytesPerSecond,
        Units::Rate => Unit::PerSecond,
        Units::Any => Unit::Number,
    };
    Sides::of(seen.sides.get(metric)?, unit)
}

/// Returns the outcome of a limit that was not measured, with the reason.
pub(super) fn unmeasured(open: &Open, reason: &Unmeasured, seen: &NotesAndTotals) -> Outcome {
    let mut outcome = begin(open, seen);
    outcome.verdict = Verdict::Unmeasured;
    outcome.reason.clone_from(&reason.text);
    outcome.cause = Some(reason.cause.name().to_owned());
    outcome.output.clone_from(&reason.output);
    outcome
}

/// Begins an outcome with what every outcome says: where the limit comes from, what the value is held against, and
/// how long the measurement took.
fn begin(open: &Open, seen: &NotesAndTotals) -> Outcome {
    Outcome {
        // A limit that is a multiple of the value is not a number if no value was measured.
        against: Some(open.against()).filter(|against| against.limit.is_finite()),
        seconds: seen.spent.as_secs_f64(),
        ..open.pending.template.clone()
    }
}

fn evidence(
    judge: &Judge,
    open: &Open,
    seen: &NotesAndTotals,
    origin: Origin,
    rules: &Rules,
) -> Evidence {
    // There are no odds without a limit. There are none either if another program recorded the values of a single process.
    let recorded = origin == Origin::Record;
    let levels = if recorded { Levels { fail: 0.0, pass: 0.0 } } else { judge.levels() };
    let limited = !open.is_unjudged() && !recorded;
    let odds = |log_evidence: f64| if limited { finite(log_evidence) } else { 0.0 };
    // A pass may be settled soon, but a violation would be measured until the effort is spent.
    let within_effort = rules.effort.as_secs_f64() / seen.spent.as_secs_f64().max(1e-9);
    let planned = (judge.processes() as f64 * within_effort).min(MOST_PLANNED) as usize;
    let most = seen.links.most_pairs(rules.links);
    let planned = planned.min(most);
    let detectable = |processes: usize| {
        judge.detectable(processes).filter(|_| limited).map(|value| open.display_value(value))
    };
    let longer = (planned * MORE).min(most);
    Evidence {
        fail: odds(judge.log_evidence()),
        fail_at: levels.fail,
        pass: odds(judge.log_evidence_to_pass()),
        pass_at: levels.pass,
        detectable: detectable(planned),
        detectable_longer: detectable(longer),
        effort_to_settle: None,
        processes: judge.processes(),
        values: judge.values().len(),
        waited: seen.noise_totals.waited(),
        preempted: seen.noise_totals.preempted(),
    }
}

fn shape(judge: &Judge, open: &Open, seen: &NotesAndTotals, origin: Origin) -> Distribution {
    let values_of = match open.pending.limit.metric.sample() {
        _ if open.is_relative() => "pairs of processes".to_owned(),
        // The length of the batches is left out, since in most modes Criterion makes each batch longer than the one
        // before.
        _ if origin == Origin::Record => "batches".to_owned(),
        SampleKind::Batch | SampleKind::Rate => {
            seen.batches.clone().unwrap_or_else(|| "operations".to_owned())
        }
        SampleKind::Operation | SampleKind::Failure => "operations".to_owned(),
        SampleKind::Sweep => "sweeps".to_owned(),
        SampleKind::Run => "runs".to_owned(),
        SampleKind::File | SampleKind::Process | SampleKind::Record => "processes".to_owned(),
    };
    let values = judge.values().values().iter().map(|&v| open.display_value(v)).collect();
    words::shape(values_of, values)
}

/// Makes a number for JSON of infinite evidence, as there is if a limit on a greatest value holds.
fn finite(log_evidence: f64) -> f64 {
    log_evidence.clamp(-f64::MAX, f64::MAX)
}
