//! The functions that a compiler has inlined, as the line tables of a program show them.
//!
//! If a program has line tables only (`debug = "line-tables-only"`), they have the file of a function and the last part of its
//! name. The crate and the module follow from the file: the tables also have the root file of each crate.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::path::{MAIN_SEPARATOR, Path};
use std::rc::Rc;
use std::time::{Duration, Instant};

use addr2line::{Context, Frame};
use gimli::{EndianRcSlice, RunTimeEndian};
use object::File;
use object::read::{Object, ObjectSection};
use perf_budget_core::blame::plain;

use super::bodies::Bodies;
use crate::inside::demangled;

type Bytes = EndianRcSlice<RunTimeEndian>;

/// The most time for naming the functions of one program.
pub(super) const LONGEST: Duration = Duration::from_secs(20);
/// The reason that is given where reading the tables takes longer than that.
pub(super) const LATE: &str = "reading its line tables takes longer than 20 s";
/// The reason that is given for compressed tables.
const COMPRESSED: &str = "its line tables are compressed; leave out `--compress-debug-sections`";
/// The reason that is given for tables in files of their own.
const SPLIT: &str =
    "its line tables are in other files; set `split-debuginfo = \"off\"` in the profile";

/// What the line tables of a program say about inlined functions.
pub(super) struct Inlined {
    context: Context<Bytes>,
    roots: Vec<Root>,
    /// The functions that have code of their own, by the last parts of their names. Their names complete those of inlined
    /// functions, of which the tables have only the last part.
    compiled: HashMap<String, Vec<Function>>,
    /// The lines of the functions that were looked up, by the address of the function and the file.
    lines: RefCell<HashMap<(u64, String), Lines>>,
    /// The time that is left for naming functions.
    time_left: Cell<Duration>,
    /// The names of asynchronous functions.
    pub(super) bodies: Bodies,
}

/// The first and the last line of a function in a file. `None` if it has no line there.
type Lines = Option<(u32, u32)>;

/// A function that has code of its own: its plain name and its addresses.
struct Function {
    name: String,
    start: u64,
    end: u64,
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

impl Inlined {
    /// Reads the tables of a file with these functions, which was written at this time.
    ///
    /// # Errors
    /// The reason why they cannot be read; `None` if there are none.
    pub(super) fn read(
        file: &File<'_>,
        functions: &[(u64, u64, String)],
        built: Option<u64>,
    ) -> Result<Inlined, Option<String>> {
        let endian =
            if file.is_little_endian() { RunTimeEndian::Little } else { RunTimeEndian::Big };
        let section = |id: gimli::SectionId| {
            let data = file.section_by_name(id.name()).and_then(|section| section.data().ok());
            Ok::<_, gimli::Error>(EndianRcSlice::new(Rc::from(data.unwrap_or_default()), endian))
        };
        let sections = [".debug_info", ".debug_line"].map(|name| file.section_by_name(name));
        let is_compressed = |section: &object::Section<'_, '_>| {
            let range = section.compressed_file_range();
            range.is_ok_and(|range| range.format != object::CompressionFormat::None)
        };
        if sections.iter().flatten().any(is_compressed) {
            return Err(Some(COMPRESSED.to_owned()));
        }
        if sections[0].as_ref().is_none_or(|info| info.size() == 0) {
            return Err(None);
        }
        let unread = |e: gimli::Error| Some(format!("its line tables cannot be read: {e}"));
        let dwarf = gimli::Dwarf::load(section).map_err(unread)?;
        let (roots, is_split) = roots(&dwarf).map_err(unread)?;
        if is_split {
            return Err(Some(SPLIT.to_owned()));
        }
        if roots.is_empty() {
            // All tables are of other languages, as in a library that is written in C.
            return Err(None);
        }
        let context = Context::from_dwarf(dwarf).map_err(unread)?;
        let mut compiled: HashMap<String, Vec<Function>> = HashMap::new();
        for (start, end, name) in functions {
            let name = plain(name);
            if let Some((_, last)) = name.rsplit_once("::")
                && roots.iter().any(|root| is_in_crate(&name, &root.name))
            {
                let function = Function { name: name.clone(), start: *start, end: *end };
                compiled.entry(last.to_owned()).or_default().push(function);
            }
        }
        let (lines, time_left) = (RefCell::default(), Cell::new(LONGEST));
        Ok(Inlined { context, roots, compiled, lines, time_left, bodies: Bodies::new(built) })
    }

    /// Whether the program has tables for the code of one of these crates.
    pub(super) fn has_tables_of(&self, own: &BTreeSet<String>) -> bool {
        self.roots.iter().any(|root| own.contains(&root.name))
    }

    /// Returns the functions that are inlined at an address of the file, the innermost first, without the one that they are
    /// inlined into. A closure whose function is not known has no name of its own, so it counts for its caller.
    pub(super) fn names(&self, address: u64) -> Vec<String> {
        if self.is_late() {
            return Vec::new();
        }
        let began = Instant::now();
        let names = self.look_up(address);
        self.time_left.set(self.time_left.get().saturating_sub(began.elapsed()));
        names
    }

    /// Whether it has taken too long, so that names are missing.
    pub(super) fn is_late(&self) -> bool {
        self.time_left.get().is_zero()
    }

    fn look_up(&self, address: u64) -> Vec<String> {
        let Ok(mut frames) = self.context.find_frames(address).skip_all_loads() else {
            return Vec::new();
        };
        let mut names = Vec::new();
        while let Ok(Some(frame)) = frames.next() {
            names.push(self.name(&frame));
        }
        // The last name is that of the function that was not inlined.
        names.pop();
        names.into_iter().flatten().collect()
    }

    fn name(&self, frame: &Frame<'_, Bytes>) -> Option<String> {
        let name = frame.function.as_ref()?.raw_name().ok()?;
        if name.starts_with("_R") || name.starts_with("_ZN") {
            return Some(demangled(&name));
        }
        let location = frame.location.as_ref()?;
        let file = location.file?;
        let last = plain(&name);
        let module = module(&self.roots, file)?;
        match last.strip_prefix('{') {
            // This is the body of an asynchronous function, whose symbol is that of a closure in the function.
            Some(body) if body.starts_with("async_fn") => {
                let own = location.line.and_then(|line| self.bodies.name(file, line));
                let body = own.map_or("{async fn}".to_owned(), |own| format!("{own}::{{closure}}"));
                Some(format!("{module}::{body}"))
            }
            Some(body) if body.starts_with("async_block") => {
                Some(format!("{module}::{{async block}}"))
            }
            Some(_) => None,
            None if last.contains("closure") => None,
            None => Some(self.complete(&module, &last, file, location.line)),
        }
    }

    /// Returns the full name of a function of a module, whose last part is `last`. The name of a method gets its type if the
    /// method also has code of its own. Its lines show that, since another type may have a method with the same last part.
    fn complete(&self, module: &str, last: &str, file: &str, line: Option<u32>) -> String {
        let has_line = |function: &&Function| {
            is_method(&function.name, module, last)
                && self
                    .lines(function, file)
                    .zip(line)
                    .is_some_and(|((first, last), line)| (first..=last).contains(&line))
        };
        let candidates = self.compiled.get(last).into_iter().flatten();
        let names: BTreeSet<&str> =
            candidates.filter(has_line).map(|function| function.name.as_str()).collect();
        match names.first() {
            Some(only) if names.len() == 1 => (*only).to_owned(),
            _ => format!("{module}::{last}"),
        }
    }

    /// Returns the first and the last line in a file of what a function runs itself, without what is inlined into it.
    fn lines(&self, function: &Function, file: &str) -> Lines {
        let key = (function.start, file.to_owned());
        if let Some(lines) = self.lines.borrow().get(&key) {
            return *lines;
        }
        let ranges = self.context.find_location_range(function.start, function.end);
        let rows = ranges.into_iter().flatten().filter(|(.., row)| row.file == Some(file));
        let own = rows.filter(|(address, ..)| self.depth(*address) == 1);
        let lines = own.filter_map(|(.., row)| row.line.filter(|line| *line > 0)).fold(
            None,
            |lines: Lines, line| {
                let (first, last) = lines.unwrap_or((line, line));
                Some((first.min(line), last.max(line)))
            },
        );
        self.lines.borrow_mut().insert(key, lines);
        lines
    }

    /// Returns how many functions an address is in: the inlined ones, and the one that they are inlined into.
    fn depth(&self, address: u64) -> usize {
        let Ok(mut frames) = self.context.find_frames(address).skip_all_loads() else { return 0 };
        let mut depth = 0;
        while let Ok(Some(_)) = frames.next() {
            depth += 1;
        }
        depth
    }
}

/// Whether a function belongs to a crate.
fn is_in_crate(name: &str, krate: &str) -> bool {
    let path = name.strip_prefix('<').unwrap_or(name);
    path.strip_prefix(krate).is_some_and(|behind| behind.starts_with("::"))
}

/// Whether a name is that of a method of a type in this module, with the last part `last`.
fn is_method(name: &str, module: &str, last: &str) -> bool {
    let path = match name.strip_prefix('<') {
        Some(qualified) => qualified
            .rsplit_once(">::")
            .filter(|(_, method)| *method == last)
            .and_then(|(types, _)| types.split_once(" as "))
            .map(|(path, _)| path),
        None => name.rsplit_once("::").filter(|(_, method)| *method == last).map(|(path, _)| path),
    };
    let type_name = path.and_then(|path| path.strip_prefix(module)?.strip_prefix("::"));
    type_name.is_some_and(|name| !name.is_empty() && !name.contains("::"))
}

/// Returns the path of the module that a file contains, beginning with its crate.
fn module(roots: &[Root], file: &str) -> Option<String> {
    if let Some(root) = roots.iter().find(|root| root.file == file) {
        return Some(root.name.clone());
    }
    let within = roots.iter().filter(|root| file.starts_with(&root.folder));
    let nearest = within.max_by_key(|root| root.folder.len());
    let (name, inside) = if let Some(root) = nearest {
        (root.name.clone(), &file[root.folder.len()..])
    } else {
        // A crate whose functions are all inlined has no root. Its name is that of its folder, which may end with a version.
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

/// Returns the crates that a program was compiled from, and whether there are units whose content is in other files. The
/// compiler names each unit by its root file and its crate, as in `src/lib.rs/@/name.0123456789abcdef-cgu.0`.
fn roots(dwarf: &gimli::Dwarf<Bytes>) -> Result<(Vec<Root>, bool), gimli::Error> {
    let mut roots = BTreeSet::new();
    let mut is_split = false;
    let mut headers = dwarf.units();
    while let Some(header) = headers.next()? {
        let unit = dwarf.unit(header)?;
        is_split |= unit.dwo_id.is_some();
        let text = |bytes: &Option<Bytes>| {
            bytes.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        };
        let (name, folder) = (text(&unit.name), text(&unit.comp_dir).unwrap_or_default());
        roots.extend(name.and_then(|name| root(&name, &folder)));
    }
    Ok((roots.into_iter().collect(), is_split))
}

fn root(unit: &str, folder: &str) -> Option<Root> {
    let (file, unit) = unit.split_once("/@/")?;
    let name = unit.split_once('.')?.0;
    let file = Path::new(folder).join(file).to_str()?.replace(MAIN_SEPARATOR, "/");
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
    fn a_method_has_a_type_between_its_module_and_its_name() {
        let check = |name: &str, want: bool| {
            assert_eq!(is_method(name, "work::index", "drop"), want, "{name}");
        };
        check("work::index::Index::drop", true);
        check("<work::index::Index as core::ops::Drop>::drop", true);
        check("work::index::drop", false);
        check("work::index::Index::raindrop", false);
        check("work::index::inner::Index::drop", false);
        check("<work::index::inner::Index as core::ops::Drop>::drop", false);
    }

    const WORK: &str = r#"
use std::hint::black_box;
pub struct A(u64);
impl A {
    #[inline(always)]
    pub fn next(&mut self) -> u64 {
        self.0 = black_box(self.0 + 1);
        self.0
    }
}
pub struct B(u64);
impl B {
    #[inline(never)]
    pub fn next(&mut self) -> u64 {
        self.0 = black_box(self.0 + 2);
        self.0
    }
    #[inline(always)]
    pub fn get(&mut self) -> u64 {
        self.0 = black_box(self.0 + 3);
        self.0
    }
}
fn main() {
    let (mut a, mut b) = (A(black_box(0)), B(black_box(0)));
    let get: fn(&mut B) -> u64 = black_box(B::get);
    println!("{}", a.next() + b.next() + b.get() + get(&mut b));
}
"#;

    /// A method never gets the type of another method, even if that is the only one of its name with a symbol.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_method_that_is_inlined_everywhere_lacks_its_type() {
        let place = tempfile::tempdir().unwrap();
        std::fs::write(place.path().join("work.rs"), WORK).unwrap();
        let mut rustc = crate::child::program("rustc");
        rustc.args(["-O", "-C", "debuginfo=line-tables-only", "work.rs"]).current_dir(&place);
        assert!(rustc.status().unwrap().success());
        let bytes = std::fs::read(place.path().join("work")).unwrap();
        let file = File::parse(&*bytes).unwrap();
        let functions = super::super::code::functions(&file);
        let own = BTreeSet::from(["work".to_owned()]);
        let inlined = Inlined::read(&file, &functions, None).ok().unwrap();
        assert!(inlined.has_tables_of(&own) && !inlined.has_tables_of(&BTreeSet::new()));
        let (start, end, _) =
            functions.iter().find(|(.., name)| plain(name) == "work::main").unwrap();
        let names: BTreeSet<String> = (*start..*end).flat_map(|at| inlined.names(at)).collect();
        let has = |name: &str| names.contains(name);
        assert!(has("work::next") && has("work::B::get"), "{names:?}");
        assert!(!has("work::B::next") && !has("work::get"), "{names:?}");
        inlined.time_left.set(Duration::ZERO);
        assert!(inlined.is_late() && (*start..*end).all(|at| inlined.names(at).is_empty()));
    }
}
