//! The features that the library's dependencies have. Cargo turns on a feature for the whole build if one crate asks for
//! it, so that it would change what users measure: `serde_json/float_roundtrip`, asked for once, made their parsing twice
//! as slow.

use std::collections::BTreeSet;

use super::{none, text};

/// The manifests of what users build.
const MANIFESTS: [&str; 2] = ["Cargo.toml", "core/Cargo.toml"];

/// The features that do not change the results or the speed of a crate: they add functions or types, or the crate needs
/// them to work at all. A new feature is added here once this is known about it.
const HARMLESS: [(&str, &[&str]); 8] = [
    ("codespan-reporting", &["std"]),
    ("serde", &["derive"]),
    ("tokio", &["rt", "time"]),
    ("toml", &["std", "parse"]),
    // These are the engine's own features, and nobody runs another program in it unknowingly.
    ("wasmi", &["memory64", "portable-dispatch", "std", "validate"]),
    // Each adds the bindings of one part of Windows.
    (
        "windows-sys",
        &[
            "Win32_Foundation",
            "Win32_Security",
            "Win32_System_Diagnostics_ToolHelp",
            "Win32_System_JobObjects",
            "Win32_System_Threading",
        ],
    ),
    ("perf-budget-core", &[]),
    ("libc", &[]),
];

/// The crates whose default features are turned on, each with the reason why that changes nothing for others.
const DEFAULTS: [(&str, &str); 10] = [
    ("brotli", "`std` and the allocator that comes with it"),
    ("flate2", "its backend is written in Rust, and whoever asks for another one gets that"),
    ("glob", "it has none"),
    ("libc", "`std` alone"),
    ("libtest-mimic", "it has none"),
    ("memory-stats", "it has none"),
    ("miniz_oxide", "`with-alloc` alone"),
    ("serde", "`std` alone"),
    ("serde_json", "`std` alone"),
    ("windows-sys", "it has none"),
];

/// A dependency of a manifest.
struct Asked {
    name: String,
    /// The oldest version that it may be; `None` if it is a part of this repository.
    floor: Option<String>,
    features: Vec<String>,
    has_defaults: bool,
}

/// Returns the lines of a manifest, with a list of several lines joined into one.
fn statements(manifest: &str) -> Vec<String> {
    let mut statements: Vec<String> = Vec::new();
    let mut is_open = false;
    for line in manifest.lines() {
        match statements.last_mut().filter(|_| is_open) {
            Some(statement) => statement.push_str(line),
            None => statements.push(line.to_owned()),
        }
        let is_comment = line.starts_with('#');
        is_open = statements.last().is_some_and(|statement| {
            !is_comment && statement.matches('[').count() > statement.matches(']').count()
        });
    }
    statements
}

/// Returns the dependencies of a manifest that users build too.
fn asked(manifest: &str) -> Vec<Asked> {
    let mut found = Vec::new();
    let mut is_built = false;
    for line in statements(manifest) {
        if line.starts_with('[') {
            let of_tests = line.contains("dev-dependencies");
            is_built = line.contains("dependencies") && !of_tests;
            continue;
        }
        let Some((name, what)) = line.split_once(" = ").filter(|_| is_built) else { continue };
        if line.starts_with('#') {
            continue;
        }
        let features = what.split_once("features = [").and_then(|(_, rest)| rest.split_once(']'));
        let quoted = |list: &str| {
            let names = list.split(',').map(|name| name.trim().trim_matches('"').to_owned());
            names.filter(|name| !name.is_empty()).collect()
        };
        let features: Vec<String> = features.map(|(list, _)| quoted(list)).unwrap_or_default();
        let has_defaults = !what.contains("default-features = false") && !what.contains("path = ");
        let version = what.split('"').nth(1).filter(|_| !what.contains("path = "));
        let oldest = |version: &str| {
            version.split(',').next().unwrap_or_default().trim_start_matches(['>', '=']).to_owned()
        };
        let floor = version.map(oldest);
        found.push(Asked { name: name.to_owned(), floor, features, has_defaults });
    }
    found
}

#[test]
fn no_feature_of_a_dependency_changes_what_users_measure() {
    let mut odd = Vec::new();
    let mut known = BTreeSet::new();
    for manifest in MANIFESTS {
        let dependencies = asked(&text(manifest));
        assert!(
            dependencies.len() > 4,
            "only {} dependencies were found in {manifest}",
            dependencies.len()
        );
        for Asked { name, features, has_defaults, .. } in dependencies {
            let allowed = HARMLESS.iter().find(|row| row.0 == name).map_or(&[][..], |row| row.1);
            for feature in features.iter().filter(|feature| !allowed.contains(&feature.as_str())) {
                odd.push(format!("{manifest} asks `{name}` for the feature `{feature}`"));
            }
            if has_defaults && !DEFAULTS.iter().any(|row| row.0 == name) {
                odd.push(format!("{manifest} asks `{name}` for its default features"));
            }
            known.insert(name);
        }
    }
    none(
        &odd,
        "these features reach the users' own build; show that they change nothing and list them here",
    );
    let gone = DEFAULTS.iter().map(|row| row.0).chain(HARMLESS.iter().map(|row| row.0));
    let gone: Vec<String> = gone.filter(|name| !known.contains(*name)).map(str::to_owned).collect();
    none(&gone, "these are no dependencies any more");
}

/// Cargo takes a version as the oldest that is good enough, and builds the newest unless a lock file says otherwise: a
/// floor of only two numbers is one that nobody has tried.
#[test]
fn each_floor_is_a_version_that_was_tried() {
    let mut vague = Vec::new();
    for manifest in MANIFESTS {
        for Asked { name, floor, .. } in asked(&text(manifest)) {
            let floor = floor.filter(|floor| floor.split('.').count() != 3);
            vague.extend(floor.map(|floor| format!("{manifest}: {name} = {floor:?}")));
        }
    }
    none(&vague, "these floors are not whole; `.ci/run floors` tells whether one builds");
}
