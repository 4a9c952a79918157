//! How long a process is watched after it has become ready, to see that it goes on running.

use std::time::Duration;

/// The state of the process at one moment of the watch.
#[derive(Debug)]
pub(super) struct Watch {
    /// How long it is watched at least.
    pub(super) at_least: Duration,
    /// The time since it became ready.
    pub(super) since_ready: Duration,
    /// The processor time that it has used in this time; all of it, where the platform does not tell.
    pub(super) used: Duration,
    /// Whether it uses a processor now. A process that is about to end does.
    pub(super) is_busy: bool,
}

impl Watch {
    /// Makes the state of a process that had `used` so much processor time when the watch began, and now.
    ///
    /// Linux tells it of every process that is there. One that is not has ended, and its supervisor has not reported that yet,
    /// which takes a moment on a busy machine: it has used nothing, and is about to end.
    pub(super) fn new(
        at_least: Duration,
        since_ready: Duration,
        used: [Option<Duration>; 2],
        is_busy: bool,
    ) -> Watch {
        let used = match used {
            [Some(before), Some(now)] => now.saturating_sub(before),
            _ if cfg!(target_os = "linux") => Duration::ZERO,
            _ => since_ready,
        };
        Watch { at_least, since_ready, used, is_busy }
    }

    /// A process that is at work is watched until it has used this much processor time: on a busy machine it gets little, so the
    /// elapsed time alone proves nothing.
    const ENOUGH_PROCESSOR_TIME: Duration = Duration::from_millis(100);
    /// No process is watched for longer than this and the least: one may wait for a disk and use nothing.
    const LIMIT: Duration = Duration::from_secs(5);

    /// Whether it has gone on for long enough.
    pub(super) fn is_over(&self) -> bool {
        let goes_on = !self.is_busy
            || self.used >= Self::ENOUGH_PROCESSOR_TIME
            || self.since_ready >= Self::LIMIT;
        self.since_ready >= self.at_least && goes_on
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Formerly its time was taken for what it had used, and after 100 ms it was said to go on.
    #[test]
    fn a_process_that_is_gone_does_not_go_on() {
        let [least, time] = [10, 200].map(Duration::from_millis);
        let known = Some(Duration::from_millis(1));
        let is_over = |used| Watch::new(least, time, used, true).is_over();
        assert_eq!(is_over([known, None]), !cfg!(target_os = "linux"));
        assert_eq!(is_over([None, None]), !cfg!(target_os = "linux"));
        assert!(!is_over([known, known]));
        assert!(is_over([known, Some(Duration::from_millis(102))]));
    }

    #[test]
    fn a_process_that_works_or_waits_for_a_processor_is_watched_longer() {
        let [least, long] = [10, 1000].map(Duration::from_millis);
        let watch = |least, time, used, is_busy| {
            let (time, used) = (Duration::from_millis(time), Duration::from_millis(used));
            Watch { at_least: least, since_ready: time, used, is_busy }.is_over()
        };
        let over = |time, used, is_busy| watch(least, time, used, is_busy);
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
        // The process is watched for longer than that, whatever it does.
        assert!(!watch(long, 999, 0, false));
        assert!(!watch(long, 999, 999, true));
        assert!(watch(long, 1000, 0, false));
    }
}
