//! Tests of imports from other tools. The samples are real results from runs of our own.

use libtest_mimic::{Failed, Trial};

use crate::imported::sample;
use crate::project::Project;

pub(crate) fn rows() -> Vec<Trial> {
    vec![
        row(
            "criterion",
            "criterion",
            10,
            &["sort/unstable/10::mean", "sort/unstable/100::throughput"],
        ),
        row("hyperfine", "hyperfine.json", 10, &["true::wall_mean", "sleep 0.01::cpu"]),
        row("google-benchmark", "google_benchmark.json", 7, &["sum_range/8::mean", "fails::mean"]),
        row(
            "google-benchmark",
            "google_benchmark_repeated.json",
            6,
            &["sum_range/8::throughput_p50"],
        ),
        row("gungraun", "gungraun", 44, &["sum::numbers::sum::small::instructions"]),
        row(
            "k6",
            "k6_summary_export.json",
            99,
            &["http_req_duration::p999", "http_req_failed::rate"],
        ),
        row("k6", "k6_handle_summary.json", 99, &["http_req_waiting::p95", "checks::rate"]),
        row("k6", "k6_machine_readable.json", 39, &["merge_wait::p95", "checks_failed::rate"]),
        Trial::test("import::a_file_that_is_not_understood_is_refused", || {
            refused();
            Ok::<(), Failed>(())
        }),
    ]
}

/// Checks that the sample is recognized as `format`, and has this many values, among them those of the tests.
fn row(format: &'static str, file: &'static str, values: usize, tests: &'static [&str]) -> Trial {
    Trial::test(format!("import::{file}"), move || {
        let project = Project::new(&format!("import-{file}"), ".budgets/history.sqlite");
        project.commit(0);
        let path = sample(file);
        let path = path.to_str().unwrap();
        let summary = format!("{values} outcomes of run `{format}-");
        project
            .run(&["history", "import", path, "--dry-run"])
            .says(0, &format!("would record {summary}"));
        project.run(&["history", "import", path]).says(0, &format!("recorded {summary}"));
        project.run(&["history", "import", "--tool", format, path]).says(0, "recorded already");
        for test in tests {
            project.run(&["trend", test]).says(0, "");
        }
        Ok::<(), Failed>(())
    })
}

fn refused() {
    let project = Project::new("import-refused", ".budgets/history.sqlite");
    project.commit(0);
    let check = |name: &str, content: &str, code: i32, parts: &str| {
        std::fs::write(project.dir.join(name), content).unwrap();
        project.run(&["history", "import", name]).says(code, parts);
        assert!(!project.dir.join(".budgets").exists(), "{name}");
    };
    check("a.json", "{", 2, "`a.json` is not JSON");
    check("a.json", "", 2, "`a.json` is not JSON");
    check("a.json", "{}", 2, "is not a result of a known tool (criterion, hyperfine | --tool");
    check(
        "a.json",
        r#"{"results": [{"command": "x", "mean": "y"}]}"#,
        2,
        "`x` has no number `mean`",
    );
    check("a.json", r#"{"context": {}, "benchmarks": []}"#, 2, "it has no results");
    check(
        "a.json",
        r#"{"context": {}, "benchmarks": [{"name": "x"}]}"#,
        2,
        "`x` has no `real_time`",
    );
    check(
        "a.json",
        "{\"type\":\"Metric\"}\n{\"type\":\"Point\"}\n",
        2,
        "k6's `--out json` lists every single point",
    );
    let estimates = r#"{"mean": {"point_estimate": 1}, "median": {"point_estimate": 1}}"#;
    check("estimates.json", estimates, 2, "benchmark.json | has the benchmark's name");
    project.run(&["history", "import", "absent.json"]).says(3, "failed to read `absent.json`");
    project.run(&["history", "import", "results"]).says(2, "there is no `new/estimates.json`");
    project.run(&["history", "import", "--format", "k6", "a.json"]).says(2, "is not JSON");
    let twice = sample("hyperfine.json");
    let twice = twice.to_str().unwrap();
    project
        .run(&["history", "import", twice, twice])
        .says(2, "twice; import files of different runs");
    assert!(!project.dir.join(".budgets").exists());
}
