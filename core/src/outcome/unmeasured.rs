//! The reasons why there is no reading: the kind of fault, and what to do about it in words.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Doubt, Outcome};

/// The reason why there is no reading, which is a red in itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmeasured {
    /// The kind of fault.
    pub cause: Cause,
    /// The reason: what failed, on which thing, why, and the remedy, in one or two sentences.
    pub text: String,
    /// The end of the output of the process, if that helps.
    pub output: Option<String>,
}

/// The kinds of faults that prevent a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cause {
    /// The workload panicked.
    Panicked,
    /// The process was ended by a signal that it caused itself: abort, segmentation fault.
    Crashed,
    /// The process was killed from outside, for instance because memory ran out.
    Killed,
    /// The process exited before it reported, or before it was ready.
    ExitedEarly,
    /// The process exited with a failure.
    ExitedBadly,
    /// The process did not end, or did not become ready, within its time.
    TimedOut,
    /// The process wrote more output than is ever useful.
    Flooded,
    /// Nothing was measured: no operation, no call of a measuring method.
    MeasuredNothing,
    /// A reading is not a number, or negative.
    InvalidReading,
    /// The workload returned an error.
    WorkloadFailed,
    /// A file, or everything a pattern should match, is not there.
    Missing,
    /// A file is there but holds nothing.
    Empty,
    /// A file is not what the metric needs: not an ELF file, not an image.
    Unsuitable,
    /// The program is not there.
    NotFound,
    /// The port that should become ready is already taken.
    PortTaken,
    /// This platform or build cannot measure the metric.
    Unsupported,
    /// The operation is too short, or too slow, for this measurement.
    Unresolvable,
    /// The time for all measurements together was up before it was measured.
    OutOfTime,
    /// Another process measured on this machine for too long.
    MachineBusy,
    /// The harness itself could not do its part: a full disk, no more processes.
    Harness,
}

impl Cause {
    /// Every cause.
    const ALL: [Cause; 20] = [
        Cause::Panicked,
        Cause::Crashed,
        Cause::Killed,
        Cause::ExitedEarly,
        Cause::ExitedBadly,
        Cause::TimedOut,
        Cause::Flooded,
        Cause::MeasuredNothing,
        Cause::InvalidReading,
        Cause::WorkloadFailed,
        Cause::Missing,
        Cause::Empty,
        Cause::Unsuitable,
        Cause::NotFound,
        Cause::PortTaken,
        Cause::Unsupported,
        Cause::Unresolvable,
        Cause::OutOfTime,
        Cause::MachineBusy,
        Cause::Harness,
    ];

    /// Returns the cause with this name, as another process wrote it.
    pub fn from_name(name: &str) -> Option<Cause> {
        Cause::ALL.into_iter().find(|cause| cause.name() == name)
    }

    /// Returns the cause's name in reports, such as `timed-out`.
    pub fn name(self) -> &'static str {
        match self {
            Cause::Panicked => "panicked",
            Cause::Crashed => "crashed",
            Cause::Killed => "killed",
            Cause::ExitedEarly => "exited-early",
            Cause::ExitedBadly => "exited-badly",
            Cause::TimedOut => "timed-out",
            Cause::Flooded => "flooded",
            Cause::MeasuredNothing => "measured-nothing",
            Cause::InvalidReading => "invalid-reading",
            Cause::WorkloadFailed => "workload-failed",
            Cause::Missing => "missing",
            Cause::Empty => "empty",
            Cause::Unsuitable => "unsuitable",
            Cause::NotFound => "not-found",
            Cause::PortTaken => "port-taken",
            Cause::Unsupported => "unsupported",
            Cause::Unresolvable => "unresolvable",
            Cause::OutOfTime => "out-of-time",
            Cause::MachineBusy => "machine-busy",
            Cause::Harness => "harness",
        }
    }
}

impl Outcome {
    /// Whether the limit could not be settled because the time for all measurements was up. A doubt that more time does not
    /// remove comes first.
    pub(crate) fn is_cut_off(&self) -> bool {
        let lacks_evidence = matches!(self.doubt, Some(Doubt::NearLimit | Doubt::Underpowered));
        lacks_evidence && self.cause.as_deref() == Some(Cause::OutOfTime.name())
    }
}

impl Unmeasured {
    /// Creates a reason without output of a process.
    pub fn new(cause: Cause, text: impl Into<String>) -> Self {
        Unmeasured { cause, text: text.into(), output: None }
    }

    /// Returns the reason with the role that the subject has in a comparison: `ROLE was not measured: …`. Without a role the
    /// reason stays as it is.
    #[must_use]
    pub fn of_role(self, role: Option<&str>) -> Self {
        match role {
            None => self,
            Some(role) => {
                Unmeasured { text: format!("{role} was not measured: {}", self.text), ..self }
            }
        }
    }
}

/// A reason why something was not measured, as files keep it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    cause: String,
    text: String,
    output: Option<String>,
}

impl From<&Unmeasured> for Fault {
    fn from(why: &Unmeasured) -> Fault {
        Fault {
            cause: why.cause.name().to_owned(),
            text: why.text.clone(),
            output: why.output.clone(),
        }
    }
}

impl Fault {
    /// Returns the reason.
    pub fn reason(&self) -> Unmeasured {
        Unmeasured {
            cause: Cause::from_name(&self.cause).unwrap_or(Cause::Harness),
            text: self.text.clone(),
            output: self.output.clone(),
        }
    }
}

impl fmt::Display for Unmeasured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        if let Some(output) = &self.output {
            write!(f, "\nit wrote last:")?;
            for line in output.lines() {
                write!(f, "\n  | {line}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_is_found_by_its_word() {
        assert_eq!(Cause::ALL.len(), Cause::Harness as usize + 1);
        for cause in Cause::ALL {
            assert_eq!(Cause::from_name(cause.name()), Some(cause));
        }
    }
}
