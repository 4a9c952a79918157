//! Effects that a selftest can have on a subject, so that a metric moves.
//!
//! Here and not where they are caused, since the table says of each metric which effect moves it.

use serde::{Deserialize, Serialize};

/// An effect on a subject that a real regression could have too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Effect {
    /// Work after each operation, or before a command's program: time on the processor.
    Work,
    /// A pause after each operation: time without work.
    Pause,
    /// Operations that count as failed.
    Failures,
    /// Pauses too short to matter but for the context switch that each is.
    Switches,
    /// Blocks of one byte, given back at once.
    Allocations,
    /// One block that is given back at once.
    Allocated,
    /// A block that is held beside the value.
    Held,
    /// A block on top of the highest.
    Peak,
    /// A block that nobody gives back.
    Leak,
    /// Bytes that are touched and held.
    Resident,
    /// Bytes that are touched on top of the highest, and given back.
    ResidentPeak,
    /// Bytes that each operation touches and nobody gives back.
    Growth,
    /// A recorded value that is changed.
    Recorded,
    /// Bytes that no compressor makes smaller, in a copy of the artifact.
    Bytes,
    /// Another exit code.
    Exit,
}

impl Effect {
    /// In a word or two.
    pub fn words(self) -> &'static str {
        match self {
            Effect::Work => "busy work",
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
            Effect::Recorded => "a changed record",
            Effect::Bytes => "random bytes",
            Effect::Exit => "another exit code",
        }
    }

    /// Whether it can be had as a share of what the subject shows: of what is read afterwards there is
    /// none while it runs.
    pub fn takes_share(self) -> bool {
        match self {
            Effect::Switches | Effect::Leak | Effect::Growth | Effect::Exit | Effect::Failures => {
                false
            }
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
