//! Synthetic series for the tests of `change` and `drift`. They are seeded, so a test is the same each time.

/// A seeded random number generator.
pub(crate) struct Noise(u64);

impl Noise {
    pub(crate) fn new(seed: u64) -> Self {
        Noise(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5bd1_e995)
    }

    /// Returns a uniform value in (0, 1): xorshift64* (Vigna 2016).
    pub(crate) fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let bits = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11;
        (bits as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// Returns a standard normal value (Box & Muller 1958).
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        radius * (2.0 * std::f64::consts::PI * self.uniform()).cos()
    }

    /// Returns `n` values around 100 with a standard deviation of `percent`.
    pub(crate) fn level(&mut self, n: usize, percent: f64) -> Vec<f64> {
        (0..n).map(|_| 100.0 + percent * self.normal()).collect()
    }

    /// Returns `n` values as `level` does, but skewed as times are: exponential above a floor.
    pub(crate) fn skewed(&mut self, n: usize, percent: f64) -> Vec<f64> {
        (0..n).map(|_| 100.0 - percent * self.uniform().ln()).collect()
    }
}
