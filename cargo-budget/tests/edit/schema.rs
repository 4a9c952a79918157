//! Tests that the schema of `budgets.toml`, by which editors mark mistakes, accepts each file that the reader accepts.

use std::fs;
use std::path::{Path, PathBuf};

use perf_budget_core::budget::{self, SCHEMA};
use serde_json::Value;

/// Adds the pages and the files with budgets that are below a directory.
fn below(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let name = path.file_name().unwrap().to_str().unwrap();
            if name != "target" && !name.starts_with('.') {
                below(&path, found);
            }
        } else if is_page(&path) || path.ends_with("budgets.toml") || path.ends_with("full.toml") {
            found.push(path);
        }
    }
}

fn is_page(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "md")
}

/// Reads a file as an editor does, for which a date is a text.
fn read(text: &str) -> Value {
    fn with_dates(value: &mut Value) {
        match value {
            Value::Object(table) if table.contains_key("$__toml_private_datetime") => {
                *value = table["$__toml_private_datetime"].take();
            }
            Value::Object(table) => table.values_mut().for_each(with_dates),
            Value::Array(items) => items.iter_mut().for_each(with_dates),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut document = toml::from_str(text).unwrap();
    with_dates(&mut document);
    document
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
        below(&root.join(folder), &mut files);
    }
    files.extend(["budgets.toml", "README.md"].map(|name| root.join(name)));
    let validator = jsonschema::validator_for(&serde_json::from_str(SCHEMA).unwrap()).unwrap();
    let (mut count, mut wrong) = ([0, 0], Vec::new());
    for file in files {
        let text = fs::read_to_string(&file).unwrap_or_default();
        let is_page = is_page(&file);
        let texts: Vec<&str> = if is_page { samples(&text).collect() } else { vec![&text] };
        for text in texts {
            if budget::parse(text, &file).is_err() {
                continue;
            }
            count[usize::from(is_page)] += 1;
            let document = read(text);
            let errors = validator.iter_errors(&document);
            wrong.extend(
                errors.map(|error| {
                    format!("{}: {error} at {}", file.display(), error.instance_path())
                }),
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(count[0] > 60 && count[1] > 5, "{count:?}");
}

#[test]
fn refuses_a_key_that_the_reader_does_not_know() {
    let validator = jsonschema::validator_for(&serde_json::from_str(SCHEMA).unwrap()).unwrap();
    let known = "[budget.merge]\nworkload = \"merge\"\nmax = { p99 = \"10 ms\" }\n";
    for (text, is_read) in [
        (known.to_owned(), true),
        (format!("{known}feature = [\"tls\"]\n"), false),
        (format!("{known}effort = 3\n"), false),
        (format!("{known}cwd = \"fixtures\"\n"), false),
    ] {
        let document = read(&text);
        assert_eq!(validator.is_valid(&document), is_read, "{text}");
        assert_eq!(budget::parse(&text, Path::new("budgets.toml")).is_ok(), is_read, "{text}");
    }
}
