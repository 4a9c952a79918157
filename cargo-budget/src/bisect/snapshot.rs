//! The work tree as it is now, as a commit that no branch has. The user's index and branches are not touched: git only
//! gets objects that nothing refers to, which it removes in time.

use std::path::Path;

use crate::base::UNHOOKED;
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
        command.env("GIT_INDEX_FILE", &index).args(UNHOOKED).args(arguments);
        let output = command.output().map_err(|e| {
            Failure::unmeasured(format!("failed to run `git`: {e}; install it, or add it to PATH"))
        })?;
        answer(&output)
    };
    with(&["read-tree", "HEAD"])?;
    with(&["add", "--all", "."])?;
    let tree = with(&["write-tree"])?;
    if tree == answer(&git(root, ["rev-parse", "HEAD^{tree}"])?)? {
        return Ok(head);
    }
    let person = ["-c", "user.name=cargo budget", "-c", "user.email=cargo-budget@localhost"];
    let signed = ["-c", "commit.gpgSign=false"];
    let made = ["commit-tree", "-p", &head, "-m", "The work tree", &tree];
    with(&[&person[..], &signed, &made].concat())
}

/// Returns a commit of the work tree for each of these toolchains, with a file that names it. Each follows the one before.
pub(super) fn pinned(root: &Path, toolchains: &[&str]) -> Result<Vec<String>, Failure> {
    let work = commit(root)?;
    let prefix = answer(&git(root, ["rev-parse", "--show-prefix"])?)?;
    let place = tempfile::tempdir()
        .map_err(|e| Failure::unmeasured(format!("failed to create a temporary directory: {e}")))?;
    let (index, file) = (place.path().join("index"), place.path().join("rust-toolchain.toml"));
    let with = |arguments: &[&str]| -> Result<String, Failure> {
        let mut command = child::git(root);
        command.env("GIT_INDEX_FILE", &index).args(UNHOOKED).args(arguments);
        // The same toolchains of the same work tree are the same commits, so that a search can go on.
        for name in ["GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"] {
            command.env(name, "2000-01-01T00:00:00Z");
        }
        let output = command.output().map_err(|e| {
            Failure::unmeasured(format!("failed to run `git`: {e}; install it, or add it to PATH"))
        })?;
        answer(&output)
    };
    let file_name = file.to_string_lossy().into_owned();
    let mut commits: Vec<String> = Vec::new();
    for toolchain in toolchains {
        let text = format!("[toolchain]\nchannel = {toolchain:?}\n");
        std::fs::write(&file, text).map_err(|e| Failure::io("write", &file, &e))?;
        let blob = with(&["hash-object", "-w", "--no-filters", &file_name])?;
        with(&["read-tree", &work])?;
        // A file without the ending takes precedence.
        let own = format!(":(top,literal){prefix}rust-toolchain");
        with(&["rm", "--cached", "--quiet", "--ignore-unmatch", "--", &own])?;
        let entry = format!("100644,{blob},{prefix}rust-toolchain.toml");
        with(&["update-index", "--add", "--cacheinfo", &entry])?;
        let tree = with(&["write-tree"])?;
        let person = ["-c", "user.name=cargo budget", "-c", "user.email=cargo-budget@localhost"];
        let mut arguments = [&person[..], &["-c", "commit.gpgSign=false", "commit-tree"]].concat();
        if let Some(parent) = commits.last() {
            arguments.extend(["-p", parent]);
        }
        let message = format!("With {toolchain}");
        arguments.extend(["-m", &message, &tree]);
        let made = with(&arguments)?;
        commits.push(made);
    }
    Ok(commits)
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
