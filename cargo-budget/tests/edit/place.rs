//! A directory in which the command runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A temporary directory, which is removed when it is dropped.
pub(crate) struct Place(tempfile::TempDir);

impl Place {
    pub(crate) fn empty() -> Place {
        Place(tempfile::Builder::new().prefix("budget-edit-").tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Runs `cargo budget ARGUMENTS` in the subdirectory `below`. The results are in `results`.
    pub(crate) fn run_in(&self, below: &str, arguments: &[&str]) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-budget"));
        command.arg("budget").args(arguments).current_dir(self.path(below));
        clean(&mut command).env("PERF_BUDGET_DIR", self.path("results"));
        Run::of(command.output().unwrap(), self.0.path())
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.run_in("", arguments)
    }

    /// Runs `git ARGUMENTS` in the subdirectory `below`, with a made-up user.
    pub(crate) fn git(&self, below: &str, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        let identity =
            ["-c", "user.name=n", "-c", "user.email=n@n", "-c", "init.defaultBranch=main"];
        command.args(identity).args(arguments).current_dir(self.path(below));
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        let output = clean(&mut command).output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Makes a repository whose only commit has everything in the directory.
    pub(crate) fn commit(&self) {
        self.git("", &["init", "-q"]);
        self.git("", &["add", "-A"]);
        self.git("", &["commit", "-q", "-m", "one", "--allow-empty"]);
    }
}

/// Removes variables of the environment that must not affect a test.
pub(crate) fn clean(command: &mut Command) -> &mut Command {
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "CLICOLOR_FORCE", "CARGO_TARGET_DIR"]
    {
        command.env_remove(name);
    }
    command
}

/// The result of a run of the command.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    fn of(output: Output, place: &Path) -> Run {
        let place = place.to_str().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap().replace(place, "DIR");
        Run {
            code: output.status.code().unwrap_or(-1),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    #[track_caller]
    pub(crate) fn is(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, code, "{}{}", self.stdout, self.stderr);
        for word in words {
            let is_there = self.stdout.contains(word) || self.stderr.contains(word);
            assert!(is_there, "{word:?} is not in\n{}{}", self.stdout, self.stderr);
        }
    }
}
