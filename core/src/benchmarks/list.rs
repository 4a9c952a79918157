//! The names of a program's benchmarks, as the program itself lists them.
//!
//! A program that contains none of the known libraries is not started at all: it may be one with a `main` of its own that
//! reads no arguments and would run for minutes.

use super::{Abilities, Content};
use crate::budget::Library;
use crate::build::{Bench, Program, ProgramResult, Step};
use crate::outcome::{Cause, Unmeasured};

/// A function that starts a program and waits for its end; see [`Start`](crate::build::Start).
pub type Ask<'a> = &'a dyn Fn(&Step) -> Result<ProgramResult, Unmeasured>;

/// The beginning of the text that every program contains which serves its benchmarks. The key of the library follows
/// it, between two spaces. A program that only reads lists contains the two parts separately, so it is not taken for
/// one that serves.
pub const SERVES: &str = "perf-budget serves benchmarks of";
/// Every program with Criterion since version 0.3.4 contains one of these texts: the end of its help, and the variable
/// that says where its records go. The optimiser of the whole program (`lto = true`) takes short texts such as the
/// variable apart into instructions, and leaves out the help of a program that never reads its arguments.
const CRITERION: [&str; 2] = ["This executable is a Criterion.rs benchmark", "CRITERION_HOME"];
/// Every program with the standard test harness contains one of these texts: its help, and one of its variables.
const LIBTEST: [&str; 2] =
    ["The FILTER string is tested against the name of all tests", "RUST_TEST_THREADS"];
/// An argument that no version of Criterion knows.
const UNKNOWN: &str = "--no-argument-of-criterion";
/// The exit code of clap, by which Criterion reads its arguments, for an argument that it does not know.
const REFUSES: i32 = 2;
/// How the lines of the list end, in different versions of Criterion.
const ENDINGS: [&str; 2] = [": benchmark", ": bench"];

/// Returns what a program has.
///
/// # Errors
/// If it has a known library and does not list its benchmarks.
pub fn list(bench: &Bench, ask: Ask<'_>) -> Result<Content, Unmeasured> {
    let bytes = std::fs::read(&bench.binary).map_err(|e| {
        let text = format!("failed to read the benchmarks `{}`: {e}", bench.binary.display());
        Unmeasured::new(Cause::Harness, text)
    })?;
    let has = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    let has_one = |texts: [&str; 2]| texts.into_iter().any(has);
    let serves = |library: Library| has(&format!("{SERVES} {} ", library.key()));
    if serves(Library::Divan) {
        // Divan lists its benchmarks for nextest alone.
        let arguments = ["--list", "--format", "terse"];
        let text = answer(bench, Library::Divan, &arguments, &[("NEXTEST", "1")], ask)?;
        return Ok(Content::Divan { names: listed(&text) });
    }
    let serves = serves(Library::Criterion);
    if serves || has_one(CRITERION) {
        return criterion(bench, serves, ask);
    }
    if has_one(LIBTEST) {
        let arguments = ["--list", "--format", "terse"];
        let text = answer(bench, Library::Libtest, &arguments, &[], ask)?;
        let names = listed(&text);
        return Ok(if names.is_empty() { Content::Standard } else { Content::Libtest { names } });
    }
    Ok(Content::Other)
}

/// Returns what a program with Criterion has. Its help shows which arguments this version knows.
fn criterion(bench: &Bench, serves: bool, ask: Ask<'_>) -> Result<Content, Unmeasured> {
    let help = match answer(bench, Library::Criterion, &["--help"], &[], ask) {
        Ok(help) => help,
        Err(why) if why.cause == Cause::ExitedBadly => {
            return without_help(bench, serves, why, ask);
        }
        Err(why) => return Err(why),
    };
    if !help.contains("--sample-size") {
        let why = "it has Criterion, and `--help` does not show Criterion's help";
        return Err(refused(bench, &format!("{why}; {}", advice(Library::Criterion))));
    }
    let skills =
        Abilities { exact: help.contains("--exact"), quick: help.contains("--quick"), serves };
    let text = answer(bench, Library::Criterion, &["--list"], &[], ask)?;
    Ok(Content::Criterion { skills, names: listed(&text) })
}

/// Returns what a program with Criterion has that refuses `--help`, as clap does without its feature `help`, which
/// Criterion 0.5 does not turn on. It has to refuse an argument that nobody knows, since a program that reads no arguments
/// accepts every one; and then it lists its benchmarks beside the arguments that it knows. `why` is said of any other program.
fn without_help(
    bench: &Bench,
    serves: bool,
    why: Unmeasured,
    ask: Ask<'_>,
) -> Result<Content, Unmeasured> {
    let library = Library::Criterion;
    if started(bench, library, &["--list", UNKNOWN], &[], ask)?.code != REFUSES {
        return Err(why);
    }
    for (exact, quick) in [(true, true), (false, true), (false, false)] {
        let mut arguments = vec!["--list", "--noplot"];
        arguments.extend(exact.then_some("--exact"));
        arguments.extend(quick.then_some("--quick"));
        let ended = started(bench, library, &arguments, &[], ask)?;
        if ended.code != REFUSES {
            let text = output(bench, library, &arguments, ended)?;
            let skills = Abilities { exact, quick, serves };
            return Ok(Content::Criterion { skills, names: listed(&text) });
        }
    }
    Err(why)
}

/// Returns the names in what a program lists. A name that two benchmarks have is there twice.
pub fn listed(text: &str) -> Vec<String> {
    let name =
        |line: &str| ENDINGS.iter().find_map(|end| line.strip_suffix(end).map(str::to_owned));
    text.lines().filter_map(name).collect()
}

fn aim(bench: &Bench) -> String {
    format!("list the benchmarks of `{}`", bench.target)
}

/// Returns the start of a program with these arguments and variables.
fn step(bench: &Bench, arguments: &[&str], variables: &[(&str, &str)]) -> Step {
    let mut env = environment(&bench.package, bench);
    env.extend(variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())));
    Step {
        aim: aim(bench),
        program: Program::Named(bench.binary.to_string_lossy().into_owned()),
        // Without `--bench` Criterion takes this for a test, and runs every benchmark once.
        args: ["--bench"].iter().chain(arguments).map(|&argument| argument.to_owned()).collect(),
        env,
        dir: bench.directory.clone(),
    }
}

/// Starts the program with these arguments and variables, and returns its output.
fn answer(
    bench: &Bench,
    library: Library,
    arguments: &[&str],
    variables: &[(&str, &str)],
    ask: Ask<'_>,
) -> Result<String, Unmeasured> {
    let ended = started(bench, library, arguments, variables, ask)?;
    output(bench, library, arguments, ended)
}

/// Starts the program with these arguments and variables, and waits for its end.
fn started(
    bench: &Bench,
    library: Library,
    arguments: &[&str],
    variables: &[(&str, &str)],
    ask: Ask<'_>,
) -> Result<ProgramResult, Unmeasured> {
    let step = step(bench, arguments, variables);
    ask(&step).map_err(|why| {
        // Only a program that reads its arguments lists its benchmarks instead of running them.
        let remedy = if why.cause == Cause::TimedOut {
            format!("; {}", advice(library))
        } else {
            String::new()
        };
        Unmeasured { text: format!("failed to {}: {}{remedy}", step.aim, why.text), ..why }
    })
}

/// Returns the output of a program that was started with these arguments, unless it ended badly.
fn output(
    bench: &Bench,
    library: Library,
    arguments: &[&str],
    ended: ProgramResult,
) -> Result<String, Unmeasured> {
    if ended.code != 0 {
        let (given, target) = (arguments.join(" "), &bench.target);
        let text = format!(
            "failed to {}: with `{given}` it ended with exit code {}",
            aim(bench),
            ended.code
        );
        // A program that has shown its library's help, or has refused what nobody knows, reads its arguments.
        let remedy = match (library, arguments) {
            (Library::Criterion, ["--list", ..]) => {
                let shown = format!("`cargo bench --bench {target} -- --list` shows why");
                format!(
                    "each of its functions has to run to its end to name its benchmarks; {shown}"
                )
            }
            _ => advice(library).to_owned(),
        };
        let text = format!("{text}; {remedy}");
        return Err(Unmeasured { cause: Cause::ExitedBadly, text, output: ended.messages });
    }
    Ok(String::from_utf8_lossy(&ended.stdout).into_owned())
}

/// Says what a program of a library must do so that it lists its benchmarks.
fn advice(library: Library) -> &'static str {
    match library {
        Library::Criterion => {
            "its `main` must call `configure_from_args`, as `criterion_main!` does"
        }
        Library::Divan => {
            "its `main` must call `divan::main()`, or `divan::Divan::from_args().main()`, and do nothing else that can fail"
        }
        Library::Libtest => {
            "a bench target of the standard test harness has no `main` of its own: leave out `harness = false`, or limit \
             the benchmarks of its library"
        }
    }
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
