//! One measurement, fork by fork, until every limit that shares it has its outcome.

use std::time::{Duration, Instant};

use super::account::Account;
use super::open::{Judgement, Open};
use super::source::Source;
use super::{Asked, Rules, standing, words};
use crate::budget::Unsure;
use crate::meter::{Cause, Fork, Unmeasured};
use crate::metric::{ByMetric, SampleKind};
use crate::verdict::judge::{BETA, FEWEST_FORKS, Finding, Judge, Levels};
use crate::verdict::{Doubt, Evidence, Ledger, Outcome, Shape, Verdict};

/// A generator that is late by more than this share of a limit says nothing of what is over it.
const LATE: f64 = 0.1;

/// One measurement and the limits that share it.
pub(crate) struct Inquiry {
    source: Box<dyn Source>,
    rules: Rules,
    open: Vec<Open>,
    done: Vec<Outcome>,
    spent: Duration,
    account: Account,
    /// What forks noted, and whether another one noted the same with other figures.
    notes: Vec<(String, bool)>,
    suspect_since: Option<Instant>,
    of: Option<String>,
    sides: ByMetric<Vec<(f64, f64)>>,
    remarks: ByMetric<Vec<String>>,
}

impl Inquiry {
    /// Nothing measured yet.
    pub(crate) fn new(source: Box<dyn Source>, asked: Vec<Asked>, rules: Rules) -> Self {
        let levels = Levels {
            fail: crate::stats::threshold(rules.alpha, rules.noisy.max(1)),
            pass: crate::stats::threshold(BETA, 1),
        };
        let open = asked.into_iter().map(|asked| Open::new(asked, levels)).collect();
        Inquiry {
            source,
            rules,
            open,
            done: Vec::new(),
            spent: Duration::ZERO,
            account: Account::default(),
            notes: Vec::new(),
            suspect_since: None,
            of: None,
            sides: ByMetric::new(),
            remarks: ByMetric::new(),
        }
    }

    /// The outcomes so far, in the order they were reached.
    pub(crate) fn outcomes(&self) -> &[Outcome] {
        &self.done
    }

    /// Whether every limit has its outcome.
    pub(crate) fn is_done(&self) -> bool {
        self.open.is_empty()
    }

    /// How long it has measured, and how many forks the most-measured open limit has: for progress.
    pub(crate) fn progress(&self) -> (Duration, usize) {
        let forks = self.open.iter().map(Open::forks).max().unwrap_or(0);
        (self.spent, forks)
    }

    /// How long to wait before the next fork may confirm a red; zero otherwise.
    pub(crate) fn pause(&self) -> Duration {
        self.suspect_since
            .map_or(Duration::ZERO, |since| self.rules.apart.saturating_sub(since.elapsed()))
    }

    /// Gives up: every open limit is unmeasured, for this reason.
    pub(crate) fn abandon(&mut self, reason: &Unmeasured) {
        for open in std::mem::take(&mut self.open) {
            self.unmeasured(&open, reason);
        }
    }

    /// Takes one turn: measures, once or for a burst, and judges after every fork.
    pub(crate) fn step(&mut self) {
        let began = self.spent;
        let burst = self.source.burst();
        loop {
            self.fork();
            if self.is_done()
                || self.spent.saturating_sub(began) >= burst
                || self.suspect_since.is_some()
            {
                return;
            }
        }
    }

    fn fork(&mut self) {
        let fork = match self.source.fork() {
            Ok(fork) => fork,
            Err(reason) => return self.abandon(&reason),
        };
        self.account(&fork);
        for mut open in std::mem::take(&mut self.open) {
            match open.add(&fork) {
                Ok(()) => self.consider(open),
                Err(reason) => self.unmeasured(&open, &reason),
            }
        }
        let suspect = self.open.iter().any(Open::is_suspect);
        match (suspect, self.suspect_since) {
            (true, None) => self.suspect_since = Some(Instant::now()),
            (false, Some(_)) => self.suspect_since = None,
            _ => {}
        }
    }

    fn account(&mut self, fork: &Fork) {
        self.spent += fork.elapsed;
        self.account.add(fork);
        for note in &fork.notes {
            match self.notes.iter_mut().find(|(known, _)| words::are_alike(known, note)) {
                Some((known, varies)) => *varies |= known != note,
                None => self.notes.push((note.clone(), false)),
            }
        }
        for (metric, remarks) in fork.remarks.rows() {
            if !self.remarks.contains_key(metric) {
                self.remarks.insert(metric.clone(), remarks.clone());
            }
        }
        for (metric, sides) in fork.sides.rows() {
            self.sides.or_default(metric).push(*sides);
        }
        if self.of.is_none() && fork.batch_size > 1 {
            self.of = Some(format!("batches of {} operations", fork.batch_size));
        }
    }

    /// Closes the limit if its evidence, or its time, is up.
    fn consider(&mut self, open: Open) {
        // There is nothing else to wait for.
        let recorded = self.source.is_recorded();
        let spent_up = recorded || self.spent >= self.rules.effort;
        if open.is_unjudged() {
            let enough = open.suffices(self.rules.repeats) || spent_up;
            return if enough { self.set_aside(&open) } else { self.open.push(open) };
        }
        match &open.judgement {
            Judgement::Exact(readings) if readings.len() >= self.rules.repeats => {
                self.compare(&open);
            }
            Judgement::Exact(_) => self.open.push(open),
            Judgement::Noisy(judge) if recorded => match judge.finding_of_one() {
                Finding::Broken => self.close(&open, Verdict::Fail, None),
                Finding::Held => self.held(&open),
                Finding::Open | Finding::Suspect => self.settle(&open, None),
            },
            Judgement::Noisy(judge) => match judge.finding() {
                // Other work may be why: it has until the effort is spent to go away.
                Finding::Broken if self.is_excused(&open) && !spent_up => self.open.push(open),
                Finding::Broken if self.is_excused(&open) => self.settle(&open, Some(Doubt::Noise)),
                Finding::Broken => self.broken(&open),
                // What never varies is compared, once it is no accident that it did not.
                Finding::Held | Finding::Open if open.is_constant() => {
                    if spent_up || open.never_varies(&open.against(&self.rules)) {
                        self.compare(&open);
                    } else {
                        self.open.push(open);
                    }
                }
                Finding::Held => self.held(&open),
                Finding::Open if spent_up => self.settle(&open, None),
                // Nor is a red pursued for ever that fresh processes will not confirm.
                Finding::Suspect if self.spent >= self.rules.effort * 2 => self.settle(&open, None),
                Finding::Open | Finding::Suspect => self.open.push(open),
            },
        }
    }

    /// Shown to be over the limit, by the workload unless the generator of its load was late itself.
    fn broken(&mut self, open: &Open) {
        let metric = &open.asked.limit.metric;
        let of_operations = matches!(metric.sample(), SampleKind::Operation | SampleKind::Batch);
        let Some(statistic) = metric.statistic().filter(|_| of_operations) else {
            return self.close(open, Verdict::Fail, None);
        };
        let limit = open.against(&self.rules);
        match self.account.lag(statistic).filter(|lag| *lag > LATE * limit.limit) {
            Some(lag) if !open.is_relative() => {
                let text = words::late_generator(statistic, lag, &limit, open.value());
                self.unmeasured(open, &Unmeasured::new(Cause::LateGenerator, text));
            }
            _ => self.close(open, Verdict::Fail, None),
        }
    }

    fn held(&mut self, open: &Open) {
        let value = open.value().unwrap_or(f64::NAN);
        let warn = open.against(&self.rules);
        let verdict = if warn.warns(value) { Verdict::Warn } else { Verdict::Pass };
        self.close(open, verdict, None);
    }

    /// Exact values, or noisy ones that did not vary.
    fn compare(&mut self, open: &Open) {
        let against = open.against(&self.rules);
        let values = open.readings();
        let over = values.iter().filter(|&&value| against.is_over(value)).count();
        let verdict = match over {
            0 if values.iter().any(|&value| against.warns(value)) => Verdict::Warn,
            0 => Verdict::Pass,
            _ => Verdict::Fail,
        };
        self.close(open, verdict, None);
    }

    /// Whether a limit that was shown to be broken was so by the wall clock alone, on a machine whose
    /// other work may be why.
    fn is_excused(&self, open: &Open) -> bool {
        let ledger = self.account.ledger();
        open.is_by_wall_clock(ledger.clock) && ledger.may_explain() && !open.fails_less_waiting()
    }

    /// The effort is spent and the evidence is not enough; `doubt` where it is known why.
    fn settle(&mut self, open: &Open, doubt: Option<Doubt>) {
        let Judgement::Noisy(judge) = &open.judgement else { return self.compare(open) };
        let few = judge.forks() < FEWEST_FORKS && !self.source.is_recorded();
        let blind = judge.is_blind() || few;
        let doubt = doubt.unwrap_or(if blind { Doubt::Blind } else { Doubt::Near });
        let verdict = match (self.rules.unsure, doubt) {
            (Unsure::Fail, _) | (Unsure::Blind, Doubt::Blind | Doubt::Noise) => Verdict::Unsure,
            (Unsure::Blind, Doubt::Near) | (Unsure::Warn, _) => Verdict::Warn,
        };
        self.close(open, verdict, Some(doubt));
    }

    /// Nothing to judge by: the value is there to be accepted.
    fn set_aside(&mut self, open: &Open) {
        self.close(open, Verdict::Skipped, None);
    }

    /// Turns a limit into its outcome; `doubt` where the evidence did not settle it.
    fn close(&mut self, open: &Open, verdict: Verdict, doubt: Option<Doubt>) {
        let against = open.against(&self.rules);
        let mut outcome = open.asked.blank.clone();
        outcome.verdict = verdict;
        outcome.doubt = doubt;
        // Of a value that was not measured there is no multiple.
        outcome.against = Some(against).filter(|against| against.limit.is_finite());
        outcome.seconds = self.spent.as_secs_f64();
        outcome.notes.extend(self.notes.iter().map(|(note, varies)| match varies {
            false => note.clone(),
            true => format!("{note}; so in the first process, and alike in others"),
        }));
        outcome
            .notes
            .extend(self.remarks.get(&open.asked.limit.metric).into_iter().flatten().cloned());
        outcome.estimate = open.estimate();
        if let Judgement::Noisy(judge) = &open.judgement {
            outcome.evidence = Some(self.evidence(judge, open));
            outcome.shape = Some(self.shape(judge, open));
            outcome.ledger = (!self.source.is_recorded()).then(|| self.account.ledger());
            outcome.notes.extend(words::machine(&outcome, &open.asked.limit));
        }
        let excuse = outcome.ledger.as_ref().is_some_and(Ledger::may_explain);
        if verdict == Verdict::Fail && excuse && open.fails_less_waiting() {
            outcome.notes.push(words::LESS_WAITING_TOO.to_owned());
        }
        // What is unsure is no regression that luck could have made.
        let failed = verdict == Verdict::Fail;
        let ratio = outcome.estimate.filter(|_| failed).map(|estimate| estimate.value);
        outcome
            .notes
            .extend(ratio.and_then(|ratio| {
                words::layout_luck(&open.asked.limit, ratio, self.rules.layouts)
            }));
        if let Some(note) = open.disagreement(&against) {
            outcome.notes.push(note);
        }
        if let Some(sides) = self.sides.get(&open.asked.limit.metric) {
            outcome.notes.push(words::sides(&open.asked.limit, sides));
        }
        outcome.reason = match &open.asked.unjudged {
            Some((reason, _)) => words::unjudged(&outcome, reason),
            None => words::reason(&outcome, &open.asked.limit),
        };
        standing::compare(&mut outcome, &open.asked.limit);
        if let Some(waiver) = &open.asked.limit.waiver {
            outcome.waive(waiver, self.rules.today);
        }
        self.done.push(outcome);
    }

    fn unmeasured(&mut self, open: &Open, reason: &Unmeasured) {
        let mut outcome = open.asked.blank.clone();
        outcome.verdict = Verdict::Unmeasured;
        outcome.reason.clone_from(&reason.text);
        outcome.cause = Some(reason.cause.name().to_owned());
        outcome.output.clone_from(&reason.output);
        let against = open.against(&self.rules);
        outcome.against = Some(against).filter(|against| against.limit.is_finite());
        outcome.seconds = self.spent.as_secs_f64();
        self.done.push(outcome);
    }

    fn evidence(&self, judge: &Judge, open: &Open) -> Evidence {
        // Against no limit, and from one process, there are no odds, only values.
        let recorded = self.source.is_recorded();
        let levels = if recorded { Levels { fail: 0.0, pass: 0.0 } } else { judge.levels() };
        let limited = !open.is_unjudged() && !recorded;
        let odds = |log_evidence: f64| if limited { finite(log_evidence) } else { 0.0 };
        Evidence {
            fail: odds(judge.log_evidence()),
            fail_at: levels.fail,
            pass: odds(judge.log_evidence_to_pass()),
            pass_at: levels.pass,
            detectable: judge.detectable().filter(|_| limited).map(|v| open.shown(v)),
            forks: judge.forks(),
            values: judge.values().len(),
            waited: self.account.waited(),
            preempted: self.account.preempted(),
        }
    }

    fn shape(&self, judge: &Judge, open: &Open) -> Shape {
        let of = match open.asked.limit.metric.sample() {
            _ if open.is_relative() => "pairs of processes".to_owned(),
            // As long as Criterion made them: most of its modes make each longer than the last.
            _ if self.source.is_recorded() => "batches".to_owned(),
            SampleKind::Batch | SampleKind::Rate => {
                self.of.clone().unwrap_or_else(|| "operations".to_owned())
            }
            SampleKind::Operation | SampleKind::Failure => "operations".to_owned(),
            SampleKind::Sweep => "sweeps".to_owned(),
            SampleKind::Run => "runs".to_owned(),
            SampleKind::File | SampleKind::Process | SampleKind::Record => "processes".to_owned(),
        };
        let values = judge.values().values().iter().map(|&v| open.shown(v)).collect();
        words::shape(of, values)
    }
}

/// Infinite evidence, as of a greatest value seen twice, written as a number that JSON has.
fn finite(log_evidence: f64) -> f64 {
    log_evidence.clamp(-f64::MAX, f64::MAX)
}
