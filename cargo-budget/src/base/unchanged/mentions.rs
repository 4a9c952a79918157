//! The search for names of files in sources. A program that reads a file at run time usually contains the name of the
//! file, or of a directory that the file is in.
//!
//! A name that is found only makes more measured, never less: a file that would count as documentation counts as data
//! where the sources name it.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::ffi::OsStr;
use std::path::Path;

use super::index::{Index, Spot};
use super::literals::literals;
use super::scripts::is_script;
use super::words::{self, Word, says};

/// The kind of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It is a part of the program, or configures its build.
    Code,
    /// It is the harness's own, which names and reads nothing but its own files.
    Harness,
    /// The program may start it, and it then does what it likes.
    Script,
    /// The program may read it.
    Data,
}

/// The text of one file.
#[derive(Debug)]
struct Source {
    path: String,
    kind: Kind,
    /// The text without comments.
    code: String,
    words: Vec<Word>,
}

/// The texts that are searched, each with its path.
#[derive(Debug, Default)]
pub(super) struct Sources {
    all: Vec<Source>,
    index: Index,
    /// The paths of the sources that may read themselves.
    own_readers: HashSet<String>,
    /// The first source that has a macro by which other sources may read themselves.
    reading_macro: Option<usize>,
}

/// A search of the texts from number `from` on. It keeps its result for each directory, since a directory has many files.
#[derive(Debug)]
pub(super) struct Search<'s, 'r> {
    sources: &'s Sources,
    roots: &'r BTreeSet<String>,
    from: usize,
    directories: RefCell<HashMap<(String, Moment), Option<usize>>>,
}

/// When a file has to be read for its name to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Moment {
    Any,
    /// When the program runs, and not by a macro that compiles the file into the program.
    RunTime,
}

impl Sources {
    /// Adds a source.
    pub(super) fn add(&mut self, path: &str, text: &str) {
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let mut code: String = code.flat_map(|line| [line, "\n"]).collect();
        let words = words::of_source(&code).into_iter().collect();
        // A name also counts where its characters are written as escapes, by their numbers.
        if code.contains("\\x") || code.contains("\\u{") {
            let is_as_written = |start: usize, text: &str| {
                code[start..].trim_start_matches(['r', '#', '"']).starts_with(text)
            };
            let read = literals(&code).into_iter().filter(|(at, text)| !is_as_written(*at, text));
            let read: Vec<String> = read.map(|(_, text)| format!("{text:?}\n")).collect();
            code.extend(read);
        }
        if code.contains("file!()") {
            self.own_readers.insert(path.to_owned());
            if code.contains("macro_rules!") {
                self.reading_macro.get_or_insert(self.all.len());
            }
        }
        self.push(Source { path: path.to_owned(), kind: Kind::Code, code, words });
    }

    /// Adds a source of the harness, in the repository of the harness. In other repositories the harness is not searched for
    /// names of files, so it is not searched for them here. But a workload may have the harness list files.
    pub(super) fn add_of_harness(&mut self, path: &str, code: &str) {
        let (path, code) = (path.to_owned(), code.to_owned());
        self.push(Source { path, kind: Kind::Harness, code, words: Vec::new() });
    }

    /// Adds a file of another kind that a program reads. Of its words, only those count for whose last part, in lower case,
    /// `is_name` holds.
    pub(super) fn add_text(&mut self, path: &str, text: &str, is_name: &dyn Fn(&str) -> bool) {
        let words = words::of_text(text).into_iter();
        let words = words.filter(|word| {
            is_name(word.last()) || (word.last().contains('*') && word.parts.len() > 1)
        });
        let kind = if is_script(path, text) { Kind::Script } else { Kind::Data };
        let (path, code) = (path.to_owned(), text.to_owned());
        self.push(Source { path, kind, code, words: words.collect() });
    }

    fn push(&mut self, source: Source) {
        let nth = self.all.len();
        for (at, word) in source.words.iter().enumerate() {
            self.index.add(word, (nth, at));
        }
        self.all.push(source);
    }

    /// Returns the number of texts.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Returns the last parts of all words of the texts from number `from` on; `None` if one may also stand for other names.
    pub(super) fn whole_names(&self, from: usize) -> Option<HashSet<&str>> {
        let words = self.all[from..].iter().flat_map(|text| &text.words);
        let is_whole = |word: &Word| !word.last().contains('*') && !word.may_begin();
        words.map(|word| is_whole(word).then(|| word.last())).collect()
    }

    /// Returns a search of the texts from number `from` on. `roots` are the directories that a program may start from.
    pub(super) fn search<'s, 'r>(
        &'s self,
        roots: &'r BTreeSet<String>,
        from: usize,
    ) -> Search<'s, 'r> {
        Search { sources: self, roots, from, directories: RefCell::default() }
    }

    /// Returns the source that names this path, or a directory that it is in. `roots` are the directories that a program
    /// may start from.
    pub(super) fn naming(&self, path: &str, roots: &BTreeSet<String>) -> Option<&str> {
        self.search(roots, 0).first(path, Moment::Any).map(|nth| self.path_of(nth))
    }

    /// Returns the source that names this path, or a directory that it is in, elsewhere than in a macro that compiles the
    /// file into the program.
    pub(super) fn naming_at_run_time(&self, path: &str, roots: &BTreeSet<String>) -> Option<&str> {
        self.search(roots, 0).naming_at_run_time(path)
    }

    /// Whether a text from number `from` on has this name of a file elsewhere than in a macro that compiles it into the program.
    pub(super) fn names_file_at_run_time(&self, name: &str, from: usize) -> bool {
        let mut named = self.index.exact(&name.to_lowercase(), from).iter();
        named.any(|spot| !self.word(*spot).is_included)
    }

    /// Returns this path if the source there may read itself; else the source with a macro by which this one may do so.
    fn reading_itself(&self, path: &str) -> Option<&str> {
        if let Some(own) = self.own_readers.get(path) {
            return Some(own);
        }
        let with_macro = self.reading_macro.filter(|_| is_source(path))?;
        Some(self.path_of(with_macro))
    }

    fn word(&self, (nth, at): Spot) -> &Word {
        &self.all[nth].words[at]
    }

    fn path_of(&self, nth: usize) -> &str {
        &self.all[nth].path
    }

    /// Returns the source that contains this name as a string of its own, or at the end of a path.
    pub(super) fn naming_last(&self, name: &str) -> Option<&str> {
        let name = name.to_lowercase();
        let mut named = self.index.exact(&name, 0).iter();
        let first = named.find(|spot| {
            let word = self.word(**spot);
            word.is_whole || word.parts.len() > 1 || word.is_anywhere
        });
        first.map(|(nth, _)| self.path_of(*nth))
    }

    /// Returns the script that a program may start, if there is one.
    pub(super) fn script(&self) -> Option<&str> {
        self.all.iter().find(|text| text.kind == Kind::Script).map(|text| text.path.as_str())
    }

    /// Returns the source that reads, when it runs, variables whose names begin with `start`. Those that are read when it is
    /// compiled do not count, nor do sources for which `is_left_out` holds.
    pub(super) fn reading_variable(
        &self,
        start: &str,
        is_left_out: &dyn Fn(&str) -> bool,
    ) -> Option<&str> {
        let reads = |code: &str| {
            code.match_indices(start).any(|(at, _)| {
                let before = code[..at].trim_end_matches('"').trim_end();
                let before = before.strip_suffix('(').unwrap_or_default().trim_end();
                code[..at].ends_with('"') && !before.ends_with("env!")
            })
        };
        let runs = |source: &&Source| matches!(source.kind, Kind::Code | Kind::Script);
        let mut all = self.all.iter().filter(runs).filter(|source| !is_left_out(&source.path));
        all.find(|source| reads(&source.code)).map(|source| source.path.as_str())
    }

    /// Returns the text that has this name as a word anywhere, in letters of either case.
    pub(super) fn with_word(&self, name: &str) -> Option<&str> {
        let name = name.to_lowercase();
        let mut all = self.all.iter().filter(|text| text.kind != Kind::Harness);
        all.find(|text| says(&text.code.to_lowercase(), &name)).map(|text| text.path.as_str())
    }

    /// Returns the source that contains this text.
    pub(super) fn containing(&self, text: &str) -> Option<&str> {
        self.find(&|code| code.contains(text))
    }

    /// Returns the first source whose text is wanted. Only code counts: a text that a program reads does nothing by itself.
    pub(super) fn find(&self, is_wanted: &dyn Fn(&str) -> bool) -> Option<&str> {
        self.code().find(|source| is_wanted(&source.code)).map(|source| source.path.as_str())
    }

    /// Whether a source contains this text. Sources of the harness count too.
    pub(super) fn has(&self, text: &str) -> bool {
        let mut code = self.all.iter().filter(|t| matches!(t.kind, Kind::Code | Kind::Harness));
        code.any(|source| source.code.contains(text))
    }

    fn code(&self) -> impl Iterator<Item = &Source> {
        self.all.iter().filter(|text| text.kind == Kind::Code)
    }
}

impl<'s> Search<'s, '_> {
    /// See [`Sources::naming_at_run_time`].
    pub(super) fn naming_at_run_time(&self, path: &str) -> Option<&'s str> {
        let named = self.first(path, Moment::RunTime).map(|nth| self.sources.path_of(nth));
        named.or_else(|| self.sources.reading_itself(path))
    }

    /// Returns the number of the first text that names a path, or a directory that it is in.
    fn first(&self, path: &str, moment: Moment) -> Option<usize> {
        let lower = path.to_lowercase();
        let parts: Vec<&str> = lower.split('/').collect();
        let (file, above) = parts.split_last()?;
        let of_file = self.first_with(file, moment, &|word, _| word.names_file(file, above));
        let ends = path.match_indices('/').map(|(at, _)| &path[..at]).enumerate();
        let of_directories = ends
            .filter_map(|(nth, directory)| self.of_directory(directory, &parts[..=nth], moment));
        of_file.into_iter().chain(of_directories).min()
    }

    fn of_directory(&self, directory: &str, parts: &[&str], moment: Moment) -> Option<usize> {
        let key = (directory.to_owned(), moment);
        if let Some(known) = self.directories.borrow().get(&key) {
            return *known;
        }
        let above = directory.rsplit_once('/').map_or("", |(above, _)| above);
        let is_root = self.roots.contains(above);
        let first = self.first_with(parts.last()?, moment, &|word, source| {
            word.names_directory(parts, &|| is_root || is_around(above, source))
        });
        self.directories.borrow_mut().insert(key, first);
        first
    }

    /// Returns the number of the first text that has a word that may stand for this name and for which `is_named` holds, given
    /// the path of the text.
    fn first_with(
        &self,
        name: &str,
        moment: Moment,
        is_named: &dyn Fn(&Word, &str) -> bool,
    ) -> Option<usize> {
        let names = |spot: &&Spot| {
            let word = self.sources.word(**spot);
            (moment == Moment::Any || !word.is_included)
                && is_named(word, self.sources.path_of(spot.0))
        };
        let lists = self.sources.index.lists(name, self.from);
        // Each list is in the order of the texts, so its first match has the smallest number.
        lists.filter_map(|list| list.iter().find(names)).map(|(nth, _)| *nth).min()
    }
}

/// Whether a path is a Rust source. A source that the build did not read belongs to another target, or to none.
pub(super) fn is_source(path: &str) -> bool {
    Path::new(path).extension() == Some(OsStr::new("rs"))
}

/// Whether a source is in this directory or below it. The source can then reach the directory from its own place, which
/// `file!()` gives.
fn is_around(directory: &str, source: &str) -> bool {
    directory.is_empty() || source.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
}
