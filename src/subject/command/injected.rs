//! The effect of a selftest on a command.

use perf_budget_core::budget::Command;
#[cfg(target_os = "linux")]
use perf_budget_core::budget::Ready;
#[cfg(target_os = "linux")]
use perf_budget_core::metric::Effect;
use perf_budget_core::outcome::{Cause, Unmeasured};

use crate::exec::Launch;
#[cfg(target_os = "linux")]
use crate::exec::{self, Stage};
use crate::inject::Injection;

/// Adds the effect of a selftest to the launch. `own` is the value of the command without the effect.
#[cfg(target_os = "linux")]
pub(super) fn apply(
    launch: &mut Launch,
    command: &Command,
    injection: Injection,
    own: f64,
) -> Result<(), Unmeasured> {
    let added = injection.added(own);
    let ends = matches!(command.ready, Ready::Exit | Ready::Reported(_));
    let stage = match injection.effect {
        Effect::Work => Stage::Work(added),
        Effect::Exit => Stage::Exit,
        // The value is changed once it is read.
        Effect::Recorded => return Ok(()),
        // The peak is the highest value of one process, so the injected pages must exceed what it reaches by itself.
        Effect::ResidentPeak if ends => Stage::Touch(own + added),
        Effect::Resident | Effect::ResidentPeak => Stage::Beside(added),
        Effect::Faults => Stage::Faults(added),
        Effect::Read => Stage::Read(added),
        Effect::Written => Stage::Write(added),
        Effect::Calls => Stage::Calls(added),
        Effect::Instructions
        | Effect::Pause
        | Effect::Failures
        | Effect::Switches
        | Effect::Allocations
        | Effect::Allocated
        | Effect::Held
        | Effect::Peak
        | Effect::Leak
        | Effect::Growth
        | Effect::Bytes => {
            let text = format!("{} cannot be injected into a command", injection.effect.describe());
            return Err(Unmeasured::new(Cause::Unsupported, text));
        }
    };
    exec::inject(launch, stage)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn apply(_: &mut Launch, _: &Command, _: Injection, _: f64) -> Result<(), Unmeasured> {
    let text = "an effect can be injected into a command on Linux only";
    Err(Unmeasured::new(Cause::Unsupported, text))
}
