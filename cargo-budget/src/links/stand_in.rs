//! Standing in for the compiler and for the linker, by another name of this command.
//!
//! Cargo starts the compiler through a wrapper, which is this command. It passes everything on, and only where the one
//! target is compiled that is wanted does it name another linker: again this command, which has the user's own linker
//! do the work and keeps what that was given. So the user's linker is whichever the compiler's arguments name in
//! the end, be it by the configuration or by flags; and nothing is compiled in another way, so that cargo takes what was
//! built for what it would have built itself.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use serde::{Deserialize, Serialize};

use super::kept::{Kept, ends};
use crate::child;
use crate::failure::Failure;

/// The name under which this command is the compiler's wrapper.
const WRAPPER: &str = "perf-budget-rustc";
/// The directory in which it has the names of linkers: the compiler guesses by its linker's name what kind it is.
const LINKERS: &str = "perf-budget-linker";
/// What is wanted, for the wrapper and for the linker.
const VARIABLE: &str = "PERF_BUDGET_KEEP";
/// The user's own linker, for the linker.
const LINKER: &str = "PERF_BUDGET_KEEP_LINKER";
/// The compiler's own choice where nobody names one.
const USUAL: &str = "cc";

/// Whose last link is kept, and where.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Keeping {
    /// The file that the target begins with.
    pub(crate) source: PathBuf,
    /// The directory for what is kept.
    pub(crate) keep: PathBuf,
    /// The user's own wrapper of the compiler.
    pub(crate) wrapper: Option<PathBuf>,
}

impl Keeping {
    /// Has the compiler that `cargo` starts keep it.
    pub(crate) fn apply(&self, cargo: &mut Command) -> Result<(), Failure> {
        let wrapper = self.keep.join(WRAPPER);
        name_this(&wrapper).map_err(|e| Failure::io("link", &wrapper, &e))?;
        let wanted = serde_json::to_string(self)
            .map_err(|e| Failure::unmeasured(format!("failed to name what is kept: {e}")))?;
        cargo.env("RUSTC_WRAPPER", wrapper).env(VARIABLE, wanted);
        Ok(())
    }

    fn of_environment() -> Option<Keeping> {
        serde_json::from_str(&env::var(VARIABLE).ok()?).ok()
    }
}

/// Does another program's work, where this process was started by that one's name.
///
/// # Errors
/// Where that program cannot be started.
pub(crate) fn stand_in() -> Option<Result<ExitCode, String>> {
    let mut arguments = env::args_os();
    let called = PathBuf::from(arguments.next()?);
    let given: Vec<OsString> = arguments.collect();
    if called.file_name()? == WRAPPER {
        return Some(compile(given).map(exit));
    }
    (called.parent()?.file_name()? == LINKERS).then(|| link(&given).map(exit))
}

/// Another name of this command.
fn name_this(name: &Path) -> io::Result<()> {
    let this = env::current_exe()?;
    if fs::read_link(name).is_ok_and(|known| known == this) {
        return Ok(());
    }
    if let Some(directory) = name.parent() {
        fs::create_dir_all(directory)?;
    }
    match fs::remove_file(name) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    #[cfg(unix)]
    return std::os::unix::fs::symlink(this, name);
    #[cfg(not(unix))]
    return fs::hard_link(this, name);
}

fn exit(code: i32) -> ExitCode {
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

fn run(program: &OsString, command: &mut Command) -> Result<i32, String> {
    let status = command.status();
    let status = status.map_err(|e| format!("failed to start `{}`: {e}", program.display()))?;
    // One that a signal ended has no code.
    Ok(status.code().unwrap_or(1))
}

/// The compiler, called as cargo called this one.
fn compile(mut given: Vec<OsString>) -> Result<i32, String> {
    let keeping = Keeping::of_environment();
    if let Some(wrapper) = keeping.as_ref().and_then(|keeping| keeping.wrapper.clone()) {
        given.insert(0, wrapper.into());
    }
    let (program, arguments) = given.split_first().ok_or("cargo named no compiler")?;
    let mut command = child::inheriting(program);
    command.args(arguments);
    if let Some(keeping) = keeping
        && let Some(linker) = linker(arguments, &keeping.source)
    {
        let name = Path::new(&linker).file_name().unwrap_or(USUAL.as_ref());
        let keeper = keeping.keep.join(LINKERS).join(name);
        name_this(&keeper).map_err(|e| format!("failed to link `{}`: {e}", keeper.display()))?;
        let mut chosen = OsString::from("linker=");
        chosen.push(&keeper);
        command.arg("-C").arg(chosen).env(LINKER, linker);
    }
    run(program, &mut command)
}

/// The linker that these arguments of the compiler choose, where they make a program for Linux of `source`.
fn linker(arguments: &[OsString], source: &Path) -> Option<String> {
    let arguments: Vec<&str> =
        arguments.iter().map(|argument| argument.to_str()).collect::<Option<_>>()?;
    let is_source = |argument: &&&str| {
        ends(argument, "rs")
            && Path::new(argument).canonicalize().ok() == source.canonicalize().ok()
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
    let named = codegen(&arguments, "linker").unwrap_or_else(|| USUAL.to_owned());
    Some(named)
}

/// The last value of an option of the compiler's.
fn option<'a>(arguments: &[&'a str], name: &str) -> Option<&'a str> {
    let pairs = arguments.iter().zip(arguments.iter().skip(1));
    let apart = pairs.filter(|(option, _)| **option == name).map(|(_, value)| *value);
    let joined = arguments.iter().filter_map(|a| a.strip_prefix(name)?.strip_prefix('='));
    apart.chain(joined).last()
}

/// The last value of an option of code generation, in whichever of its forms.
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

/// The user's own linker, which the compiler called by this name.
fn link(given: &[OsString]) -> Result<i32, String> {
    let linker = env::var(LINKER).map_err(|e| format!("failed to find the linker: {e}"))?;
    let mut command = child::inheriting(&linker);
    command.args(given).env_remove(VARIABLE).env_remove(LINKER);
    let code = run(&OsString::from(&linker), &mut command)?;
    let texts: Option<Vec<String>> =
        given.iter().map(|argument| argument.to_str().map(str::to_owned)).collect();
    if let (0, Some(keeping), Some(given)) = (code, Keeping::of_environment(), texts) {
        // Where that fails nothing was kept, which whoever wants it will see.
        let _ = Kept::keep(&keeping.keep, &linker, &given);
    }
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_linker_is_the_one_that_is_named_last() {
        let place = tempfile::tempdir().unwrap();
        let source = place.path().join("budgets.rs");
        fs::write(&source, "").unwrap();
        let text = source.to_str().unwrap();
        let check = |arguments: &[&str], want: Option<&str>| {
            let arguments: Vec<OsString> = arguments.iter().map(Into::into).collect();
            assert_eq!(linker(&arguments, &source).as_deref(), want, "{arguments:?}");
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
