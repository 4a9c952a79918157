//! The files that a program reads and that may name other files, such as a list of cases. Their texts are searched like
//! those of sources.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::Path;

use super::changed::Tree;
use super::inputs::Inputs;
use super::mentions::{Sources, is_source};
use super::tools::{self, name_of};
use super::usage::{decides, is_text};

/// Adds the text of each file of the repository that the sources name or that was compiled, and of each that these name.
/// A document counts only where a source has its own name, and not for a directory that it is in or for being compiled: it
/// links to other documents, and the documentation of a crate may be compiled from it.
pub(super) fn add(
    sources: &mut Sources,
    tree: &Tree,
    inputs: &Inputs,
    roots: &BTreeSet<String>,
    top: &Path,
) {
    // A script of the service that runs the tests may be started by a source as well.
    let is_candidate = |path: &&String| {
        let is_other = is_source(path) || decides(path) || tools::is_file(path);
        let name = name_of(path);
        !is_other && name != "budgets.toml" && name != "budgets.lock"
    };
    let changed = tree.changes.iter().map(|change| &change.path);
    let all: BTreeSet<&String> = tree.tracked.iter().chain(changed).collect();
    let lower: Vec<(&String, String)> =
        all.into_iter().map(|path| (path, path.to_lowercase())).collect();
    let names: HashSet<&str> = lower.iter().flat_map(|(_, path)| path.split('/')).collect();
    let mut left: Vec<&(&String, String)> =
        lower.iter().filter(|(path, _)| is_candidate(path)).collect();
    let mut from = 0;
    loop {
        let search = sources.search(roots, from);
        // Later texts are mostly lists of whole names, and most files have none of these.
        let names_in_texts = if from == 0 { None } else { sources.whole_names(from) };
        let may_be_named = |path: &str| {
            let all = names_in_texts.as_ref();
            all.is_none_or(|all| path.split('/').any(|part| all.contains(part)))
        };
        let is_read = |(path, lower): &(&String, String)| {
            if !may_be_named(lower) {
                return false;
            }
            if is_text(path) {
                return sources.names_file_at_run_time(name_of(path), from);
            }
            // What the harness has compiled into itself is no more in other repositories than its sources are.
            let is_compiled = inputs.has(path) && !inputs.harness.contains(path.as_str());
            is_compiled || search.naming_at_run_time(path).is_some()
        };
        let (read, others): (Vec<_>, Vec<_>) = left.into_iter().partition(|path| is_read(path));
        let texts = read.iter().filter_map(|(path, _)| Some((path, text(&top.join(path))?)));
        let texts: Vec<_> = texts.collect();
        from = sources.len();
        for (path, text) in &texts {
            sources.add_text(path, text, &|name| names.contains(name));
        }
        if texts.is_empty() {
            return;
        }
        left = others;
    }
}

/// Returns the content of a file; `None` where it is no text.
fn text(path: &Path) -> Option<String> {
    let bytes = fs::read(path).ok()?;
    (!bytes.contains(&0)).then(|| String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_list_names_is_named() {
        let place = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("cases.txt", "more.json\n"),
            ("more.json", "{\"read\": [\"corpus/a.md\"]}"),
            ("unread.txt", "docs/b.md\n"),
            ("README.md", "[more](docs/b.md)"),
            ("compiled.txt", "docs/c.md"),
            ("harness.json", "{\"why\": \"to run docs/d.md\"}"),
        ] {
            fs::write(place.path().join(name), text).unwrap();
        }
        let files =
            ["cases.txt", "more.json", "unread.txt", "README.md", "compiled.txt", "harness.json"];
        let tree = Tree {
            tracked: files
                .into_iter()
                .chain(["corpus/a.md", "docs/b.md", "docs/c.md", "docs/d.md"])
                .map(str::to_owned)
                .collect(),
            ..Tree::default()
        };
        let mut sources = Sources::default();
        sources.add("src/lib.rs", "read(\"cases.txt\"); include_str!(\"../README.md\")");
        let paths = ["README.md", "compiled.txt", "harness.json"].map(str::to_owned).into();
        let harness = ["harness.json".to_owned()].into();
        let inputs = Inputs { paths, harness, ..Inputs::default() };
        let roots = BTreeSet::new();
        add(&mut sources, &tree, &inputs, &roots, place.path());
        assert_eq!(sources.naming("corpus/a.md", &roots), Some("more.json"));
        assert_eq!(sources.naming("docs/b.md", &roots), None);
        assert_eq!(sources.naming("docs/c.md", &roots), Some("compiled.txt"));
        assert_eq!(sources.naming("docs/d.md", &roots), None);
        sources.add("src/more.rs", "read(\"README.md\")");
        add(&mut sources, &tree, &inputs, &roots, place.path());
        assert_eq!(sources.naming("docs/b.md", &roots), Some("README.md"));
    }
}
