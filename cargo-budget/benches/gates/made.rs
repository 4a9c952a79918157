//! The crate with the benchmarks, its changes, and the runs of the command in it.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use perf_budget_core::outcome::Outcome;
use perf_budget_core::record;

/// How many benchmarks each function has, one for each size.
const SIZES: [u32; 3] = [20, 60, 200];
/// Every so many functions one uses what is shared by a few: in 66 benchmarks of one program 15 do, and in 1700 of several
/// programs 60, so that each of 20 programs has one or two.
const EVERY: [usize; 2] = [5, 28];

const MANIFEST: &str = r#"[package]
name = "gated"
version = "0.1.0"
edition = "2024"

[lib]
bench = false

[dev-dependencies]
criterion = { version = "0.8", default-features = false, features = ["cargo_bench_support"] }

[workspace]
"#;

const LIBRARY: &str = "//! Functions with benchmarks.

/// What all functions execute.
#[inline(never)]
pub fn every(x: u64) -> u64 {
    x.rotate_left(7) ^ 0x9e37
}

/// What some functions execute.
#[inline(never)]
pub fn shared(x: u64) -> u64 {
    (0..10).fold(x, |sum, by| sum.wrapping_mul(31).rotate_right(3) ^ by)
}
";

/// A change of the crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// A text that nothing runs.
    Readme,
    /// The function that some benchmarks execute takes longer.
    Shared,
    /// The function that all benchmarks execute computes something else in the same time.
    Every,
}

/// The crate.
pub(crate) struct Made {
    place: tempfile::TempDir,
    count: usize,
    programs: usize,
}

impl Made {
    /// Makes the crate with so many benchmarks in so many programs, and commits it.
    pub(crate) fn new(count: usize, programs: usize) -> Made {
        let place = tempfile::tempdir().expect("a directory for the crate");
        let made = Made { place, count, programs };
        let mut manifest = MANIFEST.to_owned();
        for program in 0..programs {
            let _ = write!(manifest, "\n[[bench]]\nname = \"part_{program}\"\nharness = false\n");
            made.write(&format!("benches/part_{program}.rs"), &made.benches(program));
        }
        made.write("Cargo.toml", &manifest);
        made.write("src/lib.rs", &made.library());
        made.write("README.md", "A crate.\n");
        made.write(".gitignore", "target\nresults\n");
        let library = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository");
        fs::copy(library.join("Cargo.lock"), made.path("Cargo.lock")).expect("the lock is copied");
        made.git(&["init", "-q"]);
        // Cargo removes from the lock what the crate does not use.
        let metadata = made.program("cargo").args(["metadata", "--format-version", "1"]).output();
        assert!(metadata.is_ok_and(|output| output.status.success()), "cargo describes the crate");
        made.git(&["add", "-A"]);
        made.git(&["-c", "user.name=n", "-c", "user.email=n@n", "commit", "-q", "-m", "one"]);
        made
    }

    /// Returns the names of the benchmarks that execute what is shared by some.
    pub(crate) fn users_of_shared(&self) -> Vec<String> {
        let names = (0..self.count).filter(|nth| self.uses_shared(nth / SIZES.len()));
        names.map(name).collect()
    }

    /// Changes the crate as it was committed.
    pub(crate) fn apply(&self, change: Change) {
        self.write("README.md", "A crate.\n");
        let library = self.library();
        let library = match change {
            Change::Readme => {
                self.write("README.md", "A crate with benchmarks.\n");
                library
            }
            Change::Shared => library.replace("(0..10)", "(0..14)"),
            Change::Every => library.replace("rotate_left(7)", "rotate_left(9)"),
        };
        self.write("src/lib.rs", &library);
    }

    /// Has both revisions built, as they are compared. One benchmark is measured for that.
    pub(crate) fn built(&self, change: Change) {
        if change == Change::Readme {
            self.check(&[]);
        } else {
            self.check(&["--", "--exact", &format!("benches::{}::mean::x_base", name(0))]);
        }
    }

    /// Compares all benchmarks with the commit.
    pub(crate) fn gate(&self, arguments: &[&str]) -> Vec<Outcome> {
        self.check(arguments);
        record::read(&self.path("results/outcomes.jsonl")).unwrap_or_default().outcomes
    }

    /// Sets the record of the last run aside.
    pub(crate) fn record(&self, part: usize) -> PathBuf {
        let to = self.path(&format!("results/part-{part}.jsonl"));
        fs::copy(self.path("results/outcomes.jsonl"), &to).expect("there is a record");
        to
    }

    /// Joins the records of several parts.
    pub(crate) fn merged(&self, records: &[PathBuf]) -> String {
        let mut command = self.program(env!("CARGO_BIN_EXE_cargo-budget"));
        command.args(["budget", "report"]);
        for record in records {
            command.arg("--merge").arg(record);
        }
        let output = command.output().expect("the command starts");
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        text.lines().last().unwrap_or_default().to_owned()
    }

    fn check(&self, arguments: &[&str]) {
        let _ = fs::remove_file(self.path("results/outcomes.jsonl"));
        // The evidence of an earlier run must not make this one shorter.
        let _ = fs::remove_dir_all(self.path("results/evidence"));
        let mut command = self.program(env!("CARGO_BIN_EXE_cargo-budget"));
        command.args(["budget", "check", "--base", "HEAD", "--benches"]).args(arguments);
        let output = command.output().expect("the command starts");
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        fs::write(self.path("results/said"), &said).expect("what it said is written");
        let code = output.status.code();
        assert!(code.is_some_and(|code| code < 3), "the command ended with {code:?}:\n{said}");
    }

    fn library(&self) -> String {
        let functions = (0..self.count.div_ceil(SIZES.len())).map(|nth| {
            let call = if self.uses_shared(nth) { "shared(every(sum))" } else { "every(sum)" };
            format!(
                "\n/// Work.\n#[inline(never)]\npub fn work_{nth}(n: u64) -> u64 {{\n    (0..n).fold({nth}, |sum, by| \
                 {call}.wrapping_add(by * {}))\n}}\n",
                nth + 3
            )
        });
        LIBRARY.to_owned() + &functions.collect::<String>()
    }

    /// Returns the source of one program. Where there are several, each has every so many functions in a table, as
    /// a closure for each of 1700 benchmarks would take cargo half an hour to build.
    fn benches(&self, program: usize) -> String {
        let functions: Vec<usize> =
            (0..self.count.div_ceil(SIZES.len())).skip(program).step_by(self.programs).collect();
        if self.programs > 1 { self.table(&functions) } else { self.closures(&functions) }
    }

    /// Returns how many sizes a function has benchmarks of.
    fn sizes(&self, function: usize) -> usize {
        SIZES.len().min(self.count - function * SIZES.len())
    }

    fn table(&self, functions: &[usize]) -> String {
        let rows = functions.iter().map(|&nth| {
            let sizes = &SIZES[..self.sizes(nth)];
            format!("    (\"work_{nth}\", gated::work_{nth}, &{sizes:?}),\n")
        });
        format!(
            "use std::hint::black_box;\n\nuse criterion::{{Criterion, criterion_group, criterion_main}};\n\n\
             type Row = (&'static str, fn(u64) -> u64, &'static [u64]);\n\n\
             const WORK: &[Row] = &[\n{}];\n\n\
             fn all(c: &mut Criterion) {{\n    \
                 for &(name, work, sizes) in WORK {{\n        \
                     let mut group = c.benchmark_group(name);\n        \
                     for &size in sizes {{\n            \
                         group.bench_function(size.to_string(), |b| b.iter(|| work(black_box(size))));\n        \
                     }}\n        \
                     group.finish();\n    \
                 }}\n\
             }}\n\ncriterion_group!(benches, all);\ncriterion_main!(benches);\n",
            rows.collect::<String>()
        )
    }

    fn closures(&self, functions: &[usize]) -> String {
        let mut text = "use std::hint::black_box;\n\nuse criterion::{Criterion, criterion_group, criterion_main};\n".to_owned();
        for nth in functions {
            let _ = writeln!(
                text,
                "\nfn bench_{nth}(c: &mut Criterion) {{\n    let mut group = c.benchmark_group(\"work_{nth}\");"
            );
            for size in &SIZES[..self.sizes(*nth)] {
                let _ = writeln!(
                    text,
                    "    group.bench_function(\"{size}\", |b| b.iter(|| gated::work_{nth}(black_box({size}))));"
                );
            }
            text += "    group.finish();\n}\n";
        }
        let names: Vec<String> = functions.iter().map(|nth| format!("bench_{nth}")).collect();
        text + &format!(
            "\ncriterion_group!(benches, {});\ncriterion_main!(benches);\n",
            names.join(", ")
        )
    }

    /// Whether the function of a number uses what is shared by some.
    fn uses_shared(&self, function: usize) -> bool {
        function % EVERY[usize::from(self.programs > 1)] == 1
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it is in the crate")).expect("a directory");
        // A file that is as it was is not written, so that nothing is built anew for it.
        if fs::read_to_string(&path).is_ok_and(|known| known == text) {
            return;
        }
        fs::write(path, text).expect("a file of the crate is written");
    }

    fn git(&self, arguments: &[&str]) {
        let done = self.program("git").args(arguments).output();
        assert!(done.is_ok_and(|output| output.status.success()), "git {arguments:?}");
    }

    /// Returns a program that runs in the crate, with nothing in its environment of the run that this is a part of.
    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if ["PERF_BUDGET", "GITHUB_", "GIT_", "CARGO_PKG"]
                .iter()
                .any(|start| name.starts_with(start))
            {
                command.env_remove(name);
            }
        }
        command.current_dir(self.place.path()).env("PERF_BUDGET_DIR", self.path("results"));
        command.env("PERF_BUDGET_CACHE", self.path("results/cache")).env_remove("CARGO_TARGET_DIR");
        command
    }
}

/// Returns the name of the benchmark of a number.
fn name(nth: usize) -> String {
    format!("work_{}/{}", nth / SIZES.len(), SIZES[nth % SIZES.len()])
}
