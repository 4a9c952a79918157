//! Whether a record is of the code that is there now.
//!
//! Apart because it reads no record but the project. A record does not say what code it is of, so that
//! one left from before a change would be as green as ever. It counts only where it is younger than every
//! source of the workspace and no older than a day.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use perf_budget_core::outcome::{Cause, Unmeasured};

/// What is older says little of the machine as it is, and of a compiler that nobody sees change.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// What clocks of a machine and of its file server may differ by.
const SKEW: Duration = Duration::from_secs(60);
/// Files besides `*.rs` that change what cargo builds.
const SOURCES: [&str; 6] =
    ["Cargo.toml", "Cargo.lock", "config.toml", "config", "rust-toolchain.toml", "rust-toolchain"];
/// Of these, the two that do only in `.cargo`.
const CONFIG: [&str; 2] = ["config.toml", "config"];

/// Refuses the record of `name` in `file` where it may be of other code than that of the workspace that
/// `package` is in.
pub(super) fn check(name: &str, file: &Path, package: &Path) -> Result<(), Unmeasured> {
    let refuse = |text: String| Err(Unmeasured::new(Cause::Unsuitable, text));
    let harness = |path: &Path, e: &std::io::Error| {
        let text = format!(
            "failed to tell whether what Criterion recorded of `{name}` is of this code: `{}`: {e}",
            path.display()
        );
        Unmeasured::new(Cause::Harness, text)
    };
    let recorded = modified(file).map_err(|e| harness(file, &e))?;
    let root = root(package);
    let mut newest = None;
    walk(&root, &mut newest).map_err(|(path, e)| harness(&path, &e))?;
    let Some((changed, source)) = newest else {
        return refuse(format!(
            "nobody can tell whether what Criterion recorded of `{name}` is of this code: there is no \
             source in `{}`; run the tests where the sources are",
            root.display()
        ));
    };
    if recorded < changed {
        let source = source.strip_prefix(&root).unwrap_or(&source);
        return refuse(format!(
            "what Criterion recorded of `{name}` is older than `{}`, and may be of other code; run \
             `cargo bench` again",
            source.display()
        ));
    }
    match SystemTime::now().duration_since(recorded) {
        Ok(age) if age > LONGEST => refuse(format!(
            "Criterion recorded `{name}` more than a day ago, and the machine may be another since; run \
             `cargo bench` again"
        )),
        Err(ahead) if ahead.duration() > SKEW => refuse(format!(
            "`{}` is from the future; set the clock and run `cargo bench` again",
            file.display()
        )),
        _ => Ok(()),
    }
}

/// The workspace: where `Cargo.lock` is, else the package alone.
fn root(package: &Path) -> PathBuf {
    let package = package.canonicalize().unwrap_or_else(|_| package.to_owned());
    let locked = package.ancestors().find(|dir| dir.join("Cargo.lock").is_file());
    locked.unwrap_or(&package).to_owned()
}

/// Finds the source below `dir` that was changed last. What tools make is left out: directories that are
/// marked as caches, as cargo's is, and hidden ones.
fn walk(
    dir: &Path,
    newest: &mut Option<(SystemTime, PathBuf)>,
) -> Result<(), (PathBuf, std::io::Error)> {
    let failed = |e| (dir.to_owned(), e);
    for entry in fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if entry.file_type().map_err(failed)?.is_dir() {
            let hidden = name.starts_with('.') && name != ".cargo";
            if !hidden && name != "node_modules" && !path.join("CACHEDIR.TAG").is_file() {
                walk(&path, newest)?;
            }
            continue;
        }
        // An editor's lock on a file ends like it, and is a link that leads nowhere.
        if name.starts_with('.') {
            continue;
        }
        let outside = CONFIG.contains(&&*name) && !dir.ends_with(".cargo");
        let listed = SOURCES.contains(&&*name) && !outside;
        if listed || path.extension().is_some_and(|ending| ending == "rs") {
            // A link is as old as what it leads to.
            let changed = modified(&path).map_err(|e| (path.clone(), e))?;
            if newest.as_ref().is_none_or(|(latest, _)| changed > *latest) {
                *newest = Some((changed, path));
            }
        }
    }
    Ok(())
}

fn modified(path: &Path) -> std::io::Result<SystemTime> {
    path.metadata()?.modified()
}
