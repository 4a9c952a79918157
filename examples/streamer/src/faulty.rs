//! A topic that fails now and then, by a seed: what its callers do then can be tried.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::{Error, Topic};

/// A topic whose publishing fails for a share of the messages, which are then not in it.
#[derive(Debug)]
pub struct Faulty {
    topic: Topic,
    share: f64,
    seed: AtomicU64,
}

impl Faulty {
    /// Fails for this share of messages, 0 to 1; the same seed fails the same ones.
    pub fn new(topic: Topic, share: f64, seed: u64) -> Faulty {
        Faulty { topic, share, seed: AtomicU64::new(seed) }
    }

    /// The topic, which holds what did not fail.
    pub fn topic(&self) -> &Topic {
        &self.topic
    }

    /// Appends a message, or fails.
    ///
    /// # Errors
    /// [`Error::Injected`], and those of [`Topic::publish`].
    pub fn publish(&self, partition: usize, payload: &[u8]) -> Result<u64, Error> {
        // splitmix64 (Steele, Lea & Flood 2014), as a number in [0, 1).
        let mut z = self.seed.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let uniform = ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64;
        if uniform < self.share {
            return Err(Error::Injected);
        }
        self.topic.publish(partition, payload)
    }
}
