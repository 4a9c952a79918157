//! Tests with a program that does what the standard test harness does with `#[bench]`, and of how long a program sets up. They
//! are scripts.

use perf_budget_core::benchmarks::{Content, List};
use perf_budget_core::budget::Library;
use perf_budget_core::metric::{Key, Metric};
use perf_budget_core::outcome::{Cause, Unmeasured};
use perf_budget_core::reading::ProcessRun;

use super::runs::BenchmarkRuns;
use super::side::Side;
use super::tests::{Place, mean};
use crate::meter::Source;

/// Measures the function `a::b` of a program that prints this, in one process.
fn measured(name: &str, script: &str) -> Result<ProcessRun, Unmeasured> {
    let place = Place::new(name, script);
    let side = place.side("sums", "a::b", "");
    // The list is that of a program with Criterion, but for its content.
    let file = place.0.join("sums.json");
    let mut list = List::read(&file).unwrap();
    list.programs[0].content = Content::Libtest { names: vec!["a::b".to_owned()] };
    list.write(&file).unwrap();
    let side = Side { library: Library::Libtest, ..side };
    let metrics = vec![mean(), Metric::from(Key::Throughput)];
    BenchmarkRuns::new(side, false, place.terms(metrics)).measure_process()
}

#[test]
fn a_function_of_the_standard_harness_is_measured_in_a_process_of_its_own() {
    let line = "test a::b ... bench:       2,000.00 ns/iter (+/- 7.89) = 100 MB/s";
    let asked = "test \"$*\" = '--bench --exact --color never -- a::b' || exit 9";
    let process = measured("standard", &format!("{asked}; echo '{line}'")).unwrap();
    let value = |metric: Metric| process.series(&metric).unwrap()[0];
    assert!((value(mean()) - 2e-6).abs() < 1e-12);
    assert!((value(Metric::from(Key::Throughput)) - 1e8).abs() < 1.0);
    let note = "measured by the standard test harness, one value of each process";
    assert!(process.notes.iter().any(|own| own == note), "{:?}", process.notes);
}

#[test]
fn a_function_of_the_standard_harness_that_misbehaves_is_refused() {
    let why = measured("standard-panics", "echo 'test a::b ... FAILED'; exit 101").unwrap_err();
    assert_eq!(why.cause, Cause::ExitedBadly, "{why}");
    let why = measured("standard-silent", "echo 'running 0 tests'").unwrap_err();
    assert_eq!(why.cause, Cause::MeasuredNothing, "{why}");
    assert!(why.text.contains("`a::b` ended without a line with its time"), "{why}");
}

/// All functions of a program run in each of its processes.
#[test]
fn a_long_set_up_is_said() {
    let check = |name: &str, script: &str, is_said: bool| {
        let place = Place::new(name, script);
        let side = place.side("sums", "a/b", "--exact --quick");
        let runs = BenchmarkRuns::new(side, false, place.terms(vec![mean()])).measure_process();
        let notes = runs.unwrap().notes;
        let words =
            "s of a process are not measured: every process sets up all benchmarks of the program";
        assert_eq!(notes.iter().any(|note| note.ends_with(words)), is_said, "{notes:?}");
    };
    check("prepares", "sleep 0.6; record \"$name\" 300", true);
    // The batches took ten seconds.
    check("works", "sleep 0.6; record \"$name\" 100000000", false);
}
