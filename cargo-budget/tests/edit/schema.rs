//! Tests that the schema of `budgets.toml`, by which editors mark mistakes, accepts each file that the reader accepts.

use std::fs;
use std::path::{Path, PathBuf};

use perf_budget_core::budget::{self, SCHEMA};
use serde_json::Value;

/// Returns the files of this name, or the pages, below a directory of the repository.
fn below(directory: &Path, is_wanted: &dyn Fn(&str) -> bool, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                below(&path, is_wanted, found);
            }
        } else if is_wanted(name) {
            found.push(path);
        }
    }
}

/// Returns the samples of a page that have a budget.
fn samples(page: &str) -> impl Iterator<Item = &str> {
    let blocks = page.split("```toml\n").skip(1);
    let texts = blocks.filter_map(|block| block.split_once("```").map(|(text, _)| text));
    texts.filter(|text| text.contains("[budget."))
}

#[test]
fn accepts_each_file_and_sample_that_the_reader_accepts() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    for folder in ["examples", "fixtures", "cargo-budget/tests/edit", "docs"] {
        let is_wanted =
            |name: &str| ["budgets.toml", "full.toml"].contains(&name) || name.ends_with(".md");
        below(&root.join(folder), &is_wanted, &mut files);
    }
    files.extend(["budgets.toml", "README.md"].map(|name| root.join(name)));
    let validator = jsonschema::validator_for(&serde_json::from_str(SCHEMA).unwrap()).unwrap();
    let (mut read, mut wrong) = ([0, 0], Vec::new());
    for file in files {
        let text = fs::read_to_string(&file).unwrap_or_default();
        let is_page = file.extension().is_some_and(|extension| extension == "md");
        let texts: Vec<&str> = if is_page { samples(&text).collect() } else { vec![&text] };
        for text in texts {
            if budget::parse(text, &file).is_err() {
                continue;
            }
            read[usize::from(is_page)] += 1;
            let document: Value = toml::from_str(text).unwrap();
            let errors = validator.iter_errors(&document);
            wrong.extend(
                errors.map(|error| {
                    format!("{}: {error} at {}", file.display(), error.instance_path())
                }),
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(read[0] > 60 && read[1] > 5, "{read:?}");
}

#[test]
fn refuses_a_key_that_the_reader_does_not_know() {
    let validator = jsonschema::validator_for(&serde_json::from_str(SCHEMA).unwrap()).unwrap();
    let known = "[budget.merge]\nworkload = \"merge\"\nmax = { p99 = \"10 ms\" }\n";
    for (text, is_read) in [
        (known.to_owned(), true),
        (format!("{known}feature = [\"tls\"]\n"), false),
        (format!("{known}effort = 3\n"), false),
        (known.replace("p99", "p9"), false),
    ] {
        let document: Value = toml::from_str(&text).unwrap();
        assert_eq!(validator.is_valid(&document), is_read, "{text}");
        assert_eq!(budget::parse(&text, Path::new("budgets.toml")).is_ok(), is_read, "{text}");
    }
}
