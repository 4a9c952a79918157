//! The programs that the command starts: git, cargo, a shell, a test binary.
//!
//! They are started here and nowhere else. Git gives its hooks variables that name the repository, the index and the
//! work tree. A child that inherited these variables could write the user's index instead of another one, so no child
//! inherits any of them.

mod bounded;

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use cargo_metadata::MetadataCommand;
use perf_budget_core::budget::environment;

pub(crate) use self::bounded::{FOREVER, Unfinished, output, run, status};
use crate::failure::Failure;

/// Returns a command that runs git in a directory.
pub(crate) fn git(directory: &Path) -> Command {
    let mut command = program("git");
    for (name, value) in trusted_repositories(|name| std::env::var(name).ok()) {
        command.env(name, value);
    }
    command.arg("-C").arg(directory);
    // People see git's messages, so they are in one language. Commands that only read must not take a lock.
    command.env("LC_ALL", "C").env("GIT_OPTIONAL_LOCKS", "0").stdin(Stdio::null());
    command
}

/// Returns a command that runs the cargo that called this command, so that everything is built by the same one.
pub(crate) fn cargo() -> Command {
    program(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Returns a command by which cargo describes the workspace of a directory.
pub(crate) fn metadata(directory: &Path) -> MetadataCommand {
    let mut command = MetadataCommand::new();
    for name in local_variables() {
        command.env_remove(name);
    }
    command.current_dir(directory);
    command
}

/// Returns a command that runs a line in the system's shell.
pub(crate) fn shell(line: &str) -> Command {
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let mut command = program(shell);
    command.args([flag, line]);
    command
}

/// Returns the line by which the system's shell copies a file to a name in its current directory.
pub(crate) fn copy_line(from: &Path, to: &str) -> String {
    let from = from.to_string_lossy();
    if cfg!(windows) {
        format!("copy /Y \"{from}\" {to}")
    } else {
        format!("cp '{}' {to}", from.replace('\'', "'\\''"))
    }
}

/// Returns a command that runs any program.
pub(crate) fn program(path: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(path);
    for name in local_variables() {
        command.env_remove(name);
    }
    if let Some(name) = environment::named_for_process() {
        command.env(environment::VARIABLE, name);
    }
    command
}

/// Returns a command that runs a program with the whole environment of this process. It is for a program in whose place
/// this process was started, or that another tool would start.
pub(crate) fn inheriting(path: impl AsRef<OsStr>) -> Command {
    Command::new(path)
}

/// Returns the variables that name a repository, as the installed git lists them. Where git is not installed, no child
/// can be misled by them.
fn local_variables() -> &'static [String] {
    static LOCAL: OnceLock<Vec<String>> = OnceLock::new();
    LOCAL.get_or_init(|| {
        let listed = output(Command::new("git").args(["rev-parse", "--local-env-vars"]));
        let listed = listed.map(|output| output.stdout).unwrap_or_default();
        String::from_utf8_lossy(&listed).lines().map(str::to_owned).collect()
    })
}

/// Returns the part of git's configuration in the environment that names trusted repositories. Git does not accept it
/// from the repository itself, and in a container the environment is often the only place that has it.
fn trusted_repositories(variable: impl Fn(&str) -> Option<String>) -> Vec<(String, String)> {
    let count = variable("GIT_CONFIG_COUNT").and_then(|count| count.parse::<usize>().ok());
    let mut pairs = Vec::new();
    for at in 0..count.unwrap_or(0).min(1000) {
        let pair = variable(&format!("GIT_CONFIG_KEY_{at}"));
        let pair = pair.zip(variable(&format!("GIT_CONFIG_VALUE_{at}")));
        let Some((key, value)) = pair else { break };
        if key.eq_ignore_ascii_case("safe.directory") {
            let nth = pairs.len() / 2;
            pairs.push((format!("GIT_CONFIG_KEY_{nth}"), key));
            pairs.push((format!("GIT_CONFIG_VALUE_{nth}"), value));
        }
    }
    if !pairs.is_empty() {
        pairs.push(("GIT_CONFIG_COUNT".to_owned(), (pairs.len() / 2).to_string()));
    }
    pairs
}

/// Sends a signal to the process group that a child leads. Returns false if there is no such group any more.
#[cfg(unix)]
pub(crate) fn signal_group(leader: &std::process::Child, signal: rustix::process::Signal) -> bool {
    let group = i32::try_from(leader.id()).ok().and_then(rustix::process::Pid::from_raw);
    group.is_some_and(|group| rustix::process::kill_process_group(group, signal).is_ok())
}

/// Returns a call of this program itself, which reads nothing and prints without colours.
pub(crate) fn self_command() -> Result<Command, Failure> {
    let own = std::env::current_exe()
        .map_err(|e| Failure::unmeasured(format!("failed to find this program: {e}")))?;
    let mut command = program(own);
    command.args(["budget", "--color=never"]).stdin(Stdio::null());
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_child_inherits_the_variables_that_name_a_hooks_repository() {
        for mut command in [program("x"), git(Path::new(".")), cargo(), shell("true")] {
            let gone =
                |name: &str| command.get_envs().any(|(key, value)| key == name && value.is_none());
            for name in ["GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "GIT_PREFIX"] {
                assert!(gone(name), "{command:?} inherits {name}");
            }
            assert!(gone("GIT_OBJECT_DIRECTORY") && gone("GIT_CONFIG_PARAMETERS"));
            command.env_clear();
        }
    }

    #[test]
    fn only_the_trusted_repositories_are_kept_of_gits_configuration() {
        let variable = |name: &str| {
            let value = match name {
                "GIT_CONFIG_COUNT" => "3",
                "GIT_CONFIG_KEY_0" => "core.worktree",
                "GIT_CONFIG_KEY_1" => "safe.Directory",
                "GIT_CONFIG_KEY_2" => "core.bare",
                "GIT_CONFIG_VALUE_1" => "*",
                _ => "/x",
            };
            Some(value.to_owned())
        };
        let pairs = trusted_repositories(variable);
        let pairs: Vec<_> = pairs.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let want = [
            ("GIT_CONFIG_KEY_0", "safe.Directory"),
            ("GIT_CONFIG_VALUE_0", "*"),
            ("GIT_CONFIG_COUNT", "1"),
        ];
        assert_eq!(pairs, want);
        assert_eq!(trusted_repositories(|_| None), []);
    }
}
