//! The tracer: it stops a process and all that it starts at each system call, by ptrace(2), and counts the call.
//!
//! Each thread and each process that a traced one starts is traced from its first instruction. The tracer stops a thread for a
//! moment only, and passes on every other stop as it came. If the tracer ends, the kernel ends what it traces. Nothing here
//! allocates, since a tracer may be the copy of a process with many threads.

#![expect(unsafe_code, reason = "system calls that no lighter library offers")]

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::{Counts, QUESTION, SLOTS};
use crate::os::kernel::{Reaped, done};

// The names of ptrace(2). Not every C library for which this is built has all of them.
const PTRACE_POKEDATA: u32 = 5;
const PTRACE_CONT: u32 = 7;
const PTRACE_SYSCALL: u32 = 24;
const PTRACE_SEIZE: u32 = 0x4206;
const PTRACE_LISTEN: u32 = 0x4208;
const PTRACE_GET_SYSCALL_INFO: u32 = 0x420e;
const PTRACE_O_TRACESYSGOOD: usize = 1;
const PTRACE_O_TRACEFORK: usize = 1 << 1;
const PTRACE_O_TRACEVFORK: usize = 1 << 2;
const PTRACE_O_TRACECLONE: usize = 1 << 3;
const PTRACE_O_TRACEEXEC: usize = 1 << 4;
const PTRACE_O_EXITKILL: usize = 1 << 20;
const PTRACE_EVENT_EXEC: i32 = 4;
const PTRACE_EVENT_STOP: i32 = 128;
const PTRACE_SYSCALL_INFO_ENTRY: u8 = 1;

/// The signal of a stop at a system call, which no other stop has.
const AT_CALL: i32 = libc::SIGTRAP | 0x80;
/// The most stops that are handled before the caller may look at something else.
const AT_ONCE: usize = 64;
/// The number of this architecture in the kernel's description of a call (`AUDIT_ARCH_*`). It is 0 where it is not
/// known here, and then all calls are taken for calls of this architecture.
const NATIVE: u32 = if cfg!(target_arch = "x86_64") {
    0xc000_003e
} else if cfg!(target_arch = "aarch64") {
    0xc000_00b7
} else {
    0
};

/// The kernel's description of a stop at a system call: the beginning of `struct ptrace_syscall_info`.
#[repr(C)]
#[derive(Clone, Copy)]
struct Call {
    op: u8,
    _padding: [u8; 3],
    arch: u32,
    _pointers: [u64; 2],
    number: u64,
    arguments: [u64; 6],
}

/// A tracer of one process and of all that it starts.
pub(crate) struct Tracer {
    root: libc::pid_t,
    /// The counts so far.
    pub(crate) counts: Counts,
    /// Whether the root has loaded its program. Its calls are counted from then on.
    is_loaded: bool,
}

/// The progress of a tracer.
pub(crate) enum Progress {
    /// No thread is stopped. `SIGCHLD` comes when one is.
    Idle,
    /// More threads may be stopped.
    Busy,
    /// The root has ended in this way.
    Ended(Reaped),
}

impl Tracer {
    /// Traces a child of this process, which goes on as before until it loads a program.
    ///
    /// # Errors
    /// If the system does not let this process trace another one.
    pub(crate) fn seize(root: u32) -> io::Result<Tracer> {
        let root = libc::pid_t::try_from(root).map_err(|_| io::ErrorKind::NotFound)?;
        let options = PTRACE_O_TRACESYSGOOD
            | PTRACE_O_TRACEFORK
            | PTRACE_O_TRACEVFORK
            | PTRACE_O_TRACECLONE
            | PTRACE_O_TRACEEXEC
            | PTRACE_O_EXITKILL;
        trace(PTRACE_SEIZE, root, 0, options)?;
        Ok(Tracer { root, counts: Counts::NONE, is_loaded: false })
    }

    /// Handles some of the stopped threads, and lets them go on.
    ///
    /// # Errors
    /// If the system does not say at which call a thread is stopped.
    pub(crate) fn go_on(&mut self) -> io::Result<Progress> {
        for _ in 0..AT_ONCE {
            let Some((pid, reaped)) = next_change()? else { return Ok(Progress::Idle) };
            if libc::WIFSTOPPED(reaped.status) {
                self.handle(pid, reaped.status)?;
            } else if pid == self.root {
                return Ok(Progress::Ended(reaped));
            }
        }
        Ok(Progress::Busy)
    }

    fn handle(&mut self, pid: libc::pid_t, status: libc::c_int) -> io::Result<()> {
        let (signal, event) = (libc::WSTOPSIG(status), status >> 16);
        // Nothing is counted before the program is loaded.
        let go_on = |tracer: &Tracer| if tracer.is_loaded { PTRACE_SYSCALL } else { PTRACE_CONT };
        let (request, passed_on) = match (event, signal) {
            (0, AT_CALL) => {
                self.count(pid)?;
                (PTRACE_SYSCALL, 0)
            }
            // A signal for the process, which it gets now.
            (0, signal) => (go_on(self), signal),
            // The whole process was stopped by a signal, and stays so until another one lets it go on.
            (PTRACE_EVENT_STOP, libc::SIGSTOP | libc::SIGTSTP | libc::SIGTTIN | libc::SIGTTOU) => {
                (PTRACE_LISTEN, 0)
            }
            (PTRACE_EVENT_EXEC, _) => {
                if pid == self.root && !self.is_loaded {
                    // The call that loads the program was made before the stops at calls began.
                    self.is_loaded = true;
                    *self.counts.slot(libc::SYS_execve as u64) += 1;
                }
                (PTRACE_SYSCALL, 0)
            }
            _ => (go_on(self), 0),
        };
        // The thread may have been killed in the meantime.
        let _ = trace(request, pid, 0, passed_on.cast_unsigned() as usize);
        Ok(())
    }

    /// Counts the call that a thread is about to make, and answers the one that asks for the counts.
    fn count(&mut self, pid: libc::pid_t) -> io::Result<()> {
        let mut call = MaybeUninit::<Call>::zeroed();
        let described =
            trace(PTRACE_GET_SYSCALL_INFO, pid, size_of::<Call>(), call.as_mut_ptr() as usize);
        match described {
            Ok(()) => {}
            Err(e) if e.raw_os_error() == Some(libc::ESRCH) => return Ok(()),
            Err(e) => return Err(e),
        }
        // SAFETY: the kernel has filled as many bytes as it knows, and the others are zeros, which are valid.
        let call = unsafe { call.assume_init() };
        if call.op != PTRACE_SYSCALL_INFO_ENTRY {
            return Ok(());
        }
        let is_native = NATIVE == 0 || call.arch == NATIVE;
        let [option, place, room, ..] = call.arguments;
        let asks = u64::try_from(libc::SYS_prctl) == Ok(call.number)
            && option & u64::from(u32::MAX) == u64::from(QUESTION)
            && room == SLOTS as u64;
        if is_native && asks {
            self.answer(pid, place as usize);
        } else {
            *self.counts.slot(if is_native { call.number } else { u64::MAX }) += 1;
        }
        Ok(())
    }

    /// Writes the counts into the memory of a process. The first word shows that there is an answer. So it is written last, and
    /// only if all other words could be written.
    fn answer(&self, pid: libc::pid_t, place: usize) {
        const WORD: usize = size_of::<libc::c_long>();
        let (mut first, mut word) = (0, [0; WORD]);
        for (at, byte) in self.counts.numbers().flat_map(u64::to_ne_bytes).enumerate() {
            word[at % WORD] = byte;
            if at % WORD < WORD - 1 {
                continue;
            }
            let (begin, number) = (at - at % WORD, usize::from_ne_bytes(word));
            if begin == 0 {
                first = number;
            } else if trace(PTRACE_POKEDATA, pid, place + begin, number).is_err() {
                return;
            }
        }
        let _ = trace(PTRACE_POKEDATA, pid, place, first);
    }
}

/// Returns a descriptor that is readable when something that this process traces has stopped or ended. Signals have to be
/// blocked.
pub(crate) fn stops() -> io::Result<OwnedFd> {
    // SAFETY: the set is plain bits, which are filled before they are read; nobody else owns the new descriptor.
    unsafe {
        let mut set = MaybeUninit::<libc::sigset_t>::zeroed();
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), libc::SIGCHLD);
        let fd = libc::signalfd(-1, set.as_ptr(), libc::SFD_CLOEXEC | libc::SFD_NONBLOCK);
        Ok(OwnedFd::from_raw_fd(done(fd)?))
    }
}

/// Reads the content of a descriptor that never makes its reader wait.
pub(crate) fn drain(descriptor: BorrowedFd<'_>) {
    let mut content = [0_u8; 512];
    // SAFETY: the pointer is to as many writable bytes as are given.
    unsafe { libc::read(descriptor.as_raw_fd(), content.as_mut_ptr().cast(), content.len()) };
}

/// Returns a process or thread that has stopped or ended, and how; `None` if none has.
fn next_change() -> io::Result<Option<(libc::pid_t, Reaped)>> {
    let mut status = 0;
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: both pointers are to live, writable memory of the right types; `rusage` is plain numbers, for which zeros are
    // valid.
    let (pid, usage) = unsafe {
        let options = libc::WNOHANG | libc::__WALL;
        (libc::wait4(-1, &raw mut status, options, usage.as_mut_ptr()), usage.assume_init())
    };
    Ok((done(pid)? > 0).then_some((pid, Reaped { status, usage })))
}

/// Returns a process or a traced thread that has ended and that nobody has reaped; `None` if there is none.
///
/// # Errors
/// `NotFound` if there is nothing to wait for.
pub(crate) fn ended() -> io::Result<Option<u32>> {
    // SAFETY: the pointer is to live, writable memory of the right type, for which zeros are valid. The number of the process
    // is read from what the kernel has filled, or from the zeros.
    let (done, pid) = unsafe {
        let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
        let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT | libc::__WALL;
        let done = done(libc::waitid(libc::P_ALL, 0, info.as_mut_ptr(), options));
        (done, info.assume_init().si_pid())
    };
    match done {
        Ok(_) => Ok((pid > 0).then_some(pid.cast_unsigned())),
        Err(e) if e.raw_os_error() == Some(libc::ECHILD) => Err(io::ErrorKind::NotFound.into()),
        Err(e) => Err(e),
    }
}

fn trace(request: u32, pid: libc::pid_t, address: usize, data: usize) -> io::Result<()> {
    // SAFETY: only one request of those that are made here changes the memory of this process: the one that asks which call
    // it is. Its pointer is to as many writable bytes as it states.
    let returned = unsafe { libc::ptrace(request as _, pid, address, data) };
    if returned < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
