//! The measurement of a command: one run of it, how long it took until it ended or was ready, and what it used.
//!
//! A run gives one value for each metric; percentiles come from many runs. If the command starts other processes, its
//! memory and its time include theirs, so that a wrapper script does not hide what it starts; see [`measure`].

mod codes;
mod injected;
mod launch;
mod page_cache;
mod ready;
mod reported;
mod surroundings;
mod traced;
mod values;

#[cfg(all(test, target_os = "linux"))]
mod tests;

use std::time::{Duration, Instant};

use perf_budget_core::budget::{Cache, Command, Ready};
use perf_budget_core::metric::{Effect, Key, Metric, SampleKind, SubjectKind};
use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::reading::{Orphans, ProcessRun, Timing};

pub(crate) use self::codes::Codes;
pub(crate) use self::launch::Place;
use self::launch::launch;
use self::ready::Signal;
use self::surroundings::run_beside;
use self::values::{counted, peak, unread};
use crate::exec::{self, Child, Finished, Launch, Readiness, Usage, Written};
use crate::inject::Injection;

/// How long a command is watched in its first run after it has become ready, to see that it keeps running. One that soon
/// ends does so in each run, so a longer watch of one run finds it.
const FIRST_WATCH: Duration = Duration::from_secs(1);
/// How long it is watched in every other run.
const WATCH: Duration = Duration::from_millis(10);

/// Runs `command` once in its place, and ends it and everything it started.
///
/// - `wall_*`, `startup_*`: seconds from just before its program is loaded until its end, or until it
///   is ready. Every statistic that is asked for holds the same value: this run's.
/// - `cpu`: user and system seconds of all its threads and of the children it waited for. For a command that is ended
///   when it is ready: of all its processes until then.
/// - `rss`: resident bytes when it is ready, added up over its processes.
/// - `peak_rss`: the most resident bytes it ever had. For a command that ends by itself: those of its largest process.
///   For one that is ended when it is ready: added up over its processes.
/// - `page_faults`, `major_faults`, `read_bytes`, `written_bytes`: of the same processes as `cpu`, since just before its
///   program was loaded.
/// - `syscalls`: of the process and all that it starts, since just before its program was loaded, in a run that has no other
///   metric; see [`traced`].
/// - `exit`: its exit code.
/// - `transferred`, `js_heap`, `wasm_memory`, and `startup_*` under `ready = { reported = NAME }`: what a line of its
///   standard output says; see [`reported`].
///
/// Fails if the command cannot be started, if it is not ready or does not end within `timeout`, or if a signal kills it.
/// Fails if it ends by itself soon after it is ready ([`FIRST_WATCH`]), or ends with a code that the budget does not
/// expect ([`Codes`]). Fails if it does not report a value that it should, or if a metric is [`unsupported`]. If `exit`
/// is among the metrics, an unexpected code is its value, and every other metric is unmeasured.
pub(crate) fn measure(
    command: &Command,
    place: Place<'_>,
    metrics: &[Metric],
    timeout: Duration,
    injection: Option<(Injection, f64)>,
) -> Result<ProcessRun, Unmeasured> {
    let began = Instant::now();
    if let Some(reason) = metrics.iter().find_map(|metric| unsupported(command, metric)) {
        return Err(reason);
    }
    run_beside(command, place, timeout, "prepare", &command.prepare)?;
    let measured = measure_prepared(command, place, metrics, timeout, injection);
    let cleaned = run_beside(command, place, timeout, "cleanup", &command.cleanup);
    let mut process = measured?;
    cleaned?;
    process.notes.extend(command.constraint.note());
    process.elapsed = began.elapsed();
    Ok(process)
}

/// Runs the command once, after what prepares it.
fn measure_prepared(
    command: &Command,
    place: Place<'_>,
    metrics: &[Metric],
    timeout: Duration,
    injection: Option<(Injection, f64)>,
) -> Result<ProcessRun, Unmeasured> {
    let root = place.root;
    let signal = Signal::prepare(&command.ready, root)?;
    let mut launch = launch(command, place, signal.as_ref())?;
    launch.is_traced = traced::is_traced(metrics);
    let timeout = traced::within(timeout, launch.is_traced);
    if let Some((injection, own)) = injection {
        injected::apply(&mut launch, command, injection, own)?;
    }
    let is_reported = |metric: &&Metric| reported_line(command, metric).is_some();
    let (reported, watched): (Vec<_>, Vec<_>) = metrics.iter().partition(is_reported);
    let watched: Vec<Metric> = watched.into_iter().cloned().collect();
    if !reported.is_empty() {
        launch.keep = launch.keep.max(reported::KEPT);
    }
    let mut process = ProcessRun::default();
    if command.cache == Cache::Evicted {
        process.notes.extend(page_cache::evict(&launch, root)?);
    }
    let (stdout, failure) = match &signal {
        None => run_to_end(&launch, place.codes, &watched, timeout, &mut process)?,
        Some(signal) => {
            let watch = if place.is_first { FIRST_WATCH } else { WATCH };
            let within = (timeout, watch);
            (run_until_ready(&launch, signal, &watched, within, &mut process)?, None)
        }
    };
    if let Some(reason) = failure {
        return codes::unexpected(process, metrics, reason);
    }
    for metric in reported {
        let (Some(name), Some(unit)) = (reported_line(command, metric), metric.unit()) else {
            continue;
        };
        let value = match reported::read(&launch.name(), &stdout, name.as_ref(), unit) {
            Ok(value) => value,
            Err(reason) => {
                process.unmeasured.insert(metric.clone(), reason);
                continue;
            }
        };
        let moved = |(injection, own): (Injection, f64)| {
            let is_record = injection.effect == Effect::Recorded;
            if is_record { injection.recorded(value) } else { value + injection.added(own) }
        };
        process.values.insert(metric.clone(), injection.map_or(value, moved));
    }
    Ok(process)
}

/// Returns the name of the line by which the command reports this metric. `None` if it is watched from outside.
fn reported_line(command: &Command, metric: &Metric) -> Option<String> {
    match (metric.key(), &command.ready) {
        (Key::Startup, Ready::Reported(name)) => Some(name.clone()),
        (Key::Transferred | Key::JsHeap | Key::WasmMemory, _) => Some(metric.name()),
        _ => None,
    }
}

/// Whether the first run of a command only fills the page cache, so that its values must be discarded.
pub(crate) fn first_run_warms(command: &Command) -> bool {
    command.cache == Cache::Warm
}

/// Returns the reason why this metric of this command can never be measured here. `None` if it can.
#[expect(clippy::wildcard_enum_match_arm, reason = "only the metrics that are read here are named")]
pub(crate) fn unsupported(command: &Command, metric: &Metric) -> Option<Unmeasured> {
    let ends = matches!(command.ready, Ready::Exit | Ready::Reported(_));
    if let Some(reason) = exec::unconstrained(command.constraint) {
        return Some(reason);
    }
    let systems = metric.row().on.command;
    if !systems.has(std::env::consts::OS) {
        let why = match metric.key() {
            Key::MajorFaults if cfg!(windows) => {
                ": Windows counts faults that wait for a disk with the others; limit `page_faults` instead"
            }
            _ => "",
        };
        let text = format!("`{metric}` is only measured on {}{why}", systems.names());
        return Some(Unmeasured::new(Cause::Unsupported, text));
    }
    let text = match metric.key() {
        Key::Rss if ends => {
            "is read when a command is ready, and nothing tells when this one is; say so with \
             `ready`, or limit `peak_rss`"
        }
        Key::Wall | Key::Exit if !ends => {
            "needs a command that ends by itself, and this one is ended when it is ready; remove \
             `ready`, or limit `startup_*`"
        }
        _ if metric.instrument(SubjectKind::Command).is_some() => return None,
        _ => "is not a metric of a command",
    };
    Some(Unmeasured::new(Cause::Unsupported, format!("`{metric}` {text}")))
}

/// Runs the command until it ends. Returns what it wrote to its standard output. If it ended with a code that is not expected,
/// also returns the reason; the code is then its only value.
#[expect(clippy::wildcard_enum_match_arm, reason = "only the metrics that are read here are named")]
fn run_to_end(
    launch: &Launch,
    codes: &Codes,
    metrics: &[Metric],
    timeout: Duration,
    process: &mut ProcessRun,
) -> Result<(Written, Option<Unmeasured>), Unmeasured> {
    let finished = exec::run(launch, timeout)?;
    let name = launch.name();
    let refused = codes.refuse(&name, &finished);
    let Finished { code, wall, usage, stdout, strays, calls, .. } = finished;
    for metric in metrics.iter().filter(|metric| refused.is_none() || metric.key() == Key::Exit) {
        let value = match metric.key() {
            _ if launch.is_traced => traced::value(metric, calls.as_deref(), process),
            Key::Wall | Key::Startup => Some(wall.as_secs_f64()),
            Key::Exit => Some(codes::value(code)),
            Key::Cpu => usage.and_then(|usage| Some(usage.cpu()?.as_secs_f64())),
            Key::PeakRss => usage.and_then(|usage| Some(usage.max_rss()? as f64)),
            _ => usage.and_then(|usage| counted(&usage.counted, metric)),
        };
        process.values.insert(metric.clone(), value.ok_or_else(|| unread(&name, metric))?);
    }
    // A traced process is stopped at each call, so what it used says nothing about the command.
    if let Some(usage) = usage.filter(|_| !launch.is_traced) {
        process.waited = usage.waited.map(|waited| share(waited, wall));
        process.preempted = usage.preempted;
        // What nobody waited for is in no processor time.
        process.on_processor = usage.cpu().filter(|_| strays == 0).map(|cpu| cpu.as_secs_f64());
        let is_one_process = !usage.had_children && strays == 0;
        less_waiting(process, wall, usage.cpu, usage.waited.filter(|_| is_one_process));
        if metrics.contains(&Key::PeakRss.into()) {
            process.notes.extend(peak_notes(&name, &usage));
        }
    }
    if strays > 0 {
        process.orphans = Orphans::Unknown;
        process.notes.push(format!(
            "`{name}` left {strays} running, which were ended: what they used is not counted"
        ));
    }
    Ok((stdout, refused))
}

/// Runs the command until it is ready, watches whether it keeps running, ends it, and returns what it had written to its
/// standard output.
#[expect(clippy::wildcard_enum_match_arm, reason = "only the metrics that are read here are named")]
fn run_until_ready(
    launch: &Launch,
    signal: &Signal,
    metrics: &[Metric],
    (timeout, watch): (Duration, Duration),
    process: &mut ProcessRun,
) -> Result<Written, Unmeasured> {
    let name = launch.name();
    let mut child = Child::spawn(launch)?;
    let startup = wait_until_ready(&mut child, signal, timeout, &name)?;
    // The end of the measurement is marked now. Otherwise the calls that a traced process makes until it is ended would
    // count, while `/proc` is read for nothing.
    child.mark();
    let living = if launch.is_traced { None } else { child.living() };
    if let Some(Finished { code, .. }) = child.ended_within(watch)? {
        return Err(Unmeasured {
            cause: Cause::ExitedEarly,
            text: format!(
                "`{name}` ended with exit code {code} soon after it was ready, that is, when {signal}: a command with \
                 `ready` must keep running until it is ended; see why it ended, or remove `ready` if it should end by \
                 itself"
            ),
            output: child.last_words(),
        });
    }
    child.kill();
    for metric in metrics {
        let value = match metric.key() {
            _ if launch.is_traced => traced::value(metric, child.calls()?, process),
            Key::Startup => Some(startup.as_secs_f64()),
            Key::Cpu => living.and_then(|living| Some(living.cpu()?.as_secs_f64())),
            Key::Rss => living.map(|living| living.rss as f64),
            Key::PeakRss => living.and_then(|living| Some(peak(&living, child.used())? as f64)),
            _ => living.and_then(|living| counted(&living.counted, metric)),
        };
        process.values.insert(metric.clone(), value.ok_or_else(|| unread(&name, metric))?);
    }
    if let Some(living) = living {
        process.waited = living.waited.map(|waited| share(waited, startup));
        process.preempted = living.preempted;
        process.on_processor = living.cpu().map(|cpu| cpu.as_secs_f64());
        let is_one_process = living.processes == 1;
        less_waiting(process, startup, living.cpu, living.waited.filter(|_| is_one_process));
        if !is_one_process {
            process.orphans = Orphans::Used(living.others.as_secs_f64());
            process.notes.push(format!(
                "`{name}` is {} processes: their memory is added up, and shared memory counts once for each",
                living.processes
            ));
        }
    }
    Ok(child.written())
}

/// Waits until the command is ready, and returns how long that took.
fn wait_until_ready(
    child: &mut Child,
    signal: &Signal,
    timeout: Duration,
    name: &str,
) -> Result<Duration, Unmeasured> {
    let deadline = child.deadline(timeout);
    match signal.wait(child, deadline)? {
        Readiness::At(at) => Ok(at.saturating_duration_since(child.spawned_at())),
        Readiness::Ended(finished) => {
            let text = format!(
                "`{name}` ended with exit code {} before {signal}{}; see why it ended, or correct `ready`",
                finished.code,
                signal.hint(child)
            );
            Err(Unmeasured { cause: Cause::ExitedEarly, text, output: child.last_words() })
        }
        Readiness::Late => {
            let text = format!(
                "`{name}` was not ready within {timeout:?} and was killed: it would have been ready once \
                 {signal}{}; if it may take longer, raise `timeout`",
                signal.hint(child)
            );
            Err(child.give_up(Cause::TimedOut, text))
        }
    }
}

/// Sets the times of a run from which the time spent waiting for a processor is subtracted.
///
/// `waited` is the waiting time of the main thread. It is that of the whole command only if no other thread works, so
/// nothing is set if `cpu` shows that several threads did.
fn less_waiting(process: &mut ProcessRun, wall: Duration, cpu: Duration, waited: Option<Duration>) {
    // One thread cannot use more processor time than the time in which it did not wait. A tenth more is allowed,
    // because the processor time includes what the process used before its program was loaded.
    const ONE_THREAD: f64 = 1.1;
    process.timing = Some(Timing::Wall);
    let Some(running) = waited.map(|waited| wall.saturating_sub(waited)) else { return };
    if cpu > running.mul_f64(ONE_THREAD) {
        return;
    }
    let running = running.max(cpu).min(wall).as_secs_f64();
    let timed = process.values.keys().filter(|metric| metric.sample() == SampleKind::Run);
    process.less_waiting = timed.map(|metric| (metric.clone(), running)).collect();
}

/// Returns the notes that a reader of `peak_rss` needs.
fn peak_notes(name: &str, usage: &Usage) -> Vec<String> {
    let mut notes = Vec::new();
    if usage.had_children {
        notes.push(format!("`{name}` started others: peak_rss is that of the largest process"));
    }
    if usage.peak_rss().is_none() {
        notes.push(format!(
            "peak_rss of `{name}` is too small to be measured: it is at most this much"
        ));
    }
    notes
}

fn share(part: Duration, whole: Duration) -> f64 {
    if whole.is_zero() { 0.0 } else { (part.as_secs_f64() / whole.as_secs_f64()).min(1.0) }
}
