//! The keys that say how the subject of a budget is built: `features`, `profile`, `wasm-opt`, `build` and
//! `build_timeout`.

use toml::de::DeTable;

use super::collect::Mistakes;
use super::printable::quoted;
use super::problem::Problem;
use super::read::{self, Entry};
use crate::budget::{Build, Subject};

/// The beginning of a placeholder for a binary.
pub(super) const BINARY: &str = "{bin:";
/// The beginning of a placeholder for a WebAssembly module.
pub(super) const MODULE: &str = "{wasm:";

/// Reads these keys of one budget.
pub(super) fn read(table: &DeTable<'_>, mistakes: &mut Mistakes<'_>) -> Build {
    let entry = |key| read::entry(table, key);
    Build {
        features: entry("features").and_then(|entry| features(&entry, mistakes)),
        profile: entry("profile").and_then(|entry| profile(&entry, mistakes)),
        wasm_opt: entry("wasm-opt")
            .and_then(|entry| entry.texts(mistakes, "the arguments: [\"-Oz\"]"))
            .unwrap_or_default(),
        command: entry("build").and_then(|entry| command(&entry, mistakes)).unwrap_or_default(),
        timeout: entry("build_timeout").and_then(|entry| entry.duration(mistakes)),
    }
}

/// Reports keys about the build of something that the budget does not name.
pub(super) fn check(
    subject: &Subject,
    build: &Build,
    table: &DeTable<'_>,
    mistakes: &mut Mistakes<'_>,
) {
    let texts: Vec<&String> = subject.texts().into_iter().chain(&build.command).collect();
    let has = |marks: &[&str]| texts.iter().any(|text| marks.iter().any(|m| text.contains(m)));
    let is_benchmark = matches!(subject, Subject::Benchmark(..));
    let (cargo_builds, has_module) = (has(&[BINARY, MODULE]) || is_benchmark, has(&[MODULE]));
    let is_built = cargo_builds || read::entry(table, "build").is_some();
    let for_cargo =
        ("no `{bin:NAME}` and no `{wasm:NAME}`", "write one of them where its path belongs");
    let for_module = ("no `{wasm:NAME}`", "write it where the module's path belongs");
    for (key, is_used, (lacks, help)) in [
        ("features", cargo_builds, for_cargo),
        ("profile", cargo_builds, for_cargo),
        ("wasm-opt", has_module, for_module),
        ("build_timeout", is_built, ("nothing that is built", "say how it is built with `build`")),
    ] {
        let Some(entry) = read::entry(table, key).filter(|_| !is_used) else { continue };
        let title = format!("`{key}` applies to nothing: this budget names {lacks}");
        let help = format!("{help}, or remove `{key}`");
        mistakes.report(Problem::new(entry.at, title).help(help));
    }
}

/// Reads the list of features. An empty list stands for no feature at all.
fn features(entry: &Entry<'_>, mistakes: &mut Mistakes<'_>) -> Option<Vec<String>> {
    const EXAMPLE: &str = "a list: [\"default\", \"tls\"], or [] for none";
    if entry.value.get_ref().as_array().is_some_and(|list| list.is_empty()) {
        return Some(Vec::new());
    }
    let features = entry.texts(mistakes, EXAMPLE)?;
    let odd = |feature: &&String| feature.contains([',', ' ', '\t']) || feature.starts_with('-');
    if let Some(odd) = features.iter().find(odd) {
        let title = format!("`features` has {}, which is not the name of a feature", quoted(odd));
        mistakes.report(Problem::new(entry.value.span(), title).help(format!("write {EXAMPLE}")));
        return None;
    }
    Some(features)
}

fn profile(entry: &Entry<'_>, mistakes: &mut Mistakes<'_>) -> Option<String> {
    let name = entry.text(mistakes, "a profile of Cargo.toml: \"release\"")?;
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !name.chars().all(is_allowed) || name.starts_with('-') {
        let title = format!("`profile` cannot be {}", quoted(&name));
        let help = "write a profile of Cargo.toml: \"release\"";
        mistakes.report(Problem::new(entry.value.span(), title).help(help));
        return None;
    }
    Some(name)
}

/// Reads a program and its arguments. A line for a shell is reported with a message of its own.
fn command(entry: &Entry<'_>, mistakes: &mut Mistakes<'_>) -> Option<Vec<String>> {
    if let Some(line) = entry.value.get_ref().as_str() {
        let words: Vec<_> = line.split_whitespace().map(|word| format!("{word:?}")).collect();
        let title = "`build` is a list of the program and its arguments, not a line for a shell";
        let help = format!("write [{}]", words.join(", "));
        mistakes.report(Problem::new(entry.value.span(), title).help(help));
        return None;
    }
    entry.texts(mistakes, "a list: [\"wasm-pack\", \"build\", \"--release\"]")
}
