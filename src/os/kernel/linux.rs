//! The system calls that only Linux has, each behind a safe function.

use std::ffi::{CStr, OsStr};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::{done, id};

/// Opens a file for reading, without the allocation that the standard library may need for its path.
pub(crate) fn open(path: &CStr) -> io::Result<File> {
    // SAFETY: the path ends in a zero, and nobody else owns the new descriptor.
    unsafe {
        let fd = done(libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC))?;
        Ok(File::from(OwnedFd::from_raw_fd(fd)))
    }
}

/// Returns the clock that counts the processor time of another process, with all its threads.
pub(crate) fn processor_clock(pid: u32) -> Option<libc::clockid_t> {
    let pid = id(pid).ok()?;
    let mut clock = 0;
    // SAFETY: the pointer is to live, writable memory of the right type.
    let found = unsafe { libc::clock_getcpuclockid(pid, &raw mut clock) == 0 };
    found.then_some(clock)
}

/// Returns the name and the version of the C library.
pub(crate) fn c_library() -> String {
    #[cfg(target_env = "gnu")]
    // SAFETY: the text lives as long as the process, and ends in a zero.
    let library = {
        let version = unsafe { CStr::from_ptr(libc::gnu_get_libc_version()) };
        format!("glibc {}", version.to_string_lossy())
    };
    #[cfg(not(target_env = "gnu"))]
    let library = if cfg!(target_env = "musl") { "musl" } else { "another C library" }.to_owned();
    library
}

/// Returns the size of a page of memory, in bytes.
pub(crate) fn page_size() -> usize {
    // SAFETY: the call only takes a number. Linux never fails to report this.
    unsafe { libc::sysconf(libc::_SC_PAGESIZE) }.cast_unsigned() as usize
}

/// Returns how many units of the processor times in `/proc` make a second.
pub(crate) fn ticks_per_second() -> u64 {
    // SAFETY: the call only takes a number. Linux never fails to report this.
    unsafe { libc::sysconf(libc::_SC_CLK_TCK) }.cast_unsigned()
}

/// A set of processors that a thread may run on.
#[derive(Clone, Copy)]
pub(crate) struct Processors(libc::cpu_set_t);

impl Processors {
    /// Returns the set of this thread.
    pub(crate) fn of_this_thread() -> io::Result<Self> {
        let mut set = std::mem::MaybeUninit::<libc::cpu_set_t>::zeroed();
        let bytes = size_of::<libc::cpu_set_t>();
        // SAFETY: the pointer is to as many writable bytes as are given; the set is plain bits, for which zeros are
        // valid.
        unsafe {
            done(libc::sched_getaffinity(0, bytes, set.as_mut_ptr()))?;
            Ok(Processors(set.assume_init()))
        }
    }

    /// Returns a set of one processor; `None` if a set cannot contain this number.
    pub(crate) fn single(number: usize) -> Option<Self> {
        // SAFETY: the set is plain bits, for which zeros are valid.
        let mut set = unsafe { std::mem::zeroed() };
        // SAFETY: the number is within the set.
        (number < MAX_PROCESSORS).then(|| unsafe { libc::CPU_SET(number, &mut set) })?;
        Some(Processors(set))
    }

    /// Returns a set of the first processors of this thread.
    ///
    /// # Errors
    /// If it has fewer.
    pub(crate) fn first(count: usize) -> io::Result<Self> {
        let all = Self::of_this_thread()?.numbers();
        let Some(first) = all.get(..count) else {
            return Err(io::Error::other(format!(
                "only {} processors may be used here",
                all.len()
            )));
        };
        // SAFETY: the set is plain bits, for which zeros are valid; the numbers are from such a set.
        let set = unsafe {
            let mut set = std::mem::zeroed();
            for &number in first {
                libc::CPU_SET(number, &mut set);
            }
            set
        };
        Ok(Processors(set))
    }

    /// Returns the numbers of the processors.
    pub(crate) fn numbers(&self) -> Vec<usize> {
        // SAFETY: the numbers are within the set.
        (0..MAX_PROCESSORS).filter(|&number| unsafe { libc::CPU_ISSET(number, &self.0) }).collect()
    }

    /// Lets this thread, and what it starts from now on, run on these processors only.
    pub(crate) fn keep_this_thread(&self) -> io::Result<()> {
        let bytes = size_of::<libc::cpu_set_t>();
        // SAFETY: the pointer is to as many bytes as are given.
        done(unsafe { libc::sched_setaffinity(0, bytes, &raw const self.0) }).map(drop)
    }
}

impl std::fmt::Debug for Processors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.numbers()).finish()
    }
}

/// The number of processors that a set has room for.
pub(crate) const MAX_PROCESSORS: usize = libc::CPU_SETSIZE as usize;

/// Returns the user that this process acts as.
pub(crate) fn user() -> u32 {
    // SAFETY: the call takes nothing and cannot fail.
    unsafe { libc::geteuid() }
}

/// Whether this user may write a file.
pub(crate) fn may_write(path: &CStr) -> bool {
    // SAFETY: the path ends in a zero.
    unsafe { libc::access(path.as_ptr(), libc::W_OK) == 0 }
}

/// Reads entries of an open directory, in the form of getdents64(2); returns the number of bytes.
pub(crate) fn entries(directory: &File, into: &mut [u8]) -> io::Result<usize> {
    let (fd, at, length) = (directory.as_raw_fd(), into.as_mut_ptr(), into.len());
    // SAFETY: the pointer is to as many writable bytes as are given.
    let written = unsafe { libc::syscall(libc::SYS_getdents64, fd, at, length) };
    done(written as libc::c_int).map(|written| written as usize)
}

/// Returns the process that made the pair of sockets to which this socket belongs.
pub(crate) fn maker_of(socket: BorrowedFd<'_>) -> io::Result<u32> {
    let mut made = libc::ucred { pid: 0, uid: 0, gid: 0 };
    let mut length = size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: the pointers are to live, writable memory, of which as many bytes are filled as are given.
    done(unsafe {
        let (level, option) = (libc::SOL_SOCKET, libc::SO_PEERCRED);
        let made = (&raw mut made).cast();
        libc::getsockopt(socket.as_raw_fd(), level, option, made, &raw mut length)
    })?;
    u32::try_from(made.pid).map_err(io::Error::other)
}

/// Duplicates the descriptor with this number, if it is open.
pub(crate) fn duplicate(fd: i32) -> io::Result<OwnedFd> {
    // SAFETY: the call only takes numbers, and nobody else owns the descriptor that it returns.
    unsafe { Ok(OwnedFd::from_raw_fd(done(libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 3))?)) }
}

/// Sets whether programs that this process starts inherit this descriptor.
pub(crate) fn inherit(fd: i32, inherited: bool) -> io::Result<()> {
    let flag = if inherited { 0 } else { libc::FD_CLOEXEC };
    // SAFETY: the call only takes numbers.
    done(unsafe { libc::fcntl(fd, libc::F_SETFD, flag) }).map(drop)
}

/// Removes a variable from this process's environment, unless another thread may be reading the environment. In that
/// case the variable stays, but no process that inherits it is accepted because of it.
pub(crate) fn forget_variable(name: &str) {
    replace_variable(name, None);
}

/// Gives a variable of this process's environment another value, or removes it, under the same condition.
pub(crate) fn replace_variable(name: &str, value: Option<&OsStr>) {
    if crate::os::threads::is_only_thread() {
        // SAFETY: this is the only thread.
        unsafe {
            match value {
                Some(value) => std::env::set_var(name, value),
                None => std::env::remove_var(name),
            }
        }
    }
}

/// Fills `pages`, which has one byte for each page of the file's first `length` bytes; the lowest bit is set if the
/// page is in memory.
pub(crate) fn mincore(file: &File, length: usize, pages: &mut [u8]) -> io::Result<()> {
    assert!(pages.len() >= length.div_ceil(page_size()));
    // SAFETY: the mapping is new, at an address that the kernel chooses, is never read or written, and is unmapped
    // before anyone else knows of it; `pages` has a byte for each of its pages.
    unsafe {
        let (none, fd) = (std::ptr::null_mut(), file.as_raw_fd());
        let at = libc::mmap(none, length, libc::PROT_READ, libc::MAP_SHARED, fd, 0);
        if at == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let counted = match libc::mincore(at, length, pages.as_mut_ptr()) {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        };
        libc::munmap(at, length);
        counted
    }
}

/// Drops the pages of a file from the page cache, except those that are dirty or mapped.
pub(crate) fn drop_cached(file: &File) -> io::Result<()> {
    // SAFETY: the descriptor is open, and advice changes no content.
    match unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) } {
        0 => Ok(()),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}

/// Limits the memory of its own that this process, and every process that it starts, may have: its heap, and what it maps
/// privately to write on.
///
/// # Errors
/// If the limit is refused. It is `ENOSYS` if the system accepts the limit but does not set it, as emulators of programs do.
pub(crate) fn limit_memory(bytes: u64) -> io::Result<()> {
    let limit = libc::rlimit { rlim_cur: bytes, rlim_max: bytes };
    // SAFETY: the pointer is to a live limit.
    done(unsafe { libc::setrlimit(libc::RLIMIT_DATA, &raw const limit) })?;
    let mut actual = limit;
    // SAFETY: the pointer is to a live, writable limit.
    done(unsafe { libc::getrlimit(libc::RLIMIT_DATA, &raw mut actual) })?;
    let is_kept = actual.rlim_cur == limit.rlim_cur;
    if is_kept { Ok(()) } else { Err(io::Error::from_raw_os_error(libc::ENOSYS)) }
}

/// Maps this many pages, writes to each, and unmaps them, so that each is a page fault.
pub(crate) fn touch_fresh_pages(pages: usize) -> io::Result<()> {
    if pages == 0 {
        return Ok(());
    }
    let page = page_size();
    let bytes = pages.checked_mul(page).ok_or(io::ErrorKind::InvalidInput)?;
    let (access, kind) =
        (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: the mapping is new, as long as is written to, and not used once it is unmapped.
    unsafe {
        let start = libc::mmap(std::ptr::null_mut(), bytes, access, kind, -1, 0);
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        // A huge page would be one fault for hundreds of pages. A kernel that has none refuses, which is as good.
        libc::madvise(start, bytes, libc::MADV_NOHUGEPAGE);
        for at in (0..bytes).step_by(page) {
            start.cast::<u8>().add(at).write_volatile(1);
        }
        done(libc::munmap(start, bytes)).map(drop)
    }
}
