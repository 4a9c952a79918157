//! The names of asynchronous functions that were inlined. Line tables give the bodies of all of them the same name, so only
//! the source shows to which function a body belongs.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::path::Path;

use perf_budget_core::samples::Code;

/// The sources of one program, in which the names of asynchronous functions are looked up.
pub(super) struct Bodies {
    /// When the program was written, in nanoseconds since 1970. A newer source is not the one that was compiled.
    built: u64,
    /// The sources by their paths; `None` for a source that is gone or was edited.
    texts: RefCell<HashMap<String, Option<String>>>,
    /// Whether a source was looked up that is gone or was edited.
    are_missing: Cell<bool>,
    /// Whether no name is given any more.
    are_forgotten: Cell<bool>,
}

impl Bodies {
    /// Returns the sources of a program that was written at this time; none of them is read yet.
    pub(super) fn new(built: Option<u64>) -> Bodies {
        Bodies {
            built: built.unwrap_or_default(),
            texts: RefCell::default(),
            are_missing: Cell::new(false),
            are_forgotten: Cell::new(false),
        }
    }

    /// Returns the name of the asynchronous function that a line is in.
    pub(super) fn name(&self, file: &str, line: u32) -> Option<String> {
        if self.are_forgotten.get() {
            return None;
        }
        let mut texts = self.texts.borrow_mut();
        let text = texts.entry(file.to_owned()).or_insert_with(|| self.read(Path::new(file)));
        if text.is_none() {
            self.are_missing.set(true);
        }
        function_around(text.as_ref()?, line).map(str::to_owned)
    }

    fn read(&self, file: &Path) -> Option<String> {
        let (_, written) = Code::state(file)?;
        (written <= self.built).then(|| std::fs::read_to_string(file).ok())?
    }

    /// Whether a name is missing because its source is gone or was edited. Then the other side must not have the name either.
    pub(super) fn are_missing(&self) -> bool {
        self.are_missing.get()
    }

    /// Makes [`Bodies::name`] return no name any more.
    pub(super) fn forget(&self) {
        self.are_forgotten.set(true);
    }
}

/// Returns the name of the asynchronous function around a line. It is found by the indentation of a formatted source.
fn function_around(text: &str, line: u32) -> Option<&str> {
    let lines: Vec<&str> = text.lines().take(line as usize).collect();
    let (here, above) = lines.split_last().filter(|_| lines.len() == line as usize)?;
    if let Some(name) = function_in(here) {
        return Some(name);
    }
    let depth = |line: &str| line.len() - line.trim_start().len();
    // The last line of a function, and of its arguments, is indented as far as its first line.
    let ends = here.trim_start().starts_with(['}', ')']);
    let mut within = depth(here) + usize::from(ends);
    for line in above.iter().rev().filter(|line| !line.trim().is_empty()) {
        if depth(line) >= within {
            continue;
        }
        if let Some(name) = function_in(line) {
            return Some(name);
        }
        // A block that begins here is around the line. If this is a later line of a function's head, the first line of that
        // head is indented as far.
        let is_head = [")", "{", "where"].iter().any(|word| line.trim_start().starts_with(word));
        within = depth(line) + usize::from(is_head);
    }
    None
}

/// Returns the name of the asynchronous function that begins in a line.
fn function_in(line: &str) -> Option<&str> {
    let (before, after) = line.split_once("async ")?;
    let words = ["pub", "default", "const"];
    let is_first = before
        .split_whitespace()
        .all(|word| words.contains(&word) || word.starts_with("pub(") || word.ends_with(')'));
    let after = after.strip_prefix("unsafe ").unwrap_or(after);
    let name = after.strip_prefix("fn ").filter(|_| is_first)?;
    let name = name.strip_prefix("r#").unwrap_or(name);
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let end = name.find(|c| !is_part(c)).unwrap_or(name.len());
    Some(&name[..end]).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "\
async fn first() -> u64 {
    let sum = 0;
    sum
}

impl Server {
    pub(crate) async fn serve(
        &self,
    ) -> u64 {
        for n in 0..3 {
            async fn nested() {}
            self.step(n).await;
        }
        async move { 5 }.await
    }

    fn plain(&self) -> u64 {
        0
    }
}
// Not async fn spoken_of
    pub async unsafe fn last() {}
macro_rules! made {
    ($name:ident) => {
        async fn $name() -> u64 {
            5
        }
    };
}
async fn bound<T>(of: T) -> u64
where
    T: Into<u64>,
{
    of.into()
}
";

    #[test]
    fn a_line_is_in_the_function_around_it() {
        let check = |line, want| assert_eq!(function_around(SOURCE, line), want, "line {line}");
        check(1, Some("first"));
        check(3, Some("first"));
        check(4, Some("first"));
        check(9, Some("serve"));
        check(11, Some("nested"));
        check(12, Some("serve"));
        check(14, Some("serve"));
        check(15, Some("serve"));
        check(22, Some("last"));
        check(6, None);
        check(26, None);
        check(34, Some("bound"));
        // A line beyond the end belongs to another version of the source.
        check(99, None);
        check(0, None);
    }

    #[test]
    fn a_source_that_was_edited_names_nothing() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("a.rs");
        std::fs::write(&file, SOURCE).unwrap();
        let (file, written) = (file.to_str().unwrap(), Code::state(&file).map(|(_, at)| at));
        let bodies = Bodies::new(written);
        assert_eq!(bodies.name(file, 3).as_deref(), Some("first"));
        assert!(!bodies.are_missing());
        bodies.forget();
        assert_eq!(bodies.name(file, 3), None);
        let older = Bodies::new(written.map(|at| at - 1));
        assert!(older.name(file, 3).is_none() && older.are_missing());
        let gone = Bodies::new(written);
        assert!(gone.name("/gone/a.rs", 3).is_none() && gone.are_missing());
    }
}
