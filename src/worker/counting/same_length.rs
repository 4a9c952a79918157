//! The paths and the environment of a process that is counted: as long as in any other place.
//!
//! The stack of a process begins below its arguments and its environment, and the heap holds the paths that it was given. So
//! their lengths decide at which addresses everything else is, and a C library that compares or copies memory runs
//! more or fewer instructions by the address.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::exec::Launch;

/// The variable that fills up the environment.
const FILL: &str = "PERF_BUDGET_FILL";
/// The length of paths, or a multiple of it.
const PATH: usize = 256;
/// The kernel takes no path of so many bytes.
const LONGEST: usize = 4096;
/// The size of the arguments and the environment, or a multiple of it: whole pages, since an address within a page is what
/// instructions depend on.
const STACK: usize = 16 << 10;
/// The size of the address that the stack has of each argument and each variable.
const POINTER: usize = size_of::<usize>();
/// The variables of a worker, or of a benchmark of Criterion, that are paths.
const PATHS: [&str; 3] = [crate::worker::wire::VARIABLE, "CARGO_MANIFEST_DIR", "CRITERION_HOME"];

/// Returns the same path with as many `/` before its last part as make it as long as others. A path with no `/` before that part, or
/// that would be too long, is returned as it is.
pub(in crate::worker) fn path(path: &Path) -> PathBuf {
    let text = path.as_os_str();
    let Some(name) = path.file_name().filter(|_| !cfg!(windows)) else { return path.to_owned() };
    let Some(folder) = path.parent().filter(|folder| *folder != Path::new("")) else {
        return path.to_owned();
    };
    let bare = folder.as_os_str().len() + name.len();
    let length = (bare + 1).max(text.len().min(PATH)).next_multiple_of(PATH);
    if length >= LONGEST {
        return path.to_owned();
    }
    let mut long = OsString::with_capacity(length);
    long.push(folder);
    long.push("/".repeat(length - bare));
    long.push(name);
    long.into()
}

/// Makes the paths that a process is given, and all of its arguments and variables together, as long as those of a
/// process elsewhere. Nothing may be added to the launch afterwards.
pub(super) fn fill(launch: &mut Launch, program: &OsStr, arguments: &[OsString]) {
    // One side may be given a path that the other one inherits.
    let environment = launch.environment();
    let given = PATHS.iter().filter_map(|name| environment.get_key_value(OsStr::new(name)));
    launch.env.extend(given.map(|(name, value)| (name.clone(), path(Path::new(value)).into())));
    let mut environment = launch.environment();
    environment.remove(OsStr::new(FILL));
    let variables = environment.iter().map(|(name, value)| name.len() + value.len() + 2);
    let arguments = arguments.iter().map(|argument| argument.len() + 1);
    // The path of the program is there as its first argument, and once more by itself.
    let sizes = variables.chain(arguments).map(|size| size + POINTER).sum::<usize>();
    let used = sizes + 2 * (program.len() + 1) + FILL.len() + 2 + 2 * POINTER;
    let free = used.next_multiple_of(STACK) - used;
    launch.env.push((FILL.into(), "x".repeat(free).into()));
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn paths_of_different_lengths_become_equally_long() {
        let check = |from: &str, length: usize| {
            let long = path(Path::new(from));
            assert_eq!(long.as_os_str().len(), length, "{from}");
            assert_eq!(long, Path::new(from));
            // It is the same path if it is made longer once more.
            assert_eq!(path(&long).as_os_str(), long.as_os_str());
        };
        check("/a", PATH);
        check("/made/target/release/deps/budgets-0", PATH);
        check(&format!("/{}/b", "a".repeat(PATH - 3)), PATH);
        check(&format!("/{}/b", "a".repeat(PATH)), 2 * PATH);
        let deep = format!("/{}", "a/".repeat(1950));
        check(deep.trim_end_matches('/'), deep.len() - 1);
        check("budgets", 7);
        check("/", 1);
    }

    #[test]
    fn arguments_and_environment_are_as_large_in_every_place() {
        let size = |program: &str, values: &[&str]| {
            let mut launch = Launch::new("valgrind");
            launch.without.extend(std::env::vars_os().map(|(name, _)| name));
            for (nth, value) in values.iter().enumerate() {
                launch.env.push((format!("V{nth}").into(), value.into()));
            }
            launch.env.push(("CARGO_MANIFEST_DIR".into(), program.into()));
            // A user's own value does not count.
            launch.env.push((FILL.into(), "mine".into()));
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
        assert_eq!(all, [STACK; 3]);
    }
}
