//! A metric is a row of one table: only its instrument names it, and each row has its instrument, its page and its
//! case.

use std::collections::BTreeSet;
use std::path::Path;

use perf_budget_core::budget;
use perf_budget_core::metric::{InstrumentKind, Key, Metric, SampleKind, SubjectKind, Systems};

use super::arrows::library;
use super::{none, root, sources, text, texts};

/// Files that name metrics although they are not the file of an instrument, by the ends of their paths, and the
/// reason.
const BESIDE: &[(&str, &str)] = &[
    ("arrivals.rs", "reads the instrument `Time` under a load"),
    ("responder.rs", "counts the failures of a pair of processes"),
    ("sampled/thread.rs", "counts the failures of operations that are sampled"),
];

/// Returns the files in which an instrument writes values, by the ends of their paths.
fn files(instrument: InstrumentKind) -> Vec<String> {
    match instrument {
        InstrumentKind::Files => {
            vec!["/artifact/mod.rs".into(), "/artifact/compress/mod.rs".into()]
        }
        InstrumentKind::Process => vec!["/command/mod.rs".into(), "/command/values.rs".into()],
        InstrumentKind::Traced => vec!["/command/traced.rs".into()],
        // Both read what Criterion recorded: of the process that has just ended, or of an earlier one.
        InstrumentKind::Benchmark | InstrumentKind::Recorded => vec!["/criterion/mod.rs".into()],
        InstrumentKind::Worker(one) => {
            let name = format!("/{one:?}").to_lowercase();
            let has_files = root().join(format!("src/instrument{name}")).is_dir();
            vec![format!("{name}{}", if has_files { "/mod.rs" } else { ".rs" })]
        }
    }
}

/// Returns every metric of every kind of subject, with the instrument that reads it there.
fn metrics() -> Vec<(Metric, InstrumentKind)> {
    let of_kind = |kind| {
        let known = Metric::known(kind).into_iter();
        known.map(move |metric| (metric.clone(), metric.instrument(kind).unwrap()))
    };
    SubjectKind::ALL.into_iter().flat_map(of_kind).collect()
}

/// Returns the metrics that a text names.
fn named(text: &str) -> BTreeSet<&str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let starts = text.match_indices("Key::").map(|(at, _)| at);
    let whole = starts.filter(|&at| !text[..at].ends_with(is_word));
    let words = whole.map(|at| text[at + "Key::".len()..].split(|c| !is_word(c)).next().unwrap());
    words.filter(|word| word.starts_with(|c: char| c.is_ascii_uppercase())).collect()
}

#[test]
fn only_an_instrument_names_a_metric() {
    let command = sources("cargo-budget/src").into_iter();
    let library = library().into_iter().filter(|file| !file.path.starts_with("core/src/metric"));
    let files: Vec<_> =
        library.chain(command).filter(|file| !named(&file.text).is_empty()).collect();
    let mut ends: BTreeSet<String> =
        metrics().into_iter().flat_map(|(_, instrument)| self::files(instrument)).collect();
    ends.extend(BESIDE.iter().map(|(file, _)| format!("/{file}")));
    let other_files: Vec<String> = files
        .iter()
        .filter(|file| !ends.iter().any(|end| file.path.ends_with(end)))
        .map(|file| format!("{}: {:?}", file.path, named(&file.text)))
        .collect();
    none(&other_files, "these name metrics and are no instrument: match on a column of the table");
    let is_idle = |end: &String| !files.iter().any(|file| file.path.ends_with(end));
    let unused: Vec<String> = ends.into_iter().filter(is_idle).collect();
    none(&unused, "these are listed and name no metric");
}

#[test]
fn names_of_metrics_are_found() {
    let text = "use Key; Key::Rss, budget::Key::new(), Metric::from(Key::PeakRss) MonKey::Banana";
    assert_eq!(named(text).into_iter().collect::<Vec<_>>(), ["PeakRss", "Rss"]);
}

#[test]
fn every_metric_is_written_by_its_instrument() {
    let library = library();
    let mut missing = Vec::new();
    for (metric, instrument) in metrics() {
        let (key, ends) = (format!("{:?}", metric.key()), files(instrument));
        let there = library.iter().filter(|file| ends.iter().any(|end| file.path.ends_with(end)));
        let there: Vec<_> = there.collect();
        assert!(!there.is_empty(), "{instrument:?} has no file");
        let written = match metric.sample() {
            // The instrument reads a list of times, and these metrics are computed from it.
            SampleKind::Operation | SampleKind::Batch | SampleKind::Rate => true,
            SampleKind::File
            | SampleKind::Failure
            | SampleKind::Run
            | SampleKind::Process
            | SampleKind::Record
            | SampleKind::Sweep => {
                there.iter().any(|file| named(&file.text).contains(key.as_str()))
            }
        };
        if !written {
            missing.push(format!("`{metric}` by {ends:?}"));
        }
    }
    none(&missing, "no instrument writes these");
}

/// The table of platforms in the documentation of the crate says what the table of metrics says.
#[test]
fn the_platforms_of_a_metric_are_those_of_the_documentation() {
    let source = text("src/lib.rs");
    let rows = source.lines().filter_map(|line| line.strip_prefix("//! | ")?.strip_suffix(" |"));
    let rows: Vec<Vec<&str>> = rows.map(|row| row.split(" | ").collect()).collect();
    let mut wrong = Vec::new();
    for (kind, owner) in
        [(SubjectKind::Command, "command's "), (SubjectKind::Workload, "workload's ")]
    {
        let named = |metric: &Metric| {
            let name = format!("`{metric}`");
            rows.iter().find(|row| row[0].starts_with(owner) && row[0].contains(&name))
        };
        for metric in Metric::known(kind) {
            let on = metric.row().on;
            let systems = if kind == SubjectKind::Command { on.command } else { on.workload };
            let Some(row) = named(&metric) else {
                if systems != Systems::All {
                    wrong.push(format!("{owner}`{metric}` has no row"));
                }
                continue;
            };
            for (system, cell) in ["linux", "macos", "windows"].into_iter().zip(&row[1..]) {
                if systems.has(system) == (*cell == "no") {
                    wrong.push(format!("{owner}`{metric}` on {system}: `{cell}`"));
                }
            }
        }
    }
    none(&wrong, "src/lib.rs, section Platforms, and the column `on` of the metrics differ");
    assert!(rows.iter().filter(|row| row[0].starts_with("command's")).count() > 1);
}

/// `pages` compares the rows of the page with the table; these two metrics have sections of their own.
#[test]
fn metrics_without_a_row_of_the_page_have_a_section() {
    let page = text("docs/metrics.md");
    for section in ["### What a workload records itself", "## Scaling"] {
        assert!(page.lines().any(|line| line == section), "docs/metrics.md has no `{section}`");
    }
}

#[test]
fn every_metric_has_a_case() {
    let mut limited: BTreeSet<Key> = BTreeSet::new();
    for file in texts("fixtures/cases")
        .iter()
        .filter(|file| Path::new(&file.path).extension().is_some_and(|e| e == "toml"))
    {
        // Some cases are files that cannot be read; `config/full.toml` has what only a release build judges.
        let Ok(budgets) = budget::parse(&file.text, &root().join(&file.path)) else { continue };
        for budget in &budgets.budgets {
            let slopes = budget.scaling.iter().flat_map(|scaling| &scaling.limits);
            limited.extend(budget.limits.iter().chain(slopes).map(|limit| limit.metric.key()));
        }
    }
    let known = metrics().into_iter().map(|(metric, _)| metric.key());
    let rows: BTreeSet<Key> = known.chain([Key::Slope, Key::Own]).collect();
    let missing: Vec<String> = rows.difference(&limited).map(|key| format!("{key:?}")).collect();
    none(&missing, "no case limits these");
}
