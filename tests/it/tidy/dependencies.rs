//! What the library asks of its dependencies: cargo gives a feature that one crate asks for to all of the build, so
//! that it would change what users measure. `serde_json/float_roundtrip`, asked for once, made their parsing twice as
//! slow.

use std::collections::BTreeSet;

use super::{none, text};

/// Manifests of what users build.
const MANIFESTS: [&str; 2] = ["Cargo.toml", "core/Cargo.toml"];

/// Features that change no result and no speed of what has them already: they add functions, types, or what a crate
/// needs to work at all. A new one is written here once that is known of it.
const HARMLESS: [(&str, &[&str]); 7] = [
    ("codespan-reporting", &["std"]),
    ("serde", &["derive"]),
    ("tokio", &["rt", "time"]),
    ("toml", &["std", "parse"]),
    // The engine's own: nobody measures another program in it unknowingly.
    ("wasmi", &["memory64", "portable-dispatch", "std", "validate"]),
    ("perf-budget-core", &[]),
    ("libc", &[]),
];

/// Crates whose default features are asked for, each with why that changes nothing for others.
const DEFAULTS: [(&str, &str); 9] = [
    ("brotli", "`std` and the allocator that comes with it"),
    ("flate2", "its backend is written in Rust, and whoever asks for another one gets that"),
    ("glob", "it has none"),
    ("libc", "`std` alone"),
    ("libtest-mimic", "it has none"),
    ("memory-stats", "it has none"),
    ("miniz_oxide", "`with-alloc` alone"),
    ("serde", "`std` alone"),
    ("serde_json", "`std` alone"),
];

/// A dependency of a manifest.
struct Asked {
    name: String,
    /// The oldest version that it may be; `None` where it is a part of this repository.
    floor: Option<String>,
    features: Vec<String>,
    has_defaults: bool,
}

/// What stands under the headings of dependencies that users build too.
fn asked(manifest: &str) -> Vec<Asked> {
    let mut found = Vec::new();
    let mut is_built = false;
    for line in manifest.lines() {
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
        let quoted =
            |list: &str| list.split(',').map(|f| f.trim().trim_matches('"').to_owned()).collect();
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

/// Cargo takes a version for the oldest that will do, and builds the newest where no lock says otherwise: a floor of two
/// numbers is one that nobody has tried.
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
