//! Building the test target that holds the budgets, by the cargo that the project is built with.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::environment::{self, Environment};
use super::reused;
use crate::child;
use crate::failure::Failure;
use crate::links::Recording;

/// A test target, and how it is built.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// Its name: `budgets`.
    pub(crate) test: String,
    /// The cargo profile: `release`.
    pub(crate) profile: String,
    /// Further options of cargo, such as features, which are passed on as they are.
    pub(crate) options: Vec<String>,
}

/// The files that cargo built.
#[derive(Debug)]
pub(crate) struct Built {
    /// The test binary.
    pub(super) binary: PathBuf,
    /// The messages that cargo printed as JSON, one for each part of the build.
    pub(super) messages: Vec<serde_json::Value>,
}

/// The revision that is built.
#[derive(Debug, Clone, Copy)]
pub(super) enum Side<'a> {
    /// This revision, built as the user builds it.
    Head,
    /// The base, built with its own configuration into a directory that all bases share.
    Base { environment: &'a Environment, target_dir: &'a Path },
}

impl Side<'_> {
    /// Returns a command that starts the cargo that this revision is built with.
    pub(super) fn cargo(self) -> Command {
        match self {
            Side::Head => child::cargo(),
            Side::Base { environment, .. } => environment.cargo(),
        }
    }

    /// Returns how long cargo may build this revision.
    pub(super) fn timeout(self) -> Duration {
        match self {
            // The user waits for this revision's build anyway.
            Side::Head => child::FOREVER,
            Side::Base { environment, .. } => environment.program_timeout(),
        }
    }

    /// Returns the arguments by which cargo builds in the directory for this revision.
    pub(super) fn arguments(self) -> Vec<OsString> {
        match self {
            Side::Head => Vec::new(),
            Side::Base { target_dir, .. } => vec!["--target-dir".into(), target_dir.into()],
        }
    }
}

/// The way in which a revision is built. The default is cargo's own; the others serve to compare times.
#[derive(Debug, Default)]
pub(super) struct BuildMode<'a> {
    /// The packages that are compiled in one codegen unit each, as cargo's profiles name them.
    pub(super) one_unit: Vec<String>,
    /// How its link is recorded so that it can be repeated; `None` where it is not recorded.
    pub(super) recording: Option<&'a Recording>,
}

impl Built {
    /// Makes the dependencies that this revision has compiled available to the base's build; see [`reused`]. A failure
    /// is ignored, because the base can be built without them.
    pub(super) fn lend(&self, from: &Path, to: &Path) {
        let _ = reused::lend(&self.messages, from, to);
    }

    /// Builds a package that has nothing but a binary of this name, apart from the project.
    pub(crate) fn build_apart(
        manifest: &Path,
        target_dir: &Path,
        name: &str,
    ) -> Result<Built, Failure> {
        let mut cargo = child::cargo();
        cargo
            .args(["build", "--release", "--message-format", "json-render-diagnostics"])
            .arg("--manifest-path")
            .arg(manifest)
            .arg("--target-dir")
            .arg(target_dir)
            .current_dir(manifest.parent().unwrap_or(Path::new(".")))
            .stderr(Stdio::inherit());
        let output = child::run(&mut cargo, child::FOREVER)
            .map_err(|why| Failure::unmeasured(format!("failed to run cargo: {why}")))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let messages: Vec<serde_json::Value> =
            text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let own = executables(&messages, "bin").filter(|(own, _)| *own == name);
        let binary = own.map(|(_, path)| path).last().filter(|_| output.status.success());
        let binary = binary.ok_or_else(|| {
            Failure::unmeasured(format!(
                "failed to build the harness in `{}`; cargo said why above",
                manifest.parent().unwrap_or(manifest).display()
            ))
        })?;
        Ok(Built { binary, messages })
    }

    /// Returns a command that runs a harness that was built apart as if it were a test of `package`: in its directory,
    /// with the variables that name it.
    pub(crate) fn harness(&self, package: &Path) -> Command {
        let mut command = child::program(&self.binary);
        if let Some(name) = crate::project::package(package) {
            command.env("CARGO_PKG_NAME", name);
        }
        command.env("CARGO_MANIFEST_DIR", package).current_dir(package);
        command
    }
}

impl Target {
    /// Returns the arguments that select this target in a call of cargo.
    pub(crate) fn arguments(&self) -> Vec<OsString> {
        let mut arguments: Vec<OsString> =
            ["--profile", &self.profile, "--test", &self.test].map(Into::into).into();
        arguments.extend(self.options.iter().map(Into::into));
        arguments
    }

    /// Builds the target in `package` and returns the binary's path. Cargo's output goes to standard error.
    pub(super) fn build(&self, package: &Path, side: Side<'_>) -> Result<PathBuf, Failure> {
        Ok(self.build_with_messages(package, side)?.binary)
    }

    /// Builds the target as cargo does, and returns cargo's messages with the binary.
    fn build_with_messages(&self, package: &Path, side: Side<'_>) -> Result<Built, Failure> {
        let messages = self.run_cargo(package, side, &BuildMode::default())?;
        Ok(Built { binary: self.binary_in(&messages, package)?, messages })
    }

    /// Builds the target in `package` in the way that is used to compare times.
    pub(super) fn build_to_compare(
        &self,
        package: &Path,
        side: Side<'_>,
        way: &BuildMode<'_>,
    ) -> Result<PathBuf, Failure> {
        let messages = self.run_cargo(package, side, way)?;
        self.binary_in(&messages, package)
    }

    /// Builds the target in one way, and returns cargo's messages.
    fn run_cargo(
        &self,
        package: &Path,
        side: Side<'_>,
        way: &BuildMode<'_>,
    ) -> Result<Vec<serde_json::Value>, Failure> {
        let mut arguments: Vec<OsString> = vec!["test".into(), "--no-run".into()];
        arguments.extend(self.arguments());
        for member in &way.one_unit {
            let profile = &self.profile;
            let setting = format!("profile.{profile}.package.\"{member}\".codegen-units=1");
            arguments.extend(["--config".into(), setting.into()]);
        }
        arguments.extend(["--message-format", "json-render-diagnostics"].map(Into::into));
        arguments.extend(side.arguments());
        let mut cargo = side.cargo();
        if let Some(recording) = way.recording {
            recording.apply(&mut cargo)?;
        }
        cargo.args(arguments).current_dir(package).stderr(Stdio::inherit());
        let output = child::run(&mut cargo, side.timeout()).map_err(|why| {
            Failure::unmeasured(format!(
                "failed to build the test `{}` in `{}`: {}",
                self.test,
                package.display(),
                environment::describe_unfinished(&why)
            ))
        })?;
        if !output.status.success() {
            return Err(Failure::unmeasured(format!(
                "failed to build the test `{}` in `{}`; cargo said why above",
                self.test,
                package.display()
            )));
        }
        let messages = String::from_utf8_lossy(&output.stdout);
        Ok(messages.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }

    /// Finds the path of this target's binary in cargo's messages.
    fn binary_in(
        &self,
        messages: &[serde_json::Value],
        package: &Path,
    ) -> Result<PathBuf, Failure> {
        let own = executables(messages, "test").filter(|(name, _)| *name == self.test);
        own.map(|(_, path)| path).last().ok_or_else(|| {
            Failure::unmeasured(format!(
                "cargo built the test `{}` in `{}` and did not say where it is",
                self.test,
                package.display()
            ))
        })
    }
}

/// Returns the executables of a kind (`bin`, `test`) that cargo built, each with its name and its path.
pub(super) fn executables<'m>(
    messages: &'m [serde_json::Value],
    kind: &'m str,
) -> impl Iterator<Item = (&'m str, PathBuf)> {
    messages.iter().filter_map(move |message| {
        let target = &message["target"];
        let path = message["executable"].as_str().filter(|_| target["kind"][0] == kind)?;
        Some((target["name"].as_str()?, PathBuf::from(path)))
    })
}

/// Builds the target of this revision. Any mistake in it is thus reported before anything is measured.
pub(crate) fn head(target: &Target, package: &Path) -> Result<Built, Failure> {
    target.build_with_messages(package, Side::Head)
}

/// Runs a shell command that prepares the base in a directory.
pub(super) fn prepare(
    command: &str,
    directory: &Path,
    environment: &Environment,
) -> Result<(), Failure> {
    let mut shell = child::shell(command);
    environment.apply(&mut shell);
    // Its output is for people, and standard output is for the test results.
    shell.current_dir(directory).stdin(Stdio::null()).stdout(std::io::stderr());
    let status = child::status(&mut shell, environment.program_timeout()).map_err(|why| {
        Failure::unmeasured(format!(
            "`{command}`, which prepares the base in `{}`: {}",
            directory.display(),
            environment::describe_unfinished(&why)
        ))
    })?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::unmeasured(format!(
        "`{command}`, which prepares the base in `{}`, ended with {status}",
        directory.display()
    )))
}
