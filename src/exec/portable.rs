//! What macOS and Windows have in common, where no supervisor process ends a process: a process that is looked at again and again.

use std::io;
use std::time::{Duration, Instant};

use super::exit::Exit;
use super::launch::Event;
use super::usage::Usage;
use crate::os::calls::Counts;

/// How a process ended.
#[derive(Debug)]
pub(super) struct End {
    pub(super) exit: Exit,
    pub(super) usage: Option<Usage>,
    /// The number of descendants that outlived the process, as far as the system shows them.
    pub(super) strays: usize,
    /// Whether some processes could not be ended.
    pub(super) some_left: bool,
    /// The system calls, which nobody counts here.
    pub(super) calls: Option<Result<Box<Counts>, i32>>,
}

/// Waits for at most a millisecond, unless the process has ended; the caller looks at the streams each time.
pub(super) fn wait(has_ended: bool, deadline: Instant) -> Event {
    if has_ended {
        return Event::Ended(Instant::now());
    }
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Event::Late;
    }
    std::thread::sleep(left.min(Duration::from_millis(1)));
    Event::Woken
}

/// Waits until nothing is left of what was ended, for some seconds at most, and returns whether something is.
///
/// # Errors
/// If the system does not say what is left.
pub(super) fn some_left(is_left: impl Fn() -> io::Result<bool>) -> io::Result<bool> {
    const PATIENCE: Duration = Duration::from_secs(5);
    let began = Instant::now();
    while is_left()? {
        if began.elapsed() >= PATIENCE {
            return Ok(true);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(false)
}
