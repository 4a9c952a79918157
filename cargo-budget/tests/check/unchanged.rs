//! Tests that what has not changed is proven and not measured, and that everything else is measured. One crate with a
//! workspace is changed in each way that matters and then put back.

use std::fs;

use perf_budget_core::outcome::ComparisonMethod;
use perf_budget_core::verdict::Verdict;

use crate::made::Made;
use crate::{Crate, Run};

const TESTS: &str = r#"
fn main() -> std::process::ExitCode {
    perf_budget::Harness::new()
        .workload("steps", |run| run.record("steps", unchanged::steps()))
        .workload("read", |run| {
            let text = std::fs::read_to_string(concat!(env!("CARGO_PKG_NAME"), ".txt"))?;
            run.record("bytes", text.len() as f64)
        })
        .main()
}
"#;

const BUDGETS: &str = r#"
[settings]
inert = ["art/**"]

[budget.steps]
workload = "steps"
max = { steps = "1.05 x base" }

[budget.read]
workload = "read"
max = { bytes = "1.05 x base" }
"#;

/// A library whose build script reads a file, and whose documentation includes `README.md`.
const LIBRARY: &str = r#"#![doc = include_str!("../README.md")]

/// So many.
pub fn steps() -> f64 {
    let built: f64 = env!("BUILT").parse().unwrap();
    let given = std::env::args().count() as f64;
    assert!(given > 0.0, "there is a program");
    Some(built).filter(|built| *built > 0.0).expect("it was built") + given
}
"#;

const SCRIPT: &str = r#"fn main() {
    println!("cargo::rerun-if-changed=built.txt");
    println!("cargo::rustc-env=BUILT={}", std::fs::read_to_string("built.txt").unwrap().trim());
}
"#;

/// The expected result of a check for both workloads.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Want {
    /// They are proven equal by files, and the base is not built.
    Files,
    /// They are proven equal by the sections of the binaries.
    Sections,
    /// They are measured, and their limits hold.
    Measured,
}

struct Changed(Crate);

impl Crate {
    /// Adds the package `other`, which nothing uses, to the workspace, and commits all as the first commit of a repository.
    pub(crate) fn commit_beside_another_package(&self) {
        let manifest = fs::read_to_string(self.0.path("Cargo.toml")).unwrap();
        let members = "[workspace]\nmembers = [\"other\"]\n";
        self.0.write("Cargo.toml", &manifest.replace("[workspace]\n", members));
        self.0.write(
            "other/Cargo.toml",
            "[package]\nname = \"other\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
        );
        self.0.write("other/src/lib.rs", "");
        self.git(&["init", "-q"]);
        // This run completes the lock file with the crate's own packages.
        assert_eq!(self.check(&[]).code, 0);
        self.commit("one");
    }
}

impl Changed {
    fn new() -> Changed {
        let made = Crate(Made::new("unchanged", TESTS, BUDGETS));
        let write = |name: &str, text: &str| made.0.write(name, text);
        write(".gitignore", "target\nresults\n");
        write("src/lib.rs", LIBRARY);
        write("build.rs", SCRIPT);
        write("built.txt", "100\n");
        write("README.md", "# A crate\n");
        write("GUIDE.md", "How to use it.\n");
        write("clippy.toml", "msrv = \"1.88\"\n");
        write("LICENSE-MIT", "");
        write("unchanged.txt", "read at run time");
        write("art/logo.svg", "<svg/>");
        made.commit_beside_another_package();
        Changed(made)
    }

    /// Writes files, compares with HEAD, checks the result, and puts everything back.
    #[track_caller]
    fn check(&self, files: &[(&str, &str)], want: Want) -> Run {
        for (name, text) in files {
            self.0.0.write(name, text);
        }
        let run = self.0.check(&["--base", "HEAD"]);
        Changed::judged(&run, want);
        self.back();
        run
    }

    #[track_caller]
    fn judged(run: &Run, want: Want) {
        run.is(0, &[]);
        run.verdict("steps::steps::x_base", Verdict::Pass)
            .verdict("read::bytes::x_base", Verdict::Pass);
        let by = match want {
            Want::Files => Some(ComparisonMethod::Files),
            Want::Sections => Some(ComparisonMethod::Sections),
            Want::Measured => None,
        };
        for outcome in &run.outcomes {
            let got = outcome.proven.as_ref().map(|proven| proven.by);
            assert_eq!(got, by, "{}: {}", outcome.test, run.text);
            assert_eq!(outcome.estimate.is_none(), by.is_some());
        }
        let is_built = run.text.contains("building ") && !run.text.contains("so it is not built");
        assert_eq!(is_built, want != Want::Files, "{}", run.text);
        let is_counted = run.text.contains("2 pass (2 proven equal, not measured)");
        assert_eq!(is_counted, by.is_some(), "{}", run.text);
    }

    fn back(&self) {
        self.0.git(&["reset", "-q", "--hard", "HEAD"]);
        self.0.git(&["clean", "-q", "-fd", "-e", "results"]);
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.0.0.path(name)).unwrap()
    }
}

#[test]
fn unchanged_code_is_not_measured() {
    let made = Changed::new();
    let commit = made.0.git(&["rev-parse", "HEAD"]);

    // Nothing is built where nothing changed, or only documentation, declared files, other packages and other test targets.
    let none = made.check(&[], Want::Files);
    let words = format!("nothing that it runs has changed since {}", &commit[..12]);
    assert_eq!(none.outcomes[0].reason, words);
    made.check(
        &[
            ("GUIDE.md", "More of it.\n"),
            ("LICENSE-MIT", "free"),
            (".github/workflows/ci.yml", "on: push\n"),
            ("art/logo.svg", "<svg></svg>"),
            ("other/src/lib.rs", "pub fn more() {}\n"),
            ("tests/unit.rs", "#[test]\nfn holds() {}\n"),
            // These are for tools alone.
            (".gitignore", "target\nresults\n*.orig\n"),
            ("clippy.toml", "msrv = \"1.89\"\n"),
            ("ci/run.sh", "cargo test\n"),
        ],
        Want::Files,
    );

    // `README.md` is compiled into the documentation, so it counts as used by files, and is not in the binaries.
    let included = made.check(&[("README.md", "# A crate, explained\n")], Want::Sections);
    assert!(
        included.text.contains("`README.md` has changed, which is compiled"),
        "{}",
        included.text
    );

    // A new file beside a data file that is compiled may be read by a macro that lists the directory.
    made.check(&[("NEW.md", "# Another\n")], Want::Sections);

    // Additional comments change only the line numbers that panics report.
    let moved = LIBRARY.replace("/// So many.", "/// So many,\n///\n/// and so many lines.");
    let moved = made.check(&[("src/lib.rs", &moved)], Want::Sections);
    let words = format!("it runs the same machine code as at {}", &commit[..12]);
    assert_eq!(moved.outcomes[0].reason, words);
    // A function that is never called is not in the binary.
    made.check(
        &[("src/lib.rs", &format!("{LIBRARY}\nfn _unused() -> u32 {{\n    7\n}}\n"))],
        Want::Sections,
    );

    // One more instruction, or one different letter in a message, is a difference.
    made.check(
        &[("src/lib.rs", &LIBRARY.replace("+ given", "+ given * 2.0 - 1.0"))],
        Want::Measured,
    );
    let text = made
        .check(&[("src/lib.rs", &LIBRARY.replace("is a program", "is_a program"))], Want::Measured);
    assert!(text.text.contains("the test binaries differ"), "{}", text.text);

    // A file that the build script reads is used, and a file that a workload may read counts as used.
    made.check(&[("built.txt", "101\n")], Want::Measured);
    let data = made.check(&[("unchanged.txt", "read at run Time")], Want::Measured);
    assert!(data.text.contains("`unchanged.txt` has changed, which may be read at run time"));
    made.check(&[("more.txt", "of what is not in git")], Want::Measured);

    // The lock file determines which versions are built, so the base is built; the binaries are then the same.
    let lock = made.text("Cargo.lock");
    let lock = lock.replacen("version = 4", "version = 3", 1);
    made.check(&[("Cargo.lock", &lock)], Want::Sections);

    // A limit that was edited is judged in its new form: the same code is not faster.
    let tighter =
        BUDGETS.replace("1.05 x base\" }\n\n[budget.read]", "0.9 x base\" }\n\n[budget.read]");
    made.0.0.write("budgets.toml", &tighter);
    let demanding = made.0.check(&["--base", "HEAD"]);
    demanding.is(1, &["steps is 1 x base, over the limit of 0.9 x base"]);
    demanding.verdict("read::bytes::x_base", Verdict::Pass);
    // A red names the file that its program may have read.
    made.0.0.write("unchanged.txt", "read at run Time");
    let read = made.0.check(&["--base", "HEAD"]);
    read.is(1, &["changed    unchanged.txt, which may be read at run time"]);
    made.back();

    // A change cannot exempt itself: a pattern that the base does not have has no effect.
    let declared = BUDGETS.replace("\"art/**\"", "\"art/**\", \"*.txt\"");
    made.check(
        &[("budgets.toml", &declared), ("unchanged.txt", "read at run Time")],
        Want::Measured,
    );

    // Git was told to ignore changes of a file, so nothing is proven.
    made.0.git(&["update-index", "--assume-unchanged", "unchanged.txt"]);
    let hidden = made.0.check(&["--base", "HEAD"]);
    Changed::judged(&hidden, Want::Measured);
    hidden.is(0, &["git was told to ignore changes of `unchanged.txt`"]);
    made.0.git(&["update-index", "--no-assume-unchanged", "unchanged.txt"]);

    // A shell command may make anything, so nothing is proven beside it. The variable makes everything measured.
    let prepared = made.0.check(&["--base", "HEAD", "--prepare", "true"]);
    Changed::judged(&prepared, Want::Measured);
    prepared.is(0, &["nothing is proven to be equal: what `--prepare` makes may differ"]);
    let mut always = made.0.command(&["check", "--profile", "dev", "--base", "HEAD"]);
    let before = made.0.outcomes().len();
    let output = always.env("PERF_BUDGET_MEASURE", "always").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(made.0.outcomes()[before..].iter().all(|outcome| outcome.proven.is_none()));
    let mut never = made.0.command(&["check", "--profile", "dev", "--base", "HEAD"]);
    let output = never.env("PERF_BUDGET_MEASURE", "never").output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{output:?}");

    // A tool's file counts as used where the build script names it, though it is not read when the tests run.
    let script =
        SCRIPT.replace("fn main() {", "fn main() {\n    let _ = std::fs::read(\"clippy.toml\");");
    made.0.0.write("build.rs", &script);
    made.0.commit("reads a tool's file");
    let used = made.check(&[("clippy.toml", "msrv = \"1.89\"\n")], Want::Measured);
    assert!(
        used.text.contains("`clippy.toml` has changed, which `build.rs` names"),
        "{}",
        used.text
    );

    // A document that a source names counts as used.
    let reads = "given > 0.0 && std::path::Path::new(\"GUIDE.md\").exists(),";
    made.0.0.write("src/lib.rs", &LIBRARY.replace("given > 0.0,", reads));
    made.0.commit("reads its guide");
    let named = made.check(&[("GUIDE.md", "Another.\n")], Want::Measured);
    assert!(
        named.text.contains("`GUIDE.md` has changed, which `src/lib.rs` names"),
        "{}",
        named.text
    );
}
