//! The work tree as it is now, as a commit that no branch has. The user's index and branches are not touched: git only
//! gets objects that nothing refers to, which it removes in time.

use std::path::Path;

use crate::child;
use crate::failure::Failure;
use crate::git::{git, reason, text};

/// Returns the commit that is checked out, where nothing is changed, and else one on top of it with the changes.
pub(super) fn commit(root: &Path) -> Result<String, Failure> {
    let head = answer(&git(root, ["rev-parse", "HEAD"])?)?;
    let top = answer(&git(root, ["rev-parse", "--show-toplevel"])?)?;
    let top = Path::new(&top);
    let place = tempfile::tempdir()
        .map_err(|e| Failure::unmeasured(format!("failed to create a temporary directory: {e}")))?;
    let index = place.path().join("index");
    let with = |arguments: &[&str]| -> Result<String, Failure> {
        let mut command = child::git(top);
        // Git keeps its record of what is staged in a file of its own for these calls.
        command.env("GIT_INDEX_FILE", &index).args(arguments);
        let output = command.output().map_err(|e| {
            Failure::unmeasured(format!("failed to run `git`: {e}; install it, or add it to PATH"))
        })?;
        answer(&output)
    };
    with(&["read-tree", "HEAD"])?;
    with(&["-c", "core.fsmonitor=false", "add", "--all", "."])?;
    let tree = with(&["write-tree"])?;
    if tree == answer(&git(root, ["rev-parse", "HEAD^{tree}"])?)? {
        return Ok(head);
    }
    let person = ["-c", "user.name=cargo budget", "-c", "user.email=cargo-budget@localhost"];
    let signed = ["-c", "commit.gpgSign=false"];
    let made = ["commit-tree", "-p", &head, "-m", "The work tree", &tree];
    with(&[&person[..], &signed, &made].concat())
}

/// Returns what git printed.
fn answer(output: &std::process::Output) -> Result<String, Failure> {
    if !output.status.success() {
        return Err(Failure::unmeasured(format!(
            "git failed to read the work tree: {}",
            reason(output)
        )));
    }
    Ok(text(output))
}
