//! The system calls that the standard library lacks, each behind a safe function.
//!
//! They are apart so that their `unsafe` parts are read in one place. They are some dozen lines of libc; rustix, nix
//! and their dependencies take 7 s of CPU to build.

#![expect(unsafe_code, reason = "system calls that no lighter library offers")]

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

/// The process or thread whose resources are asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ResourceOwner {
    /// This process, with all its threads.
    Process,
    /// The children of this process that have been waited for.
    Children,
    /// The calling thread.
    #[cfg(target_os = "linux")]
    Thread,
}

/// A clock of the system.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Clock {
    /// The clock that `Instant` reads too, and that all processes share.
    #[cfg(target_os = "linux")]
    Monotonic,
    /// The processor time of this process, with all its threads.
    Process,
    /// The processor time of the calling thread.
    Thread,
}

/// Returns what a call returned, or the error that it has left.
pub(crate) fn done(returned: libc::c_int) -> io::Result<libc::c_int> {
    if returned < 0 { Err(io::Error::last_os_error()) } else { Ok(returned) }
}

/// Returns the time of a clock; `None` if the system lacks the clock.
pub(crate) fn clock(clock: Clock) -> Option<Duration> {
    let id = match clock {
        #[cfg(target_os = "linux")]
        Clock::Monotonic => libc::CLOCK_MONOTONIC,
        Clock::Process => libc::CLOCK_PROCESS_CPUTIME_ID,
        Clock::Thread => libc::CLOCK_THREAD_CPUTIME_ID,
    };
    clock_of(id)
}

/// Returns the time of the clock with this id.
pub(crate) fn clock_of(id: libc::clockid_t) -> Option<Duration> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to live, writable memory of the right type.
    let read = unsafe { libc::clock_gettime(id, &raw mut time) == 0 };
    read.then(|| Duration::new(time.tv_sec.cast_unsigned(), time.tv_nsec as u32))
}

/// Calls getrusage(2); returns `None` if the system does not report it.
pub(crate) fn resources(who: ResourceOwner) -> Option<libc::rusage> {
    let who = match who {
        ResourceOwner::Process => libc::RUSAGE_SELF,
        ResourceOwner::Children => libc::RUSAGE_CHILDREN,
        #[cfg(target_os = "linux")]
        ResourceOwner::Thread => libc::RUSAGE_THREAD,
    };
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is to writable memory of the right type; `rusage` is plain numbers, for which zeros are
    // valid.
    unsafe { (libc::getrusage(who, usage.as_mut_ptr()) == 0).then(|| usage.assume_init()) }
}

/// Converts a duration from the kernel's form.
pub(crate) fn duration(time: libc::timeval) -> Duration {
    Duration::new(time.tv_sec.cast_unsigned(), time.tv_usec as u32 * 1000)
}

/// Kills every process of a group. A number that is no id of a group, such as 0, kills no process.
pub(crate) fn kill_group(group: u32) -> io::Result<()> {
    let group = id(group)?;
    // SAFETY: the call only takes numbers.
    done(unsafe { libc::killpg(group, libc::SIGKILL) }).map(drop)
}

/// Checks an id: 0 and negative numbers would stand for groups, this process's own among them.
fn id(pid: u32) -> io::Result<libc::pid_t> {
    libc::pid_t::try_from(pid).ok().filter(|&pid| pid > 0).ok_or(io::ErrorKind::NotFound.into())
}

/// Waits until some of `fds` are readable, for `patience` at most, and returns which. If a signal interrupts the
/// wait, none are.
pub(crate) fn readable<const N: usize>(
    fds: [Option<BorrowedFd<'_>>; N],
    patience: Duration,
) -> io::Result<[bool; N]> {
    wait_for(fds.map(|fd| (fd, libc::POLLIN)), patience)
}

/// Waits until the other end of the socket `first` is closed or `second` is readable, and returns which. The data in the
/// socket is not read, since it is meant for another process.
#[cfg(target_os = "linux")]
pub(crate) fn closed_or_readable(
    first: Option<BorrowedFd<'_>>,
    second: Option<BorrowedFd<'_>>,
    patience: Duration,
) -> io::Result<[bool; 2]> {
    wait_for([(first, libc::POLLRDHUP), (second, libc::POLLIN)], patience)
}

/// Waits until one of these events happens to one of the descriptors.
fn wait_for<const N: usize>(
    fds: [(Option<BorrowedFd<'_>>, libc::c_short); N],
    patience: Duration,
) -> io::Result<[bool; N]> {
    // A negative descriptor is ignored.
    let mut polled = fds.map(|(fd, events)| libc::pollfd {
        fd: fd.map_or(-1, |fd| fd.as_raw_fd()),
        events,
        revents: 0,
    });
    match done(poll(&mut polled, patience)) {
        Err(e) if e.kind() != io::ErrorKind::Interrupted => Err(e),
        Err(_) => Ok([false; N]),
        Ok(_) => Ok(polled.map(|fd| fd.revents & fd.events != 0)),
    }
}

#[cfg(target_os = "linux")]
fn poll(fds: &mut [libc::pollfd], patience: Duration) -> libc::c_int {
    let timeout = libc::timespec {
        tv_sec: patience.as_secs().try_into().unwrap_or(i32::MAX.into()),
        tv_nsec: patience.subsec_nanos().into(),
    };
    let (fds, count) = (fds.as_mut_ptr(), fds.len() as libc::nfds_t);
    // SAFETY: the array has as many entries as are given, and a null mask leaves signals alone.
    unsafe { libc::ppoll(fds, count, &raw const timeout, std::ptr::null()) }
}

#[cfg(not(target_os = "linux"))]
fn poll(fds: &mut [libc::pollfd], patience: Duration) -> libc::c_int {
    let millis = patience.as_nanos().div_ceil(1_000_000);
    let millis = libc::c_int::try_from(millis).unwrap_or(libc::c_int::MAX);
    // SAFETY: the array has as many entries as are given.
    unsafe { libc::poll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, millis) }
}

/// Replaces standard input by another file.
pub(crate) fn replace_stdin(by: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: both descriptors are open, and nobody owns the one that is replaced.
    done(unsafe { libc::dup2(by.as_raw_fd(), libc::STDIN_FILENO) }).map(drop)
}

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
mod process;
#[cfg(target_os = "linux")]
mod socket;

#[cfg(target_os = "linux")]
pub(crate) use linux::*;
#[cfg(target_os = "linux")]
pub(crate) use process::*;
#[cfg(target_os = "linux")]
pub(crate) use socket::*;
