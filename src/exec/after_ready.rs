//! How long a process is watched after it has become ready, to see whether it goes on running.

use std::time::Duration;

/// What is known of the process at one moment of the watch.
#[derive(Debug)]
pub(super) struct Watch {
    /// The time since it became ready.
    pub(super) time: Duration,
    /// The processor time that it has used in this time; all of it, where the platform does not tell.
    pub(super) used: Duration,
    /// Whether it uses a processor now. A process that is about to end does.
    pub(super) is_busy: bool,
}

impl Watch {
    /// Every process is watched for this long.
    const LEAST: Duration = Duration::from_millis(10);
    /// A process that is at work is watched until it has used this much: on a busy machine it
    /// gets little processor time, so the elapsed time alone proves nothing.
    const MOST: Duration = Duration::from_millis(100);
    /// No process is watched for longer: one may wait for a disk and use nothing.
    const LIMIT: Duration = Duration::from_secs(5);

    /// Whether it has gone on for long enough.
    pub(super) fn is_over(&self) -> bool {
        let rests = self.time >= Self::LEAST && !self.is_busy;
        rests || self.used >= Self::MOST || self.time >= Self::LIMIT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_works_or_waits_for_a_processor_is_watched_longer() {
        let over = |time, used, is_busy| {
            let (time, used) = (Duration::from_millis(time), Duration::from_millis(used));
            Watch { time, used, is_busy }.is_over()
        };
        // It sleeps.
        assert!(!over(4, 0, false));
        assert!(over(10, 0, false));
        // It works.
        assert!(!over(10, 10, true));
        assert!(!over(99, 99, true));
        assert!(over(100, 100, true));
        // The machine is so busy that it had hardly any processor.
        assert!(!over(1000, 2, true));
        assert!(over(1000, 2, false));
        assert!(over(5000, 2, true));
    }
}
