//! The structure of the source: which module uses which, and which files may do what.

use std::collections::{BTreeMap, BTreeSet};

use super::{Text, none, sources, text};

/// Every module at the top of the core and of the harness, the lowest first, with the other modules that it uses. The
/// table states what is used, not what is allowed: a new arrow is a new word here, and may only lead to a row above
/// its own.
const ARROWS: &[(&str, &[&str])] = &[
    ("callgrind", &[]),
    ("date", &[]),
    ("error", &[]),
    ("exact", &[]),
    ("atomic", &["error", "exact"]),
    ("fnv", &[]),
    ("samples", &["error", "exact"]),
    ("counts", &["callgrind", "error", "exact", "samples"]),
    ("os", &["samples"]),
    ("paths", &["atomic", "error", "exact", "fnv"]),
    ("quantity", &[]),
    ("metric", &["quantity"]),
    ("budget", &["date", "error", "metric", "quantity"]),
    ("inject", &["budget", "metric", "quantity"]),
    ("stats", &[]),
    ("verdict", &["budget", "metric", "quantity", "stats"]),
    ("outcome", &["budget", "date", "metric", "quantity", "stats", "verdict"]),
    ("blame", &["callgrind", "outcome", "stats"]),
    ("build", &["atomic", "budget", "error", "exact", "fnv", "outcome"]),
    ("exec", &["budget", "exact", "os", "outcome", "quantity"]),
    ("files", &["outcome"]),
    ("handover", &["budget", "error", "exact", "outcome"]),
    (
        "benchmarks",
        &["atomic", "budget", "build", "error", "exact", "handover", "metric", "outcome"],
    ),
    ("reading", &["metric", "outcome"]),
    (
        "enforce",
        &[
            "budget", "date", "error", "metric", "outcome", "paths", "quantity", "reading",
            "stats", "verdict",
        ],
    ),
    (
        "instrument",
        &["budget", "callgrind", "inject", "metric", "os", "outcome", "reading", "stats"],
    ),
    ("noise", &["os", "outcome", "reading"]),
    ("record", &["error", "exact", "outcome"]),
    ("report", &["budget", "outcome", "quantity", "verdict"]),
    ("progress", &["report"]),
    ("seal", &["os", "paths"]),
    ("suite", &["budget", "metric", "verdict"]),
    ("wasm", &["error", "instrument"]),
    (
        "worker",
        &[
            "budget",
            "callgrind",
            "exact",
            "exec",
            "inject",
            "instrument",
            "metric",
            "os",
            "outcome",
            "reading",
        ],
    ),
    (
        "base",
        &[
            "benchmarks",
            "budget",
            "build",
            "error",
            "exec",
            "handover",
            "metric",
            "outcome",
            "worker",
        ],
    ),
    ("meter", &["metric", "noise", "outcome", "reading", "stats", "worker"]),
    (
        "run",
        &[
            "budget",
            "exact",
            "exec",
            "inject",
            "instrument",
            "metric",
            "os",
            "outcome",
            "reading",
            "worker",
        ],
    ),
    (
        "subject",
        &[
            "atomic",
            "base",
            "benchmarks",
            "budget",
            "build",
            "callgrind",
            "exact",
            "exec",
            "files",
            "fnv",
            "handover",
            "inject",
            "instrument",
            "meter",
            "metric",
            "os",
            "outcome",
            "paths",
            "quantity",
            "reading",
            "seal",
            "stats",
            "suite",
            "worker",
        ],
    ),
    ("internals", &["exec", "inject", "os", "run", "subject", "worker"]),
    (
        "session",
        &[
            "atomic",
            "base",
            "benchmarks",
            "blame",
            "budget",
            "build",
            "callgrind",
            "counts",
            "date",
            "enforce",
            "error",
            "exact",
            "fnv",
            "inject",
            "instrument",
            "meter",
            "metric",
            "os",
            "outcome",
            "paths",
            "progress",
            "quantity",
            "record",
            "samples",
            "seal",
            "subject",
            "suite",
            "verdict",
            "worker",
        ],
    ),
    (
        "selftest",
        &[
            "budget", "error", "exact", "handover", "inject", "metric", "outcome", "quantity",
            "session", "verdict",
        ],
    ),
    ("profile", &["error", "exact", "handover", "outcome", "selftest", "session"]),
    (
        "harness",
        &[
            "budget", "build", "error", "exec", "os", "outcome", "paths", "profile", "progress",
            "record", "report", "run", "selftest", "session", "verdict",
        ],
    ),
];

/// Names at the top of the crate that are not modules, and the module that each comes from.
const NAMES: &[(&str, &str)] = &[
    ("Harness", "harness"),
    ("Heap", "instrument"),
    ("Failed", "run"),
    ("Parameter", "run"),
    ("Run", "run"),
];

/// The acts that only a few files may do: a description, how the act looks in the source, and the files.
const RESTRICTED: &[(&str, &[&str], &[&str])] = &[
    (
        "prints",
        &["stdout()", "stderr()", "print!(", "println!(", "dbg!("],
        // A worker that cannot write its reply has nobody else to tell, and neither has a process that was to become
        // a command.
        &["exec/inject.rs", "harness/mod.rs", "harness/runner.rs", "progress.rs", "run/serve.rs"],
    ),
    (
        "starts a process",
        &["Command::new(", ".spawn()"],
        &["exec/inject.rs", "exec/launch.rs", "exec/linux.rs", "exec/portable.rs", "exec/relay.rs"],
    ),
    ("knows libtest-mimic", &["libtest_mimic::"], &["harness/arguments.rs", "harness/mod.rs"]),
    (
        "knows tokio",
        &["tokio::"],
        &["run/asynchronous/executor.rs", "run/asynchronous/mod.rs", "run/asynchronous/timer.rs"],
    ),
    ("knows wasmi", &["wasmi::"], &["wasm/mod.rs"]),
    (
        "is unsafe",
        &["unsafe"],
        &[
            "exec/linux.rs",
            "instrument/heap.rs",
            "os/calls/mod.rs",
            "os/calls/tracer.rs",
            "os/counter.rs",
            "os/job.rs",
            "os/kernel/linux.rs",
            "os/kernel/mod.rs",
            "os/kernel/process.rs",
            "os/kernel/socket.rs",
            "os/sampler.rs",
            "os/valgrind.rs",
        ],
    ),
];

/// The words that a pure module never mentions: files, processes, clocks, chance.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::io",
    "std::env",
    "std::net",
    "std::process",
    "std::thread",
    "Instant",
    "SystemTime",
    "RandomState",
];

/// The modules that claim to be pure.
const PURE: &[&str] = &["stats/", "verdict/", "date.rs", "suite/", "metric/", "quantity.rs"];

/// Returns the files of the core and of the harness, without comments and without their tests.
pub(super) fn library() -> Vec<Text> {
    let is_test = |path: &str| path.contains("/tests/") || path.ends_with("tests.rs");
    let below = |folder: &'static str| {
        sources(folder).into_iter().filter(|file| !is_test(&file.path)).map(move |file| {
            let path = file.path[folder.len() + 1..].to_owned();
            Text { path, text: code(&file.text) }
        })
    };
    below("core/src").chain(below("src")).collect()
}

/// Returns what a file compiles without its tests and its comments.
pub(super) fn code(text: &str) -> String {
    // The line before it says when there are tests: always, or on some systems.
    let is_cfg =
        |line: &str| line.starts_with("#[cfg(test)]") || line.starts_with("#[cfg(all(test,");
    let before = text.split_once("\nmod tests {").and_then(|(before, _)| before.rsplit_once('\n'));
    let body = before.filter(|(_, last)| is_cfg(last)).map_or(text, |(body, _)| body);
    body.lines().filter(|line| !line.trim_start().starts_with("//")).fold(
        String::new(),
        |code, line| {
            let line = line.split(" // ").next().unwrap_or_default();
            code + line + "\n"
        },
    )
}

/// Returns the path of a file's module: `exec/linux.rs` is `["exec", "linux"]`.
fn module(path: &str) -> Vec<&str> {
    let path = path.trim_end_matches(".rs");
    path.split('/').filter(|part| *part != "mod" && *part != "lib").collect()
}

/// Returns what is named after `crate::` or the core's name, or after as many `super::` as lead to the top of the
/// crate.
fn used<'t>(module: &[&str], text: &'t str) -> BTreeSet<&'t str> {
    let top = match module.len() {
        0 => Vec::new(),
        depth => vec!["super::".repeat(depth)],
    };
    let mut names = BTreeSet::new();
    for start in top.iter().map(String::as_str).chain(["crate::", "perf_budget_core::"]) {
        for (at, _) in text.match_indices(start) {
            let inside = start.starts_with("super") && text[..at].ends_with("::");
            if !inside {
                names.extend(heads(&text[at + start.len()..]));
            }
        }
    }
    names
}

/// Returns the first names of a path: `a::b` names `a`, and `{a, b::{c, d}}` names `a` and `b`.
fn heads(path: &str) -> Vec<&str> {
    let word =
        |text: &str| text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let Some(list) = path.strip_prefix('{') else { return vec![&path[..word(path)]] };
    let (mut depth, mut names, mut start) = (1, Vec::new(), 0);
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 || (depth == 1 && c == ',') {
            let name = list[start..at].trim();
            names.push(&name[..word(name)]);
            start = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    names
}

#[test]
fn paths_in_the_source_are_parsed() {
    let check = |module: &[&str], text: &str, want: &[&str]| {
        let got: Vec<&str> =
            used(module, text).into_iter().filter(|name| !name.is_empty()).collect();
        assert_eq!(got, want, "{text}");
    };
    check(&["reading"], "use crate::metric::{Metric, Statistic};", &["metric"]);
    check(&["harness"], "use crate::{Error, exec, place};", &["Error", "exec", "place"]);
    check(&["harness"], "use crate::{\n a::{b, c},\n d,\n};", &["a", "d"]);
    check(&["instrument", "heap"], "use super::{laps}; use super::super::stats;", &["stats"]);
    check(&["exec", "linux", "tree"], "use super::super::linux;", &[]);
    check(&["suite"], "use super::verdict::Outcome;", &["verdict"]);
    assert_eq!(code("a // b\n/// c\nd\n\n#[cfg(test)]\nmod tests {\nuse crate::e;"), "a\nd\n");
}

#[test]
fn arrows_run_only_downward() {
    let mut graph: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let library = library();
    let known = |name: &str| ARROWS.iter().find(|row| row.0 == name).map(|row| row.0);
    let mut unknown = Vec::new();
    for file in &library {
        let module = module(&file.path);
        let Some(&top) = module.first() else { continue };
        if known(top).is_none() {
            unknown.push(format!("{} is of no module that has a row", file.path));
        }
        let arrows = graph.entry(top).or_default();
        for name in used(&module, &file.text) {
            let renamed = NAMES.iter().find(|row| row.0 == name).map(|row| row.1);
            arrows.extend(renamed.or_else(|| known(name)).filter(|&other| other != top));
        }
    }
    none(&unknown, "add each to a floor");
    for (floor, (module, expected)) in ARROWS.iter().enumerate() {
        let found: Vec<&str> = graph.get(module).into_iter().flatten().copied().collect();
        let below: Vec<&str> = ARROWS[..floor].iter().map(|row| row.0).collect();
        let up: Vec<_> = found.iter().filter(|name| !below.contains(name)).collect();
        assert!(up.is_empty(), "`{module}` uses {up:?}, which are not below it");
        assert_eq!(found, *expected, "what `{module}` uses is not what its row says");
    }
}

#[test]
fn restricted_actions_stay_in_their_files() {
    let library = library();
    for (action, patterns, places) in RESTRICTED {
        let does = |file: &&Text| patterns.iter().any(|pattern| file.text.contains(pattern));
        let found: Vec<&str> = library.iter().filter(does).map(|file| file.path.as_str()).collect();
        assert_eq!(found, *places, "what {action}");
    }
}

#[test]
fn pure_modules_touch_nothing() {
    let mut found = Vec::new();
    for file in library().iter().filter(|file| PURE.iter().any(|pure| file.path.starts_with(pure)))
    {
        let impure = IMPURE.iter().filter(|word| file.text.contains(*word));
        found.extend(impure.map(|word| format!("{} mentions {word}", file.path)));
    }
    none(&found, "these call themselves pure");
}

/// ARCHITECTURE.md is a map only as long as every module is on it.
#[test]
fn the_map_has_every_module() {
    let map = text("ARCHITECTURE.md");
    let missing: Vec<String> = ARROWS
        .iter()
        .map(|row| format!("`{}`", row.0))
        .filter(|module| !map.contains(module))
        .collect();
    none(&missing, "these modules are not in ARCHITECTURE.md");
}
