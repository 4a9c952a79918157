//! The system calls that macOS alone has, or has in a form of its own, each behind a safe function: what other processes use and
//! have started (libproc), and the end of a child, which is looked at before the child is reaped.
//!
//! They were read against Apple's manuals of wait4(2), waitid(2) and getrusage(2), its `libproc.h`, and the sources of libproc and
//! of the kernel that Apple publishes (`apple-oss-distributions/xnu`).

#![expect(unsafe_code, reason = "system calls that no lighter library offers")]

use std::io;
use std::mem::{MaybeUninit, size_of};
use std::ptr::null_mut;

use super::kernel::done;

/// What a process holds and has used, as libproc tells it of a process of the same user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Resources {
    /// The user and system time of the process and of the children that it waited for, in the units of the processor's clock, of
    /// which [`units_per_second`] tells the length.
    pub(crate) cpu: u64,
    /// The resident size, in bytes; of a process that has ended, that at its end.
    pub(crate) resident: u64,
    /// Whether the process has waited for children of its own.
    pub(crate) had_children: bool,
}

/// A signal that no process can ignore.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Signal {
    Stop,
    Kill,
}

/// Returns what a process uses; also that of a child that has ended and is not reaped. Returns `None` if there is no such process,
/// or if it is another user's.
pub(crate) fn resources(process: u32) -> Option<Resources> {
    let mut info = MaybeUninit::<libc::rusage_info_v2>::zeroed();
    let id = id(process).ok()?;
    // SAFETY: the pointer is to writable memory of the type that the flavour names, which is plain numbers, for which zeros are
    // valid. The call takes the pointer in the form of a pointer to one, and writes to the memory itself.
    let info = unsafe {
        let to = info.as_mut_ptr().cast::<libc::rusage_info_t>();
        (libc::proc_pid_rusage(id, libc::RUSAGE_INFO_V2, to) == 0).then(|| info.assume_init())?
    };
    let times = [
        info.ri_user_time,
        info.ri_system_time,
        info.ri_child_user_time,
        info.ri_child_system_time,
    ];
    Some(Resources {
        cpu: times.into_iter().fold(0, u64::saturating_add),
        resident: info.ri_resident_size,
        // The time that they lived, which is longer than nothing for each of them.
        had_children: info.ri_child_elapsed_abstime > 0,
    })
}

/// Returns how many of the units in which [`resources`] counts a second has; `None` if the system does not tell.
///
/// It is the rate of the processor's own clock: 24 MHz on Apple's processors, 1 GHz on Intel's. `mach_timebase_info` has the same,
/// except in Rosetta, where it is that of an Intel processor, while libproc counts as the real one does.
pub(crate) fn units_per_second() -> Option<u64> {
    let mut rate = 0_u64;
    let mut size = size_of::<u64>();
    // SAFETY: the name ends with a zero, and both pointers are to live, writable values, the second of which is the size of the
    // first. A null pointer to a new value changes nothing.
    let read = unsafe {
        let rate = (&raw mut rate).cast();
        libc::sysctlbyname(c"hw.tbfrequency".as_ptr(), rate, &raw mut size, null_mut(), 0) == 0
    };
    (read && size == size_of::<u64>() && rate > 0).then_some(rate)
}

/// Returns the living processes whose parent is this one. A process that does not live has none.
pub(crate) fn children(process: u32) -> io::Result<Vec<u32>> {
    let parent = id(process)?;
    // SAFETY: the memory is as large as is said.
    listed(|to, bytes| unsafe { libc::proc_listchildpids(parent, to, bytes) })
}

/// Returns the living members of a group. A group that does not exist has none.
pub(crate) fn group(leader: u32) -> io::Result<Vec<u32>> {
    let group = id(leader)?;
    // SAFETY: the memory is as large as is said.
    listed(|to, bytes| unsafe { libc::proc_listpgrppids(group, to, bytes) })
}

/// Returns the numbers that a call of libproc writes to memory of this size in bytes. The call returns how many there are, and is
/// made again with more memory where they fill it.
fn listed(call: impl Fn(*mut libc::c_void, libc::c_int) -> libc::c_int) -> io::Result<Vec<u32>> {
    let mut room = 64;
    loop {
        let mut ids = vec![0 as libc::pid_t; room];
        let bytes = libc::c_int::try_from(room * size_of::<libc::pid_t>());
        let bytes = bytes.map_err(|_| io::Error::other("there are too many processes"))?;
        // libproc returns 0 for a failure too, and then only the error number tells the two apart.
        // SAFETY: the pointer is to this thread's own error number.
        unsafe { *libc::__error() = 0 };
        let number = done(call(ids.as_mut_ptr().cast(), bytes))? as usize;
        let error = io::Error::last_os_error();
        if number == 0 && error.raw_os_error() != Some(0) {
            return Err(error);
        }
        if number < room {
            ids.truncate(number);
            return Ok(ids.into_iter().filter_map(|id| u32::try_from(id).ok()).collect());
        }
        room *= 4;
    }
}

/// Whether a process exists and has not ended.
pub(crate) fn is_living(process: u32) -> bool {
    let Ok(id) = id(process) else { return false };
    let mut info = MaybeUninit::<libc::proc_bsdinfo>::zeroed();
    let size = size_of::<libc::proc_bsdinfo>() as libc::c_int;
    // SAFETY: the pointer is to writable memory of the type and size that the flavour has. Without an argument, processes that have
    // ended are not found.
    let written = unsafe {
        libc::proc_pidinfo(id, libc::PROC_PIDTBSDINFO, 0, info.as_mut_ptr().cast(), size)
    };
    // A process of another user is not shown, and lives.
    written == size || io::Error::last_os_error().raw_os_error() == Some(libc::EPERM)
}

/// Sends a signal to one process.
pub(crate) fn send(process: u32, signal: Signal) -> io::Result<()> {
    let signal = match signal {
        Signal::Stop => libc::SIGSTOP,
        Signal::Kill => libc::SIGKILL,
    };
    let id = id(process)?;
    // SAFETY: the call only takes numbers.
    done(unsafe { libc::kill(id, signal) }).map(drop)
}

/// Whether a child has ended. It is not reaped.
pub(crate) fn has_ended(child: u32) -> io::Result<bool> {
    look(child, libc::WNOHANG)
}

/// Waits until a child has ended. It is not reaped.
pub(crate) fn wait_until_ended(child: u32) -> io::Result<()> {
    loop {
        match look(child, 0) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            looked => return looked.map(drop),
        }
    }
}

fn look(child: u32, options: libc::c_int) -> io::Result<bool> {
    let id = id(child)?.cast_unsigned();
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    // SAFETY: the pointer is to writable memory of the right type, for which zeros are valid.
    let info = unsafe {
        let options = libc::WEXITED | libc::WNOWAIT | options;
        done(libc::waitid(libc::P_PID, id, info.as_mut_ptr(), options))?;
        info.assume_init()
    };
    // The kernel writes nothing if the child lives.
    Ok(info.si_pid != 0)
}

/// Reaps a child, and returns its status and what it and the children that it waited for have used. `ru_maxrss` is in bytes.
pub(crate) fn reap(child: u32) -> io::Result<(libc::c_int, libc::rusage)> {
    let id = id(child)?;
    let mut status = 0;
    let mut used = MaybeUninit::<libc::rusage>::zeroed();
    loop {
        // SAFETY: both pointers are to writable memory of the right types; `rusage` is plain numbers, for which zeros are valid.
        let reaped = done(unsafe { libc::wait4(id, &raw mut status, 0, used.as_mut_ptr()) });
        match reaped {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // SAFETY: as above.
            reaped => return reaped.map(|_| (status, unsafe { used.assume_init() })),
        }
    }
}

/// Checks an id: 0 and negative numbers would stand for groups, this process's own among them.
fn id(process: u32) -> io::Result<libc::pid_t> {
    let id = libc::pid_t::try_from(process).ok().filter(|id| *id > 0);
    id.ok_or(io::ErrorKind::NotFound.into())
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::Duration;

    use super::*;

    #[test]
    fn this_process_is_shown_with_what_it_uses() {
        let own = resources(std::process::id()).unwrap();
        assert!(own.resident > 100_000 && own.cpu > 0, "{own:?}");
        // The clock of no processor that macOS runs on is slower or faster.
        assert!((1_000_000..=10_000_000_000).contains(&units_per_second().unwrap()));
        assert!(is_living(std::process::id()));
        assert_eq!(resources(0), None);
    }

    #[test]
    fn the_units_are_those_of_the_system_s_own_clock() {
        let units = || resources(std::process::id()).unwrap().cpu as f64;
        let clock = || super::super::kernel::clock(super::super::kernel::Clock::Process).unwrap();
        let (before, began) = (units(), clock());
        while clock() - began < Duration::from_millis(200) {}
        let seconds = (units() - before) / units_per_second().unwrap() as f64;
        let ratio = seconds / (clock() - began).as_secs_f64();
        // A wrong unit is wrong by a factor of 41.
        assert!((0.5..2.0).contains(&ratio), "{ratio}");
    }

    #[test]
    fn a_child_is_seen_until_it_is_reaped() {
        let child = Command::new("sh").args(["-c", "sleep 1000"]).spawn().unwrap().id();
        assert!(children(std::process::id()).unwrap().contains(&child));
        assert!(is_living(child) && !has_ended(child).unwrap());
        send(child, Signal::Stop).unwrap();
        assert!(!has_ended(child).unwrap());
        send(child, Signal::Kill).unwrap();
        wait_until_ended(child).unwrap();
        assert!(has_ended(child).unwrap() && !is_living(child));
        assert!(!resources(child).unwrap().had_children);
        let (status, used) = reap(child).unwrap();
        assert_eq!(libc::WTERMSIG(status), libc::SIGKILL);
        assert!(used.ru_maxrss > 100_000, "{}", used.ru_maxrss);
        assert!(reap(child).is_err());
    }

    #[test]
    fn a_child_that_waited_for_children_is_known_to() {
        let had_children = |script: &str| {
            let child = Command::new("sh").args(["-c", script]).spawn().unwrap().id();
            wait_until_ended(child).unwrap();
            let had = resources(child).unwrap().had_children;
            reap(child).unwrap();
            had
        };
        assert!(!had_children("exit 0"));
        assert!(had_children("/usr/bin/true; exit 0"));
    }
}
