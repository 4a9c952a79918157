//! Tests of budgets on several benchmarks: which tests such a budget makes, and the test that says which benchmarks
//! there are. The cargo that builds the benchmarks and the programs are scripts, so that nothing is compiled.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use libtest_mimic::Trial;
use perf_budget_core::outcome::Outcome;
use perf_budget_core::verdict::Verdict;

use crate::gate::Case;
use crate::row;

pub(crate) fn rows() -> Vec<Trial> {
    vec![
        row("benchmarks::a_pattern_makes_a_test_of_each", a_pattern_makes_a_test_of_each),
        row("benchmarks::none_found_is_red", none_found_is_red),
        row("benchmarks::what_does_not_build_is_red", what_does_not_build_is_red),
        row("benchmarks::a_program_that_panics_is_red", a_program_that_panics_is_red),
        row("benchmarks::each_has_the_variables_of_cargo", each_has_the_variables_of_cargo),
        row("benchmarks::listing_again_starts_nothing", listing_again_starts_nothing),
        row("benchmarks::a_stale_list_is_red", a_stale_list_is_red),
        row("benchmarks::new_and_gone_ones_are_reported", new_and_gone_ones_are_reported),
    ]
}

const ALL: &str = "[budget.all]\ncriterion = \"*\"\nmax.mean = \"1 s\"\n";

fn script(path: &Path, text: &str) {
    fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// How the program writes Criterion's record of the benchmark that is asked for: ten batches of ten iterations. A build without debug
/// assertions measures it; any other build skips it.
const RECORD: &str = r#"record() {
    mkdir -p "$CRITERION_HOME/$1/new"
    echo '{"full_id":"'"$1"'"}' > "$CRITERION_HOME/$1/new/benchmark.json"
    t=3000
    echo '{"iters":[10,10,10,10,10,10,10,10,10,10],"times":['$t,$t,$t,$t,$t,$t,$t,$t,$t,$t']}' > "$CRITERION_HOME/$1/new/sample.json"
}
for name; do :; done
"#;

/// Writes the program of a bench target, which has these benchmarks.
fn program(case: &Case, target: &str, names: &[&str]) {
    let list: Vec<String> = names.iter().map(|name| format!("echo '{name}: benchmark';")).collect();
    let list = list.join(" ");
    let dir = case.dir.display();
    let text = format!(
        "{RECORD}echo $2 >> {dir}/asked\ncase \"$*\" in\n*--help*) echo ' --sample-size --exact --quick';;\n*'--list -- '*) ;;\n\
         *--list*) {list} ;;\n*) record \"$name\" ;;\nesac"
    );
    script(&case.dir.join(target), &text);
}

/// Makes a project with a bench target `sums` of Criterion and a target `other` of something else.
fn project(name: &str, budgets: &str, names: &[&str]) -> Case {
    let case = Case::new(name, budgets);
    let dir = case.dir.clone();
    let shown = dir.display();
    program(&case, "sums", names);
    script(&dir.join("other"), &format!("echo other >> {shown}/asked; exit 1"));
    let targets = ["sums", "other"];
    let described: Vec<String> =
        targets.map(|target| format!(r#"{{"name":"{target}","kind":["bench"]}}"#)).into();
    let metadata = format!(
        r#"{{"workspace_members":["kit 1"],"packages":[{{"id":"kit 1","name":"kit","manifest_path":"{shown}/Cargo.toml","dependencies":[{{"name":"criterion"}}],"targets":[{}]}}]}}"#,
        described.join(",")
    );
    let messages = targets.map(|target| {
        format!(
            r#"{{"reason":"compiler-artifact","target":{{"name":"{target}","kind":["bench"]}},"executable":"{shown}/{target}"}}"#
        )
    });
    fs::write(dir.join("metadata.json"), metadata).unwrap();
    fs::write(dir.join("messages.json"), messages.join("\n")).unwrap();
    script(
        &dir.join("cargo"),
        &format!(
            "[ $1 = metadata ] && exec cat {shown}/metadata.json\n[ $1 = -vV ] && exec echo 'host: x-y-z'\n\
             [ $2 = --no-run ] || {{ for target in sums other; do $CARGO_TARGET_X_Y_Z_RUNNER {shown}/$target; done; exit 0; }}\necho build >> {shown}/builds\ncat {shown}/messages.json\n\
             [ -f {shown}/broken ] && echo 'error: it does not compile' >&2 && exit 101\nexit 0"
        ),
    );
    case.env("CARGO", dir.join("cargo"))
}

fn listed(case: &Case) -> Vec<String> {
    let list = case.start_list().end().exited(0).stdout;
    list.lines().filter_map(|line| line.strip_suffix(": test").map(str::to_owned)).collect()
}

/// Returns how many lines a script has left in a file.
fn count(case: &Case, file: &str) -> usize {
    fs::read_to_string(case.dir.join(file)).unwrap_or_default().lines().count()
}

fn benchmarks_outcome(case: &Case) -> Outcome {
    let mut outcomes = case.outcomes().into_iter();
    outcomes.rfind(|outcome| outcome.test == "all::benchmarks").unwrap()
}

fn a_pattern_makes_a_test_of_each() {
    let case = project("benchmarks-each", ALL, &["sum/of 10", "fmt::one"]);
    assert_eq!(listed(&case), ["all::sum/of_10::mean", "all::fmt.one::mean", "all::benchmarks"]);
    case.run().exited(0);
    let outcome = benchmarks_outcome(&case);
    assert_eq!(outcome.verdict, Verdict::Pass);
    assert_eq!(outcome.reason, "2 benchmarks; not Criterion's, and not run: `other`");
    // The program without Criterion was never started.
    assert!(!fs::read_to_string(case.dir.join("asked")).unwrap().contains("other"));
}

fn none_found_is_red() {
    let budgets = ALL.replace("\"*\"", "\"parse/*\"");
    let case = project("benchmarks-none", &budgets, &["sum"]);
    assert_eq!(listed(&case), ["all::benchmarks"]);
    case.run()
        .exited(101)
        .printed(["no benchmark is named like the criterion parse/*: there are `sum`"]);
    let case = project("benchmarks-empty", ALL, &[]);
    case.run().exited(101).printed(["the bench targets `other` are not Criterion's"]);
}

fn what_does_not_build_is_red() {
    let case = project("benchmarks-broken", ALL, &["sum"]);
    fs::write(case.dir.join("broken"), "").unwrap();
    case.run().exited(101).printed([
        "failed to build the benchmarks of `kit`: cargo ended with exit code 101",
        "error: it does not compile",
    ]);
    assert_eq!(benchmarks_outcome(&case).cause.as_deref(), Some("exited-badly"));
}

fn a_program_that_panics_is_red() {
    let case = project("benchmarks-panics", ALL, &[]);
    script(&case.dir.join("sums"), "echo 'thread main panicked' >&2; exit 101 # CRITERION_HOME");
    case.run().exited(101).printed([
        "failed to list the benchmarks of `sums`: with `--help` it ended with exit code 101",
        "thread main panicked",
    ]);
}

/// If cargo runs a program without the variable that it should set, the program would be measured in another environment.
fn each_has_the_variables_of_cargo() {
    let case = project("benchmarks-variables", ALL, &["one"]);
    let changed_loop = "for target in sums other; do MODE=fast";
    let cargo = fs::read_to_string(case.dir.join("cargo")).unwrap();
    let cargo = cargo.replacen("for target in sums other; do", changed_loop, 1);
    fs::write(case.dir.join("cargo"), &cargo).unwrap();
    let program = fs::read_to_string(case.dir.join("sums")).unwrap();
    let record = "echo \"$MODE $OUT_DIR\" >> \"$PWD/modes\"\n";
    script(&case.dir.join("sums"), &(record.to_owned() + &program));
    let case = case.env("OUT_DIR", "of the test's own package");
    assert_eq!(listed(&case), ["all::one::mean", "all::benchmarks"]);
    case.run();
    let modes = fs::read_to_string(case.dir.join("modes")).unwrap();
    // It is listed by three processes, and then measured where times are judged.
    let processes = if cfg!(debug_assertions) { 3..=3 } else { 4..=usize::MAX };
    assert!(processes.contains(&modes.lines().count()), "{modes:?}");
    assert!(modes.lines().all(|line| line == "fast "), "{modes:?}");
    fs::write(case.dir.join("cargo"), cargo.replace("do MODE=fast", "do : ")).unwrap();
    case.run()
        .exited(101)
        .printed(["failed to find the variables with which cargo runs the benchmarks of `sums`"]);
}

fn listing_again_starts_nothing() {
    let case = project("benchmarks-listing", ALL, &["one"]);
    let first = listed(&case);
    let counts = (count(&case, "builds"), count(&case, "asked"));
    assert_eq!(counts, (1, 3));
    assert_eq!(listed(&case), first);
    assert_eq!((count(&case, "builds"), count(&case, "asked")), counts);
    // A new program is asked again.
    program(&case, "sums", &["one", "another one"]);
    assert_eq!(listed(&case), ["all::one::mean", "all::another_one::mean", "all::benchmarks"]);
    assert_eq!((count(&case, "builds"), count(&case, "asked")), (2, 6));
}

/// Under nextest the tests were listed before. A test of the old list is still there, so that it does not pass unseen.
fn a_stale_list_is_red() {
    let case = project("benchmarks-stale", ALL, &["one", "gone"]);
    // Nextest gives a run its name after it has listed the tests.
    let names = listed(&case);
    let case = case.env("NEXTEST_RUN_ID", "stale");
    program(&case, "sums", &["one", "a new one"]);
    for name in &names {
        // One that is gone cannot be measured, where times are judged.
        let is_red =
            name == "all::benchmarks" || name == "all::gone::mean" && !cfg!(debug_assertions);
        let code = if is_red { 101 } else { 0 };
        let run = case.start_test(name).end().exited(code);
        run.printed(["1 test"]);
    }
    let outcome = benchmarks_outcome(&case);
    assert_eq!(
        outcome.reason,
        "the benchmarks are not those that the tests were made of: new: `a new one`; gone: `gone`; run the tests again"
    );
}

/// Runs a project against a base that has these benchmarks.
fn against(name: &str, names: &[&str], base: &[&str]) -> Case {
    let budgets = ALL.replace("1 s", "1.05 x base");
    let head = project(&format!("benchmarks-{name}"), &budgets, names);
    let base = project(&format!("benchmarks-base-of-{name}"), ALL, base);
    // Both are listed here, as the command lists them.
    let list = |case: &Case| {
        listed(case);
        let lists = case.dir.join("results/benchmarks");
        let mut files = fs::read_dir(lists).unwrap().map(|entry| entry.unwrap().path());
        files.find(|file| file.extension().is_some_and(|ending| ending == "json")).unwrap()
    };
    let lists = [list(&head), list(&base)].map(|path| path.display().to_string());
    let details = format!(
        r#"{{"version":1,"environment":{{}},"notes":[],"lacks":"has no budgets.toml","benchmarks":[{{"features":null,"profile":null,"head":{:?},"base":{:?}}}]}}"#,
        lists[0], lists[1]
    );
    let case = head.env("PERF_BUDGET_BASE_DETAILS", details);
    case.run().exited(0);
    case
}

fn new_and_gone_ones_are_reported() {
    let check = |case: &Case, words: &str| {
        assert_eq!(benchmarks_outcome(case).reason.split_once("run: `other`; ").unwrap().1, words);
    };
    let case = against("some", &["one", "new one"], &["one", "old one"]);
    check(&case, "new: `new one` since the base; gone: `old one` since the base");
    let outcomes = case.outcomes();
    let new = outcomes.iter().find(|outcome| outcome.test == "all::new_one::mean::x_base").unwrap();
    assert_eq!(new.verdict, Verdict::Skipped);
    assert!(new.reason.contains("the base revision has no such benchmark"), "{}", new.reason);
    let none =
        "none is compared, since the base has no benchmark of Criterion; new: `one` since the base";
    check(&against("first", &["one"], &[]), none);
    let other = "none is compared, since the base has no such benchmark of Criterion; new: `one` since the base; gone: `two` \
                 since the base";
    check(&against("others", &["one"], &["two"]), other);
}
