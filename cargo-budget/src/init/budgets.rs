//! The text of the first `budgets.toml`.

use std::fmt::Write;

use toml_edit::Key;

use super::package::{Binary, Divan, PackageContents};

/// The name of the sample workload, which the user is to replace.
pub(super) const SAMPLE: &str = "sample";

/// The budget for benchmarks of Divan that can be measured.
const SERVED_DIVAN: &str = "
# Every Divan benchmark of the workspace. Each is a test, and may be 5 % slower than at the base.
[budget.divan]
divan = \"*\"
max = { mean = \"1.05 x base\" }
";
/// A comment for benchmarks of Divan that only print text.
const PLAIN_DIVAN: &str = "
# Divan prints text only. Its benchmarks can be limited with one line in the place of Divan's in Cargo.toml,
# `divan = { package = \"perf-budget-divan\", version = \"0.1\" }`; then remove the `# `.
# [budget.divan]
# divan = \"*\"
# max = { mean = \"1.05 x base\" }
";

/// Returns a file with limits that hold, and with comments about what else could be limited.
pub(super) fn text(package: &PackageContents, sample: bool) -> String {
    let name = &package.name;
    let run = run(package);
    let mut text = format!(
        "\
# What {name} promises. Each limit is a test, which `{run}` runs.
#
# `cargo budget init` writes limits that are so generous that nothing breaks them, since nothing was measured yet. Run
# the tests once. Then `cargo budget tighten` brings each limit near to what was measured, and `cargo budget suggest`
# proposes others.
"
    );
    for binary in &package.binaries {
        text += &budgets_of_binary(binary);
    }
    if sample {
        text += &sample_budget(package);
    }
    if !package.criterion.is_empty() {
        text += &budget_of_benchmarks(package);
    }
    text += match package.divan {
        Some(Divan::Served) => SERVED_DIVAN,
        Some(Divan::Plain) => PLAIN_DIVAN,
        None => "",
    };
    if package.is_cdylib {
        text += &budget_of_module(package);
    }
    text + &remarks(package)
}

/// Returns the command that runs the tests.
pub(super) fn run(package: &PackageContents) -> String {
    let option =
        if package.has_siblings { format!("--package {} ", package.name) } else { String::new() };
    format!("cargo test --release {option}--test budgets")
}

fn budgets_of_binary(Binary { name, is_plain, ends_with }: &Binary) -> String {
    let (size, start) = (key(&format!("{name}_size")), key(&format!("{name}_start")));
    // Symbols can be told from the rest only in ELF files.
    let (metric, what) = if cfg!(target_os = "linux") {
        ("stripped", ", without symbols and debug information")
    } else {
        ("size", "")
    };
    if !is_plain {
        return format!(
            "
# `{name}` is built only with certain features. Where the tests run with them:
# [budget.{size}]
# artifact = \"{{bin:{name}}}\"
# max = {{ {metric} = \"50 MB\" }}
"
        );
    }
    let mut text = format!(
        "
# The size of the program{what}.
[budget.{size}]
artifact = \"{{bin:{name}}}\"
max = {{ {metric} = \"50 MB\" }}
"
    );
    match ends_with {
        Some(arguments) => {
            let arguments: String = arguments
                .iter()
                .fold(String::new(), |list, argument| format!("{list}, \"{argument}\""));
            let _ = write!(
                text,
                "
# The time that 95 of 100 runs take to start, work and end.
[budget.{start}]
command = [\"{{bin:{name}}}\"{arguments}]
max = {{ startup_p95 = \"1 s\" }}
"
            );
        }
        None => {
            let _ = write!(
                text,
                "
# The time that it takes to start. Give it arguments with which it ends by itself, or say when it is ready, and remove
# the `# `:
# [budget.{start}]
# command = [\"{{bin:{name}}}\", \"--help\"]
# ready = {{ stdout = \"listening on\" }}       # or stderr, port, file; without it: when it ends
# max = {{ startup_p95 = \"1 s\", peak_rss = \"1 GB\" }}
"
            );
        }
    }
    text
}

fn sample_budget(package: &PackageContents) -> String {
    let package = &package.name;
    format!(
        "
# A sample that sorts numbers, and says nothing about {package} yet. Replace the workload in tests/budgets.rs by
# something that {package} does and that must stay fast or small, and replace the limits by those that you want.
[budget.{SAMPLE}]
workload = \"{SAMPLE}\"
params = {{ n = 10_000 }}
max = {{ p99 = \"1 s\", allocs = 0 }}
"
    )
}

fn budget_of_benchmarks(package: &PackageContents) -> String {
    format!(
        "
# Every Criterion benchmark of the workspace as it stands, such as those of {}.
# Each is a test, and may be 5 % slower than at the base: `cargo budget check --base main`. Without a base they are
# skipped.
[budget.all]
criterion = \"*\"
max = {{ mean = \"1.05 x base\" }}
",
        list(&package.criterion, "benches/", ".rs")
    )
}

/// Returns comments with a budget for the WASM module that the library is built as.
fn budget_of_module(package: &PackageContents) -> String {
    let name = package.library.as_deref().unwrap_or_default();
    let package = &package.name;
    format!(
        "
# The size of the WASM module as a server sends it. Cargo builds it in the profile `release`, once
# `rustup target add wasm32-unknown-unknown` was run; then remove the `# `. If the module goes through wasm-opt before it
# ships, add `wasm-opt = [\"-Oz\"]`; if another program makes it, add `build = [...]` and its path.
# (`brotli = \"1 MB\"` beside it needs the feature `brotli` of perf-budget.)
# [budget.{}]
# artifact = \"{{wasm:{package}}}\"
# max = {{ gzip = \"1 MB\" }}
",
        key(&format!("{name}_wasm"))
    )
}

/// Returns comments about parts of the workspace that are not measured.
fn remarks(package: &PackageContents) -> String {
    let mut text = String::new();
    if !package.others.is_empty() {
        let _ = write!(
            text,
            "
# Other members of the workspace have programs that can be limited here too: {}.
",
            list(&package.others, "{bin:", "}")
        );
    }
    if !package.examples.is_empty() {
        let _ = write!(
            text,
            "
# There are no limits on examples, since they are not built for these tests: {}.
",
            list(&package.examples, "", "")
        );
    }
    text
}

/// Returns a list for a comment, which is cut off before it becomes long.
fn list(names: &[String], before: &str, after: &str) -> String {
    const MOST: usize = 4;
    let shown: Vec<String> =
        names.iter().take(MOST).map(|name| format!("`{before}{name}{after}`")).collect();
    let more = names.len().saturating_sub(MOST);
    let rest = if more == 0 { String::new() } else { format!(" and {more} more") };
    shown.join(", ") + &rest
}

fn key(name: &str) -> String {
    Key::new(name).display_repr().into_owned()
}
