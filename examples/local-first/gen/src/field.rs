//! The three kinds of field. Each merges with what another peer has, in any order and any number of times.

use std::collections::{BTreeMap, BTreeSet};

/// When and by whom something was written: a Lamport clock, then the peer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// Higher than every stamp that the peer had seen.
    pub clock: u64,
    /// The peer that wrote.
    pub peer: u32,
}

/// What every kind of field can do.
pub trait Field: Default {
    /// Writes a value.
    fn write(&mut self, value: u64, stamp: Stamp);
    /// What a page would show.
    fn read(&self) -> u64;
    /// Takes over what another peer has.
    fn merge(&mut self, other: &Self);
}

/// The value written last.
#[derive(Debug, Default)]
pub struct Register {
    value: u64,
    stamp: Stamp,
}

/// A sum: what each peer has added, by the last it said of itself.
#[derive(Debug, Default)]
pub struct Counter {
    sums: BTreeMap<u32, (u64, u64)>,
}

/// Labels that were added, each under the stamp it was added with.
#[derive(Debug, Default)]
pub struct Labels {
    added: BTreeSet<(Stamp, u64)>,
}

impl Field for Register {
    fn write(&mut self, value: u64, stamp: Stamp) {
        if stamp > self.stamp {
            *self = Register { value, stamp };
        }
    }

    fn read(&self) -> u64 {
        self.value
    }

    fn merge(&mut self, other: &Self) {
        self.write(other.value, other.stamp);
    }
}

impl Field for Counter {
    fn write(&mut self, value: u64, stamp: Stamp) {
        let sum = self.sums.entry(stamp.peer).or_default();
        *sum = (stamp.clock, sum.1.wrapping_add(value));
    }

    fn read(&self) -> u64 {
        self.sums.values().fold(0, |all, sum| all.wrapping_add(sum.1))
    }

    fn merge(&mut self, other: &Self) {
        for (&peer, &theirs) in &other.sums {
            let ours = self.sums.entry(peer).or_default();
            if theirs.0 > ours.0 {
                *ours = theirs;
            }
        }
    }
}

impl Field for Labels {
    fn write(&mut self, value: u64, stamp: Stamp) {
        self.added.insert((stamp, value));
    }

    fn read(&self) -> u64 {
        self.added.len() as u64
    }

    fn merge(&mut self, other: &Self) {
        self.added.extend(&other.added);
    }
}
