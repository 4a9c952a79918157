//! Tests of `cargo budget accept` as people run it: a project with a record goes in, `budgets.lock` and messages come
//! out.

mod project;
#[path = "../schemas/mod.rs"]
mod schemas;

use project::{Project, bytes, seconds};

const BUDGETS: &str = r#"
[budget.merge]
workload = "merge"
max = { p99 = ["10 ms", "1.05 x lock"] }

[budget.wasm]
artifact = "app.wasm"
max = { gzip = ["100 KB", "1.05 x lock"] }
"#;

const LOCK: &str = r#"# ours
version = 1

# a frame
["merge::p99"]
# measured twice
value = 0.005
low = 0.0049
high = 0.0051
unit = "s"
date = "2026-01-02"
commit = "a1b2c3d"
environment = { platform = "linux x86_64", processor = "Z80", cores = 2, profile = "release" }

["wasm::gzip"]
value = 76200
unit = "B"
date = "2026-01-02"
environment = { platform = "linux x86_64", processor = "Z80", cores = 2, profile = "release" }
"#;

fn project() -> Project {
    Project::new(BUDGETS)
}

#[test]
fn the_first_values() {
    let project = project();
    project.record(&[seconds("merge::p99", 0.005), bytes("wasm::gzip", 76_200.0)]);
    let run = project.accept(&[]).exited(0);
    run.says("accepted  merge::p99: 5 ms, between 4.90 ms and 5.10 ms, for the first time\n");
    run.says("accepted  wasm::gzip: 76.2 KB, for the first time\n");
    run.says("2 accepted, 0 unchanged, 0 refused\n");
    assert!(run.stdout.contains("+[\"merge::p99\"]\n"), "{run:?}");
    let locked = &project.lock().values["merge::p99"];
    assert_eq!((locked.value, locked.low, locked.high), (0.005, Some(0.0049), Some(0.0051)));
    assert_eq!((locked.environment.processor.as_str(), locked.environment.cores), ("Z80", 2));
    let locked = &project.lock().values["wasm::gzip"];
    assert_eq!((locked.value, locked.low, locked.high), (76_200.0, None, None));
    // There is no repository, so no revision is known.
    assert_eq!(locked.commit, None);
    assert!(locked.date.to_string().as_str() > "2026-01-01");
    // A second run finds nothing to add.
    let before = project.text();
    project.accept(&[]).exited(0).says("0 accepted, 2 unchanged, 0 refused\n");
    assert_eq!(project.text(), before);
}

#[test]
fn a_dry_run_writes_nothing() {
    let project = project();
    project.record(&[bytes("wasm::gzip", 76_200.0)]);
    let run = project.accept(&["--dry-run"]).exited(0);
    assert!(run.stdout.contains("+value = 76200 # 76.2 KB\n"), "{run:?}");
    run.says("1 would be accepted, 0 unchanged, 0 refused\n");
    assert!(!project.file("budgets.lock").exists());
}

#[test]
fn values_that_were_not_measured_stay_with_their_comments() {
    let project = project();
    project.write("budgets.lock", LOCK);
    project.record(&[bytes("wasm::gzip", 80_000.0)]);
    let run = project.accept(&[]).exited(0);
    run.says("accepted  wasm::gzip: 80 KB; it was 76.2 KB on 2026-01-02\n");
    let text = project.text();
    let (merge, _) = LOCK.split_once("[\"wasm::gzip\"]").unwrap();
    assert!(text.starts_with(merge), "{text}");
    assert!(text[merge.len()..].starts_with("[\"wasm::gzip\"]\nvalue = 80000 # 80 KB\n"), "{text}");

    project.record(&[seconds("merge::p99", 0.008), bytes("first::gzip", 10.0)]);
    project.write(
        "budgets.toml",
        &format!("{BUDGETS}[budget.first]\nartifact = \"a\"\nmax.gzip = \"1 KB\"\n"),
    );
    project.accept(&[]).exited(0).says("2 accepted");
    let text = project.text();
    let place = |words: &str| text.find(words).unwrap_or_else(|| panic!("no {words:?}\n{text}"));
    assert!(place("# ours") < place("[\"first::gzip\"]"));
    assert!(
        place("[\"first::gzip\"]")
            < place("# a frame\n[\"merge::p99\"]\n# measured twice\nvalue = 0.008")
    );
    assert!(place("value = 0.008") < place("[\"wasm::gzip\"]"));
}

#[test]
fn unchanged_values_keep_their_blocks() {
    let project = project();
    project.write("budgets.lock", LOCK);
    project.record(&[seconds("merge::p99", 0.0051), bytes("wasm::gzip", 76_200.0)]);
    let run = project.accept(&[]).exited(0);
    run.says("unchanged merge::p99\nunchanged wasm::gzip\n0 accepted, 2 unchanged, 0 refused\n");
    assert_eq!((project.text().as_str(), run.stdout.as_str()), (LOCK, ""));
    // A value that is named is always accepted.
    for name in ["merge", "merge::p99"] {
        project.accept(&[name]).exited(0).says("1 accepted, 0 unchanged, 0 refused\n");
        assert_eq!(project.lock().values["merge::p99"].value.to_bits(), 0.0051_f64.to_bits());
    }
}

#[test]
fn a_value_over_its_limit_is_refused() {
    let project = project();
    project.record(&[bytes("wasm::gzip", 120_000.0).fails(), seconds("merge::p99", 0.005)]);
    for args in [&["--red"][..], &[]] {
        let run = project.accept(args).exited(1);
        run.says("refused   wasm::gzip: over; fix it, or change the limit first\n");
        assert_eq!(project.lock().values.len(), 1);
    }
    let waived = bytes("wasm::gzip", 120_000.0).fails().waived();
    project.record(&[waived]);
    project
        .accept(&[])
        .exited(0)
        .says("the limit is broken and waived, so its value is not accepted\n");
}

#[test]
fn growth_against_the_lock_is_accepted_on_purpose() {
    let project = project();
    project.write("budgets.lock", LOCK);
    let absolute = seconds("merge::p99", 0.0056);
    let against_lock = seconds("merge::p99", 0.0056).against_lock(0.005).fails();
    project.record(&[absolute, against_lock]);
    let run = project.accept(&["merge"]).exited(1);
    run.says("refused   merge::p99: over; if the change is intended, accept it with --red\n");
    assert_eq!(project.text(), LOCK);
    let run = project.accept(&["--red"]).exited(0);
    run.says("accepted  merge::p99: 5.60 ms, between 5.49 ms and 5.71 ms; it was 5 ms, between 4.90 ms and 5.10 \
              ms on 2026-01-02 at a1b2c3d\n");
    // The intervals overlap, but the value is red all the same, so `--red` accepts it.
    project.write("budgets.lock", LOCK);
    project.record(&[seconds("merge::p99", 0.0052).against_lock(0.005).fails()]);
    project.accept(&["--red"]).exited(0).says("1 accepted");
}

#[test]
fn a_value_without_a_verdict_is_refused() {
    let project = project();
    project.record(&[
        bytes("wasm::gzip", 1.0).unmeasured(),
        seconds("merge::p99", 0.005).inconclusive(),
    ]);
    let run = project.accept(&[]).exited(3);
    run.says("refused   wasm::gzip: it has no value: gone\n");
    run.says("refused   merge::p99: the evidence did not suffice: underpowered\n");
    assert!(!project.file("budgets.lock").exists());
    project.accept(&["merge"]).exited(4);
    // A value that was skipped because there was no accepted value can be accepted.
    project.record(&[seconds("merge::p99", 0.005).skipped()]);
    project.accept(&[]).exited(0).says("1 accepted");
    project.record(&[seconds("merge::p99", 0.005).skipped().without_value()]);
    project.accept(&[]).exited(0).says("refused   merge::p99: it has no value: no base\n");
}

#[test]
fn only_sizes_of_artifacts_are_accepted_from_a_debug_build() {
    let project = project();
    let outcomes =
        [seconds("merge::p99", 0.005), bytes("merge::heap", 5.0), bytes("wasm::gzip", 9.0)];
    project.record(&outcomes.map(project::Measured::in_debug));
    let run = project.accept(&[]).exited(3);
    run.says(
        "refused   merge::heap: it was measured in a debug build; run `cargo test --release`\n",
    );
    run.says("1 accepted, 0 unchanged, 2 refused\n");
}

#[test]
fn a_ratio_to_the_base_is_not_accepted() {
    let project = project();
    project.record(&[seconds("merge::p99", 1.0).relative_to("base"), bytes("wasm::gzip", 9.0)]);
    project.accept(&[]).exited(0).says("1 accepted, 0 unchanged, 0 refused\n");
    project.record(&[seconds("merge::p99", 1.0).relative_to("wasm")]);
    project.accept(&[]).exited(0).says("accepted  merge::p99::x_wasm: ");
}

#[test]
fn errors_name_the_remedy() {
    let project = project();
    project.accept(&[]).exited(3).says("no outcomes are recorded");
    let rows = ["wasm::gzip", "gone::gzip", "wasm::size"];
    project.record(&rows.map(|row| bytes(row, 9.0)));
    let run = project.accept(&["wsm"]).exited(2);
    run.says("the last run has no `wsm` that could be accepted; it has `wasm`, `gone`; run");
    project.accept(&["gone"]).exited(0).says("budgets.toml has no budget `gone` any more");
    project.write("budgets.lock", "version = 2\n");
    project.accept(&[]).exited(2).says("the lock is of version 2, and 1 is known here");
    assert_eq!(project.text(), "version = 2\n");
    project.write("budgets.toml", "[budget.a]\n");
    project.accept(&[]).exited(2).says("the budget `a` has no limit");
}

#[test]
fn quiet_prints_only_refusals() {
    let project = project();
    project.record(&[bytes("wasm::gzip", 120_000.0).fails(), seconds("merge::p99", 0.005)]);
    let run = project.accept(&["--quiet"]).exited(1);
    assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
}

#[test]
fn the_revision_is_the_one_that_is_checked_out() {
    let project = project();
    project.git(&["init", "--quiet"]);
    project.git(&["add", "budgets.toml"]);
    project.git(&["commit", "--quiet", "--message", "begin"]);
    let head = project.git(&["rev-parse", "--short", "HEAD"]);
    project.record(&[bytes("wasm::gzip", 9.0)]);
    let commit = || project.lock().values["wasm::gzip"].commit.clone();
    project.accept(&["wasm"]).exited(0);
    assert_eq!(commit().as_deref(), Some(head.trim()));
    // The lock itself does not make the tree dirty.
    project.git(&["add", "budgets.lock"]);
    project.accept(&["wasm"]).exited(0);
    assert_eq!(commit().as_deref(), Some(head.trim()));
    project.write("budgets.toml", &format!("{BUDGETS}\n# more\n"));
    project.accept(&["wasm"]).exited(0);
    assert_eq!(commit(), Some(format!("{}-dirty", head.trim())));
}

#[test]
fn prune_removes_only_values_without_a_limit() {
    let project = Project::new(
        "[budget.a]\nartifact = \"f\"\nmax = { size = \"1 MB\", gzip = \"1.5 x lock\" }\n\
         [budget.b]\nartifact = \"f\"\nmax = { size = \"1 MB\" }\n",
    );
    project.record(&[bytes("a::size", 10.0), bytes("a::gzip", 5.0), bytes("b::size", 20.0)]);
    project.accept(&[]).exited(0);
    let whole = project.text();
    project.accept(&["--prune"]).exited(0).says("0 removed");
    assert_eq!(project.text(), whole);
    project.write(
        "budgets.toml",
        "[budget.a]\nartifact = \"f\"\nmax = { size = \"1 MB\", gzip = \"1.5 x lock\" }\n",
    );
    let shown = project.accept(&["--prune", "--dry-run"]).exited(0);
    assert!(shown.stdout.contains("-[\"b::size\"]"), "{shown:#?}");
    assert_eq!(project.text(), whole);
    project.accept(&["--prune"]).exited(0).says("removed   b::size");
    let lock = project.lock();
    assert_eq!(lock.values.keys().collect::<Vec<_>>(), ["a::gzip", "a::size"]);
    assert!(whole.starts_with(project.text().trim_end()), "{}", project.text());
    project.accept(&["--prune", "a"]).exited(2);
    // A limit of an environment is one, whichever is in force.
    project.write(
        "budgets.toml",
        "[budget.a]\nartifact = \"f\"\nmax = { size = \"1 MB\" }\n\
         [env.board.budget.a]\nmax.gzip = \"1.5 x lock\"\n",
    );
    project.accept(&["--prune"]).exited(0).says("0 removed");
    project.accept(&["--prune", "--env", "board"]).exited(0).says("0 removed");
}

#[test]
fn what_was_done_is_said_to_programs() {
    let project = project();
    project.record(&[seconds("merge::p99", 0.005), bytes("wasm::gzip", 76_200.0)]);
    let document = |arguments: &[&str], code: i32| {
        let ran = project.accept(&[arguments, &["--format", "json"]].concat()).exited(code);
        let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        schemas::holds("edits", &document);
        assert_eq!((&document["command"], &document["exit"]), (&"accept".into(), &code.into()));
        document
    };
    let dry = document(&["--dry-run"], 0);
    assert!(!project.file("budgets.lock").exists());
    let first = document(&[], 0);
    assert_eq!((&first["files"], &first["files"][0]["change"]), (&dry["files"], &"wrote".into()));
    assert_eq!(first["entries"][0]["what"], "accepted");
    assert_eq!(first["entries"][0]["name"], "merge::p99");
    let again = document(&[], 0);
    assert_eq!(
        (&again["files"][0]["change"], &again["entries"][1]["what"]),
        (&"none".into(), &"unchanged".into())
    );
    project.record(&[seconds("merge::p99", 0.02).fails()]);
    assert_eq!(document(&[], 1)["entries"][0]["what"], "refused");
    project.write("budgets.toml", "[budget.other]\nworkload = \"merge\"\nmax.p99 = \"1 s\"\n");
    assert_eq!(document(&["--prune"], 0)["entries"][0]["what"], "removed");
}
