//! The names of a program's benchmarks, as the program itself lists them.
//!
//! A program that does not contain Criterion is not started at all: it may be a benchmark of another library, or one
//! with a `main` of its own that reads no arguments and would run for minutes.

use super::{Content, Skills};
use crate::build::{Bench, Ended, Program, Step};
use crate::outcome::{Cause, Unmeasured};

/// A function that starts a program and waits for its end; see [`Start`](crate::build::Start).
pub type Ask<'a> = &'a dyn Fn(&Step) -> Result<Ended, Unmeasured>;

/// A text that every program with Criterion contains since version 0.3.4: the variable that says where its records go.
const MARK: &[u8] = b"CRITERION_HOME";
/// How the lines of the list end, in different versions of Criterion.
const ENDINGS: [&str; 2] = [": benchmark", ": bench"];

/// Returns what a program has.
///
/// # Errors
/// If it has Criterion and does not list its benchmarks.
pub fn list(bench: &Bench, ask: Ask<'_>) -> Result<Content, Unmeasured> {
    let bytes = std::fs::read(&bench.binary).map_err(|e| {
        let text = format!("failed to read the benchmarks `{}`: {e}", bench.binary.display());
        Unmeasured::new(Cause::Harness, text)
    })?;
    if !bytes.windows(MARK.len()).any(|window| window == MARK) {
        return Ok(Content::Other);
    }
    let help = answer(bench, "--help", ask)?;
    if !help.contains("--sample-size") {
        return Err(refused(
            bench,
            "it has Criterion, and `--help` does not show Criterion's help",
        ));
    }
    let skills = Skills { exact: help.contains("--exact"), quick: help.contains("--quick") };
    let listed = answer(bench, "--list", ask)?;
    let name =
        |line: &str| ENDINGS.iter().find_map(|end| line.strip_suffix(end).map(str::to_owned));
    let mut names: Vec<String> = Vec::new();
    for name in listed.lines().filter_map(name) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(Content::Criterion { skills, names })
}

/// Starts the program with one argument, and returns its output.
fn answer(bench: &Bench, argument: &str, ask: Ask<'_>) -> Result<String, Unmeasured> {
    let step = Step {
        aim: format!("list the benchmarks of `{}`", bench.target),
        program: Program::Named(bench.binary.to_string_lossy().into_owned()),
        // Without `--bench` Criterion takes this for a test, and runs every benchmark once.
        args: vec!["--bench".to_owned(), argument.to_owned()],
        env: environment(&bench.package, bench),
        dir: bench.directory.clone(),
    };
    let ended = ask(&step).map_err(|why| Unmeasured {
        text: format!("failed to {}: {}", step.aim, why.text),
        ..why
    })?;
    if ended.code != 0 {
        let text = format!(
            "failed to {}: with `{argument}` it ended with exit code {}; its `main` must call `configure_from_args`, as `criterion_main!` does",
            step.aim, ended.code
        );
        return Err(Unmeasured { cause: Cause::ExitedBadly, text, output: ended.messages });
    }
    Ok(String::from_utf8_lossy(&ended.stdout).into_owned())
}

fn environment(package: &str, bench: &Bench) -> Vec<(String, String)> {
    let directory = bench.directory.to_string_lossy().into_owned();
    // Where this is set, Criterion does not ask cargo where the target directory is.
    let home = std::env::temp_dir().to_string_lossy().into_owned();
    [
        ("CARGO_MANIFEST_DIR", directory),
        ("CARGO_PKG_NAME", package.to_owned()),
        ("CRITERION_HOME", home),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

fn refused(bench: &Bench, why: &str) -> Unmeasured {
    let text = format!("failed to list the benchmarks of `{}`: {why}", bench.target);
    Unmeasured::new(Cause::Unsuitable, text)
}
