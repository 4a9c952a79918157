//! The harness: it makes libtest-mimic trials from budgets and workloads. Only this folder knows libtest-mimic.

mod arguments;
mod collector;
mod runner;
mod summary;

use std::collections::HashSet;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::Trial;
use perf_budget_core::budget::Subject;
use perf_budget_core::error::Error;
use perf_budget_core::record::{self, Begun};
use perf_budget_core::report::count::Tests;
use perf_budget_core::selftest::{Request, SELFTESTED};
use perf_budget_core::{budget, paths};

use self::arguments::Selection;
use self::collector::{MAKE_ROOM, OutcomeCollector};
use crate::progress;
use crate::run::{self, Failed, Run, Workload};
use crate::session::Session;
use crate::session::shard::Shard;
use crate::{exec, profile, selftest};

/// The exit code if `budgets.toml` has mistakes or the harness cannot work.
const UNUSABLE: u8 = 2;

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
            return print_list(trials, session, &selection);
        }
        for note in &notes {
            let _ = writeln!(std::io::stderr(), "{note}");
        }
        let Chosen { selected, total, filtered, begun } =
            choose(&session, &selection, &trials, shard);
        if let Some(request) = &selftest_request {
            return Harness::selftest(&session, &selected, request);
        }
        begin_record(&session, &begun)?;
        session.remove_leftovers();
        session.select(selected);
        let shown = selection.for_run(begun.begun.len());
        let conclusion = libtest_mimic::run(&shown, selection.retain(trials));
        collector.print(&session, total, filtered, arguments);
        Ok(conclusion.exit_code())
    }
}

/// The tests that this process runs, and what the record and the last line say of them.
struct Chosen {
    /// Whether each test of the suite is selected.
    selected: Vec<bool>,
    /// The number of limits and budgets in this shard.
    total: Tests,
    /// How many of these limits the filters leave out.
    filtered: usize,
    /// The tests that begin, for the record.
    begun: Begun,
}

/// Chooses the tests of this shard that the filters leave.
fn choose(session: &Session, selection: &Selection, trials: &[Trial], shard: Shard) -> Chosen {
    let tests = &session.suite.tests;
    let mut selected = vec![false; tests.len()];
    let in_shard: Vec<usize> = (0..tests.len()).filter(|&i| shard.has(&tests[i])).collect();
    let budgets: HashSet<usize> = in_shard.iter().map(|&i| tests[i].budget).collect();
    let total = Tests { limits: in_shard.len(), budgets: budgets.len() };
    let mut begun = session.nothing_begun();
    let mut filtered = 0;
    // The tests come first, in their order; the trials after them belong to no limit of the file.
    let mut next_test = in_shard.into_iter();
    for trial in trials {
        let wanted = !selection.is_filtered_out(trial);
        let test = next_test.next();
        if let Some(test) = test {
            selected[test] = wanted;
            filtered += usize::from(!wanted);
        }
        // Under nextest every other test is filtered out, and an ignored one has no process.
        if selection.arguments.is_ignored(trial) {
            begun.ignored += 1;
        } else if wanted {
            begun.begun.push(session.begun(test, trial.name()));
        }
        begun.filtered += usize::from(!wanted);
    }
    Chosen { selected, total, filtered, begun }
}

/// Begins the record of this run, and leaves a pointer to it, by which the command finds it.
fn begin_record(session: &Session, begun: &Begun) -> Result<(), Error> {
    record::begin(&paths::record(&session.results), begun)
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
    Ok(())
}

/// Prints the tests, for `--list`.
fn print_list(
    trials: Vec<Trial>,
    session: Arc<Session>,
    selection: &Selection,
) -> Result<ExitCode, Error> {
    let listed = std::io::stdout().write_all(list(&trials, selection).as_bytes());
    // The process ends now, so it would be a waste of time to free ten thousand budgets first.
    std::mem::forget((trials, session));
    listed
        .map(|()| ExitCode::SUCCESS)
        .map_err(|e| Error::other(format!("failed to list the tests on standard output: {e}")))
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
        let run = move || collector.record(&session, session.outcome(i));
        Trial::ignorable_test(test.name.clone(), run).with_ignored_flag(skipped)
    });
    let unbudgeted =
        workloads.iter().filter(|name| shard.has_rest() && !budgeted(name)).map(|name| {
            let (session, collector, name) =
                (Arc::clone(session), Arc::clone(collector), name.clone());
            Trial::ignorable_test(Session::test_without_budget(&name), move || {
                collector.record(&session, session.without_budget(&name))
            })
        });
    let several = session.several_benchmarks();
    let named = several.into_iter().filter(|_| shard.has_rest()).map(|(nth, name)| {
        let (session, collector) = (Arc::clone(session), Arc::clone(collector));
        Trial::ignorable_test(name, move || {
            collector.record(&session, session.benchmarks_found(nth))
        })
    });
    tests.chain(named).chain(unbudgeted).collect()
}
