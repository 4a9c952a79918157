//! How a process ended, in words: by which signal, and who is likely to have sent it.

use std::path::PathBuf;

use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::quantity::{Quantity, Unit};

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// By itself, with this exit code.
    Code(i32),
    /// By this signal.
    #[cfg_attr(not(unix), expect(dead_code, reason = "there are none"))]
    Signal(i32),
}

/// The action of the kernel's out-of-memory killer while a process ran.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "only Linux tells"))]
pub(super) enum MemoryKiller {
    /// It is not reported here.
    Unknown,
    /// It did nothing.
    Idle,
    /// It ended a process, but none of the harness's own control group.
    Elsewhere,
    /// It ended a process of the harness's control group. If a group was at its limit, this is the group and its limit in bytes;
    /// `None` means that the machine lacked memory.
    Struck(Option<(PathBuf, u64)>),
}

/// The signals that Linux and macOS number alike, and each system's own. Other signals are shown by number.
const SIGNALS: &[(i32, &str, &str)] = &[
    (1, "SIGHUP", "hang-up"),
    (2, "SIGINT", "interrupt"),
    (3, "SIGQUIT", "quit"),
    (4, "SIGILL", "illegal instruction"),
    (5, "SIGTRAP", "trap"),
    (6, "SIGABRT", "abort"),
    (8, "SIGFPE", "arithmetic error"),
    (9, "SIGKILL", "kill"),
    (11, "SIGSEGV", "segmentation fault"),
    (13, "SIGPIPE", "broken pipe"),
    (14, "SIGALRM", "alarm"),
    (15, "SIGTERM", "termination"),
    #[cfg(target_os = "linux")]
    (7, "SIGBUS", "bus error"),
    #[cfg(target_os = "linux")]
    (24, "SIGXCPU", "processor time limit"),
    #[cfg(target_os = "linux")]
    (25, "SIGXFSZ", "file size limit"),
    #[cfg(target_os = "linux")]
    (31, "SIGSYS", "forbidden system call"),
    #[cfg(target_os = "macos")]
    (10, "SIGBUS", "bus error"),
    #[cfg(target_os = "macos")]
    (12, "SIGSYS", "forbidden system call"),
];

/// The exceptions that end a process on Windows, each with the exit code that it leaves (NTSTATUS).
const EXCEPTIONS: &[(u32, &str)] = &[
    (0xc000_0005, "access violation"),
    (0xc000_0017, "out of memory"),
    (0xc000_001d, "illegal instruction"),
    (0xc000_0094, "division by zero"),
    (0xc000_00fd, "stack overflow"),
    (0xc000_0135, "a library was not found"),
    (0xc000_013a, "Ctrl-C"),
    (0xc000_0374, "corrupted heap"),
    (0xc000_0409, "abort"),
];

const SIGABRT: i32 = 6;
const SIGKILL: i32 = 9;

/// Describes a process that was ended by a signal that this harness did not send.
pub(super) fn died(
    name: &str,
    signal: i32,
    memory_killer: &MemoryKiller,
    output: Option<String>,
) -> Unmeasured {
    let starved = output.as_deref().and_then(failed_allocation);
    let overflowed = output.as_deref().is_some_and(overflowed_stack);
    let (cause, text) = match (signal, starved) {
        (SIGKILL, _) => (Cause::Killed, killed(name, memory_killer)),
        (SIGABRT, Some(line)) => {
            (Cause::Crashed, format!("`{name}` ran out of memory and was ended by SIGABRT: {line}"))
        }
        (SIGABRT, None) if overflowed => {
            (Cause::Crashed, format!("`{name}` overflowed its stack and was ended by SIGABRT"))
        }
        _ => (Cause::Crashed, format!("`{name}` was ended by {}", signal_name(signal))),
    };
    Unmeasured { cause, text, output }
}

fn killed(name: &str, memory_killer: &MemoryKiller) -> String {
    let who = match memory_killer {
        MemoryKiller::Struck(Some((group, most))) => format!(
            "the kernel's out-of-memory killer struck in that time, in which the control group `{}` was at its limit of {} of \
             memory: give the container more memory, or the command less work",
            group.display(),
            Quantity::new(*most as f64, Unit::Bytes)
        ),
        MemoryKiller::Struck(None) => "the kernel's out-of-memory killer struck in that time: give the machine or the \
             container more memory, or the command less work"
            .to_owned(),
        MemoryKiller::Elsewhere => "the kernel's out-of-memory killer struck in that time, but not in the harness's own control \
             group: in another one, or in one that the command has made below it: look for a supervisor, a time limit or a resource limit"
            .to_owned(),
        MemoryKiller::Idle => "the kernel's out-of-memory killer did not strike in that time: look for a supervisor, a \
             time limit or a resource limit"
            .to_owned(),
        MemoryKiller::Unknown => {
            "the usual sender is the out-of-memory killer: see the kernel's log".to_owned()
        }
    };
    format!("`{name}` was ended by SIGKILL from outside; {who}")
}

/// Returns the line by which Rust's runtime reports that memory ran out.
fn failed_allocation(output: &str) -> Option<&str> {
    output.lines().rev().find(|line| {
        line.split_once("memory allocation of ")
            .is_some_and(|(_, rest)| rest.contains(" bytes failed"))
    })
}

/// Whether Rust's runtime reported that a stack overflowed.
pub(crate) fn overflowed_stack(output: &str) -> bool {
    output.lines().any(|line| line.contains(" has overflowed its stack"))
}

/// Returns the signal's name and meaning, such as `SIGSEGV (segmentation fault)`.
fn signal_name(signal: i32) -> String {
    match SIGNALS.iter().find(|s| s.0 == signal) {
        Some((_, name, meaning)) => format!("{name} ({meaning})"),
        None => format!("signal {signal}"),
    }
}

/// Returns an exit code in words, such as `code 3`. If an exception of Windows left it, its meaning is added:
/// `code 0xc0000005 (access violation)`. Other systems have no codes above 255.
pub(crate) fn code_words(code: i32) -> String {
    let bits = code.cast_unsigned();
    match EXCEPTIONS.iter().find(|exception| exception.0 == bits) {
        Some((_, meaning)) => format!("code {bits:#x} ({meaning})"),
        None if is_exception(code) => format!("code {bits:#x}"),
        None => format!("code {code}"),
    }
}

/// Whether an exit code stands for an exception of Windows, which is an error of the system (NTSTATUS). The code -1 does not.
pub(crate) fn is_exception(code: i32) -> bool {
    code.cast_unsigned() >> 28 == 0xc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likely_sender_of_a_kill_is_named() {
        let check = |killer: MemoryKiller, words: &str| {
            let why = died("work", SIGKILL, &killer, None);
            assert_eq!(why.cause, Cause::Killed);
            assert!(why.text.starts_with("`work` was ended by SIGKILL from outside; "), "{why}");
            assert!(why.text.contains(words), "{why}");
        };
        check(MemoryKiller::Unknown, "the usual sender is the out-of-memory killer");
        check(MemoryKiller::Idle, "did not strike in that time: look for a supervisor");
        check(MemoryKiller::Elsewhere, "but not in the harness's own control group");
        check(MemoryKiller::Struck(None), "give the machine or the container more memory");
        check(
            MemoryKiller::Struck(Some(("/sys/fs/cgroup/app".into(), 64_000_000))),
            "in which the control group `/sys/fs/cgroup/app` was at its limit of 64 MB of memory: give the container",
        );
    }

    #[test]
    fn a_code_of_windows_says_which_exception_it_was() {
        let check = |code: u32, exception: bool, words: &str| {
            let code = code.cast_signed();
            assert_eq!((is_exception(code), code_words(code).as_str()), (exception, words));
        };
        check(0, false, "code 0");
        check(255, false, "code 255");
        check(u32::MAX, false, "code -1");
        check(0x4001_0004, false, "code 1073807364");
        check(0xc000_0005, true, "code 0xc0000005 (access violation)");
        check(0xc000_0409, true, "code 0xc0000409 (abort)");
        check(0xc000_0142, true, "code 0xc0000142");
    }
}
