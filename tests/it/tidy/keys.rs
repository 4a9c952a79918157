//! docs/budgets.md has every key of `budgets.toml`. The schema is made from the reader's own tables of keys, so the page
//! is compared with the schema.

use std::collections::{BTreeMap, BTreeSet};

use perf_budget_core::budget::SCHEMA;
use serde_json::Value;

use super::{none, text};

/// The tables of keys on the page: the heading above each, and its place in the schema.
const TABLES: [(&str, &str); 12] = [
    ("The file", "/properties"),
    ("Settings", "/properties/settings/properties"),
    ("`base` as a table", "/properties/settings/properties/base/anyOf/1/properties"),
    ("`criterion` as a table", "/$defs/Record/properties/criterion/properties"),
    ("`scaling`", "/$defs/Workload/properties/scaling/properties"),
    ("`load`", "/$defs/Workload/properties/load/properties"),
    ("`ready`", "/$defs/Command/properties/ready/properties"),
    ("A limit as a table", "/$defs/BytesLimit/anyOf/0/anyOf/2/properties"),
    ("`waive`", "/$defs/Workload/properties/waive/properties"),
    ("An environment", "/properties/env/additionalProperties/properties"),
    ("`when`", "/properties/env/additionalProperties/properties/when/properties"),
    (
        "A budget in an environment",
        "/properties/env/additionalProperties/properties/budget/additionalProperties/allOf/0/properties",
    ),
];

/// The kinds of subjects, by their names in the schema. The page has them in lower case.
const SUBJECTS: [&str; 7] =
    ["Artifact", "Command", "Workload", "Criterion", "Divan", "Libtest", "Record"];

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

/// Returns the keys of a table, by the place of its properties in the schema.
fn keys(schema: &Value, place: &str) -> BTreeSet<String> {
    let table = schema.pointer(place).and_then(Value::as_object);
    table.unwrap_or_else(|| panic!("the schema has no table at {place}")).keys().cloned().collect()
}

/// Returns the rows between a heading and the next one whose first cell is a name in backticks.
fn rows<'p>(page: &'p str, heading: &str) -> Vec<Vec<&'p str>> {
    let is_heading = |line: &str| line.trim_start_matches('#').trim() == heading;
    let from = page.lines().skip_while(|line| !(line.starts_with('#') && is_heading(line)));
    let lines = from.skip(1).take_while(|line| !line.starts_with('#'));
    let rows = lines.filter_map(|line| line.strip_prefix('|')?.strip_suffix('|'));
    rows.map(|row| row.split('|').map(str::trim).collect::<Vec<_>>())
        .filter(|row| row[0].starts_with('`'))
        .collect()
}

#[test]
fn every_key_of_a_table_has_its_row() {
    let (schema, page) = (schema(), text("docs/budgets.md"));
    for (heading, place) in TABLES {
        let rows = rows(&page, heading);
        let of_page: BTreeSet<String> =
            rows.iter().map(|row| row[0].trim_matches('`').to_owned()).collect();
        assert_eq!(of_page, keys(&schema, place), "the keys below `{heading}`, and the reader's");
        assert_eq!(of_page.len(), rows.len(), "a key below `{heading}` has two rows");
        for row in rows {
            assert!(row.len() == 4 && row.iter().all(|cell| !cell.is_empty()), "{row:?}");
        }
    }
}

#[test]
fn every_key_of_a_budget_says_which_subjects_have_it() {
    let (schema, page) = (schema(), text("docs/budgets.md"));
    let mut kinds: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for kind in SUBJECTS {
        for key in keys(&schema, &format!("/$defs/{kind}/properties")) {
            kinds.entry(key).or_default().push(kind.to_lowercase());
        }
    }
    let shown = |kinds: Vec<String>| {
        if kinds.len() == SUBJECTS.len() { "all".to_owned() } else { kinds.join(", ") }
    };
    let of_reader: BTreeMap<String, String> =
        kinds.into_iter().map(|(key, kinds)| (key, shown(kinds))).collect();
    let rows = rows(&page, "A budget");
    let of_page: BTreeMap<String, String> =
        rows.iter().map(|row| (row[0].trim_matches('`').to_owned(), row[1].to_owned())).collect();
    assert_eq!(of_page, of_reader, "the keys of a budget on the page, and the reader's");
    assert_eq!(of_page.len(), rows.len(), "a key of a budget has two rows");
}

/// Adds the words that a value may be, which are constants of the schema.
fn add_words(schema: &Value, words: &mut BTreeSet<String>) {
    match schema {
        Value::Object(table) => {
            for (key, value) in table {
                match (key.as_str(), value) {
                    // These are the names that something must not have.
                    ("propertyNames", _) => {}
                    ("const", Value::String(word)) => drop(words.insert(word.clone())),
                    ("enum", Value::Array(list)) => {
                        words.extend(list.iter().filter_map(Value::as_str).map(str::to_owned));
                    }
                    _ => add_words(value, words),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| add_words(value, words)),
        _ => {}
    }
}

#[test]
fn every_word_that_a_key_can_have_is_on_the_page() {
    let page = text("docs/budgets.md");
    let mut words = BTreeSet::new();
    add_words(&schema(), &mut words);
    assert!(words.len() > 30 && words.contains("poisson"), "{words:?}");
    words.retain(|word| !page.contains(&format!("`\"{word}\"`")));
    none(&words.into_iter().collect::<Vec<_>>(), "docs/budgets.md does not have these words");
}
