//! Builds of benchmarks by a scripted cargo: no program is started here.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use super::runner::{self, Changes, Runner};
use super::*;
use crate::outcome::{Cause, Unmeasured};

const METADATA: &str = r#"{"workspace_members": ["a 1", "b 1", "c 1"], "packages": [
    {"id": "a 1", "name": "a", "manifest_path": "/w/a/Cargo.toml", "features": {"default": ["std"], "std": [], "x": ["y"], "y": []},
     "dependencies": [{"name": "criterion", "rename": null}],
     "targets": [{"name": "a", "kind": ["lib"]}, {"name": "one", "kind": ["bench"]},
                 {"name": "two", "kind": ["bench"], "required-features": ["std"]},
                 {"name": "three", "kind": ["bench"], "required-features": ["y"]}]},
    {"id": "b 1", "name": "b", "manifest_path": "/w/b/Cargo.toml",
     "dependencies": [{"name": "codspeed-criterion-compat", "rename": "criterion"}],
     "targets": [{"name": "one", "kind": ["bench"]}]},
    {"id": "c 1", "name": "c", "manifest_path": "/w/c/Cargo.toml", "dependencies": [{"name": "divan", "rename": null}],
     "targets": [{"name": "other", "kind": ["bench"]}]}]}"#;

fn runner() -> Runner {
    Runner::new(Path::new("/r"), |_| Ok(())).unwrap()
}

/// Returns cargo's message that it built a bench target.
fn message(target: &str) -> String {
    format!(
        "{{\"reason\":\"compiler-artifact\",\"target\":{{\"name\":\"{target}\",\"kind\":[\"bench\"]}},\"executable\":\"/t/{target}\"}}\n"
    )
}

/// Cargo's message that it built the library of the package `a`.
const LIBRARY: &str = "{\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"a\",\"kind\":[\"lib\"]},\"executable\":null}\n";

/// Builds by a cargo that fails to build the target `broken`, or the `library`. Returns what was built, and the calls of cargo.
fn build(how: &BenchBuild, broken: &str) -> (Benches, Vec<String>) {
    build_by(how, broken, "")
}

/// Does the same by a cargo that runs the target `unasked` in its own way.
fn build_by(how: &BenchBuild, broken: &str, unasked: &str) -> (Benches, Vec<String>) {
    let calls = RefCell::new(Vec::new());
    let start = |step: &Step| {
        if step.args.first().is_some_and(|first| first == "metadata") {
            return Ok(ProgramResult { stdout: METADATA.into(), ..ProgramResult::default() });
        }
        let printed = |program: Option<&str>, variables: &[(&str, &str)]| {
            let own = [runner().program().as_os_str().to_owned()];
            let words = own.into_iter().chain(program.map(Into::into));
            let variables = variables.iter().map(|&(name, value)| (name.into(), value.into()));
            runner::line(words, variables).unwrap()
        };
        match &step.program {
            Program::Named(_) => {
                let stdout = printed(None, &[("PATH", "/bin")]).into();
                return Ok(ProgramResult { stdout, ..ProgramResult::default() });
            }
            Program::Cargo if step.args == ["-vV"] => {
                let stdout = "cargo 1.95.0\nhost: x-y-z\n".into();
                return Ok(ProgramResult { stdout, ..ProgramResult::default() });
            }
            Program::Cargo => {}
        }
        calls.borrow_mut().push(step.args.join(" "));
        let is_run = step.args.ends_with(&["--".to_owned(), "--list".to_owned()]);
        let named = step.args.iter().skip_while(|arg| *arg != "--bench").collect::<Vec<_>>();
        let named = named.windows(2).filter(|pair| pair[0] == "--bench").map(|pair| pair[1]);
        let is_bad = |name: &&String| *name == broken || broken == "library";
        let (bad, good): (Vec<&String>, Vec<&String>) = named.partition(is_bad);
        let answer = |name: &&String| match (is_run, name.as_str() == unasked) {
            (false, _) => message(name),
            (true, true) => "one: benchmark\n".to_owned(),
            (true, false) => {
                assert_eq!(
                    step.env,
                    [(
                        "CARGO_TARGET_X_Y_Z_RUNNER".to_owned(),
                        runner().program().to_string_lossy().into_owned()
                    )]
                );
                printed(Some(&format!("/t/{name}")), &[("PATH", "/bin"), ("MODE", name)])
            }
        };
        // Cargo runs nothing if one of them does not compile, and builds nothing after it.
        let count = if bad.is_empty() { good.len() } else { 0 };
        let library = if is_run || broken == "library" { "" } else { LIBRARY };
        let built = good.iter().take(count).map(answer).collect::<String>();
        let stdout = format!("{library}{built}");
        let messages = (!bad.is_empty()).then(|| "error: oops".to_owned());
        let code = if bad.is_empty() { 0 } else { 101 };
        Ok(ProgramResult { code, stdout: stdout.into(), messages })
    };
    let path = PathBuf::from;
    let site = Site {
        root: path("/w/a"),
        package: path("/w/a"),
        target: Some(path("/w/target")),
        triple: None,
    };
    let benches = how.build(&site, &runner(), &start).unwrap();
    (benches, calls.into_inner())
}

fn targets(benches: &Benches) -> Vec<String> {
    benches.built.iter().map(|bench| format!("{}/{}", bench.package, bench.target)).collect()
}

#[test]
fn the_targets_of_every_package_with_criterion_are_built() {
    let (benches, calls) = build(&BenchBuild::default(), "");
    assert_eq!(targets(&benches), ["a/one", "a/three", "a/two", "b/one"]);
    assert_eq!(benches.built[0].directory, PathBuf::from("/w/a"));
    assert_eq!(
        calls[0],
        "bench --no-run --no-fail-fast --package a 1 --bench one --bench two --profile bench --message-format \
         json-render-diagnostics --target-dir /w/target"
    );
    assert_eq!(calls.len(), 6);
    // Cargo runs what it has built in the same way.
    let again = calls[0].replacen(" --no-run", "", 1) + " --quiet -- --list";
    assert_eq!(calls[1], again);
    // A feature that a target requires is turned on for that target.
    assert!(calls[2].contains("--bench three --profile bench"), "{}", calls[2]);
    assert!(calls[2].ends_with("--features y"), "{}", calls[2]);
    assert!(!calls[4].contains("--features"), "{}", calls[4]);
    assert_eq!(benches.featured, ["`three` of `a` with the required features `y`"]);
    assert!(benches.faults.is_empty() && benches.missing.is_empty(), "{:?}", benches.faults);
}

#[test]
fn a_budget_says_the_features_and_the_profile() {
    let how = BenchBuild {
        features: Some(vec!["x".to_owned()]),
        profile: Some("dist".to_owned()),
        all: false,
        one_unit: vec!["a@1.0.0".to_owned()],
    };
    let (benches, calls) = build(&how, "");
    assert_eq!(targets(&benches), ["a/one", "a/three", "b/one"]);
    assert!(calls[0].contains("--profile dist"), "{}", calls[0]);
    assert!(calls[0].contains("--no-default-features --features x"), "{}", calls[0]);
    assert!(
        calls[0].contains("--config profile.dist.package.\"a@1.0.0\".codegen-units=1"),
        "{}",
        calls[0]
    );
    let [fault] = &benches.faults[..] else { panic!("{:?}", benches.faults) };
    assert!(fault.text.contains("`two` of `a` is not built without the feature `std`"), "{fault}");
    assert_eq!(benches.missing, [("a".to_owned(), "two".to_owned())]);
    assert!(benches.featured.is_empty());
    assert_eq!(
        how.note(),
        "built by `cargo bench`, profile dist, features x, each package of the workspace in one codegen unit"
    );
}

#[test]
fn a_target_that_does_not_compile_leaves_the_others() {
    let (benches, calls) = build(&BenchBuild::default(), "two");
    // What cargo has left out is built alone, and all of it is run at once.
    let named = |call: &String| call.matches("--bench ").count();
    assert_eq!(calls.iter().take(4).map(named).collect::<Vec<_>>(), [2, 1, 1, 1], "{calls:?}");
    assert_eq!(targets(&benches), ["a/one", "a/three", "b/one"]);
    assert_eq!(benches.missing, [("a".to_owned(), "two".to_owned())]);
    let [fault] = &benches.faults[..] else { panic!("{:?}", benches.faults) };
    assert_eq!(fault.cause, Cause::ExitedBadly);
    assert_eq!(
        fault.text,
        "failed to build the benchmarks of `a`: cargo ended with exit code 101 and left out `two`"
    );
    assert_eq!(fault.output.as_deref(), Some("error: oops"));
    // Without the library none of them can be built.
    let (benches, calls) = build(&BenchBuild::default(), "library");
    assert_eq!((targets(&benches).len(), calls.len()), (0, 3), "{calls:?}");
    assert!(benches.faults[0].text.ends_with("left out `one`, `two`"), "{}", benches.faults[0]);
    let fault = &build(&BenchBuild::default(), "three").0.faults[0];
    assert_eq!(
        fault.text,
        "failed to build the benchmarks of `a` with the required features `y`: cargo ended with exit code 101 and left out \
         `three`"
    );
}

#[test]
fn a_program_has_the_variables_that_cargo_tells_or_is_a_fault() {
    let (benches, _) = build_by(&BenchBuild::default(), "", "two");
    assert_eq!(targets(&benches), ["a/one", "a/three", "b/one"]);
    let mode = |target: &str| [("MODE".to_owned(), Some(target.to_owned()))].into();
    let variables: Vec<&Changes> = benches.built.iter().map(|bench| &bench.variables).collect();
    assert_eq!(variables, [&mode("one"), &mode("three"), &mode("one")]);
    assert_eq!(benches.missing, [("a".to_owned(), "two".to_owned())]);
    let [fault] = &benches.faults[..] else { panic!("{:?}", benches.faults) };
    assert_eq!(fault.cause, Cause::Harness);
    let want = "failed to find the variables with which cargo runs the benchmarks of `two`";
    assert!(fault.text.starts_with(want), "{fault}");
}

#[test]
fn a_workspace_that_cargo_does_not_describe_is_an_error() {
    let start = |_: &Step| Err(Unmeasured::new(Cause::NotFound, "no such program"));
    let path = PathBuf::from;
    let site = Site { root: path("/w"), package: path("/w"), target: None, triple: None };
    let why = BenchBuild::default().build(&site, &runner(), &start).unwrap_err();
    assert!(why.text.starts_with("failed to find the benchmarks of the workspace"), "{why}");
}

#[test]
fn two_budgets_with_the_same_options_are_built_once() {
    let build_of = |text: &str| {
        let text = format!("[budget.b]\n{text}\nmax.mean = \"1 s\"\n");
        let file = crate::budget::parse(&text, std::path::Path::new("budgets.toml")).unwrap();
        BenchBuild::of(&file.budgets[0].subject, &file.budgets[0].build)
    };
    let plain = build_of("criterion = \"*\"");
    assert_eq!(build_of("criterion = \"x\"\nprofile = \"bench\""), plain);
    assert_eq!(build_of("divan = \"*\""), plain);
    assert_ne!(build_of("criterion = \"*\"\nprofile = \"release\""), plain);
    let features = build_of("criterion = \"*\"\nfeatures = [\"b\", \"a\", \"b\"]");
    assert_eq!(build_of("criterion = \"*\"\nfeatures = [\"a\", \"b\"]"), features);
    // Only a build shows which packages have functions with `#[bench]`.
    assert!(build_of("libtest = \"*\"").all && !plain.all);
}
