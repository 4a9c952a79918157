//! Asking cargo: which binaries there are, and to build one as this test was built.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use perf_budget_core::handover::Handover;
use perf_budget_core::outcome::{Cause, Unmeasured};
use serde::Deserialize;

use crate::exec::{self, Finished, Launch};

/// Building is not measured, and a large workspace takes its time.
const PATIENCE: Duration = Duration::from_secs(60 * 60);

/// What `cargo metadata` says, as far as it matters.
#[derive(Deserialize)]
struct WireWorkspace {
    packages: Vec<WirePackage>,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct WirePackage {
    id: String,
    targets: Vec<WireTarget>,
}

#[derive(Deserialize)]
struct WireTarget {
    name: String,
    kind: Vec<String>,
}

/// One line of `cargo build --message-format=json`: of an artifact, as far as it matters.
#[derive(Deserialize)]
struct WireMessage {
    reason: String,
    target: Option<WireTarget>,
    executable: Option<PathBuf>,
}

/// How a binary is built.
#[derive(Debug, PartialEq, Eq)]
struct Build {
    profile: String,
    triple: Option<String>,
    target_dir: PathBuf,
}

/// Builds the binary `name` of the workspace that `dir` is in, as the program `like` was built, and
/// gives its path. `of` says whose it is.
pub(super) fn build(name: &str, dir: &Path, like: &Path, of: Of) -> Result<PathBuf, Unmeasured> {
    let environment = of.environment()?;
    let workspace = workspace(dir, name, &environment)?;
    let has = |package: &&WirePackage| binaries(package).any(|binary| binary == name);
    let Some(package) = workspace.packages.iter().find(has) else {
        return Err(absent(name, &workspace));
    };
    let build = Build::of(like, &workspace.target_directory);
    let mut args = vec!["build", "--package", &package.id, "--bin", name];
    args.extend_from_slice(&["--message-format", "json-render-diagnostics"]);
    args.extend_from_slice(&["--profile", &build.profile]);
    if let Some(triple) = &build.triple {
        args.extend_from_slice(&["--target", triple]);
    }
    let mut args: Vec<OsString> = args.iter().map(OsString::from).collect();
    args.extend_from_slice(&["--target-dir".into(), build.target_dir.into()]);
    let done = cargo(args, dir, &environment, &format!("build the binary `{name}`"))?;
    // The binary is built last of all.
    let text = String::from_utf8_lossy(&done.stdout.tail);
    let messages =
        text.lines().rev().filter_map(|line| serde_json::from_str::<WireMessage>(line).ok());
    let path = messages
        .filter(|message| message.reason == "compiler-artifact")
        .filter(|message| message.target.as_ref().is_some_and(|t| t.name == name && is_binary(t)))
        .find_map(|message| message.executable);
    path.ok_or_else(|| {
        let text = format!("cargo built `{name}` and did not say where it is");
        Unmeasured::new(Cause::Harness, text)
    })
}

/// Whose binary is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// This revision's.
    Head,
    /// The base's.
    Base,
}

/// Variables that a build has otherwise than this process: their value, `None` where it is not to have them.
type Environment = BTreeMap<String, Option<String>>;

impl Of {
    /// This process runs within what this revision's toolchain and configuration set, and the base has its own.
    fn environment(self) -> Result<Environment, Unmeasured> {
        if self == Of::Head {
            return Ok(Environment::new());
        }
        let handover = Handover::from_env(|name| std::env::var_os(name))
            .map_err(|e| Unmeasured::new(Cause::Harness, e.to_string()))?;
        Ok(handover.unwrap_or_default().told.environment)
    }
}

impl Build {
    /// As the program `exe` was built: cargo puts a test in `TARGET_DIR[/TRIPLE]/PROFILE/deps`.
    fn of(exe: &Path, target_dir: &Path) -> Build {
        let mut above = exe.ancestors().skip_while(|dir| !dir.ends_with("deps")).skip(1);
        let unknown = || Build {
            profile: if cfg!(debug_assertions) { "dev" } else { "release" }.to_owned(),
            triple: None,
            target_dir: target_dir.to_owned(),
        };
        let Some((profile, place)) = above.next().zip(above.next()) else { return unknown() };
        let Some(profile) = profile.file_name().and_then(|name| name.to_str()) else {
            return unknown();
        };
        // The directory `debug` is the profile `dev` (and `test`, which inherits it).
        let profile = if profile == "debug" { "dev" } else { profile }.to_owned();
        if place.parent() == Some(target_dir) {
            let triple = place.file_name().and_then(|name| name.to_str()).map(ToOwned::to_owned);
            return Build { profile, triple, target_dir: target_dir.to_owned() };
        }
        Build { profile, triple: None, target_dir: place.to_owned() }
    }
}

fn workspace(
    dir: &Path,
    name: &str,
    environment: &Environment,
) -> Result<WireWorkspace, Unmeasured> {
    let args = ["metadata", "--no-deps", "--format-version", "1"];
    let args = args.iter().map(OsString::from).collect();
    let done = cargo(args, dir, environment, &format!("find the binary `{name}`"))?;
    serde_json::from_slice(&done.stdout.tail).map_err(|e| {
        let text =
            format!("failed to find the binary `{name}`: cargo metadata is not understood: {e}");
        Unmeasured::new(Cause::Harness, text)
    })
}

fn cargo(
    args: Vec<OsString>,
    dir: &Path,
    environment: &Environment,
    aim: &str,
) -> Result<Finished, Unmeasured> {
    let own = || std::env::var_os("CARGO");
    let program = environment.get("CARGO").map_or_else(own, |set| set.clone().map(Into::into));
    let mut launch = Launch::new(program.unwrap_or_else(|| "cargo".into()));
    for (name, value) in environment {
        match value {
            Some(value) => launch.env.push((name.into(), value.into())),
            None => launch.without.push(name.into()),
        }
    }
    launch.args = args;
    launch.dir = (!dir.as_os_str().is_empty()).then(|| dir.to_owned());
    // All of its answer is needed, not only the end.
    launch.keep = 32 << 20;
    let done = exec::run(&launch, PATIENCE)?;
    if done.code == 0 {
        return Ok(done);
    }
    let text = format!("failed to {aim}: cargo ended with exit code {}", done.code);
    Err(Unmeasured { cause: Cause::NotFound, text, output: done.stderr.text() })
}

fn binaries(package: &WirePackage) -> impl Iterator<Item = &str> {
    package.targets.iter().filter(|target| is_binary(target)).map(|target| target.name.as_str())
}

fn is_binary(target: &WireTarget) -> bool {
    target.kind.iter().any(|kind| kind == "bin")
}

fn absent(name: &str, workspace: &WireWorkspace) -> Unmeasured {
    let mut there: Vec<_> = workspace.packages.iter().flat_map(binaries).collect();
    there.sort_unstable();
    let hint = if there.is_empty() {
        "it has none".to_owned()
    } else {
        format!("it has {}", there.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", "))
    };
    let text = format!("no binary is named `{name}` in this workspace; {hint}");
    Unmeasured::new(Cause::NotFound, text)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn check(exe: &str, profile: &str, triple: Option<&str>, target_dir: &str) {
        let build = Build {
            profile: profile.to_owned(),
            triple: triple.map(ToOwned::to_owned),
            target_dir: target_dir.into(),
        };
        assert_eq!(Build::of(Path::new(exe), Path::new("/w/target")), build, "{exe}");
    }

    #[test]
    fn a_binary_is_built_as_the_test_was() {
        check("/w/target/debug/deps/t-1", "dev", None, "/w/target");
        check("/w/target/release/deps/t-1", "release", None, "/w/target");
        check("/w/target/fast/deps/t-1", "fast", None, "/w/target");
        let triple = "aarch64-unknown-linux-gnu";
        check(
            &format!("/w/target/{triple}/release/deps/t-1"),
            "release",
            Some(triple),
            "/w/target",
        );
        check("/elsewhere/release/deps/t-1", "release", None, "/elsewhere");
        // One of several links of the base's, which must not be built over this revision's.
        check("/elsewhere/release/deps/layouts/base/t-1", "release", None, "/elsewhere");
        let own = if cfg!(debug_assertions) { "dev" } else { "release" };
        check("/moved/t-1", own, None, "/w/target");
    }

    /// The program `env` in cargo's place says what reached it.
    #[cfg(unix)]
    #[test]
    fn a_build_of_the_base_has_the_bases_environment() {
        let told = "{\"CARGO\": \"env\", \"HOME\": null, \"BASES_OWN\": \"1\"}";
        let environment: Environment = serde_json::from_str(told).unwrap();
        let done = cargo(vec![], Path::new("."), &environment, "list variables").unwrap();
        let listed = String::from_utf8(done.stdout.tail).unwrap();
        let has = |start: &str| listed.lines().any(|line| line.starts_with(start));
        assert!(has("BASES_OWN=1") && has("PATH=") && !has("HOME="), "{listed}");
    }

    #[test]
    fn cargo_builds_or_says_why_not() {
        let dir = std::env::temp_dir().join(format!("perf-budget-cargo-{}", std::process::id()));
        let file = |path: &str, text: &str| {
            let path = dir.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let manifest = "[package]\nname = \"two-bins\"\nedition = \"2021\"\n[workspace]\n";
        file("Cargo.toml", manifest);
        file("src/bin/good.rs", "fn main() { std::process::exit(cfg!(debug_assertions) as i32) }");
        file("src/bin/bad.rs", "fn main() { oops }");
        let built = |name, profile: &str| {
            let like = dir.join("target").join(profile).join("deps/test-1");
            build(name, &dir, &like, Of::Head).map_err(|reason| reason.to_string())
        };
        for (profile, debug) in [("debug", 1), ("release", 0)] {
            let path = built("good", profile).unwrap();
            assert!(path.starts_with(dir.join("target").join(profile)), "{}", path.display());
            let done = exec::run(&Launch::new(path), Duration::from_secs(60)).unwrap();
            assert_eq!(done.code, debug);
        }
        let reason = built("bad", "debug").unwrap_err();
        assert!(reason.contains("failed to build the binary `bad`"), "{reason}");
        assert!(reason.contains("cannot find value `oops`"), "{reason}");
        let reason = built("none", "debug").unwrap_err();
        assert!(reason.ends_with("`none` in this workspace; it has `bad`, `good`"), "{reason}");
        fs::remove_dir_all(&dir).unwrap();
    }
}
