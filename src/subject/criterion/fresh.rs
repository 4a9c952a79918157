//! Whether a record is of the code that is there now.
//!
//! Apart because it reads no record but the project. A record does not say what code it is of, so that
//! one left from before a change would be as green as ever. It counts only where it is younger than every
//! source of the workspace and no older than a day.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use perf_budget_core::outcome::{Cause, Unmeasured};

use crate::subject::sources;

/// What is older says little of the machine as it is, and of a compiler that nobody sees change.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// What clocks of a machine and of its file server may differ by.
const SKEW: Duration = Duration::from_secs(60);
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
    let recorded = sources::modified(file).map_err(|e| harness(file, &e))?;
    let root = root(package);
    let newest = sources::newest(&root, sources::RUST).map_err(|(path, e)| harness(&path, &e))?;
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
