//! Why a process could not be started, with the remedy. The system's errors are worded in this one place.

use std::io::{Error, ErrorKind};
use std::path::Path;

use perf_budget_core::outcome::{Cause, Unmeasured};

use super::launch::Launch;
use super::system;

/// The pipes or threads for the output of a process could not be made.
pub(super) fn pipes_failed(name: &str, error: &Error) -> Unmeasured {
    let text = format!(
        "failed to prepare the output of `{name}`: {error}; raise the limit of open files or of \
         processes (ulimit -n, ulimit -u){}",
        if error.kind() == ErrorKind::WouldBlock {
            system::most_processes()
        } else {
            String::new()
        }
    );
    Unmeasured::new(Cause::Harness, text)
}

/// The file that a process should read could not be opened.
pub(super) fn input_failed(name: &str, file: &Path, error: &Error) -> Unmeasured {
    let text = format!("failed to open `{}` for `{name}` to read: {error}", file.display());
    Unmeasured::new(Cause::Missing, text)
}

/// The system calls of a process could not be counted.
pub(super) fn untraced(name: &str, errno: i32) -> Unmeasured {
    let error = Error::from_raw_os_error(errno);
    let text = format!(
        "failed to count the system calls of `{name}`: the system does not let this process trace it ({error}); allow ptrace(2) \
         here (Linux 5.3 or later; in a container `--cap-add=SYS_PTRACE` or a seccomp profile that has it; \
         `kernel.yama.ptrace_scope` of at most 1; no other tracer, such as strace), or drop the limit on `syscalls` here"
    );
    Unmeasured::new(Cause::Unsupported, text)
}

/// The system refused to start the program.
#[expect(clippy::wildcard_enum_match_arm, reason = "the system may give any other reason")]
pub(super) fn start_failed(launch: &Launch, error: &Error) -> Unmeasured {
    let program = Path::new(&launch.program).display();
    let (cause, why) = match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => (Cause::NotFound, missing(launch)),
        ErrorKind::PermissionDenied => (
            Cause::Unsuitable,
            "it may not be executed; check that it is a program and not a directory, its executable \
             bit (chmod +x), and that its file system is not mounted noexec"
                .to_owned(),
        ),
        ErrorKind::ArgumentListTooLong => (
            Cause::Unsuitable,
            "its arguments and environment are larger than the system accepts; pass them in a file"
                .to_owned(),
        ),
        ErrorKind::WouldBlock => (
            Cause::Harness,
            format!(
                "there are too many processes; end some, or raise the limit (ulimit -u, or the \
                 container's pids limit){}",
                system::most_processes()
            ),
        ),
        ErrorKind::OutOfMemory => {
            (Cause::Harness, "there is not enough memory for one more process".to_owned())
        }
        ErrorKind::ExecutableFileBusy => (
            Cause::Harness,
            "its file is being written; wait until what builds it has finished".to_owned(),
        ),
        _ if is_bad_format(error) => (
            Cause::Unsuitable,
            "it is not a program for this machine; check its architecture, or give a script a first \
             line such as `#!/bin/sh`"
                .to_owned(),
        ),
        _ if launch.constraint.memory.is_some() && is_unkept(error) => (
            Cause::Unsupported,
            "the system does not keep the limit on its memory (setrlimit(2), RLIMIT_DATA), as an emulator of programs does; remove \
             `memory` here, or measure without the emulator"
                .to_owned(),
        ),
        _ => other(error, system::can_adopt_orphans()),
    };
    Unmeasured::new(cause, format!("failed to start `{program}`: {why}"))
}

/// Words an error for which no other remedy is known. Where the system does not let a process adopt orphans, nothing can be
/// started, whatever the error says.
fn other(error: &Error, can_adopt_orphans: bool) -> (Cause, String) {
    if can_adopt_orphans {
        return (Cause::Harness, error.to_string());
    }
    let text = format!(
        "{error}: the system does not let a process adopt the orphans of what it starts (prctl(2), PR_SET_CHILD_SUBREAPER), and \
         without that nobody could end what a measured process leaves behind; allow the call (a seccomp profile that has it; \
         in place of an emulator of programs such as qemu-user 7, qemu-user 10 or a whole virtual machine)"
    );
    (Cause::Unsupported, text)
}

/// Whether the error is ENOSYS on Linux, which alone can limit memory.
fn is_unkept(error: &Error) -> bool {
    cfg!(target_os = "linux") && error.raw_os_error() == Some(38)
}

/// Whether the error is ENOEXEC, which has the same number on Linux and macOS; Rust has no stable kind for it.
fn is_bad_format(error: &Error) -> bool {
    cfg!(unix) && error.raw_os_error() == Some(8)
}

/// Finds out what was not found, because the system only says that something was not.
fn missing(launch: &Launch) -> String {
    let program = Path::new(&launch.program);
    if let Some(dir) = launch.dir.as_deref().filter(|dir| !dir.is_dir()) {
        return format!("its directory `{}` is not there", dir.display());
    }
    if cfg!(unix) && !Path::new("/dev/null").exists() {
        return "there is no /dev/null, which it gets as its standard input; mount /dev".to_owned();
    }
    if program.components().count() < 2 {
        return "no such program in PATH; install it, or give its path".to_owned();
    }
    let path = launch.dir.as_deref().map_or_else(|| program.to_owned(), |dir| dir.join(program));
    if path.exists() {
        return "the file is there, but not the interpreter that its first line names, or the dynamic \
                loader it was built for"
            .to_owned();
    }
    "no such file; check the path, or build it first (`{bin:NAME}` has cargo build it)".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_nothing_can_be_started_there_is_a_remedy() {
        let error = Error::from(ErrorKind::InvalidInput);
        let (cause, text) = other(&error, false);
        assert_eq!(cause, Cause::Unsupported);
        for words in ["PR_SET_CHILD_SUBREAPER", "allow the call", "qemu-user 10"] {
            assert!(text.contains(words), "{text}");
        }
        assert_eq!(other(&error, true), (Cause::Harness, error.to_string()));
    }

    #[test]
    fn this_system_lets_a_process_adopt_orphans() {
        assert!(system::can_adopt_orphans());
    }
}
