//! Processes of Linux: forking, adopting, waiting for and ending them, each system call behind a safe function.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::{done, id};

/// Kills one process.
pub(crate) fn kill(pid: u32) -> io::Result<()> {
    let pid = id(pid)?;
    // SAFETY: the call only takes numbers.
    done(unsafe { libc::kill(pid, libc::SIGKILL) }).map(drop)
}

/// Asks the kernel to kill this process when the thread that started it ends.
pub(crate) fn die_with_parent() -> io::Result<()> {
    let signal = libc::SIGKILL as libc::c_ulong;
    // SAFETY: this option only takes a number.
    done(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, signal) }).map(drop)
}

/// Makes this process the parent of the orphans among its descendants.
pub(crate) fn adopt_orphans() -> io::Result<()> {
    let yes: libc::c_ulong = 1;
    // SAFETY: this option only takes a number.
    done(unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, yes) }).map(drop)
}

/// Whether [`adopt_orphans`] is possible here. It asks without changing anything.
pub(crate) fn can_adopt_orphans() -> bool {
    let mut adopts: libc::c_int = 0;
    // SAFETY: this option fills the number to which the pointer leads.
    done(unsafe { libc::prctl(libc::PR_GET_CHILD_SUBREAPER, &raw mut adopts) }).is_ok()
}

/// Opens a descriptor that becomes readable when a process ends, even before it is reaped.
pub(crate) fn process_fd(pid: u32) -> io::Result<OwnedFd> {
    let pid = id(pid)?;
    // SAFETY: the call only takes numbers, and nobody else owns the descriptor that it returns.
    unsafe {
        let fd = libc::syscall(libc::SYS_pidfd_open, pid, 0);
        Ok(OwnedFd::from_raw_fd(done(fd as libc::c_int)?))
    }
}

/// Waits for the end of a child, which still has to be reaped afterwards.
pub(crate) fn wait_for_end(pid: u32) -> io::Result<()> {
    let mut info = std::mem::MaybeUninit::<libc::siginfo_t>::zeroed();
    let options = libc::WEXITED | libc::WNOWAIT;
    // SAFETY: the pointer is to writable memory of the right type, which is never read.
    done(unsafe { libc::waitid(libc::P_PID, pid, info.as_mut_ptr(), options) }).map(drop)
}

/// Whether a child has ended. The child still has to be reaped.
pub(crate) fn has_ended(pid: u32) -> bool {
    let mut info = std::mem::MaybeUninit::<libc::siginfo_t>::zeroed();
    let options = libc::WEXITED | libc::WNOWAIT | libc::WNOHANG;
    // SAFETY: the pointer is to writable memory of the right type, in which zeros are valid; the id of a child that
    // has ended is filled in.
    unsafe {
        done(libc::waitid(libc::P_PID, pid, info.as_mut_ptr(), options)).is_err()
            || info.assume_init().si_pid() != 0
    }
}

/// Whether this process has children that it has not reaped.
pub(crate) fn has_children() -> bool {
    let mut info = std::mem::MaybeUninit::<libc::siginfo_t>::zeroed();
    let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    // SAFETY: the pointer is to writable memory of the right type, which is never read.
    unsafe { libc::waitid(libc::P_ALL, 0, info.as_mut_ptr(), options) == 0 }
}

/// Makes this process the leader of a group of its own.
pub(crate) fn lead_group() -> io::Result<()> {
    // SAFETY: the call only takes numbers.
    done(unsafe { libc::setpgid(0, 0) }).map(drop)
}

/// Blocks all signals but SIGKILL and SIGSTOP for the calling thread.
pub(crate) fn block_signals() {
    let mut all = std::mem::MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: the pointer is to writable memory of the right type, which is filled before it is read.
    unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), std::ptr::null_mut());
    }
}

/// A child that was reaped.
pub(crate) struct Reaped {
    pub(crate) status: libc::c_int,
    pub(crate) usage: libc::rusage,
}

/// Waits for the end of this child and reaps it; returns what it and the children that it waited for used.
pub(crate) fn reap(pid: u32) -> io::Result<Reaped> {
    loop {
        match wait4(id(pid)?, 0) {
            Ok(Some(reaped)) => return Ok(reaped),
            Err(e) if e.kind() != io::ErrorKind::Interrupted => return Err(e),
            Ok(None) | Err(_) => {}
        }
    }
}

/// Reaps any child that has ended; returns `None` if none has.
///
/// # Errors
/// `NotFound` if there are no children.
pub(crate) fn reap_any() -> io::Result<Option<Reaped>> {
    wait4(-1, libc::WNOHANG).map_err(|e| match e.raw_os_error() {
        Some(libc::ECHILD) => io::ErrorKind::NotFound.into(),
        _ => e,
    })
}

fn wait4(pid: libc::pid_t, options: libc::c_int) -> io::Result<Option<Reaped>> {
    let mut status = 0;
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: both pointers are to live, writable memory of the right types; `rusage` is plain numbers, for which
    // zeros are valid.
    let (pid, usage) = unsafe {
        let pid = libc::wait4(pid, &raw mut status, options, usage.as_mut_ptr());
        (pid, usage.assume_init())
    };
    Ok((done(pid)? > 0).then_some(Reaped { status, usage }))
}

/// Closes all descriptors from `first` to `last`. It is meant for a copy of a process, which owns none of them.
fn close_range(first: u32, last: u32) {
    // SAFETY: the call only takes numbers.
    if unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) } == 0 {
        return;
    }
    // The call is missing before Linux 5.9, and some sandboxes refuse it.
    let mut limit = libc::rlimit { rlim_cur: 1 << 16, rlim_max: 0 };
    // SAFETY: the pointer is to live, writable memory of the right type.
    unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    let most = u32::try_from(limit.rlim_cur).unwrap_or(u32::MAX).min(1 << 20);
    for number in first..=last.min(most) {
        // SAFETY: the call only takes a number.
        unsafe { libc::close(number.cast_signed()) };
    }
}

/// Ends this process at once: nothing is flushed, dropped or printed.
pub(crate) fn exit_now(code: i32) -> ! {
    // SAFETY: the call only takes a number.
    unsafe { libc::_exit(code) }
}

/// Copies this process, with the calling thread alone; returns the id of the copy, and `None` in the copy.
///
/// It is called between the copying of the harness and the loading of a program, where both sides only make system calls.
pub(crate) fn fork() -> io::Result<Option<u32>> {
    // SAFETY: the caller is a copy of one thread, and both sides go on with system calls alone.
    match done(unsafe { libc::fork() })? {
        0 => Ok(None),
        child => Ok(Some(child.cast_unsigned())),
    }
}

/// Makes this process the leader of a session of its own, and so of a group.
pub(crate) fn lead_session() -> io::Result<()> {
    // SAFETY: the call takes nothing.
    done(unsafe { libc::setsid() }).map(drop)
}

/// Makes this process receive the signals of its children, even if the program that it is a copy of ignores them.
pub(crate) fn heed_children() {
    // SAFETY: the default action of this signal is to do nothing, and no handler is installed.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
}

/// Resumes a process that was stopped.
pub(crate) fn resume(pid: u32) -> io::Result<()> {
    let pid = id(pid)?;
    // SAFETY: the call only takes numbers.
    done(unsafe { libc::kill(pid, libc::SIGCONT) }).map(drop)
}

/// Whether a child is stopped by a signal. The child stays stopped.
pub(crate) fn is_stopped_child(pid: u32) -> bool {
    let mut info = std::mem::MaybeUninit::<libc::siginfo_t>::zeroed();
    let options = libc::WSTOPPED | libc::WNOWAIT | libc::WNOHANG;
    // SAFETY: the pointer is to writable memory of the right type, in which zeros are valid; the id of a child that
    // has stopped is filled in.
    unsafe {
        done(libc::waitid(libc::P_PID, pid, info.as_mut_ptr(), options)).is_ok()
            && info.assume_init().si_pid() != 0
    }
}

/// Closes every descriptor of this process except one. It is meant for a copy of a process.
pub(crate) fn close_all_but(except: BorrowedFd<'_>) {
    let except = except.as_raw_fd().cast_unsigned();
    if let Some(last) = except.checked_sub(1) {
        close_range(0, last);
    }
    close_range(except + 1, u32::MAX);
}

/// Puts an open descriptor under another number, which programs that this process starts inherit.
pub(crate) fn place(descriptor: BorrowedFd<'_>, number: i32) -> io::Result<()> {
    // SAFETY: the first descriptor is open. Nobody in a copy of a process owns the one that is replaced.
    done(unsafe { libc::dup2(descriptor.as_raw_fd(), number) }).map(drop)
}
