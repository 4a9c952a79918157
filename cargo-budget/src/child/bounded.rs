//! Running a program to its end within bounds: of time, and of what it writes.
//!
//! A build script may wait for ever, and a hook of git may print without end. Such a program is ended, on Linux with all
//! that it has started, and the error gives the reason. Only the end of a program's messages is kept.

use std::fmt;
use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A program that writes more bytes than this to its standard output is ended, as the harness ends it.
const FLOOD: usize = 64 << 20;
/// How many of the last bytes of a program's messages are kept.
const KEPT: usize = 256 << 10;
/// How long a program may take to answer a question. The longest is a checkout by git, which may download large files.
const QUESTION: Duration = Duration::from_secs(30 * 60);
/// The time for a program that may run as long as it takes: a build of the work tree, which the user sees and may end.
pub(crate) const FOREVER: Duration = Duration::MAX;
/// How long this process waits for a program's output after the program's end: another program that it has started may hold
/// the pipe open.
const REST: Duration = Duration::from_secs(1);

/// Why a program did not come to its end by itself.
#[derive(Debug)]
pub(crate) enum Unfinished {
    NotStarted(io::Error),
    /// It took longer than this.
    Late(Duration),
    /// It wrote too much.
    Flooded,
    /// The system did not report how it ended.
    Unread(io::Error),
}

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unfinished::NotStarted(e) => write!(f, "it was not started: {e}"),
            Unfinished::Late(time) => write!(f, "it did not end within {time:?} and was killed"),
            Unfinished::Flooded => {
                write!(f, "it wrote more than {} MiB and was killed; make it quieter", FLOOD >> 20)
            }
            Unfinished::Unread(e) => write!(f, "failed to read how it ended: {e}"),
        }
    }
}

/// Asks a program a question, as [`Command::output`] does, within bounds.
///
/// # Errors
/// If it cannot be started, or is not done within the bounds.
pub(crate) fn output(command: &mut Command) -> io::Result<Output> {
    run(command.stderr(Stdio::piped()), QUESTION).map_err(|why| match why {
        Unfinished::NotStarted(e) | Unfinished::Unread(e) => e,
        Unfinished::Late(_) | Unfinished::Flooded => io::Error::other(why.to_string()),
    })
}

/// Runs a program without input to its end, and returns how it ended and what it wrote. That includes its standard error if
/// the caller has piped it.
///
/// # Errors
/// If it cannot be started, or is not done within the bounds.
pub(crate) fn run(command: &mut Command, time: Duration) -> Result<Output, Unfinished> {
    finish(command.stdin(Stdio::null()).stdout(Stdio::piped()), time)
}

/// Runs a program to its end, with the input and output that the caller has chosen.
///
/// # Errors
/// If it cannot be started, or does not end within the time.
pub(crate) fn status(command: &mut Command, time: Duration) -> Result<ExitStatus, Unfinished> {
    finish(command, time).map(|output| output.status)
}

fn finish(command: &mut Command, time: Duration) -> Result<Output, Unfinished> {
    let mut child = command.spawn().map_err(Unfinished::NotStarted)?;
    let stdout = Reader::whole(child.stdout.take());
    let stderr = Reader::end(child.stderr.take());
    let status = wait(&mut child, &stdout, time)?;
    Ok(Output { status, stdout: stdout.bytes(), stderr: stderr.bytes() })
}

/// Waits for the end of a program and of its output.
fn wait(child: &mut Child, stdout: &Reader, time: Duration) -> Result<ExitStatus, Unfinished> {
    let began = Instant::now();
    let mut step = Duration::from_micros(100);
    let mut is_read = false;
    let mut quick = 50;
    loop {
        // The end of the output is nearly always the end of the program, and it wakes this thread.
        if is_read {
            std::thread::sleep(step);
            quick -= i32::from(quick > 0);
        } else {
            is_read = stdout.ended.recv_timeout(step) != Err(RecvTimeoutError::Timeout);
        }
        if stdout.is_flooded() {
            end(child).map_err(Unfinished::Unread)?;
            return Err(Unfinished::Flooded);
        }
        if let Some(status) = child.try_wait().map_err(Unfinished::Unread)? {
            return Ok(status);
        }
        if began.elapsed() >= time {
            end(child).map_err(Unfinished::Unread)?;
            return Err(Unfinished::Late(time));
        }
        let most = Duration::from_millis(if is_read && quick > 0 { 2 } else { 50 });
        step = (step * 2).min(most).min(time.saturating_sub(began.elapsed()));
    }
}

/// Ends a program with all that descends from it, and reaps it.
fn end(child: &mut Child) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    end_descendants(child.id());
    child.kill()?;
    child.wait().map(drop)
}

/// Stops a process and its descendants until no new one is found, and then kills the descendants. They are found by their
/// parents; a stopped process starts nothing.
#[cfg(target_os = "linux")]
fn end_descendants(root: u32) {
    use rustix::process::{Pid, Signal, kill_process};

    let signal = |pid: u32, signal| {
        if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, signal);
        }
    };
    let mut all = vec![root];
    for _ in 0..100 {
        for &pid in &all {
            signal(pid, Signal::STOP);
        }
        let now = with_descendants(root);
        if now.iter().all(|pid| all.contains(pid)) {
            break;
        }
        all = now;
    }
    for &pid in all.iter().filter(|&&pid| pid != root) {
        signal(pid, Signal::KILL);
    }
}

/// Returns a process and those that descend from it.
#[cfg(target_os = "linux")]
fn with_descendants(root: u32) -> Vec<u32> {
    let parent = |pid: u32| -> Option<u32> {
        let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
        // The name may contain anything. After it come the state and the parent.
        let after = stat.iter().rposition(|&byte| byte == b')')? + 1;
        str::from_utf8(&stat[after..]).ok()?.split_ascii_whitespace().nth(1)?.parse().ok()
    };
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let pairs: Vec<(u32, u32)> = pids.filter_map(|pid| Some((pid, parent(pid)?))).collect();
    let mut all = vec![root];
    let mut at = 0;
    while let Some(&next) = all.get(at) {
        all.extend(pairs.iter().filter(|(_, parent)| *parent == next).map(|(pid, _)| *pid));
        at += 1;
    }
    all
}

/// A thread that reads a pipe.
struct Reader {
    captured: Arc<Mutex<CapturedOutput>>,
    ended: Receiver<()>,
}

/// What was read.
#[derive(Default)]
struct CapturedOutput {
    bytes: Vec<u8>,
    /// The number of bytes before these that were left out.
    cut: usize,
    is_flooded: bool,
}

impl Reader {
    /// Reads all of a pipe. The pipe is closed if there is too much in it.
    fn whole(pipe: Option<impl Read + Send + 'static>) -> Reader {
        Reader::start(pipe, |taken| {
            taken.is_flooded = taken.bytes.len() > FLOOD;
        })
    }

    /// Reads all of a pipe, and keeps its end.
    fn end(pipe: Option<impl Read + Send + 'static>) -> Reader {
        Reader::start(pipe, |taken| {
            let more = taken.bytes.len().saturating_sub(KEPT);
            // Bytes are dropped rarely, so that each of the others is moved only once.
            if more > KEPT {
                taken.bytes.drain(..more);
                taken.cut += more;
            }
        })
    }

    fn start(pipe: Option<impl Read + Send + 'static>, limit: fn(&mut CapturedOutput)) -> Reader {
        let (from, ended) = mpsc::channel();
        let captured = Arc::new(Mutex::new(CapturedOutput::default()));
        let own = Arc::clone(&captured);
        std::thread::spawn(move || {
            // What was read before an error is still shown.
            if let Some(mut pipe) = pipe {
                let mut part = [0; 8 << 10];
                while let Ok(read @ 1..) = pipe.read(&mut part) {
                    let Ok(mut taken) = own.lock() else { break };
                    taken.bytes.extend_from_slice(&part[..read]);
                    limit(&mut taken);
                    if taken.is_flooded {
                        break;
                    }
                }
            }
            let _ = from.send(());
        });
        Reader { captured, ended }
    }

    fn is_flooded(&self) -> bool {
        self.captured.lock().is_ok_and(|captured| captured.is_flooded)
    }

    /// Returns what was read until the end of the pipe, or until a moment after the end of the program.
    fn bytes(self) -> Vec<u8> {
        let count = || self.captured.lock().map_or(0, |all| all.bytes.len() + all.cut);
        let (mut known, mut silent) = (count(), 0);
        // Bytes may still arrive, and this process itself may have been stopped for a while.
        for _ in 0..30 {
            if silent == 2 || self.ended.recv_timeout(REST / 2) != Err(RecvTimeoutError::Timeout) {
                break;
            }
            let now = count();
            silent = if now == known { silent + 1 } else { 0 };
            known = now;
        }
        let Ok(mut captured) = self.captured.lock() else { return Vec::new() };
        let bytes = std::mem::take(&mut captured.bytes);
        if captured.cut == 0 {
            return bytes;
        }
        let cut = format!("[{} bytes before this were left out]\n", captured.cut);
        [cut.as_bytes(), &bytes].concat()
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::child;

    const LONG: Duration = Duration::from_secs(60);

    fn sh(script: &str, time: Duration) -> Result<Output, Unfinished> {
        run(child::shell(script).stderr(Stdio::piped()), time)
    }

    #[test]
    fn what_a_program_writes_and_its_code_are_returned() {
        let output = sh("echo out; echo err >&2; exit 3", LONG).unwrap();
        assert_eq!(output.status.code(), Some(3));
        assert_eq!((&output.stdout[..], &output.stderr[..]), (&b"out\n"[..], &b"err\n"[..]));
        // What it has started holds its streams open.
        let output = sh("echo out; sleep 1000 & echo $! >&2", LONG).unwrap();
        assert_eq!(output.stdout, b"out\n");
        let pid = String::from_utf8(output.stderr).unwrap();
        child::shell(&format!("kill {pid}")).status().unwrap();
        let absent = run(&mut child::program("/no/such/program"), LONG).unwrap_err();
        assert!(matches!(absent, Unfinished::NotStarted(_)), "{absent}");
    }

    #[test]
    fn a_program_that_writes_without_end_is_ended() {
        for script in ["yes", "yes & wait"] {
            let why = sh(script, LONG).unwrap_err();
            assert!(matches!(why, Unfinished::Flooded), "{why}");
            assert!(why.to_string().contains("64 MiB"), "{why}");
        }
    }

    #[test]
    fn only_the_end_of_messages_is_kept() {
        let output = sh("yes | head -c 1000000000 >&2; echo last >&2", LONG).unwrap();
        let messages = String::from_utf8(output.stderr).unwrap();
        assert!(messages.len() < 3 * KEPT && messages.ends_with("y\nlast\n"), "{}", messages.len());
        let cut: usize = messages[1..].split(' ').next().unwrap().parse().unwrap();
        let first = messages.lines().next().unwrap();
        assert_eq!(cut + messages.len() - first.len() - 1, 1_000_000_005);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_program_that_does_not_end_is_ended_with_what_it_started() {
        let mark = format!("{}.25", 100_000 + std::process::id());
        let script = format!("(sleep {mark} & wait) & sleep {mark}");
        let why = sh(&script, Duration::from_millis(300)).unwrap_err();
        assert!(matches!(why, Unfinished::Late(_)), "{why}");
        let is_mark = |line: Vec<u8>| line.windows(mark.len()).any(|part| part == mark.as_bytes());
        let left = std::fs::read_dir("/proc").unwrap().flatten().filter(|entry| {
            let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
            let line = std::fs::read(entry.path().join("cmdline"));
            line.is_ok_and(is_mark) && !stat.contains(") Z ")
        });
        // The kernel may take a moment to remove a process that was killed.
        let until = Instant::now() + LONG;
        let mut left = left.collect::<Vec<_>>();
        while !left.is_empty() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
            left.retain(|entry| std::fs::read(entry.path().join("cmdline")).is_ok_and(is_mark));
        }
        assert!(left.is_empty(), "{left:?}");
    }
}
