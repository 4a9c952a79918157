//! A limit that has no outcome yet: the evidence that was read for it, and what the evidence shows.

use std::cell::{Cell, OnceCell};

use super::PendingLimit;
use super::totals::Totals;
use super::untold::Untold;
use super::without_layout::{LN_OF_ZERO, WithoutLayout};
use crate::budget::{Bound, Limit, Target};
use crate::metric::{Judged, SampleKind, Units};
use crate::outcome::{Against, Estimate};
use crate::outcome::{Cause, Unmeasured};
use crate::quantity::Unit;
use crate::reading::{ProcessRun, Work};
use crate::verdict::hypothesis;
use crate::verdict::judge::{FEWEST_PROCESSES, Finding, Judge, Levels};

/// A limit that has no outcome yet.
pub(super) struct Open {
    pub(super) pending: PendingLimit,
    /// How many processes it takes to see a violation; computed when it is first asked for.
    pub(super) fewest: OnceCell<Option<usize>>,
    /// How many processes are likely to settle it; 0 before that is computed, and if so many as there is time for are not.
    pub(super) likely: Cell<usize>,
    pub(super) judgement: Judgement,
    pub(super) levels: Levels,
    /// The evidence of the same times with the scheduling delay subtracted, if they are judged by the wall clock and the
    /// delay is known.
    pub(super) less_waiting: Option<Box<Judge>>,
    /// The evidence of the same ratios without what memory layout may have made of them.
    pub(super) without_layout: Option<Box<WithoutLayout>>,
    /// What processes could not tell.
    pub(super) untold: Untold,
    /// The times of all operations of the pairs.
    pub(super) totals: Totals,
    /// The limit as a number. Without a limit, it is the one that there would be if the value were accepted.
    pub(super) against: Against,
}

/// The readings or the evidence of an open limit, depending on how its metric is judged.
pub(super) enum Judgement {
    /// The values of processes, which are usually the same in each.
    Deterministic(Vec<f64>),
    Statistical(Box<Judge>),
}

impl Open {
    /// Creates the state of a limit before anything is read.
    pub(super) fn new(pending: PendingLimit, levels: Levels, warn_at: f64) -> Self {
        let (mut less_waiting, mut without_layout) = (None, None);
        let judgement = if pending.limit.metric.is_deterministic() {
            Judgement::Deterministic(Vec::new())
        } else {
            let hypothesis = hypothesis::of_limit(&pending.limit, levels);
            if matches!(pending.limit.target, Target::Absolute(_)) {
                less_waiting = Some(Box::new(Judge::new(hypothesis)));
            } else {
                without_layout = Some(Box::new(WithoutLayout::new(hypothesis)));
            }
            Judgement::Statistical(Box::new(Judge::continuing(hypothesis, pending.carried)))
        };
        let mut against = against(&pending.limit, &judgement, warn_at);
        if pending.unjudged.is_some() {
            // The limit is a multiple of the value, which is not known yet.
            against = Against { limit: f64::NAN, warn: f64::NAN, tolerance: 0.0, ..against };
        }
        Open {
            pending,
            fewest: OnceCell::new(),
            likely: Cell::new(0),
            judgement,
            levels,
            less_waiting,
            without_layout,
            untold: Untold::default(),
            totals: Totals::default(),
            against,
        }
    }

    /// Takes the values of one more process, unless it does not tell them: see [`Untold`].
    pub(super) fn add(&mut self, process: &ProcessRun) -> Result<(), Unmeasured> {
        if !self.are_known(process)? {
            return Ok(());
        }
        if self.is_unjudged() {
            self.take_unit(process);
        } else {
            self.check_resolution(process)?;
        }
        let metric = &self.pending.limit.metric;
        let mut series = process.series(metric)?;
        if let Some(bad) = series.iter().find(|v| !v.is_finite()) {
            let text = format!("`{metric}` was measured as {bad}, which is not a finite number");
            return Err(Unmeasured::new(Cause::InvalidReading, text));
        }
        let relative = self.is_relative();
        if let (Some(judge), Some(&value)) =
            (&mut self.less_waiting, process.less_waiting.get(metric))
        {
            judge.add(&[value]).map_err(|e| {
                let text = format!("`{metric}` without the scheduling delay was measured as {e}");
                Unmeasured::new(Cause::InvalidReading, text)
            })?;
        }
        match &mut self.judgement {
            Judgement::Deterministic(readings) => readings.extend(series),
            Judgement::Statistical(judge) => {
                if relative {
                    if let Some(bad) = series.iter().find(|&&ratio| ratio < 0.0) {
                        let text = format!("the ratio of `{metric}` was measured as {bad}");
                        return Err(Unmeasured::new(Cause::InvalidReading, text));
                    }
                    for ratio in &mut series {
                        if let Some(without_layout) = &mut self.without_layout {
                            without_layout.add((metric, self.pending.limit.bound), process, *ratio);
                        }
                        *ratio = ratio.ln().clamp(LN_OF_ZERO, -LN_OF_ZERO);
                    }
                }
                judge.add(&series).map_err(|e| {
                    let text = format!("`{metric}` was measured as {e}");
                    Unmeasured::new(Cause::InvalidReading, text)
                })?;
            }
        }
        self.totals.add(&self.pending.limit.metric, process);
        self.take_limit();
        Ok(())
    }

    pub(super) fn tolerance(&self) -> f64 {
        match &self.judgement {
            Judgement::Deterministic(_) => 0.0,
            Judgement::Statistical(judge) => judge.tolerance(),
        }
    }

    pub(super) fn is_relative(&self) -> bool {
        matches!(self.pending.limit.target, Target::Relative { .. })
    }

    /// Whether there is no limit to hold the value against.
    pub(super) fn is_unjudged(&self) -> bool {
        self.pending.unjudged.is_some()
    }

    /// Whether there are enough values to know the metric, for a limit that cannot be judged.
    pub(super) fn suffices(&self, repeats: usize) -> bool {
        match &self.judgement {
            Judgement::Deterministic(_) => self.is_read(repeats),
            Judgement::Statistical(judge) => judge.finding() == Finding::Held || self.is_constant(),
        }
    }

    /// Takes the unit of a rate from what the workload counts, if no limit gives the unit.
    fn take_unit(&mut self, process: &ProcessRun) {
        let Target::Absolute(quantity) = &mut self.pending.limit.target else { return };
        if self.pending.limit.metric.units() == Units::Rate {
            quantity.unit = match process.work {
                Work::Bytes(_) => Unit::BytesPerSecond,
                Work::Operations(_) => Unit::PerSecond,
            };
        }
    }

    pub(super) fn is_suspect(&self) -> bool {
        match &self.judgement {
            Judgement::Deterministic(_) => false,
            Judgement::Statistical(judge) => judge.finding() == Finding::Suspect,
        }
    }

    /// Whether enough processes gave one value each and all were equal, as for a custom count.
    pub(super) fn is_constant(&self) -> bool {
        self.processes() >= FEWEST_PROCESSES && self.has_not_varied()
    }

    /// Whether all values so far are equal, if the metric is one whose values are compared once their equality is unlikely to
    /// be chance. The values of earlier runs of the same build count too.
    fn has_not_varied(&self) -> bool {
        let Judgement::Statistical(judge) = &self.judgement else { return false };
        // The cheap checks come first: this runs after every process, and reading the values sorts them.
        let may_be = matches!(self.pending.limit.metric.judged(), Judged::UntilConstant(_));
        if !may_be || self.pending.carried.varied {
            return false;
        }
        let values = judge.values();
        let (Some(least), Some(most)) = (values.values().first(), values.values().last()) else {
            return false;
        };
        least.to_bits() == most.to_bits()
    }

    /// Whether so many processes gave the same value that this is enough for a verdict: if the median were on the other
    /// side of the limit, `n` values on this side would have a chance of at most `2^-n`.
    pub(super) fn never_varies(&self) -> bool {
        self.needed_to_compare().is_some_and(|needed| self.processes() >= needed)
    }

    /// Returns how many processes have to give the value that all of them gave so far; `None` if they differ.
    pub(super) fn needed_to_compare(&self) -> Option<usize> {
        if !self.has_not_varied() {
            return None;
        }
        let Judgement::Statistical(judge) = &self.judgement else { return None };
        let value = judge.values().values().first().map(|&value| self.display_value(value));
        let over = value.is_some_and(|value| self.against.is_over(value));
        let enough = if over { self.levels.fail } else { self.levels.pass };
        Some(enough_values(enough).max(FEWEST_PROCESSES))
    }

    pub(super) fn processes(&self) -> usize {
        match &self.judgement {
            Judgement::Deterministic(readings) => readings.len(),
            Judgement::Statistical(judge) => judge.processes(),
        }
    }

    /// Returns a judged number as people read it: a ratio and not its logarithm, and no time below zero, although the
    /// formulas may put the end of an interval there.
    pub(super) fn display_value(&self, value: f64) -> f64 {
        let times = [SampleKind::Operation, SampleKind::Batch];
        let kind = self.pending.limit.metric.sample();
        match self.judgement {
            Judgement::Statistical(_) if self.is_relative() && value <= LN_OF_ZERO => 0.0,
            // JSON has no infinity.
            Judgement::Statistical(_) if self.is_relative() && value >= -LN_OF_ZERO => f64::MAX,
            Judgement::Statistical(_) if self.is_relative() => value.exp(),
            Judgement::Statistical(_) if times.contains(&kind) => value.max(0.0),
            Judgement::Deterministic(_) | Judgement::Statistical(_) => value,
        }
    }

    /// Returns the values that are held against the limit.
    pub(super) fn readings(&self) -> Vec<f64> {
        match &self.judgement {
            Judgement::Deterministic(readings) => {
                self.agreed().map_or_else(|| readings.clone(), |agreed| vec![agreed])
            }
            Judgement::Statistical(judge) => {
                judge.values().values().iter().map(|&v| self.display_value(v)).collect()
            }
        }
    }

    /// Returns the value that is held against the limit. If deterministic readings differ, it is the one that processes agree
    /// on, or else the worst.
    pub(super) fn value(&self) -> Option<f64> {
        self.estimate().map(|estimate| estimate.value)
    }

    pub(super) fn estimate(&self) -> Option<Estimate> {
        match &self.judgement {
            Judgement::Deterministic(readings) => {
                let pick = match self.pending.limit.bound {
                    Bound::Max => f64::max,
                    Bound::Min => f64::min,
                };
                let value = self.agreed().or_else(|| readings.iter().copied().reduce(pick))?;
                let low = readings.iter().copied().reduce(f64::min)?;
                let high = readings.iter().copied().reduce(f64::max)?;
                Some(Estimate { value, low: Some(low), high: Some(high) })
            }
            Judgement::Statistical(judge) => {
                let (value, interval) = judge.estimate()?;
                if self.never_varies() || (self.is_unjudged() && self.is_constant()) {
                    let value = self.display_value(value);
                    return Some(Estimate { value, low: Some(value), high: Some(value) });
                }
                let end = |v: f64| Some(self.display_value(v)).filter(|v| v.abs() < f64::MAX);
                let low = end(interval.low).filter(|_| interval.low.is_finite());
                Some(Estimate { value: self.display_value(value), low, high: end(interval.high) })
            }
        }
    }

    /// Returns what the value is held against.
    pub(super) fn against(&self) -> Against {
        self.against
    }

    /// Sets the limit that there would be if the value were accepted, if there is no limit.
    fn take_limit(&mut self) {
        if let Some((_, factor)) = self.pending.unjudged {
            let limit = self.value().unwrap_or(f64::NAN) * factor;
            let unit = self.pending.limit.number().1;
            self.against = Against { limit, warn: limit, unit, ..self.against };
        }
    }
}

/// Returns how many values on one side of a limit are as strong as this evidence. `evidence` is the logarithm of an e-value. If
/// the median were on the other side, `n` such values would have a chance of at most `2^-n`.
pub(super) fn enough_values(evidence: f64) -> usize {
    (evidence / std::f64::consts::LN_2).ceil() as usize
}

/// Returns the limit as a number, with where a warning begins and how far beyond the limit a value still passes.
fn against(limit: &Limit, judgement: &Judgement, warn_at: f64) -> Against {
    let (value, unit) = limit.number();
    let warn = limit.warns_beyond(warn_at);
    let tolerance = match judgement {
        Judgement::Deterministic(_) => 0.0,
        Judgement::Statistical(judge) if matches!(limit.target, Target::Relative { .. }) => {
            value * judge.tolerance().exp_m1()
        }
        Judgement::Statistical(judge) => judge.tolerance(),
    };
    Against { bound: limit.bound, limit: value, warn, tolerance, unit }
}
