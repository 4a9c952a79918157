//! Which processors a thread may run on.

#[cfg(target_os = "linux")]
use super::kernel::Processors;

/// The processors that this thread may use, by number; none where the system does not tell.
#[cfg(target_os = "linux")]
pub(crate) fn allowed() -> Vec<usize> {
    Processors::of_this_thread().map_or_else(|_| Vec::new(), |set| set.numbers())
}

/// Keeps this thread, and the processes it starts, on one processor until it is dropped.
#[derive(Debug)]
pub(crate) struct Pin {
    #[cfg(target_os = "linux")]
    before: Processors,
}

impl Pin {
    /// `None` where the system has no such thing or refuses it.
    #[cfg(target_os = "linux")]
    pub(crate) fn to(cpu: usize) -> Option<Pin> {
        let before = Processors::of_this_thread().ok()?;
        Processors::one(cpu)?.keep_this_thread().ok()?;
        Some(Pin { before })
    }

    /// `None` where the system has no such thing or refuses it.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn to(_cpu: usize) -> Option<Pin> {
        None
    }
}

#[cfg(target_os = "linux")]
impl Drop for Pin {
    fn drop(&mut self) {
        // Where it is refused now, it was refused before too.
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
    use crate::os::kernel::MOST;

    #[test]
    fn a_pin_is_pulled_out_again() {
        let before = allowed();
        let last = *before.last().unwrap();
        let pin = Pin::to(last).unwrap();
        assert_eq!(allowed(), [last]);
        drop(pin);
        assert_eq!(allowed(), before);
        for absent in [MOST - 1, MOST] {
            assert!(Pin::to(absent).is_none());
        }
        assert_eq!(allowed(), before);
    }
}
