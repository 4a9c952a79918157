//! A process run: a fresh process of this binary that measures a workload, as the harness sees it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use perf_budget_core::callgrind::Profile;
use perf_budget_core::metric::Starts;
use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::reading::{Orphans, ProcessRun};

pub use super::build::Build;
pub(crate) use super::build::is_same_program;
use super::counting;
pub use super::wire::Request;
use super::wire::{NO_REPLY, UNWRITTEN, VARIABLE, WireReply, WireRequest};
use crate::exec::{
    self, Alike, Finished, Launch, Lengths, code_words, is_exception, overflowed_stack,
};
use crate::instrument::sampled::Sampling;

/// Measures `request` in a fresh process of a test binary, which must serve workers before it does anything else. The
/// process, everything that it started, and its files in `scratch` are gone afterwards.
pub fn measure_in(
    build: &Build,
    request: &Request,
    scratch: &Path,
    timeout: Duration,
) -> Result<ProcessRun, Unmeasured> {
    let began = Instant::now();
    let prepared = PreparedProcess::new(request, scratch, build)?;
    let slower = if prepared.is_slowed { SLOWER } else { 1 };
    let finished = exec::run(&prepared.launch, timeout * slower)
        .map_err(|why| prepared.under_its_tool(with_workload(&request.workload, why)))?;
    let mut process = prepared.reply(&finished)?;
    if finished.strays > 0 {
        process.notes.push(match finished.strays {
            1 => "1 process outlived it and was ended".to_owned(),
            strays => format!("{strays} processes outlived it and were ended"),
        });
        process.orphans = Orphans::Unknown;
    }
    let loaded = process.lag.is_some() || process.at_least.is_some();
    if request.load.is_some() && process.timing.is_some() && !loaded {
        return Err(harness(format!(
            "workload `{}` was measured without its load: the perf-budget of that revision does not \
             know `load`; compare with a later one",
            request.workload
        )));
    }
    process.elapsed = began.elapsed();
    Ok(process)
}

/// Profiles `request`, which asks for instructions, in a fresh process under callgrind, and returns one profile for each
/// operation.
///
/// # Errors
/// If there is no Valgrind, or the process cannot be measured.
pub(crate) fn profile_in(
    build: &Build,
    request: &Request,
    scratch: &Path,
    timeout: Duration,
) -> Result<Vec<Profile>, Unmeasured> {
    let prepared = PreparedProcess::profiled(request, scratch, build)?;
    let finished = exec::run(&prepared.launch, timeout)
        .map_err(|why| prepared.under_its_tool(with_workload(&request.workload, why)))?;
    prepared.reply(&finished)?;
    counting::profiles(&prepared.files.counted)
}

/// Samples `request` in a fresh process, which writes its samples to a file.
///
/// # Errors
/// If the process cannot be sampled.
pub(crate) fn sample_in(
    build: &Build,
    request: &Request,
    sampling: &Sampling,
    scratch: &Path,
    timeout: Duration,
) -> Result<(), Unmeasured> {
    let request = Request { sampling: Some(sampling.clone()), ..request.clone() };
    // A file that an earlier run left must not be taken for this run's.
    let _ = std::fs::remove_file(&sampling.file);
    let prepared = PreparedProcess::new(&request, scratch, build)?;
    let finished = exec::run(&prepared.launch, timeout)
        .map_err(|why| with_workload(&request.workload, why))?;
    prepared.reply(&finished)?;
    if !sampling.file.is_file() {
        let text = format!(
            "workload `{}` wrote no samples: the perf-budget of that revision does not know how; use a later one",
            request.workload
        );
        return Err(harness(text));
    }
    Ok(())
}

/// Fails unless functions can be profiled here.
///
/// # Errors
/// If there is no Valgrind.
pub(crate) fn require_profiler() -> Result<(), Unmeasured> {
    counting::callgrind().map(drop)
}

/// Measures `request` in a fresh process of this binary.
#[cfg(feature = "internals")]
pub fn measure(
    request: &Request,
    scratch: &Path,
    timeout: Duration,
) -> Result<ProcessRun, Unmeasured> {
    measure_in(&Build::this()?, request, scratch, timeout)
}

/// How many times its `timeout` a process may take under callgrind or a tracer, where it runs few operations, but slowly.
pub(crate) const SLOWER: u32 = 5;

/// A request that is written down, and the process that will take it.
pub(super) struct PreparedProcess {
    workload: String,
    files: Files,
    pub(super) launch: Launch,
    /// Whether it runs under a tool that makes it many times slower.
    is_slowed: bool,
    /// The program of Valgrind, if it runs under that.
    valgrind: Option<PathBuf>,
}

impl PreparedProcess {
    pub(super) fn new(
        request: &Request,
        scratch: &Path,
        build: &Build,
    ) -> Result<PreparedProcess, Unmeasured> {
        let instrument = request.instrument()?;
        let callgrind = match instrument.row().starts {
            Starts::Counted => counting::counter()?.callgrind(),
            Starts::Plain | Starts::InTracer => None,
        };
        let callgrind = callgrind.map(|program| (program, false));
        let mut prepared = PreparedProcess::prepare(request, scratch, build, callgrind.as_ref())?;
        prepared.launch.is_traced = instrument.row().starts == Starts::InTracer;
        prepared.is_slowed |= prepared.launch.is_traced;
        Ok(prepared)
    }

    /// Prepares a process whose functions are profiled, and not only counted.
    fn profiled(
        request: &Request,
        scratch: &Path,
        build: &Build,
    ) -> Result<PreparedProcess, Unmeasured> {
        let program = counting::callgrind()?;
        PreparedProcess::prepare(request, scratch, build, Some(&(program, true)))
    }

    /// Prepares a process. If `callgrind` is given, the process runs under that program, and profiles functions if it is true.
    fn prepare(
        request: &Request,
        scratch: &Path,
        build: &Build,
        callgrind: Option<&(PathBuf, bool)>,
    ) -> Result<PreparedProcess, Unmeasured> {
        build.unchanged()?;
        if let Some(reason) = exec::unconstrained(request.constraint) {
            return Err(reason);
        }
        let failed = |error: std::io::Error| {
            harness(format!("failed to ask for a process in `{}`: {error}", scratch.display()))
        };
        let files = Files::new(scratch).map_err(failed)?;
        let mut request = request.clone();
        if let Some((_, is_profile)) = callgrind {
            std::fs::create_dir_all(&files.counted).map_err(failed)?;
            request.counting = Some(counting::request(&files.counted, *is_profile));
        }
        let reply = if callgrind.is_some() {
            counting::as_long_as_others(&files.reply)
        } else {
            files.reply.clone()
        };
        files.write_request(&request, reply).map_err(failed)?;
        let mut launch = launch(&request, &files, build)?;
        if let (Some((program, _)), Some(counting)) = (callgrind, &request.counting) {
            // Valgrind itself needs more memory than the limit allows. The limit is lifted, since the counts do not depend
            // on it.
            launch.constraint.memory = None;
            counting::place_under(&mut launch, program, counting).map_err(failed)?;
        } else {
            launch.alike = build.lengths.map(|lengths| alike(lengths, &launch));
        }
        Ok(PreparedProcess {
            workload: request.workload.clone(),
            files,
            launch,
            is_slowed: callgrind.is_some(),
            valgrind: callgrind.map(|(program, _)| program.clone()),
        })
    }

    /// Adds to the reason why it was not measured that it ran under Valgrind, if it did.
    fn under_its_tool(&self, why: Unmeasured) -> Unmeasured {
        match &self.valgrind {
            Some(program) => under(program, why),
            None => why,
        }
    }

    /// Returns the reply of the process, which has ended.
    pub(super) fn reply(&self, finished: &Finished) -> Result<ProcessRun, Unmeasured> {
        let process = read(&self.workload, finished, &self.files.reply);
        let mut process = process.map_err(|why| self.under_its_tool(why))?;
        process.notes.extend(self.launch.constraint.note());
        Ok(process)
    }
}

/// Returns how the process of a request is started, with nothing around it yet.
fn launch(request: &Request, files: &Files, build: &Build) -> Result<Launch, Unmeasured> {
    let mut launch = Launch::new(&build.binary);
    launch.called = Some(request.workload.clone());
    launch.constraint = request.constraint;
    launch.args = build.arguments.iter().map(Into::into).collect();
    launch.change_environment(&build.environment);
    launch.env.push((VARIABLE.into(), files.request.clone().into()));
    #[cfg(target_os = "linux")]
    {
        let token = exec::Token::new();
        let (token, _) =
            token.map_err(|error| harness(format!("failed to ask for a process: {error}")))?;
        launch.env.push((super::wire::TOKEN_VARIABLE.into(), token.value("").into()));
        launch.tokens.push(std::sync::Arc::new(token));
    }
    if let Some(package) = &build.package {
        launch.env.push(("CARGO_MANIFEST_DIR".into(), package.into()));
        launch.dir = Some(package.clone());
    }
    Ok(launch)
}

/// Returns the lengths to which the paths and the environment of a worker are padded. One side may be given a path that
/// the other one inherits.
fn alike(lengths: Lengths, launch: &Launch) -> Alike {
    let environment = launch.environment();
    let path = |name: &str| environment.get(OsStr::new(name)).cloned();
    Alike {
        lengths,
        paths: [VARIABLE, "CARGO_MANIFEST_DIR"].into_iter().filter_map(path).collect(),
    }
}

/// Adds the workload's name to a reason, unless the reason already begins with the name of the process.
pub(super) fn with_workload(workload: &str, why: Unmeasured) -> Unmeasured {
    let text = if why.text.starts_with('`') {
        format!("workload {}", why.text)
    } else {
        format!("workload `{workload}`: {}", why.text)
    };
    Unmeasured { text, ..why }
}

/// Reads the reply of a process that ended by itself.
fn read(workload: &str, finished: &Finished, reply: &Path) -> Result<ProcessRun, Unmeasured> {
    let output = || finished.stderr.text().or_else(|| finished.stdout.text());
    let unreported = |cause, text| Err(Unmeasured { cause, text, output: output() });
    match (read_file(reply), finished.code) {
        (Ok(text), 0) => WireReply::parse(&text),
        (Ok(_), code) => unreported(
            ended_badly(code),
            format!(
                "workload `{workload}` was measured, and then exited with {}",
                code_words(code)
            ),
        ),
        (Err(error), 0) if error.kind() != std::io::ErrorKind::NotFound => {
            unreported(Cause::Harness, format!("failed to read the reply of `{workload}`: {error}"))
        }
        // Where no signal ends the process, the exit code may be any: under Wine it is 0.
        (Err(_), _) if cfg!(windows) && output().is_some_and(|text| overflowed_stack(&text)) => {
            unreported(
                Cause::Crashed,
                format!("workload `{workload}` overflowed its stack before it reported"),
            )
        }
        (Err(_), 0) => unreported(
            Cause::ExitedEarly,
            format!(
                "workload `{workload}` exited with success before it reported: does it call \
                 `std::process::exit`?"
            ),
        ),
        (Err(_), code) => match output().and_then(|text| unwritten(code, &text)) {
            Some(text) => Err(harness(text)),
            None => unreported(
                ended_badly(code),
                format!(
                    "workload `{workload}` exited with {} before it reported",
                    code_words(code)
                ),
            ),
        },
    }
}

/// Adds to the reason why a process did not end well that it ran under this program, which may be what is broken.
fn under(valgrind: &Path, why: Unmeasured) -> Unmeasured {
    if !matches!(why.cause, Cause::Crashed | Cause::ExitedBadly | Cause::ExitedEarly) {
        return why;
    }
    let text = format!("{}; it ran under Valgrind (`{}`)", why.text, valgrind.display());
    Unmeasured { text, ..why }
}

/// Returns the cause of an exit code other than 0. On Windows an exception leaves such a code; elsewhere a signal ends
/// the process.
fn ended_badly(code: i32) -> Cause {
    if is_exception(code) { Cause::Crashed } else { Cause::ExitedBadly }
}

/// Reads a file. A workload knows its path, and may have left a pipe there, from which a read might never return.
fn read_file(path: &Path) -> std::io::Result<Vec<u8>> {
    if std::fs::symlink_metadata(path)?.is_file() {
        return std::fs::read(path);
    }
    Err(std::io::Error::other("it is not a file"))
}

/// Returns the worker's own message, if it could not write its reply.
fn unwritten(code: i32, output: &str) -> Option<String> {
    let line = output.lines().rfind(|line| line.starts_with(UNWRITTEN))?;
    (code == i32::from(NO_REPLY)).then(|| line.trim_start_matches("perf-budget: ").to_owned())
}

fn harness(text: String) -> Unmeasured {
    Unmeasured::new(Cause::Harness, text)
}

/// The files of one process; dropping this value removes them.
struct Files {
    request: PathBuf,
    reply: PathBuf,
    /// The directory of what callgrind counts.
    counted: PathBuf,
}

impl Files {
    /// Makes names that no other process has. They are absolute, because a workload may change its directory.
    fn new(scratch: &Path) -> std::io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let scratch = std::path::absolute(scratch)?;
        std::fs::create_dir_all(&scratch)?;
        let count = NEXT.fetch_add(1, Ordering::Relaxed);
        // Names are equally long, since the worker keeps them in memory.
        let name = format!("process-{}-{count:06}", std::process::id());
        let file = |ending| scratch.join(&name).with_extension(ending);
        let files =
            Files { request: file("request"), reply: file("reply"), counted: file("counted") };
        files.remove();
        Ok(files)
    }

    /// Writes the request. `reply` is the path of the reply that the process gets.
    fn write_request(&self, request: &Request, reply: PathBuf) -> std::io::Result<()> {
        let text = serde_json::to_vec(&WireRequest::new(request, reply))?;
        std::fs::write(&self.request, text)
    }

    fn remove(&self) {
        for file in [&self.request, &self.reply, &self.reply.with_extension("part")] {
            // Most of these files do not exist.
            let _ = std::fs::remove_file(file);
        }
        let _ = std::fs::remove_dir_all(&self.counted);
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        self.remove();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_that_may_be_broken_is_named() {
        let text =
            |cause| under(Path::new("/bin/valgrind"), Unmeasured::new(cause, "it ended")).text;
        assert_eq!(text(Cause::ExitedBadly), "it ended; it ran under Valgrind (`/bin/valgrind`)");
        assert_eq!(text(Cause::Panicked), "it ended");
    }
}
