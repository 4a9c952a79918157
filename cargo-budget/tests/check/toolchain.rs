//! Tests of `bisect --toolchain`: a crate whose value is the version of its compiler.

use std::fs;
use std::io::Write as _;
use std::process::Command;

use crate::made::{self, Made};
use crate::{Crate, schemas, share_base};

const TESTS: &str = r#"
fn main() -> std::process::ExitCode {
    perf_budget::Harness::new()
        .workload("counts", |run| run.record("large", toolchains::MINOR))
        .main()
}
"#;

/// The value is the minor version of the compiler, so that of two toolchains the later one makes it red.
#[test]
fn the_toolchain_is_found_that_made_a_limit_red() {
    let versions = |name: &str| {
        let mut rustup = Command::new("rustup");
        rustup.args(["run", name, "rustc", "-V"]).env("RUSTUP_AUTO_INSTALL", "0");
        let output = rustup.output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let limits = "[budget.counts]\nworkload = \"counts\"\nmax.large = \"1.01 x base\"\n";
    let made = Crate(Made::new("toolchains", TESTS, limits));
    made.0.write(".gitignore", "target\nresults\n");
    made.0.write(
        "build.rs",
        "fn main() {\n    let rustc = std::process::Command::new(std::env::var_os(\"RUSTC\").unwrap()).arg(\"-V\").output().unwrap();\n    \
         let text = String::from_utf8(rustc.stdout).unwrap();\n    let minor = text.split('.').nth(1).unwrap();\n    \
         println!(\"cargo::rerun-if-changed=build.rs\");\n    \
         std::fs::write(std::env::var(\"OUT_DIR\").unwrap() + \"/minor\", format!(\"{minor}_f64\")).unwrap();\n}\n",
    );
    made.0.write(
        "src/lib.rs",
        "pub const MINOR: f64 = include!(concat!(env!(\"OUT_DIR\"), \"/minor\"));\n",
    );
    made.git(&["init", "-q"]);
    made.commit("one");
    for (arguments, code, text) in [
        (&["--toolchain=1.2..stable"][..], 2, "the toolchain `1.2` is not installed; "),
        (&["--toolchain=1.2..stable"], 2, "`rustup toolchain install 1.2` installs it"),
        (&["--toolchain=stable"], 2, "`stable` is not two toolchains; write 1.89..stable"),
        (&["--toolchain=stable..stable"], 2, "are the same rustc 1."),
        (&["--toolchain=a..b", "--lock"], 2, "cannot be used with"),
    ] {
        if versions("stable").is_some() {
            made.run(&[&["bisect", "counts"], arguments].concat()).is(code, &[text]);
        }
    }
    let differ = versions("1.89").zip(versions("stable")).is_some_and(|(old, new)| old != new);
    if !differ {
        let _ = writeln!(
            std::io::stderr(),
            "skipped: rustup has no two toolchains of different releases here, 1.89 and stable"
        );
        return;
    }
    share_base(&made.0.path("results/bisect/results"));
    fs::create_dir_all(made::shared().join("head")).unwrap();
    std::os::unix::fs::symlink(made::shared().join("head"), made.0.path("results/bisect/target"))
        .unwrap();
    let run = made.run(&[
        "bisect",
        "counts",
        "--profile=dev",
        "--toolchain=1.89..stable",
        "--format=json",
    ]);
    run.is(0, &[]);
    let found = run.json();
    schemas::holds("bisect", &found);
    assert_eq!((&found["result"], &found["searched"]), (&"found".into(), &"toolchains".into()));
    // The one that is found is the first after 1.89 that is installed here.
    let first = found["first"].as_str().unwrap();
    assert!(first.contains("1."), "{}", run.text);
    assert!(!first.starts_with("1.89"), "{}", run.text);
    let value = found["against_good"]["estimate"]["value"].as_f64().unwrap();
    assert!(value > 1.01, "{}", run.text);
    // Nothing of the user's was touched.
    assert_eq!(made.git(&["worktree", "list"]).lines().count(), 1);
    assert!(!made.0.path("rust-toolchain.toml").exists());
    assert_eq!(made.git(&["log", "--all", "--oneline"]).lines().count(), 1);
}
