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
pub(crate) use linux::*;

#[cfg(target_os = "linux")]
mod linux {
    use std::ffi::CStr;
    use std::fs::File;
    use std::io;
    use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

    use super::{done, id};

    /// Kills one process.
    pub(crate) fn kill(pid: u32) -> io::Result<()> {
        let pid = id(pid)?;
        // SAFETY: it takes numbers alone.
        done(unsafe { libc::kill(pid, libc::SIGKILL) }).map(drop)
    }

    /// Has the kernel kill this process when the thread that started it ends.
    pub(crate) fn die_with_parent() -> io::Result<()> {
        let signal = libc::SIGKILL as libc::c_ulong;
        // SAFETY: this option takes a number alone.
        done(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, signal) }).map(drop)
    }

    /// A file to read, without the memory that the standard library may need for its path.
    pub(crate) fn open(path: &CStr) -> io::Result<File> {
        // SAFETY: the path ends in a zero, and what is opened here is nobody else's.
        unsafe {
            let fd = done(libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC))?;
            Ok(File::from(OwnedFd::from_raw_fd(fd)))
        }
    }

    /// What becomes readable when a process ends; it may not have been reaped yet.
    pub(crate) fn process_fd(pid: u32) -> io::Result<OwnedFd> {
        let pid = id(pid)?;
        // SAFETY: it takes numbers alone, and gives a descriptor that is nobody else's.
        unsafe {
            let fd = libc::syscall(libc::SYS_pidfd_open, pid, 0);
            Ok(OwnedFd::from_raw_fd(done(fd as libc::c_int)?))
        }
    }

    /// Waits for the end of a child and leaves it to be reaped.
    pub(crate) fn wait_for_end(pid: u32) -> io::Result<()> {
        let mut info = std::mem::MaybeUninit::<libc::siginfo_t>::zeroed();
        let options = libc::WEXITED | libc::WNOWAIT;
        // SAFETY: the pointer is to writable memory of the right type, which is never read.
        done(unsafe { libc::waitid(libc::P_PID, pid, info.as_mut_ptr(), options) }).map(drop)
    }

    /// Whether this process has children that it has not reaped.
    pub(crate) fn has_children() -> bool {
        let mut info = std::mem::MaybeUninit::<libc::siginfo_t>::zeroed();
        let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
        // SAFETY: the pointer is to writable memory of the right type, which is never read.
        unsafe { libc::waitid(libc::P_ALL, 0, info.as_mut_ptr(), options) == 0 }
    }

    /// The clock that counts the processor time of another process, all its threads.
    pub(crate) fn processor_clock(pid: u32) -> Option<libc::clockid_t> {
        let pid = id(pid).ok()?;
        let mut clock = 0;
        // SAFETY: the pointer is to live, writable memory of the right type.
        let found = unsafe { libc::clock_getcpuclockid(pid, &raw mut clock) == 0 };
        found.then_some(clock)
    }

    /// Bytes of a page of memory.
    pub(crate) fn page_size() -> usize {
        // SAFETY: it takes a number alone. Linux never fails to say this.
        unsafe { libc::sysconf(libc::_SC_PAGESIZE) }.cast_unsigned() as usize
    }

    /// The unit of processor times in `/proc`, per second.
    pub(crate) fn ticks_per_second() -> u64 {
        // SAFETY: it takes a number alone. Linux never fails to say this.
        unsafe { libc::sysconf(libc::_SC_CLK_TCK) }.cast_unsigned()
    }

    /// The processors that a thread may run on.
    #[derive(Clone, Copy)]
    pub(crate) struct Processors(libc::cpu_set_t);

    impl Processors {
        /// Those of this thread.
        pub(crate) fn of_this_thread() -> io::Result<Self> {
            let mut set = std::mem::MaybeUninit::<libc::cpu_set_t>::zeroed();
            let bytes = size_of::<libc::cpu_set_t>();
            // SAFETY: the pointer is to as many writable bytes as are said; the set is plain bits, for
            // which zeroes are valid.
            unsafe {
                done(libc::sched_getaffinity(0, bytes, set.as_mut_ptr()))?;
                Ok(Processors(set.assume_init()))
            }
        }

        /// This one alone; `None` where a set has no such number.
        pub(crate) fn one(number: usize) -> Option<Self> {
            // SAFETY: the set is plain bits, for which zeroes are valid.
            let mut set = unsafe { std::mem::zeroed() };
            // SAFETY: the number is within the set.
            (number < MOST).then(|| unsafe { libc::CPU_SET(number, &mut set) })?;
            Some(Processors(set))
        }

        /// Their numbers.
        pub(crate) fn numbers(&self) -> Vec<usize> {
            // SAFETY: the numbers are within the set.
            (0..MOST).filter(|&number| unsafe { libc::CPU_ISSET(number, &self.0) }).collect()
        }

        /// Has this thread run on them alone, and what it starts from now on.
        pub(crate) fn keep_this_thread(&self) -> io::Result<()> {
            let bytes = size_of::<libc::cpu_set_t>();
            // SAFETY: the pointer is to as many bytes as are said.
            done(unsafe { libc::sched_setaffinity(0, bytes, &raw const self.0) }).map(drop)
        }
    }

    impl std::fmt::Debug for Processors {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.debug_list().entries(self.numbers()).finish()
        }
    }

    /// As many processors as a set has room for.
    pub(crate) const MOST: usize = libc::CPU_SETSIZE as usize;

    /// The user that this process acts as.
    pub(crate) fn user() -> u32 {
        // SAFETY: it takes nothing and cannot fail.
        unsafe { libc::geteuid() }
    }

    /// Whether this user may write a file.
    pub(crate) fn may_write(path: &CStr) -> bool {
        // SAFETY: the path ends in a zero.
        unsafe { libc::access(path.as_ptr(), libc::W_OK) == 0 }
    }

    /// Drops what the page cache holds of a file, but for what is dirty or mapped.
    pub(crate) fn drop_cached(file: &File) -> io::Result<()> {
        // SAFETY: the descriptor is open, and advice changes no content.
        match unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) } {
            0 => Ok(()),
            errno => Err(io::Error::from_raw_os_error(errno)),
        }
    }
}
