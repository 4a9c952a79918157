//! The lengths that two processes have in common while they are compared: see `alike`, which pads them to these lengths.

use std::ffi::OsString;

/// The number of lengths that are drawn from. Blocks of the heap begin at multiples of 16 bytes, so this many lengths move
/// them by up to four lines of the cache.
pub(super) const LENGTHS: usize = 256;
/// The addresses of a stack differ by multiples of this.
pub(super) const STEP: usize = 16;

/// The lengths that both processes of a pair have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lengths {
    /// The number of bytes that are added to each path.
    pub(super) path: usize,
    /// The number of bytes that are added to the environment.
    pub(super) environment: usize,
}

impl Lengths {
    /// The number of different lengths.
    pub(crate) const COUNT: usize = LENGTHS * LENGTHS;

    /// Returns the lengths with this index, which counts from 0 to [`Self::COUNT`]. All are equally suitable.
    pub(crate) fn nth(index: usize) -> Lengths {
        let environment = index / LENGTHS % LENGTHS * STEP;
        Lengths { path: index % LENGTHS, environment }
    }
}

/// The lengths of the paths and the environment of a process, and which texts of it are paths.
#[derive(Debug, Clone)]
pub(crate) struct Alike {
    pub(crate) lengths: Lengths,
    /// The arguments and the values of variables that are paths, and that the other process has elsewhere. The path of the
    /// program always counts as one.
    pub(crate) paths: Vec<OsString>,
}
