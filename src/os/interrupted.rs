//! What a signal handler can learn of the thread that it interrupts, and of the other threads of the process.
//!
//! All of this takes no lock and allocates nothing.

#![expect(unsafe_code, reason = "a signal handler that asks the system about threads and memory")]

use std::io::Write as _;
use std::sync::atomic::AtomicU64;

/// The most threads of which one is chosen.
const THREADS: usize = 128;
/// The room for the list of threads, in numbers of eight bytes.
const LIST: usize = 1024;
/// The size of the smallest page of memory.
const PAGE: usize = 4096;
/// The most pieces in which memory is copied.
const PIECES: usize = 16;

/// The room for the list of threads. The handler of one thread alone uses it.
static ROOM: [AtomicU64; LIST] = [const { AtomicU64::new(0) }; LIST];

/// The registers of a thread that was interrupted.
pub(super) struct Registers {
    pub(super) instruction: u64,
    pub(super) stack: u64,
    pub(super) frame: u64,
    pub(super) link: u64,
    /// The register in which the system returns the result of a call.
    result: i64,
}

impl Registers {
    #[cfg(target_arch = "x86_64")]
    pub(super) fn of(context: &libc::ucontext_t) -> Registers {
        let value = |register: libc::c_int| context.uc_mcontext.gregs[register as usize];
        Registers {
            instruction: value(libc::REG_RIP).cast_unsigned(),
            stack: value(libc::REG_RSP).cast_unsigned(),
            frame: value(libc::REG_RBP).cast_unsigned(),
            link: 0,
            result: value(libc::REG_RAX),
        }
    }

    #[cfg(target_arch = "aarch64")]
    pub(super) fn of(context: &libc::ucontext_t) -> Registers {
        let machine = &context.uc_mcontext;
        Registers {
            instruction: machine.pc,
            stack: machine.sp,
            frame: machine.regs[29],
            link: machine.regs[30],
            result: machine.regs[0].cast_signed(),
        }
    }

    /// Whether the signal ended a wait: a call of the system that begins anew, or that says it was interrupted.
    pub(super) fn waits(&self) -> bool {
        #[cfg(target_arch = "x86_64")]
        const CALL: &[u8] = &[0x0f, 0x05];
        #[cfg(target_arch = "aarch64")]
        const CALL: &[u8] = &[0x01, 0x00, 0x00, 0xd4];
        let is_call = |address: u64| {
            let mut code = [0; CALL.len()];
            // SAFETY: the array has room for its own length.
            let copied = unsafe { copy(address as usize, code.as_mut_ptr(), CALL.len()) };
            copied == CALL.len() && code == CALL
        };
        let was_interrupted = self.result == -i64::from(libc::EINTR);
        is_call(self.instruction)
            || was_interrupted && is_call(self.instruction.wrapping_sub(CALL.len() as u64))
    }
}

/// Copies memory of this process that need not be there, and returns how many bytes were there from its beginning.
///
/// # Safety
/// There is room for `length` bytes at `to`.
pub(super) unsafe fn copy(from: usize, to: *mut u8, length: usize) -> usize {
    let Some(last) = from.checked_add(length) else { return 0 };
    let none = libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 };
    let (mut pieces, mut count, mut at) = ([none; PIECES], 0, from);
    // The system copies each piece as a whole or not at all, so each is within one page.
    while at < last && count < PIECES {
        let end = (at | (PAGE - 1)).saturating_add(1).min(last);
        pieces[count] = libc::iovec { iov_base: at as *mut libc::c_void, iov_len: end - at };
        (at, count) = (end, count + 1);
    }
    let place = libc::iovec { iov_base: to.cast(), iov_len: at - from };
    // SAFETY: the system writes at most as much as the place has room for, and refuses to read what is not there.
    let copied = unsafe {
        libc::process_vm_readv(
            libc::getpid(),
            &raw const place,
            1,
            pieces.as_ptr(),
            count as libc::c_ulong,
            0,
        )
    };
    usize::try_from(copied).unwrap_or(0)
}

/// Returns the calling thread.
pub(super) fn this_thread() -> libc::pid_t {
    // SAFETY: the call has no arguments and cannot fail.
    unsafe { libc::syscall(libc::SYS_gettid) as libc::pid_t }
}

/// Interrupts a thread of this process by a signal.
pub(super) fn interrupt(thread: libc::pid_t, signal: libc::c_int) {
    // SAFETY: a thread that has ended meanwhile is an error, and nothing else is interrupted.
    unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), thread, signal) };
}

/// Returns one of the other threads of this process that run, or wait for nothing but a processor. `random` decides which. `None` if
/// there is none, or the system does not say.
pub(super) fn other_thread_that_runs(random: u64) -> Option<libc::pid_t> {
    let own = this_thread();
    let mut threads = [0; THREADS];
    let count = list(&mut threads).max(1);
    let first = (random % count as u64) as usize;
    let (before, from) = threads[..count].split_at(first);
    from.iter().chain(before).copied().find(|&thread| thread > 0 && thread != own && runs(thread))
}

/// Writes the threads of this process into `threads`, and returns how many there are.
fn list(threads: &mut [libc::pid_t; THREADS]) -> usize {
    // SAFETY: the path ends with 0, the room is as large as is said, and only the thread that is sampled calls this.
    let bytes = unsafe {
        let how = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC;
        let file = libc::open(c"/proc/self/task".as_ptr(), how);
        if file < 0 {
            return 0;
        }
        let room = ROOM.as_ptr().cast_mut().cast::<u8>();
        let read = libc::syscall(libc::SYS_getdents64, file, room, LIST * 8);
        libc::close(file);
        std::slice::from_raw_parts(room, usize::try_from(read).unwrap_or(0))
    };
    let (mut rest, mut count) = (bytes, 0);
    // An entry has two numbers of eight bytes, its length in two bytes, its kind in one, and its name, which ends with 0.
    while count < THREADS
        && let Some(length) = rest.get(16..18)
    {
        let length = usize::from(u16::from_ne_bytes([length[0], length[1]]));
        let Some((entry, others)) = rest.split_at_checked(length.max(19)) else { break };
        let name = entry[19..].split(|&byte| byte == 0).next().unwrap_or_default();
        if let Some(thread) = std::str::from_utf8(name).ok().and_then(|name| name.parse().ok()) {
            threads[count] = thread;
            count += 1;
        }
        rest = others;
    }
    count
}

/// Whether a thread of this process runs, or waits for nothing but a processor.
fn runs(thread: libc::pid_t) -> bool {
    let mut path = [0_u8; 64];
    if write!(&mut path[..], "/proc/self/task/{thread}/stat\0").is_err() {
        return false;
    }
    let mut text = [0_u8; 128];
    // SAFETY: the path ends with 0, and the array has room for its own length.
    let read = unsafe {
        let file = libc::open(path.as_ptr().cast(), libc::O_RDONLY | libc::O_CLOEXEC);
        if file < 0 {
            return false;
        }
        let read = libc::read(file, text.as_mut_ptr().cast(), text.len());
        libc::close(file);
        usize::try_from(read).unwrap_or(0)
    };
    // The state follows the name, which is in brackets and may contain some.
    let name_ends = text[..read].iter().rposition(|&byte| byte == b')');
    name_ends.and_then(|at| text.get(at + 2)) == Some(&b'R')
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn memory_that_is_not_there_is_not_copied() {
        // An emulator does not have the call by which a process reads its own memory.
        if crate::os::emulator::emulator().is_some() {
            return;
        }
        let from: Vec<u8> = (0..20_000_u32).map(|n| n as u8).collect();
        let mut to = vec![0; from.len()];
        // SAFETY: there is room for as many bytes.
        let copied = unsafe { copy(from.as_ptr() as usize, to.as_mut_ptr(), from.len()) };
        assert!(copied == from.len() && to == from, "{copied} bytes");
        // SAFETY: as above.
        assert_eq!(unsafe { copy(8, to.as_mut_ptr(), 8) }, 0);
    }

    #[test]
    fn a_thread_that_waits_does_not_run() {
        let (send, receive) = mpsc::channel();
        let (told, wait) = mpsc::channel::<()>();
        let waiting = std::thread::spawn(move || {
            send.send(this_thread()).unwrap();
            let _ = wait.recv();
        });
        let thread = receive.recv().unwrap();
        // It waits as soon as it gets there.
        while runs(thread) {
            std::thread::yield_now();
        }
        assert!(runs(this_thread()) && !runs(i32::MAX));
        let mut threads = [0; THREADS];
        let count = list(&mut threads);
        assert!(threads[..count].contains(&thread) && threads[..count].contains(&this_thread()));
        drop(told);
        waiting.join().unwrap();
    }
}
