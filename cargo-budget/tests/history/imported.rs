//! Tests of imported values: what the history says about them afterwards.

use std::path::{Path, PathBuf};

use libtest_mimic::Trial;

use crate::on_both;
use crate::project::Project;

pub(crate) fn rows() -> Vec<Trial> {
    on_both("imports_are_never_green", never_green).into()
}

/// Returns the path of a result of another tool.
pub(crate) fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/history/samples").join(name)
}

/// Checks that neither the list nor a trend contains anything that could be taken for a passed limit.
fn never_green(db: &str) {
    let project = Project::new("imported", db);
    project.commit(0);
    let path = sample("google_benchmark.json");
    project.run(&["history", "import", path.to_str().unwrap()]).says(0, "recorded 7");
    let listed =
        project.run(&["history", "list"]).says(0, "7 outcomes, from google-benchmark, not judged");
    assert!(!listed.out.contains("none red") && !listed.out.contains("pass"), "{}", listed.out);
    let json = project.run(&["history", "list", "--format", "json"]).json();
    assert_eq!(json["runs"][0]["red"], serde_json::Value::Null);
    assert_eq!(json["runs"][0]["began"], 1_795_251_614, "{json}");
    let trend = project.run(&["trend", "sum_range/8"]).says(0, "google-benchmark | 1.25 µs | op/s");
    assert!(!trend.out.contains("no longer in budgets.toml"), "{}", trend.out);
    project.run(&["trend", "fails"]).says(0, "1 outcome without a value");
}
