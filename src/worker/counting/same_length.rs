//! Makes the paths and the environment of a process that is counted as long as in any other place.
//!
//! The stack of a process begins below its arguments and its environment, and the heap holds the paths that it was given. So
//! their lengths decide at which addresses everything else is, and a C library that compares or copies memory runs
//! more or fewer instructions by the address.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::exec::{self, Launch};

/// The length of paths, or a multiple of it.
const PATH: usize = 256;
/// The variables of a worker, or of a benchmark of Criterion, that are paths.
const PATHS: [&str; 3] = [crate::worker::wire::VARIABLE, "CARGO_MANIFEST_DIR", "CRITERION_HOME"];

/// Returns the same path, padded to a length that all paths have.
pub(in crate::worker) fn path(path: &Path) -> PathBuf {
    exec::lengthened(path, PATH, 0)
}

/// Makes the paths that a process is given, and all of its arguments and variables together, as long as those of a
/// process elsewhere. Nothing may be added to the launch afterwards.
pub(super) fn fill(launch: &mut Launch, program: &OsStr, arguments: &[OsString]) {
    // One side may be given a path that the other one inherits.
    let environment = launch.environment();
    let given = PATHS.iter().filter_map(|name| environment.get_key_value(OsStr::new(name)));
    launch.env.extend(given.map(|(name, value)| (name.clone(), path(Path::new(value)).into())));
    exec::fill(launch, program, arguments, 0);
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn arguments_and_environment_are_as_large_in_every_place() {
        const POINTER: usize = size_of::<usize>();
        let size = |program: &str, values: &[&str]| {
            let mut launch = Launch::new("valgrind");
            launch.without.extend(std::env::vars_os().map(|(name, _)| name));
            for (nth, value) in values.iter().enumerate() {
                launch.env.push((format!("V{nth}").into(), value.into()));
            }
            launch.env.push(("CARGO_MANIFEST_DIR".into(), program.into()));
            // A user's own value does not count.
            launch.env.push(("PERF_BUDGET_FILL".into(), "mine".into()));
            fill(&mut launch, OsStr::new(program), &["a".into()]);
            let variables: usize = launch
                .environment()
                .iter()
                .map(|(name, value)| name.len() + value.len() + 2 + POINTER)
                .sum();
            assert_eq!(launch.environment()[OsStr::new("CARGO_MANIFEST_DIR")].len(), PATH);
            variables + 2 * (program.len() + 1) + POINTER + 2 + POINTER
        };
        let all: Vec<usize> =
            [("/a", &["1"][..]), ("/made/here", &[]), ("/b/c", &["1", "22", "", "/some/where"])]
                .map(|(program, values)| size(program, values))
                .into();
        assert_eq!(all, [16 << 10; 3]);
    }
}
