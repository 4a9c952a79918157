//! The names of inlined functions in the counts by address that a red limit has.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;

use object::File;
use perf_budget_core::blame;
use perf_budget_core::callgrind::Profile;
use perf_budget_core::counts::Counts;
use perf_budget_core::outcome::{Blame, Counts as Waiting, Inlined as State};
use perf_budget_core::samples::Code;

use super::code::{LARGEST, functions};
use super::folder::{Folder, GONE};
use super::inlined::{Inlined, LATE};

/// Returns the blame with its inlined functions named.
///
/// # Errors
/// If the counts, or a program that was counted, are gone or have changed.
pub(super) fn name_functions(
    blame: &Blame,
    waiting: &Waiting,
    folder: &Folder,
) -> Result<Blame, String> {
    let file = folder.file(&waiting.file)?;
    if Code::state(&file).map(|(_, at)| at) != Some(waiting.at) {
        return Err(GONE.to_owned());
    }
    let counts = Counts::read(&file).map_err(|e| e.to_string())?;
    let programs = Programs::read(&counts)?;
    for side in counts.before.iter().chain([&counts.now]) {
        programs.check(side)?;
    }
    let expanded = |profiles: &[Profile]| -> Vec<Profile> {
        let each = |profile| blame::expanded(profile, &|object, at| programs.names(object, at));
        profiles.iter().map(each).collect()
    };
    let both = || (counts.before.as_deref().map(expanded), expanded(&counts.now));
    let (mut before, mut now) = both();
    if programs.forgets_bodies() {
        (before, now) = both();
    }
    programs.check_time()?;
    let mut named = blame::compare(before.as_deref(), &now, &counts.about.own);
    if blame.is_of_bytes {
        named.explain_bytes();
    }
    Ok(Blame {
        seconds: blame.seconds,
        system_calls: blame.system_calls,
        is_of_memory: blame.is_of_memory,
        remarks: blame.remarks.clone(),
        inlined: Some(State::Named),
        ..named
    })
}

/// The programs and libraries whose line tables show what was inlined.
struct Programs {
    inlined: HashMap<String, Inlined>,
    /// Why the tables of one of them cannot be read.
    unread: Option<String>,
    /// The addresses that were looked up already, with the names found there.
    looked_up: RefCell<HashMap<(String, u64), Vec<String>>>,
}

impl Programs {
    /// Reads the line tables of the programs and libraries that were counted.
    fn read(counts: &Counts) -> Result<Programs, String> {
        let (mut inlined, mut unread) = (HashMap::new(), None);
        for object in &counts.about.objects {
            // Code without a file, such as what the kernel maps into each process, has no names.
            let Some((length, _)) = object.file else { continue };
            let path = Path::new(&object.path);
            if length > LARGEST {
                return Err(format!("`{}` is too large to be read", object.path));
            }
            if Code::state(path) != object.file {
                return Err(format!(
                    "`{}` is gone, or is not the file any more that was profiled; run the tests again",
                    object.path
                ));
            }
            let bytes = std::fs::read(path)
                .map_err(|e| format!("failed to read `{}`: {e}", object.path))?;
            let tables = File::parse(&*bytes).map_err(|e| Some(e.to_string())).and_then(|file| {
                Inlined::read(&file, &functions(&file), object.file.map(|(_, at)| at))
            });
            match tables {
                Ok(tables) if tables.has_tables_of(&counts.about.own) => {
                    inlined.insert(object.path.clone(), tables);
                }
                Err(Some(why)) => unread = Some(format!("`{}`: {why}", object.path)),
                _ => {}
            }
        }
        Ok(Programs { inlined, unread, looked_up: RefCell::default() })
    }

    /// Fails unless one side ran a function of a program with line tables.
    fn check(&self, side: &[Profile]) -> Result<(), String> {
        let mut functions = side.iter().flat_map(|profile| &profile.functions);
        if functions.any(|function| self.inlined.contains_key(&function.object)) {
            return Ok(());
        }
        let none = || "no program of one side has line tables of this project".to_owned();
        Err(self.unread.clone().unwrap_or_else(none))
    }

    /// Fails if names are missing because finding them took too long.
    fn check_time(&self) -> Result<(), String> {
        let late = self.inlined.iter().find(|(_, inlined)| inlined.is_late());
        late.map_or(Ok(()), |(path, _)| Err(format!("`{path}`: {LATE}")))
    }

    /// Forgets the names of all asynchronous functions if some are missing, and returns whether it did. A function with a name
    /// on one side only would look as if it had changed.
    fn forgets_bodies(&self) -> bool {
        let are_missing = self.inlined.values().any(|inlined| inlined.bodies.are_missing());
        if are_missing {
            self.inlined.values().for_each(|inlined| inlined.bodies.forget());
            self.looked_up.borrow_mut().clear();
        }
        are_missing
    }

    fn names(&self, object: &str, address: u64) -> Vec<String> {
        let Some(inlined) = self.inlined.get(object) else { return Vec::new() };
        let mut looked_up = self.looked_up.borrow_mut();
        let names =
            looked_up.entry((object.to_owned(), address)).or_insert_with(|| inlined.names(address));
        names.clone()
    }
}
