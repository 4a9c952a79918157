//! The check that a record was made with the code as it is now.
//!
//! A record does not say which code it was made with. Without this check, a record from before a change would stay
//! green. So a record is only accepted if it is younger than every source file of the workspace, and at most a day
//! old.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use perf_budget_core::outcome::{Cause, Unmeasured};

use crate::subject::sources;

/// The greatest age of a record. Since an older one was made, the machine or the compiler may have changed unseen.
const OLDEST: Duration = Duration::from_secs(24 * 60 * 60);
/// The largest difference between the clocks of a machine and of its file server.
const SKEW: Duration = Duration::from_secs(60);

/// Refuses the record of `name` in `file` if it may have been made with other code than that of the workspace that
/// `package` is in.
pub(super) fn check(name: &str, file: &Path, package: &Path) -> Result<(), Unmeasured> {
    let refuse = |text: String| Err(Unmeasured::new(Cause::Unsuitable, text));
    let harness = |path: &Path, e: &std::io::Error| {
        let text = format!(
            "failed to check whether Criterion's record of `{name}` was made with this code: `{}`: {e}",
            path.display()
        );
        Unmeasured::new(Cause::Harness, text)
    };
    let recorded = sources::modified(file).map_err(|e| harness(file, &e))?;
    let root = root(package);
    let newest = sources::newest(&root, sources::RUST).map_err(|(path, e)| harness(&path, &e))?;
    let Some((changed, source)) = newest else {
        return refuse(format!(
            "nothing shows whether Criterion's record of `{name}` was made with this code: there is no \
             source file in `{}`; run the tests where the sources are",
            root.display()
        ));
    };
    if recorded < changed {
        let source = source.strip_prefix(&root).unwrap_or(&source);
        return refuse(format!(
            "Criterion's record of `{name}` is older than `{}`, and may have been made with other code; run \
             `cargo bench` again",
            source.display()
        ));
    }
    match SystemTime::now().duration_since(recorded) {
        Ok(age) if age > OLDEST => refuse(format!(
            "Criterion recorded `{name}` more than a day ago, and the machine may have changed since; run \
             `cargo bench` again"
        )),
        Err(ahead) if ahead.duration() > SKEW => refuse(format!(
            "`{}` is from the future; set the clock and run `cargo bench` again",
            file.display()
        )),
        _ => Ok(()),
    }
}

/// Returns the root of the workspace: the directory with `Cargo.lock`, or the package if there is none.
fn root(package: &Path) -> PathBuf {
    let package = package.canonicalize().unwrap_or_else(|_| package.to_owned());
    let locked = package.ancestors().find(|dir| dir.join("Cargo.lock").is_file());
    locked.unwrap_or(&package).to_owned()
}
