//! How much processes differ, and what that means for a quantile of all their values.
//!
//! The operations of one process are alike for reasons of its own: where its memory lies, which core it got.
//! So a few processes of a thousand operations each determine the quantile of *these* processes precisely, but
//! that of further processes only as well as these few show how far apart processes lie. The model is the usual
//! one of two levels, on a logarithmic scale: a value is the level of its process plus a remainder, and the
//! levels are normal about a centre.
//!
//! The variance of the levels is not known. A *generalized confidence interval* replaces it by what the
//! sample leaves possible, `S²·df / chi²(df)` (Weerahandi 1993; Krishnamoorthy & Mathew 2009, chapter 4, for
//! quantiles of two levels). It is exact where a process is one value: then it is Student's interval at a
//! middle quantile, and the normal tolerance limit at a tail. What the operations within a process add to the
//! variance of the levels is known separately and is subtracted.

use super::bisection::turning_point;
use super::interval::Interval;
use super::{Sample, blocks, detect, normal, order};

/// The quantiles that count as a middle: here the level of a process is its own quantile `q`.
pub(super) const MIDDLE: std::ops::RangeInclusive<f64> = 0.25..=0.75;
/// The share of levels that is cut off at either end to estimate their centre.
const TRIMMED: f64 = 0.1;
/// How many times the variance of a median is that of a mean, where values are normal.
const MEDIAN_VARIANCE: f64 = std::f64::consts::FRAC_PI_2;
/// The width of the middle half of a normal distribution, in standard deviations.
const MIDDLE_HALF: f64 = 1.348_979_500_392_163_6;
/// The confidence that each look must reach that the differences between processes leave room. It is chosen so
/// that, over all looks of a measurement, a truth 5 % beyond limit and tolerance passes in fewer than 5 of 100.
const SURE: f64 = 0.9875;
/// The same for the looks at a tail after those at the first [`FIRST_LOOKS`] processes. It is higher, because a limit that is still
/// open then gets many more looks, and because the quantile of the remainders is estimated too and counts as known.
const SURE_OF_LATE_TAIL: f64 = 0.9965;
/// The number of processes up to which [`SURE`] holds at a tail.
const FIRST_LOOKS: usize = 14;
/// The chance that a run is wrong, as a share of that of the run before which it continues.
const SHARE_OF_NEXT_RUN: f64 = 0.25;
/// The number of runs from which on the chance stays as it is: it is less than a millionth by then.
const MOST_RUNS: u32 = 8;
/// The fewest processes that are likely to show both of two equally common kinds of process: of five, all are
/// of one kind in 6 of 100.
const BOTH_HALVES: usize = 5;
/// How far apart two equally common kinds of process lie, on the logarithmic scale, if they make a standard
/// deviation of 20 %: a factor of about 1.5.
const HALVES_APART: f64 = 0.4;
/// The share of its level at which an interval is computed. There are several looks, and with this share the intervals
/// keep their level at the moment of a verdict.
const LOOKS: f64 = 0.7;
/// The confidence that the spread is no larger than the one by which the smallest violation is computed.
const SURE_OF_SPREAD: f64 = 0.9;
/// The most operations of a process that say anything more about what could be detected.
const LARGEST_WORTH: u64 = 200;
/// The number of points at which the distribution of the variance is summed.
const POINTS: u32 = 120;
/// The steps of bisection, which reach better than a millionth of the range.
const STEPS: u32 = 36;

/// The levels of processes, and where the quantile lies about them.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread {
    scale: Scale,
    q: f64,
    /// How many processes there are.
    processes: usize,
    /// The centre of the levels, and its standard error.
    centre: f64,
    error: f64,
    /// The variance of the levels, and the part of it that operations explain.
    variance: f64,
    explained: f64,
    degrees: f64,
    /// Where the quantile of the remainders lies, and its distance in standard deviations of the levels;
    /// both are 0 at a middle.
    tail: f64,
    out: f64,
    /// The values without the levels of their processes, process by process.
    remainders: Vec<Vec<f64>>,
}

/// The scale on which a value is a level plus a remainder. All scales are increasing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scale {
    /// Logarithms, where all values are above 0.
    Log,
    /// Logarithms of values below 0, which come from a lower limit that was turned around.
    Mirrored,
    /// The values as they are.
    Linear,
}

impl Spread {
    /// Estimates how much `processes` differ, for the quantile `q` of all their values. `None` where that cannot
    /// be estimated: with fewer than two processes, or at a tail where each process is a single value.
    ///
    /// # Panics
    /// If `q` is not in (0, 1).
    pub fn of(processes: &[Vec<f64>], q: f64) -> Option<Self> {
        Self::on(Scale::of(processes), processes, q, TRIMMED)
    }

    /// Estimates how much log-ratios about a centre differ, one for each process or pair.
    pub fn of_centres(values: &[f64]) -> Option<Self> {
        Self::on(Scale::Linear, &single(values), 0.5, TRIMMED)
    }

    /// Estimates how much log-ratios about their mean differ, one for each process or pair. None is cut off, so a
    /// few that are far away count.
    pub fn of_means(values: &[f64]) -> Option<Self> {
        Self::on(Scale::Linear, &single(values), 0.5, 0.0)
    }

    /// `cut` is the share of levels that is cut off at either end, to estimate the centre of a middle.
    fn on(scale: Scale, processes: &[Vec<f64>], q: f64, cut: f64) -> Option<Self> {
        assert!(q > 0.0 && q < 1.0, "a quantile lies in (0, 1), not {q}");
        let mut values: Vec<Vec<f64>> = processes
            .iter()
            .filter(|values| !values.is_empty())
            .map(|values| values.iter().map(|&value| scale.to(value)).collect())
            .collect();
        let middle = MIDDLE.contains(&q);
        if values.len() < 2 || (!middle && values.iter().all(|values| values.len() == 1)) {
            return None;
        }
        let n = values.len() as f64;
        let explained = values.iter_mut().map(|values| variance_of_median(values)).sum::<f64>() / n;
        let levels: Vec<f64> =
            values.iter_mut().map(|values| nth(values, if middle { q } else { 0.5 })).collect();
        for (values, level) in values.iter_mut().zip(&levels) {
            for value in values.iter_mut() {
                *value -= level;
            }
        }
        let mean = levels.iter().sum::<f64>() / n;
        let variance = levels.iter().map(|level| (level - mean).powi(2)).sum::<f64>() / (n - 1.0);
        let (centre, error, degrees) =
            if middle { trimmed(levels, cut) } else { (mean, (variance / n).sqrt(), n - 1.0) };
        let (tail, out) =
            if middle { (0.0, 0.0) } else { (nth(&mut values.concat(), q), normal::quantile(q)) };
        let (processes, remainders) = (values.len(), values);
        Some(Spread {
            scale,
            q,
            processes,
            centre,
            error,
            variance,
            explained,
            degrees,
            tail,
            out,
            remainders,
        })
    }

    /// Whether the quantile leaves room up to `limit` for the differences between processes. This must be sure
    /// enough at this look, and a kind of process that makes up half of them must have been seen, or must be
    /// unable to matter. A run that continues a test `after` other runs is another chance to be wrong, so each has a
    /// quarter of the chance of the one before: together they have at most a third more than the first alone.
    pub fn leaves_room(&self, limit: f64, after: u32) -> bool {
        let quantile = self.centre + self.reach(1.0);
        let room = self.scale.to(limit) - quantile;
        let far = self.scale != Scale::Linear && (room > HALVES_APART || room.is_nan());
        let is_late_tail = !MIDDLE.contains(&self.q) && self.processes > FIRST_LOOKS;
        let sure = if is_late_tail { SURE_OF_LATE_TAIL } else { SURE };
        (far || self.processes >= BOTH_HALVES)
            && self.confidence_below(limit)
                >= 1.0 - (1.0 - sure) * SHARE_OF_NEXT_RUN.powf(f64::from(after.min(MOST_RUNS)))
    }

    /// Returns the confidence that the quantile lies below `limit`.
    pub fn confidence_below(&self, limit: f64) -> f64 {
        let at = self.scale.to(limit);
        match self.scale {
            // A limit that lies on the other side of 0 than all values has no logarithm.
            Scale::Log | Scale::Mirrored if at.is_nan() => f64::from(u8::from(limit > 0.0)),
            Scale::Log | Scale::Mirrored | Scale::Linear => self.confidence(at),
        }
    }

    /// Returns the confidence that the quantile lies below `at`, which is a value on the scale.
    fn confidence(&self, at: f64) -> f64 {
        let (mut below, mut all) = (0.0, 0.0);
        for (ratio, weight) in self.ratios() {
            let room = at - self.centre - self.reach(1.0 / ratio);
            let error = self.error / ratio.sqrt();
            let share = if error > 0.0 {
                normal::below(room / error)
            } else {
                f64::from(u8::from(room > 0.0))
            };
            below += weight * share;
            all += weight;
        }
        below / all
    }

    /// Returns the smallest violation: the true quantile after the smallest shift of all values on the scale at which
    /// `processes` processes reach `threshold` against the limit; `None` where no shift does.
    ///
    /// The levels are assumed to lie as far apart as is still likely, so with few processes the result is large.
    pub fn smallest_violation(&self, limit: f64, processes: u64, threshold: f64) -> Option<f64> {
        let limit = self.scale.to(limit);
        let all = Sample::new(self.remainders.concat()).ok()?;
        let between = (self.variance * self.times() - self.explained).max(0.0).sqrt();
        let ops = (all.len() / self.processes) as u64;
        let tail = order::quantile(&all, self.q)?;
        let mut counts = Vec::new();
        for values in &self.remainders {
            counts.extend(blocks::counts(values, tail, u64::MAX));
        }
        let inflation = blocks::variance_inflation(&counts).unwrap_or(1.0);
        let worth = detect::worth(ops, inflation).min(LARGEST_WORTH);
        let weight = ops as f64 / blocks::with_room(ops) as f64;
        let step = if worth > 20 { 0.4 } else { 0.04 };
        let share = |shift: f64| {
            let above = |z: f64| all.above(limit - self.centre - shift - z * between);
            let nodes = (0..=(8.0 / step) as u32).map(|i| f64::from(i) * step - 4.0);
            let density = |z: f64| (-z * z / 2.0).exp();
            let sum: f64 = nodes.clone().map(density).sum();
            nodes.map(|z| (density(z) / sum, above(z) as f64 / all.len() as f64)).collect()
        };
        let ends = all.values();
        let range = ends[ends.len() - 1] - ends[0];
        let rounding = 1e-6 * (limit.abs() + self.centre.abs());
        let widest = 2.0 * (limit - self.centre).abs() + range + 10.0 * between + rounding;
        let p0 = 1.0 - self.q;
        let like = detect::Process { worth, weight };
        let shift = detect::shift(processes, like, p0, threshold, widest, share)?;
        Some(self.scale.from(self.centre + self.reach(self.times()) + shift))
    }

    /// Returns how many times the variance of the sample the true variance may be, with a confidence of 90 %.
    pub fn times(&self) -> f64 {
        let all: f64 = self.ratios().map(|(_, weight)| weight).sum();
        let mut below = 0.0;
        let at = self.ratios().find(|&(_, weight)| {
            below += weight;
            below >= (1.0 - SURE_OF_SPREAD) * all
        });
        at.map_or(1.0, |(ratio, _)| 1.0 / ratio).max(1.0)
    }

    /// Returns the possible values of `chi²(df)/df`, which is the variance of a sample as a share of the true one, each
    /// with its probability up to a common factor, on a logarithmic grid.
    fn ratios(&self) -> impl Iterator<Item = (f64, f64)> {
        let sd = (2.0 / self.degrees).sqrt();
        let (from, to) = (-10.0 * sd, 5.0 * sd);
        let half = self.degrees / 2.0;
        (0..=POINTS).map(move |i| {
            let log = from + (to - from) * f64::from(i) / f64::from(POINTS);
            (log.exp(), (half * (log - log.exp() + 1.0)).exp())
        })
    }

    /// Returns the interval in which the quantile lies with confidence `1 - alpha` at the moment of a verdict. Both
    /// tails are equal.
    pub fn interval(&self, alpha: f64) -> Interval {
        let alpha = alpha * LOOKS;
        let unit = self.error.max(self.variance.sqrt()).max(f64::MIN_POSITIVE);
        let widest = unit * 1e4 + self.tail.abs();
        let end = |confidence: f64| {
            let at = turning_point(self.centre - widest, self.centre + widest, STEPS, |at| {
                self.confidence(at) >= confidence
            });
            self.scale.from(at)
        };
        Interval { low: end(alpha / 2.0), high: end(1.0 - alpha / 2.0) }
    }

    /// Returns how far the quantile lies from the centre of the levels, if their variance is `times` that of the sample.
    fn reach(&self, times: f64) -> f64 {
        let between = (self.variance * times - self.explained).max(0.0);
        (self.tail.powi(2) + self.out.powi(2) * between).sqrt().copysign(self.out)
    }
}

impl Scale {
    fn of(processes: &[Vec<f64>]) -> Scale {
        let all = |holds: fn(f64) -> bool| {
            processes.iter().all(|values| values.iter().all(|&v| holds(v)))
        };
        if all(|v| v > 0.0) {
            Scale::Log
        } else if all(|v| v < 0.0) {
            Scale::Mirrored
        } else {
            Scale::Linear
        }
    }

    fn to(self, value: f64) -> f64 {
        match self {
            Scale::Log => value.ln(),
            Scale::Mirrored => -(-value).ln(),
            Scale::Linear => value,
        }
    }

    fn from(self, value: f64) -> f64 {
        match self {
            Scale::Log => value.exp(),
            Scale::Mirrored => -(-value).exp(),
            Scale::Linear => value,
        }
    }
}

/// Returns each value as a process of its own.
fn single(values: &[f64]) -> Vec<Vec<f64>> {
    values.iter().map(|&value| vec![value]).collect()
}

/// Returns the mean of levels without the share `cut` at either end, its standard error, and its degrees of freedom
/// (Tukey & McLaughlin 1963).
fn trimmed(mut levels: Vec<f64>, cut: f64) -> (f64, f64, f64) {
    levels.sort_unstable_by(f64::total_cmp);
    let n = levels.len();
    let cut = (n as f64 * cut) as usize;
    let kept = &levels[cut..n - cut];
    let (least, most) = (kept[0], kept[kept.len() - 1]);
    let centre = kept.iter().sum::<f64>() / kept.len() as f64;
    let drawn_in = levels.iter().map(|level| level.clamp(least, most));
    let mean = drawn_in.clone().sum::<f64>() / n as f64;
    let variance = drawn_in.map(|level| (level - mean).powi(2)).sum::<f64>() / (n as f64 - 1.0);
    let error = (variance * n as f64).sqrt() / kept.len() as f64;
    (centre, error, kept.len() as f64 - 1.0)
}

/// Returns the variance of the median of these values, estimated from the width of their middle half.
fn variance_of_median(values: &mut [f64]) -> f64 {
    let deviation = (nth(values, 0.75) - nth(values, 0.25)) / MIDDLE_HALF;
    MEDIAN_VARIANCE * deviation.powi(2) / values.len() as f64
}

/// Returns a quantile of values in any order, of which there must be at least one. It reorders them.
fn nth(values: &mut [f64], q: f64) -> f64 {
    let place = values.len() as f64 * q;
    let at = (place as usize).min(values.len() - 1);
    let (below, &mut nth, _) = values.select_nth_unstable_by(at, f64::total_cmp);
    // Where the distribution is level, the quantile is the middle of two neighbours, as in `order`.
    let before = below.iter().copied().max_by(f64::total_cmp).filter(|_| place.fract() == 0.0);
    before.map_or(nth, |before| f64::midpoint(before, nth))
}
