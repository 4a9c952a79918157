//! A metric is a row of one table: nobody but its instrument names it, and each row has its instrument, its
//! page and its case.

use std::collections::BTreeSet;

use perf_budget::budget;
use perf_budget::metric::{Instrument, InstrumentKind, Key, Metric, SampleKind, SubjectKind};

use super::arrows::library;
use super::{none, root, sources, text, texts};

/// The files that name metrics, each by the end of its path, and why it may: it writes their values.
const NAMES: &[(&str, &str)] = &[
    ("artifact/mod.rs", "reads files, and what is inside of images"),
    ("artifact/compress/mod.rs", "has an encoder for each compressed size"),
    ("command.rs", "reads what a command used"),
    ("criterion.rs", "says of a recorded throughput why it is none"),
    ("time.rs", "reads clocks and counters of the scheduler"),
    ("arrivals.rs", "reads the same clock under a load"),
    ("follower.rs", "counts the failures of two that take turns"),
    ("heap.rs", "counts allocations"),
    ("fuel.rs", "counts fuel"),
    ("memory.rs", "reads resident memory"),
    ("growth.rs", "reads how it grows"),
];

const KINDS: [SubjectKind; 4] =
    [SubjectKind::Artifact, SubjectKind::Command, SubjectKind::Workload, SubjectKind::Criterion];

/// Where an instrument writes values, by the end of its path.
fn files(instrument: InstrumentKind) -> &'static [&'static str] {
    match instrument {
        InstrumentKind::Files => &["artifact/mod.rs", "artifact/compress/mod.rs"],
        InstrumentKind::Process => &["command.rs"],
        InstrumentKind::Recorded => &["criterion.rs"],
        InstrumentKind::Worker(Instrument::Time) => &["time.rs"],
        InstrumentKind::Worker(Instrument::Heap) => &["heap.rs"],
        InstrumentKind::Worker(Instrument::Fuel) => &["fuel.rs"],
        InstrumentKind::Worker(Instrument::Memory) => &["memory.rs"],
        InstrumentKind::Worker(Instrument::Growth) => &["growth.rs"],
    }
}

/// The metrics that a text names.
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
    let library = library().into_iter().filter(|file| !file.path.starts_with("metric"));
    let files: Vec<_> =
        library.chain(command).filter(|file| !named(&file.text).is_empty()).collect();
    let strange: Vec<String> = files
        .iter()
        .filter(|file| !NAMES.iter().any(|(end, _)| file.path.ends_with(end)))
        .map(|file| format!("{}: {:?}", file.path, named(&file.text)))
        .collect();
    none(&strange, "these name metrics and are no instrument: match on a column of the table");
    let idle: Vec<String> = NAMES
        .iter()
        .filter(|(end, _)| !files.iter().any(|file| file.path.ends_with(end)))
        .map(|(end, why)| format!("{end} {why}"))
        .collect();
    none(&idle, "these name no metric any more");
}

#[test]
fn what_names_a_metric_is_seen() {
    let text = "use Key; Key::Rss, budget::Key::new(), Metric::from(Key::PeakRss) MonKey::Banana";
    assert_eq!(named(text).into_iter().collect::<Vec<_>>(), ["PeakRss", "Rss"]);
}

#[test]
fn every_metric_is_written_by_its_instrument() {
    let library = library();
    let mut missing = Vec::new();
    for kind in KINDS {
        for metric in Metric::known(kind) {
            let key = format!("{:?}", metric.key());
            let instrument = metric.instrument(kind).unwrap();
            let ends = files(instrument);
            let there: Vec<_> = library
                .iter()
                .filter(|file| ends.iter().any(|end| file.path.ends_with(end)))
                .collect();
            assert!(!there.is_empty(), "{instrument:?} has no file");
            let written = match metric.sample() {
                // A list of times is what it reads, and these are told from it.
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
    }
    none(&missing, "nobody writes");
}

/// The rows of the page are held to the table by `pages`; these two have sections of their own.
#[test]
fn what_is_no_row_of_the_page_has_its_section() {
    let page = text("docs/metrics.md");
    for section in ["### What a workload records itself", "## Scaling"] {
        assert!(page.lines().any(|line| line == section), "docs/metrics.md has no `{section}`");
    }
}

#[test]
fn every_metric_has_a_case() {
    let mut limited: BTreeSet<Key> = BTreeSet::new();
    for file in texts("fixtures/cases").iter().filter(|file| file.path.ends_with(".toml")) {
        // Some cases are files that cannot be read; `config/full.toml` has what only a release build judges.
        let Ok(budgets) = budget::parse(&file.text, &root().join(&file.path)) else { continue };
        for budget in &budgets.budgets {
            let slopes = budget.scaling.iter().flat_map(|scaling| &scaling.limits);
            limited.extend(budget.limits.iter().chain(slopes).map(|limit| limit.metric.key()));
        }
    }
    let known = KINDS.iter().flat_map(|&kind| Metric::known(kind)).map(|metric| metric.key());
    let rows: BTreeSet<Key> = known.chain([Key::Slope, Key::Own]).collect();
    let missing: Vec<String> = rows.difference(&limited).map(|key| format!("{key:?}")).collect();
    none(&missing, "no case limits");
}
