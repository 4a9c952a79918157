//! The worker: the process in which one workload runs once, and which writes down what was measured.
//!
//! It is the harness's own binary, started again. The reply goes through a file that appears completely or not at
//! all, because standard output belongs to the workload.

use std::any::Any;
use std::cell::RefCell;
use std::fmt::Display;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use perf_budget_core::exact;
use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::reading::ProcessRun;

use super::{Failed, Run, Workload};
#[cfg(target_os = "linux")]
use crate::exec;
use crate::exec::{REJECTED, Rejected};
use crate::os::clock;
#[cfg(target_os = "linux")]
use crate::os::{kernel, proc};
#[cfg(target_os = "linux")]
use crate::worker::own_variables;
#[cfg(target_os = "linux")]
use crate::worker::wire::TOKEN_VARIABLE;
use crate::worker::wire::{NO_REPLY, Request, UNWRITTEN, VARIABLE, WireReply, WireRequest};

/// Does the work of a worker, if this process was started as one: runs the workload that is asked for, writes the
/// reply, and returns the exit code. It returns `None` in every other process. Call it first, before arguments are
/// read or threads are started.
pub fn serve(workloads: &[(String, Workload)]) -> Option<ExitCode> {
    let accepted = match accept() {
        Ok(accepted) => accepted?,
        Err(code) => return Some(ExitCode::from(code)),
    };
    let name = accepted.name();
    let workload = workloads.iter().find(|known| known.0 == name);
    let answered = if let Some((_, workload)) = workload {
        accepted.answer(workload)
    } else {
        let mut known: Vec<_> = workloads.iter().map(|known| known.0.as_str()).collect();
        known.sort_unstable();
        let known =
            if known.is_empty() { "none".to_owned() } else { format!("`{}`", known.join("`, `")) };
        let text = format!("no workload `{name}` is registered in the harness; there are {known}");
        accepted.refuse(Unmeasured::new(Cause::Harness, text))
    };
    Some(answered.map_or_else(ExitCode::from, |()| ExitCode::SUCCESS))
}

/// The request to this process, which is a worker.
pub(super) struct Accepted {
    request: Request,
    /// The file for the reply.
    reply: PathBuf,
    /// The id of the process that got the request. A workload may make a copy of it, which has measured something else.
    process: u32,
}

/// Returns the request, if this process was started as a worker.
///
/// # Errors
/// The exit code, if it was not started by a living harness.
pub(super) fn accept() -> Result<Option<Accepted>, u8> {
    let Some(path) = request_file().map_err(|rejected| refuse(REJECTED, &rejected))? else {
        return Ok(None);
    };
    let request = take(&path).map_err(|error| {
        let why = format!("failed to take the request `{}`: {error}", path.display());
        refuse(REJECTED, &Rejected::new(VARIABLE, why))
    })?;
    let reply = request.reply.clone();
    let request = request.request();
    #[cfg(target_os = "linux")]
    if let Some(counting) = &request.counting {
        for (name, own) in own_variables(counting) {
            kernel::replace_variable(name, own.as_deref());
        }
    }
    Ok(Some(Accepted { request, reply, process: std::process::id() }))
}

impl Accepted {
    /// Returns the name of the workload that is asked for.
    pub(super) fn name(&self) -> &str {
        &self.request.workload
    }

    /// Runs the workload, and writes the reply.
    ///
    /// # Errors
    /// The exit code, if the reply cannot be written.
    pub(super) fn answer(
        &self,
        workload: impl FnOnce(&mut Run) -> Result<(), Failed>,
    ) -> Result<(), u8> {
        self.reply(answer(workload, self.request.clone()))
    }

    /// Writes why nothing is measured.
    ///
    /// # Errors
    /// The exit code, if the reply cannot be written.
    pub(super) fn refuse(&self, why: Unmeasured) -> Result<(), u8> {
        self.reply(Err(why))
    }

    fn reply(&self, answer: Result<ProcessRun, Unmeasured>) -> Result<(), u8> {
        if std::process::id() != self.process {
            let text =
                "perf-budget: this is a copy of the process that measures, and gives no reply";
            return Err(refuse(NO_REPLY, &text));
        }
        let reply = &self.reply;
        write(reply, &WireReply::new(answer)).map_err(|error| {
            let text = format_args!("{UNWRITTEN} `{}`: {error}", reply.display());
            refuse(NO_REPLY, &text)
        })
    }
}

/// Says on standard error why this process cannot do its work, and returns its exit code.
fn refuse(code: u8, text: &dyn Display) -> u8 {
    // If the text cannot be written, the exit code alone says enough.
    let _ = writeln!(std::io::stderr(), "{text}");
    code
}

/// Returns the file with the request, if a living harness has started this process for it. The variables are removed,
/// so that what the workload starts does not find them.
#[cfg(target_os = "linux")]
fn request_file() -> Result<Option<PathBuf>, Rejected> {
    let accepted = exec::accept(TOKEN_VARIABLE)?;
    let path = std::env::var_os(VARIABLE);
    match (&accepted, &path) {
        (None, Some(_)) => return Err(Rejected::without_token(VARIABLE)),
        (Some(_), None) => {
            return Err(Rejected::new(
                TOKEN_VARIABLE,
                "it must come with a request, but there is none",
            ));
        }
        (None, None) => return below_a_worker().map_or(Ok(None), Err),
        (Some(_), Some(_)) => {}
    }
    kernel::forget_variable(VARIABLE);
    kernel::forget_variable(TOKEN_VARIABLE);
    Ok(path.map(PathBuf::from))
}

/// Rejects this process if a workload has started it: a workload that runs the tests would start itself again and
/// again. An ancestor's environment in `/proc` is the one that it was started with, even if it has removed variables
/// since.
#[cfg(target_os = "linux")]
fn below_a_worker() -> Option<Rejected> {
    let name = format!("{TOKEN_VARIABLE}=");
    let was_worker = |pid: &u32| {
        let environ = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environ.split(|&byte| byte == 0).any(|variable| variable.starts_with(name.as_bytes()))
    };
    let worker = proc::ancestors().into_iter().find(was_worker)?;
    Some(Rejected::below_workload(worker))
}

/// Returns the file with the request. Only Linux has the means to prove who started this process.
#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "on Linux it can fail")]
fn request_file() -> Result<Option<PathBuf>, Rejected> {
    Ok(std::env::var_os(VARIABLE).map(PathBuf::from))
}

/// Reads the request and removes the file, so that it is answered once.
fn take(path: &Path) -> std::io::Result<WireRequest> {
    let text = std::fs::read(path)?;
    std::fs::remove_file(path)?;
    Ok(exact::read(&text)?)
}

/// Writes the reply beside its place, and then moves it there.
fn write(place: &Path, reply: &WireReply) -> std::io::Result<()> {
    let part = place.with_extension("part");
    std::fs::write(&part, serde_json::to_vec(reply)?)?;
    std::fs::rename(&part, place)
}

fn answer(
    workload: impl FnOnce(&mut Run) -> Result<(), Failed>,
    request: Request,
) -> Result<ProcessRun, Unmeasured> {
    let name = request.workload.clone();
    if let Some(why) = clock::stopped() {
        return Err(Unmeasured::new(Cause::Unsupported, why));
    }
    let mut run = Run::new(request)?;
    remember_panics();
    match catch_unwind(AssertUnwindSafe(|| workload(&mut run))) {
        Ok(returned) => run.conclude(returned),
        Err(payload) => {
            let text = format!("workload `{name}` panicked{}", describe_panic(&*payload));
            // The panic may have left these values in a state in which even dropping them is not safe.
            std::mem::forget((run, payload));
            Err(Unmeasured::new(Cause::Panicked, text))
        }
    }
}

thread_local! {
    /// Where this thread panicked last, and the message of that panic.
    static LAST_PANIC: RefCell<Option<(String, String)>> = const { RefCell::new(None) };
}

/// Installs a hook that keeps the place of a panic; the hook before it still runs.
fn remember_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let place = info.location().map(ToString::to_string);
        if let (Some(place), Some(message)) = (place, message(info.payload())) {
            // A panic while the thread ends cannot be kept.
            let _ = LAST_PANIC.try_with(|last| last.replace(Some((place, message.to_owned()))));
        }
        before(info);
    }));
}

/// Returns ` at PLACE: MESSAGE`, as far as they are known.
fn describe_panic(payload: &(dyn Any + Send)) -> String {
    let Some(message) = message(payload) else { return " with a payload that is not text".into() };
    let last = LAST_PANIC.with(RefCell::take).filter(|last| last.1 == message);
    let place: &dyn Display = match &last {
        Some((place, _)) => &format!(" at {place}"),
        None => &"",
    };
    format!("{place}: {message}")
}

fn message(payload: &(dyn Any + Send)) -> Option<&str> {
    payload.downcast_ref::<&str>().copied().or(payload.downcast_ref::<String>().map(|s| &**s))
}
