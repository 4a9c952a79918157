//! Two sides that were sampled, and the functions whose time differs by more than chance explains.
//!
//! Samples show in which functions the time is spent, and not how long an operation takes. That time comes from the judged
//! measurement, or else from the sampling itself. A share of samples is an estimate, and has an interval.

use std::collections::BTreeSet;

use super::sums::{compared, sum};
use crate::callgrind::{Function, Profile};
use crate::outcome::{Blame, Change, Counter, Sampled};
use crate::stats::binomial::clopper_pearson;

/// The confidence of the intervals.
const CONFIDENCE: f64 = 0.9;
/// The share of the time from which on waiting, or other threads, are worth a remark.
const MUCH: f64 = 0.1;
const NANOSECONDS: f64 = 1e9;

/// The samples of one side, unwound and named.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stacks {
    /// The chains of callers, the innermost first and separated by `'`, each with the number of its samples.
    pub chains: Vec<(String, u64)>,
    /// The seconds of one operation while it was sampled.
    pub seconds: f64,
    /// The share of the time in which the thread did not run.
    pub waited: f64,
    /// The processor time of other threads, as a share of the time.
    pub others: f64,
    /// How many samples found no room.
    pub lost: u64,
    /// How many samples are of other threads, each taken while the thread of the operation waited.
    pub instead: u64,
    /// How many stacks could not be unwound, so that only the innermost function is known.
    pub broken: u64,
}

impl Stacks {
    fn count(&self) -> u64 {
        self.chains.iter().map(|(_, count)| count).sum()
    }

    fn profile(&self) -> Profile {
        let function = |(name, count): &(String, u64)| Function {
            name: name.clone(),
            cost: *count,
            ..Function::default()
        };
        Profile { functions: self.chains.iter().map(function).collect(), ..Profile::default() }
    }
}

/// Compares two sides that were sampled as `sampled` says. Without a reference the result says where the time goes.
pub fn sampled(before: Option<&Stacks>, now: &Stacks, sampled: &Sampled) -> Blame {
    let own: BTreeSet<String> = sampled.own.iter().cloned().collect();
    let is_known = |judged: &Change| judged.now > 0.0 && (before.is_none() || judged.before > 0.0);
    let judged = sampled.judged.filter(is_known);
    let side = |stacks: &Stacks, judged: Option<f64>| {
        let nanoseconds = judged.unwrap_or(stacks.seconds) * NANOSECONDS;
        let mut sums = sum(&[stacks.profile()], &own);
        sums.divide(stacks.count().max(1) as f64 / nanoseconds.max(f64::MIN_POSITIVE));
        (sums, nanoseconds)
    };
    let was = before.map(|stacks| side(stacks, judged.map(|judged| judged.before)));
    let (is, now_takes) = side(now, judged.map(|judged| judged.now));
    let before_takes = was.as_ref().map(|(_, takes)| *takes);
    let mut blame = compared(was.map(|(sums, _)| sums).as_ref(), &is, &own);
    let sides = (
        before.zip(before_takes).map(|(stacks, takes)| (stacks.count(), takes)),
        (now.count(), now_takes),
    );
    for function in &mut blame.functions {
        function.interval = interval(function.own, sides);
    }
    // Functions whose change chance may explain come after the others, whose order stays.
    blame.functions.sort_by_key(|function| !function.is_certain());
    Blame {
        by: match before.map(Stacks::count) {
            Some(before) if before != now.count() => {
                format!("{before} and {} samples", now.count())
            }
            Some(_) => format!("{} samples a side", now.count()),
            None => format!("{} samples", now.count()),
        },
        seconds: sampled.seconds,
        counter: Counter::Samples,
        remarks: remarks(before, now, &sampled.why),
        ..blame
    }
}

/// Returns the interval of the change of a function's time, from those of its share on both sides (the method of variance
/// estimates recovery, after Zou and Donner 2008). A side is its number of samples, and the nanoseconds of its operation.
fn interval(own: Change, (before, now): (Option<(u64, f64)>, (u64, f64))) -> Option<(f64, f64)> {
    let share = |amount: f64, (samples, takes): (u64, f64)| {
        let known = samples > 0 && takes > 0.0;
        known.then(|| {
            let found = ((amount / takes * samples as f64).round() as u64).min(samples);
            let shares = clopper_pearson(found, samples, CONFIDENCE);
            (amount, shares.low * takes, shares.high * takes)
        })
    };
    let (value, low, high) = share(own.now, now)?;
    let Some(before) = before else { return Some((low, high)) };
    let (was, was_low, was_high) = share(own.before, before)?;
    let by = value - was;
    Some((by - (value - low).hypot(was_high - was), by + (high - value).hypot(was - was_low)))
}

/// Returns the remarks that a reader of the samples must know.
fn remarks(before: Option<&Stacks>, now: &Stacks, why: &str) -> Vec<String> {
    let sides = || before.into_iter().chain([now]);
    let most = |of: fn(&Stacks) -> f64| sides().map(of).fold(0.0, f64::max);
    let mut remarks = Vec::new();
    if !why.is_empty() {
        remarks.push(format!("samples are estimates; {why}"));
    }
    let share = |stacks: &Stacks| stacks.instead as f64 / stacks.count().max(1) as f64;
    let (waited, instead) = (most(|stacks| stacks.waited), most(share));
    if instead > MUCH {
        remarks.push(format!(
            "for {:.0} % of the time the thread that starts an operation did not run: {:.0} % of the samples are of another thread \
             that ran while it waited",
            waited * 100.0,
            instead * 100.0
        ));
    } else if waited > MUCH {
        remarks.push(format!(
            "for {:.0} % of the time the thread did not run: it waited, or something else had its processor; the samples show \
             from which functions it called the system, and not what it waited for",
            waited * 100.0
        ));
    }
    let others = most(|stacks| stacks.others);
    if others > MUCH {
        remarks.push(format!(
            "other threads ran for {:.0} % of the time, and were not sampled while the thread that starts an operation ran: of work \
             that several threads do at the same time, one of them is sampled",
            others * 100.0
        ));
    }
    let (broken, lost) = sides().fold((0, 0), |sum, s| (sum.0 + s.broken, sum.1 + s.lost));
    let count: u64 = sides().map(Stacks::count).sum();
    if broken as f64 > MUCH * count as f64 {
        remarks.push(format!(
            "the callers of {broken} of {count} samples are not known, and such a sample counts for the innermost function"
        ));
    }
    if lost > 0 {
        remarks.push("the stacks are deep, so that there was room for fewer samples".to_owned());
    }
    remarks
}

#[cfg(test)]
#[path = "sampled_tests.rs"]
mod tests;
