//! Git on our own checkouts: it runs nothing of the user's, and its output is text.

use std::process::Output;

/// Has git run nothing of the user's on our checkouts: a hook that fails where its program is missing (husky, LFS) would
/// keep the base from being compared, and one that succeeds is not what the base is made of. Git documents the device
/// as the way to run none; an empty directory would have to be kept empty. Filters such as LFS' are no hooks, and run.
pub(super) const UNHOOKED: [&str; 4] =
    ["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false"];

/// What git wrote, without the end of its last line.
pub(super) fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim_end_matches(['\n', '\r']).to_owned()
}
