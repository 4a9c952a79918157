//! How the process of a command is started: its directory, variables, input and constraint.

use std::path::Path;

use perf_budget_core::budget::Command;
use perf_budget_core::outcome::{Cause, Unmeasured};

use super::codes::Codes;
use super::ready::Signal;
use crate::exec::{Alike, Changes, Input, Launch, Parent};

/// Where a command runs, and how it may end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    /// The directory.
    pub(crate) root: &'a Path,
    /// The differences of the environment from that of this process. The command's own variables come on top.
    pub(crate) environment: &'a Changes,
    /// The exit codes with which the command may end.
    pub(crate) codes: &'a Codes,
    /// Whether this is the command's first run, in which it is watched for longer.
    pub(crate) is_first: bool,
    /// The lengths to which its paths and its environment are padded, if another run is compared with it.
    pub(crate) alike: Option<&'a Alike>,
}

/// Returns the launch of a command in its place.
pub(super) fn launch(
    command: &Command,
    Place { root, environment, alike, .. }: Place<'_>,
    signal: Option<&Signal>,
) -> Result<Launch, Unmeasured> {
    let mut argv = command.argv.clone();
    if argv.is_empty() {
        return Err(Unmeasured::new(Cause::NotFound, "the command is empty; name a program"));
    }
    let mut launch = Launch::new(argv.remove(0));
    launch.args = argv.into_iter().map(Into::into).collect();
    launch.change_environment(environment);
    for (name, value) in &command.env {
        launch.env.push((name.into(), value.into()));
    }
    // An empty path stands for the current directory.
    let dir = command.cwd.as_ref().map_or_else(|| root.to_owned(), |cwd| root.join(cwd));
    if let Some(cwd) = command.cwd.as_ref().filter(|_| !dir.is_dir()) {
        let text = format!(
            "`cwd` names `{cwd}`, and there is no such directory; make it, or correct the path"
        );
        return Err(Unmeasured::new(Cause::Missing, text));
    }
    launch.dir = (!dir.as_os_str().is_empty()).then_some(dir);
    launch.parent = Parent::Relay;
    launch.constraint = command.constraint;
    launch.alike = alike.cloned();
    if let Some(file) = &command.stdin {
        // The process that opens it may be in another directory.
        let file = root.join(file);
        let missing = |e: std::io::Error| {
            let text = format!("failed to open `{}`, which `stdin` names: {e}", file.display());
            Unmeasured::new(Cause::Missing, text)
        };
        std::fs::File::open(&file).map_err(missing)?;
        launch.stdin = Input::File(std::path::absolute(&file).map_err(missing)?);
    }
    if let Some(signal) = signal {
        if launch.stdin == Input::Null {
            launch.stdin = Input::Open;
        }
        launch.watch = signal.watch();
    }
    Ok(launch)
}
