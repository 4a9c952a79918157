//! Repeats a link with the same inputs, and with another order of the functions each time.

use std::fs;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use object::{Object as _, ObjectSymbol as _, SymbolKind};
use serde::{Deserialize, Serialize};

use super::copies::Copies;
use super::inputs::Inputs;
use super::record::Record;
use crate::child;

/// The disk space in bytes that all links of one binary may take together.
const ROOM: u64 = 1 << 30;
/// The most links of one binary. They are enough to find a true value that lies one standard deviation of links beyond its
/// limit (`docs/comparison.md`).
pub(crate) const MOST: u32 = 128;
/// The number of characters of a linker's error message that are shown.
const SHOWN: usize = 300;

/// Why there are no links.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// There is no record of the binary as it is now; cargo has to link it once more.
    Stale,
    /// The link cannot be repeated, for this reason.
    Cannot(String),
}

impl Refused {
    /// Returns the reason in words, for a binary that cargo has just linked.
    pub(crate) fn describe(self) -> String {
        match self {
            Refused::Stale => "the link could not be recorded".to_owned(),
            Refused::Cannot(why) => why,
        }
    }
}

/// A binary whose link is repeated. The links are numbered from 1, and are in the directory of the binary, so that each
/// finds the same files relative to itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Repeated {
    /// The directory with the record of the link.
    pub(crate) records: PathBuf,
    /// The binary.
    pub(crate) binary: PathBuf,
    /// The seed of the first link. Each further link has the next one.
    pub(crate) first_seed: u32,
}

/// Returns a seed that differs from run to run, so that the links of a later run are other draws.
pub(crate) fn fresh_seed() -> u32 {
    // The linker takes 0 for a seed of its own choice, and the greatest number for the reverse order.
    (RandomState::new().build_hasher().finish() as u32 >> 2) + 1
}

impl Repeated {
    /// Makes those links of these numbers that do not exist yet, and returns the paths of all of them.
    pub(crate) fn make(&self, numbers: RangeInclusive<u32>) -> Result<Vec<PathBuf>, Refused> {
        let record = self.record()?;
        let place =
            Record::place(&self.records, &self.binary).ok_or(Refused::Stale)?.join("aligned");
        let made = self.make_missing(&record, &place, numbers);
        let _ = fs::remove_dir_all(&place);
        made.map_err(Refused::Cannot)
    }

    fn make_missing(
        &self,
        record: &Record,
        place: &Path,
        numbers: RangeInclusive<u32>,
    ) -> Result<Vec<PathBuf>, String> {
        let links: Vec<PathBuf> = numbers.clone().map(|number| self.path(number)).collect();
        let missing: Vec<u32> = numbers.filter(|&number| !self.path(number).is_file()).collect();
        if !missing.is_empty() {
            let copies = Copies::new(record, place)?;
            self.link_all(record, &copies, &missing)?;
        }
        if let [first, second, ..] = &links[..]
            && have_same_order(first, second)
        {
            return Err(format!("`{}` makes the same link whatever the seed is", record.linker));
        }
        Ok(links)
    }

    /// Checks that nothing is known that keeps the link from being repeated. It does not run the linker.
    pub(crate) fn check(&self) -> Result<(), Refused> {
        self.record().map(drop)
    }

    /// Returns the record of the link, unless something is known that keeps the link from being repeated.
    fn record(&self) -> Result<Record, Refused> {
        let record = Record::read(&self.records, &self.binary).ok_or(Refused::Stale)?;
        obstacle(&record.arguments).map_or(Ok(record), |reason| Err(Refused::Cannot(reason)))
    }

    /// Returns what the binary was linked from.
    ///
    /// # Errors
    /// If not all of its inputs are known.
    pub(crate) fn inputs(&self) -> Result<Inputs, String> {
        let record = Record::read(&self.records, &self.binary);
        let record = record.ok_or_else(|| "the link is not recorded".to_owned())?;
        let place = Record::place(&self.records, &self.binary).unwrap_or_default();
        Inputs::from_record(&record, &place)
    }

    /// Returns the greatest number of links for which there is room on the disk.
    pub(crate) fn max_links(&self) -> u32 {
        let length = fs::metadata(&self.binary).map_or(0, |data| data.len()).max(1);
        MOST.min(u32::try_from(ROOM / length).unwrap_or(MOST)).max(1)
    }

    /// Returns the path of the link of a number.
    fn path(&self, number: u32) -> PathBuf {
        self.binary.with_file_name(format!("{}{number}", prefix(&self.binary)))
    }

    /// Makes links, as many at once as there are processors.
    fn link_all(
        &self,
        record: &Record,
        copies: &Copies<'_>,
        numbers: &[u32],
    ) -> Result<(), String> {
        let next = AtomicUsize::new(0);
        let failure = Mutex::new(None);
        let at_once = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        std::thread::scope(|scope| {
            for _ in 0..at_once.min(numbers.len()) {
                scope.spawn(|| {
                    while let Some(&number) = numbers.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if failure.lock().is_ok_and(|failure| failure.is_some()) {
                            return;
                        }
                        if let Err(reason) = self.link(record, copies, number)
                            && let Ok(mut failure) = failure.lock()
                        {
                            failure.get_or_insert(reason);
                        }
                    }
                });
            }
        });
        failure.into_inner().ok().flatten().map_or(Ok(()), Err)
    }

    /// Makes one link, in which the seed determines the order of the functions and their places within cache lines. Its file
    /// exists only once it is whole.
    fn link(&self, record: &Record, copies: &Copies<'_>, number: u32) -> Result<(), String> {
        let to = self.path(number);
        let part = self.binary.with_file_name(format!("{}part-{number}", prefix(&self.binary)));
        let seed = self.first_seed + number - 1;
        let copies = copies.of_link(seed)?;
        run_linker(record, &copies.arguments, &part, seed)?;
        // A link is as old as its binary, so that links of one build are recognised as the same.
        let time = fs::metadata(&self.binary).and_then(|data| data.modified());
        time.and_then(|time| fs::File::options().append(true).open(&part)?.set_modified(time))
            .and_then(|()| fs::rename(&part, &to))
            .map_err(|e| format!("failed to date `{}`: {e}", to.display()))
    }
}

/// Whether the functions of two links are in the same order, which means that the linker ignored the seed. If the names of
/// functions were removed from the links, the files themselves are compared.
fn have_same_order(first: &Path, second: &Path) -> bool {
    let (first, second) = (fs::read(first).ok(), fs::read(second).ok());
    let order = |link: &Option<Vec<u8>>| -> Option<Vec<String>> {
        let file = object::File::parse(link.as_deref()?).ok()?;
        let functions = file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text);
        let mut functions: Vec<(u64, String)> = functions
            .filter_map(|symbol| Some((symbol.address(), symbol.name().ok()?.to_owned())))
            .collect();
        functions.sort_unstable();
        Some(functions.into_iter().map(|(_, name)| name).collect())
    };
    match (order(&first), order(&second)) {
        (Some(a), Some(b)) if a.len() > 1 && b.len() > 1 => a == b,
        _ => first == second,
    }
}

/// Removes the links of `binary`.
pub(crate) fn clear(binary: &Path) {
    let name = prefix(binary);
    let entries = binary.parent().and_then(|parent| fs::read_dir(parent).ok());
    for entry in entries.into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(&name) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Returns the beginning of the name of each link.
fn prefix(binary: &Path) -> String {
    format!("{}.link-", binary.file_name().unwrap_or_default().to_string_lossy())
}

/// Returns the reason why the functions cannot be put in another order: an argument of the linker that determines
/// where they go.
fn obstacle(arguments: &[String]) -> Option<String> {
    let words = arguments.iter().flat_map(|argument| argument.split(','));
    let mut words = words.map(|word| word.trim_start_matches('-'));
    let found = words.find(|word| {
        let starts = ["script=", "symbol-ordering-file", "section-ordering-file", "section-start"];
        let scripts = word.starts_with('T') && *word != "Ttext";
        *word == "script" || scripts || starts.iter().any(|start| word.starts_with(start))
    });
    found.map(|word| {
        let is_script = word.starts_with('T') || word.starts_with("script");
        let what = if is_script { "a linker script" } else { "an order" };
        format!("the linker is given {what} (`{word}`), which determines where functions go")
    })
}

/// Runs the recorded linker with these arguments, another output and another order of the functions.
fn run_linker(record: &Record, arguments: &[String], to: &Path, seed: u32) -> Result<(), String> {
    // The linkers lld and mold have different forms of the option.
    let forms = [format!("--shuffle-sections=.text*={seed}"), format!("--shuffle-sections={seed}")];
    let [lld, mold] = forms.map(|form| move || run_linker_with(&form, record, arguments, to));
    lld().or_else(|why| mold().map_err(|_| why))
}

fn run_linker_with(
    option: &str,
    record: &Record,
    arguments: &[String],
    to: &Path,
) -> Result<(), String> {
    let mut linker = child::inheriting(&record.linker);
    let given: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let output = given.iter().position(|argument| *argument == "-o");
    for (nth, argument) in given.iter().enumerate() {
        if output.is_some_and(|output| nth == output + 1) {
            linker.arg(to);
        } else {
            linker.arg(argument);
        }
    }
    // Where the linker is called through a compiler, the compiler passes on only arguments with this prefix.
    let prefix =
        if given.iter().any(|argument| argument.starts_with("-Wl,")) { "-Wl," } else { "" };
    linker.arg(format!("{prefix}{option}"));
    if let Some(path) = &record.path {
        linker.env("PATH", path);
    }
    let output = child::output(linker.current_dir(&record.directory).env("LC_ALL", "C"));
    let output = output.map_err(|e| format!("failed to start `{}`: {e}", record.linker))?;
    if !output.status.success() {
        return Err(format!(
            "`{}` cannot put functions in another order; it said: {}",
            record.linker,
            reason(&String::from_utf8_lossy(&output.stderr))
        ));
    }
    Ok(())
}

/// Returns the line of a linker's messages that says why it failed.
fn reason(errors: &str) -> String {
    // GNU's compiler adds a line that says only that the linker failed.
    let mut lines = errors.lines().map(str::trim).filter(|line| !line.is_empty());
    let own: Vec<&str> = lines.clone().filter(|line| !line.starts_with("collect2:")).collect();
    let is_reason = |line: &&&str| {
        ["error", "unrecognized option", "unknown option"].iter().any(|word| line.contains(word))
    };
    let line = own.iter().find(is_reason).or(own.last()).copied();
    line.or_else(|| lines.next_back()).unwrap_or("nothing").chars().take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_that_determines_where_functions_go_is_named() {
        let check = |argument: &str, want: Option<&str>| {
            let got = obstacle(&["-lc".to_owned(), argument.to_owned(), "-o".to_owned()]);
            assert_eq!(got.is_some(), want.is_some(), "{argument}: {got:?}");
            assert!(got.unwrap_or_default().contains(want.unwrap_or_default()), "{argument}");
        };
        check("-Wl,--gc-sections", None);
        check("/target/release/deps/libTable.rlib", None);
        check("-Wl,-z,relro,-z,now", None);
        check("-Tlink.x", Some("Tlink.x"));
        check("-Wl,-T,link.x", Some("`T`"));
        check("-Wl,--script=link.x", Some("script=link.x"));
        check("-Wl,--symbol-ordering-file=order", Some("symbol-ordering-file=order"));
    }

    #[test]
    fn the_reason_of_a_linker_is_shown() {
        let check = |errors: &str, want: &str| assert_eq!(reason(errors), want, "{errors}");
        let last = "collect2: error: ld returned 1 exit status\n";
        let bfd = "/usr/bin/ld.bfd: unrecognized option '--shuffle-sections=1'\n/usr/bin/ld.bfd: use the --help option\n";
        check(
            &format!("{bfd}{last}"),
            "/usr/bin/ld.bfd: unrecognized option '--shuffle-sections=1'",
        );
        check(
            "ld.gold: --shuffle-sections=1: unknown option\nuse --help\n",
            "ld.gold: --shuffle-sections=1: unknown option",
        );
        check("note\nrust-lld: error: no such file\nmore\n", "rust-lld: error: no such file");
        check("it broke\n\n", "it broke");
        check(last, last.trim());
        check("", "nothing");
    }

    #[test]
    fn a_binary_without_a_record_has_to_be_linked_again() {
        let place = tempfile::tempdir().unwrap();
        let binary = place.path().join("budgets-1");
        fs::write(&binary, "").unwrap();
        let records = place.path().join("records");
        let repeated = Repeated { records, binary, first_seed: fresh_seed() };
        assert_eq!(repeated.make(1..=2), Err(Refused::Stale));
        assert_eq!(repeated.max_links(), MOST, "an empty file takes no room");
    }
}
