//! Tests of the whole file: what is read, what is refused and how, and that nothing panics.
//!
//! If `UPDATE_SNAPSHOTS` is set, a committed text that no longer fits is written anew.

mod broken;
mod environments;
mod locks;
mod problems;
mod reading;

use std::path::{Path, PathBuf};

use super::collect::Mistakes;
use super::file;
use super::source::Source;
use crate::budget::Budgets;
use crate::budget::environment::EnvironmentFacts;

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn fixture(name: &str) -> String {
    std::fs::read_to_string(repository("fixtures/cases/config").join(name)).unwrap()
}

fn parse(text: &str) -> Result<Budgets, crate::error::Error> {
    file::parse_in(text, Path::new("budgets.toml"), &environment_facts(text))
}

/// Returns the facts of a process with the one variable that the first line of a text sets, as in `# PERF_BUDGET_ENV=ci`.
fn environment_facts(text: &str) -> EnvironmentFacts {
    let line = text.lines().next().and_then(|line| line.strip_prefix("# ")?.split_once('='));
    EnvironmentFacts::by_variables(|name| {
        line.filter(|line| line.0 == name).map(|line| line.1.to_owned())
    })
}

/// Reads a text. The problems are data and not rendered.
fn reading(text: &str) -> Mistakes<'_> {
    let mut reading = Mistakes::new(Source::new(Path::new("budgets.toml"), text));
    file::check(&mut reading, Path::new("budgets.toml"), &environment_facts(text));
    reading
}

/// Compares `got` with the committed file `path`, or writes it.
#[track_caller]
fn snapshot(path: &str, got: &str) {
    let file = repository(path);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&file, got).unwrap();
    }
    let want = std::fs::read_to_string(&file).unwrap_or_default();
    if let Some((line, (got, want))) =
        got.lines().zip(want.lines()).enumerate().find(|(_, (got, want))| got != want)
    {
        panic!("{path}:{} has changed\n  was {want}\n  now {got}\n{UPDATE}", line + 1);
    }
    assert!(got == want, "{path} has changed in length or line ends\n{UPDATE}");
}

const UPDATE: &str = "run the tests with UPDATE_SNAPSHOTS=1 to write it anew, and look at the diff";

#[test]
fn the_committed_schema_is_the_one_the_code_makes() {
    let schema = serde_json::to_string_pretty(&super::schema::schema()).unwrap();
    snapshot("core/schema/budgets.schema.json", &(schema + "\n"));
}
