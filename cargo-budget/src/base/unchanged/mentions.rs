//! The search for names of files in sources. A program that reads a file at run time usually contains the name of the
//! file, or of a directory that the file is in.
//!
//! A name that is found only makes more measured, never less: a file that would count as documentation counts as data
//! where the sources name it.

use std::collections::BTreeSet;

/// The macros that compile a file into the program.
const INCLUDE: [&str; 3] = ["include!", "include_bytes!", "include_str!"];

/// The text of sources without comments, each with its path.
#[derive(Debug, Default)]
pub(super) struct Sources(Vec<(String, String)>);

impl Sources {
    /// Adds the text of a file.
    pub(super) fn add(&mut self, path: &str, text: &str) {
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let code = code.flat_map(|line| [line, "\n"]).collect();
        self.0.push((path.to_owned(), code));
    }

    /// Returns the source that names this path, or a directory that it is in. `roots` are the directories that a program
    /// may start from.
    pub(super) fn naming(&self, path: &str, roots: &BTreeSet<String>) -> Option<&str> {
        self.named_by(path, roots, &|_| true)
    }

    /// Returns the source that names this path, or a directory that it is in, elsewhere than in a macro that compiles the
    /// file into the program.
    pub(super) fn naming_at_run_time(&self, path: &str, roots: &BTreeSet<String>) -> Option<&str> {
        self.named_by(path, roots, &|before| !is_in_include(before))
    }

    fn named_by(
        &self,
        path: &str,
        roots: &BTreeSet<String>,
        counts: &dyn Fn(&str) -> bool,
    ) -> Option<&str> {
        let (directories, file) = path.rsplit_once('/').unwrap_or(("", path));
        let named = |(from, code): &&(String, String)| {
            let mut above = String::new();
            let mut named = names(code, file, counts);
            for part in directories.split('/').filter(|part| !part.is_empty()) {
                let can_start = roots.contains(&above) || is_around(&above, from);
                let parent = above.rsplit('/').next().unwrap_or_default().to_owned();
                named = named
                    || names(code, part, &|before| {
                        (can_start || is_below(before, &parent)) && counts(before)
                    });
                above = if above.is_empty() { part.to_owned() } else { format!("{above}/{part}") };
            }
            named
        };
        self.0.iter().find(named).map(|(from, _)| from.as_str())
    }

    /// Returns the source that contains this name as a string of its own, or at the end of a path.
    pub(super) fn naming_last(&self, name: &str) -> Option<&str> {
        let names = |code: &str| names(code, name, &|_| true);
        self.find(&names)
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
        self.0.iter().find(|(_, code)| is_wanted(code)).map(|(from, _)| from.as_str())
    }
}

/// Whether a text contains a name as the last part of a path or before a placeholder: `"docs"`, `"../docs/"`,
/// `"docs/{name}.md"`. `counts` gets the text before the name.
fn names(code: &str, name: &str, counts: &dyn Fn(&str) -> bool) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let (before, after) = (&code[..at], &code[at + name.len()..]);
        let after = after.strip_prefix(['/', '\\']).unwrap_or(after);
        before.ends_with(['"', '/', '\\']) && after.starts_with(['"', '{', '*']) && counts(before)
    })
}

/// Whether a text contains a name that is not a part of a longer one.
fn says(code: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    code.match_indices(name).any(|(at, _)| {
        !code[..at].ends_with(is_part) && !code[at + name.len()..].starts_with(is_part)
    })
}

/// Whether a directory is that of a source, or one that this is in: the source can reach it from its own place, which
/// `file!()` gives.
fn is_around(directory: &str, source: &str) -> bool {
    directory.is_empty() || source.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
}

/// Whether a text ends with a directory and a separator, so that what follows is a name in that directory.
fn is_below(before: &str, directory: &str) -> bool {
    let before = before.strip_suffix(['/', '\\']).map(|before| before.trim_end_matches('\\'));
    before
        .and_then(|before| before.strip_suffix(directory))
        .is_some_and(|before| before.ends_with(['"', '/', '\\', '}']))
}

/// Whether a text ends within the first string of `include_str!("` or of a macro like it.
fn is_in_include(before: &str) -> bool {
    let Some((before, _)) = before.rsplit_once('"') else { return false };
    let Some(before) = before.trim_end().strip_suffix('(') else { return false };
    let name = before.trim_end().rsplit(|c: char| !(c.is_alphanumeric() || c == '_' || c == '!'));
    name.into_iter().next().is_some_and(|name| INCLUDE.contains(&name))
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
