//! The search for names of files in sources. A program that reads a file at run time usually contains the name of the
//! file, or of a directory that the file is in.
//!
//! A name that is found only makes more measured, never less: a file that would count as documentation counts as data
//! where the sources name it.

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
        let named = |code: &str| path.split('/').any(|part| names(code, part));
        self.0.iter().find(|(_, code)| named(code)).map(|(from, _)| from.as_str())
    }

    /// Returns the source that contains this name as a string of its own, or at the end of a path.
    pub(super) fn naming_last(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(_, code)| names(code, name)).map(|(from, _)| from.as_str())
    }
}

/// Whether a text contains a name as the last part of a path or before a placeholder: `"docs"`, `"../docs/"`,
/// `"docs/{name}.md"`.
fn names(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let (before, after) = (&code[..at], &code[at + name.len()..]);
        let after = after.strip_prefix(['/', '\\']).unwrap_or(after);
        before.ends_with(['"', '/', '\\']) && after.starts_with(['"', '{', '*'])
    })
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
}
