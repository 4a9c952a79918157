//! The worker: the process in which one workload runs once, and writes down what was measured.
//!
//! It is the harness's own binary, started anew. The reply goes through a file that appears whole or
//! not at all, as standard output belongs to the workload.

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

use super::{Run, Workload};
#[cfg(target_os = "linux")]
use crate::exec;
use crate::exec::{SHUT, Shut};
#[cfg(target_os = "linux")]
use crate::os::{kernel, proc};
#[cfg(target_os = "linux")]
use crate::worker::wire::DOOR;
use crate::worker::wire::{NO_REPLY, UNWRITTEN, VARIABLE, WireReply, WireRequest};

/// Does the work of a worker, if this process was started as one: runs the workload that is asked
/// for, writes the reply, and says how to exit. `None` in every other process. Call it first, before
/// arguments are read or threads are started.
pub fn serve(workloads: &[(String, Workload)]) -> Option<ExitCode> {
    let path = match asked_for() {
        Ok(path) => path?,
        Err(shut) => return Some(refuse(SHUT, &shut)),
    };
    let asked = match take(&path) {
        Ok(asked) => asked,
        Err(error) => {
            let why = format!("failed to take the request `{}`: {error}", path.display());
            return Some(refuse(SHUT, &Shut::new(VARIABLE, why)));
        }
    };
    let reply = asked.reply.clone();
    let answer = WireReply::new(answer(workloads, asked));
    Some(match write(&reply, &answer) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refuse(NO_REPLY, &format_args!("{UNWRITTEN} `{}`: {error}", reply.display())),
    })
}

fn refuse(code: u8, text: &dyn Display) -> ExitCode {
    // Whoever reads the exit code knows without the text.
    let _ = writeln!(std::io::stderr(), "{text}");
    ExitCode::from(code)
}

/// The file with the request, where a harness that is alive has started this process for it. What the workload
/// starts does not find the variables.
#[cfg(target_os = "linux")]
fn asked_for() -> Result<Option<PathBuf>, Shut> {
    let opened = exec::knock(DOOR)?;
    let path = std::env::var_os(VARIABLE);
    match (&opened, &path) {
        (None, Some(_)) => {
            let why =
                "nobody handed this process a request, or a harness of an earlier release did";
            return Err(Shut::new(VARIABLE, why));
        }
        (Some(_), None) => {
            return Err(Shut::new(DOOR, "it comes with a request, and there is none"));
        }
        (None, None) => return below_a_worker().map_or(Ok(None), Err),
        (Some(_), Some(_)) => {}
    }
    kernel::forget_variable(VARIABLE);
    kernel::forget_variable(DOOR);
    Ok(path.map(PathBuf::from))
}

/// Where a workload has started this process: the tests, run by one of themselves, would start it again and again.
/// An ancestor's environment is what it was started with, whatever it has forgotten since.
#[cfg(target_os = "linux")]
fn below_a_worker() -> Option<Shut> {
    let name = format!("{DOOR}=");
    let handed = |pid: &u32| {
        let environ = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environ.split(|&byte| byte == 0).any(|variable| variable.starts_with(name.as_bytes()))
    };
    let worker = proc::ancestors().into_iter().find(handed)?;
    Some(Shut::below(worker))
}

/// The file with the request. What else shows who started this process only Linux has.
#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "on Linux it can fail")]
fn asked_for() -> Result<Option<PathBuf>, Shut> {
    Ok(std::env::var_os(VARIABLE).map(PathBuf::from))
}

/// Reads the request and takes it away, so that it is answered once.
fn take(path: &Path) -> std::io::Result<WireRequest> {
    let text = std::fs::read(path)?;
    std::fs::remove_file(path)?;
    Ok(exact::read(&text)?)
}

/// Writes beside the place and moves the whole there.
fn write(place: &Path, reply: &WireReply) -> std::io::Result<()> {
    let part = place.with_extension("part");
    std::fs::write(&part, serde_json::to_vec(reply)?)?;
    std::fs::rename(&part, place)
}

fn answer(workloads: &[(String, Workload)], asked: WireRequest) -> Result<ProcessRun, Unmeasured> {
    let request = asked.request();
    let name = request.workload.clone();
    let Some((_, workload)) = workloads.iter().find(|known| known.0 == name) else {
        let mut known: Vec<_> = workloads.iter().map(|known| known.0.as_str()).collect();
        known.sort_unstable();
        let known =
            if known.is_empty() { "none".to_owned() } else { format!("`{}`", known.join("`, `")) };
        let text = format!("no workload `{name}` is registered in the harness; there are {known}");
        return Err(Unmeasured::new(Cause::Harness, text));
    };
    let mut run = Run::new(request)?;
    remember_panics();
    match catch_unwind(AssertUnwindSafe(|| workload(&mut run))) {
        Ok(returned) => run.conclude(returned),
        Err(payload) => {
            let text = format!("workload `{name}` panicked{}", told(&*payload));
            // What it broke off may be beyond use, even beyond dropping.
            std::mem::forget((run, payload));
            Err(Unmeasured::new(Cause::Panicked, text))
        }
    }
}

thread_local! {
    /// Where this thread panicked last, and what it said.
    static LAST: RefCell<Option<(String, String)>> = const { RefCell::new(None) };
}

/// Keeps where a panic was; what else happens on a panic stays as it is.
fn remember_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let place = info.location().map(ToString::to_string);
        if let (Some(place), Some(message)) = (place, message(info.payload())) {
            // A panic while the thread ends has nowhere to be kept.
            let _ = LAST.try_with(|last| last.replace(Some((place, message.to_owned()))));
        }
        before(info);
    }));
}

/// ` at PLACE: MESSAGE`, as far as it is known.
fn told(payload: &(dyn Any + Send)) -> String {
    let Some(message) = message(payload) else { return " with a payload that is no text".into() };
    let last = LAST.with(RefCell::take).filter(|last| last.1 == message);
    let place: &dyn Display = match &last {
        Some((place, _)) => &format!(" at {place}"),
        None => &"",
    };
    format!("{place}: {message}")
}

fn message(payload: &(dyn Any + Send)) -> Option<&str> {
    payload.downcast_ref::<&str>().copied().or(payload.downcast_ref::<String>().map(|s| &**s))
}
