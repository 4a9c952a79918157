//! How the instructions of a worker are counted: by the processor, or by callgrind, under which it is started.
//!
//! What callgrind counts is the same in every process if nothing else differs. So the process gets random bytes that
//! are always the same (`fixed_random`), and a C library that copies memory without `rep movsb`, an instruction that
//! counts once for each byte. Both are variables of the environment of this one process. Its paths and its environment are as
//! long as those of a process elsewhere (`same_length`).

mod fixed_random;
mod same_length;
mod within;

#[cfg(target_os = "linux")]
use std::ffi::OsStr;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use perf_budget_core::callgrind::Profile;
use perf_budget_core::outcome::{Cause, Unmeasured};

pub(super) use self::same_length::path as as_long_as_others;
pub(crate) use self::within::CountedWithin;
use super::wire::Counting;
use crate::exec::Launch;
use crate::instrument::{emulated, instructions};
use crate::os::valgrind;

/// The variable that chooses the counter.
const CHOICE: &str = "PERF_BUDGET_COUNTER";
/// The variables of the dynamic loader and of the C library that are changed for a worker.
const PRELOAD: &str = "LD_PRELOAD";
const TUNABLES: &str = "GLIBC_TUNABLES";
/// The tunable of the C library against `rep movsb`, which it then uses from this size on: never.
const TUNABLE: &str = "glibc.cpu.x86_rep_movsb_threshold=0x100000000";
/// The name of the library with fixed random bytes.
const LIBRARY: &str = "fixed_random.so";
/// The name of callgrind's files, without their numbers.
const DUMPS: &str = "callgrind.out";
/// More files than callgrind ever writes for one worker.
const MOST_DUMPS: usize = 1000;
/// How many callers of a function are told apart in a profile.
const CALLERS: u32 = 20;

/// The counter of a worker's instructions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Counter {
    /// The processor.
    Hardware,
    /// Callgrind, a tool of this program.
    Callgrind(PathBuf),
}

impl Counter {
    /// Returns the program of which callgrind is a tool, if that counts.
    pub(super) fn callgrind(self) -> Option<PathBuf> {
        match self {
            Counter::Hardware => None,
            Counter::Callgrind(program) => Some(program),
        }
    }
}

/// Returns the counter of instructions here.
///
/// # Errors
/// If nothing counts them. The error has the remedy.
pub(super) fn counter() -> Result<Counter, Unmeasured> {
    // One run has one counter: if another program takes the counter for a moment, that must not change what is compared.
    static CHOSEN: OnceLock<Result<Counter, Unmeasured>> = OnceLock::new();
    let chosen = || {
        let instead = "its own instructions would be counted with the program's";
        emulated::refuse("count instructions", "`instructions`", instead)?;
        choose(std::env::var_os(CHOICE), instructions::has_hardware, || find("valgrind"))
    };
    CHOSEN.get_or_init(chosen).clone()
}

/// Returns the program of which callgrind is a tool, which alone tells functions apart.
///
/// # Errors
/// If it is not there.
pub(super) fn callgrind() -> Result<PathBuf, Unmeasured> {
    let found = valgrind::IS_KNOWN.then(|| find("valgrind")).flatten();
    found.ok_or_else(|| {
        if valgrind::IS_KNOWN {
            let text = "install Valgrind, and a red names the functions that grew";
            return Unmeasured::new(Cause::NotFound, text);
        }
        let text =
            "run it where there is Valgrind, on Linux, and a red names the functions that grew";
        Unmeasured::new(Cause::Unsupported, text)
    })
}

/// Reads the profiles of the operations that count. If the operation is repeated, three profiles come before them: that
/// of the first operation, before anything is counted; that of an empty operation, which shows what the measuring itself
/// adds; and that of the warm-up. Otherwise only that of the empty operation comes before.
///
/// # Errors
/// If a file cannot be read, or there is none.
pub(super) fn profiles(dir: &Path) -> Result<Vec<Profile>, Unmeasured> {
    let failed = |why: String| {
        Unmeasured::new(Cause::Harness, format!("failed to read what callgrind counted: {why}"))
    };
    let place = |number: usize| dir.join(format!("{DUMPS}.{number}"));
    let count = (1..=MOST_DUMPS).take_while(|&number| place(number).is_file()).count();
    let first = if count > 2 { 4 } else { 2 };
    let read = |number| {
        let text =
            std::fs::read_to_string(place(number)).map_err(|error| failed(error.to_string()))?;
        Profile::parse(&text).map_err(|why| failed(format!("`{}`: {why}", place(number).display())))
    };
    let profiles: Vec<Profile> = (first..=count).map(read).collect::<Result<_, _>>()?;
    if profiles.is_empty() {
        return Err(failed("it wrote nothing".to_owned()));
    }
    Ok(profiles)
}

/// Chooses a counter: the one that is asked for, or else the processor's if it has one, or else callgrind.
fn choose(
    choice: Option<OsString>,
    has_hardware: impl FnOnce() -> bool,
    valgrind: impl FnOnce() -> Option<PathBuf>,
) -> Result<Counter, Unmeasured> {
    let choice = choice.filter(|choice| !choice.is_empty());
    let known = [None, Some("hardware"), Some("callgrind")];
    let choice = choice.as_ref().map(|choice| choice.to_str().unwrap_or("?"));
    if !known.contains(&choice) {
        let text = format!(
            "{CHOICE} is `{}`; set it to `hardware` or `callgrind`, or unset it",
            choice.unwrap_or_default()
        );
        return Err(Unmeasured::new(Cause::Unsupported, text));
    }
    if choice != Some("callgrind") && has_hardware() {
        return Ok(Counter::Hardware);
    }
    let remedy = "install Valgrind (`apt-get install valgrind`, `dnf install valgrind`), or drop the limit on `instructions` here";
    let none = "failed to count instructions: the processor has no counter of them that this process may read";
    if choice == Some("hardware") {
        let text = format!("{none}; unset {CHOICE}, so that Valgrind counts them");
        return Err(Unmeasured::new(Cause::Unsupported, text));
    }
    if !valgrind::IS_KNOWN {
        let text = format!(
            "{none}, and Valgrind is not known on this system; drop the limit on `instructions` here"
        );
        return Err(Unmeasured::new(Cause::Unsupported, text));
    }
    let why = if choice.is_some() {
        format!(
            "failed to count instructions: {CHOICE} asks for callgrind, and Valgrind is not in PATH; {remedy}"
        )
    } else {
        format!("{none}, and Valgrind is not in PATH; {remedy}")
    };
    valgrind().map(Counter::Callgrind).ok_or_else(|| Unmeasured::new(Cause::NotFound, why))
}

/// Returns the path of a program.
fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(program)).find(|place| place.is_file())
}

/// Returns the request to a worker that runs under callgrind, and whose files are in `dir`.
pub(super) fn request(dir: &Path, is_profile: bool) -> Counting {
    Counting { dumps: same_length::path(&dir.join(DUMPS)), is_profile }
}

/// Changes the launch of a worker so that the same worker runs under callgrind.
///
/// # Errors
/// If the library of fixed random bytes cannot be written.
pub(super) fn place_under(
    launch: &mut Launch,
    program: &Path,
    counting: &Counting,
) -> std::io::Result<()> {
    let mut options = vec!["--instr-atstart=no".to_owned()];
    if counting.is_profile {
        options.extend(profile_options());
        options.push("--collect-systime=yes".to_owned());
    }
    place(launch, program, &counting.dumps, options)
}

/// Returns the options by which callgrind tells callers apart and says at which addresses instructions are, so that the
/// functions that were inlined there can be found later.
fn profile_options() -> [String; 3] {
    let callers = format!("--separate-callers={CALLERS}");
    [callers, "--dump-instr=yes".to_owned(), "--dump-line=no".to_owned()]
}

/// Changes a launch so that the same program runs under callgrind, with these options and an environment in which every
/// process counts the same. `dumps` is the path of callgrind's files, without their numbers.
fn place(
    launch: &mut Launch,
    program: &Path,
    dumps: &Path,
    options: Vec<String>,
) -> std::io::Result<()> {
    let mut args: Vec<OsString> = ["--tool=callgrind", "--quiet"].map(OsString::from).into();
    let mut out = OsString::from("--callgrind-out-file=");
    // In the name of that file, a `%` begins the name of a variable.
    out.push(dumps.to_string_lossy().replace('%', "%%"));
    args.push(out);
    args.extend(options.into_iter().map(OsString::from));
    let counted = std::mem::replace(&mut launch.program, program.into());
    let counted = same_length::path(Path::new(&counted)).into_os_string();
    let arguments = std::mem::take(&mut launch.args);
    args.push(counted.clone());
    args.extend(arguments.iter().cloned());
    launch.args = args;

    // If a tunable is set twice, the last value holds.
    let tunables = joined(own_value(launch, TUNABLES), TUNABLE.into());
    launch.env.push((TUNABLES.into(), tunables));
    if let Some(library) = fixed_random::library() {
        let place = library_beside(dumps);
        std::fs::write(&place, library)?;
        // If two libraries have the same function, that of the first one is used.
        let preload =
            joined(Some(place.into_os_string()), own_value(launch, PRELOAD).unwrap_or_default());
        launch.env.push((PRELOAD.into(), preload));
    }
    same_length::fill(launch, &counted, &arguments);
    Ok(())
}

/// Returns the path of the library beside callgrind's files.
fn library_beside(dumps: &Path) -> PathBuf {
    same_length::path(&dumps.with_file_name(LIBRARY))
}

/// Returns the value that a process would have in a variable.
fn own_value(launch: &Launch, name: &str) -> Option<OsString> {
    let set = launch.env.iter().rev().find(|(set, _)| set == name).map(|(_, value)| value.clone());
    let is_inherited = !launch.without.iter().any(|without| without == name);
    set.or_else(|| std::env::var_os(name).filter(|_| is_inherited))
}

/// Joins two lists, of which either may be empty.
fn joined(first: Option<OsString>, second: OsString) -> OsString {
    let mut list = first.unwrap_or_default();
    if !list.is_empty() && !second.is_empty() {
        list.push(":");
    }
    list.push(second);
    list
}

/// Returns the variables that were changed for a worker under callgrind, each with the value that the user gave it. The
/// programs that the workload starts are not counted, so they have random bytes of their own, and the user's libraries.
#[cfg(target_os = "linux")]
pub(crate) fn own_variables(counting: &Counting) -> [(&'static str, Option<OsString>); 2] {
    let library = library_beside(&counting.dumps).into_os_string();
    [(PRELOAD, library), (TUNABLES, TUNABLE.into())].map(|(name, ours)| {
        let value = std::env::var_os(name);
        (name, value.and_then(|value| without_ours(&value, &ours)))
    })
}

/// Returns the value of a variable without our addition; `None` if nothing is left.
#[cfg(target_os = "linux")]
fn without_ours(value: &OsStr, ours: &OsStr) -> Option<OsString> {
    use std::os::unix::ffi::OsStrExt;
    let (value, ours) = (value.as_bytes(), ours.as_bytes());
    let first = value.strip_prefix(ours).and_then(|rest| rest.strip_prefix(b":"));
    let last = value.strip_suffix(ours).and_then(|rest| rest.strip_suffix(b":"));
    let own = if value == ours { &[][..] } else { first.or(last).unwrap_or(value) };
    (!own.is_empty()).then(|| OsStr::from_bytes(own).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn valgrind() -> PathBuf {
        "/bin/valgrind".into()
    }

    #[track_caller]
    fn refused(choice: &str, has: bool, valgrind: Option<PathBuf>, cause: Cause, words: &[&str]) {
        let choice = (!choice.is_empty()).then(|| choice.into());
        let why = choose(choice, || has, || valgrind).unwrap_err();
        assert_eq!(why.cause, cause);
        assert!(words.iter().all(|word| why.text.contains(word)), "{}", why.text);
    }

    #[test]
    fn the_processor_counts_where_it_can_and_else_callgrind() {
        let chosen = |choice: &str, has: bool| {
            let choice = (!choice.is_empty()).then(|| choice.into());
            choose(choice, || has, || Some(valgrind())).unwrap()
        };
        let callgrind = Counter::Callgrind("/bin/valgrind".into());
        assert_eq!(chosen("", true), Counter::Hardware);
        assert_eq!(chosen("hardware", true), Counter::Hardware);
        if valgrind::IS_KNOWN {
            assert_eq!(
                (chosen("", false), chosen("callgrind", true)),
                (callgrind.clone(), callgrind)
            );
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn what_the_user_preloads_comes_back() {
        let counting = request(Path::new("/counted"), false);
        let mut launch = Launch::new("program");
        launch.env.push((PRELOAD.into(), "/mine.so /other.so".into()));
        launch.without.push(TUNABLES.into());
        assert_eq!(own_value(&launch, PRELOAD).unwrap(), "/mine.so /other.so");
        assert_eq!(own_value(&launch, TUNABLES), None);
        assert_eq!(joined(None, TUNABLE.into()), TUNABLE);
        assert_eq!(joined(Some("a=b".into()), TUNABLE.into()), *format!("a=b:{TUNABLE}"));
        assert_eq!(joined(Some("/ours.so".into()), OsString::new()), "/ours.so");
        let ours = library_beside(&counting.dumps);
        let check = |value: &str, ours: &OsStr, own: Option<&str>| {
            assert_eq!(without_ours(value.as_ref(), ours), own.map(OsString::from), "{value}");
        };
        let preloaded = ours.to_str().unwrap();
        let mine = Some("/mine.so /other.so");
        check(&format!("{preloaded}:/mine.so /other.so"), ours.as_ref(), mine);
        check(preloaded, ours.as_ref(), None);
        check(TUNABLE, TUNABLE.as_ref(), None);
        check(&format!("a=b:{TUNABLE}"), TUNABLE.as_ref(), Some("a=b"));
        // The harness of another revision does not change the variable.
        check("/mine.so", ours.as_ref(), Some("/mine.so"));
    }

    #[test]
    fn without_a_counter_there_is_a_remedy() {
        refused(
            "hardware",
            false,
            Some(valgrind()),
            Cause::Unsupported,
            &["no counter", "unset PERF_BUDGET_COUNTER"],
        );
        refused("perf", true, Some(valgrind()), Cause::Unsupported, &["`perf`", "`callgrind`"]);
        if valgrind::IS_KNOWN {
            refused("", false, None, Cause::NotFound, &["no counter", "install Valgrind"]);
            refused(
                "callgrind",
                true,
                None,
                Cause::NotFound,
                &["PERF_BUDGET_COUNTER asks", "install Valgrind"],
            );
        }
    }
}
