//! The names of a program's benchmarks, as the program itself lists them.
//!
//! A program that contains none of the known libraries is not started at all: it may be one with a `main` of its own that
//! reads no arguments and would run for minutes.

use std::collections::HashSet;

use super::{Abilities, Content};
use crate::budget::Library;
use crate::build::{Bench, Program, ProgramResult, Step};
use crate::outcome::{Cause, Unmeasured};

/// A function that starts a program and waits for its end; see [`Start`](crate::build::Start).
pub type Ask<'a> = &'a dyn Fn(&Step) -> Result<ProgramResult, Unmeasured>;

/// The beginning of the text that is in every program that serves its benchmarks. The key of the library follows it,
/// between two spaces. A program that only reads lists contains the two parts separately, so it is not taken for one
/// that serves.
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
/// A name that no benchmark has. As a regular expression it matches none either.
const NOBODY: &str = "no benchmark has this name, which perf-budget asks for";
/// How the lines of the list end, in different versions of Criterion.
const ENDINGS: [&str; 2] = [": benchmark", ": bench"];

/// How the line of a test ends, which the standard test harness lists beside its benchmarks.
const TEST: &str = ": test";

/// Returns the benchmarks of a program.
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
        let names = names(bench, Library::Divan, &arguments, &[("NEXTEST", "1")], ask)?;
        return Ok(Content::Divan { names });
    }
    let serves = serves(Library::Criterion);
    if serves || has_one(CRITERION) {
        return criterion(bench, serves, ask);
    }
    if has_one(LIBTEST) {
        let arguments = ["--list", "--format", "terse"];
        let names = names(bench, Library::Libtest, &arguments, &[], ask)?;
        return Ok(if names.is_empty() { Content::Standard } else { Content::Libtest { names } });
    }
    Ok(Content::Other)
}

/// Returns the benchmarks of a program with Criterion. Its help shows which arguments this version knows.
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
    let names = names(bench, Library::Criterion, &["--list"], &[], ask)?;
    Ok(Content::Criterion { skills, names })
}

/// Returns the benchmarks of a program with Criterion that refuses `--help`. Clap refuses it without its feature `help`,
/// which Criterion 0.5 does not turn on. First the program has to refuse an argument that no version knows, since a program
/// that reads no arguments accepts every one. Then it lists its benchmarks with the most arguments that it accepts. `why` is
/// the error for any other program.
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
            let names = own_names(
                (bench, library),
                &text,
                &nothing(bench, library, &arguments, &[], ask)?,
            )?;
            let skills = Abilities { exact, quick, serves };
            return Ok(Content::Criterion { skills, names });
        }
    }
    Err(why)
}

/// Returns the names in the list that a program prints. A name that two benchmarks have is there twice.
pub fn listed(text: &str) -> Vec<String> {
    text.lines().filter_map(name_in).map(str::to_owned).collect()
}

/// Returns the name in a line of a list; `None` if the line has another form.
fn name_in(line: &str) -> Option<&str> {
    ENDINGS.iter().find_map(|end| line.strip_suffix(end))
}

/// Returns the names of the benchmarks that a program lists with these arguments.
fn names(
    bench: &Bench,
    library: Library,
    arguments: &[&str],
    variables: &[(&str, &str)],
    ask: Ask<'_>,
) -> Result<Vec<String>, Unmeasured> {
    let text = answer(bench, library, arguments, variables, ask)?;
    own_names((bench, library), &text, &nothing(bench, library, arguments, variables, ask)?)
}

/// Returns what a program prints with these arguments if the filter is a benchmark that it does not have.
fn nothing(
    bench: &Bench,
    library: Library,
    arguments: &[&str],
    variables: &[(&str, &str)],
    ask: Ask<'_>,
) -> Result<String, Unmeasured> {
    answer(bench, library, &[arguments, &["--", NOBODY]].concat(), variables, ask)
}

/// Returns the names in `text`, the list that a program prints. `nothing` is what it prints where it lists no benchmark.
/// Such lines are not from its library: the set-up of a benchmark may print a line that looks like a name, or the beginning
/// of the line in which a name is.
fn own_names(
    (bench, library): (&Bench, Library),
    text: &str,
    nothing: &str,
) -> Result<Vec<String>, Unmeasured> {
    let unclear = || {
        let of = bench.target.as_str();
        let asked = match library {
            Library::Criterion => format!("cargo bench --bench {of} -- --list"),
            Library::Libtest => format!("cargo bench --bench {of} -- --list --format terse"),
            Library::Divan => {
                format!("NEXTEST=1 cargo bench --bench {of} -- --list --format terse")
            }
        };
        refused(
            bench,
            &format!(
                "it prints more than its list, so that names cannot be told from the other lines; let it print these on standard \
                 error, or as whole lines that are the same each time: `{asked}` shows them"
            ),
        )
    };
    // Criterion ends each group with an empty line, if it has listed one of its benchmarks.
    let full = |line: &&str| !line.trim().is_empty();
    let mut beside = nothing.lines().filter(full).peekable();
    let (mut names, mut endings, mut dropped) = (Vec::new(), HashSet::new(), Vec::new());
    for line in text.lines().filter(full) {
        if beside.peek().is_some_and(|other| is_alike(line, other)) {
            beside.next();
            dropped.extend(name_in(line).map(|name| (name, &line[name.len()..])));
        } else if library != Library::Libtest || !line.ends_with(TEST) {
            let name = name_in(line).ok_or_else(unclear)?;
            endings.insert(&line[name.len()..]);
            names.push(name.to_owned());
        }
    }
    if beside.next().is_some() {
        return Err(unclear());
    }
    // A line that ends as the list does may be a benchmark that is listed whatever is asked for.
    let is_other = |name: &str| names.iter().all(|own| own != name);
    if dropped.iter().any(|(name, ending)| endings.contains(ending) && is_other(name)) {
        return Err(unclear());
    }
    if names.is_empty() && text.lines().any(|line| name_in(line).is_some()) {
        return Err(refused(bench, "it lists its benchmarks even where another one is asked for"));
    }
    Ok(names)
}

/// Whether two lines are the same, or differ in their figures alone and have no name.
fn is_alike(one: &str, other: &str) -> bool {
    let words = |line: &str| -> Vec<String> {
        line.split(|c: char| c.is_ascii_digit())
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    };
    one == other || name_in(one).is_none() && name_in(other).is_none() && words(one) == words(other)
}

fn aim(bench: &Bench) -> String {
    format!("list the benchmarks of `{}`", bench.target)
}

/// Returns the start of a program with these arguments and variables.
fn step(bench: &Bench, arguments: &[&str], variables: &[(&str, &str)]) -> Step {
    let given =
        bench.variables.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?)));
    // Where this is set, Criterion does not ask cargo where the target directory is.
    let home = std::env::temp_dir().to_string_lossy().into_owned();
    let mut env: Vec<(String, String)> =
        given.chain([("CRITERION_HOME".to_owned(), home)]).collect();
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

fn refused(bench: &Bench, why: &str) -> Unmeasured {
    let text = format!("failed to list the benchmarks of `{}`: {why}", bench.target);
    Unmeasured::new(Cause::Unsuitable, text)
}
