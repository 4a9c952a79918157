//! The harness: it makes libtest-mimic trials from budgets and workloads. This is the only file that knows
//! libtest-mimic.

mod arguments;
mod runner;
mod summary;

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use libtest_mimic::{Arguments, ColorSetting, Completion, Failed as Red, FormatSetting, Trial};
use perf_budget_core::budget::Subject;
use perf_budget_core::error::Error;
use perf_budget_core::outcome::{Cause, Outcome};
use perf_budget_core::report::count::{Tests, count};
use perf_budget_core::report::table::{self, Colour};
use perf_budget_core::report::{github, terminal};
use perf_budget_core::selftest::{Request, SELFTESTED};
use perf_budget_core::verdict::Verdict;
use perf_budget_core::{budget, paths, record};

use self::arguments::Selection;
use crate::progress;
use crate::run::{self, Failed, Run, Workload};
use crate::session::Session;
use crate::session::shard::Shard;
use crate::{exec, profile, selftest};

/// The exit code if `budgets.toml` has mistakes or the harness cannot work.
const UNUSABLE: u8 = 2;

/// The remedy where the record cannot be written.
const MAKE_ROOM: &str = "make room there, or name another directory in PERF_BUDGET_DIR";

/// Writes the `main` of a test target, which runs the tests of this [`Harness`]:
///
/// ```no_run
/// perf_budget::main!(
///     perf_budget::Harness::new().workload("sum", |run| run.iter(|| (0..1000_u64).sum::<u64>()))
/// );
/// ```
///
/// The test target needs `harness = false` in `Cargo.toml`. Without it, cargo runs libtest's own `main`, which knows no
/// budget and would succeed. So the macro also writes a test that only libtest runs: it fails, and says which lines to add.
#[macro_export]
macro_rules! main {
    ($harness:expr $(,)?) => {
        fn main() -> ::std::process::ExitCode {
            let harness: $crate::Harness = $harness;
            harness.main()
        }

        #[test]
        fn the_test_target_has_harness_false() {
            panic!(
                "no budget was judged, since the test target has libtest's own `main`; add these lines to Cargo.toml, \
                 or the last of them to the entry that is there:\n\n[[test]]\nname = \"{}\"\nharness = false\n",
                env!("CARGO_CRATE_NAME")
            );
        }
    };
}

/// The tests of a `budgets.toml`. Register the workloads, and give the harness to [`main!`](crate::main), which writes
/// the `main` of the test target. Where that `main` has more to do, write it yourself, and return the result of
/// [`main`](Harness::main):
///
/// ```no_run
/// fn main() -> std::process::ExitCode {
///     perf_budget::Harness::new()
///         .workload("sum", |run| run.iter(|| (0..1000_u64).sum::<u64>()))
///         .main()
/// }
/// ```
///
/// The test target needs `harness = false` in `Cargo.toml`.
#[derive(Default)]
pub struct Harness {
    /// The workloads, sorted by name.
    workloads: Vec<(String, Workload)>,
    duplicates: Vec<String>,
    file: Option<PathBuf>,
}

impl Harness {
    /// Makes a harness without workloads: budgets of artifacts, commands and benchmarks of Criterion need none.
    pub fn new() -> Self {
        Harness::default()
    }

    /// Registers a workload under the name that budgets use for it.
    ///
    /// The function runs in a process of its own, once for each measurement. It prepares what it needs, and calls one
    /// measuring method of [`Run`]. A name that is registered twice is refused when the tests run.
    #[must_use]
    pub fn workload<F>(mut self, name: impl Into<String>, workload: F) -> Self
    where
        F: Fn(&mut Run) -> Result<(), Failed> + Send + Sync + 'static,
    {
        self.register(name.into(), Box::new(workload));
        self
    }

    fn register(&mut self, name: String, workload: Workload) {
        match self.workloads.binary_search_by(|known| known.0.cmp(&name)) {
            Ok(_) => self.duplicates.push(name),
            Err(at) => self.workloads.insert(at, (name, workload)),
        }
    }

    /// Reads another file than the `budgets.toml` beside the package's `Cargo.toml`. A relative path starts from
    /// there too.
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some(path.into());
        self
    }

    /// Runs the tests as the command line says, and prints the results.
    ///
    /// Returns success if no test is red, 101 if a test is red, as libtest does, and 2 if nothing could be judged:
    /// `budgets.toml` has mistakes, which are shown on standard error, or the harness cannot work. A run of `cargo
    /// budget selftest` returns 103.
    ///
    /// Call it first in `main`: the processes that measure run this binary too, and must reach this method as well.
    pub fn main(self) -> ExitCode {
        // The helper processes of a measurement run this binary too.
        match exec::helper() {
            Ok(None) => {}
            Ok(Some(code)) => return code,
            Err(rejected) => {
                let _ = writeln!(std::io::stderr(), "{rejected}");
                return ExitCode::from(exec::REJECTED);
            }
        }
        let printed = runner::print_environment();
        let printed = printed.map(|done| ExitCode::from(if done.is_ok() { 0 } else { UNUSABLE }));
        if let Some(code) = printed.or_else(|| run::serve(&self.workloads)) {
            return code;
        }
        match self.tests() {
            Ok(code) => code,
            Err(error) => {
                let _ = writeln!(std::io::stderr(), "{error}");
                ExitCode::from(UNUSABLE)
            }
        }
    }

    /// Runs the selftest instead of the tests: injects effects into those that are selected. It never returns
    /// success, so that it is not mistaken for a run.
    fn selftest(session: &Session, chosen: &[bool], request: &Request) -> Result<ExitCode, Error> {
        let tests: Vec<usize> = (0..chosen.len()).filter(|&test| chosen[test]).collect();
        let quiet = std::env::var_os(progress::QUIET).is_some();
        let print = |text: &str| {
            if !quiet {
                let _ = writeln!(std::io::stderr(), "{text}");
            }
        };
        selftest::run(session, &tests, request, &print)?;
        print("this was a selftest: nothing was judged, and so nothing has passed");
        Ok(ExitCode::from(SELFTESTED))
    }

    fn tests(self) -> Result<ExitCode, Error> {
        if let Some(why) = exec::unusable() {
            return Err(Error::other(why));
        }
        let selection = Selection::of_process()?;
        let arguments = &selection.arguments;
        if let Some(name) = self.duplicates.first() {
            return Err(Error::other(format!(
                "workload `{name}` is registered twice; give one of them another name"
            )));
        }
        let selftest_request = Request::of_environment()?;
        let mut budgets = budget::load(&paths::asked::budgets(self.file.as_deref())?)?;
        let workloads: Vec<String> = self.workloads.into_iter().map(|(name, _)| name).collect();
        let notes = std::mem::take(&mut budgets.notes);
        let mut session = Session::new(budgets, workloads.clone(), paths::results()?)?;
        if selftest_request.is_some() {
            session.measure_always();
        }
        if let Some(profiled) = profile::run(&session)? {
            return Ok(profiled);
        }
        let session = Arc::new(session);
        let collector = Arc::new(OutcomeCollector::default());
        let shard = Shard::of_environment()?;
        let trials = trials(&session, &workloads, &collector, shard);
        if arguments.list {
            let listed = std::io::stdout().write_all(list(&trials, &selection).as_bytes());
            // The process ends now, so it would be a waste of time to free ten thousand budgets first.
            std::mem::forget((trials, session));
            return listed.map(|()| ExitCode::SUCCESS).map_err(|e| {
                Error::other(format!("failed to list the tests on standard output: {e}"))
            });
        }
        for note in &notes {
            let _ = writeln!(std::io::stderr(), "{note}");
        }
        let tests = &session.suite.tests;
        let mut selected = vec![false; tests.len()];
        let in_shard: Vec<usize> = (0..tests.len()).filter(|&i| shard.has(&tests[i])).collect();
        let budgets: HashSet<usize> = in_shard.iter().map(|&i| tests[i].budget).collect();
        let mut begun = session.nothing_begun();
        let (limits, mut filtered) = (in_shard.len(), 0);
        // The tests come first, in their order; the trials after them belong to no limit of the file.
        let mut next_test = in_shard.into_iter();
        for trial in &trials {
            let wanted = !selection.is_filtered_out(trial);
            let test = next_test.next();
            if let Some(test) = test {
                selected[test] = wanted;
                filtered += usize::from(!wanted);
            }
            // Under nextest every other test is filtered out, and an ignored one has no process.
            if arguments.is_ignored(trial) {
                begun.ignored += 1;
            } else if wanted {
                begun.begun.push(session.begun(test, trial.name()));
            }
            begun.filtered += usize::from(!wanted);
        }
        if let Some(request) = &selftest_request {
            return Harness::selftest(&session, &selected, request);
        }
        record::begin(&paths::record(&session.results), &begun)
            .map_err(|error| Error::other(format!("nothing was measured: {error}; {MAKE_ROOM}")))?;
        let package = paths::package().unwrap_or_else(|| PathBuf::from("."));
        let run = &begun.run;
        if let Err(error) = paths::leave(&package, &session.results, run.began, &run.checkout) {
            let results = session.results.display();
            let _ = writeln!(
                std::io::stderr(),
                "note: `cargo budget` will not find the results in `{results}` by itself: {error}; set \
                 PERF_BUDGET_DIR to that directory for it"
            );
        }
        session.remove_leftovers();
        session.select(selected);
        let total = Tests { limits, budgets: budgets.len() };
        let shown = selection.for_run(begun.begun.len());
        let conclusion = libtest_mimic::run(&shown, selection.retain(trials));
        collector.print(&session, total, filtered, arguments);
        Ok(conclusion.exit_code())
    }
}

/// Returns what `--list` prints, in one piece: libtest-mimic writes line by line, which takes a quarter of the
/// whole time of `--list` with ten thousand tests.
fn list(trials: &[Trial], selection: &Selection) -> String {
    let listed = trials.iter().filter(|trial| !selection.is_filtered_out(trial));
    listed.fold(String::new(), |mut text, trial| {
        text.push_str(trial.name());
        text.push_str(": test\n");
        text
    })
}

/// Makes one trial for each test, in the suite's order, and one for each workload without a budget.
///
/// If a test says only while it runs that it is skipped, nextest counts it as passed. So under nextest such a test is
/// marked as ignored beforehand.
fn trials(
    session: &Arc<Session>,
    workloads: &[String],
    collector: &Arc<OutcomeCollector>,
    shard: Shard,
) -> Vec<Trial> {
    let budgeted = |name: &String| {
        let workload = |b: &budget::Budget| matches!(&b.subject, Subject::Workload(w) if w == name);
        session.budgets.budgets.iter().any(workload)
    };
    let nextest = std::env::var_os("NEXTEST").is_some();
    let tests = session.suite.tests.iter().enumerate().filter(|(_, test)| shard.has(test));
    let tests = tests.map(|(i, test)| {
        let skipped = nextest && session.skips(i);
        let (session, collector) = (Arc::clone(session), Arc::clone(collector));
        let run = move || collector.take(&session, session.outcome(i));
        Trial::ignorable_test(test.name.clone(), run).with_ignored_flag(skipped)
    });
    let unbudgeted =
        workloads.iter().filter(|name| shard.has_rest() && !budgeted(name)).map(|name| {
            let (session, collector, name) =
                (Arc::clone(session), Arc::clone(collector), name.clone());
            Trial::ignorable_test(Session::test_without_budget(&name), move || {
                collector.take(&session, session.without_budget(&name))
            })
        });
    let several = session.several_benchmarks();
    let named = several.into_iter().filter(|_| shard.has_rest()).map(|(nth, name)| {
        let (session, collector) = (Arc::clone(session), Arc::clone(collector));
        Trial::ignorable_test(name, move || collector.take(&session, session.benchmarks_found(nth)))
    });
    tests.chain(named).chain(unbudgeted).collect()
}

/// Collects the outcomes of the tests, and prints them at the end.
#[derive(Default)]
struct OutcomeCollector {
    outcomes: Mutex<Vec<Outcome>>,
}

impl OutcomeCollector {
    /// Records an outcome, and turns it into what libtest knows.
    fn take(&self, session: &Session, mut outcome: Outcome) -> Result<Completion, Red> {
        let recorded = record::append(&paths::record(&session.results), &outcome)
            .and_then(|()| session.report(&outcome));
        if let Err(error) = recorded {
            // An outcome that is not on record is missing from every report.
            outcome.reason = format!(
                "{}; the outcome could not be recorded: {error}; {MAKE_ROOM}",
                outcome.reason
            );
            if !outcome.is_red() {
                outcome.verdict = Verdict::Unmeasured;
                outcome.cause = Some(Cause::Harness.name().to_owned());
            }
        }
        let (verdict, is_red) = (outcome.verdict, outcome.is_red());
        let (reason, text) = (outcome.reason.clone(), terminal::explain(&outcome));
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner).push(outcome);
        if verdict == Verdict::Skipped {
            return Ok(Completion::ignored_with(reason));
        }
        if is_red { Err(text.into()) } else { Ok(Completion::Completed) }
    }

    fn print(&self, session: &Session, total: Tests, filtered: usize, arguments: &Arguments) {
        let mut outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let order: HashMap<&str, usize> =
            session.suite.tests.iter().enumerate().map(|(i, t)| (t.name.as_str(), i)).collect();
        // The outcomes are sorted by their lines. Outcomes of the same line keep the order of the suite.
        outcomes.sort_by_cached_key(|o| order.get(o.test.as_str()).copied().unwrap_or(usize::MAX));
        outcomes.sort_by_cached_key(|o| o.line);
        let mut text = String::new();
        if !arguments.quiet && !outcomes.is_empty() {
            text.push_str(&table::table(&outcomes, colour(arguments)));
        }
        text.push_str(&terminal::remarks(&outcomes));
        let counted = count(&outcomes, total, filtered);
        let _ = writeln!(text, "\n{counted}");
        if let Some(so_far) = session.so_far() {
            let _ = writeln!(text, "this run so far: {}", count(&so_far, total, 0));
        }
        if std::env::var("GITHUB_ACTIONS").is_ok_and(|v| v == "true") {
            for annotation in github::annotations(&outcomes) {
                text.push_str(&annotation);
                text.push('\n');
            }
            summary::append(session, &outcomes, &counted, &mut text);
        }
        // If the tests' own protocol is for machines, standard output belongs to it.
        if arguments.format == Some(FormatSetting::Json) {
            let _ = std::io::stderr().write_all(text.as_bytes());
        } else {
            let _ = std::io::stdout().write_all(text.as_bytes());
        }
    }
}

fn colour(arguments: &Arguments) -> Colour {
    let wanted = match arguments.color {
        Some(ColorSetting::Always) => true,
        Some(ColorSetting::Never) => false,
        _ => {
            let refused = progress::is_plain() || progress::is_dumb();
            std::io::stdout().is_terminal() && !refused
        }
    };
    if wanted { Colour::Ansi } else { Colour::Plain }
}
