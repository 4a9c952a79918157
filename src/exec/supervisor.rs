//! The supervisor: the process above a tree. It becomes the parent of the processes that its members leave behind, and
//! ends these before it ends itself.
//!
//! A descendant may leave its parent (by a double fork), its group and its session (`setsid`), clear its environment
//! and forbid others to inspect it. It cannot choose who becomes its parent when its own parent ends: that is the
//! nearest ancestor that has asked for it (`PR_SET_CHILD_SUBREAPER`). So each tree is below a process of ours that
//! starts nothing else. The supervisor acts when the root of the tree has ended, or when the harness has closed the
//! channel, deliberately or because it was killed. It kills its children and reaps them, and receives their children in
//! their place, until the kernel says that it has none. Then no descendant is left, and no other process was touched: a
//! child that was not reaped keeps its id, so that a kill never reaches a stranger.
//!
//! If the supervisor is killed, its parent adopts what is left in its place: see `guardian`. If the guardian is killed, the
//! supervisor ends the tree.
//!
//! A supervisor is a relay, or a copy of the harness that never loads a program. In a copy of a process with many
//! threads, nothing may allocate or take a lock: the code here makes system calls and reports in bytes.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::parent_id;
use std::time::{Duration, Instant};

use super::exit::Exit;
use super::traced::{self, Tracing};
use super::usage::{Counted, Usage};
use crate::os::calls::Counts;
use crate::os::kernel::Reaped;
use crate::os::traffic::{self, Traffic};
use crate::os::usage::Counts as Faults;
use crate::os::{kernel, moment, proc};

/// How long the supervisor tries to end what is left. A process in an uninterruptible call cannot be ended by anyone.
const PATIENCE: Duration = Duration::from_secs(5);

/// The error for a tree whose supervisor did not report.
pub(super) const KILLED: &str = "its supervisor was killed from outside, and so it was ended too";

/// The number of fields in [`Numbers`].
const NUMBERS: usize = 11;
/// The room for `/proc/PID/schedstat`, in bytes.
const WAITED: usize = 96;
/// The room for `/proc/PID/stat`, in bytes.
const STAT: usize = 640;
/// The size of a report, in bytes.
const SIZE: usize = NUMBERS * 8 + WAITED + STAT + traffic::FILE;

/// The numbers in the report of a supervisor, when nothing of its tree is left.
#[derive(Debug, Clone, Copy, Default)]
struct Numbers {
    /// 1 if the root could be reaped, and the rest is therefore known.
    reaped: u64,
    status: u64,
    cpu: u64,
    preempted: u64,
    max_rss: u64,
    ended_at: u64,
    strays: u64,
    /// 1 if some processes could not be ended.
    left: u64,
    errno: u64,
    faults: u64,
    major_faults: u64,
}

/// How a tree ended.
#[derive(Debug, Clone)]
pub(super) struct End {
    /// How the root ended.
    pub(super) exit: Exit,
    /// The resources that the root used.
    pub(super) usage: Option<Usage>,
    /// When the root ended.
    pub(super) at: Instant,
    /// The number of other processes that had to be ended.
    pub(super) strays: usize,
    /// Whether some processes could not be ended.
    pub(super) some_left: bool,
    /// How often each system call was made, or the error for which they could not be counted; `None` if nobody wanted it.
    pub(super) calls: Option<Result<Box<Counts>, i32>>,
}

/// Makes this process adopt the orphans of all that it starts from now on.
pub(super) fn begin() -> io::Result<()> {
    kernel::adopt_orphans()
}

/// Waits for the end of the child `root`; ends it if the other end of `channel` writes or closes, or if the guardian ends. Then
/// it ends what the root left behind, and reports. A tracing supervisor counts meanwhile, and adds the counts to the report.
///
/// `guardian` is the id of this process's parent from before the root was started: the root may have killed it by now.
pub(super) fn supervise(
    (root, guardian): (u32, u32),
    channel: &UnixStream,
    mut tracing: Option<&mut Tracing>,
    mut send: impl FnMut(&[u8]),
) {
    // The root of a traced tree is reaped by its tracer, which waits for everything. The resources that the root used are of
    // no interest, since the tracer stops it at every call.
    let traced = tracing.as_mut().map(|tracing| tracing.follow((root, guardian), channel));
    if traced.is_none() {
        wait_for_end(root, guardian, channel.as_fd());
    }
    let mut numbers = Numbers { ended_at: moment::monotonic(), ..Numbers::default() };
    let (mut waited, mut stat, mut io) = ([0; WAITED], [0; STAT], [0; traffic::FILE]);
    if traced.is_none() {
        read(root, "schedstat", &mut waited);
        read(root, "stat", &mut stat);
        read(root, "io", &mut io);
    }
    match traced.unwrap_or_else(|| kernel::reap(root)) {
        Ok(reaped) => numbers.take(&reaped),
        Err(e) => numbers.errno = u64::from(e.raw_os_error().unwrap_or(0).cast_unsigned()),
    }
    (numbers.strays, numbers.left) = end_descendants(tracing.is_some());
    let mut report = [0; SIZE];
    let mut to = &mut report[..];
    for number in numbers.in_order() {
        let _ = to.write_all(&number.to_le_bytes());
    }
    let _ = [&waited[..], &stat, &io].iter().try_for_each(|file| to.write_all(file));
    send(&report);
    if let Some(tracing) = tracing {
        send(&tracing.report());
    }
}

/// Waits for the end of the child `root`; ends it if the other end of `channel` writes or closes, or if the guardian ends.
fn wait_for_end(root: u32, guardian: u32, channel: BorrowedFd<'_>) {
    let pidfd = kernel::process_fd(root).ok();
    let guardian_id = guardian;
    let guardian = kernel::process_fd(guardian_id).ok();
    // Without the descriptors, the loop looks every millisecond whether one of the two has ended.
    let step = if pidfd.is_some() && guardian.is_some() {
        Duration::from_secs(3600)
    } else {
        Duration::from_millis(1)
    };
    loop {
        let [pidfd, guardian] = [&pidfd, &guardian].map(|fd| fd.as_ref().map(AsFd::as_fd));
        // Another parent means that the guardian had ended before its descriptor was opened.
        let events = if parent_id() == guardian_id {
            kernel::readable([Some(channel), pidfd, guardian], step)
        } else {
            Ok([false, kernel::has_ended(root), true])
        };
        let ended = match events {
            Ok([_, true, _]) => true,
            Ok([false, false, false]) => pidfd.is_none() && kernel::has_ended(root),
            Ok(_) | Err(_) => {
                let _ = kernel::kill_group(root);
                let _ = kernel::kill(root);
                let _ = kernel::wait_for_end(root);
                true
            }
        };
        if ended {
            break;
        }
    }
}

/// Ends all children until none is left. Returns how many were ended, and whether some are left.
pub(super) fn end_descendants(is_traced: bool) -> (u64, u64) {
    let patience = Instant::now() + PATIENCE;
    let mut pause = Duration::from_micros(200);
    let mut strays = 0;
    loop {
        let reaped = if is_traced { traced::reap_any() } else { kernel::reap_any() };
        match reaped {
            Ok(Some(Reaped { status, .. })) => {
                let was_killed =
                    libc::WIFSIGNALED(status) && libc::WTERMSIG(status) == libc::SIGKILL;
                strays += u64::from(was_killed);
                continue;
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => return (strays, 0),
            Ok(None) | Err(_) => {}
        }
        if Instant::now() > patience {
            return (strays, 1);
        }
        kill_children();
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// Kills the children of this process, and no other process.
fn kill_children() {
    let mut known = [0; 4096];
    let listed = kernel::open(c"/proc/thread-self/children").and_then(|mut f| f.read(&mut known));
    let listed = str::from_utf8(&known[..listed.unwrap_or(0)]).unwrap_or("");
    let mut any = false;
    // A number that was cut at the end of the buffer could be another process's id.
    for pid in listed.split_inclusive(' ').filter_map(|word| word.strip_suffix(' ')) {
        any |= pid.parse().is_ok_and(|pid| kernel::kill(pid).is_ok());
    }
    // Some kernels have no such list, and it has the children of one thread only.
    if !any {
        let _ = kill_children_by_search();
    }
}

fn kill_children_by_search() -> io::Result<()> {
    let own = std::process::id();
    let directory = kernel::open(c"/proc")?;
    let mut entries = [0; 8192];
    loop {
        let filled = kernel::entries(&directory, &mut entries)?;
        if filled == 0 {
            return Ok(());
        }
        let mut rest = &entries[..filled];
        // An entry is an inode and an offset of 8 bytes each, its length in 2, a type in 1, and then the name and a
        // zero.
        while let Some(&[low, high]) = rest.get(16..18) {
            let length = usize::from(u16::from_ne_bytes([low, high]));
            let (Some(entry), Some(next)) = (rest.get(19..length), rest.get(length..)) else {
                break;
            };
            rest = next;
            let name = entry.split(|&byte| byte == 0).next().unwrap_or_default();
            let pid = str::from_utf8(name).ok().and_then(|name| name.parse().ok());
            let mut stat = [0; STAT];
            if let Some(pid) = pid
                && let read = read(pid, "stat", &mut stat)
                && proc::parent_in(&stat[..read]) == Some(own)
            {
                let _ = kernel::kill(pid);
            }
        }
    }
}

/// Reads a file of `/proc/PID` into a buffer, and returns how many bytes there were.
fn read(pid: u32, file: &str, into: &mut [u8]) -> usize {
    let mut path = [0; 48];
    let mut to = &mut path[..47];
    let _ = write!(to, "/proc/{pid}/{file}");
    let Ok(path) = std::ffi::CStr::from_bytes_until_nul(&path) else { return 0 };
    kernel::open(path).and_then(|mut file| file.read(into)).unwrap_or(0)
}

impl Numbers {
    /// Notes how the root ended and what it used.
    fn take(&mut self, kernel::Reaped { status, usage }: &kernel::Reaped) {
        let cpu = kernel::duration(usage.ru_utime) + kernel::duration(usage.ru_stime);
        self.reaped = 1;
        self.status = u64::from(status.cast_unsigned());
        self.cpu = cpu.as_nanos() as u64;
        self.preempted = usage.ru_nivcsw.cast_unsigned();
        self.max_rss = usage.ru_maxrss.cast_unsigned() * 1024;
        let counts = Faults::from_rusage(usage);
        (self.faults, self.major_faults) = (counts.faults, counts.major_faults);
    }

    /// Returns the numbers in the order of the report.
    fn in_order(self) -> [u64; NUMBERS] {
        let Numbers {
            reaped,
            status,
            cpu,
            preempted,
            max_rss,
            ended_at,
            strays,
            left,
            errno,
            faults,
            major_faults,
        } = self;
        [
            reaped,
            status,
            cpu,
            preempted,
            max_rss,
            ended_at,
            strays,
            left,
            errno,
            faults,
            major_faults,
        ]
    }
}

/// Returns the numbers of a report, each of eight bytes.
pub(super) fn numbers(report: &[u8]) -> impl Iterator<Item = u64> {
    let number =
        |bytes: &[u8]| bytes.iter().rev().fold(0, |all, &byte| (all << 8) | u64::from(byte));
    report.chunks_exact(8).map(number)
}

impl End {
    /// Waits for the report of a supervisor. `forked_from` is the resident size of the copy that its root began as, and `before`
    /// what had been counted of it until its program was loaded.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the system may give any other reason")]
    pub(super) fn receive(
        channel: &mut UnixStream,
        forked_from: u64,
        before: Counted,
        is_traced: bool,
    ) -> io::Result<End> {
        let mut report = [0; SIZE];
        let in_words = |e: io::Error| match e.kind() {
            io::ErrorKind::UnexpectedEof => io::Error::other(KILLED),
            io::ErrorKind::WouldBlock => io::Error::other("it does not end although it was killed"),
            _ => e,
        };
        channel.read_exact(&mut report).map_err(in_words)?;
        let calls = is_traced.then(|| {
            let mut added = [0; traced::SIZE];
            channel.read_exact(&mut added).map(|()| traced::read(numbers(&added)))
        });
        let calls = calls.transpose().map_err(in_words)?;
        let (sent, files) = report.split_at(NUMBERS * 8);
        let mut numbers = numbers(sent);
        let mut next = || numbers.next().unwrap_or_default();
        let (reaped, status, cpu, preempted) = (next(), next(), next(), next());
        let (max_rss, ended_at, strays, left, errno) = (next(), next(), next(), next(), next());
        let (faults, major_faults) = (next(), next());
        if reaped == 0 {
            return Err(io::Error::from_raw_os_error((errno as u32).cast_signed()));
        }
        let (waited, files) = files.split_at(WAITED);
        let (stat, io) = files.split_at(STAT);
        let [waited, stat] =
            [waited, stat].map(|file| file.split(|&byte| byte == 0).next().unwrap_or_default());
        let status = (status as u32).cast_signed();
        let exit = if libc::WIFSIGNALED(status) {
            Exit::Signal(libc::WTERMSIG(status))
        } else {
            Exit::Code(libc::WEXITSTATUS(status))
        };
        let usage = Some(Usage {
            cpu: Duration::from_nanos(cpu),
            preempted: Some(preempted),
            waited: proc::waited_in(waited),
            max_rss,
            forked_from,
            had_children: proc::had_children_in(stat),
            counted: Counted::with_faults(faults, major_faults, Traffic::of_file(io)).since(before),
        });
        let at = moment::instant(ended_at);
        Ok(End { exit, usage, at, strays: strays as usize, some_left: left > 0, calls })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The root may have killed the guardian before anybody watched it. Formerly its new parent was then taken for the guardian,
    /// and the tree went on until its time was over.
    #[test]
    fn a_guardian_that_ended_before_it_was_watched_ends_the_tree() {
        let mut root = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
        let (channel, _other) = UnixStream::pair().unwrap();
        let gone = root.id();
        wait_for_end(root.id(), gone, channel.as_fd());
        let status = root.wait().unwrap();
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        assert_eq!(signal, Some(libc::SIGKILL));
    }
}
