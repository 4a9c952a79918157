//! The wait of an asynchronous operation until it is due, which is more precise than a timer of the runtime.

use std::time::{Duration, Instant};

/// The precision of a timer. The rest of a wait is spent polling the clock, alternating with the other tasks of the
/// runtime.
const TIMER: Duration = Duration::from_millis(2);

/// Waits until `due`.
pub(super) async fn until(due: Instant) {
    let left = due.saturating_duration_since(Instant::now());
    if let Some(early) = left.checked_sub(TIMER) {
        tokio::time::sleep(early).await;
    }
    while Instant::now() < due {
        tokio::task::yield_now().await;
    }
}
