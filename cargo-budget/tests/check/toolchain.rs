//! Tests of `bisect --toolchain` on a crate whose value depends on its toolchain. A script stands in for rustup and for
//! the programs that rustup puts on the search path, since each real toolchain would build every dependency anew.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::made::{self, Made};
use crate::{Crate, Run, schemas, share_base};

const TESTS: &str = r#"
fn main() -> std::process::ExitCode {
    perf_budget::Harness::new().workload("counts", |run| run.record("large", toolchains::LARGE)).main()
}
"#;

/// Writes the value that the toolchain of this build makes.
const BUILD: &str = r#"
fn main() {
    println!("cargo::rerun-if-env-changed=RUSTUP_TOOLCHAIN");
    let value = match std::env::var("RUSTUP_TOOLCHAIN").as_deref() {
        Ok("1.80") => "100.0",
        Ok("1.81") => "100.5",
        Ok("1.82" | "stable") => "120.0",
        other => panic!("not one of the toolchains: {other:?}"),
    };
    let out = std::env::var("OUT_DIR").unwrap();
    std::fs::write(out + "/large", value).unwrap();
}
"#;

const LIBRARY: &str =
    "/// So many.\npub const LARGE: f64 = include!(concat!(env!(\"OUT_DIR\"), \"/large\"));\n";

/// Does what rustup, and its `cargo` and `rustc`, do: they take the toolchain that a variable names, or else the nearest file.
/// The compiler is the same for all, so that what one toolchain has built another one need not build again.
const PROXIES: &str = r#"#!/bin/sh
version() {
    case $1 in
    1.8*) release=${1%%-*}.0 ;;
    stable*) release=1.83.0 ;;
    *) return 1 ;;
    esac
    echo "release: $release"
    echo "commit-hash: hash-of-$release"
    echo "commit-date: 2024-01-01"
    echo "host: some-known-linux-host"
}
at=$PWD
while [ "$at" != / ] && ! [ -f "$at/rust-toolchain.toml" ]; do at=$(dirname "$at"); done
file=$(sed -n 's/^channel = "\(.*\)"$/\1/p' "$at/rust-toolchain.toml" 2>/dev/null)
chosen=${RUSTUP_TOOLCHAIN:-${file:-stable}}
case "${0##*/} $*" in
"rustup toolchain list")
    for name in 1.80 1.81 1.82 broken; do echo "$name-some-known-linux-host"; done
    echo "stable-some-known-linux-host (active, default)"
    ;;
"rustup show active-toolchain") echo "stable-some-known-linux-host (default)" ;;
"rustup run "*" rustc -vV") version "$2" ;;
"rustc -vV") version "$chosen" ;;
"cargo "*)
    export RUSTUP_TOOLCHAIN="$chosen" RUSTC="REAL/rustc"
    exec "OWN_CARGO" "$@"
    ;;
*)
    echo "no such call: ${0##*/} $*" >&2
    exit 1
    ;;
esac
"#;

/// A crate, and the folder with the programs that stand in for those of rustup.
struct Toolchains(Crate, PathBuf);

impl Toolchains {
    fn new() -> Toolchains {
        let limits = "[budget.counts]\nworkload = \"counts\"\nmax.large = \"1.01 x base\"\n";
        let made = Crate(Made::new("toolchains", TESTS, limits));
        made.0.write(".gitignore", "target\nresults\n");
        made.0.write("build.rs", BUILD);
        made.0.write("src/lib.rs", LIBRARY);
        let sysroot = made.0.command("rustc").args(["--print", "sysroot"]).output().unwrap();
        let real = Path::new(String::from_utf8(sysroot.stdout).unwrap().trim()).join("bin");
        let script = PROXIES.replace("REAL", real.to_str().unwrap());
        let script = script.replace("OWN_CARGO", env!("CARGO"));
        made.0.write("results/path/rustup", &script);
        let programs = made.0.path("results/path");
        let script = programs.join("rustup");
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["cargo", "rustc"] {
            symlink(&script, programs.join(name)).unwrap();
        }
        // This completes the lock file with the crate's own package.
        let described = made.0.command("cargo").args(["metadata", "--format-version=1"]).output();
        assert!(described.unwrap().status.success());
        made.git(&["init", "-q"]);
        made.commit("one");
        share_base(&made.0.path("results/bisect/results"));
        fs::create_dir_all(made::shared().join("head")).unwrap();
        symlink(made::shared().join("head"), made.0.path("results/bisect/target")).unwrap();
        Toolchains(made, programs)
    }

    fn search(&self, toolchains: &str, more: &[&str]) -> Run {
        let toolchains = format!("--toolchain={toolchains}");
        let arguments = [&["bisect", "counts", "--profile=dev", &toolchains], more].concat();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let places = std::iter::once(self.1.clone()).chain(std::env::split_paths(&path));
        let mut command = self.0.command(&arguments);
        let output = command.env("PATH", std::env::join_paths(places).unwrap()).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Run {
            code: output.status.code().unwrap(),
            out: text(&output.stdout),
            text: text(&output.stderr) + &text(&output.stdout),
            outcomes: Vec::new(),
        }
    }
}

/// There are four toolchains, the third of which makes the limit red. A fifth one does not run, and is left out.
#[test]
fn the_toolchain_is_found_that_made_a_limit_red() {
    let made = Toolchains::new();
    for (toolchains, more, code, text) in [
        (
            "1.2..stable",
            &[][..],
            2,
            "the toolchain `1.2` is not installed; those that are installed are `1.80`, `1.81`, ",
        ),
        ("1.2..stable", &[], 2, "`rustup toolchain install 1.2` installs it"),
        (
            "1.80..broken",
            &[],
            3,
            "the toolchain `broken-some-known-linux-host` is installed, but its rustc does not run",
        ),
        ("stable", &[], 2, "`stable` is not two toolchains; write 1.89..stable"),
        ("stable..stable", &[], 2, "are the same rustc 1.83.0"),
        ("1.80..1.81", &["--lock"], 2, "cannot be used with"),
    ] {
        made.search(toolchains, more).is(code, &[text]);
    }
    let run = made.search("1.80..stable", &["--format=json"]);
    run.is(0, &[]);
    let found = run.json();
    schemas::holds("bisect", &found);
    assert_eq!((&found["result"], &found["searched"]), (&"found".into(), &"toolchains".into()));
    assert_eq!(found["first"], "1.82 (rustc 1.82.0)", "{}", run.text);
    let value = found["against_good"]["estimate"]["value"].as_f64().unwrap();
    assert!((value - 1.2).abs() < 1e-9, "{}", run.text);
    // Nothing of the user's was touched.
    assert_eq!(made.0.git(&["worktree", "list"]).lines().count(), 1);
    assert_eq!(made.0.git(&["status", "--porcelain", "-uall"]), "");
    assert_eq!(made.0.git(&["log", "--all", "--oneline"]).lines().count(), 1);
}

/// What the script stands in for: the real one lists and describes its toolchains in the same way.
#[test]
fn rustups_own_list_is_understood() {
    let mut rustup = Command::new("rustup");
    rustup.args(["run", "stable", "rustc", "-V"]).env("RUSTUP_AUTO_INSTALL", "0");
    if !rustup.output().is_ok_and(|output| output.status.success()) {
        let _ = writeln!(std::io::stderr(), "skipped: rustup has no toolchain `stable` here");
        return;
    }
    let made = Crate::new("listed");
    for (toolchains, text) in [
        ("--toolchain=stable..stable", "are the same rustc 1."),
        ("--toolchain=1.2..stable", "`rustup toolchain install 1.2` installs it"),
    ] {
        made.run(&["bisect", "steps::steps", toolchains]).is(2, &[text]);
    }
}
