//! This command in place of the compiler and of the linker, under other names.
//!
//! Cargo starts the compiler through a wrapper, which is this command. The wrapper passes everything on. For the targets
//! whose links are recorded, it also names another linker, which is this command again: it starts the user's own linker and
//! records the linker's arguments. The user's linker is the one that the compiler's arguments name last, whether by the
//! configuration or by flags. Nothing is compiled differently, so cargo regards the result as its own build.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use perf_budget_core::build::hold;
use serde::{Deserialize, Serialize};

use super::more;
use super::record::{Record, has_extension};
use crate::child;
use crate::failure::Failure;

/// The name under which this command acts as the compiler's wrapper.
const WRAPPER: &str = "perf-budget-rustc";
/// The directory in which this command is found under the names of linkers. The compiler guesses the kind of a linker from
/// its name.
const LINKERS: &str = "perf-budget-linker";
/// The variable that tells the wrapper and the linker which link to record, as JSON.
const VARIABLE: &str = "PERF_BUDGET_RECORD_LINK";
/// The variable that names the user's own linker.
const LINKER: &str = "PERF_BUDGET_RECORD_LINKER";
/// The linker that the compiler uses if nothing names one.
const DEFAULT: &str = "cc";

/// The targets whose last links are recorded, and the directory for the records.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Recording {
    /// The main source file of each target.
    pub(crate) sources: Vec<PathBuf>,
    /// The directory for the records.
    pub(crate) records: PathBuf,
    /// The user's own compiler wrapper.
    pub(crate) wrapper: Option<PathBuf>,
}

impl Recording {
    /// Sets up a call of cargo so that the link is recorded.
    pub(crate) fn apply(&self, cargo: &mut Command) -> Result<(), Failure> {
        let wrapper = self.records.join(WRAPPER);
        hold(&wrapper).map_err(|e| Failure::io("link", &wrapper, &e))?;
        let wanted = serde_json::to_string(self)
            .map_err(|e| Failure::unmeasured(format!("failed to describe the link: {e}")))?;
        cargo.env("RUSTC_WRAPPER", wrapper).env(VARIABLE, wanted);
        Ok(())
    }

    /// Returns what this process is to record, if a variable says so.
    fn from_environment() -> Option<Recording> {
        serde_json::from_str(&env::var(VARIABLE).ok()?).ok()
    }
}

/// Acts as the compiler's wrapper or as the linker, where this process was started under such a name. Returns `None`
/// where it was not.
///
/// # Errors
/// Returns the reason why the compiler or the linker could not be started.
pub(crate) fn act_as_wrapper() -> Option<Result<ExitCode, String>> {
    let mut arguments = env::args_os();
    let called = PathBuf::from(arguments.next()?);
    let given: Vec<OsString> = arguments.collect();
    if called.file_name()? == WRAPPER {
        return Some(compile(given).map(exit));
    }
    if called.file_name()? == more::NAME {
        return Some(more::make(&given).map(|()| ExitCode::SUCCESS));
    }
    (called.parent()?.file_name()? == LINKERS).then(|| link(&given).map(exit))
}

fn exit(code: i32) -> ExitCode {
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

fn run(program: &OsString, command: &mut Command) -> Result<i32, String> {
    let status = command.status();
    let status = status.map_err(|e| format!("failed to start `{}`: {e}", program.display()))?;
    // A program that was ended by a signal has no exit code.
    Ok(status.code().unwrap_or(1))
}

/// Runs the compiler with the arguments that cargo gave, and returns its exit code.
fn compile(mut given: Vec<OsString>) -> Result<i32, String> {
    let recording = Recording::from_environment();
    if let Some(wrapper) = recording.as_ref().and_then(|recording| recording.wrapper.clone()) {
        given.insert(0, wrapper.into());
    }
    let (program, arguments) = given.split_first().ok_or("cargo named no compiler")?;
    let mut command = child::inheriting(program);
    command.args(arguments);
    if let Some(recording) = recording
        && let Some(linker) = linker(arguments, &recording.sources)
    {
        let name = Path::new(&linker).file_name().unwrap_or(DEFAULT.as_ref());
        let recorder = recording.records.join(LINKERS).join(name);
        hold(&recorder).map_err(|e| format!("failed to link `{}`: {e}", recorder.display()))?;
        let mut chosen = OsString::from("linker=");
        chosen.push(&recorder);
        command.arg("-C").arg(chosen).env(LINKER, linker);
    }
    run(program, &mut command)
}

/// Returns the linker that the compiler's arguments choose, if they compile a program for Linux from one of `sources`.
fn linker(arguments: &[OsString], sources: &[PathBuf]) -> Option<String> {
    let arguments: Vec<&str> =
        arguments.iter().map(|argument| argument.to_str()).collect::<Option<_>>()?;
    let is_source = |argument: &&&str| {
        let path = has_extension(argument, "rs")
            .then(|| Path::new(argument).canonicalize().ok())
            .flatten();
        path.is_some_and(|path| {
            sources.iter().any(|own| own.canonicalize().is_ok_and(|own| own == path))
        })
    };
    arguments.iter().find(is_source)?;
    let emits = arguments.iter().any(|argument| {
        argument
            .strip_prefix("--emit=")
            .is_some_and(|kinds| kinds.split(',').any(|kind| kind == "link"))
    });
    if !emits || option(&arguments, "--target").is_some_and(|target| !target.contains("-linux")) {
        return None;
    }
    codegen(&arguments, "linker").or_else(|| Some(DEFAULT.to_owned()))
}

/// Returns the last value of a compiler option.
fn option<'a>(arguments: &[&'a str], name: &str) -> Option<&'a str> {
    let pairs = arguments.iter().zip(arguments.iter().skip(1));
    let apart = pairs.filter(|(option, _)| **option == name).map(|(_, value)| *value);
    let joined = arguments.iter().filter_map(|a| a.strip_prefix(name)?.strip_prefix('='));
    apart.chain(joined).last()
}

/// Returns the last value of a code generation option, in any of its forms.
fn codegen(arguments: &[&str], name: &str) -> Option<String> {
    let mut last = None;
    let mut before = "";
    for argument in arguments {
        let text = match before {
            "-C" | "--codegen" => Some(*argument),
            _ => argument.strip_prefix("-C").or_else(|| argument.strip_prefix("--codegen=")),
        };
        let value = text.and_then(|text| text.strip_prefix(name)?.strip_prefix('='));
        last = value.or(last);
        before = argument;
    }
    last.map(str::to_owned)
}

/// Runs the user's own linker with the arguments that the compiler gave, and records the link.
fn link(given: &[OsString]) -> Result<i32, String> {
    let linker = env::var(LINKER).map_err(|e| format!("failed to find the linker: {e}"))?;
    let mut command = child::inheriting(&linker);
    command.args(given).env_remove(VARIABLE).env_remove(LINKER);
    let code = run(&OsString::from(&linker), &mut command)?;
    let texts: Option<Vec<String>> =
        given.iter().map(|argument| argument.to_str().map(str::to_owned)).collect();
    if let (0, Some(recording), Some(given)) = (code, Recording::from_environment(), texts) {
        // If this fails, there is no record, and the code that needs it reports that.
        let _ = Record::write(&recording.records, &linker, &given);
    }
    Ok(code)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_linker_that_is_named_last_is_used() {
        let place = tempfile::tempdir().unwrap();
        let source = place.path().join("budgets.rs");
        fs::write(&source, "").unwrap();
        let text = source.to_str().unwrap();
        let check = |arguments: &[&str], want: Option<&str>| {
            let arguments: Vec<OsString> = arguments.iter().map(Into::into).collect();
            assert_eq!(
                linker(&arguments, std::slice::from_ref(&source)).as_deref(),
                want,
                "{arguments:?}"
            );
        };
        check(&[text, "--emit=dep-info,link"], Some("cc"));
        check(&[text, "--emit=dep-info,metadata"], None);
        check(&["/elsewhere/budgets.rs", "--emit=link"], None);
        check(&[text, "--emit=link", "-C", "linker=clang", "-C", "opt-level=3"], Some("clang"));
        check(&[text, "--emit=link", "-C", "linker=clang", "-Clinker=/x/mold"], Some("/x/mold"));
        check(&[text, "--emit=link", "--codegen=linker=a", "--codegen", "linker=b"], Some("b"));
        check(&[text, "--emit=link", "--target", "aarch64-unknown-linux-gnu"], Some("cc"));
        check(&[text, "--emit=link", "--target=x86_64-pc-windows-gnu"], None);
        check(&[text, "--emit=link", "-C", "linker-flavor=gnu-cc"], Some("cc"));
    }
}
