//! A message log in memory: producers append to the partitions of a topic, consumers read on from where
//! they were, and what is older than the topic has room for is dropped.
//!
//! A payload is copied once, into a segment; consumers get slices of that segment, which count their
//! references. One lock for each partition: `README.md` has the figures that decided it.

mod access;
mod error;
mod faulty;

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};

pub use access::{Access, Right};
pub use error::Error;
pub use faulty::Faulty;

/// Bytes of a segment; a longer payload has one of its own.
const SEGMENT: usize = 64 * 1024;

/// Messages in partitions, each in the order they were published in.
#[derive(Debug)]
pub struct Topic {
    partitions: Box<[Partition]>,
    /// Bytes that a partition keeps.
    room: usize,
}

/// A lock on a line of its own, so that neighbours do not wait for each other.
#[repr(align(128))]
#[derive(Debug, Default)]
struct Partition {
    log: Mutex<Log>,
    arrived: Condvar,
}

#[derive(Debug, Default)]
struct Log {
    /// The segment that is being written.
    segment: BytesMut,
    messages: VecDeque<Bytes>,
    /// The offset of the oldest message that is kept.
    first: u64,
    /// What the messages take.
    bytes: usize,
    /// Consumers that wait for the next message.
    waiting: usize,
}

impl Topic {
    /// A topic of so many partitions, each of which keeps its newest messages up to `room` bytes.
    ///
    /// # Panics
    /// If there are no partitions.
    pub fn new(partitions: usize, room: usize) -> Topic {
        assert!(partitions > 0, "a topic has at least one partition");
        Topic { partitions: (0..partitions).map(|_| Partition::default()).collect(), room }
    }

    /// Appends a message; gives the offset after it.
    ///
    /// # Errors
    /// If there is no such partition.
    pub fn publish(&self, partition: usize, payload: &[u8]) -> Result<u64, Error> {
        self.publish_batch(partition, [payload])
    }

    /// Appends messages that no other comes between; gives the offset after the last.
    ///
    /// # Errors
    /// If there is no such partition.
    pub fn publish_batch<'a>(
        &self,
        partition: usize,
        payloads: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<u64, Error> {
        let partition = self.partition(partition)?;
        let mut log = partition.lock();
        for payload in payloads {
            log.append(payload);
        }
        log.shrink(self.room);
        let (end, waiting) = (log.end(), log.waiting > 0);
        drop(log);
        if waiting {
            partition.arrived.notify_all();
        }
        Ok(end)
    }

    /// A consumer that begins at `offset`.
    ///
    /// # Errors
    /// If there is no such partition.
    pub fn consumer(&self, partition: usize, offset: u64) -> Result<Consumer<'_>, Error> {
        Ok(Consumer { partition: self.partition(partition)?, offset })
    }

    /// The offset that the next message of a partition will have.
    ///
    /// # Errors
    /// If there is no such partition.
    pub fn end(&self, partition: usize) -> Result<u64, Error> {
        Ok(self.partition(partition)?.lock().end())
    }

    fn partition(&self, index: usize) -> Result<&Partition, Error> {
        self.partitions.get(index).ok_or(Error::NoPartition(index))
    }
}

impl Partition {
    fn lock(&self) -> MutexGuard<'_, Log> {
        // Nothing that panics half way is done under the lock.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    fn append(&mut self, payload: &[u8]) {
        if self.segment.capacity() < payload.len() {
            self.segment = BytesMut::with_capacity(payload.len().max(SEGMENT));
        }
        self.segment.extend_from_slice(payload);
        self.messages.push_back(self.segment.split().freeze());
        self.bytes += cost(payload.len());
    }

    /// Drops the oldest messages, so that `room` bytes hold the others.
    fn shrink(&mut self, room: usize) {
        while self.bytes > room {
            let Some(oldest) = self.messages.pop_front() else { return };
            self.bytes -= cost(oldest.len());
            self.first += 1;
        }
    }

    fn end(&self) -> u64 {
        self.first + self.messages.len() as u64
    }
}

/// Bytes that a message of this length takes, its place in the queue included.
fn cost(length: usize) -> usize {
    length + size_of::<Bytes>()
}

/// Reads a partition in order.
#[derive(Debug)]
pub struct Consumer<'a> {
    partition: &'a Partition,
    offset: u64,
}

impl Consumer<'_> {
    /// Adds the next messages, at most `most`, to `messages`; gives how many there were. Nothing is
    /// copied, and nothing allocated where `messages` has the capacity.
    ///
    /// # Errors
    /// [`Error::Behind`] where messages are gone that it has not read; the next call goes on with the
    /// oldest that is left.
    pub fn poll(&mut self, messages: &mut Vec<Bytes>, most: usize) -> Result<usize, Error> {
        let log = self.partition.lock();
        take(&log, &mut self.offset, messages, most)
    }

    /// As [`poll`](Consumer::poll), and where there is no message waits for one as long as `patience`
    /// lasts.
    ///
    /// # Errors
    /// As `poll`.
    pub fn wait(
        &mut self,
        messages: &mut Vec<Bytes>,
        most: usize,
        patience: Duration,
    ) -> Result<usize, Error> {
        let deadline = Instant::now() + patience;
        let mut log = self.partition.lock();
        loop {
            let taken = take(&log, &mut self.offset, messages, most)?;
            let left = deadline.saturating_duration_since(Instant::now());
            if taken > 0 || left.is_zero() {
                return Ok(taken);
            }
            log.waiting += 1;
            let woken = self.partition.arrived.wait_timeout(log, left);
            log = woken.unwrap_or_else(PoisonError::into_inner).0;
            log.waiting -= 1;
        }
    }

    /// Goes on from this offset.
    pub fn seek(&mut self, offset: u64) {
        self.offset = offset;
    }
}

fn take(
    log: &Log,
    offset: &mut u64,
    messages: &mut Vec<Bytes>,
    most: usize,
) -> Result<usize, Error> {
    let Some(read) = offset.checked_sub(log.first) else {
        let lost = log.first - *offset;
        *offset = log.first;
        return Err(Error::Behind { lost });
    };
    let read = usize::try_from(read).unwrap_or(usize::MAX).min(log.messages.len());
    let end = log.messages.len().min(read.saturating_add(most));
    messages.extend(log.messages.range(read..end).cloned());
    *offset += (end - read) as u64;
    Ok(end - read)
}

#[cfg(test)]
mod tests;
