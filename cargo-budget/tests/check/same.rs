//! What did not change is proven and not measured; what may have is measured. One crate with a workspace, changed in
//! each way that matters and put back.

use std::fs;

use perf_budget_core::outcome::By;
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

/// A library whose build reads a file beside it, and whose documentation is its read-me.
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

/// What a check makes of both workloads.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Want {
    /// Equal by files, and the base is not built.
    Files,
    /// Equal by the sections of the binaries.
    Sections,
    /// Measured, and it holds.
    Measured,
}

struct Changed(Crate);

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
        write("LICENSE-MIT", "");
        write("unchanged.txt", "read at run time");
        write("art/logo.svg", "<svg/>");
        let manifest = fs::read_to_string(made.0.path("Cargo.toml")).unwrap();
        let members = "[workspace]\nmembers = [\"other\"]\n";
        write("Cargo.toml", &manifest.replace("[workspace]\n", members));
        write(
            "other/Cargo.toml",
            "[package]\nname = \"other\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
        );
        write("other/src/lib.rs", "");
        made.git(&["init", "-q"]);
        // The lock with the crate's own packages in it.
        assert_eq!(made.check(&[]).code, 0);
        made.commit("one");
        Changed(made)
    }

    /// Writes files, compares, and puts everything back.
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
            Want::Files => Some(By::Files),
            Want::Sections => Some(By::Sections),
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
fn what_did_not_change_is_not_measured() {
    let made = Changed::new();
    let commit = made.0.git(&["rev-parse", "HEAD"]);

    // Nothing; documentation, what is declared, other packages, tests of other targets: nothing is built.
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
        ],
        Want::Files,
    );

    // The read-me is compiled into the documentation, which is in no binary.
    let included = made.check(&[("README.md", "# A crate, explained\n")], Want::Measured);
    assert!(
        included.text.contains("`README.md` has changed, which is compiled"),
        "{}",
        included.text
    );

    // One that comes where others are compiled as they are may be listed with them.
    made.check(&[("NEW.md", "# Another\n")], Want::Sections);

    // Comments move the lines that panics name, and nothing else.
    let moved = LIBRARY.replace("/// So many.", "/// So many,\n///\n/// and so many lines.");
    let moved = made.check(&[("src/lib.rs", &moved)], Want::Sections);
    let words = format!("it runs the same machine code as at {}", &commit[..12]);
    assert_eq!(moved.outcomes[0].reason, words);
    // A function that nobody calls is in no binary.
    made.check(
        &[("src/lib.rs", &format!("{LIBRARY}\nfn _unused() -> u32 {{\n    7\n}}\n"))],
        Want::Sections,
    );

    // One more instruction, and one letter of a text that is printed.
    made.check(
        &[("src/lib.rs", &LIBRARY.replace("+ given", "+ given * 2.0 - 1.0"))],
        Want::Measured,
    );
    let text = made
        .check(&[("src/lib.rs", &LIBRARY.replace("is a program", "is_a program"))], Want::Measured);
    assert!(text.text.contains("the test binaries differ"), "{}", text.text);

    // What a build script reads, and what a workload may.
    made.check(&[("built.txt", "101\n")], Want::Measured);
    let data = made.check(&[("unchanged.txt", "read at run Time")], Want::Measured);
    assert!(data.text.contains("`unchanged.txt` has changed, which may be read at run time"));
    made.check(&[("more.txt", "of what is not in git")], Want::Measured);

    // The lock says which versions are built.
    let lock = made.text("Cargo.lock");
    let lock = lock.replacen("version = 4", "version = 3", 1);
    made.check(&[("Cargo.lock", &lock)], Want::Sections);

    // A limit that is edited is judged as it is now: the same code is no faster.
    let tighter =
        BUDGETS.replace("1.05 x base\" }\n\n[budget.read]", "0.9 x base\" }\n\n[budget.read]");
    made.0.0.write("budgets.toml", &tighter);
    let demanding = made.0.check(&["--base", "HEAD"]);
    demanding.is(1, &["steps is 1 x base, over the limit of 0.9 x base"]);
    demanding.verdict("read::bytes::x_base", Verdict::Pass);
    made.back();

    // What a change itself declares has no part in nothing yet.
    let declared = BUDGETS.replace("\"art/**\"", "\"art/**\", \"*.txt\"");
    made.check(
        &[("budgets.toml", &declared), ("unchanged.txt", "read at run Time")],
        Want::Measured,
    );

    // A path that git was told not to look at.
    made.0.git(&["update-index", "--assume-unchanged", "unchanged.txt"]);
    let hidden = made.0.check(&["--base", "HEAD"]);
    Changed::judged(&hidden, Want::Measured);
    hidden.is(0, &["git was told to ignore changes of `unchanged.txt`"]);
    made.0.git(&["update-index", "--no-assume-unchanged", "unchanged.txt"]);

    // What a command of the shell makes is not known; and everything is measured where that is asked for.
    let prepared = made.0.check(&["--base", "HEAD", "--prepare", "true"]);
    Changed::judged(&prepared, Want::Measured);
    let mut always = made.0.command(&["check", "--profile", "dev", "--base", "HEAD"]);
    let before = made.0.outcomes().len();
    let output = always.env("PERF_BUDGET_MEASURE", "always").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(made.0.outcomes()[before..].iter().all(|outcome| outcome.proven.is_none()));
    let mut never = made.0.command(&["check", "--profile", "dev", "--base", "HEAD"]);
    let output = never.env("PERF_BUDGET_MEASURE", "never").output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{output:?}");

    // A source that names a document reads it.
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
