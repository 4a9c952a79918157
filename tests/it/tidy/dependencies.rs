//! The features of its dependencies that the library turns on. Cargo turns on a feature for the whole build if one crate
//! asks for it. So a feature can change what users measure: `serde_json/float_roundtrip` once made their parsing take
//! twice as long.

use std::collections::BTreeSet;
use std::process::Command;

use serde::Deserialize;

use super::none;

/// The packages that users build.
const PACKAGES: [&str; 2] = ["perf-budget", "perf-budget-core"];

/// Features that change neither the results nor the speed of code that works without them: they add functions, types, or
/// what a crate needs to work at all. A new feature is added here once this is known of it.
const HARMLESS: [(&str, &[&str]); 8] = [
    ("codespan-reporting", &["std"]),
    ("serde", &["derive"]),
    ("tokio", &["rt", "time"]),
    ("toml", &["std", "parse"]),
    // These are features of the engine alone: nobody uses it without knowing.
    ("wasmi", &["memory64", "portable-dispatch", "std", "validate"]),
    ("perf-budget-core", &[]),
    ("libc", &[]),
    // Declarations of system calls, and nothing that runs.
    (
        "windows-sys",
        &[
            "Win32_Foundation",
            "Win32_Security",
            "Win32_System_Diagnostics_ToolHelp",
            "Win32_System_JobObjects",
            "Win32_System_ProcessStatus",
            "Win32_System_Threading",
        ],
    ),
];

/// Crates whose default features are on, each with the reason why that changes nothing for users.
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

/// The parts of cargo's description of this workspace that these tests need.
#[derive(Deserialize)]
struct WireWorkspace {
    packages: Vec<WirePackage>,
}

#[derive(Deserialize)]
struct WirePackage {
    name: String,
    dependencies: Vec<WireDependency>,
}

#[derive(Deserialize)]
struct WireDependency {
    name: String,
    req: String,
    /// `dev` or `build`; `None` where it is an ordinary one.
    kind: Option<String>,
    features: Vec<String>,
    uses_default_features: bool,
    /// Where it is a part of this repository.
    path: Option<String>,
}

/// The packages that users build, each with the dependencies that come with it.
fn packages() -> Vec<WirePackage> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let workspace: WireWorkspace = serde_json::from_slice(&output.stdout).unwrap();
    let mut packages = workspace.packages;
    packages.retain(|package| PACKAGES.contains(&package.name.as_str()));
    assert_eq!(packages.len(), PACKAGES.len(), "a package is not in this workspace any more");
    for package in &mut packages {
        package.dependencies.retain(|one| one.kind.as_deref() != Some("dev"));
        assert!(package.dependencies.len() > 4, "{} has few dependencies", package.name);
    }
    packages
}

#[test]
fn no_feature_of_a_dependency_changes_what_users_measure() {
    let mut odd = Vec::new();
    let mut known = BTreeSet::new();
    for package in packages() {
        let package_asks = format!("{} asks", package.name);
        for one in package.dependencies {
            let name = one.name;
            let allowed = HARMLESS.iter().find(|row| row.0 == name).map_or(&[][..], |row| row.1);
            for feature in one.features.iter().filter(|own| !allowed.contains(&own.as_str())) {
                odd.push(format!("{package_asks} `{name}` for the feature `{feature}`"));
            }
            let is_foreign = one.path.is_none();
            let is_known = DEFAULTS.iter().any(|row| row.0 == name);
            if one.uses_default_features && is_foreign && !is_known {
                odd.push(format!("{package_asks} `{name}` for its default features"));
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
    none(&gone, "these are listed and are not dependencies");
}

/// Cargo takes the version in a manifest as the oldest that will do, and builds the newest one unless a lock says
/// otherwise. A version of two numbers names no release, so nobody has tried it.
#[test]
fn each_floor_is_a_version_that_was_tried() {
    let mut vague = Vec::new();
    for package in packages() {
        for one in package.dependencies.iter().filter(|one| one.path.is_none()) {
            let oldest = one.req.split(',').next().unwrap_or_default();
            let oldest = oldest.trim_start_matches(['^', '>', '=', ' ']);
            if oldest.split('.').count() != 3 {
                vague.push(format!("{}: {} = {:?}", package.name, one.name, one.req));
            }
        }
    }
    none(
        &vague,
        "these oldest versions do not have three numbers; `.ci/run floors` tells whether one builds",
    );
}
