//! The functions that a compiler has inlined, by the line tables of a program.
//!
//! Tables of lines alone (`debug = "line-tables-only"`) have the last part of a function's name and its file. The crate and the
//! module are those of the file, by the root files of the crates that the program says it was compiled from.

use std::collections::BTreeSet;
use std::path::Path;
use std::rc::Rc;

use addr2line::{Context, Frame};
use gimli::{EndianRcSlice, RunTimeEndian};
use object::File;
use object::read::{Object, ObjectSection};
use perf_budget_core::blame::plain;

use crate::inside::demangled;

type Bytes = EndianRcSlice<RunTimeEndian>;

/// What a program says of inlined functions.
pub(super) struct Inlined {
    context: Context<Bytes>,
    roots: Vec<Root>,
}

/// Where a crate has its sources.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Root {
    /// The folder of its root file, with a `/` behind it.
    folder: String,
    /// Its root file.
    file: String,
    name: String,
}

/// The names of functions that are there as functions in some program, by which those that have none but their last part are
/// completed: what is inlined on one side, and not on the other, must have one name.
#[derive(Default)]
pub(super) struct Known(BTreeSet<String>);

impl Known {
    /// Remembers the names of these functions, as far as they are of the project's own crates.
    pub(super) fn add<'a>(&mut self, names: impl Iterator<Item = &'a str>, own: &BTreeSet<String>) {
        let is_own = |name: &&str| {
            let path = name.strip_prefix('<').unwrap_or(name);
            path.split_once("::").is_some_and(|(of, _)| own.contains(of))
        };
        self.0.extend(names.filter(is_own).map(plain));
    }

    /// Returns the name of the function that is called `last` in a module, where only one is.
    fn complete(&self, module: &str, last: &str) -> String {
        let whole = format!("{module}::{last}");
        if self.0.contains(&whole) {
            return whole;
        }
        let start = format!("{module}::");
        let is_it = |name: &&String| {
            let behind = name.strip_prefix('<').unwrap_or(name).strip_prefix(&start);
            behind.and_then(|behind| behind.strip_suffix(last)).is_some_and(|t| t.ends_with("::"))
        };
        let mut found = self.0.iter().filter(is_it);
        match (found.next(), found.next()) {
            (Some(only), None) => only.clone(),
            _ => whole,
        }
    }
}

impl Inlined {
    /// Reads the tables of a file; `None` if it has none, or they cannot be read.
    pub(super) fn of(file: &File<'_>) -> Option<Inlined> {
        let endian =
            if file.is_little_endian() { RunTimeEndian::Little } else { RunTimeEndian::Big };
        let section = |id: gimli::SectionId| {
            let data = file.section_by_name(id.name()).and_then(|section| section.data().ok());
            Ok::<_, gimli::Error>(EndianRcSlice::new(Rc::from(data.unwrap_or_default()), endian))
        };
        // What is compressed is not read.
        file.section_by_name(".debug_info").filter(|info| info.size() > 0)?;
        let dwarf = gimli::Dwarf::load(section).ok()?;
        let roots = roots(&dwarf).unwrap_or_default();
        let context = Context::from_dwarf(dwarf).ok()?;
        (!roots.is_empty()).then_some(Inlined { context, roots })
    }

    /// Whether it says so of the code of one of these crates.
    pub(super) fn knows(&self, own: &BTreeSet<String>) -> bool {
        self.roots.iter().any(|root| own.contains(&root.name))
    }

    /// Returns the functions that are inlined at an address of the file, the innermost first, and without the one that they are
    /// inlined into. A closure whose function is not known is a part of what it is inlined into.
    pub(super) fn names(&self, address: u64, known: &Known) -> Vec<String> {
        let Ok(mut frames) = self.context.find_frames(address).skip_all_loads() else {
            return Vec::new();
        };
        let mut names = Vec::new();
        while let Ok(Some(frame)) = frames.next() {
            names.push(self.name(&frame, known));
        }
        // The last one is the function that is there.
        names.pop();
        names.into_iter().flatten().collect()
    }

    fn name(&self, frame: &Frame<'_, Bytes>, known: &Known) -> Option<String> {
        let name = frame.function.as_ref()?.raw_name().ok()?;
        if name.starts_with("_R") || name.starts_with("_ZN") {
            return Some(demangled(&name));
        }
        let file = frame.location.as_ref()?.file?;
        let last = plain(&name);
        let module = module(&self.roots, file)?;
        match last.strip_prefix('{') {
            // The body of an asynchronous function, whose name is that of another.
            Some(body) if body.starts_with("async_fn") => Some(format!("{module}::{{async fn}}")),
            Some(body) if body.starts_with("async_block") => {
                Some(format!("{module}::{{async block}}"))
            }
            Some(_) => None,
            None if last.contains("closure") => None,
            None => Some(known.complete(&module, &last)),
        }
    }
}

/// Returns the module that a file is, with its crate.
fn module(roots: &[Root], file: &str) -> Option<String> {
    if let Some(root) = roots.iter().find(|root| root.file == file) {
        return Some(root.name.clone());
    }
    let within = roots.iter().filter(|root| file.starts_with(&root.folder));
    let nearest = within.max_by_key(|root| root.folder.len());
    let (name, inside) = if let Some(root) = nearest {
        (root.name.clone(), &file[root.folder.len()..])
    } else {
        // A crate of which all is inlined is known by its folder, which may have a version behind its name.
        let (folder, inside) = file.rsplit_once("/src/")?;
        let folder = folder.rsplit('/').next()?;
        let versioned = folder.rsplit_once('-').filter(|(_, version)| {
            version.starts_with(|c: char| c.is_ascii_digit()) && version.contains('.')
        });
        (versioned.map_or(folder, |(name, _)| name).replace('-', "_"), inside)
    };
    let path = inside.strip_suffix(".rs").unwrap_or(inside);
    let parts = path.split('/').filter(|part| !["mod", "lib", "main"].contains(part));
    Some(std::iter::once(name.as_str()).chain(parts).collect::<Vec<_>>().join("::"))
}

/// Returns the crates that a program was compiled from: the compiler names each unit by its root file and its crate, as in
/// `src/lib.rs/@/name.0123456789abcdef-cgu.0`.
fn roots(dwarf: &gimli::Dwarf<Bytes>) -> Result<Vec<Root>, gimli::Error> {
    let mut roots = BTreeSet::new();
    let mut headers = dwarf.units();
    while let Some(header) = headers.next()? {
        let unit = dwarf.unit(header)?;
        let text = |bytes: &Option<Bytes>| {
            bytes.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        };
        let (name, folder) = (text(&unit.name), text(&unit.comp_dir).unwrap_or_default());
        roots.extend(name.and_then(|name| root(&name, &folder)));
    }
    Ok(roots.into_iter().collect())
}

fn root(unit: &str, folder: &str) -> Option<Root> {
    let (file, unit) = unit.split_once("/@/")?;
    let name = unit.split_once('.')?.0;
    let file = Path::new(folder).join(file).to_str()?.to_owned();
    let folder = format!("{}/", file.rsplit_once('/')?.0);
    Some(Root { folder, file, name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_which_module_it_is() {
        let roots = [
            root("src/lib.rs/@/work.0123-cgu.0", "/made").unwrap(),
            root("tests/budgets.rs/@/budgets.0123-cgu.0", "/made").unwrap(),
            root("/registry/itoa-1.0.1/src/lib.rs/@/itoa.0123-cgu.0", "/registry").unwrap(),
        ];
        let check = |file: &str, want: &str| {
            assert_eq!(module(&roots, file).as_deref(), Some(want), "{file}");
        };
        check("/made/src/lib.rs", "work");
        check("/made/src/text/mod.rs", "work::text");
        check("/made/src/text/fold.rs", "work::text::fold");
        check("/made/tests/budgets.rs", "budgets");
        check("/registry/itoa-1.0.1/src/udiv.rs", "itoa::udiv");
        check("/registry/some-crate-0.3.1/src/a/b.rs", "some_crate::a::b");
        check("/rustc/0123/library/core/src/iter/range.rs", "core::iter::range");
        assert_eq!(module(&roots, "generated.rs"), None);
        assert_eq!(root("work.c", "/made"), None);
    }

    #[test]
    fn a_name_is_completed_where_only_one_function_has_it() {
        let mut known = Known::default();
        let names = [
            "work::index::Index::post",
            "<work::index::Index as core::ops::Drop>::drop",
            "work::text::fold",
            "work::one::A::get",
            "work::one::B::get",
        ];
        known.add(names.into_iter(), &BTreeSet::from(["work".to_owned()]));
        let check = |module: &str, last: &str, want: &str| {
            assert_eq!(known.complete(module, last), want, "{module} {last}");
        };
        check("work::text", "fold", "work::text::fold");
        check("work::index", "post", "work::index::Index::post");
        check("work::index", "drop", "<work::index::Index as core::ops::Drop>::drop");
        check("work::one", "get", "work::one::get");
        check("work::index", "ost", "work::index::ost");
    }
}
