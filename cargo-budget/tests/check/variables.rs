//! Tests that a benchmark runs with what `cargo bench` gives it, in both revisions: the variables of the configuration, of a
//! build script and of its package, and the directory of the package.

use std::collections::BTreeSet;
use std::fs;

use crate::Crate;

/// A benchmark that appends what it finds to a file.
const BENCH: &str = r#"
use std::io::Write as _;

use criterion::{Criterion, criterion_group, criterion_main};

fn told(c: &mut Criterion) {
    let of = |name: &str| std::env::var(name).unwrap_or_else(|_| "none".to_owned());
    let made = std::fs::read_to_string(std::path::Path::new(&of("OUT_DIR")).join("made"));
    let data = std::fs::read_to_string("data");
    let found = [
        of("MODE"),
        of("ADDED"),
        of("REMOVED"),
        of("OF_SCRIPT"),
        of("CARGO_PKG_VERSION"),
        made.unwrap_or_else(|e| e.to_string()),
        data.unwrap_or_else(|e| e.to_string()),
    ];
    let mut log = std::fs::File::options().append(true).create(true).open(of("LOG")).unwrap();
    writeln!(log, "{}", found.join(" ")).unwrap();
    c.bench_function("told", |b| b.iter(|| std::hint::black_box(1) + 1));
}

criterion_group!(benches, told);
criterion_main!(benches);
"#;

const BUDGETS: &str = "
[settings]
layouts = 1

[budget.all]
criterion = \"*\"
max = { mean = \"100 x base\" }
";

const SCRIPT: &str = r#"
fn main() {
    println!("cargo::rustc-env=OF_SCRIPT=s1");
    let made = std::path::Path::new(&std::env::var("OUT_DIR").unwrap()).join("made");
    std::fs::write(made, "m1").unwrap();
}
"#;

#[test]
fn a_benchmark_has_the_variables_of_cargo_bench() {
    let made = Crate::with_benches("told", BUDGETS, &[("told", BENCH)]);
    made.0.write("build.rs", SCRIPT);
    made.0.write("data", "d1");
    // A runner of the user's own is not asked, in whatever form it is written. It is in both revisions, since nothing is compared
    // where only one of them has it.
    let runner = "[target.'cfg(all())']\nrunner = \"env RUN=1\"\n";
    made.0.write(
        ".cargo/config.toml",
        &format!("[env]\nMODE = \"one\"\nREMOVED = \"1\"\n\n{runner}"),
    );
    made.commit("configure it");
    made.0.write("build.rs", &SCRIPT.replace("s1", "s2").replace("m1", "m2"));
    made.0.write("data", "d2");
    made.0
        .write(".cargo/config.toml", &format!("[env]\nMODE = \"two\"\nADDED = \"1\"\n\n{runner}"));
    let manifest = fs::read_to_string(made.0.path("Cargo.toml")).unwrap();
    made.0.write("Cargo.toml", &manifest.replacen("version = \"0.1.0\"", "version = \"2.0.0\"", 1));
    made.commit("configure it in another way");
    let log = made.0.path("results/log");
    let check = |measure: &str| {
        let _ = fs::remove_file(&log);
        let mut command = made.command(&["check", "--base", "HEAD~1"]);
        for name in ["MODE", "ADDED", "REMOVED", "OF_SCRIPT", "OUT_DIR"] {
            command.env_remove(name);
        }
        let output = command.env("LOG", &log).env("PERF_BUDGET_MEASURE", measure).output().unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        let log = fs::read_to_string(&log).unwrap_or_default();
        (text, log.lines().map(str::to_owned).collect::<BTreeSet<_>>())
    };
    let (text, lines) = check("always");
    let want = ["one none 1 s1 0.1.0 m1 d1", "two 1 none s2 2.0.0 m2 d2"];
    assert!(lines.iter().eq(want), "{lines:?}\n{text}");
    assert!(text.contains("1 limit of 1 budget: 1 pass; other tests: 1 pass"), "{text}");
}
