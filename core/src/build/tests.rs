//! Builds by scripted programs: no program is started here.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use super::placeholder::target;
use super::*;
use crate::budget::Build;
use crate::outcome::{Cause, Unmeasured};

const METADATA: &str = r#"{"target_directory": "/w/target", "packages": [
    {"id": "other 1", "name": "other", "manifest_path": "/w/other/Cargo.toml", "targets": [
        {"name": "other", "kind": ["lib"]}, {"name": "app", "kind": ["bin"]}]},
    {"id": "app 1", "name": "my-app", "manifest_path": "/w/app/Cargo.toml", "targets": [
        {"name": "my_app", "kind": ["cdylib", "rlib"]}, {"name": "app", "kind": ["bin"]}]}]}"#;
const BUILT: &str = r#"{"reason":"compiler-artifact","target":{"name":"my_app","kind":["cdylib","rlib"]},"filenames":["/b/my_app.wasm","/b/libmy_app.rlib"],"executable":null}
{"reason":"compiler-artifact","target":{"name":"app","kind":["bin"]},"filenames":["/b/app"],"executable":"/b/app"}
{"reason":"build-finished","success":true}"#;

fn site() -> Site {
    let path = PathBuf::from;
    Site { root: path("/w/app"), package: path("/w/app"), target: None, triple: None }
}

/// An expanded text and its notes, or the reason why it could not be expanded.
type Expanded = Result<(String, Vec<String>), String>;

/// Expands a text. Returns the result, and the programs that were started for it. Every call of cargo succeeds.
fn expanded(text: &str, build: &Build) -> (Expanded, Vec<String>) {
    let started = RefCell::new(Vec::new());
    let start = |step: &Step| {
        started.borrow_mut().push(format!("{} {}", step.program.name(), step.args.join(" ")));
        let stdout = if step.args[0] == "metadata" { METADATA } else { BUILT };
        Ok(ProgramResult { stdout: stdout.into(), ..ProgramResult::default() })
    };
    let done = expand(text, build, &mut |product| product.build(&site(), &start));
    let mut started = started.into_inner();
    started.retain(|step| !step.contains("metadata"));
    (done.map_err(|why| why.text), started)
}

#[track_caller]
fn check(text: &str, build: &Build, path: &str, note: &str, args: &str) {
    let (done, started) = expanded(text, build);
    assert_eq!(done, Ok((path.to_owned(), vec![note.to_owned()])));
    assert!(started[0].contains(args), "{args:?} is not in {started:?}");
}

fn with(features: &[&str]) -> Build {
    let features = features.iter().map(|&feature| feature.to_owned()).collect();
    Build { features: Some(features), ..Build::default() }
}

#[test]
fn a_binary_is_built_as_it_is_shipped() {
    let plain = "cargo build --package app 1 --bin app --profile release --message-format \
                 json-render-diagnostics --target-dir /w/target/budgets/built";
    let note = "binary `app`, default features, profile release";
    check("{bin:app}", &Build::default(), "/b/app", note, plain);
    check("--a={bin:app}.x", &Build::default(), "--a=/b/app.x", note, plain);
    let dist = Build { profile: Some("dist".to_owned()), ..Build::default() };
    let note = "binary `app`, default features, profile dist";
    check("{bin:app}", &dist, "/b/app", note, "--profile dist");
    // Only the features of the list are on, and each list has its own target directory.
    let note = "binary `app`, feature tls alone, profile release";
    let args =
        "--no-default-features --features tls --target-dir /w/target/budgets/built/features-";
    check("{bin:app}", &with(&["tls"]), "/b/app", note, args);
    let note = "binary `app`, features default and tls, profile release";
    let args = "diagnostics --features tls --target-dir";
    check("{bin:app}", &with(&["tls", "default", "tls"]), "/b/app", note, args);
    let note = "binary `app`, no features, profile release";
    check("{bin:app}", &with(&[]), "/b/app", note, "--no-default-features --target-dir");
}

#[test]
fn a_module_is_named_by_its_package() {
    let note = "module `my-app`, default features, profile release, for wasm32-unknown-unknown";
    let args = "--package app 1 --lib --profile release --message-format json-render-diagnostics \
                --target wasm32-unknown-unknown";
    check("{wasm:my-app}", &Build::default(), "/b/my_app.wasm", note, args);
    let why = expanded("{wasm:none}", &Build::default()).0.unwrap_err();
    assert!(
        why.contains(
            "no package `none` in this workspace builds a module; it has `my-app`, `other`"
        ),
        "{why}"
    );
}

#[test]
fn every_placeholder_is_replaced_or_is_an_error() {
    let plain = |text: &str| expanded(text, &Build::default()).0;
    assert_eq!(plain("plain {text} {"), Ok(("plain {text} {".to_owned(), vec![])));
    let both = plain("{bin:app}:{wasm:my-app}").unwrap();
    assert_eq!((both.0.as_str(), both.1.len()), ("/b/app:/b/my_app.wasm", 2));
    let why = plain("{bin:none}").unwrap_err();
    assert_eq!(why, "no binary is named `none` in this workspace; it has `app`, `app`");
    let why = plain("x{bin:app").unwrap_err();
    assert_eq!(why, "`x{bin:app` has `{bin:` without an end; close it with `}`");
}

/// Returns the error of a build whose program ends like this.
fn failed(product: &Product, ended: &dyn Fn() -> Result<ProgramResult, Unmeasured>) -> Unmeasured {
    let start = |step: &Step| match step.args.first().map(String::as_str) {
        Some("metadata") => {
            Ok(ProgramResult { stdout: METADATA.into(), ..ProgramResult::default() })
        }
        _ => ended(),
    };
    product.build(&site(), &start).unwrap_err()
}

#[test]
fn a_missing_program_or_target_is_named_with_the_command_that_installs_it() {
    let module = Product::Cargo(target(Kind::Module, "my-app", &Build::default()));
    let failed_with = |text: &str| {
        let text = text.to_owned();
        move || {
            Ok(ProgramResult {
                code: 101,
                messages: Some(text.clone()),
                ..ProgramResult::default()
            })
        }
    };
    let lacks = "error[E0463]: can't find crate for `std`\n  = note: the `wasm32-unknown-unknown` target may \
                 not be installed\n  = help: consider downloading the target with `rustup target add \
                 wasm32-unknown-unknown`\n";
    let why = failed(&module, &failed_with(lacks));
    let text = "failed to build the module `my-app`: the target `wasm32-unknown-unknown` is not installed; run \
                `rustup target add wasm32-unknown-unknown`";
    assert_eq!((why.cause, why.text.as_str()), (Cause::NotFound, text));
    assert_eq!(why.output.as_deref(), Some(lacks));
    let why = failed(&module, &failed_with("error: oops"));
    assert_eq!(why.text, "failed to build the module `my-app`: `cargo` ended with exit code 101");
    assert_eq!(why.output.as_deref(), Some("error: oops"));

    let command = ["wasm-pack", "build"].map(str::to_owned);
    let pack = Product::Made(command.to_vec());
    let absent =
        || Err(Unmeasured::new(Cause::NotFound, "failed to start `wasm-pack`: no such program"));
    let why = failed(&pack, &absent);
    let text = "failed to build by `wasm-pack build`: `wasm-pack` is not installed; run `cargo install wasm-pack`";
    assert_eq!(why.text, text);
    let late = || Err(Unmeasured::new(Cause::TimedOut, "it took too long"));
    assert_eq!(failed(&pack, &late).text, "failed to build by `wasm-pack build`: it took too long");
}

#[test]
fn wasm_opt_runs_last_and_makes_the_file_that_is_measured() {
    let place = std::env::temp_dir().join(format!("perf-budget-opt-{}", std::process::id()));
    let build = Build { wasm_opt: vec!["-Oz".to_owned()], ..Build::default() };
    let product = Product::Cargo(target(Kind::Module, "my-app", &build));
    let site = Site { target: Some(place.clone()), ..site() };
    let started = RefCell::new(Vec::new());
    let start = |step: &Step| {
        started.borrow_mut().push(step.clone());
        let stdout = if step.args[0] == "metadata" { METADATA } else { BUILT };
        Ok(ProgramResult { stdout: stdout.into(), ..ProgramResult::default() })
    };
    let built = product.build(&site, &start).unwrap();
    assert!(built.note.ends_with(", wasm-opt -Oz"), "{}", built.note);
    let started = started.into_inner();
    let last = started.last().unwrap();
    let output = built.path.to_str().unwrap();
    assert_eq!(last.args, ["-Oz", "/b/my_app.wasm", "-o", output]);
    assert!(built.path.ends_with("release/my_app.wasm"), "{output}");
    std::fs::remove_dir_all(&place).unwrap();
}

#[test]
fn the_index_finds_the_files_of_the_last_run() {
    let place = std::env::temp_dir().join(format!("perf-budget-index-{}", std::process::id()));
    let (root, other) = (Path::new("/w/app"), Path::new("/w/other"));
    let product = Product::Cargo(target(Kind::Binary, "app", &Build::default()));
    let built = place.join("app");
    note(&place, root, &product, &built).unwrap();
    assert_eq!(find(&place, root, &product), None);
    std::fs::write(&built, "x").unwrap();
    assert_eq!(find(&place, root, &product), Some(built));
    assert_eq!(find(&place, other, &product), None);
    let tls = Product::Cargo(target(Kind::Binary, "app", &with(&["tls"])));
    assert_eq!(find(&place, root, &tls), None);
    std::fs::remove_dir_all(&place).unwrap();
}

#[test]
fn a_budget_tells_whether_anything_must_be_built() {
    let budgets = |subject: &str| {
        let text = format!("[budget.one]\n{subject}\nmax.NONE = 1\n");
        let metric = if subject.starts_with("artifact") { "size" } else { "exit" };
        let limit = if metric == "size" { "size = \"1 KB\"" } else { "exit = 0" };
        crate::budget::parse(&text.replace("NONE = 1", limit), Path::new("budgets.toml")).unwrap()
    };
    for (subject, expected) in [
        ("artifact = \"app.wasm\"", false),
        ("artifact = [\"app.wasm\", \"{wasm:app}\"]", true),
        ("artifact = \"app.wasm\"\nbuild = [\"make\"]", true),
        ("command = [\"app\"]", false),
        ("command = [\"sh\", \"{bin:app}\"]", true),
        ("command = [\"app\"]\nenv = { APP = \"{bin:app}\" }", true),
    ] {
        assert_eq!(has_any(&budgets(subject).budgets[0]), expected, "{subject}");
    }
}
