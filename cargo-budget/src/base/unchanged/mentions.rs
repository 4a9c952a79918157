//! The search for names of files in sources. A program that reads a file at run time usually contains the name of the
//! file, or of a directory that the file is in.
//!
//! A name that is found only makes more measured, never less: a file that would count as documentation counts as data
//! where the sources name it.

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

    /// Returns the source that names this path, or a directory that it is in.
    pub(super) fn naming(&self, path: &str) -> Option<&str> {
        self.named_by(path, &|_| true)
    }

    /// Returns the source that names this path, or a directory that it is in, elsewhere than in a macro that compiles the
    /// file into the program.
    pub(super) fn naming_at_run_time(&self, path: &str) -> Option<&str> {
        self.named_by(path, &|before| !is_in_include(before))
    }

    fn named_by(&self, path: &str, counts: &dyn Fn(&str) -> bool) -> Option<&str> {
        let named = |code: &str| path.split('/').any(|part| names(code, part, counts));
        self.0.iter().find(|(_, code)| named(code)).map(|(from, _)| from.as_str())
    }

    /// Returns the source that contains this name as a string of its own, or at the end of a path.
    pub(super) fn naming_last(&self, name: &str) -> Option<&str> {
        let names = |code: &str| names(code, name, &|_| true);
        self.0.iter().find(|(_, code)| names(code)).map(|(from, _)| from.as_str())
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
            assert_eq!(sources.naming(path).is_some(), want, "{code}: {path}");
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
    }

    #[test]
    fn a_file_that_is_compiled_is_not_named_for_the_time_of_running() {
        let check = |code: &str, want: bool| {
            let mut sources = Sources::default();
            sources.add("src/lib.rs", code);
            assert!(sources.naming("README.md").is_some());
            assert_eq!(sources.naming_at_run_time("README.md").is_some(), want, "{code}");
        };
        check("#![doc = include_str!(\"../README.md\")]", false);
        check("include_bytes! ( \"../README.md\" )", false);
        check("include_str!(\"../README.md\"); read(\"README.md\")", true);
        check("include_str!(concat!(\"..\", \"/README.md\"))", true);
        check("my_include!(\"README.md\")", true);
    }
}
