//! Gives two processes that are compared paths, arguments and environments of one length, wherever their programs are.
//!
//! The stack of a process begins below its arguments and its environment, and a program copies its arguments to the heap
//! before anything else. So the length of a path decides at which addresses everything is, and with that how long the same
//! code takes. The two revisions of a program are in directories of different depth; that alone made a program differ from
//! itself by 6 %. The lengths are also drawn anew for each pair of processes, and both processes of the pair get the same.
//! So the effect of an address on a time varies between pairs, and does not favour one revision in all of them.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::launch::Launch;
use super::lengths::Alike;

/// The variable that fills up the environment.
const FILL: &str = "PERF_BUDGET_FILL";
/// The length of the paths of processes that are compared, or a multiple of it. Few paths are longer.
const PATH: usize = if cfg!(target_os = "linux") { 512 } else { 256 };
/// The kernel refuses a path of this many bytes.
const LONGEST: usize = if cfg!(target_os = "linux") { 4096 } else { 1024 };
/// The size of the arguments and the environment is a multiple of this. It is whole pages, since a program's instructions
/// depend on the addresses within a page.
const STACK: usize = 16 << 10;
/// The size of the address that the stack has of each argument and each variable.
const POINTER: usize = size_of::<usize>();

/// Returns the launch with its paths and its environment padded. Messages still show the paths as they were.
pub(super) fn padded(launch: &Launch) -> Launch {
    let mut launch = launch.clone();
    let Some(Alike { lengths, paths }) = launch.alike.take().filter(|_| cfg!(unix)) else {
        return launch;
    };
    let long = |text: &OsString| -> OsString {
        let path = lengthened(Path::new(text), PATH, lengths.path);
        path.into()
    };
    launch.program = long(&launch.program);
    for argument in launch.args.iter_mut().filter(|argument| paths.contains(argument)) {
        *argument = long(argument);
    }
    let environment = launch.environment();
    let given = environment.iter().filter(|(_, value)| paths.contains(value));
    launch.env.extend(given.map(|(name, value)| (name.clone(), long(value))));
    let (program, arguments) = (launch.program.clone(), launch.args.clone());
    fill(&mut launch, &program, &arguments, lengths.environment);
    launch
}

/// Returns the same path with more `/` before its last part, so that its length is a multiple of `unit`, plus `more` bytes. A
/// path without a `/` before that part, or one that would be too long, is returned as it is.
pub(crate) fn lengthened(path: &Path, unit: usize, more: usize) -> PathBuf {
    let text = path.as_os_str();
    let Some(name) = path.file_name().filter(|_| !cfg!(windows)) else { return path.to_owned() };
    let Some(folder) = path.parent().filter(|folder| *folder != Path::new("")) else {
        return path.to_owned();
    };
    let bare = folder.as_os_str().len() + name.len();
    let length = (bare + 1).max(text.len().min(unit)).next_multiple_of(unit) + more;
    if length >= LONGEST {
        return path.to_owned();
    }
    let mut long = OsString::with_capacity(length);
    long.push(folder);
    long.push("/".repeat(length - bare));
    long.push(name);
    long.into()
}

/// Makes all arguments and variables of a process together as large as those of a process elsewhere, and larger by `more`.
/// Nothing may be added to the launch afterwards.
pub(crate) fn fill(launch: &mut Launch, program: &OsStr, arguments: &[OsString], more: usize) {
    let mut environment = launch.environment();
    environment.remove(OsStr::new(FILL));
    let variables = environment.iter().map(|(name, value)| name.len() + value.len() + 2);
    let arguments = arguments.iter().map(|argument| argument.len() + 1);
    // The path of the program is there as its first argument, and once more by itself.
    let sizes = variables.chain(arguments).map(|size| size + POINTER).sum::<usize>();
    let used = sizes + 2 * (program.len() + 1) + FILL.len() + 2 + 2 * POINTER;
    let free = used.next_multiple_of(STACK) - used + more;
    launch.env.push((FILL.into(), "x".repeat(free).into()));
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::exec::lengths::{LENGTHS, Lengths, STEP};

    /// Returns the bytes of arguments and variables that lie on the stack of a process before everything else.
    fn size(launch: &Launch) -> usize {
        let words = launch.args.iter().map(|word| word.len() + 1 + POINTER);
        let variables = launch.environment();
        let variables =
            variables.iter().map(|(name, value)| name.len() + value.len() + 2 + POINTER);
        variables.chain(words).sum::<usize>() + 2 * (launch.program.len() + 1) + POINTER
    }

    fn launch(folder: &str, extra: &[&str], lengths: Lengths) -> Launch {
        let mut launch = Launch::new(format!("{folder}/bench"));
        launch.args = vec!["--bench".into(), format!("{folder}/data").into()];
        launch.env.push(("CRITERION_HOME".into(), format!("{folder}/home").into()));
        launch.env.extend(extra.iter().map(|name| (OsString::from(name), OsString::from("1"))));
        let paths = vec![format!("{folder}/home").into(), format!("{folder}/data").into()];
        launch.alike = Some(Alike { lengths, paths });
        launch
    }

    /// The folder of a base is always deeper than that of the revision that is compared with it.
    #[test]
    fn two_processes_get_equal_lengths_wherever_their_programs_are() {
        for number in [0, 1, 63, 255, 256, 70 * LENGTHS + 7, Lengths::COUNT - 1] {
            let lengths = Lengths::nth(number);
            let head = padded(&launch("/made", &[], lengths));
            let base = padded(&launch("/made/budgets/base/target", &["OF_THE_BASE"], lengths));
            assert_eq!(head.program.len(), PATH + number % LENGTHS);
            let lengths_of = |launch: &Launch| {
                let home = launch.environment()[OsStr::new("CRITERION_HOME")].len();
                (launch.program.len(), launch.args[1].len(), home, size(launch))
            };
            assert_eq!(lengths_of(&head), lengths_of(&base));
            assert_eq!(size(&head) % STACK, lengths.environment);
            assert_eq!(Path::new(&head.program), Path::new("/made/bench"));
            assert_eq!(head.args[0], "--bench");
        }
    }

    #[test]
    fn each_number_has_lengths_of_its_own() {
        let mut all: Vec<(usize, usize)> =
            (0..Lengths::COUNT).map(Lengths::nth).map(|l| (l.path, l.environment)).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), Lengths::COUNT);
        assert_eq!(all.last(), Some(&(LENGTHS - 1, (LENGTHS - 1) * STEP)));
    }

    #[test]
    fn a_process_that_is_not_compared_is_not_padded() {
        let mut plain = launch("/made", &[], Lengths::nth(9));
        plain.alike = None;
        let started = padded(&plain);
        assert_eq!((started.program, started.args), (plain.program, plain.args));
        assert_eq!(started.env, plain.env);
    }

    #[test]
    fn paths_of_different_lengths_become_equally_long() {
        const UNIT: usize = 256;
        let check = |from: &str, length: usize| {
            let long = lengthened(Path::new(from), UNIT, 0);
            assert_eq!(long.as_os_str().len(), length, "{from}");
            assert_eq!(long, Path::new(from));
            // A path that is already as long as that stays as it is.
            assert_eq!(lengthened(&long, UNIT, 0).as_os_str(), long.as_os_str());
        };
        check("/a", UNIT);
        check("/made/target/release/deps/budgets-0", UNIT);
        check(&format!("/{}/b", "a".repeat(UNIT - 3)), UNIT);
        check(&format!("/{}/b", "a".repeat(UNIT)), 2 * UNIT);
        let deep = format!("/{}", "a/".repeat(LONGEST / 2 - 98));
        check(deep.trim_end_matches('/'), deep.len() - 1);
        check("budgets", 7);
        check("/", 1);
        assert_eq!(lengthened(Path::new("/a"), UNIT, 9).as_os_str().len(), UNIT + 9);
    }
}
