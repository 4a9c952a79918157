//! The random choices of a measurement: which side is measured first, which build is used, which size comes first.

/// A fair coin. Its seed differs from run to run, so that a subject cannot predict an order.
#[derive(Clone)]
pub(crate) struct Coin {
    state: u64,
    /// Whether the coin always shows tails. By this, tests show what goes wrong without a fair coin.
    #[cfg(test)]
    loaded: bool,
}

impl Coin {
    /// Returns a coin with this seed. Every seed is as good as any other.
    #[cfg(test)]
    pub(crate) fn new(seed: u64) -> Self {
        Coin::with_state(seed)
    }

    /// Returns a coin that always shows tails.
    #[cfg(test)]
    pub(crate) fn loaded() -> Self {
        Coin { loaded: true, ..Coin::with_state(0) }
    }

    /// Returns a coin with a seed that differs in each process: the randomness of the standard hasher.
    pub(crate) fn random() -> Self {
        use std::hash::{BuildHasher, Hasher, RandomState};
        Coin::with_state(RandomState::new().build_hasher().finish())
    }

    fn with_state(state: u64) -> Self {
        Coin {
            state,
            #[cfg(test)]
            loaded: false,
        }
    }

    /// Returns the next number of splitmix64 (Steele, Lea & Flood 2014).
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns a number in [0, 1), for simulated noise.
    #[cfg(test)]
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Tosses the coin; returns whether it shows heads.
    pub(crate) fn toss(&mut self) -> bool {
        #[cfg(test)]
        if self.loaded {
            return false;
        }
        self.next() & 1 == 1
    }

    /// Returns a number below `count`, or 0 if `count` is 0.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        (self.next() % (count.max(1) as u64)) as usize
    }

    /// Brings the items into a random order (Fisher & Yates).
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, (self.next() % (i as u64 + 1)) as usize);
        }
    }
}
