//! The variables that git sets for its hooks to describe a repository: no child process inherits them.
//!
//! Tests may run in hooks. A program that is measured there, or a cargo that builds it, would otherwise use the
//! hook's index and work tree as its own.

use std::ffi::OsStr;
use std::process::Command;

/// The output of `git rev-parse --local-env-vars`; asking git would cost a process for each test.
const LOCAL: [&str; 16] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

/// Whether git describes a repository to its hooks by this variable.
pub(super) fn is_local(name: &OsStr) -> bool {
    LOCAL.iter().any(|local| name == *local)
}

/// Removes these variables from the environment of a child. A variable that is set for the child afterwards stays.
pub(super) fn remove_variables(command: &mut Command) {
    for name in LOCAL {
        command.env_remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_git_lists_is_inherited() {
        let mut command = Command::new("x");
        remove_variables(&mut command);
        let gone: Vec<_> = command.get_envs().filter(|(_, value)| value.is_none()).collect();
        // Other releases of git list fewer variables, and git may not be installed.
        let listed = Command::new("git").args(["rev-parse", "--local-env-vars"]).output();
        let listed = listed.map(|output| output.stdout).unwrap_or_default();
        for name in String::from_utf8(listed).unwrap().lines().chain(["GIT_DIR", "GIT_INDEX_FILE"])
        {
            assert!(gone.iter().any(|(key, _)| *key == name), "{name} is inherited");
        }
    }
}
