//! Evidence about how often a threshold is exceeded: the betting kernel for values that either exceed it or do not.
//!
//! "The p99 is at most L" means the same as "at most 1 % of the values exceed L", whatever
//! their distribution. Each bet names another exceedance rate and multiplies its e-value by the
//! likelihood ratio. The counts `(n, k)` are then all that matters, so the error rates of this
//! test are computed exactly, not simulated. The values are assumed to exceed independently of each
//! other. If they come in bursts, `blocks.rs` has the form that keeps its error rate.

use super::Side;
use super::mixture::log_sum_exp;

/// The alternative rates of the failing side, in multiples of the allowed rate.
const FAIL: [f64; 8] = [1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0];
/// One more alternative of the failing side, a fixed rate for "nearly always".
const NEARLY_ALWAYS: f64 = 0.9;
/// The rate from which on a multiple of the allowed rate is left out.
const LARGEST_RATE: f64 = 0.98;

/// The alternative rates of the passing side beside 0, in multiples of the allowed rate.
const PASS: [f64; 6] = [0.1, 0.25, 0.4, 0.55, 0.7, 0.85];
/// The bet on "never", as weight and rate. It has half of the weight, since most limits are kept by a wide
/// margin and should pass quickly.
const NEVER: (f64, f64) = (0.5, 0.0);
/// The weight that the bets of [`PASS`] share.
const WEIGHT_OF_PASS: f64 = 5.0 / 12.0;

/// Rates close to the allowed one, as distances of the log odds. The grids above cannot tell apart rates
/// within an eighth of the allowed one, however many values come; these can, and cost the others little.
const NEAR: [f64; 3] = [0.02, 0.04, 0.08];
/// The weight that the bets of [`NEAR`] share on the passing side.
const WEIGHT_OF_NEAR: f64 = 1.0 / 12.0;

/// Evidence from `k` exceedances among `n` values that the rate is above `p0` (fail) or below it (pass).
#[derive(Debug, Clone, PartialEq)]
pub struct Exceedance {
    side: Side,
    bets: Vec<Bet>,
    n: u64,
    k: u64,
}

/// One alternative rate `p`. All figures are logarithms.
#[derive(Debug, Clone, PartialEq)]
struct Bet {
    weight: f64,
    /// `ln(p/p0)`, won with every value that exceeds.
    hit: f64,
    /// `ln((1-p)/(1-p0))`, won with every value that does not.
    miss: f64,
}

impl Exceedance {
    /// Returns the evidence against "the rate is at most `p0`": for a limit on the quantile `q`, `p0 = 1 - q`.
    ///
    /// # Panics
    /// If `p0` is not in (0, 1).
    pub fn fail(p0: f64) -> Self {
        Self::new(Side::Fail, p0, fail_bets)
    }

    /// Like `fail`, with half of the weight on rates close to `p0`. This is for intervals, whose ends should
    /// keep moving as values come in.
    pub(super) fn fail_finely(p0: f64) -> Self {
        Self::new(Side::Fail, p0, fine_fail_bets)
    }

    /// Returns the evidence against "the rate is at least `p0`".
    ///
    /// # Panics
    /// If `p0` is not in (0, 1).
    pub fn pass(p0: f64) -> Self {
        Self::new(Side::Pass, p0, pass_bets)
    }

    fn new(side: Side, p0: f64, bets: fn(f64) -> Vec<(f64, f64)>) -> Self {
        assert!(p0 > 0.0 && p0 < 1.0, "an exceedance rate lies in (0, 1), not {p0}");
        // The grids are multiples of a rate, and a rate above a half leaves no room for them. There,
        // "often above" is expressed as its mirror image, "seldom not above".
        let bets = if p0 <= 0.5 {
            bets(p0).into_iter().map(|(weight, p)| Bet::new(weight, p, p0)).collect()
        } else {
            let mirrored = match side {
                Side::Fail => pass_bets(1.0 - p0),
                Side::Pass => fine_fail_bets(1.0 - p0),
            };
            mirrored.into_iter().map(|(weight, p)| Bet::new(weight, 1.0 - p, p0)).collect()
        };
        Self { side, bets, n: 0, k: 0 }
    }

    /// Counts `n` more values, `k` of which exceeded.
    ///
    /// # Panics
    /// If `k > n`.
    pub fn add(&mut self, n: u64, k: u64) {
        assert!(k <= n, "{k} of {n} values cannot exceed");
        self.n += n;
        self.k += k;
    }

    /// Returns the natural logarithm of the evidence.
    pub fn log_evidence(&self) -> f64 {
        self.log_evidence_of(self.n, self.k)
    }

    /// Returns the natural logarithm of the evidence that `k` exceedances among `n` would be.
    pub fn log_evidence_of(&self, n: u64, k: u64) -> f64 {
        self.log_evidence_deflated(n, k, 1.0)
    }

    /// Returns the log evidence of `k` exceedances among `n`, if `inflation` values (1 or more) are worth one independent
    /// value. It is never more than if all values were independent, so every guarantee for independent values holds here
    /// too.
    pub(super) fn log_evidence_deflated(&self, n: u64, k: u64, inflation: f64) -> f64 {
        let of = |worth: f64| {
            let times = |count: u64, log: f64| if count == 0 { 0.0 } else { count as f64 * log };
            log_sum_exp(self.bets.iter().map(|bet| {
                bet.weight + (times(k, bet.hit) + times(n.saturating_sub(k), bet.miss)) / worth
            }))
        };
        if inflation > 1.0 { of(1.0).min(of(inflation)) } else { of(1.0) }
    }

    /// Returns the count of exceedances among `n` at which the evidence reaches `threshold`: the smallest count that
    /// fails, or the largest that passes. `None` if no count does.
    pub fn critical(&self, n: u64, threshold: f64) -> Option<u64> {
        let reaches = |k: u64| self.log_evidence_of(n, k) >= threshold;
        match self.side {
            Side::Fail => Some(first(n + 1, reaches)).filter(|&k| k <= n),
            Side::Pass => first(n + 1, |k| !reaches(k)).checked_sub(1),
        }
    }

    /// Returns how many values were counted.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// Returns how many of them exceeded.
    pub fn k(&self) -> u64 {
        self.k
    }
}

impl Bet {
    fn new(weight: f64, p: f64, p0: f64) -> Self {
        Self { weight: weight.ln(), hit: (p / p0).ln(), miss: ((1.0 - p) / (1.0 - p0)).ln() }
    }
}

/// Returns the weights and rates of the bets against a rate `p0` of at most a half.
fn fail_bets(p0: f64) -> Vec<(f64, f64)> {
    let often = FAIL.iter().map(|times| times * p0).filter(|&p| p < LARGEST_RATE);
    share(1.0, often.chain([NEARLY_ALWAYS]).collect())
}

fn fine_fail_bets(p0: f64) -> Vec<(f64, f64)> {
    let mut bets = share(0.5, NEAR.iter().map(|distance| shifted(p0, *distance)).collect());
    bets.extend(fail_bets(p0).into_iter().map(|(weight, p)| (weight / 2.0, p)));
    bets
}

fn pass_bets(p0: f64) -> Vec<(f64, f64)> {
    let mut bets = vec![NEVER];
    bets.extend(share(WEIGHT_OF_PASS, PASS.iter().map(|times| times * p0).collect()));
    bets.extend(share(
        WEIGHT_OF_NEAR,
        NEAR.iter().map(|distance| shifted(p0, -distance)).collect(),
    ));
    bets
}

/// Returns the rate whose log odds lie `distance` above those of `p0`.
fn shifted(p0: f64, distance: f64) -> f64 {
    let odds = p0 / (1.0 - p0) * distance.exp();
    odds / (1.0 + odds)
}

fn share(weight: f64, rates: Vec<f64>) -> Vec<(f64, f64)> {
    let each = weight / rates.len() as f64;
    rates.into_iter().map(|p| (each, p)).collect()
}

/// Returns the first number of `0..end` for which the monotone `holds` is true, or `end`.
fn first(end: u64, holds: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (0, end);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}
