//! The search for names of files in sources. A program that reads a file at run time usually contains the name of the
//! file, or of a directory that the file is in.
//!
//! A name that is found only makes more measured, never less: a file that would count as documentation counts as data
//! where the sources name it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::Path;

use super::words::{self, Word};

/// The text of one file.
#[derive(Debug)]
struct Source {
    path: String,
    /// The text without comments.
    code: String,
    words: Vec<Word>,
}

/// The texts that are searched, each with its path.
#[derive(Debug, Default)]
pub(super) struct Sources {
    all: Vec<Source>,
    /// The words, each by its last part, as the numbers of the text and of the word in it.
    by_last: BTreeMap<String, Vec<(usize, usize)>>,
    /// The words whose last part may have another form, or stand for the beginning of a name.
    open: Vec<(usize, usize)>,
}

impl Sources {
    /// Adds a source.
    pub(super) fn add(&mut self, path: &str, text: &str) {
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let code: String = code.flat_map(|line| [line, "\n"]).collect();
        let words = words::of_source(&code).into_iter().collect();
        self.push(Source { path: path.to_owned(), code, words });
    }

    /// Adds a file of another kind that is read. Of its words only those count whose last part `is_name`.
    pub(super) fn add_text(&mut self, path: &str, text: &str, is_name: &dyn Fn(&str) -> bool) {
        let words = words::of_text(text).into_iter();
        let words = words.filter(|word| {
            is_name(word.last()) || (word.last().contains('*') && word.parts.len() > 1)
        });
        self.push(Source { path: path.to_owned(), code: text.to_owned(), words: words.collect() });
    }

    fn push(&mut self, source: Source) {
        let nth = self.all.len();
        for (at, word) in source.words.iter().enumerate() {
            let last = word.last();
            if last.contains('*') || !last.contains('.') || last.ends_with('.') {
                self.open.push((nth, at));
            }
            self.by_last.entry(last.to_owned()).or_default().push((nth, at));
        }
        self.all.push(source);
    }

    /// Returns the source that names this path, or a directory that it is in. `roots` are the directories that a program
    /// may start from.
    pub(super) fn naming(&self, path: &str, roots: &BTreeSet<String>) -> Option<&str> {
        self.named_by(path, roots, &|_| true)
    }

    /// Returns the source that names this path, or a directory that it is in, elsewhere than in a macro that compiles the
    /// file into the program.
    pub(super) fn naming_at_run_time(&self, path: &str, roots: &BTreeSet<String>) -> Option<&str> {
        self.named_by(path, roots, &|word| !word.is_included).or_else(|| self.reading_itself(path))
    }

    /// Whether a source has this name of a file elsewhere than in a macro that compiles it into the program.
    pub(super) fn names_file_at_run_time(&self, name: &str) -> bool {
        let mut named = self.by_last.get(name).into_iter().flatten();
        named.any(|(nth, at)| !self.all[*nth].words[*at].is_included)
    }

    /// Returns the source if it is this path and may read itself, or one that gives this way to others.
    fn reading_itself(&self, path: &str) -> Option<&str> {
        // This is asked of every file, and most are no sources.
        let reads = |source: &&Source| {
            let gives_way = || is_source(path) && source.code.contains("macro_rules!");
            (source.path == path || gives_way()) && source.code.contains("file!()")
        };
        self.all.iter().find(reads).map(|source| source.path.as_str())
    }

    fn named_by(
        &self,
        path: &str,
        roots: &BTreeSet<String>,
        counts: &dyn Fn(&Word) -> bool,
    ) -> Option<&str> {
        let parts: Vec<&str> = path.split('/').collect();
        let exact = parts.iter().filter_map(|part| self.by_last.get(*part)).flatten();
        let named = exact.chain(&self.open).filter(|(nth, at)| {
            let source = &self.all[*nth];
            let word = &source.words[*at];
            let can_start = |length: usize| {
                let above = parts[..length].join("/");
                roots.contains(&above) || is_around(&above, &source.path)
            };
            counts(word) && word.names(&parts, &can_start)
        });
        self.first(named)
    }

    /// Returns the first of the sources that have these words.
    fn first<'w>(&self, words: impl Iterator<Item = &'w (usize, usize)>) -> Option<&str> {
        words.map(|(nth, _)| *nth).min().map(|nth| self.all[nth].path.as_str())
    }

    /// Returns the source that contains this name as a string of its own, or at the end of a path.
    pub(super) fn naming_last(&self, name: &str) -> Option<&str> {
        let named = self.by_last.get(name).into_iter().flatten();
        let named = named.filter(|(nth, at)| {
            let word = &self.all[*nth].words[*at];
            word.is_whole || word.parts.len() > 1 || word.is_anywhere
        });
        self.first(named)
    }

    /// Returns the source that reads the variables whose names begin so when it runs, and not when it is compiled. Sources
    /// for which `is_left_out` holds do not count.
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
        let mut all = self.all.iter().filter(|source| !is_left_out(&source.path));
        all.find(|source| reads(&source.code)).map(|source| source.path.as_str())
    }

    /// Returns the source that has this name as a word, wherever it is.
    pub(super) fn saying(&self, name: &str) -> Option<&str> {
        self.find(&|code| says(code, name))
    }

    /// Returns the source that contains this text.
    pub(super) fn containing(&self, text: &str) -> Option<&str> {
        self.find(&|code| code.contains(text))
    }

    /// Returns the first source whose text is wanted.
    pub(super) fn find(&self, is_wanted: &dyn Fn(&str) -> bool) -> Option<&str> {
        self.all.iter().find(|source| is_wanted(&source.code)).map(|source| source.path.as_str())
    }
}

/// Whether a text contains a name that is not a part of a longer one.
fn says(code: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    code.match_indices(name).any(|(at, _)| {
        !code[..at].ends_with(is_part) && !code[at + name.len()..].starts_with(is_part)
    })
}

/// Whether a path is a Rust source. A source that the build did not read belongs to another target, or to none.
pub(super) fn is_source(path: &str) -> bool {
    Path::new(path).extension() == Some(OsStr::new("rs"))
}

/// Whether a directory is that of a source, or one that this is in: the source can reach it from its own place, which
/// `file!()` gives.
fn is_around(directory: &str, source: &str) -> bool {
    directory.is_empty() || source.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_named_by_its_end_or_by_a_directory() {
        let check = |code: &str, path: &str, want: bool| {
            let mut sources = Sources::default();
            sources.add("src/lib.rs", code);
            let roots = ["kit".to_owned()].into();
            assert_eq!(sources.naming(path, &roots).is_some(), want, "{code}: {path}");
        };
        check("read(\"README.md\")", "README.md", true);
        check("read(\"../docs/guide.md\")", "docs/guide.md", true);
        check("read_dir(\"docs\")", "docs/guide.md", true);
        check("format!(\"{root}/docs/{name}.md\")", "docs/guide.md", true);
        check("glob(\"docs/*.md\")", "docs/guide.md", true);
        check("// see \"docs\"\n    /// \"README.md\"", "docs/README.md", false);
        check("\"https://docs.rs/kit\"", "docs/guide.md", false);
        check("see README.md", "README.md", false);
        check("\"docs/other.md\"", "docs/guide.md", false);
        // A directory is reached from a root, from the place of the source, or through the directory that it is in.
        check("join(\"data\")", "kit/data/a.md", true);
        check("join(\"data\")", "src/data/a.md", true);
        check("join(\"data\")", "other/data/a.md", false);
        check("join(\"other/data\")", "other/data/a.md", true);
        check("join(\"other\\\\data\")", "other/data/a.md", true);
        check("join(\"other\").join(\"data\")", "other/data/a.md", true);
        check("join(\"another/data\")", "other/data/a.md", false);
        check("join(\"a.md\")", "other/data/a.md", true);
        // Only a part of the name is in the text.
        check("format!(\"corpus/doc_{n}.md\")", "corpus/doc_1.md", true);
        check("format!(\"corpus/doc_{n}.md\")", "corpus/in_1.md", false);
        check("format!(\"corpus/{}{}.md\", a, b)", "corpus/a1.md", true);
        check("format!(\"LICENSE-{k}\")", "LICENSE-MIT", true);
        check("\"LICENSE-\".to_owned() + kind", "LICENSE-MIT", true);
        check("Path::new(\"corpus/a\").with_extension(\"md\")", "corpus/a.md", true);
        check("path.with_extension(\"md\")", "README.md", true);
        check("path.with_extension(\"json\")", "README.md", false);
        check("format!(\"{p}.md\")", "README.md", true);
        check("name.to_owned() + \".md\"", "README.md", true);
        check("name.push_str(\".md\")", "README.md", true);
        check("name.ends_with(\".md\")", "README.md", false);
        // The name is in a longer text.
        check("sh(\"cat corpus/a.md | x\")", "corpus/a.md", true);
        check("args([\"-c\", \"wc -c corpus/*.md\"])", "corpus/a.md", true);
        check("arg(\"--in=docs/a.md\")", "docs/a.md", true);
        check("\"a.md\nb.md\n\".lines()", "corpus/b.md", true);
        check("printf(\"corpus/%s.md\")", "corpus/a.md", true);
        check("concat!(\"docs/\", \"a\")", "docs/guide.md", true);
        check("\"the docs are elsewhere\"", "docs/guide.md", false);
        check("run(\"sh\", \"ls docs\")", "docs/guide.md", true);
        check("\"see https://host/docs/guide.md for more\"", "docs/guide.md", false);
        // A feature is no path.
        check("#[cfg(feature = \"data\")]", "src/data/a.rs", false);
        check("cfg!(all(unix, feature = \"data\"))", "src/data/a.rs", false);
        check("let feature = \"data\";", "src/data/a.rs", true);
        check("r#\"corpus\"#", "corpus/a.md", true);
    }

    #[test]
    fn a_list_names_the_files_in_it() {
        let check = |text: &str, path: &str, want: bool| {
            let mut sources = Sources::default();
            sources.add_text("cases.txt", text, &|name| path.split('/').any(|part| part == name));
            assert_eq!(sources.naming(path, &BTreeSet::new()).is_some(), want, "{text}: {path}");
        };
        check("corpus/a.md\n", "corpus/a.md", true);
        check("[book]\nsrc = \"docs\"\n", "docs/guide.md", true);
        check("{\"files\": [\"docs/guide.md\"]}", "docs/guide.md", true);
        check("docs\n", "docs/guide.md", true);
        check("docs_dir: docs\n", "docs/guide.md", true);
        check("dirs:\n  - docs\n", "docs/guide.md", true);
        check("CORPUS = 'docs'\n", "docs/guide.md", true);
        check("all of the docs\n", "docs/guide.md", false);
        check("other.md\n", "corpus/a.md", false);
    }

    #[test]
    fn a_source_that_has_its_own_path_may_read_itself() {
        let mut sources = Sources::default();
        sources.add("src/lib.rs", "read(file!())");
        let roots = BTreeSet::new();
        assert_eq!(sources.naming_at_run_time("src/lib.rs", &roots), Some("src/lib.rs"));
        assert_eq!(sources.naming_at_run_time("src/other.rs", &roots), None);
    }

    #[test]
    fn a_variable_is_read_when_the_program_runs() {
        let check = |code: &str, want: bool| {
            let mut sources = Sources::default();
            sources.add("src/lib.rs", code);
            assert_eq!(sources.reading_variable("OUT_DIR", &|_| false).is_some(), want, "{code}");
            assert_eq!(sources.reading_variable("OUT_DIR", &|_| true), None);
        };
        check("env::var(\"OUT_DIR\")", true);
        check("include!(concat!(env!(\"OUT_DIR\"), \"/x.rs\"))", false);
        check("option_env!( \"OUT_DIR\" )", false);
        check("// env::var(\"OUT_DIR\")", false);
    }

    #[test]
    fn a_file_that_is_compiled_is_not_named_for_the_time_of_running() {
        let check = |code: &str, want: bool| {
            let mut sources = Sources::default();
            sources.add("src/lib.rs", code);
            let roots = BTreeSet::new();
            assert!(sources.naming("README.md", &roots).is_some());
            assert_eq!(sources.naming_at_run_time("README.md", &roots).is_some(), want, "{code}");
        };
        check("#![doc = include_str!(\"../README.md\")]", false);
        check("include_bytes! ( \"../README.md\" )", false);
        check("include_str!(\"../README.md\"); read(\"README.md\")", true);
        check("include_str!(concat!(\"..\", \"/README.md\"))", true);
        check("my_include!(\"README.md\")", true);
    }
}
