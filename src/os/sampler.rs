//! A timer that interrupts one thread at random moments, and notes where the thread is and what is on its stack. If the thread waits
//! at that moment, and another thread of the process runs, the note is of that one, since the operation waits for it.
//!
//! What the signal runs takes no lock, allocates nothing, and writes to memory that was there before. The stack is not
//! unwound here, since that would need more than a signal handler may do.

#![expect(unsafe_code, reason = "a signal handler that copies a stack")]

use std::io::{self, Write};
use std::mem::ManuallyDrop;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::ptr::null_mut;
use std::sync::atomic::{
    AtomicBool, AtomicI32, AtomicI64, AtomicPtr, AtomicU64, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};
use std::time::Duration;

use perf_budget_core::samples::{Code, KERNEL, Process, Sample, Samples};

use super::interrupted::{self, Registers};

/// The room for samples, in numbers of eight bytes: 32 MiB, of which only what is used takes memory.
const ROOM: usize = (32 << 20) / 8;
/// The most of a stack that is copied, in bytes.
const DEEPEST: usize = 32 << 10;
/// The most of the stack of another thread that is copied, in bytes: where it ends is not known.
const DEEPEST_OF_OTHERS: usize = 8 << 10;
/// How much of the stack above the loop's own frame is copied, in bytes, so that its first frame is whole.
const ABOVE: usize = 4 << 10;
/// The numbers of a sample before its copy.
const HEAD: usize = 5;
/// The largest stack of a main thread that is believed in, in bytes.
const MAIN: usize = 8 << 20;

/// Whether the timer is to go off again.
static ARMED: AtomicBool = AtomicBool::new(false);
/// Whether an operation runs, so that a sample counts.
static INSIDE: AtomicBool = AtomicBool::new(false);
/// The thread that is sampled.
static THREAD: AtomicI32 = AtomicI32::new(0);
/// Whether a handler writes a sample, or the sampling has ended, so that no other may.
static WRITING: AtomicBool = AtomicBool::new(false);
static BUFFER: AtomicPtr<u64> = AtomicPtr::new(null_mut());
static TIMER: AtomicPtr<libc::c_void> = AtomicPtr::new(null_mut());
/// How many numbers of the room are used.
static USED: AtomicUsize = AtomicUsize::new(0);
/// How many samples were taken, and the most that are.
static TAKEN: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);
/// How many of them are of other threads.
static INSTEAD: AtomicUsize = AtomicUsize::new(0);
/// How many samples found no room.
static LOST: AtomicU64 = AtomicU64::new(0);
/// The part of the thread's stack that may be read: from its lowest address to what is above the loop.
static LOWEST: AtomicUsize = AtomicUsize::new(0);
static HIGHEST: AtomicUsize = AtomicUsize::new(0);
static END: AtomicUsize = AtomicUsize::new(0);
/// The mean time between two samples in nanoseconds, and the state of the random numbers.
static PERIOD: AtomicI64 = AtomicI64::new(0);
static RANDOM: AtomicU64 = AtomicU64::new(0);

/// The time that operations took while they were sampled.
pub(crate) struct SampledTime {
    pub(crate) seconds: f64,
    pub(crate) operations: u64,
    /// The share of the time in which the thread did not run, and the processor time of other threads as a share of it.
    pub(crate) waited: f64,
    pub(crate) others: f64,
}

/// The samples of the calling thread, and of those that run while it waits. There is one in a process.
pub(crate) struct Sampler(());

impl Sampler {
    /// Begins to interrupt the calling thread at random moments, which are `period` apart on average, until there are `most` samples.
    ///
    /// # Errors
    /// If the system has no such timer, or the process is sampled already.
    pub(crate) fn begin(most: usize, period: Duration) -> io::Result<Sampler> {
        if !BUFFER.load(Relaxed).is_null() {
            return Err(io::Error::other("this process is sampled already"));
        }
        let (lowest, end) = stack_of_this_thread()?;
        THREAD.store(interrupted::this_thread(), Relaxed);
        LOWEST.store(lowest, Relaxed);
        END.store(end, Relaxed);
        MOST.store(most, Relaxed);
        PERIOD.store(i64::try_from(period.as_nanos()).unwrap_or(i64::MAX / 4), Relaxed);
        // Any seed that differs from process to process will do: it only keeps the samples out of step with the operation.
        RANDOM.store(lowest as u64 ^ (u64::from(std::process::id()) << 32) | 1, Relaxed);
        let mut room = Vec::<u64>::new();
        room.try_reserve_exact(ROOM).map_err(io::Error::other)?;
        // The memory is never given back: a signal may still be on its way.
        BUFFER.store(ManuallyDrop::new(room).as_mut_ptr(), Relaxed);
        // SAFETY: the handler has the signature that SA_SIGINFO asks for, and only does what a handler may; the structures
        // are plain numbers, for which zeros are valid, and live until the calls return.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = on_signal as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART | libc::SA_ONSTACK;
            super::kernel::done(libc::sigaction(libc::SIGPROF, &raw const action, null_mut()))?;
            let mut event: libc::sigevent = std::mem::zeroed();
            event.sigev_notify = libc::SIGEV_THREAD_ID;
            event.sigev_signo = libc::SIGPROF;
            event.sigev_notify_thread_id = interrupted::this_thread();
            let mut timer: libc::timer_t = std::mem::zeroed();
            let made = libc::timer_create(libc::CLOCK_MONOTONIC, &raw mut event, &raw mut timer);
            super::kernel::done(made)?;
            TIMER.store(timer.cast(), Relaxed);
        }
        ARMED.store(true, Relaxed);
        arm(PERIOD.load(Relaxed));
        Ok(Sampler(()))
    }

    /// Notes that an operation begins.
    #[inline(never)]
    #[expect(clippy::unused_self, reason = "only the thread that began the sampling may call it")]
    pub(crate) fn enter(&self) {
        let local = 0_u8;
        HIGHEST.store((&raw const local) as usize + ABOVE, Relaxed);
        INSIDE.store(true, Relaxed);
    }

    /// Notes that the operation has ended.
    #[inline(never)]
    #[expect(clippy::unused_self, reason = "only the thread that began the sampling may call it")]
    pub(crate) fn leave(&self) {
        INSIDE.store(false, Relaxed);
    }

    /// Whether there are as many samples as were asked for, or no room for more.
    #[expect(clippy::unused_self, reason = "only the thread that began the sampling may call it")]
    pub(crate) fn is_full(&self) -> bool {
        TAKEN.load(Relaxed) >= MOST.load(Relaxed) || LOST.load(Relaxed) > 0
    }

    /// Ends the sampling, and writes the samples to a file.
    ///
    /// # Errors
    /// If the file cannot be written, or if the system does not report where code is.
    pub(crate) fn write(self, file: &Path, spent: &SampledTime) -> io::Result<()> {
        let (taken, lost) = self.finish();
        let (code, kernel) = code()?;
        let process = Process {
            architecture: std::env::consts::ARCH.to_owned(),
            seconds: spent.seconds,
            operations: spent.operations,
            waited: spent.waited,
            others: spent.others,
            lost,
            instead: INSTEAD.load(Relaxed) as u64,
            code,
            ..Process::default()
        };
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        // A stack may contain secrets, so nobody else may read the file.
        let mut options = std::fs::OpenOptions::new();
        let made = options.write(true).create(true).truncate(true).mode(0o600).open(file);
        made?.write_all(&Samples { process, taken, kernel }.to_bytes())
    }

    /// Ends the sampling, and returns the samples and how many found no room.
    fn finish(self) -> (Vec<Sample>, u64) {
        self.leave();
        // A signal that is still on its way does not start the timer again.
        ARMED.store(false, Relaxed);
        arm(0);
        // Another thread may still write its sample. Afterwards no handler writes.
        while WRITING.swap(true, Acquire) {
            std::thread::yield_now();
        }
        // SAFETY: the numbers up to `USED` were written by handlers, which write no more.
        let used = unsafe { std::slice::from_raw_parts(BUFFER.load(Relaxed), USED.load(Relaxed)) };
        let mut rest = used;
        let mut taken = Vec::with_capacity(TAKEN.load(Relaxed));
        while let Some((&[instruction, stack, frame, link, length], other)) =
            rest.split_first_chunk::<HEAD>()
        {
            let (copy, other) = other.split_at(length as usize);
            let copy = copy.iter().flat_map(|number| number.to_ne_bytes()).collect();
            taken.push(Sample { instruction, stack, frame, link, copy });
            rest = other;
        }
        (taken, LOST.load(Relaxed))
    }
}

/// Sets the timer to go off once, after this many nanoseconds; 0 stops it.
fn arm(nanoseconds: i64) {
    let after = libc::timespec {
        tv_sec: (nanoseconds / 1_000_000_000) as _,
        tv_nsec: (nanoseconds % 1_000_000_000) as _,
    };
    let none = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let once = libc::itimerspec { it_interval: none, it_value: after };
    let timer: libc::timer_t = TIMER.load(Relaxed).cast();
    // SAFETY: the timer was made before, and the structure lives until the call returns.
    unsafe { libc::timer_settime(timer, 0, &raw const once, null_mut()) };
}

/// Returns the time to the next sample. It is drawn from an exponential distribution, so it does not depend on what was
/// before. A signal may end a wait, and the code after the wait then always begins at a signal; if no time could be short,
/// that code would never be sampled.
fn next_period() -> i64 {
    let mut random = RANDOM.load(Relaxed);
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    RANDOM.store(random, Relaxed);
    let period = PERIOD.load(Relaxed).max(2);
    // A share of 2^53 that is never 0, whose logarithm is finite.
    let share = ((random >> 11) + 1) as f64 / (1_u64 << 53) as f64;
    let time = -share.ln() * period as f64;
    // A time of 0 would stop the timer, and a time shorter than the handler takes would leave none for the thread.
    (time as i64).clamp((period / 64).max(1), period.saturating_mul(16))
}

extern "C" fn on_signal(
    _signal: libc::c_int,
    _info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    // SAFETY: the address is that of this thread's own variable.
    let errno = unsafe { *libc::__errno_location() };
    let is_sampled_thread = interrupted::this_thread() == THREAD.load(Relaxed);
    if counts() {
        // SAFETY: the kernel gives a handler with SA_SIGINFO the context of the thread that it interrupts.
        let registers = Registers::of(unsafe { &*context.cast::<libc::ucontext_t>() });
        let is_waiting = is_sampled_thread && registers.waits();
        let other = is_waiting.then(|| interrupted::other_thread_that_runs(RANDOM.load(Relaxed)));
        match other.flatten() {
            // Its own handler writes the sample.
            Some(other) => interrupted::interrupt(other, libc::SIGPROF),
            None => record(&registers, is_sampled_thread),
        }
    }
    if is_sampled_thread && ARMED.load(Relaxed) {
        arm(next_period());
    }
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
}

/// Whether a sample counts.
fn counts() -> bool {
    INSIDE.load(Relaxed) && TAKEN.load(Relaxed) < MOST.load(Relaxed)
}

/// Writes one sample to the room, unless another handler writes there.
fn record(registers: &Registers, is_sampled_thread: bool) {
    if WRITING.swap(true, Acquire) {
        return;
    }
    if counts() {
        write(registers, is_sampled_thread);
    }
    WRITING.store(false, Release);
}

fn write(registers: &Registers, is_sampled_thread: bool) {
    let Registers { instruction, stack, frame, link, .. } = *registers;
    let (low, used) = (stack as usize, USED.load(Relaxed));
    let end = HIGHEST.load(Relaxed).min(END.load(Relaxed));
    // A stack that is not the thread's own, such as that of a coroutine, is not copied.
    let is_own = low >= LOWEST.load(Relaxed) && low < end;
    let bytes = if !low.is_multiple_of(8) {
        0
    } else if !is_sampled_thread {
        DEEPEST_OF_OTHERS
    } else if is_own {
        (end - low).min(DEEPEST)
    } else {
        0
    };
    if used + HEAD + bytes / 8 > ROOM {
        LOST.fetch_add(1, Relaxed);
        return;
    }
    // SAFETY: there is room, as was just seen, and one handler at a time writes to it. The stack of the sampled thread is mapped
    // from its stack pointer to its end, which is at a higher address. Of another one, what is not mapped is not copied.
    let numbers = unsafe {
        let place = BUFFER.load(Relaxed).add(used + HEAD);
        if is_sampled_thread {
            place.copy_from_nonoverlapping(low as *const u64, bytes / 8);
            bytes / 8
        } else {
            interrupted::copy(low, place.cast(), bytes) / 8
        }
    };
    let head = [instruction, stack, frame, link, numbers as u64];
    // SAFETY: as above.
    unsafe { BUFFER.load(Relaxed).add(used).copy_from_nonoverlapping(head.as_ptr(), HEAD) };
    USED.store(used + HEAD + numbers, Relaxed);
    TAKEN.fetch_add(1, Relaxed);
    INSTEAD.fetch_add(usize::from(!is_sampled_thread), Relaxed);
}

/// Returns the lowest and the highest address of this thread's stack.
fn stack_of_this_thread() -> io::Result<(usize, usize)> {
    let local = 0_u8;
    let stack = (&raw const local) as u64;
    let maps = std::fs::read_to_string("/proc/self/maps")?;
    let mut maps = maps.lines().filter_map(mapping);
    let (code, _) = maps
        .find(|(code, _)| (code.start..code.end).contains(&stack))
        .ok_or_else(|| io::Error::other("the stack of this thread is not in /proc/self/maps"))?;
    let end = code.end as usize;
    // The stack of a main thread grows downwards.
    let is_main = code.path == "[stack]";
    let lowest = if is_main { end.saturating_sub(MAIN) } else { code.start as usize };
    Ok((lowest, end))
}

/// Returns the code that this process has in memory, and the kernel's own part of it.
///
/// # Errors
/// If the system does not report it.
fn code() -> io::Result<(Vec<Code>, Vec<u8>)> {
    let maps = std::fs::read_to_string("/proc/self/maps")?;
    let is_code = |code: &Code| code.path.starts_with('/') || code.path == KERNEL;
    let found: Vec<Code> = maps
        .lines()
        .filter_map(mapping)
        .filter(|(code, runs)| *runs && is_code(code))
        .map(|(code, _)| Code { file: Code::state(code.path.as_ref()), ..code })
        .collect();
    let kernel = found.iter().find(|code| code.path == KERNEL).map(memory);
    Ok((found, kernel.and_then(Result::ok).unwrap_or_default()))
}

/// Reads this part of the memory of this process.
fn memory(code: &Code) -> io::Result<Vec<u8>> {
    use std::os::unix::fs::FileExt;
    let mut bytes = vec![0; (code.end - code.start) as usize];
    std::fs::File::open("/proc/self/mem")?.read_exact_at(&mut bytes, code.start)?;
    Ok(bytes)
}

/// Reads a line of `/proc/self/maps`, and says whether what is there can be run.
fn mapping(line: &str) -> Option<(Code, bool)> {
    let mut words = line.splitn(6, ' ');
    let (start, end) = words.next()?.split_once('-')?;
    let runs = words.next()?.contains('x');
    let number = |digits| u64::from_str_radix(digits, 16).ok();
    let offset = number(words.next()?)?;
    let path = words.nth(2).unwrap_or_default().trim().to_owned();
    Some((Code { start: number(start)?, end: number(end)?, offset, path, file: None }, runs))
}

#[cfg(test)]
#[path = "sampler_tests.rs"]
mod tests;
