//! The end of the time in which an artifact must be measured. Every read of a file or of what it decompresses to asks
//! for it, so that no thread is left behind that still reads.

use std::io::{self, Read};
use std::time::{Duration, Instant};

/// The moment at which a measurement must have ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    /// `None` if it is later than any clock tells.
    at: Option<Instant>,
    allowed: Duration,
}

impl Deadline {
    /// Returns the deadline of a measurement that begins now.
    pub(super) fn after(allowed: Duration) -> Deadline {
        Deadline { at: Instant::now().checked_add(allowed), allowed }
    }

    /// Fails once the deadline has passed.
    pub(super) fn check(&self) -> io::Result<()> {
        if self.at.is_some_and(|at| Instant::now() >= at) {
            let text = format!(
                "it was not measured within {:?}; if it may take longer, raise `timeout`",
                self.allowed
            );
            return Err(io::Error::new(io::ErrorKind::TimedOut, text));
        }
        Ok(())
    }
}

/// A reader that fails once the deadline has passed.
pub(super) struct Timed<'r> {
    pub(super) reader: &'r mut dyn Read,
    pub(super) deadline: Deadline,
}

impl Read for Timed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.deadline.check()?;
        self.reader.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_read_after_the_deadline() {
        let read = |allowed| {
            let mut text = String::new();
            let timed = Timed { reader: &mut &b"text"[..], deadline: Deadline::after(allowed) };
            { timed }.read_to_string(&mut text).map(|_| text)
        };
        assert_eq!(read(Duration::MAX).unwrap(), "text");
        let why = read(Duration::ZERO).unwrap_err();
        assert_eq!(why.kind(), io::ErrorKind::TimedOut);
        assert!(why.to_string().contains("raise `timeout`"), "{why}");
    }
}
