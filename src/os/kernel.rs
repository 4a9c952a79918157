//! The system calls that the standard library lacks and that change nothing but what they are asked to,
//! each behind a safe function.
//!
//! Apart so that what is `unsafe` in them is read in one place. They are some dozen lines of libc;
//! rustix, nix and what those need take 7 s of CPU to build.

#![expect(unsafe_code, reason = "system calls that no lighter library offers")]

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

/// Whose resources to ask for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Who {
    /// This process, all its threads.
    Process,
    /// Its children that have been waited for.
    Children,
    /// The calling thread.
    #[cfg(target_os = "linux")]
    Thread,
}

/// Which clock to read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Clock {
    /// What `Instant` reads too, and what all processes share.
    #[cfg(target_os = "linux")]
    Monotonic,
    /// Processor time of this process, all its threads.
    Process,
    /// Processor time of the calling thread.
    Thread,
}

fn done(returned: libc::c_int) -> io::Result<libc::c_int> {
    if returned < 0 { Err(io::Error::last_os_error()) } else { Ok(returned) }
}

/// What a clock says; `None` where the system lacks it.
pub(crate) fn clock(clock: Clock) -> Option<Duration> {
    let id = match clock {
        #[cfg(target_os = "linux")]
        Clock::Monotonic => libc::CLOCK_MONOTONIC,
        Clock::Process => libc::CLOCK_PROCESS_CPUTIME_ID,
        Clock::Thread => libc::CLOCK_THREAD_CPUTIME_ID,
    };
    clock_of(id)
}

/// What the clock with this id says.
pub(crate) fn clock_of(id: libc::clockid_t) -> Option<Duration> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to live, writable memory of the right type.
    let read = unsafe { libc::clock_gettime(id, &raw mut time) == 0 };
    read.then(|| Duration::new(time.tv_sec.cast_unsigned(), time.tv_nsec as u32))
}

/// getrusage(2); `None` where the system does not say.
pub(crate) fn resources(who: Who) -> Option<libc::rusage> {
    let who = match who {
        Who::Process => libc::RUSAGE_SELF,
        Who::Children => libc::RUSAGE_CHILDREN,
        #[cfg(target_os = "linux")]
        Who::Thread => libc::RUSAGE_THREAD,
    };
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is to writable memory of the right type; `rusage` is plain numbers, for which
    // zeroes are valid.
    unsafe { (libc::getrusage(who, usage.as_mut_ptr()) == 0).then(|| usage.assume_init()) }
}

/// A span as the kernel writes it.
pub(crate) fn duration(time: libc::timeval) -> Duration {
    Duration::new(time.tv_sec.cast_unsigned(), time.tv_usec as u32 * 1000)
}

/// Kills every process of a group. What is no id of a group, 0 above all, is nobody.
pub(crate) fn kill_group(group: u32) -> io::Result<()> {
    let group = id(group)?;
    // SAFETY: it takes numbers alone.
    done(unsafe { libc::killpg(group, libc::SIGKILL) }).map(drop)
}

/// 0 and negative numbers stand for groups, this process's own among them.
fn id(pid: u32) -> io::Result<libc::pid_t> {
    libc::pid_t::try_from(pid).ok().filter(|&pid| pid > 0).ok_or(io::ErrorKind::NotFound.into())
}

/// Which of `fds` are readable, at the end of `patience` at the latest. A signal is no reason: then none
/// are.
pub(crate) fn readable<const N: usize>(
    fds: [Option<BorrowedFd<'_>>; N],
    patience: Duration,
) -> io::Result<[bool; N]> {
    // Negative descriptors are passed over.
    let mut asked = fds.map(|fd| libc::pollfd {
        fd: fd.map_or(-1, |fd| fd.as_raw_fd()),
        events: libc::POLLIN,
        revents: 0,
    });
    match done(poll(&mut asked, patience)) {
        Err(e) if e.kind() != io::ErrorKind::Interrupted => Err(e),
        Err(_) => Ok([false; N]),
        Ok(_) => Ok(asked.map(|fd| fd.revents & libc::POLLIN != 0)),
    }
}

#[cfg(target_os = "linux")]
fn poll(fds: &mut [libc::pollfd], patience: Duration) -> libc::c_int {
    let timeout = libc::timespec {
        tv_sec: libc::time_t::try_from(patience.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: patience.subsec_nanos().into(),
    };
    let (fds, count) = (fds.as_mut_ptr(), fds.len() as libc::nfds_t);
    // SAFETY: the array has as many entries as are said, and a null mask leaves signals alone.
    unsafe { libc::ppoll(fds, count, &raw const timeout, std::ptr::null()) }
}

#[cfg(not(target_os = "linux"))]
fn poll(fds: &mut [libc::pollfd], patience: Duration) -> libc::c_int {
    let millis = patience.as_nanos().div_ceil(1_000_000);
    let millis = libc::c_int::try_from(millis).unwrap_or(libc::c_int::MAX);
    // SAFETY: the array has as many entries as are said.
    unsafe { libc::poll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, millis) }
}

/// Puts another file in the place of standard input.
pub(crate) fn replace_stdin(by: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: both descriptors are open, and nobody owns the one that changes its meaning.
    done(unsafe { libc::dup2(by.as_raw_fd(), libc::STDIN_FILENO) }).map(drop)
}

#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "linux")]
pub(crate) use linux::*;
