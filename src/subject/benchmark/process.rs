//! One process of a benchmark's program, which runs that benchmark alone and leaves Criterion's record of it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use perf_budget_core::benchmarks::{Abilities, beginning};
use perf_budget_core::budget::Library;
use perf_budget_core::metric::{Metric, SampleKind};
use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::quantity::Unit;
use perf_budget_core::reading::Work;
use perf_budget_core::stats::{Sample, order};

use crate::exec::{self, Alike, Changes, Finished, Launch};
use crate::subject::build::without_own_package;
use crate::subject::criterion;
use crate::worker::process::Build;

/// The variables of cargo that name files of the package, which each revision has elsewhere.
const OF_PACKAGE: [&str; 2] = ["CARGO_MANIFEST_PATH", "OUT_DIR"];

/// A benchmark, ready to be run.
#[derive(Debug, Clone)]
pub(super) struct ReadyBenchmark {
    pub(super) library: Library,
    /// The name as its library knows it.
    pub(super) name: String,
    /// The program, as it was when it was found.
    pub(super) program: Build,
    /// The directory in which the program runs.
    pub(super) directory: PathBuf,
    pub(super) skills: Abilities,
    /// The differences of the environment of its revision's processes from that of this process.
    pub(super) environment: Changes,
    /// The variables with which `cargo bench` runs it.
    pub(super) variables: Changes,
    /// How the program was built.
    pub(super) note: String,
}

impl ReadyBenchmark {
    /// Returns the environment in which its processes run. Criterion's records would go to `home`.
    pub(super) fn environment(&self, home: &Path) -> Changes {
        let text = |path: &Path| Some(path.to_string_lossy().into_owned());
        let mut environment = without_own_package();
        environment.extend(self.environment.clone());
        environment.extend(self.variables.clone());
        environment.extend([
            ("CRITERION_HOME".to_owned(), text(home)),
            ("CARGO_CRITERION_PORT".to_owned(), None),
            ("CRITERION_DEBUG".to_owned(), None),
        ]);
        environment
    }

    /// Returns the arguments by which Criterion runs this benchmark alone.
    pub(super) fn choice(&self) -> Vec<String> {
        if let Some(beginning) = beginning(&self.name) {
            vec!["--".to_owned(), format!("^{}", escaped(beginning))]
        } else if self.skills.exact {
            ["--exact", "--", &self.name].map(str::to_owned).into()
        } else {
            vec!["--".to_owned(), format!("^{}$", escaped(&self.name))]
        }
    }

    /// Returns a process of its program with these arguments.
    ///
    /// # Errors
    /// If the program has been built again since it was found.
    pub(super) fn launch(
        &self,
        arguments: impl IntoIterator<Item = String>,
        home: &Path,
    ) -> Result<Launch, Unmeasured> {
        self.program.unchanged()?;
        let mut launch = Launch::new(&self.program.binary);
        launch.called = Some(format!("benchmark {}", self.name));
        launch.args = arguments.into_iter().map(Into::into).collect();
        launch.change_environment(&self.environment(home));
        launch.dir = Some(self.directory.clone());
        let given = OF_PACKAGE.into_iter().filter_map(|name| self.variables.get(name)?.as_deref());
        let given: Vec<&Path> = given.map(Path::new).chain([home, &self.directory]).collect();
        let paths = || given.into_iter().map(Into::into).collect();
        launch.alike = self.program.lengths.map(|lengths| Alike { lengths, paths: paths() });
        Ok(launch)
    }
}

/// How Criterion is asked to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// For a short time, with a short warm-up.
    Timed,
    /// Until two batches agree, for a benchmark whose code sets its own times.
    Quick,
}

/// How long a process of a benchmark may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// By the clock. A process that takes longer has failed.
    pub(super) timeout: Duration,
    /// Without its waits for a processor, if there is another way to run it.
    pub(super) own: Option<Duration>,
}

/// The warm-up and the measuring time in seconds, as short as they can be while the clock and the start of the process
/// still weigh little. More processes tell more than longer ones, and a short one is seldom interrupted.
const SHORT: [&str; 2] = ["0.01", "0.03"];
/// The same for versions of Criterion that take whole seconds only.
const WHOLE: [&str; 2] = ["1", "1"];
/// The fewest samples and resamples that Criterion accepts. The statistics of one process are not used.
const SAMPLES: &str = "10";
const RESAMPLES: &str = "100";
/// How far two batches may be apart with `--quick`, as a share. On a busy machine they would never agree to the usual 5 %, and
/// Criterion would go on for as long as the code of the benchmark says. With this share it stops after a tenth of a second.
const AGREEMENT: &str = "0.5";
/// If each batch has at least this many iterations, a pair compares the faster batches. Waiting for a processor makes a batch
/// of many iterations longer, and nothing makes it shorter.
const MANY: f64 = 10.0;
/// The quantile of the batches that stands for the faster ones.
const FAST: f64 = 0.25;
/// The share of a process's time from which a note says how long its set-up took.
const LONG_SET_UP: f64 = 0.5;

/// The measurements of one process.
#[derive(Debug)]
pub(super) struct Run {
    /// The whole name of the benchmark that ran; `None` if its library does not write it.
    pub(super) name: Option<String>,
    /// The seconds of one iteration, in the middle of all batches.
    seconds: f64,
    /// The seconds of one iteration in the faster batches, for a comparison of two processes.
    fast: f64,
    /// The work of one iteration, or the reason why it is unknown.
    pub(super) work: Result<Work, Unmeasured>,
    /// How long the whole process took.
    pub(super) elapsed: Duration,
    /// How long the benchmark itself was timed.
    timed: Duration,
    /// The processor time of all threads, as a share of the time that the process took.
    pub(super) processors: Option<f64>,
    /// The share of the time in which its main thread waited for a processor.
    pub(super) waited: Option<f64>,
    /// How often the process was interrupted.
    pub(super) preempted: Option<u64>,
}

impl Run {
    /// Returns the measurements of a process. One iteration took `seconds` in the middle of all batches, and `fast` seconds in
    /// the faster ones. The benchmark itself was timed for `timed` seconds.
    pub(super) fn new(
        done: &Finished,
        (seconds, fast): (f64, f64),
        work: Result<Work, Unmeasured>,
        timed: f64,
    ) -> Run {
        let wall = done.wall.as_secs_f64().max(1e-9);
        let waited = done.usage.and_then(|usage| usage.waited);
        Run {
            name: None,
            seconds,
            fast,
            work,
            elapsed: done.wall,
            timed: Duration::from_secs_f64(timed.clamp(0.0, wall)),
            processors: done.usage.and_then(|usage| Some(usage.cpu()?.as_secs_f64() / wall)),
            waited: waited.map(|waited| (waited.as_secs_f64() / wall).min(1.0)),
            preempted: done.usage.and_then(|usage| usage.preempted),
        }
    }

    /// Returns the value of a metric.
    pub(super) fn value(&self, metric: &Metric) -> Result<f64, Unmeasured> {
        self.of_seconds(metric, self.seconds)
    }

    /// Returns the value of a metric that is compared with that of another process.
    pub(super) fn compared_value(&self, metric: &Metric) -> Result<f64, Unmeasured> {
        self.of_seconds(metric, self.fast)
    }

    fn of_seconds(&self, metric: &Metric, seconds: f64) -> Result<f64, Unmeasured> {
        if !is_rate(metric) {
            return Ok(seconds);
        }
        let (Work::Operations(work) | Work::Bytes(work)) = self.work.clone()?;
        Ok(work / seconds)
    }

    /// Returns how long the process took without its waits for a processor.
    pub(super) fn own_time(&self) -> Duration {
        self.elapsed.mul_f64(1.0 - self.waited.unwrap_or_default())
    }

    /// Whether a measurement of the usual kind would take this long even if it lasted no longer than it has to: Criterion
    /// runs an iteration in the first batch, two in the second, and so on.
    pub(super) fn has_long_iterations(&self, long: Duration) -> bool {
        const FEWEST: f64 = 55.0;
        self.seconds * FEWEST > long.as_secs_f64()
    }

    /// Returns a note if most of the time went to the set-up of all benchmarks of the program.
    pub(super) fn long_set_up(&self) -> Option<String> {
        let rest = self.elapsed.saturating_sub(self.timed);
        let is_long = rest > self.elapsed.mul_f64(LONG_SET_UP) && rest > Duration::from_millis(500);
        is_long.then(|| {
            format!(
                "{:.1} of the {:.1} s of a process are not measured: every process sets up all benchmarks of the \
                 program",
                rest.as_secs_f64(),
                self.elapsed.as_secs_f64()
            )
        })
    }
}

/// Runs a benchmark in a fresh process.
///
/// # Errors
/// If the process fails, hangs, or does not leave the record of this one benchmark.
pub(super) fn run(
    found: &ReadyBenchmark,
    mode: Mode,
    rate: Option<Unit>,
    scratch: &Path,
    patience: Patience,
) -> Result<Option<Run>, Unmeasured> {
    let home = Home::new(scratch)?;
    let launch = launch(found, mode, &home.0)?;
    let Some(done) = ended_in_time(&launch, &found.name, patience)? else { return Ok(None) };
    let record = criterion::only(&found.name, rate, &home.0).map_err(|why| {
        // Criterion says on the one stream what it runs, and on the other why it refuses what it measured.
        let streams = [done.stderr.text(), done.stdout.text()].into_iter().flatten();
        let output =
            why.output.or_else(|| streams.reduce(|errors, rest| format!("{errors}\n{rest}")));
        Unmeasured { output, ..why }
    })?;
    let timed: f64 = record.times.iter().map(|(_, seconds)| seconds).sum();
    let (seconds, fast) = of_batches(mode, &record.times).ok_or_else(|| {
        let text = format!("the benchmark `{}` measured nothing", found.name);
        Unmeasured::new(Cause::MeasuredNothing, text)
    })?;
    Ok(Some(Run {
        name: Some(record.name),
        ..Run::new(&done, (seconds, fast), record.work, timed)
    }))
}

/// Runs the process of a benchmark, which has to end with success.
pub(super) fn ended(
    launch: &Launch,
    name: &str,
    timeout: Duration,
) -> Result<Finished, Unmeasured> {
    succeeded(exec::run(launch, timeout)?, name)
}

/// Runs the process of a benchmark, which has to end with success. Returns `None` if it takes longer than its own time.
pub(super) fn ended_in_time(
    launch: &Launch,
    name: &str,
    Patience { timeout, own }: Patience,
) -> Result<Option<Finished>, Unmeasured> {
    let done = match own {
        Some(own) => exec::run_unless_long(launch, own, timeout)?,
        None => Some(exec::run(launch, timeout)?),
    };
    done.map(|done| succeeded(done, name)).transpose()
}

fn succeeded(done: Finished, name: &str) -> Result<Finished, Unmeasured> {
    if done.code != 0 {
        return Err(Unmeasured {
            cause: Cause::ExitedBadly,
            text: format!("the benchmark `{name}` ended with exit {}", exec::code_words(done.code)),
            output: done.stderr.text().or_else(|| done.stdout.text()),
        });
    }
    Ok(done)
}

fn launch(found: &ReadyBenchmark, mode: Mode, home: &Path) -> Result<Launch, Unmeasured> {
    let mut args: Vec<String> = ["--bench", "--noplot"].map(Into::into).into();
    let [warm_up, measuring] = if found.skills.quick { SHORT } else { WHOLE };
    args.extend(
        ["--warm-up-time", warm_up, "--measurement-time", measuring, "--nresamples", RESAMPLES]
            .map(Into::into),
    );
    match mode {
        Mode::Timed => args.extend(["--sample-size", SAMPLES].map(Into::into)),
        Mode::Quick => args.extend(["--quick", "--significance-level", AGREEMENT].map(Into::into)),
    }
    args.extend(found.choice());
    found.launch(args, home)
}

/// Returns a regular expression that matches this text alone. Only what means something in one is escaped: some versions of
/// the library that reads it refuse the escapes of other characters, and take `\\<` for the beginning of a word.
fn escaped(text: &str) -> String {
    const MEANINGFUL: &str = r"\.+*?()|[]{}^$#&-~";
    let mut escaped = String::new();
    for c in text.chars() {
        if MEANINGFUL.contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// Returns the seconds of one iteration in the middle of all batches, and in the faster ones.
fn of_batches(mode: Mode, times: &[(f64, f64)]) -> Option<(f64, f64)> {
    if mode == Mode::Quick {
        // The batches double in length until two agree, and only the last is warm.
        let (iterations, seconds) = times.last()?;
        return Some((seconds / iterations, seconds / iterations));
    }
    let fewest = times.iter().map(|(iterations, _)| *iterations).fold(f64::INFINITY, f64::min);
    let batches = times.iter().map(|(iterations, seconds)| seconds / iterations);
    let batches = Sample::new(batches.collect()).ok()?;
    let middle = order::quantile(&batches, 0.5)?;
    let fast = if fewest >= MANY { order::quantile(&batches, FAST)? } else { middle };
    Some((middle, fast))
}

/// Whether a metric is a throughput.
pub(super) fn is_rate(metric: &Metric) -> bool {
    metric.sample() == SampleKind::Rate
}

/// The directory of one process's records, which is removed when this is dropped.
struct Home(PathBuf);

impl Home {
    fn new(scratch: &Path) -> Result<Home, Unmeasured> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        // Names are equally long, since Criterion keeps them in memory.
        let nth = NEXT.fetch_add(1, Ordering::Relaxed);
        let place = scratch.join(format!("criterion-{}-{nth:06}", std::process::id()));
        std::fs::create_dir_all(&place).map_err(|e| {
            let text = format!("failed to create `{}`: {e}", place.display());
            Unmeasured::new(Cause::Harness, text)
        })?;
        Ok(Home(place))
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_stands_for_its_middle_batch_and_is_compared_by_its_faster_ones() {
        let stands_for = |mode, times: &[(f64, f64)]| of_batches(mode, times);
        // Four of five batches were interrupted.
        let times: Vec<(f64, f64)> =
            [(10.0, 10.0), (20.0, 20.0), (30.0, 45.0), (40.0, 80.0), (50.0, 150.0)].into();
        assert_eq!(stands_for(Mode::Timed, &times), Some((1.5, 1.0)));
        // A single iteration may be slow by itself.
        let single: Vec<(f64, f64)> = [1.0, 1.0, 1.5, 2.0, 3.0].map(|time| (1.0, time)).into();
        assert_eq!(stands_for(Mode::Timed, &single), Some((1.5, 1.5)));
        assert_eq!(stands_for(Mode::Quick, &[(1.0, 9.0), (2.0, 4.0)]), Some((2.0, 2.0)));
        assert_eq!(stands_for(Mode::Timed, &[]), None);
    }

    #[test]
    fn a_name_is_escaped_for_versions_without_exact() {
        assert_eq!(escaped("a/b_c (1.5x)"), r"a/b_c \(1\.5x\)");
        assert_eq!(escaped("Vec<[u8; 4]>: é, 'a'|b"), r"Vec<\[u8; 4\]>: é, 'a'\|b");
    }
}
