//! Evidence about a ratio, from one log-ratio for each pair of processes.
//!
//! The score of a log-ratio `z` is `tanh(1.2(z - theta0)/scale)`: odd about `theta0`, bounded, and never smaller for a
//! larger `z`. The scale depends on magnitudes alone. The evidence is fair, whatever one looks at and whenever one
//! stops, as long as no score has a mean above 0 given what came before. There are two reasons why none has such a mean.
//!
//! **A coin.** Two builds run side by side in two slots, and for every pair of processes a coin decides which build
//! runs in which slot. If both builds are the same two files all the time, a log-ratio is `z = theta + s·b`: the true
//! effect `theta`, and whatever noise, drift or bias `b` the slots saw, with the coin's sign `s`. So the score has a mean
//! of at most 0 for *every* noise process as long as `theta <= theta0` (e-values for symmetry: Vovk & Wang 2022).
//! Without the swap this does not hold, as the tests show.
//!
//! **Independent draws.** Where functions lie in a binary belongs to the build, and the coin does not swap it: `z =
//! theta + l + s·b`, where `l` is the luck of the two links. If each pair has links that no earlier pair had, the `l`
//! are independent draws of one distribution, which nobody knows and which need not be symmetric. It suffices that
//! the mean score is at most 0. That is always so if pairs lie at least as often a given distance below `theta0` as
//! above it, for every distance: so for equal code, whatever layout does to it. Otherwise it is so, once the scale has
//! settled, if the *middle* of the pairs is at most `theta0`: the number about which the mean score is 0 (an M-estimate
//! of location: Huber 1964). It lies between median and mean, nearer to the median where a few links are far away. Until a
//! link that is far away was seen, the scale is that of the others, and a score is hardly more than a sign. So the
//! *median* must be at most `theta0` too; the simulations of `verdict::links_tests` show that both together are enough,
//! and that the middle alone is not. If links are drawn again and again from a few, neither
//! reason holds for a typical link, but the coin's still does for those few.

use super::Side;
use super::betting::Betting;
use super::sample::NotFinite;

/// How steep the score is. A steeper score is more like a sign: a large effect is seen after fewer pairs, and so is a small
/// effect under noise with heavy tails. A small effect under normal noise takes a tenth more pairs.
const STEEPNESS: f64 = 1.2;

/// Evidence that the middle of the log-ratios is above `theta0` (fail) or below it (pass).
///
/// The scale is the geometric mean of `|z - theta0|` so far, this one included. It depends on magnitudes alone, so it
/// does not disturb the symmetry, and no outlier counts for more than one. It settles as fast as any mean of
/// logarithms, also where magnitudes come in two sizes, between which a median jumps.
///
/// All bets have the same score, and differ only in what they stake on it. So all of them are about the same middle.
/// Bets with scores of different steepness would each be about another middle.
#[derive(Debug, Clone)]
pub struct Paired {
    side: Side,
    theta0: f64,
    scale: Scale,
    betting: Betting,
}

impl Paired {
    /// Creates the evidence against "the log-ratio is at most `theta0`".
    pub fn fail(theta0: f64) -> Self {
        Self::new(Side::Fail, theta0)
    }

    /// Creates the evidence against "the log-ratio is at least `theta0`".
    pub fn pass(theta0: f64) -> Self {
        Self::new(Side::Pass, theta0)
    }

    pub(super) fn new(side: Side, theta0: f64) -> Self {
        Self { side, theta0, scale: Scale::default(), betting: Betting::default() }
    }

    /// Takes the log-ratio of one more pair.
    ///
    /// # Errors
    /// If the log-ratio is not finite; the evidence is then left as it was.
    pub fn push(&mut self, log_ratio: f64) -> Result<(), NotFinite> {
        let above = log_ratio - self.theta0;
        NotFinite::check([above])?;
        let scale = self.scale.push(above.abs());
        let score = score(above, scale);
        self.betting.push(match self.side {
            Side::Fail => score,
            Side::Pass => -score,
        });
        Ok(())
    }

    /// Returns the natural logarithm of the evidence, which is 0 before the first pair.
    pub fn log_evidence(&self) -> f64 {
        self.betting.log_evidence()
    }
}

/// The geometric mean of magnitudes, those of 0 left out.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Scale {
    logs: f64,
    count: f64,
}

impl Scale {
    /// Takes one more magnitude and returns the mean of all.
    pub(super) fn push(&mut self, magnitude: f64) -> f64 {
        if magnitude > 0.0 {
            self.logs += magnitude.ln();
            self.count += 1.0;
        }
        (self.logs / self.count.max(1.0)).exp()
    }
}

/// Returns the score of a pair that lies `above` the threshold, on this scale.
pub(super) fn score(above: f64, scale: f64) -> f64 {
    (STEEPNESS * above / scale).tanh()
}
