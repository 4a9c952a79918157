//! The effects that a selftest can have on a subject, so that a metric moves.
//!
//! They are defined here, and not where they are caused, because the table says for each metric which effect moves
//! it.

use serde::{Deserialize, Serialize};

/// An effect on a subject that a real regression could have too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Effect {
    /// Work after each operation, or before a command's program: it uses time on the processor.
    Work,
    /// Instructions after each operation, as many as are asked for.
    Instructions,
    /// A pause after each operation: it uses time without work.
    Pause,
    /// Operations that count as failed.
    Failures,
    /// Pauses that are too short to matter, except that each is a context switch.
    Switches,
    /// Blocks of one byte that are freed at once.
    Allocations,
    /// One block that is freed at once.
    Allocated,
    /// A block that is held beside the value.
    Held,
    /// A block that is allocated on top of the peak.
    Peak,
    /// A block that is never freed.
    Leak,
    /// Bytes that are touched and held.
    Resident,
    /// Bytes that are touched on top of the peak, and freed.
    ResidentPeak,
    /// Bytes that each operation touches and that are never freed.
    Growth,
    /// Pages that are mapped, touched and unmapped.
    Faults,
    /// Bytes that are read from a device that has any number of them.
    Read,
    /// Bytes that are written to a device that forgets them.
    Written,
    /// System calls that do nothing.
    Calls,
    /// A recorded value that is changed.
    Recorded,
    /// Bytes that no compressor can make smaller, in a copy of the artifact.
    Bytes,
    /// Another exit code.
    Exit,
}

impl Effect {
    /// Returns the effect in a word or two.
    pub fn describe(self) -> &'static str {
        match self {
            Effect::Work => "busy work",
            Effect::Instructions => "instructions",
            Effect::Pause => "pauses",
            Effect::Failures => "failures",
            Effect::Switches => "context switches",
            Effect::Allocations => "allocations",
            Effect::Allocated => "allocated bytes",
            Effect::Held => "held heap bytes",
            Effect::Peak => "heap bytes at the peak",
            Effect::Leak => "leaked bytes",
            Effect::Resident => "resident bytes",
            Effect::ResidentPeak => "resident bytes at the peak",
            Effect::Growth => "resident bytes an operation",
            Effect::Faults => "page faults",
            Effect::Read => "bytes read",
            Effect::Written => "bytes written",
            Effect::Calls => "system calls",
            Effect::Recorded => "a changed record",
            Effect::Bytes => "random bytes",
            Effect::Exit => "another exit code",
        }
    }

    /// Whether its size can be a share of the subject's own value. It cannot if that value is only read afterwards,
    /// because it is not known while the subject runs.
    pub fn takes_share(self) -> bool {
        match self {
            Effect::Instructions
            | Effect::Switches
            | Effect::Faults
            | Effect::Read
            | Effect::Written
            | Effect::Calls
            | Effect::Leak
            | Effect::Growth
            | Effect::Exit
            | Effect::Failures => false,
            Effect::Work
            | Effect::Pause
            | Effect::Allocations
            | Effect::Allocated
            | Effect::Held
            | Effect::Peak
            | Effect::Resident
            | Effect::ResidentPeak
            | Effect::Recorded
            | Effect::Bytes => true,
        }
    }
}
