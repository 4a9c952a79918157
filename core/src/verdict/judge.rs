//! The rules of judgement: from the values of one process after another to a finding.
//!
//! `Broken` needs evidence that the truth is over the limit, and that evidence again in fresh processes;
//! `Held` needs evidence that it is not over by more than the tolerance. Neither depends on how often one
//! looks. Deterministic values are only compared. The formulas are those of [`stats`](crate::stats).

use super::greatest::Greatest;
use crate::budget::Bound;
use crate::stats::{Contrast, Interval, NotFinite, Percentile, Sample, Share, order};

/// What the evidence says so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// Not enough evidence for either.
    Open,
    /// Enough to be red, and not yet confirmed: take more processes, apart in time from those before.
    Suspect,
    /// Shown to be over the limit, and fresh processes did not speak against it.
    Broken,
    /// Shown not to be over the limit by more than the tolerance.
    Held,
}

/// How values become evidence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Method {
    /// A quantile of the values, from how many exceed the limit.
    Quantile(f64),
    /// The greatest value: over when two processes saw one over the limit, and most of those after them.
    Greatest,
    /// The share of the values that are 1 rather than 0.
    Share,
    /// The centre of values that lie symmetrically around it: one log-ratio or one slope a process.
    Centre,
}

/// What a limit claims, in plain numbers, for the evidence to speak against.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hypothesis {
    /// From which side `limit` bounds.
    pub bound: Bound,
    /// The limit.
    pub limit: f64,
    /// How far beyond the limit a truth may lie and still pass. Positive.
    pub tolerance: f64,
    /// How values become evidence.
    pub method: Method,
    /// How much evidence it takes.
    pub levels: Levels,
    /// Whether fresh processes, apart in time, must confirm that it is broken. Values whose sign a coin
    /// decided need not be: no noise of whatever kind makes them one-sided.
    pub confirms: bool,
}

/// How much evidence it takes, as natural logarithms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Levels {
    /// To fail: `ln(m / alpha)` for one of `m` statistical limits.
    pub fail: f64,
    /// To pass: `ln(1 / beta)`.
    pub pass: f64,
}

/// The chance that a value worse than limit and tolerance passes.
pub const BETA: f64 = 0.05;
/// Variation between processes counts: fewer never settle anything.
pub const FEWEST_PROCESSES: usize = 3;
/// How many processes a second epoch takes at the least.
const CONFIRMING_PROCESSES: usize = 3;
/// The level of the intervals that are shown: each end holds at half of it, which is [`BETA`].
pub const INTERVAL_ALPHA: f64 = 2.0 * BETA;
/// What a claim of detection is beyond limit and tolerance, as a share: nearer, a truth may pass as well.
const CLEAR_OF_SLACK: f64 = 0.05;
/// A run that cannot rule out a violation of this many tolerances is blind.
const UNDERPOWERED: f64 = 3.0;

/// Evidence from earlier runs of the same test, as natural logarithms of the odds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Carried {
    /// Against "the limit is held".
    pub fail: f64,
    /// Against "over by more than the tolerance".
    pub pass: f64,
}

/// The evidence about one limit, and what it says.
pub struct Judge {
    hypothesis: Hypothesis,
    carried: Carried,
    /// Values are negated for a lower bound, so that over is always up.
    processes: Vec<Vec<f64>>,
    /// All of them as they were measured, kept in order.
    measured: Sample,
    first: Option<Epoch>,
    /// Fresh processes after the first crossing: the second epoch must not point the other way.
    second: Option<(Epoch, usize)>,
}

/// The evidence since some moment.
enum Epoch {
    Quantile(Percentile),
    Centre(Contrast),
    Greatest(Greatest),
    Share(Share),
}

impl Judge {
    /// Without evidence yet.
    pub fn new(hypothesis: Hypothesis) -> Self {
        Self::continuing(hypothesis, Carried::default())
    }

    /// With the evidence of earlier runs, which multiplies: what each of them gives has a mean of at most
    /// one while its claim holds, so that their product has too, however often it is run again.
    pub fn continuing(hypothesis: Hypothesis, carried: Carried) -> Self {
        Judge {
            hypothesis,
            carried,
            processes: Vec::new(),
            measured: Sample::default(),
            first: None,
            second: None,
        }
    }

    /// Takes the values of one more process, in the order they were measured.
    ///
    /// # Errors
    /// Where a value is not finite; nothing is counted then.
    pub fn add(&mut self, values: &[f64]) -> Result<(), NotFinite> {
        self.measured.extend(values)?;
        let sign = self.sign();
        let values: Vec<f64> = values.iter().map(|v| v * sign).collect();
        let hypothesis = self.hypothesis;
        self.first.get_or_insert_with(|| Epoch::new(hypothesis)).add(&values)?;
        if let Some((epoch, processes)) = &mut self.second {
            epoch.add(&values)?;
            *processes += 1;
            let refuted = *processes >= CONFIRMING_PROCESSES && !epoch.agrees(*processes);
            if let (Some(Epoch::Greatest(greatest)), true) = (&mut self.first, refuted) {
                greatest.forget_accident();
                self.second = None;
            }
        } else if self.crossed() {
            self.second = Some((Epoch::new(hypothesis), 0));
        }
        self.processes.push(values);
        Ok(())
    }

    /// What the evidence says now.
    pub fn finding(&self) -> Finding {
        let Some(first) = &self.first else { return Finding::Open };
        if matches!(first, Epoch::Share(share) if share.is_disproved()) {
            return Finding::Broken;
        }
        if !self.hypothesis.confirms && self.crossed() && self.processes.len() >= FEWEST_PROCESSES {
            return Finding::Broken;
        }
        if let Some((second, processes)) = &self.second
            && *processes >= CONFIRMING_PROCESSES
            && second.agrees(*processes)
            && self.crossed()
        {
            return Finding::Broken;
        }
        let held = self.carried.pass + first.log_pass() >= self.hypothesis.levels.pass;
        if self.processes.len() >= FEWEST_PROCESSES && held && first.leaves_room() {
            return Finding::Held;
        }
        let suspect = self.hypothesis.confirms && self.second.is_some() && self.crossed();
        if suspect { Finding::Suspect } else { Finding::Open }
    }

    /// What the values of one process say, which another program recorded, so that no other can be asked.
    ///
    /// Their interval knows nothing of what varies between processes, and no error rate is known. The
    /// tolerance makes room for that on either side: broken is what lies beyond limit and tolerance with all of
    /// its interval, held what lies within the limit with all of it.
    pub fn finding_of_one(&self) -> Finding {
        match self.beyond() {
            Some((best, _)) if best > self.hypothesis.tolerance => Finding::Broken,
            Some((_, worst)) if worst <= 0.0 => Finding::Held,
            _ => Finding::Open,
        }
    }

    /// The value that the limit is about, with its interval at 90 %: what values leave open, and what the
    /// processes that they came from leave open by differing. `None` without values.
    pub fn estimate(&self) -> Option<(f64, Interval)> {
        let sign = self.sign();
        let (value, interval) = match self.first.as_ref()? {
            Epoch::Quantile(p) => (p.estimate()?, p.interval_of_processes(INTERVAL_ALPHA)),
            Epoch::Centre(c) => (c.estimate()?, c.interval(INTERVAL_ALPHA)),
            Epoch::Greatest(_) => {
                let all = self.sample();
                let greatest = *all.values().last()?;
                let p999 = order::quantile(&all, 0.999)?;
                (greatest, Interval { low: p999, high: f64::INFINITY })
            }
            Epoch::Share(share) => {
                return Some((share.estimate()?, share.interval(INTERVAL_ALPHA)));
            }
        };
        let interval = if sign < 0.0 {
            Interval { low: -interval.high, high: -interval.low }
        } else {
            interval
        };
        Some((value * sign, interval))
    }

    /// The odds, as a natural logarithm, against "the limit is held".
    pub fn log_evidence(&self) -> f64 {
        self.carried.fail + self.first.as_ref().map_or(0.0, Epoch::log_fail)
    }

    /// The odds, as a natural logarithm, against "over the limit by more than the tolerance".
    pub fn log_evidence_to_pass(&self) -> f64 {
        self.carried.pass + self.first.as_ref().map_or(0.0, Epoch::log_pass)
    }

    /// The minimum detectable effect: the smallest true value, not the excess, beyond limit and tolerance that a run
    /// of so many processes like these would have failed with 95 % probability. `None` where it would have failed
    /// none, or none that can be told.
    pub fn detectable(&self, processes: usize) -> Option<f64> {
        let (fail, processes) =
            (self.hypothesis.levels.fail, processes.max(self.processes.len()) as u64);
        let tolerance = self.hypothesis.tolerance;
        let beyond = self.hypothesis.limit * self.sign() + tolerance;
        let (caught, clear) = match self.first.as_ref()? {
            Epoch::Quantile(p) => {
                (p.smallest_violation(fail, processes)?, beyond + CLEAR_OF_SLACK * beyond.abs())
            }
            Epoch::Centre(c) => {
                (c.smallest_violation(fail, processes)?, beyond + CLEAR_OF_SLACK * tolerance)
            }
            Epoch::Share(share) => {
                let clear = if self.hypothesis.limit <= 0.0 { 0.0 } else { beyond };
                return Some(share.smallest_violation(fail, processes)?.max(clear));
            }
            Epoch::Greatest(greatest) => (greatest.detectable()?, beyond),
        };
        Some(caught.max(clear) * self.sign())
    }

    /// By the mean of all pairs rather than their middle, for what is judged by its centre.
    pub fn mean(&self) -> Option<f64> {
        match self.first.as_ref()? {
            Epoch::Centre(contrast) => Some(contrast.mean()? * self.sign()),
            Epoch::Quantile(_) | Epoch::Greatest(_) | Epoch::Share(_) => None,
        }
    }

    /// Whether an unsettled verdict is no verdict at all, rather than "near the limit": this run cannot
    /// rule out a violation of three times the tolerance, or it points beyond the tolerance already.
    pub fn is_underpowered(&self) -> bool {
        let Some((best, worst)) = self.beyond() else { return true };
        let tolerance = self.hypothesis.tolerance;
        worst > UNDERPOWERED * tolerance || best > tolerance
    }

    /// How far the better and the worse end of the interval lie beyond the limit.
    fn beyond(&self) -> Option<(f64, f64)> {
        let (_, interval) = self.estimate()?;
        let limit = self.hypothesis.limit;
        Some(match self.hypothesis.bound {
            Bound::Max => (interval.low - limit, interval.high - limit),
            Bound::Min => (limit - interval.high, limit - interval.low),
        })
    }

    /// Every value of every process, as it was measured.
    pub fn values(&self) -> &Sample {
        &self.measured
    }

    /// How much evidence it takes.
    pub fn levels(&self) -> Levels {
        self.hypothesis.levels
    }

    /// How far beyond the limit still passes.
    pub fn tolerance(&self) -> f64 {
        self.hypothesis.tolerance
    }

    /// How many processes were taken.
    pub fn processes(&self) -> usize {
        self.processes.len()
    }

    fn sample(&self) -> Sample {
        let values = self.processes.iter().flatten().copied().collect();
        Sample::new(values).unwrap_or_default()
    }

    fn crossed(&self) -> bool {
        self.log_evidence() >= self.hypothesis.levels.fail
    }

    fn sign(&self) -> f64 {
        self.hypothesis.sign()
    }
}

impl Epoch {
    fn new(hypothesis: Hypothesis) -> Self {
        let sign = hypothesis.sign();
        let limit = hypothesis.limit * sign;
        let tolerance_limit = limit + hypothesis.tolerance;
        match hypothesis.method {
            Method::Quantile(q) => {
                let q = if sign > 0.0 { q } else { 1.0 - q };
                // What is peculiar to a process (placement, layout) makes its operations alike: it is one
                // observation, however many it ran.
                Epoch::Quantile(Percentile::by_processes(q, limit, tolerance_limit))
            }
            Method::Centre => Epoch::Centre(Contrast::new(limit, tolerance_limit)),
            Method::Greatest => Epoch::Greatest(Greatest::new(limit, tolerance_limit)),
            Method::Share => {
                Epoch::Share(Share::new(hypothesis.limit, hypothesis.limit + hypothesis.tolerance))
            }
        }
    }

    fn add(&mut self, process: &[f64]) -> Result<(), NotFinite> {
        match self {
            Epoch::Quantile(percentile) => percentile.add_process(process),
            Epoch::Centre(contrast) => process.iter().try_for_each(|&v| contrast.push(v)),
            Epoch::Greatest(greatest) => {
                greatest.add(process);
                Ok(())
            }
            Epoch::Share(share) => {
                let ones = process.iter().filter(|v| v.abs() > 0.5).count();
                share.process(process.len() as u64, ones as u64);
                Ok(())
            }
        }
    }

    fn log_fail(&self) -> f64 {
        match self {
            Epoch::Quantile(percentile) => percentile.log_fail(),
            Epoch::Centre(contrast) => contrast.log_fail(),
            Epoch::Share(share) => share.log_fail(),
            Epoch::Greatest(greatest) => greatest.log_fail(),
        }
    }

    /// Whether these fresh processes say what those before them said.
    fn agrees(&self, processes: usize) -> bool {
        match self {
            Epoch::Greatest(greatest) => greatest.is_common(processes),
            Epoch::Quantile(_) | Epoch::Centre(_) | Epoch::Share(_) => self.log_fail() >= 0.0,
        }
    }

    /// Whether what processes differ by leaves room to the tolerance limit.
    fn leaves_room(&self) -> bool {
        match self {
            Epoch::Quantile(percentile) => percentile.leaves_room(),
            Epoch::Centre(_) | Epoch::Share(_) | Epoch::Greatest(_) => true,
        }
    }

    fn log_pass(&self) -> f64 {
        match self {
            Epoch::Quantile(percentile) => percentile.log_pass(),
            Epoch::Centre(contrast) => contrast.log_pass(),
            Epoch::Share(share) => share.log_pass(),
            Epoch::Greatest(greatest) => greatest.log_pass(),
        }
    }
}

impl Hypothesis {
    /// 1 where over is up, -1 where it is down.
    fn sign(self) -> f64 {
        match self.bound {
            Bound::Max => 1.0,
            Bound::Min => -1.0,
        }
    }
}
