//! The processors that a thread may run on.

#[cfg(target_os = "linux")]
use super::kernel::Processors;

/// Returns the numbers of the processors that this thread may use; empty if the system does not report them.
#[cfg(target_os = "linux")]
pub(crate) fn allowed() -> Vec<usize> {
    Processors::of_this_thread().map_or_else(|_| Vec::new(), |set| set.numbers())
}

/// A pin that keeps this thread, and the processes that it starts, on one processor until it is dropped.
#[derive(Debug)]
pub(crate) struct Pin {
    #[cfg(target_os = "linux")]
    before: Processors,
}

impl Pin {
    /// Pins this thread; returns `None` if the system cannot do this or refuses it.
    #[cfg(target_os = "linux")]
    pub(crate) fn to_processor(cpu: usize) -> Option<Pin> {
        let before = Processors::of_this_thread().ok()?;
        Processors::single(cpu)?.keep_this_thread().ok()?;
        Some(Pin { before })
    }

    /// Pins this thread to the processor with this number, modulo their count, among those that it may use. Returns the
    /// processor too.
    pub(crate) fn to_nth(count: usize) -> Option<(usize, Pin)> {
        let allowed = allowed();
        let cpu = *allowed.get(count % allowed.len().max(1))?;
        Pin::to_processor(cpu).map(|pin| (cpu, pin))
    }

    /// Returns `None`: this system cannot pin a thread.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn to_processor(_cpu: usize) -> Option<Pin> {
        None
    }
}

#[cfg(target_os = "linux")]
impl Drop for Pin {
    fn drop(&mut self) {
        // If this is refused now, it was refused before too.
        let _ = self.before.keep_this_thread();
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn allowed() -> Vec<usize> {
    Vec::new()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::os::kernel::MAX_PROCESSORS;

    #[test]
    fn dropping_a_pin_restores_the_processors() {
        let before = allowed();
        let last = *before.last().unwrap();
        let pin = Pin::to_processor(last).unwrap();
        assert_eq!(allowed(), [last]);
        drop(pin);
        assert_eq!(allowed(), before);
        for absent in [MAX_PROCESSORS - 1, MAX_PROCESSORS] {
            assert!(Pin::to_processor(absent).is_none());
        }
        assert_eq!(allowed(), before);
    }
}
