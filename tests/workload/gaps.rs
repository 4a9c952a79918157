//! What cannot be measured on this machine. It is found out when the tests start: the rows that need it are listed as
//! ignored, a line says why, and a row of its own asserts that the library refuses to measure it here.

use std::io::Write as _;

use libtest_mimic::Trial;
use perf_budget_core::outcome::Cause;

use crate::{process_run, process_run_under, row};

/// What is missing, and patterns of the rows that need it. A pattern is a whole name, a beginning that ends in `::`, or
/// an end that begins with `::`.
type Gap = (String, &'static [&'static str]);

/// Marks the rows that cannot pass here as ignored, and adds those that assert that the library refuses to measure.
pub(crate) fn mark(rows: impl Iterator<Item = Trial>) -> Vec<Trial> {
    let gaps = gaps();
    for (why, names) in &gaps {
        let _ = writeln!(std::io::stderr(), "left out: {}: {why}", names.join(", "));
    }
    let is_missing = |name: &str| {
        gaps.iter().any(|(_, names)| names.iter().any(|pattern| matches(name, pattern)))
    };
    let marked = rows.map(|row| {
        let is_missing = is_missing(row.name());
        let is_ignored = is_missing || row.has_ignored_flag();
        row.with_ignored_flag(is_ignored)
    });
    marked.chain(refusals()).collect()
}

fn matches(name: &str, pattern: &str) -> bool {
    name == pattern
        || pattern.ends_with("::") && name.starts_with(pattern)
        || pattern.starts_with("::") && name.ends_with(pattern)
}

fn gaps() -> Vec<Gap> {
    let mut gaps: Vec<Gap> = Vec::new();
    if let Some(kernel) = perf_budget::internals::emulator() {
        gaps.push((
            format!("an emulator on {kernel} runs this program, and its own memory is that of the process"),
            &["memory::", "growth::", "injection::rss", "::rss", "record::beside_a_method"],
        ));
        gaps.push(("it does not keep a limit on memory".to_owned(), &["constraint::memory"]));
    }
    if cfg!(not(target_os = "linux")) {
        gaps.push((
            "only Linux keeps a peak of resident memory that can be reset".to_owned(),
            &["memory::held", "memory::peak"],
        ));
    }
    if cfg!(windows) {
        gaps.push((
            "Windows has other calls for what a process has used, which are not made yet"
                .to_owned(),
            &[
                "time::set_up_is_outside",
                "time::sleep_is_not_work",
                "time::threads_are_seen",
                "time::batches_of_short_operations",
                "time::hold_is_measured_once",
            ],
        ));
        gaps.push(("Windows has no program `sleep`".to_owned(), &["time::restless"]));
        gaps.push((
            "the standard library's own channel allocates there as long as a thread waits"
                .to_owned(),
            &["heap::freed_by_another_thread"],
        ));
    }
    gaps
}

/// Returns the rows that assert how the library refuses to measure.
fn refusals() -> Vec<Trial> {
    let mut rows = Vec::new();
    if perf_budget::internals::emulator().is_some() {
        rows.push(row("gaps::an_emulator_is_not_measured_with_the_program", || {
            let growth = process_run_under("spin", &["rss_growth"], None).unwrap_err();
            let others =
                ["rss", "instructions"].map(|word| process_run("holds", &[word]).unwrap_err());
            for why in others.into_iter().chain([growth]) {
                assert_eq!(why.cause, Cause::Unsupported, "{why}");
                assert!(why.text.contains("an emulator runs this program"), "{why}");
            }
        }));
        #[cfg(target_os = "linux")]
        rows.push(row("gaps::a_limit_that_is_not_kept_is_refused", || {
            let constraint =
                perf_budget_core::budget::Constraint { memory: Some(1 << 30), processors: None };
            let why = crate::process_run_constrained("spin", &["p50"], constraint).unwrap_err();
            assert_eq!(why.cause, Cause::Unsupported, "{why}");
            assert!(why.text.contains("does not keep the limit"), "{why}");
        }));
    }
    if cfg!(windows) {
        rows.push(row("gaps::what_a_process_has_used_is_refused", || {
            for word in ["cpu", "utilization", "context_switches", "page_faults", "peak_rss"] {
                let why = process_run("holds", &[word]).unwrap_err();
                assert_eq!(why.cause, Cause::Unsupported, "{why}");
                assert!(why.text.contains("drop the limit"), "{why}");
            }
        }));
    }
    rows
}
