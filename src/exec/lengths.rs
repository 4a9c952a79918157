//! The lengths that two processes have in common which are compared: see `alike`, which keeps them.

use std::ffi::OsString;

/// The number of lengths that are drawn from. Blocks of the heap begin at multiples of 16 bytes, so this many lengths move
/// them by up to four lines of the cache.
pub(super) const LENGTHS: usize = 256;
/// The addresses of a stack differ by multiples of this.
pub(super) const STEP: usize = 16;

/// The lengths that both processes of a pair have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lengths {
    /// How much longer than others the paths are.
    pub(super) path: usize,
    /// How much larger than others the environment is.
    pub(super) environment: usize,
}

impl Lengths {
    /// The number of different lengths.
    pub(crate) const COUNT: usize = LENGTHS * LENGTHS;

    /// Returns the lengths with this index, which counts from 0 to [`Self::COUNT`]. All are equally suitable.
    pub(crate) fn of(number: usize) -> Lengths {
        let environment = number / LENGTHS % LENGTHS * STEP;
        Lengths { path: number % LENGTHS, environment }
    }
}

/// The lengths of what a process is given, and what of it is a path.
#[derive(Debug, Clone)]
pub(crate) struct Alike {
    pub(crate) lengths: Lengths,
    /// The arguments and values of variables that are paths which another process has elsewhere. The program is one anyway.
    pub(crate) paths: Vec<OsString>,
}
