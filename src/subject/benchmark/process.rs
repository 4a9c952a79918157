//! One process of a benchmark's program, which runs that benchmark alone and leaves Criterion's record of it.

use std::path::Path;
use std::time::Duration;

use perf_budget_core::metric::Metric;
use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::quantity::Unit;
use perf_budget_core::reading::Work;

use super::{Found, Home, is_rate};
use crate::exec::{self, Launch};
use crate::subject::criterion;

/// How Criterion is asked to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// For a short time, with a short warm-up.
    Timed,
    /// Until two batches agree, for a benchmark whose code sets its own times.
    Quick,
}

/// The warm-up and the measuring time in seconds, as short as they can be while the clock and the start of the process
/// still weigh little. More processes tell more than longer ones.
const SHORT: [&str; 2] = ["0.02", "0.06"];
/// The same for versions of Criterion that take whole seconds only.
const WHOLE: [&str; 2] = ["1", "1"];
/// The fewest samples and resamples that Criterion accepts. The statistics of one process are not used.
const SAMPLES: &str = "10";
const RESAMPLES: &str = "100";
/// The part of a process from which its set-up is said.
const LONG_SET_UP: f64 = 0.5;

/// What one process measured.
#[derive(Debug)]
pub(super) struct Run {
    /// The seconds of one iteration.
    seconds: f64,
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
    /// Returns the value of a metric.
    pub(super) fn value(&self, metric: &Metric) -> Result<f64, Unmeasured> {
        if !is_rate(metric) {
            return Ok(self.seconds);
        }
        let (Work::Operations(work) | Work::Bytes(work)) = self.work.clone()?;
        Ok(work / self.seconds)
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
    found: &Found,
    mode: Mode,
    rate: Option<Unit>,
    scratch: &Path,
    timeout: Duration,
) -> Result<Run, Unmeasured> {
    let home = Home::new(scratch)?;
    let name = &found.name;
    let done = exec::run(&launch(found, mode, &home.0), timeout)?;
    if done.code != 0 {
        return Err(Unmeasured {
            cause: Cause::ExitedBadly,
            text: format!("the benchmark `{name}` ended with exit code {}", done.code),
            output: done.stderr.text().or_else(|| done.stdout.text()),
        });
    }
    let record = criterion::only(name, rate, &home.0)?;
    let (iterations, seconds) = record.times.iter().fold((0.0, 0.0), |(n, s), &(iters, secs)| {
        (n + iters, s + secs)
    });
    debug_assert!(iterations > 0.0, "every batch has iterations");
    let per_iteration = match mode {
        Mode::Timed => {
            let mut batches: Vec<f64> = record.times.iter().map(|(n, secs)| secs / n).collect();
            batches.sort_unstable_by(f64::total_cmp);
            middle(&batches)
        }
        // The batches double in length until two agree, and only the last is warm.
        Mode::Quick => record.times.last().map(|(n, secs)| secs / n),
    };
    let seconds_of_one = per_iteration.ok_or_else(|| {
        Unmeasured::new(Cause::MeasuredNothing, format!("the benchmark `{name}` measured nothing"))
    })?;
    let wall = done.wall.as_secs_f64().max(1e-9);
    let usage = done.usage;
    Ok(Run {
        seconds: seconds_of_one,
        work: record.work,
        elapsed: done.wall,
        timed: Duration::from_secs_f64(seconds.clamp(0.0, wall)),
        processors: usage.map(|usage| usage.cpu.as_secs_f64() / wall),
        waited: usage.and_then(|u| u.waited).map(|waited| (waited.as_secs_f64() / wall).min(1.0)),
        preempted: usage.map(|usage| usage.preempted),
    })
}

fn launch(found: &Found, mode: Mode, home: &Path) -> Launch {
    let mut args: Vec<String> = ["--bench", "--noplot"].map(Into::into).into();
    let [warm_up, measuring] = if found.skills.quick { SHORT } else { WHOLE };
    args.extend(["--warm-up-time", warm_up, "--measurement-time", measuring, "--nresamples", RESAMPLES].map(Into::into));
    match mode {
        Mode::Timed => args.extend(["--sample-size", SAMPLES].map(Into::into)),
        Mode::Quick => args.push("--quick".to_owned()),
    }
    if found.skills.exact {
        args.extend(["--exact", "--", &found.name].map(Into::into));
    } else {
        args.extend(["--".to_owned(), format!("^{}$", escaped(&found.name))]);
    }
    let mut launch = Launch::new(&found.binary);
    launch.called = Some(format!("benchmark {}", found.name));
    launch.args = args.into_iter().map(Into::into).collect();
    launch.env = vec![
        ("CARGO_MANIFEST_DIR".into(), found.directory.clone().into()),
        ("CARGO_PKG_NAME".into(), found.package.clone().into()),
        ("CRITERION_HOME".into(), home.into()),
    ];
    launch.without = ["CARGO_CRITERION_PORT", "CRITERION_DEBUG"].map(Into::into).into();
    launch.dir = Some(found.directory.clone());
    launch
}

/// Returns a regular expression that matches this text alone.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        if c.is_ascii_punctuation() && c != '_' && c != '/' {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// Returns the median of sorted values.
fn middle(sorted: &[f64]) -> Option<f64> {
    let (low, high) = (sorted.get(sorted.len().checked_sub(1)? / 2)?, sorted.get(sorted.len() / 2)?);
    Some(f64::midpoint(*low, *high))
}
