//! The programs that the command starts: git, cargo, a shell, a test binary.
//!
//! They are started here and nowhere else, because git tells its hooks by variables which repository, index and
//! work tree they are about. A child that inherited them would write this commit's index where it meant another
//! one, so no child inherits any.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use cargo_metadata::MetadataCommand;

/// Git, in a directory.
pub(crate) fn git(directory: &Path) -> Command {
    let mut command = program("git");
    for (name, value) in trusted(|name| std::env::var(name).ok()) {
        command.env(name, value);
    }
    command.arg("-C").arg(directory);
    // Only people read its words, and reading takes no lock.
    command.env("LC_ALL", "C").env("GIT_OPTIONAL_LOCKS", "0").stdin(Stdio::null());
    command
}

/// Cargo as it called this command, so that whatever is built is built by the same one.
pub(crate) fn cargo() -> Command {
    program(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// What cargo says of the workspace that a directory is in.
pub(crate) fn metadata(directory: &Path) -> MetadataCommand {
    let mut command = MetadataCommand::new();
    for name in local() {
        command.env_remove(name);
    }
    command.current_dir(directory);
    command
}

/// A line of the shell.
pub(crate) fn shell(line: &str) -> Command {
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let mut command = program(shell);
    command.args([flag, line]);
    command
}

/// Any program.
pub(crate) fn program(path: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(path);
    for name in local() {
        command.env_remove(name);
    }
    command
}

/// A program in whose place this process was started, or that another tool would start: with all that this process
/// has inherited.
pub(crate) fn inheriting(path: impl AsRef<OsStr>) -> Command {
    Command::new(path)
}

/// The variables that are about one repository, as the installed git lists them. Where git is not installed, no
/// child can be led astray by them.
fn local() -> &'static [String] {
    static LOCAL: OnceLock<Vec<String>> = OnceLock::new();
    LOCAL.get_or_init(|| {
        let listed = Command::new("git").args(["rev-parse", "--local-env-vars"]).output();
        let listed = listed.map(|output| output.stdout).unwrap_or_default();
        String::from_utf8_lossy(&listed).lines().map(str::to_owned).collect()
    })
}

/// Of the configuration that the environment has for git, what says whose repositories are trusted: git takes
/// that from nowhere in the repository itself, and a container often says it in no other way.
fn trusted(variable: impl Fn(&str) -> Option<String>) -> Vec<(String, String)> {
    let count = variable("GIT_CONFIG_COUNT").and_then(|count| count.parse::<usize>().ok());
    let mut kept = Vec::new();
    for at in 0..count.unwrap_or(0).min(1000) {
        let pair = variable(&format!("GIT_CONFIG_KEY_{at}"));
        let pair = pair.zip(variable(&format!("GIT_CONFIG_VALUE_{at}")));
        let Some((key, value)) = pair else { break };
        if key.eq_ignore_ascii_case("safe.directory") {
            let nth = kept.len() / 2;
            kept.push((format!("GIT_CONFIG_KEY_{nth}"), key));
            kept.push((format!("GIT_CONFIG_VALUE_{nth}"), value));
        }
    }
    if !kept.is_empty() {
        kept.push(("GIT_CONFIG_COUNT".to_owned(), (kept.len() / 2).to_string()));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_child_inherits_which_repository_a_hook_is_about() {
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
    fn whom_git_trusts_is_kept_and_nothing_else() {
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
        let kept = trusted(variable);
        let kept: Vec<_> = kept.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let want = [
            ("GIT_CONFIG_KEY_0", "safe.Directory"),
            ("GIT_CONFIG_VALUE_0", "*"),
            ("GIT_CONFIG_COUNT", "1"),
        ];
        assert_eq!(kept, want);
        assert_eq!(trusted(|_| None), []);
    }
}
