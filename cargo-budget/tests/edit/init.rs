//! Tests of `cargo budget init` on crates that cargo makes, up to a green and a red run of their tests.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::place::{Place, clean};

fn library() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn init(place: &Place, below: &str, more: &[&str]) -> crate::place::Run {
    let mut arguments = vec!["init", "--perf-budget-path", library().to_str().unwrap()];
    arguments.extend(more);
    place.run_in(below, &arguments)
}

fn cargo(place: &Place, below: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO"));
    command.args(arguments).current_dir(place.path(below));
    clean(&mut command);
    // The process that runs this test has its own variables, and a summary that must not get the red result of this
    // test.
    let foreign = ["PERF_BUDGET", "NEXTEST", "GITHUB_"];
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for name in names.filter(|name| foreign.iter().any(|start| name.starts_with(start))) {
        command.env_remove(name);
    }
    command.env("PERF_BUDGET_DIR", place.path("results"));
    // The result does not depend on how fast the library is, and without optimization it is built in a third of the
    // time.
    command.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0");
    command.env("CARGO_TARGET_DIR", library().join("target/fresh"));
    command.output().unwrap()
}

/// Runs the tests of a crate's budgets. Returns whether they passed, and their output.
fn test(place: &Place, below: &str) -> (bool, String) {
    // Cargo uses the same versions as this repository, so that nothing is downloaded.
    if !place.path(below).join("Cargo.lock").exists() {
        fs::copy(library().join("Cargo.lock"), place.path(below).join("Cargo.lock")).unwrap();
    }
    let output = cargo(place, below, &["test", "--release", "--offline"]);
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

/// Checks what `init` is for: the tests are green at once, and one edit makes them red.
#[test]
fn a_fresh_crate_is_green_and_one_edit_makes_it_red() {
    let place = Place::empty();
    for (kind, name) in [("--bin", "fresh_app"), ("--lib", "fresh_kit")] {
        assert!(cargo(&place, "", &["new", "--vcs", "none", kind, name]).status.success());
        init(&place, name, &[]).is(0, &["wrote     budgets.toml", "edited    Cargo.toml"]);
        let (green, text) = test(&place, name);
        assert!(green, "{text}");
        let tests = if kind == "--bin" {
            ["test fresh_app_size::", "test fresh_app_start::startup_p95"]
        } else {
            ["test sample::p99", "test sample::allocs"]
        };
        for test in tests {
            assert!(text.contains(test), "{test} is not in\n{text}");
        }
        assert!(text.contains("2 limits of "), "{text}");
        init(&place, name, &[]).is(0, &["nothing was changed"]);
        let file = format!("{name}/budgets.toml");
        if kind == "--bin" {
            let size = format!("{name}_size");
            place.run_in(name, &["tighten", &size]).is(0, &["1 tightened"]);
            assert!(!place.read(&file).contains("50 MB"));
            let (green, text) = test(&place, name);
            assert!(green, "{text}");
        }
        // The edit is a limit that no program keeps, or a sort that allocates.
        let (file, old, new) = if kind == "--bin" {
            (file, "max = { s", "max = { size = \"1 KB\", s")
        } else {
            (format!("{name}/tests/budgets.rs"), "sort_unstable()", "sort()")
        };
        let before = place.read(&file);
        assert!(before.contains(old), "{before}");
        place.write(&file, &before.replacen(old, new, 1));
        let (green, text) = test(&place, name);
        assert!(!green && text.contains("1 fail"), "{text}");
    }
}

/// The crates do not build here, so only the written files are checked.
#[test]
fn a_workspace_with_several_kinds_of_crates() {
    let place = Place::empty();
    place.write("Cargo.toml", "[workspace]\nmembers = [\"app\", \"web\"]\nresolver = \"3\"\n");
    place.write(
        "app/Cargo.toml",
        "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[features]\nextra = []\n\n\
         [[bin]]\nname = \"app\"\npath = \"src/main.rs\"\n\n[[bin]]\nname = \"tool\"\npath = \"src/tool.rs\"\n\
         required-features = [\"extra\"]\n\n[dependencies]\nclap = \"4\" # arguments\n",
    );
    place.write("app/src/main.rs", "use clap::Parser;\nfn main() {}\n");
    place.write("app/src/tool.rs", "fn main() { loop {} }\n");
    place.write(
        "web/Cargo.toml",
        "[package]\nname = \"web-kit\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[lib]\ncrate-type = [\"cdylib\"]\n\n\
         [dev-dependencies]\ncriterion = \"0.5\"\n\n[[bench]]\nname = \"paint\"\nharness = false\n",
    );
    place.write("web/src/lib.rs", "");
    place.write("web/benches/paint.rs", "fn main() {}\n");
    place.write("web/examples/show.rs", "fn main() {}\n");
    place.git("", &["init", "-q"]);

    init(&place, "", &[]).is(2, &["--package app", "app, web-kit"]);
    init(&place, "", &["--package", "nope"]).is(2, &["there is no package `nope`", "app, web-kit"]);
    let run = init(&place, "", &["--package", "web-kit", "--dry-run"]);
    run.is(
        0,
        &["+++ b/web/budgets.toml", "+++ b/.github/workflows/budgets.yml", "+perf-budget = "],
    );
    assert!(!place.path("web/budgets.toml").exists());

    init(&place, "web", &[]).is(0, &["wrote     web/budgets.toml"]);
    let web = place.read("web/budgets.toml");
    for words in [
        "[budget.all]\ncriterion = \"*\"\nmax = { mean = \"1.05 x base\" }",
        "# artifact = \"{wasm:web-kit}\"",
        "`benches/paint.rs`",
        "`{bin:app}`, `{bin:tool}`",
        "for these tests: `show`",
    ] {
        assert!(web.contains(words), "{words} is not in\n{web}");
    }
    let workflow = place.read(".github/workflows/budgets.yml");
    assert!(workflow.contains(" cargo test --release --package web-kit --test budgets --no-run\n"));
    // The tests of the second member are not in any job yet.
    let note = "does not run `cargo test --release --package app --test budgets`; add it there";
    init(&place, "app", &["--dry-run"]).is(0, &[note]);

    // A program with clap is started with `--help`. A program that needs features is left to the user.
    init(&place, "app/src", &[]).is(0, &["wrote     app/budgets.toml", "kept      .github"]);
    let app = place.read("app/budgets.toml");
    assert!(app.contains("command = [\"{bin:app}\", \"--help\"]"), "{app}");
    assert!(
        app.contains("\n# artifact = \"{bin:tool}\"")
            && !app.contains("\nartifact = \"{bin:tool}\"")
    );
    assert!(place.read("app/Cargo.toml").contains("clap = \"4\" # arguments\n"));
    let (app_before, manifest) = (app, place.read("app/Cargo.toml"));
    init(&place, "app", &[]).is(0, &["nothing was changed"]);
    assert_eq!(
        (app_before, manifest),
        (place.read("app/budgets.toml"), place.read("app/Cargo.toml"))
    );
}

/// Where no registry has the library, it comes from the checkout that the command was built from.
#[test]
fn the_library_comes_from_the_same_place_as_the_command() {
    let place = Place::empty();
    place.write("Cargo.toml", "[package]\nname = \"a\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    place.write("src/lib.rs", "");
    place.run_in("", &["init"]).is(0, &["note      Cargo.toml takes perf-budget from"]);
    let path = library().to_str().unwrap();
    assert!(place.read("Cargo.toml").contains(&format!("perf-budget = {{ path = \"{path}\" }}\n")));
}

/// What can be measured of Divan's benchmarks depends on which Divan it is.
#[test]
fn benchmarks_of_divan_are_limited_where_they_can_be_measured() {
    let place = Place::empty();
    let check = |name: &str, dependency: &str, has: &str| {
        place.write(
            &format!("{name}/Cargo.toml"),
            &format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dev-dependencies]\n{dependency}\n"),
        );
        place.write(&format!("{name}/src/lib.rs"), "");
        init(&place, name, &[]).is(0, &["wrote     budgets.toml"]);
        let text = place.read(&format!("{name}/budgets.toml"));
        assert!(text.contains(has), "{text}");
        text
    };
    let plain = check("plain", "divan = \"0.1\"", "\n# [budget.divan]\n# divan = \"*\"\n");
    assert!(plain.contains("package = \"perf-budget-divan\"") && plain.contains("[budget.sample]"));
    let line = "divan = { package = \"perf-budget-divan\", version = \"0.1\" }";
    let served = check("served", line, "\n[budget.divan]\ndivan = \"*\"\n");
    assert!(!served.contains("[budget.sample]"), "{served}");
}

#[test]
fn existing_files_are_never_overwritten() {
    let place = Place::empty();
    init(&place, "", &[]).is(2, &["there is no Cargo.toml", "cargo new"]);
    place.write(
        "Cargo.toml",
        "[package]\nname = \"own\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
    );
    place.write("src/lib.rs", "");
    place.write("tests/budgets.rs", "#[test]\nfn money() {}\n");
    init(&place, "", &[]).is(2, &["exists already and is not a harness", "rename the file"]);
    assert!(!place.path("budgets.toml").exists(), "a refusal writes nothing");
    fs::remove_file(place.path("tests/budgets.rs")).unwrap();
    place.write("budgets.toml", "[budget.x]\nworkload = \"y\"\n");
    init(&place, "", &[]).is(2, &["the budget `x` has no limit"]);
    place.write("budgets.toml", "[budget.x]\nworkload = \"y\"\nmax.p99 = \"1 s\"\n");
    init(&place, "", &[]).is(0, &["kept      budgets.toml", "has to register: y"]);
    assert_eq!(place.read("budgets.toml"), "[budget.x]\nworkload = \"y\"\nmax.p99 = \"1 s\"\n");
    place.write("Cargo.toml", "[package]\nname = \n");
    init(&place, "", &[]).is(2, &["cargo failed to describe this project"]);
}
