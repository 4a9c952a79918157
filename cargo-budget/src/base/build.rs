//! Building the test target that holds the budgets, by the cargo that the project is built with.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::Failure;

/// A test target, and how it is built.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// Its name: `budgets`.
    pub(crate) test: String,
    /// The profile, of cargo: `release`.
    pub(crate) profile: String,
    /// Features and the like, handed to cargo as they are.
    pub(crate) options: Vec<String>,
}

impl Target {
    /// The arguments by which cargo names it.
    pub(crate) fn arguments(&self) -> Vec<OsString> {
        let mut arguments: Vec<OsString> =
            ["--profile", &self.profile, "--test", &self.test].map(Into::into).into();
        arguments.extend(self.options.iter().map(Into::into));
        arguments
    }

    /// Builds it in `package` and gives the binary's path. What cargo says goes to standard error.
    pub(crate) fn build(
        &self,
        package: &Path,
        target_dir: Option<&Path>,
    ) -> Result<PathBuf, Failure> {
        let mut arguments: Vec<OsString> = vec!["test".into(), "--no-run".into()];
        arguments.extend(self.arguments());
        self.built(package, target_dir, arguments, &[])
    }

    /// Runs cargo, and gives the path of the one test binary that it names at the end.
    pub(super) fn built(
        &self,
        package: &Path,
        target_dir: Option<&Path>,
        mut arguments: Vec<OsString>,
        after: &[String],
    ) -> Result<PathBuf, Failure> {
        arguments.extend(["--message-format", "json-render-diagnostics"].map(Into::into));
        if let Some(directory) = target_dir {
            arguments.extend(["--target-dir".into(), directory.into()]);
        }
        if !after.is_empty() {
            arguments.push("--".into());
            arguments.extend(after.iter().map(Into::into));
        }
        let output = cargo()
            .args(arguments)
            .current_dir(package)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .map_err(|e| Failure::unmeasured(format!("failed to start cargo: {e}")))?;
        if !output.status.success() {
            return Err(Failure::unmeasured(format!(
                "failed to build the test `{}` in `{}`; cargo said why above",
                self.test,
                package.display()
            )));
        }
        let messages = String::from_utf8_lossy(&output.stdout);
        let executable = messages.lines().rev().find_map(|line| {
            let message: serde_json::Value = serde_json::from_str(line).ok()?;
            let target = &message["target"];
            let is_it = target["name"] == self.test.as_str() && target["kind"][0] == "test";
            message["executable"].as_str().filter(|_| is_it).map(PathBuf::from)
        });
        executable.ok_or_else(|| {
            Failure::unmeasured(format!(
                "cargo built the test `{}` in `{}` and did not say where it is",
                self.test,
                package.display()
            ))
        })
    }
}

/// Builds this revision's, so that whatever is wrong with it is known before anything is measured.
pub(crate) fn head(target: &Target, package: &Path) -> Result<PathBuf, Failure> {
    target.build(package, None)
}

/// Runs a command of the shell in a directory.
pub(super) fn prepare(command: &str, directory: &Path) -> Result<(), Failure> {
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let status = Command::new(shell)
        .args([flag, command])
        .current_dir(directory)
        .stdin(Stdio::null())
        // What it says is for people, and standard output is for the tests.
        .stdout(std::io::stderr())
        .status()
        .map_err(|e| Failure::unmeasured(format!("failed to start `{command}`: {e}")))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::unmeasured(format!(
        "`{command}`, which prepares the base in `{}`, ended with {status}",
        directory.display()
    )))
}

/// Cargo as it called this command, so that both revisions are built by the same one.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}
