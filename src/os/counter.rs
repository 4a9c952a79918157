//! The counter of the processor that counts the instructions of this process, by perf_event_open(2).
//!
//! Only what the process itself runs is counted (user mode), so that interrupts and the kernel's own work are left
//! out. Many virtual machines have no such counter, and some systems reserve it for administrators.

#![expect(unsafe_code, reason = "a system call that no lighter library offers")]

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{FromRawFd, OwnedFd};

/// The description of a counter in the kernel's first form of it: `struct perf_event_attr`. An older kernel knows no
/// further fields, and a newer one takes them for zeros.
#[repr(C)]
#[derive(Default)]
struct Attributes {
    kind: u32,
    size: u32,
    config: u64,
    sample_period: u64,
    sample_type: u64,
    read_format: u64,
    flags: u64,
    wakeup: u32,
    breakpoint_type: u32,
    breakpoint: u64,
}

/// `PERF_TYPE_HARDWARE`: the generic counters of processors.
const HARDWARE: u32 = 0;
/// `PERF_COUNT_HW_INSTRUCTIONS`: instructions that were completed.
const INSTRUCTIONS: u64 = 1;
/// `PERF_FORMAT_TOTAL_TIME_ENABLED` and `PERF_FORMAT_TOTAL_TIME_RUNNING`: a reading also says for how long the counter
/// was wanted, and for how long it was there.
const WITH_TIMES: u64 = 1 | 2;
/// Threads that are started from now on count too.
const INHERIT: u64 = 1 << 1;
/// Instructions of the kernel are not counted.
const EXCLUDE_KERNEL: u64 = 1 << 5;
/// Instructions of the hypervisor below the kernel are not counted either.
const EXCLUDE_HYPERVISOR: u64 = 1 << 6;
/// `PERF_FLAG_FD_CLOEXEC`: a program that is started does not inherit the descriptor.
const CLOSE_ON_EXEC: libc::c_ulong = 1 << 3;

/// The counter of this process.
#[derive(Debug)]
pub(crate) struct Counter(File);

impl Counter {
    /// Starts to count the instructions of the calling thread, and of all threads that it starts from now on.
    ///
    /// # Errors
    /// If the machine has no such counter, or the system does not let this process use it.
    pub(crate) fn of_instructions() -> io::Result<Counter> {
        let attributes = Attributes {
            kind: HARDWARE,
            size: size_of::<Attributes>() as u32,
            config: INSTRUCTIONS,
            read_format: WITH_TIMES,
            flags: INHERIT | EXCLUDE_KERNEL | EXCLUDE_HYPERVISOR,
            ..Attributes::default()
        };
        let (this_thread, any_processor, no_group): (libc::pid_t, libc::c_int, libc::c_int) =
            (0, -1, -1);
        // SAFETY: the structure is as long as it says, and the kernel only reads it; nobody else owns the descriptor that
        // is returned.
        unsafe {
            let fd = libc::syscall(
                libc::SYS_perf_event_open,
                &raw const attributes,
                this_thread,
                any_processor,
                no_group,
                CLOSE_ON_EXEC,
            );
            if fd < 0 {
                return Err(io::Error::last_os_error());
            }
            Ok(Counter(File::from(OwnedFd::from_raw_fd(fd as libc::c_int))))
        }
    }

    /// Returns the instructions so far; `None` if other users of the processor's counters had it for some of the time.
    ///
    /// # Errors
    /// If the counter cannot be read.
    pub(crate) fn read(&self) -> io::Result<Option<u64>> {
        let mut reading = [0; 24];
        (&self.0).read_exact(&mut reading)?;
        Ok(complete(reading))
    }
}

/// Returns the count of a reading, if the counter was there for as long as it was wanted.
fn complete(reading: [u8; 24]) -> Option<u64> {
    let number = |at: usize| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&reading[at..at + 8]);
        u64::from_ne_bytes(bytes)
    };
    let (count, wanted, there) = (number(0), number(8), number(16));
    (wanted == there && there > 0).then_some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_that_of_the_kernel() {
        // `PERF_ATTR_SIZE_VER0`
        assert_eq!(size_of::<Attributes>(), 64);
        assert_eq!(std::mem::offset_of!(Attributes, flags), 40);
    }

    #[test]
    fn a_counter_that_was_shared_says_nothing() {
        let reading = |count: u64, wanted: u64, there: u64| {
            let mut bytes = [0; 24];
            for (at, number) in [count, wanted, there].into_iter().enumerate() {
                bytes[8 * at..8 * at + 8].copy_from_slice(&number.to_ne_bytes());
            }
            complete(bytes)
        };
        assert_eq!(reading(17, 5, 5), Some(17));
        assert_eq!(reading(17, 5, 4), None);
        assert_eq!(reading(0, 0, 0), None);
    }

    #[test]
    fn where_there_is_a_counter_it_counts() {
        let Ok(counter) = Counter::of_instructions() else { return };
        let Ok(Some(before)) = counter.read() else { return };
        let sum = (0..100_000_u64).fold(0, |sum, n| std::hint::black_box(sum ^ n));
        let after = counter.read().unwrap().unwrap();
        assert!(after - before >= 100_000, "{sum}");
    }
}
