//! How long a process is watched after it has become ready, to see that it goes on running.

use std::time::Duration;

/// The state of the process at one moment of the watch.
#[derive(Debug)]
pub(super) struct Watch {
    /// The shortest time for which the process is watched.
    pub(super) at_least: Duration,
    /// The time since the process became ready.
    pub(super) since_ready: Duration,
    /// The processor time that the process has used since then. Where the platform does not report it, all of the time counts.
    pub(super) used: Duration,
    /// Whether the process uses a processor now. A process that is about to end does.
    pub(super) is_busy: bool,
}

impl Watch {
    /// Makes the state of a process that had `used` so much processor time when the watch began, and now.
    ///
    /// Linux reports this time for every process that exists. If it is missing, the process has ended, and its supervisor has
    /// not reported the end yet, which takes a moment on a busy machine. Such a process counts as having used nothing.
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

    /// A process that uses a processor is watched until it has used this much processor time. On a busy machine it gets little,
    /// so the elapsed time alone proves nothing.
    const ENOUGH_PROCESSOR_TIME: Duration = Duration::from_millis(100);
    /// No process is watched for longer than this, unless `at_least` is longer. A process may wait for a disk and use no processor.
    const LIMIT: Duration = Duration::from_secs(5);

    /// Whether the process has gone on for long enough.
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

    /// Formerly the elapsed time was taken for its processor time, so after 100 ms a process that had ended counted as running.
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
        // The process sleeps.
        assert!(!over(4, 0, false));
        assert!(over(10, 0, false));
        // The process works.
        assert!(!over(10, 10, true));
        assert!(!over(99, 99, true));
        assert!(over(100, 100, true));
        // The machine is so busy that the process had hardly any processor time.
        assert!(!over(1000, 2, true));
        assert!(over(1000, 2, false));
        assert!(over(5000, 2, true));
        // The process is watched for at least this long, whatever it does.
        assert!(!watch(long, 999, 0, false));
        assert!(!watch(long, 999, 999, true));
        assert!(watch(long, 1000, 0, false));
    }
}
