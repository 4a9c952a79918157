//! The maps of the code are up to date: the table of the core's modules, the table of places, and the table of tests.

use std::collections::BTreeSet;

use super::{none, root, text};

/// Returns the names between backticks in the first cell of each row of a Markdown table.
fn named(table: &str) -> BTreeSet<&str> {
    let rows = table.lines().filter_map(|line| line.strip_prefix("| ")?.split('|').next());
    rows.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect()
}

/// Returns the part of a page between two texts.
#[track_caller]
fn between<'p>(page: &'p str, from: &str, to: &str) -> &'p str {
    let rest = page.split_once(from).unwrap_or_else(|| panic!("no `{from}`")).1;
    rest.split_once(to).unwrap_or_else(|| panic!("no `{to}` after `{from}`")).0
}

#[test]
fn the_table_of_the_core_has_every_module() {
    let source = text("core/src/lib.rs");
    let public = source.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    let rows = source.lines().filter_map(|line| line.strip_prefix("//! | [`")?.split('`').next());
    let (public, rows): (BTreeSet<&str>, BTreeSet<&str>) = (public.collect(), rows.collect());
    assert!(public.len() > 10);
    assert_eq!(rows, public);
}

/// Every path in these tables exists.
#[test]
fn the_tables_of_places_and_of_tests_name_files_that_exist() {
    let map = text("ARCHITECTURE.md");
    let places: Vec<&str> = between(&map, "\n## Where to look", "\n## ")
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|name| name.contains('/'))
        .collect();
    let tests = named(between(&map, "\n## Tests", "`BLESS=1`"));
    assert!(places.len() > 20, "only {} places were found", places.len());
    assert!(tests.len() > 15, "only {} paths of tests were found", tests.len());
    let paths = places.into_iter().chain(tests);
    let missing: Vec<String> =
        paths.filter(|path| !root().join(path).exists()).map(str::to_owned).collect();
    none(&missing, "ARCHITECTURE.md names these, which do not exist");
}
