//! The promises of the pages beside the source: every metric is described as the code has it, the numbers are those
//! of the code, and the commands are run.

use std::collections::BTreeMap;

use perf_budget_core::metric::{Better, Judged, Metric, SubjectKind};
use perf_budget_core::quantity::Unit;
use perf_budget_core::stats::{Exceedance, threshold};
use perf_budget_core::verdict::Verdict;
use perf_budget_core::verdict::judge::{BETA, FEWEST_PROCESSES};

use super::{none, text};

/// The subjects in the rows of the page, and the kind of subject that has their metrics.
const SUBJECTS: [(&[&str], SubjectKind); 7] = [
    (&["artifact"], SubjectKind::Artifact),
    (&["command"], SubjectKind::Command),
    (&["workload"], SubjectKind::Workload),
    // A benchmark that is served is measured as a workload is.
    (&["criterion", "workload"], SubjectKind::Criterion),
    (&["criterion", "workload"], SubjectKind::Divan),
    (&["criterion"], SubjectKind::Libtest),
    (&["record"], SubjectKind::Record),
];

/// Returns the cells of every row of every table of a page, heads and rules included.
fn rows(page: &str) -> Vec<Vec<&str>> {
    let lines = page.lines().map(str::trim);
    let rows = lines.filter_map(|line| line.strip_prefix('|')?.strip_suffix('|'));
    rows.map(|row| row.split('|').map(str::trim).collect()).collect()
}

/// Returns the words in backticks.
fn words(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// Returns how docs/metrics.md describes a metric.
fn description(metric: &Metric) -> [&'static str; 3] {
    let unit = match metric.unit() {
        Some(Unit::Bytes) => "bytes",
        Some(Unit::Seconds) => "seconds",
        Some(Unit::Share) => "share",
        Some(Unit::Number) => "number",
        Some(Unit::PerSecond | Unit::BytesPerSecond) => "rate",
        Some(Unit::Ratio) | None => "op/s or B/s",
    };
    let better = match metric.better() {
        Better::Lower => "less",
        Better::Higher => "more",
        Better::Either => "either",
    };
    let kind = match metric.judged() {
        Judged::Compared { .. } | Judged::Agreed { .. } => "deterministic",
        Judged::Statistical(_) | Judged::UntilConstant(_) => "statistical",
    };
    [unit, better, kind]
}

#[test]
fn every_metric_is_described_as_it_is() {
    let page = text("docs/metrics.md");
    let rows = rows(&page);
    for (subjects, kind) in SUBJECTS {
        let known: BTreeMap<String, [&str; 3]> =
            Metric::known(kind).iter().map(|metric| (metric.name(), description(metric))).collect();
        let mut described = BTreeMap::new();
        for subject in subjects {
            let mut own = BTreeMap::new();
            for row in rows.iter().filter(|row| row.len() == 7 && row[1] == *subject) {
                for word in words(row[0]) {
                    let before = own.insert(word.to_owned(), [row[2], row[3], row[4]]);
                    assert_eq!(before, None, "`{word}` of a {subject} has two rows");
                    assert!(!row[5].is_empty() && !row[6].is_empty(), "`{word}` has empty cells");
                }
            }
            if subjects.len() > 1 {
                own.retain(|name, _| known.contains_key(name));
            }
            described.extend(own);
        }
        assert_eq!(described, known, "docs/metrics.md and the metrics of {subjects:?}");
    }
}

/// Checks how many values a percentile needs to pass if none of them is beyond the limit and the tolerance, and how many it would
/// need by the limit and its share alone.
#[test]
fn a_percentile_needs_as_many_values_as_the_page_says() {
    let page = text("docs/judgement.md");
    let mut quantiles = 0;
    for row in rows(&page) {
        let (Some(&word), Ok(values)) = (words(row[0]).first(), row[row.len() - 1].parse::<u64>())
        else {
            continue;
        };
        let Some(quantile) = word.strip_prefix('p').filter(|_| row.len() == 2) else { continue };
        let q: f64 = format!("0.{quantile}").parse().unwrap();
        let enough = |values: u64| {
            let mut pass = Exceedance::pass(1.0 - q);
            pass.add(values, 0);
            pass.log_evidence() >= threshold(BETA, 1)
        };
        assert!(enough(values) && !enough(values - 1), "{word}: {values}");
        quantiles += 1;
    }
    assert_eq!(quantiles, 5, "docs/judgement.md has a row for each percentile");
}

#[test]
fn the_levels_are_those_on_the_page() {
    let page = text("docs/judgement.md");
    let odds = |limits| threshold(0.01, limits).exp().round();
    let fewest = format!("at least {FEWEST_PROCESSES} processes");
    let facts = [
        format!("beta = {BETA}"),
        format!("{} : 1 for one statistical limit", odds(1)),
        format!("{} : 1 for twenty", odds(20)),
        fewest,
    ];
    let missing: Vec<String> = facts.into_iter().filter(|fact| !page.contains(fact)).collect();
    none(&missing, "docs/judgement.md does not say");
}

#[test]
fn every_verdict_has_its_row() {
    for page in ["docs/judgement.md", "README.md"] {
        let text = text(page);
        let rows = rows(&text);
        for verdict in Verdict::ALL {
            let red = if verdict.is_red() { "red" } else { "ok" };
            let found = rows.iter().any(|row| {
                row[0].trim_matches('`') == verdict.name()
                    && row.get(1).is_some_and(|test| match verdict {
                        Verdict::Skipped => *test == "ignored",
                        _ => test.starts_with(red),
                    })
            });
            assert!(found, "{page} has no row for {} and its test", verdict.name());
        }
    }
}

#[test]
fn the_changelog_is_at_this_version() {
    let changelog = text("CHANGELOG.md");
    let newest = changelog.lines().find(|line| line.starts_with("## [")).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    assert!(newest.starts_with(&format!("## [{version}]")), "{newest}");
}

#[test]
fn the_oldest_compiler_is_the_same_everywhere() {
    let version = env!("CARGO_PKG_RUST_VERSION");
    for page in
        ["README.md", "docs/first-gate.md", "src/lib.rs", ".ci/run", ".github/workflows/ci.yml"]
    {
        assert!(text(page).contains(version), "{page} does not name Rust {version}");
    }
}

/// CI runs the commands that the README tells people to run.
#[test]
fn ci_runs_what_the_readme_says() {
    let (readme, ci) = (text("README.md"), text(".ci/run"));
    let commands: Vec<&str> = readme
        .split("```sh\n")
        .skip(1)
        .flat_map(|block| block.split("```").next().unwrap().lines())
        .map(|line| line.split('#').next().unwrap().trim())
        .filter(|line| line.starts_with("cargo test"))
        .collect();
    assert!(commands.len() >= 2, "{commands:?}");
    let missing: Vec<String> =
        commands.iter().filter(|c| !ci.contains(*c)).map(ToString::to_string).collect();
    none(&missing, ".ci/run does not run");
}
