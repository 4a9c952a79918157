//! Who holds the lock of a file, in words, as far as the system tells.

#[cfg(target_os = "linux")]
use std::fmt::Write as _;
#[cfg(target_os = "linux")]
use std::fs;
use std::path::Path;

/// The processes that hold a lock.
#[derive(Debug, Default)]
pub(crate) struct Holders {
    /// The other processes, each with its program and its directory. Empty where the system does not tell.
    pub(crate) others: Vec<String>,
    /// Whether this process, or another one of the same run, holds the lock.
    pub(crate) has_own: bool,
}

/// Returns the processes that hold a lock of this file. Those that have the variable `run` with the same value are of the
/// same run.
#[cfg(target_os = "linux")]
pub(crate) fn holders(path: &Path, run: Option<(&str, &str)>) -> Holders {
    use std::os::unix::fs::MetadataExt;
    let Ok(file) = path.metadata() else { return Holders::default() };
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
    let mut holders = holders_in(&locks, file.ino());
    holders.sort_unstable();
    holders.dedup();
    let is_own =
        |pid: &u32| *pid == std::process::id() || run.is_some_and(|run| has_variable(*pid, run));
    let (own, others): (Vec<u32>, Vec<u32>) = holders.into_iter().partition(is_own);
    Holders { others: others.into_iter().map(described).collect(), has_own: !own.is_empty() }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn holders(_path: &Path, _run: Option<(&str, &str)>) -> Holders {
    Holders::default()
}

/// Whether a process was started with this variable. Nobody but its own user can read that.
#[cfg(target_os = "linux")]
fn has_variable(pid: u32, (name, value): (&str, &str)) -> bool {
    let variables = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    let wanted = format!("{name}={value}");
    variables.split(|byte| *byte == 0).any(|own| own == wanted.as_bytes())
}

/// Returns the processes that hold a lock of the file with this number, from the content of `/proc/locks`: see
/// proc_locks(5). The device is not compared, since a file system may report another one there.
#[cfg(target_os = "linux")]
fn holders_in(locks: &str, inode: u64) -> Vec<u32> {
    let holder = |line: &str| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        // A process that waits for the lock has an arrow here.
        let [kind, _, _, pid, file] = std::array::from_fn(|_| fields.next().unwrap_or_default());
        let is_this = file.rsplit(':').next()?.parse() == Ok(inode);
        // The id is 0 or -1 if the process is in another container.
        let pid = pid.parse().ok().filter(|pid| *pid > 0)?;
        (kind == "FLOCK" && is_this).then_some(pid)
    };
    locks.lines().filter_map(holder).collect()
}

/// The most characters of a program's arguments that are shown.
#[cfg(target_os = "linux")]
const LONGEST: usize = 100;

#[cfg(target_os = "linux")]
fn described(pid: u32) -> String {
    let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words: Vec<_> = words
        .split(|byte| *byte == 0)
        .filter(|word| !word.is_empty())
        .map(String::from_utf8_lossy)
        .collect();
    // The text is shown on a terminal, which must not obey control characters of another process's arguments.
    let shown: String = words.join(" ").chars().filter(|c| !c.is_control()).take(LONGEST).collect();
    let mut text = format!("process {pid}");
    if !shown.is_empty() {
        let _ = write!(text, " (`{shown}`)");
    }
    // The directory of another user's process cannot be read.
    if let Ok(directory) = fs::read_link(format!("/proc/{pid}/cwd")) {
        let _ = write!(text, " in `{}`", directory.display());
    }
    if super::proc::is_stopped(pid) {
        let _ = write!(text, ", which is stopped (`kill -CONT {pid}` continues it)");
    }
    text
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn holders_are_told_from_those_that_wait() {
        let locks = "1: FLOCK  ADVISORY  WRITE 4711 fd:01:1234 0 EOF\n\
                     1: -> FLOCK  ADVISORY  WRITE 4712 fd:01:1234 0 EOF\n\
                     2: POSIX  ADVISORY  WRITE 4713 fd:01:1234 0 EOF\n\
                     3: FLOCK  ADVISORY  READ 4714 00:2f:12345 0 EOF\n\
                     4: FLOCK  ADVISORY  READ 0 00:2f:1234 0 EOF\n\
                     5: FLOCK";
        assert_eq!(holders_in(locks, 1234), [4711]);
        assert_eq!(holders_in(locks, 12345), [4714]);
        assert!(holders_in(locks, 1).is_empty());
    }

    #[test]
    fn this_process_is_named_with_its_program_and_directory() {
        let text = described(std::process::id());
        let directory = std::env::current_dir().unwrap();
        assert!(text.starts_with(&format!("process {} (`", std::process::id())), "{text}");
        assert!(text.ends_with(&format!("in `{}`", directory.display())), "{text}");
        assert_eq!(described(u32::MAX), format!("process {}", u32::MAX));
        let path = std::env::var("PATH").unwrap();
        assert!(has_variable(std::process::id(), ("PATH", &path)));
        assert!(
            !has_variable(std::process::id(), ("PATH", "/none"))
                && !has_variable(u32::MAX, ("PATH", &path))
        );
    }
}
