//! The reader of a metric's name. It finds the metric, or says why the subject does not have it.

use std::ops::Range;
use std::sync::LazyLock;

use super::collect::Mistakes;
use super::declared::Declared;
use super::printable::quoted;
use super::problem::Problem;
use crate::budget::spelling;
use crate::metric::{Metric, SampleKind, SubjectKind};

/// The known metrics of each kind, with their names. [`Metric::known`] builds its list at each call, which would be
/// slow for a file with ten thousand budgets.
static KNOWN: LazyLock<[Vec<(String, Metric)>; SubjectKind::ALL.len()]> = LazyLock::new(|| {
    SubjectKind::ALL.map(|kind| Metric::known(kind).into_iter().map(|m| (m.name(), m)).collect())
});

fn known(kind: SubjectKind) -> &'static [(String, Metric)] {
    &KNOWN[SubjectKind::ALL.iter().position(|&k| k == kind).unwrap_or_default()]
}

/// Returns the metric of this name, if this kind of subject has it.
fn find(kind: SubjectKind, name: &str) -> Option<&'static Metric> {
    known(kind).iter().find(|known| known.0 == name).map(|known| &known.1)
}

/// Whether any kind of subject has a metric of this name.
pub(super) fn is_metric(name: &str) -> bool {
    SubjectKind::ALL.iter().any(|&kind| find(kind, name).is_some())
}

/// Returns a kind of subject as a noun with its article, as in "an artifact".
pub(super) fn noun(kind: SubjectKind) -> &'static str {
    match kind {
        SubjectKind::Artifact => "an artifact",
        SubjectKind::Command => "a command",
        SubjectKind::Workload => "a workload",
        SubjectKind::Criterion => "a Criterion benchmark",
        SubjectKind::Divan => "a Divan benchmark",
        SubjectKind::Libtest => "a benchmark of libtest",
        SubjectKind::Record => "a record of Criterion",
    }
}

/// Whether this kind of subject has a metric of this name.
pub(super) fn is_metric_of(kind: SubjectKind, name: &str) -> bool {
    find(kind, name).is_some()
}

/// Returns the metric that `name` means for a subject of this kind. It may be a declared one. If there is none, the reason
/// is reported.
pub(super) fn read(
    kind: SubjectKind,
    name: &str,
    at: &Range<usize>,
    declared: &Declared,
    mistakes: &mut Mistakes<'_>,
) -> Option<Metric> {
    if let Some(metric) = find(kind, name) {
        return Some(metric.clone());
    }
    if declared.has(name) {
        return Some(Metric::recorded(name));
    }
    let problem = fault(kind, name, at);
    if problem.is_none() {
        return Some(Metric::recorded(name));
    }
    mistakes.problems.extend(problem);
    None
}

/// Returns the problem of a name that is no metric of this kind of subject, and cannot be a value that a workload records
/// either. `None` if it can.
fn fault(kind: SubjectKind, name: &str, at: &Range<usize>) -> Option<Problem> {
    let at = at.clone();
    if let Some((owner, metric)) = SubjectKind::ALL.iter().find_map(|&k| Some((k, find(k, name)?)))
    {
        let title = format!("`{name}` is a metric of {}, not of {}", noun(owner), noun(kind));
        return Some(Problem::new(at, title).help(instead(kind, metric)));
    }
    if kind == SubjectKind::Workload
        && name.len() > 1
        && name.starts_with('p')
        && name[1..].bytes().all(|b| b.is_ascii_digit())
    {
        return Some(
            Problem::new(at, format!("`{name}` is not a percentile that is measured"))
                .help("measured are p50, p90, p95, p99, p999"),
        );
    }
    let unknown = format!("unknown metric {}", quoted(name));
    if let Some(meant) = other_word(kind, name) {
        let problem = Problem::new(at, unknown).label(format!("did you mean {meant}?"));
        return Some(problem.help(possible(kind)));
    }
    if let Some(near) = spelling::nearest(name, known(kind).iter().map(|known| known.0.as_str())) {
        let problem = Problem::new(at, unknown).label(format!("did you mean `{near}`?"));
        return Some(problem.help(possible(kind)));
    }
    if kind != SubjectKind::Workload {
        return Some(Problem::new(at, unknown).help(all(kind)));
    }
    if name == "scaling" || name.starts_with("scaling_") {
        return Some(
            Problem::new(at, format!("`{name}` is limited in a key of its own"))
                .help("write scaling = { over = \"records\", max = { rss = 1.1 } }"),
        );
    }
    (!is_name(name)).then(|| invalid_name(name, &at))
}

/// Whether this can be the name of a metric that a workload records.
pub(super) fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_lowercase())
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// Returns the problem of a name that no metric can have.
pub(super) fn invalid_name(name: &str, at: &Range<usize>) -> Problem {
    Problem::new(at.clone(), format!("{} cannot be the name of a metric", quoted(name)))
        .help("write a lower case letter, then lower case letters, digits and `_`")
}

/// Returns which names there are for this kind of subject.
fn possible(kind: SubjectKind) -> String {
    match kind {
        SubjectKind::Workload => OWN_NAME.to_owned(),
        SubjectKind::Artifact
        | SubjectKind::Command
        | SubjectKind::Criterion
        | SubjectKind::Divan
        | SubjectKind::Libtest
        | SubjectKind::Record => all(kind),
    }
}

/// The help if a name is too much like that of a known metric.
const OWN_NAME: &str =
    "if the workload records it itself, declare it: unit = { NAME = \"ms\" }, or \"number\"";

/// The words that other tools have for the metrics. If a file uses one of them, it hardly means a value that the
/// workload records.
const OTHER_WORDS: &[(&[&str], &[&str])] = &[
    (&["median", "p50_latency"], &["p50", "wall_p50"]),
    (&["average", "avg", "mean_time"], &["mean", "wall_mean"]),
    (
        &[
            "latency",
            "time",
            "duration",
            "elapsed",
            "runtime",
            "response_time",
            "wall",
            "wall_time",
        ],
        &["p50", "p99", "mean", "wall_p50"],
    ),
    (&["startup", "startup_time", "start"], &["startup_p50"]),
    (&["maximum", "worst", "p100"], &["max", "wall_max"]),
    (&["minimum", "fastest", "best"], &["min", "wall_min"]),
    (&["allocations", "allocation_count", "alloc_count", "mallocs"], &["allocs"]),
    (&["allocated", "allocated_bytes", "bytes_allocated"], &["alloc_bytes"]),
    (&["leaks", "leak", "leaked_bytes"], &["leaked"]),
    (&["memory", "mem", "ram", "resident", "memory_usage"], &["rss", "peak_rss", "peak_heap"]),
    (&["max_rss", "maxrss", "peak_memory", "max_memory"], &["peak_rss"]),
    (&["heap_size", "heap_usage", "max_heap"], &["heap", "peak_heap"]),
    (&["cpu_time", "cpu_seconds", "user_time", "processor_time"], &["cpu"]),
    (&["cpu_usage", "cpu_utilization", "load"], &["utilization"]),
    (&["ops", "rps", "qps", "tps", "requests_per_second", "bandwidth", "rate"], &["throughput"]),
    (&["errors", "failures", "failure_rate", "error"], &["error_rate"]),
    (&["ctx_switches", "switches"], &["context_switches"]),
    (&["instruction_count", "ir", "instrs"], &["instructions", "fuel"]),
    (&["bytes", "length", "file_size", "binary_size", "filesize"], &["size", "stripped", "gzip"]),
    (&["gz", "compressed", "gzipped"], &["gzip"]),
    (&["br"], &["brotli"]),
    (&["exit_code", "status", "code"], &["exit"]),
];

/// Those of [`OTHER_WORDS`] that may well be the name of a value that a workload records.
const AMBIGUOUS: &[&str] = &[
    "time",
    "duration",
    "elapsed",
    "start",
    "worst",
    "fastest",
    "best",
    "leak",
    "memory",
    "mem",
    "ram",
    "resident",
    "load",
    "ops",
    "bandwidth",
    "rate",
    "errors",
    "failures",
    "error",
    "switches",
    "bytes",
    "length",
    "compressed",
    "br",
    "gz",
    "status",
    "code",
    "ir",
];

/// Returns the metrics of this kind of subject that a word of another tool means, as in "`p50` or `p99`".
fn other_word(kind: SubjectKind, name: &str) -> Option<String> {
    if kind == SubjectKind::Workload && AMBIGUOUS.contains(&name) {
        return None;
    }
    let (_, meant) = OTHER_WORDS.iter().find(|(words, _)| words.contains(&name))?;
    let of_kind: Vec<String> = meant
        .iter()
        .filter(|word| find(kind, word).is_some())
        .map(|word| format!("`{word}`"))
        .collect();
    (!of_kind.is_empty()).then(|| of_kind.join(" or "))
}

/// Returns the help for a metric of another kind of subject: the metrics that this kind has in its place.
fn instead(kind: SubjectKind, metric: &Metric) -> String {
    let same = || {
        let same = known(kind).iter().filter(|known| known.1.statistic() == metric.statistic());
        same.map(|known| format!("`{}`", known.0)).collect::<Vec<_>>().join(" and ")
    };
    let is_of_operations = match metric.sample() {
        SampleKind::Operation | SampleKind::Batch => true,
        SampleKind::Run => false,
        SampleKind::File
        | SampleKind::Rate
        | SampleKind::Failure
        | SampleKind::Process
        | SampleKind::Record
        | SampleKind::Sweep => return all(kind),
    };
    match (kind, is_of_operations) {
        (SubjectKind::Command, true) => format!("a command has {}", same()),
        (SubjectKind::Workload, false) => {
            format!("the latency of one operation of a workload is {}", same())
        }
        (SubjectKind::Libtest, true) => "libtest tells only the mean of its samples: limit `mean`, or \
                                         register the function as a workload"
            .to_owned(),
        (SubjectKind::Record, true) => {
            "Criterion times batches of operations, of which no single operation can be told: limit \
             `mean`, or register the function as a workload"
                .to_owned()
        }
        (SubjectKind::Artifact | SubjectKind::Criterion | SubjectKind::Divan, _)
        | (SubjectKind::Libtest | SubjectKind::Record | SubjectKind::Command, false)
        | (SubjectKind::Workload, true) => all(kind),
    }
}

/// Returns the names of all metrics of a kind. Families are named by their prefix.
fn all(kind: SubjectKind) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut statistics: Vec<&str> = Vec::new();
    for (name, metric) in known(kind) {
        let family = metric.family();
        match metric.statistic().filter(|_| !family.is_empty()) {
            None => words.push(name.clone()),
            Some(statistic) => {
                let family = format!("{family}*");
                if !words.contains(&family) {
                    words.push(family);
                }
                if !statistics.contains(&statistic.name()) {
                    statistics.push(statistic.name());
                }
            }
        }
    }
    let which = match statistics[..] {
        [] => String::new(),
        _ => format!(" with one of {} for the *", statistics.join(", ")),
    };
    format!("{} has {}{which}", noun(kind), words.join(", "))
}
