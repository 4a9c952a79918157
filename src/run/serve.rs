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

use super::{Run, Workload};
use crate::exact;
use crate::outcome::{Cause, Unmeasured};
use crate::reading::Fork;
use crate::worker::wire::{NO_REPLY, UNWRITTEN, VARIABLE, WireReply, WireRequest};

/// Does the work of a worker, if this process was started as one: runs the workload that is asked
/// for, writes the reply, and says how to exit. `None` in every other process. Call it first, before
/// arguments are read or threads are started.
pub fn serve(workloads: &[(String, Workload)]) -> Option<ExitCode> {
    let path = PathBuf::from(std::env::var_os(VARIABLE)?);
    let asked = match take(&path) {
        Ok(asked) => asked,
        Err(error) => {
            return Some(refuse(&format!(
                "perf-budget: failed to take the request `{}`: {error}; a workload that starts the \
                 binary it is in must remove {VARIABLE} from its environment",
                path.display()
            )));
        }
    };
    let reply = asked.reply.clone();
    let answer = WireReply::new(answer(workloads, asked));
    Some(match write(&reply, &answer) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refuse(&format!("{UNWRITTEN} `{}`: {error}", reply.display())),
    })
}

fn refuse(text: &str) -> ExitCode {
    // Whoever reads the exit code knows without the text.
    let _ = writeln!(std::io::stderr(), "{text}");
    ExitCode::from(NO_REPLY)
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

fn answer(workloads: &[(String, Workload)], asked: WireRequest) -> Result<Fork, Unmeasured> {
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
