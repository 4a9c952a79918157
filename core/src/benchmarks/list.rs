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
    let of = |library| Listing { bench, library, ask };
    if serves(Library::Divan) {
        return Ok(Content::Divan { names: of(Library::Divan).names()? });
    }
    let serves = serves(Library::Criterion);
    if serves || has_one(CRITERION) {
        return of(Library::Criterion).criterion(serves);
    }
    if has_one(LIBTEST) {
        let names = of(Library::Libtest).names()?;
        return Ok(if names.is_empty() { Content::Standard } else { Content::Libtest { names } });
    }
    Ok(Content::Other)
}

/// A program that is asked for the list of its benchmarks.
struct Listing<'a> {
    bench: &'a Bench,
    library: Library,
    ask: Ask<'a>,
}

impl Listing<'_> {
    /// Returns the arguments that ask for the list.
    fn arguments(&self) -> &'static [&'static str] {
        match self.library {
            Library::Criterion => &["--list"],
            Library::Divan | Library::Libtest => &["--list", "--format", "terse"],
        }
    }

    /// Returns the variables that this library reads where it lists. Divan lists its benchmarks for nextest alone.
    fn variables(&self) -> &'static [(&'static str, &'static str)] {
        match self.library {
            Library::Divan => &[("NEXTEST", "1")],
            Library::Criterion | Library::Libtest => &[],
        }
    }

    /// Returns what a program with Criterion has. Its help shows which arguments this version knows.
    fn criterion(&self, serves: bool) -> Result<Content, Unmeasured> {
        let help = match self.answer(&["--help"]) {
            Ok(help) => help,
            Err(why) if why.cause == Cause::ExitedBadly => return self.without_help(serves, why),
            Err(why) => return Err(why),
        };
        if !help.contains("--sample-size") {
            let why = "it has Criterion, and `--help` does not show Criterion's help";
            return Err(self.refused(&format!("{why}; {}", advice(self.library))));
        }
        let skills =
            Abilities { exact: help.contains("--exact"), quick: help.contains("--quick"), serves };
        Ok(Content::Criterion { skills, names: self.names()? })
    }

    /// Returns what a program with Criterion has that refuses `--help`, as clap does without its feature `help`, which
    /// Criterion 0.5 does not turn on. It has to refuse an argument that nobody knows, since a program that reads no arguments
    /// accepts every one; and then it lists its benchmarks beside the arguments that it knows. `why` is said of any other program.
    fn without_help(&self, serves: bool, why: Unmeasured) -> Result<Content, Unmeasured> {
        if self.started(&["--list", UNKNOWN])?.code != REFUSES {
            return Err(why);
        }
        for (exact, quick) in [(true, true), (false, true), (false, false)] {
            let mut arguments = vec!["--list", "--noplot"];
            arguments.extend(exact.then_some("--exact"));
            arguments.extend(quick.then_some("--quick"));
            let ended = self.started(&arguments)?;
            if ended.code != REFUSES {
                let text = self.output(&arguments, ended)?;
                let names = self.own_names(&text, &self.nothing(&arguments)?)?;
                let skills = Abilities { exact, quick, serves };
                return Ok(Content::Criterion { skills, names });
            }
        }
        Err(why)
    }

    /// Returns the names of the benchmarks that the program lists.
    fn names(&self) -> Result<Vec<String>, Unmeasured> {
        let text = self.answer(self.arguments())?;
        self.own_names(&text, &self.nothing(self.arguments())?)
    }

    /// Returns what the program prints with these arguments where it is asked for a benchmark that it does not have.
    fn nothing(&self, arguments: &[&str]) -> Result<String, Unmeasured> {
        self.answer(&[arguments, &["--", NOBODY]].concat())
    }

    /// Returns the names in what a program lists. What it also prints where it lists nothing is not its library's: the set-up of a
    /// benchmark may print a line that looks like a name, or the beginning of the line in which a name is. A group with a filter of
    /// its own lists its benchmark here too. That one runs beside every other, and a process in which two run is refused.
    fn own_names(&self, text: &str, nothing: &str) -> Result<Vec<String>, Unmeasured> {
        // Criterion ends each group with an empty line, if it has listed one of its benchmarks.
        let full = |line: &&str| !line.trim().is_empty();
        let mut beside = nothing.lines().filter(full).peekable();
        let mut names = Vec::new();
        for line in text.lines().filter(full) {
            if beside.peek().is_some_and(|other| is_alike(line, other)) {
                beside.next();
            } else if self.library != Library::Libtest || !line.ends_with(TEST) {
                names.push(name_in(line).ok_or_else(|| self.unclear())?.to_owned());
            }
        }
        if beside.next().is_some() {
            return Err(self.unclear());
        }
        if names.is_empty() && text.lines().any(|line| name_in(line).is_some()) {
            return Err(self.refused("it lists its benchmarks even where another one is asked for"));
        }
        Ok(names)
    }

    /// Says that names cannot be told from what else the program prints.
    fn unclear(&self) -> Unmeasured {
        let variables: Vec<String> =
            self.variables().iter().map(|(name, value)| format!("{name}={value} ")).collect();
        let variables = variables.concat();
        let (target, arguments) = (&self.bench.target, self.arguments().join(" "));
        self.refused(&format!(
            "it prints more than its list, so that names cannot be told from the other lines; let it print these on standard \
             error, or as whole lines that are the same each time: `{variables}cargo bench --bench {target} -- {arguments}` \
             shows them"
        ))
    }

    fn aim(&self) -> String {
        format!("list the benchmarks of `{}`", self.bench.target)
    }

    /// Returns the start of the program with these arguments.
    fn step(&self, arguments: &[&str]) -> Step {
        let bench = self.bench;
        let given =
            bench.variables.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?)));
        // Where this is set, Criterion does not ask cargo where the target directory is.
        let home = std::env::temp_dir().to_string_lossy().into_owned();
        let own = self.variables().iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
        Step {
            aim: self.aim(),
            program: Program::Named(bench.binary.to_string_lossy().into_owned()),
            // Without `--bench` Criterion takes this for a test, and runs every benchmark once.
            args: ["--bench"]
                .iter()
                .chain(arguments)
                .map(|&argument| argument.to_owned())
                .collect(),
            env: given.chain([("CRITERION_HOME".to_owned(), home)]).chain(own).collect(),
            dir: bench.directory.clone(),
        }
    }

    /// Starts the program with these arguments, and returns its output.
    fn answer(&self, arguments: &[&str]) -> Result<String, Unmeasured> {
        self.output(arguments, self.started(arguments)?)
    }

    /// Starts the program with these arguments, and waits for its end.
    fn started(&self, arguments: &[&str]) -> Result<ProgramResult, Unmeasured> {
        (self.ask)(&self.step(arguments)).map_err(|why| {
            // Only a program that reads its arguments lists its benchmarks instead of running them.
            let remedy = if why.cause == Cause::TimedOut {
                format!("; {}", advice(self.library))
            } else {
                String::new()
            };
            Unmeasured { text: format!("failed to {}: {}{remedy}", self.aim(), why.text), ..why }
        })
    }

    /// Returns the output of the program, which was started with these arguments, unless it ended badly.
    fn output(&self, arguments: &[&str], ended: ProgramResult) -> Result<String, Unmeasured> {
        if ended.code == 0 {
            return Ok(String::from_utf8_lossy(&ended.stdout).into_owned());
        }
        let (given, target) = (arguments.join(" "), &self.bench.target);
        // A program that has shown its library's help, or has refused what nobody knows, reads its arguments.
        let remedy = match (self.library, arguments) {
            (Library::Criterion, ["--list", ..]) => format!(
                "each of its functions has to run to its end to name its benchmarks; \
                 `cargo bench --bench {target} -- --list` shows why"
            ),
            _ => advice(self.library).to_owned(),
        };
        let (aim, code) = (self.aim(), ended.code);
        let text =
            format!("failed to {aim}: with `{given}` it ended with exit code {code}; {remedy}");
        Err(Unmeasured { cause: Cause::ExitedBadly, text, output: ended.messages })
    }

    fn refused(&self, why: &str) -> Unmeasured {
        Unmeasured::new(Cause::Unsuitable, format!("failed to {}: {why}", self.aim()))
    }
}

/// Returns the names in what a program lists. A name that two benchmarks have is there twice.
pub fn listed(text: &str) -> Vec<String> {
    text.lines().filter_map(name_in).map(str::to_owned).collect()
}

/// Returns the name in a line of a list; `None` if the line has another form.
fn name_in(line: &str) -> Option<&str> {
    ENDINGS.iter().find_map(|end| line.strip_suffix(end))
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
