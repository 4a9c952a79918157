//! Which processors a thread may run on.

/// The processors that this thread may use, by number; none where the system does not tell.
#[cfg(target_os = "linux")]
pub(crate) fn allowed() -> Vec<usize> {
    use rustix::thread::{CpuSet, sched_getaffinity};
    let Ok(set) = sched_getaffinity(None) else { return Vec::new() };
    (0..CpuSet::MAX_CPU).filter(|&cpu| set.is_set(cpu)).collect()
}

/// Keeps this thread, and the processes it starts, on one processor until it is dropped.
#[derive(Debug)]
pub(crate) struct Pin {
    #[cfg(target_os = "linux")]
    before: rustix::thread::CpuSet,
}

impl Pin {
    /// `None` where the system has no such thing or refuses it.
    #[cfg(target_os = "linux")]
    pub(crate) fn to(cpu: usize) -> Option<Pin> {
        use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
        let before = sched_getaffinity(None).ok()?;
        let mut one = CpuSet::new();
        one.set(cpu);
        sched_setaffinity(None, &one).ok()?;
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
        let _ = rustix::thread::sched_setaffinity(None, &self.before);
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn allowed() -> Vec<usize> {
    Vec::new()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_pulled_out_again() {
        let before = allowed();
        let last = *before.last().unwrap();
        let pin = Pin::to(last).unwrap();
        assert_eq!(allowed(), [last]);
        drop(pin);
        assert_eq!(allowed(), before);
        assert!(Pin::to(rustix::thread::CpuSet::MAX_CPU - 1).is_none());
        assert_eq!(allowed(), before);
    }
}
