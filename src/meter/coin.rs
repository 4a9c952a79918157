//! The coin that decides orders: who begins, which build, which size comes first.

/// A fair coin, seeded so that a run can be told apart from the next and not predicted by a subject.
pub(crate) struct Coin {
    state: u64,
    /// What a coin must never be, and a test must be able to show.
    #[cfg(test)]
    loaded: bool,
}

impl Coin {
    /// From a seed; any will do.
    #[cfg(test)]
    pub(crate) fn new(seed: u64) -> Self {
        Coin::of(seed)
    }

    /// Not fair at all: tails, always.
    #[cfg(test)]
    pub(crate) fn loaded() -> Self {
        Coin { loaded: true, ..Coin::of(0) }
    }

    /// From the hasher's own randomness, different in each process.
    pub(crate) fn random() -> Self {
        use std::hash::{BuildHasher, Hasher, RandomState};
        Coin::of(RandomState::new().build_hasher().finish())
    }

    fn of(state: u64) -> Self {
        Coin {
            state,
            #[cfg(test)]
            loaded: false,
        }
    }

    /// The next number of splitmix64 (Steele, Lea & Flood 2014).
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In [0, 1), for simulated noise.
    #[cfg(test)]
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Heads.
    pub(crate) fn toss(&mut self) -> bool {
        #[cfg(test)]
        if self.loaded {
            return false;
        }
        self.next() & 1 == 1
    }

    /// One of the numbers below `count`; 0 where there is none.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        (self.next() % (count.max(1) as u64)) as usize
    }

    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, (self.next() % (i as u64 + 1)) as usize);
        }
    }
}
