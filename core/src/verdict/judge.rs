//! The rules of judgement: what the values of one process after another show about a limit.
//!
//! `Broken` needs evidence that the true value is over the limit. For an absolute limit fresh processes must show it
//! again; for a ratio they need not, see [`Hypothesis::confirms`]. `Held` needs evidence that the value is not over the
//! limit by more than the tolerance. Neither depends on how often one looks. Deterministic values are only compared.
//! The formulas are those of [`stats`](crate::stats).

use super::greatest::Greatest;
use crate::budget::Bound;
use crate::stats::{Contrast, Interval, NotFinite, Percentile, Sample, Share, order};

/// The finding: what the evidence shows so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// There is not enough evidence for any other finding.
    Open,
    /// There is enough evidence for a red, but it is not confirmed yet: take more processes, apart in time from those
    /// before.
    Suspect,
    /// The value was shown to be over the limit, and where that must be confirmed, fresh processes confirmed it.
    Broken,
    /// The value was shown not to be over the limit by more than the tolerance.
    Held,
}

/// The method by which values become evidence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Method {
    /// A quantile of the values, judged by how many of them exceed the limit.
    Quantile(f64),
    /// The greatest value of each process: broken if it is over the limit in most processes, held if it is in none.
    Greatest,
    /// The share of the values that are 1 and not 0.
    Share,
    /// The middle of values: one log-ratio for each pair of processes.
    Centre,
}

/// The claim of a limit in plain numbers, against which evidence is gathered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hypothesis {
    /// Whether `limit` is an upper or a lower bound.
    pub bound: Bound,
    /// The limit.
    pub limit: f64,
    /// How far beyond the limit the true value may lie and still pass. It is positive.
    pub tolerance: f64,
    /// The method by which values become evidence.
    pub method: Method,
    /// How much evidence a verdict takes.
    pub levels: Levels,
    /// Whether fresh processes, apart in time, must confirm that the limit is broken. They need not if a coin decided the
    /// order of each pair, since no noise of any kind makes such values one-sided.
    pub confirms: bool,
}

/// How much evidence a verdict takes, as natural logarithms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Levels {
    /// The level to fail: `ln(m / alpha)` for one of `m` statistical limits.
    pub fail: f64,
    /// The level to pass: `ln(1 / beta)`.
    pub pass: f64,
}

/// The chance that a true value beyond limit and tolerance passes.
pub const BETA: f64 = 0.05;
/// The fewest processes that can settle anything, since processes differ from each other.
pub const FEWEST_PROCESSES: usize = 3;
/// The fewest fresh processes that can confirm a red.
const CONFIRMING_PROCESSES: usize = 3;
/// The level of the intervals that are shown. Each end holds at half of it, which is [`BETA`].
pub const INTERVAL_ALPHA: f64 = 2.0 * BETA;
/// How far beyond limit and tolerance a minimum detectable effect lies at least, as a share. A true value nearer than
/// that may pass as well.
const DETECTION_MARGIN: f64 = 0.05;
/// How many tolerances beyond the limit the interval may reach: a run that cannot rule out a violation of that size
/// is underpowered.
const UNDERPOWERED: f64 = 3.0;

/// The evidence from earlier runs of the same test, as natural logarithms of the odds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Carried {
    /// The evidence against "the value is within the limit".
    pub fail: f64,
    /// The evidence against "the value is over the limit by more than the tolerance".
    pub pass: f64,
    /// Whether the values of those runs differed from each other.
    pub varied: bool,
    /// The number of those runs. A pass needs more room after each, since each was a chance to pass.
    pub runs: u32,
}

/// The evidence about one limit, and what it shows.
pub struct Judge {
    pub(super) hypothesis: Hypothesis,
    pub(super) carried: Carried,
    /// The values of each process, negated for a lower bound, so that a value over the limit is always a larger one.
    pub(super) processes: Vec<Vec<f64>>,
    /// All values as they were measured, in ascending order.
    measured: Sample,
    first: Option<Epoch>,
    /// The evidence of fresh processes after the first crossing, and their number. It must not contradict the first.
    second: Option<(Epoch, usize)>,
}

/// The evidence that was gathered since some moment.
enum Epoch {
    Quantile(Percentile),
    Centre(Contrast),
    Greatest(Greatest),
    Share(Share),
}

impl Judge {
    /// Creates a judge without any evidence.
    pub fn new(hypothesis: Hypothesis) -> Self {
        Self::continuing(hypothesis, Carried::default())
    }

    /// Creates a judge with the evidence of earlier runs. Evidence multiplies: while its claim holds, the evidence
    /// of each run has a mean of at most one, so their product has too, however often the test is run again.
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

    /// Takes the values of one more process, in the order in which they were measured.
    ///
    /// # Errors
    /// If a value is not finite; none of the values is counted then.
    pub fn add(&mut self, values: &[f64]) -> Result<(), NotFinite> {
        self.measured.extend(values)?;
        let sign = self.sign();
        let values: Vec<f64> = values.iter().map(|v| v * sign).collect();
        let hypothesis = self.hypothesis;
        self.first.get_or_insert_with(|| Epoch::new(hypothesis)).add(&values)?;
        if let Some((epoch, processes)) = &mut self.second {
            epoch.add(&values)?;
            *processes += 1;
        } else if self.crossed() {
            self.second = Some((Epoch::new(hypothesis), 0));
        }
        self.processes.push(values);
        Ok(())
    }

    /// Returns what the evidence shows now.
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
            && second.agrees()
            && self.crossed()
        {
            return Finding::Broken;
        }
        let held = self.carried.pass + first.log_pass() >= self.hypothesis.levels.pass;
        if self.processes.len() >= FEWEST_PROCESSES && held && first.leaves_room(self.carried.runs)
        {
            return Finding::Held;
        }
        let suspect = self.hypothesis.confirms && self.second.is_some() && self.crossed();
        if suspect { Finding::Suspect } else { Finding::Open }
    }

    /// Returns what the values of a single process show, which another program recorded, so that no further process can
    /// be measured.
    ///
    /// The interval of these values does not contain the differences between processes, so no error rate is known. The
    /// tolerance makes room for those on both sides: the limit is broken if the whole interval lies beyond limit and
    /// tolerance, and held if the whole interval lies within the limit.
    pub fn finding_of_one(&self) -> Finding {
        match self.beyond() {
            Some((best, _)) if best > self.hypothesis.tolerance => Finding::Broken,
            Some((_, worst)) if worst <= 0.0 => Finding::Held,
            _ => Finding::Open,
        }
    }

    /// Returns the value that the limit is about, with its 90 % interval, which covers both the uncertainty of the
    /// values and that of the processes that they came from. `None` without values.
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

    /// Returns the evidence against "the value is within the limit", as the natural logarithm of odds.
    pub fn log_evidence(&self) -> f64 {
        self.carried.fail + self.first.as_ref().map_or(0.0, Epoch::log_fail)
    }

    /// Returns the evidence against "the value is over the limit by more than the tolerance", likewise.
    pub fn log_evidence_to_pass(&self) -> f64 {
        self.carried.pass + self.first.as_ref().map_or(0.0, Epoch::log_pass)
    }

    /// Returns the minimum detectable effect: the smallest true value beyond limit and tolerance (the value itself, not
    /// its excess) that a run of `processes` processes like these would have failed with a probability of 95 %. `None`
    /// where it would have failed at no value, or where that is not known.
    pub fn detectable(&self, processes: usize) -> Option<f64> {
        let (fail, processes) =
            (self.hypothesis.levels.fail, processes.max(self.processes.len()) as u64);
        let tolerance = self.hypothesis.tolerance;
        let beyond = self.hypothesis.limit * self.sign() + tolerance;
        let (detected, least) = match self.first.as_ref()? {
            Epoch::Quantile(p) => {
                (p.smallest_violation(fail, processes)?, beyond + DETECTION_MARGIN * beyond.abs())
            }
            Epoch::Centre(c) => {
                (c.smallest_violation(fail, processes)?, beyond + DETECTION_MARGIN * tolerance)
            }
            Epoch::Share(share) => {
                let least = match self.hypothesis.limit {
                    limit if limit <= 0.0 => 0.0,
                    _ => beyond + DETECTION_MARGIN * beyond,
                };
                return Some(share.smallest_violation(fail, processes)?.max(least));
            }
            Epoch::Greatest(greatest) => (greatest.smallest_violation(fail, processes)?, beyond),
        };
        Some(detected.max(least) * self.sign())
    }

    /// Returns the mean of all pairs, for a limit that is judged by their median; `None` for other limits.
    pub fn mean(&self) -> Option<f64> {
        match self.first.as_ref()? {
            Epoch::Centre(contrast) => Some(contrast.mean()? * self.sign()),
            Epoch::Quantile(_) | Epoch::Greatest(_) | Epoch::Share(_) => None,
        }
    }

    /// Whether an unsettled run is underpowered and not just near the limit: either it cannot rule out a violation of
    /// three times the tolerance, or its whole interval lies beyond the tolerance already.
    pub fn is_underpowered(&self) -> bool {
        let Some((best, worst)) = self.beyond() else { return true };
        let tolerance = self.hypothesis.tolerance;
        worst > UNDERPOWERED * tolerance || best > tolerance
    }

    /// Returns how far beyond the limit the better and the worse end of the interval lie; `None` without values.
    pub fn beyond(&self) -> Option<(f64, f64)> {
        let (_, interval) = self.estimate()?;
        let limit = self.hypothesis.limit;
        Some(match self.hypothesis.bound {
            Bound::Max => (interval.low - limit, interval.high - limit),
            Bound::Min => (limit - interval.high, limit - interval.low),
        })
    }

    /// Returns all values of all processes, as they were measured.
    pub fn values(&self) -> &Sample {
        &self.measured
    }

    /// Returns how much evidence a verdict takes.
    pub fn levels(&self) -> Levels {
        self.hypothesis.levels
    }

    /// Returns how far beyond the limit a true value still passes.
    pub fn tolerance(&self) -> f64 {
        self.hypothesis.tolerance
    }

    /// Returns how many processes were taken.
    pub fn processes(&self) -> usize {
        self.processes.len()
    }

    fn sample(&self) -> Sample {
        Sample::new(self.processes.concat()).unwrap_or_default()
    }

    fn crossed(&self) -> bool {
        self.log_evidence() >= self.hypothesis.levels.fail
    }

    fn sign(&self) -> f64 {
        self.hypothesis.bound.sign()
    }
}

impl Epoch {
    fn new(hypothesis: Hypothesis) -> Self {
        let sign = hypothesis.bound.sign();
        let limit = hypothesis.limit * sign;
        let tolerance_limit = limit + hypothesis.tolerance;
        match hypothesis.method {
            Method::Quantile(q) => {
                let q = if sign > 0.0 { q } else { 1.0 - q };
                // The operations of a process resemble each other, because they share its placement and layout. So a
                // process is one observation, however many operations it ran.
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
            Epoch::Greatest(greatest) => greatest.add(process),
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

    /// Whether these fresh processes agree with those before them.
    fn agrees(&self) -> bool {
        self.log_fail() >= 0.0
    }

    /// Whether the differences between processes leave room up to the tolerance limit, `after` other runs of the test.
    fn leaves_room(&self, after: u32) -> bool {
        match self {
            Epoch::Quantile(percentile) => percentile.leaves_room(after),
            Epoch::Centre(contrast) => contrast.leaves_room(after),
            Epoch::Share(share) => share.leaves_room(after),
            Epoch::Greatest(_) => true,
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
