//! Seeded noise of the kinds that are known to fool a gate.

use std::f64::consts::{PI, TAU};

/// The splitmix64 generator (Steele, Lea & Flood 2014), which gives the same numbers on every platform.
pub(crate) struct Noise(u64);

impl Noise {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns a number strictly between 0 and 1.
    pub(crate) fn uniform(&mut self) -> f64 {
        ((self.bits() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    pub(crate) fn happens(&mut self, p: f64) -> bool {
        self.uniform() < p
    }

    /// Returns -1 or 1, for the swap of roles.
    pub(crate) fn coin(&mut self) -> f64 {
        if self.happens(0.5) { 1.0 } else { -1.0 }
    }

    pub(crate) fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (TAU * self.uniform()).cos()
    }

    pub(crate) fn exponential(&mut self) -> f64 {
        -self.uniform().ln()
    }

    pub(crate) fn cauchy(&mut self) -> f64 {
        (PI * (self.uniform() - 0.5)).tan()
    }

    /// Returns a latency: lognormal about 1, with the sigma of an ordinary operation's tail.
    pub(crate) fn latency(&mut self) -> f64 {
        (0.5 * self.normal()).exp()
    }

    /// Returns an autoregressive walk that forgets `1 - phi` of itself at every step, from its stationary start.
    pub(crate) fn autoregressive(&mut self, phi: f64, n: usize) -> Vec<f64> {
        let mut at = self.normal() / (1.0 - phi * phi).sqrt();
        (0..n)
            .map(|_| {
                at = phi * at + self.normal();
                at
            })
            .collect()
    }

    /// Returns exceedances with a long-run rate of exactly `rate`, in bursts of `burst` operations on average,
    /// in which four of five operations exceed.
    pub(crate) fn bursts(&mut self, rate: f64, burst: f64, n: usize) -> Vec<bool> {
        const WITHIN: f64 = 0.8;
        let share = rate / WITHIN;
        let (ends, starts) = (1.0 / burst, share / (1.0 - share) / burst);
        let mut bursting = self.happens(share);
        let mut step = |noise: &mut Self| {
            bursting = if bursting { !noise.happens(ends) } else { noise.happens(starts) };
            bursting && noise.happens(WITHIN)
        };
        (0..n).map(|_| step(self)).collect()
    }
}
