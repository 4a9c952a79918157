//! The protocol between the two ends of a pair, over a socket that is the worker's standard input.
//!
//! The messages have fixed forms, little-endian, because each is sent thousands of times between two timed stretches.

use std::io::{self, Read, Write};

/// The version of this protocol. A binary that was built with another version is refused.
pub(super) const VERSION: u32 = 1;
const GREETING: [u8; 4] = *b"pair";
/// The most times in a valid reply.
const MOST: u32 = 1 << 20;

/// A message from the harness to a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Run this many operations, and report how long they took together.
    Batch(u32),
    /// Run this many operations, and report how long each took.
    Singles(u32),
    /// There is nothing more to measure.
    End,
}

/// The first message of a worker, when it is prepared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ready {
    /// Whether its operation can be repeated.
    pub(super) repeats: bool,
    /// Whether it can report how long it waited for a processor.
    pub(super) sees_waiting: bool,
    /// The cost and the resolution of its clock, in seconds.
    pub(super) clock: (f64, f64),
}

/// A worker's answer to an order.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Reply {
    /// The seconds of each stretch that was timed, and how many of them the worker waited for a processor.
    pub(super) laps: Vec<(f64, f64)>,
    /// The processor seconds of other threads and of child processes meanwhile; negative if they are not known.
    pub(super) others: f64,
    /// The number of operations that failed.
    pub(super) failed: u32,
}

impl Order {
    pub(super) fn send(self, to: &mut dyn Write) -> io::Result<()> {
        let (kind, count) = match self {
            Order::Batch(count) => (b'b', count),
            Order::Singles(count) => (b's', count),
            Order::End => (b'e', 0),
        };
        let mut text = [kind, 0, 0, 0, 0];
        text[1..].copy_from_slice(&count.to_le_bytes());
        to.write_all(&text)
    }

    pub(super) fn receive(from: &mut dyn Read) -> io::Result<Order> {
        let [kind, count @ ..] = bytes::<5>(from)?;
        let count = u32::from_le_bytes(count);
        match kind {
            b'b' => Ok(Order::Batch(count)),
            b's' => Ok(Order::Singles(count)),
            b'e' => Ok(Order::End),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

impl Ready {
    pub(super) fn send(self, to: &mut dyn Write) -> io::Result<()> {
        let mut text = Vec::with_capacity(32);
        text.extend_from_slice(&GREETING);
        text.extend_from_slice(&VERSION.to_le_bytes());
        text.extend_from_slice(&[u8::from(self.repeats), u8::from(self.sees_waiting)]);
        text.extend_from_slice(&self.clock.0.to_le_bytes());
        text.extend_from_slice(&self.clock.1.to_le_bytes());
        to.write_all(&text)
    }

    /// Receives the first message; returns `None` if the worker has another version.
    pub(super) fn receive(from: &mut dyn Read) -> io::Result<Option<Ready>> {
        if bytes::<4>(from)? != GREETING {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if u32::from_le_bytes(bytes(from)?) != VERSION {
            return Ok(None);
        }
        let [repeats, sees_waiting] = bytes(from)?;
        let clock = (float(from)?, float(from)?);
        Ok(Some(Ready { repeats: repeats != 0, sees_waiting: sees_waiting != 0, clock }))
    }
}

impl Reply {
    pub(super) fn send(&self, to: &mut dyn Write) -> io::Result<()> {
        let mut text = Vec::with_capacity(16 + self.laps.len() * 16);
        text.extend_from_slice(&(self.laps.len() as u32).to_le_bytes());
        for (seconds, waited) in &self.laps {
            text.extend_from_slice(&seconds.to_le_bytes());
            text.extend_from_slice(&waited.to_le_bytes());
        }
        text.extend_from_slice(&self.others.to_le_bytes());
        text.extend_from_slice(&self.failed.to_le_bytes());
        to.write_all(&text)
    }

    pub(super) fn receive(from: &mut dyn Read) -> io::Result<Reply> {
        let count = u32::from_le_bytes(bytes(from)?);
        if count > MOST {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut text = vec![0; count as usize * 16];
        from.read_exact(&mut text)?;
        let mut rest = &text[..];
        let laps = (0..count).map(|_| Ok((float(&mut rest)?, float(&mut rest)?)));
        let laps = laps.collect::<io::Result<_>>()?;
        Ok(Reply { laps, others: float(from)?, failed: u32::from_le_bytes(bytes(from)?) })
    }
}

fn bytes<const N: usize>(from: &mut dyn Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn float(from: &mut dyn Read) -> io::Result<f64> {
    bytes(from).map(f64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_received() {
        for order in [Order::Batch(7), Order::Singles(u32::MAX), Order::End] {
            let mut text = Vec::new();
            order.send(&mut text).unwrap();
            assert_eq!(Order::receive(&mut &text[..]).unwrap(), order);
        }
        let ready = Ready { repeats: true, sees_waiting: false, clock: (1e-8, 2e-9) };
        let mut text = Vec::new();
        ready.send(&mut text).unwrap();
        assert_eq!(Ready::receive(&mut &text[..]).unwrap(), Some(ready));
        text[4] += 1;
        assert_eq!(Ready::receive(&mut &text[..]).unwrap(), None);
        let reply = Reply { laps: vec![(1e-3, 0.0), (2e-3, 1e-4)], others: 0.5, failed: 3 };
        let mut text = Vec::new();
        reply.send(&mut text).unwrap();
        assert_eq!(Reply::receive(&mut &text[..]).unwrap(), reply);
    }

    #[test]
    fn an_invalid_message_is_refused() {
        assert!(Order::receive(&mut &b"x\0\0\0\0"[..]).is_err());
        assert!(Order::receive(&mut &b"b\0"[..]).is_err());
        assert!(Ready::receive(&mut &b"what is this?"[..]).is_err());
        assert!(Reply::receive(&mut &[0xff; 64][..]).is_err());
        assert!(Reply::receive(&mut &[2, 0, 0, 0, 1, 2, 3][..]).is_err());
    }

    #[test]
    fn the_bytes_stay_as_they_are() {
        let mut text = Vec::new();
        Order::Batch(258).send(&mut text).unwrap();
        Order::Singles(1).send(&mut text).unwrap();
        Order::End.send(&mut text).unwrap();
        assert_eq!(text, b"b\x02\x01\0\0s\x01\0\0\0e\0\0\0\0");
        let mut text = Vec::new();
        let ready = Ready { repeats: true, sees_waiting: false, clock: (1.0, -2.0) };
        ready.send(&mut text).unwrap();
        assert_eq!(text, b"pair\x01\0\0\0\x01\0\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\0\xc0");
        let mut text = Vec::new();
        Reply { laps: vec![(1.0, 0.0)], others: -1.0, failed: 3 }.send(&mut text).unwrap();
        let numbers = b"\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xf0\xbf";
        assert_eq!(text, [&b"\x01\0\0\0"[..], numbers, b"\x03\0\0\0"].concat());
    }
}
