//! Work of a stated time. It is apart because each system counts processor time in its own way.

use std::time::Duration;

/// Keeps the processor busy until this much processor time is used.
pub(crate) fn spin(time: Duration) {
    #[cfg(unix)]
    let used = || {
        let clock = rustix::time::ClockId::ThreadCPUTime;
        Duration::try_from(rustix::time::clock_gettime(clock)).unwrap_or_default()
    };
    #[cfg(not(unix))]
    let used = {
        let began = std::time::Instant::now();
        move || began.elapsed()
    };
    let end = used() + time;
    while used() < end {}
}
