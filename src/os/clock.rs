//! The monotonic clock, as far as it may be another than the system's.

/// Returns why nothing can be timed in this process, if its clock stands still: no wait would ever be over, and every
/// operation would take no time.
pub(crate) fn stopped() -> Option<&'static str> {
    // More readings than the coarsest clock of any system needs for its next step.
    const READINGS: usize = 4_000_000;
    let began = std::time::Instant::now();
    let moves = (0..READINGS).any(|_| std::time::Instant::now() > began);
    (!moves).then_some(
        "the monotonic clock of this process stands still, so that nothing can be timed; is a library such as libfaketime \
         preloaded? unset LD_PRELOAD",
    )
}
