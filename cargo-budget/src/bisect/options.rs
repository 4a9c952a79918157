//! The request for a search.

use std::time::Duration;

use crate::base::Target;

/// The chance of a wrong answer in a whole search, by default.
pub(crate) const ALPHA: f64 = 0.01;
/// The most time for measuring one comparison, by default.
pub(crate) const EFFORT: Duration = Duration::from_secs(600);

/// The request for a search.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options<'a> {
    /// A budget or a test.
    pub(crate) name: &'a str,
    /// `GOOD..BAD`.
    pub(crate) range: &'a str,
    /// How much worse than at the good commit the metric may be, in place of the limit in the file.
    pub(crate) by: Option<f64>,
    /// The chance of a wrong answer in the whole search.
    pub(crate) alpha: f64,
    /// The most time for measuring one comparison.
    pub(crate) effort: Duration,
    pub(crate) prepare: Option<&'a str>,
    pub(crate) layouts: Option<u32>,
    pub(crate) target: &'a Target,
    /// Whether the search begins anew, and forgets what an interrupted one has settled.
    pub(crate) is_fresh: bool,
    /// Whether the packages of the lock file are searched, and not the commits.
    pub(crate) lock: bool,
    /// Two toolchains, `A..B`, where they are searched and not the commits: the sources are those of the work tree.
    pub(crate) toolchain: Option<&'a str>,
}
