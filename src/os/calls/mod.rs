//! System calls, as a tracer counts them: how many of each number, in a process and all that it starts.
//!
//! The tracer is another process ([`Tracer`]). A traced process asks it for the counts by a system call that it would
//! never make otherwise, a `prctl` with an option that does not exist. The kernel refuses the call, and the tracer has
//! meanwhile written the counts where the call says. The call itself is not counted, so two readings differ only by what
//! the process did.

#![cfg_attr(
    target_os = "linux",
    expect(unsafe_code, reason = "system calls that no lighter library offers")
)]

#[cfg(target_os = "linux")]
mod names;
#[cfg(target_os = "linux")]
mod tracer;

#[cfg(target_os = "linux")]
pub(crate) use self::tracer::{Progress, Tracer, drain, ended, stops};

/// The numbers that are told apart; those of all processors are below it.
const NUMBERS: usize = 512;
/// The numbers, and all others together: those of programs for another processor, and those that no kernel knows.
const SLOTS: usize = NUMBERS + 1;
/// The option of `prctl` by which a process asks for the counts: letters, and no number of the kernel's.
#[cfg(target_os = "linux")]
const QUESTION: u32 = 0x7062_6331;
/// The value in the place for the counts until somebody answers.
#[cfg(target_os = "linux")]
const UNANSWERED: u64 = u64::MAX;

/// How often each system call was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts([u64; SLOTS]);

/// The number of bytes of [`Counts`] in a message.
#[cfg(target_os = "linux")]
pub(crate) const BYTES: usize = SLOTS * 8;

impl Counts {
    /// No calls at all.
    pub(crate) const NONE: Counts = Counts([0; SLOTS]);

    /// Reads the counts of a message.
    #[cfg(target_os = "linux")]
    pub(crate) fn of_numbers(numbers: impl Iterator<Item = u64>) -> Counts {
        let mut counts = Counts::NONE;
        counts.0.iter_mut().zip(numbers).for_each(|(slot, number)| *slot = number);
        counts
    }

    /// Returns the numbers of a message.
    #[cfg(target_os = "linux")]
    pub(crate) fn numbers(&self) -> impl Iterator<Item = u64> {
        self.0.iter().copied()
    }

    /// Returns how many calls there were.
    pub(crate) fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Adds the calls between two readings.
    pub(crate) fn add_between(&mut self, before: &Counts, after: &Counts) {
        let both = after.0.iter().zip(&before.0);
        let between = both.map(|(after, before)| after.saturating_sub(*before));
        self.0.iter_mut().zip(between).for_each(|(slot, more)| *slot += more);
    }

    /// Returns the calls that were made, each by its name.
    pub(crate) fn by_name(&self) -> impl Iterator<Item = (String, u64)> {
        let made = self.0.iter().enumerate().filter(|(_, count)| **count > 0);
        made.map(|(number, count)| {
            #[cfg(target_os = "linux")]
            let name = names::name(number).map(str::to_owned);
            #[cfg(not(target_os = "linux"))]
            let name = None;
            let name = name.unwrap_or_else(|| match number {
                NUMBERS => "others".to_owned(),
                _ => format!("call {number}"),
            });
            (name, *count)
        })
    }

    #[cfg(target_os = "linux")]
    fn slot(&mut self, number: u64) -> &mut u64 {
        let at = usize::try_from(number).unwrap_or(NUMBERS).min(NUMBERS);
        &mut self.0[at]
    }
}

/// Asks the tracer of this process for the counts so far; returns whether one has answered.
#[cfg(target_os = "linux")]
pub(crate) fn ask(into: &mut Counts) -> bool {
    into.0[0] = UNANSWERED;
    // SAFETY: the kernel knows no such option, and touches nothing. A tracer writes as many numbers as there is room for.
    unsafe {
        libc::prctl(QUESTION.cast_signed(), into.0.as_mut_ptr(), SLOTS as libc::c_ulong);
    }
    // The tracer has written behind the compiler's back.
    // SAFETY: the number is live and aligned.
    unsafe { std::ptr::read_volatile(into.0.as_ptr()) != UNANSWERED }
}

/// Makes this many system calls that do nothing.
#[cfg(target_os = "linux")]
pub(crate) fn spend(count: u64) {
    for _ in 0..count {
        // SAFETY: the call takes nothing and cannot fail.
        unsafe { libc::syscall(libc::SYS_getppid) };
    }
}

/// Returns false: only Linux has such a tracer.
#[cfg(not(target_os = "linux"))]
pub(crate) fn ask(_: &mut Counts) -> bool {
    false
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn nobody_answers_a_process_that_is_not_traced() {
        assert!(!ask(&mut Counts::NONE.clone()));
    }

    #[test]
    fn counts_are_between_two_readings() {
        let mut before = Counts::NONE;
        *before.slot(libc::SYS_read.cast_unsigned()) = 3;
        let mut after = before;
        *after.slot(libc::SYS_read.cast_unsigned()) += 2;
        *after.slot(u64::MAX) += 1;
        *after.slot(500) += 4;
        let mut sum = Counts::NONE;
        sum.add_between(&before, &after);
        assert_eq!(sum.total(), 7);
        let mut named: Vec<(String, u64)> = sum.by_name().collect();
        named.sort();
        let named: Vec<(&str, u64)> = named.iter().map(|(name, n)| (name.as_str(), *n)).collect();
        assert_eq!(named, [("call 500", 4), ("others", 1), ("read", 2)]);
        assert_eq!(Counts::of_numbers(sum.numbers()), sum);
    }
}
