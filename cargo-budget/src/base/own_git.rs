//! Calls of git on our own checkouts: the options that keep git from running the user's programs.

/// The options that keep git from running the user's hooks and file monitor. A hook whose program is missing (husky,
/// LFS) would make the checkout fail, and the effect of a hook is not part of the commit. Git documents this path as the
/// way to run no hooks; an empty directory would have to be kept empty. Filters such as those of LFS are not hooks,
/// so they do run.
pub(crate) const UNHOOKED: [&str; 4] =
    ["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false"];
