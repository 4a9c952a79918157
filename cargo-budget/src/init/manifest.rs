//! The two entries that Cargo.toml needs: the library as a dev-dependency, and a test target with its own `main`.
//! Lines are added, and no existing byte is changed.

use std::path::Path;

use toml_edit::{Document, Item, Table, Value};

use crate::edit::{MARK, Splices, line_end};

/// Returns the text with the missing entries, and notes about what it has already.
pub(super) fn edit(text: &str, library: Option<&Path>) -> Result<(String, Vec<String>), String> {
    let body = text.trim_start_matches(MARK);
    let document = Document::parse(body).map_err(|e| e.to_string())?;
    let root = document.as_table();
    let value = match library {
        Some(path) => {
            let path = path.to_str().ok_or("the path of the library is not UTF-8")?;
            format!("{{ path = {} }}", Value::from(path))
        }
        None => format!("\"{}\"", env!("CARGO_PKG_VERSION")),
    };
    let mut manifest = Manifest {
        text,
        line_end: line_end(text),
        splices: Splices::default(),
        tail: String::new(),
        notes: Vec::new(),
    };
    manifest.add_library(root, text.len() - body.len(), &format!("perf-budget = {value}"))?;
    manifest.add_target(root)?;
    manifest.finish()
}

/// A Cargo.toml with the changes that are to be made to it.
struct Manifest<'t> {
    text: &'t str,
    line_end: &'static str,
    /// Lines that are added to tables that are there.
    splices: Splices,
    /// Tables that are added at the end.
    tail: String,
    notes: Vec<String>,
}

impl Manifest<'_> {
    /// Adds the entry of the library to the dev-dependencies. `offset` is where the table `root` begins in the text.
    fn add_library(&mut self, root: &Table, offset: usize, entry: &str) -> Result<(), String> {
        let (text, nl) = (self.text, self.line_end);
        match root.get("dev-dependencies").or_else(|| root.get("dev_dependencies")) {
            Some(item) if item.get("perf-budget").is_some() => {}
            Some(Item::Table(table)) if !table.is_implicit() && !table.is_dotted() => {
                let at = offset + end_of(table).ok_or("[dev-dependencies] has no place")?;
                let (place, line) = match text[at..].find('\n') {
                    Some(end) => (at + end + 1, format!("{entry}{nl}")),
                    None => (text.len(), format!("{nl}{entry}")),
                };
                self.splices.replace(place..place, line);
            }
            Some(Item::Table(table)) if !table.is_dotted() => self.add_dev_dependencies(entry),
            None => self.add_dev_dependencies(entry),
            Some(_) => {
                return Err(format!(
                    "its dev-dependencies are written in a form to which no line can be added; add `{entry}` to \
                     them by hand, and run this again"
                ));
            }
        }
        Ok(())
    }

    fn add_dev_dependencies(&mut self, entry: &str) {
        let nl = self.line_end;
        self.tail += &[nl, "[dev-dependencies]", nl, entry, nl].concat();
    }

    /// Adds the test target, or notes that the one which is there has another `main`.
    fn add_target(&mut self, root: &Table) -> Result<(), String> {
        let nl = self.line_end;
        let target = format!("{nl}[[test]]{nl}name = \"budgets\"{nl}harness = false{nl}");
        match root.get("test") {
            None => self.tail += &target,
            Some(Item::ArrayOfTables(tests)) => {
                let named =
                    |test: &&Table| test.get("name").and_then(Item::as_str) == Some("budgets");
                match tests.iter().find(named) {
                    None => self.tail += &target,
                    Some(test) if test.get("harness").and_then(Item::as_bool) == Some(false) => {}
                    Some(_) => self.notes.push(
                        "Cargo.toml has a test target `budgets` with libtest's own `main`; write \
                         `harness = false` under it"
                            .to_owned(),
                    ),
                }
            }
            Some(_) => {
                return Err("its test targets are written in a form to which none can be added; add \
                            { name = \"budgets\", harness = false } to them by hand, and run this again"
                    .to_owned());
            }
        }
        Ok(())
    }

    /// Returns the edited text, which is valid TOML, and the notes.
    fn finish(self) -> Result<(String, Vec<String>), String> {
        let mut edited = self.splices.apply(self.text);
        if !self.tail.is_empty() {
            let is_whole = edited.is_empty() || edited.ends_with('\n');
            edited += if is_whole { "" } else { self.line_end };
            edited += &self.tail;
        }
        let body = edited.trim_start_matches(MARK);
        Document::parse(body)
            .map_err(|e| format!("the edit would break it; please report this: {e}"))?;
        Ok((edited, self.notes))
    }
}

/// Returns where the last value under a table header ends, or where the header itself ends.
#[expect(clippy::wildcard_enum_match_arm, reason = "all other items of TOML are treated alike")]
fn end_of(table: &Table) -> Option<usize> {
    let end = |item: &Item| match item {
        Item::Value(value) => value.span().map(|span| span.end),
        Item::Table(inner) if inner.is_dotted() => end_of(inner),
        _ => None,
    };
    let values = table.iter().filter_map(|(_, item)| end(item)).max();
    values.or_else(|| table.span().map(|span| span.end))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: &str = "\n[[test]]\nname = \"budgets\"\nharness = false\n";

    #[track_caller]
    fn check(before: &str, want: &str) {
        let library = Some(Path::new("/lib"));
        let (got, notes) = edit(before, library).unwrap();
        assert_eq!(got, want);
        assert!(notes.is_empty());
        assert_eq!(edit(&got, library).unwrap().0, got, "a second time changes nothing");
    }

    #[test]
    fn entries_are_added_and_nothing_else_moves() {
        let own = "perf-budget = { path = \"/lib\" }\n";
        let head = "[package]\nname = \"a\" # c\n\n";
        check(
            &format!("{head}[dependencies]\n"),
            &format!("{head}[dependencies]\n\n[dev-dependencies]\n{own}{TARGET}"),
        );
        check(
            &format!("{head}[dev-dependencies] # d\nz = \"1\" # z\n# e\n\n[lib]\n"),
            &format!("{head}[dev-dependencies] # d\nz = \"1\" # z\n{own}# e\n\n[lib]\n{TARGET}"),
        );
        check(
            &format!("{head}[dev-dependencies]\n\n[lib]"),
            &format!("{head}[dev-dependencies]\n{own}\n[lib]\n{TARGET}"),
        );
        check(
            &format!("{head}[dev-dependencies]\na.path = \"x\""),
            &format!("{head}[dev-dependencies]\na.path = \"x\"\n{}\n{TARGET}", own.trim_end()),
        );
        check(
            &format!("{head}[dev-dependencies.z]\nversion = \"1\"\n"),
            &format!(
                "{head}[dev-dependencies.z]\nversion = \"1\"\n\n[dev-dependencies]\n{own}{TARGET}"
            ),
        );
        let crlf = format!("\u{feff}{head}[[test]]\nname = \"x\"\n").replace('\n', "\r\n");
        let added = format!("\n[dev-dependencies]\n{own}{TARGET}").replace('\n', "\r\n");
        check(&crlf, &format!("{crlf}{added}"));
    }

    #[test]
    fn a_form_that_cannot_be_extended_is_an_error() {
        let refused = |text: &str, word: &str| {
            let why = edit(text, None).unwrap_err();
            assert!(why.contains(word) && why.contains("by hand"), "{why}");
        };
        refused("dev-dependencies.z = \"1\"\n[package]\nname = \"a\"\n", "perf-budget = \"");
        refused("dev-dependencies = { z = \"1\" }\n", "perf-budget = \"");
        refused("test = [{ name = \"x\" }]\n", "harness = false");
        let (_, notes) = edit("[[test]]\nname = \"budgets\"\n", None).unwrap();
        assert!(notes[0].contains("harness = false"));
    }
}
