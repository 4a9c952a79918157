//! Tests of the comparison with a base revision. Here the base is this same binary, which works in another directory
//! and finds other values there.

use std::fs;
use std::path::PathBuf;

use libtest_mimic::Trial;
use perf_budget_core::handover::{Details, Handover};
use perf_budget_core::outcome::Outcome;
use perf_budget_core::verdict::Verdict;

use crate::gate::{Case, Run};
use crate::row;

const DEPTH: &str = r#"
[budget.depth]
workload = "depth in a file"
max = { depth = "1.05 x base" }
"#;

pub(crate) fn rows() -> Vec<Trial> {
    vec![
        row("base::a_ratio_is_of_both_revisions", a_ratio_is_of_both_revisions),
        row("base::time_is_compared_by_interleaving", time_is_compared_by_interleaving),
        #[cfg(target_os = "linux")]
        row("base::system_calls_that_grew_are_named", system_calls_that_grew_are_named),
        row("base::a_new_budget_is_skipped", a_new_budget_is_skipped),
        row(
            "base::all_budgets_are_new_if_the_base_has_none",
            all_budgets_are_new_if_the_base_has_none,
        ),
        row("base::the_notes_on_its_build_are_reported", the_notes_on_its_build_are_reported),
        row("base::files_are_those_of_the_revision", files_are_those_of_the_revision),
        row("base::a_setting_compares_every_limit", a_setting_compares_every_limit),
        row("base::a_failure_of_the_base_is_reported", a_failure_of_the_base_is_reported),
        row("base::a_missing_binary_is_an_error", a_missing_binary_is_an_error),
    ]
}

/// Makes a case with a base revision beside it, which has the same budgets.
fn case(name: &str, budgets: &str, file: &str, [now, before]: [&str; 2]) -> Case {
    let case = Case::new(name, budgets);
    fs::write(case.dir.join(file), now).unwrap();
    let base = base(&case);
    fs::create_dir_all(&base).unwrap();
    fs::write(base.join("budgets.toml"), budgets).unwrap();
    fs::write(base.join(file), before).unwrap();
    let binary = std::env::current_exe().unwrap();
    case.env("PERF_BUDGET_BASE", binary).env("PERF_BUDGET_BASE_DIR", base)
}

/// Returns the case with the details of a base that only the command knows.
fn with_details(case: Case, details: Details) -> Case {
    let variables = Handover { details, ..Handover::default() }.to_env().unwrap();
    variables.into_iter().fold(case, |case, (name, value)| case.env(name, value))
}

fn base(case: &Case) -> PathBuf {
    case.dir.join("base")
}

#[track_caller]
fn outcome(case: &Case, test: &str) -> Outcome {
    let all = case.outcomes();
    all.iter().rfind(|outcome| outcome.test == test).unwrap_or_else(|| panic!("{all:#?}")).clone()
}

/// Both sides are counted, and a red names the calls that grew.
#[cfg(target_os = "linux")]
fn system_calls_that_grew_are_named() {
    if let Some(why) = perf_budget::internals::tracing_refused() {
        let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{why}\n"));
        return;
    }
    // Eight processes tell, however long they take on a busy machine.
    let budgets = "[settings]\neffort = \"100 s\"\n[budget.save]\nworkload = \"as many calls as a file says\"\nmax = { syscalls = \"1.05 x base\" }\n\
                   [budget.start]\ncommand = [\"cat\", \"count\"]\nmax = { syscalls = \"1 x base\" }\n";
    let case = case("base-syscalls", budgets, "count", ["1003", "3"]);
    case.run().exited(101);
    let save = outcome(&case, "save::syscalls::x_base");
    assert_eq!(save.verdict, Verdict::Fail, "{}", save.reason);
    assert!(save.reason.ends_with(": +1000 of `write` (3 to 1003)"), "{}", save.reason);
    let note = "system calls that changed: +1000 of `write` (3 to 1003)";
    assert!(save.notes.iter().any(|known| known == note), "{:?}", save.notes);
    assert_eq!((save.system_calls.len(), save.system_calls[0].before), (1, Some(3.0)));
    // A command reads another file on both sides, by as many calls.
    let start = outcome(&case, "start::syscalls::x_base");
    assert_eq!(start.verdict, Verdict::Pass, "{}", start.reason);
    let note = "each system call is made as often as at the reference";
    assert!(start.notes.iter().any(|known| known == note), "{:?}", start.notes);
}

fn a_ratio_is_of_both_revisions() {
    for (now, code, verdict, reason) in [
        ("100", 0, Verdict::Pass, "depth is 1 x base, within the limit of 1.05 x base"),
        ("120", 101, Verdict::Fail, "depth is 1.2 x base, over the limit of 1.05 x base"),
        ("50", 0, Verdict::Pass, "depth is 0.5 x base, within the limit of 1.05 x base"),
    ] {
        let case = case("base-ratio", DEPTH, "depth", [now, "100"]);
        case.run().exited(code);
        let outcome = outcome(&case, "depth::depth::x_base");
        assert_eq!((outcome.verdict, outcome.reason.as_str()), (verdict, reason));
        assert_eq!(outcome.relative_to.as_deref(), Some("base"));
        let sides = format!("depth {now} against 100 of `base`, interleaved");
        assert!(outcome.notes.contains(&sides), "{:?}", outcome.notes);
    }
}

/// Time is only judged in a release build; in a debug build the limit is skipped.
fn time_is_compared_by_interleaving() {
    let budgets = "[settings]\neffort = \"20 s\"\n[budget.loop]\n\
                   workload = \"as long as a file says\"\nmax = { mean = \"1.2 x base\" }\n";
    for (now, verdict) in [("40000", Verdict::Pass), ("80000", Verdict::Fail)] {
        let case = case("base-time", budgets, "count", [now, "40000"]);
        let run = case.run();
        let outcome = outcome(&case, "loop::mean::x_base");
        let expected = if cfg!(debug_assertions) { Verdict::Skipped } else { verdict };
        assert_eq!(outcome.verdict, expected, "{run}\n{outcome:#?}");
    }
}

fn a_new_budget_is_skipped() {
    let case = case("base-new", DEPTH, "depth", ["3", "3"]);
    fs::write(base(&case).join("budgets.toml"), DEPTH.replace(".depth]", ".other]")).unwrap();
    let case = case.env("PERF_BUDGET_STRICT", "1");
    case.run().exited(0);
    let outcome = outcome(&case, "depth::depth::x_base");
    assert_eq!(outcome.verdict, Verdict::Skipped, "{outcome:#?}");
    assert!(outcome.reason.starts_with("the base revision has no such budget"));
}

fn all_budgets_are_new_if_the_base_has_none() {
    let lacks = Details { lacks: Some("has no budgets.toml".to_owned()), ..Details::default() };
    let case = with_details(Case::new("base-adopted", DEPTH), lacks).env("PERF_BUDGET_STRICT", "1");
    fs::write(case.dir.join("depth"), "3").unwrap();
    case.run().exited(0);
    let outcome = outcome(&case, "depth::depth::x_base");
    assert_eq!(outcome.verdict, Verdict::Skipped, "{outcome:#?}");
    assert!(outcome.reason.starts_with("the base revision has no such budget"));
}

fn the_notes_on_its_build_are_reported() {
    let budgets = DEPTH.replace("max = {", "max = { depth = [4, \"1.05 x base\"] }\n#");
    let case = case("base-notes", &budgets, "depth", ["3", "3"]);
    let notes = ["with other flags", "with another lock"].map(str::to_owned).to_vec();
    let case = with_details(case, Details { notes, ..Details::default() });
    case.run().exited(0);
    let notes = |test: &str| outcome(&case, test).notes;
    let reported = notes("depth::depth::x_base");
    assert!(
        reported.starts_with(&["with other flags".into(), "with another lock".into()]),
        "{reported:?}"
    );
    assert!(!notes("depth::depth").contains(&"with other flags".to_owned()));
}

fn files_are_those_of_the_revision() {
    let budgets = "[budget.file]\nartifact = \"text\"\nmax = { size = \"1.1 x base\" }\n";
    let case = case("base-file", budgets, "text", ["twelve chars", "ten chars."]);
    case.run().exited(101);
    let outcome = outcome(&case, "file::size::x_base");
    assert_eq!(outcome.reason, "size is 1.2 x base, over the limit of 1.1 x base");
}

fn a_setting_compares_every_limit() {
    let budgets = "[settings]\nbase = \"10 %\"\n[budget.file]\nartifact = \"text\"\n\
                   max = { size = \"1 KB\", gzip = \"1.5 x base\" }\n";
    let case = case("base-setting", budgets, "text", ["twelve chars", "ten chars."]);
    let run = case.run().exited(101);
    run.printed(["file::size", "file::size::x_base", "over the limit of 1.1 x base"]);
    assert_eq!(run.count(), "3 limits of 1 budget: 2 pass, 1 fail");
    // Without a base revision the setting has no effect.
    let without_base = Case::new("base-setting-alone", budgets);
    fs::write(without_base.dir.join("text"), "twelve chars").unwrap();
    assert_eq!(without_base.run().exited(0).count(), "2 limits of 1 budget: 1 pass; 1 skipped");
    // If nothing may be skipped, the limits that the setting adds are red.
    let strict = without_base.env("PERF_BUDGET_STRICT", "1").run().exited(101);
    assert_eq!(strict.count(), "3 limits of 1 budget: 1 pass; 2 unmeasured");
    strict.printed(["file::size::x_base", "PERF_BUDGET_STRICT lets nothing be skipped"]);
}

fn a_failure_of_the_base_is_reported() {
    let case = case("base-fails", DEPTH, "depth", ["3", "deep"]);
    case.run().exited(101);
    let failed = outcome(&case, "depth::depth::x_base");
    assert_eq!(failed.verdict, Verdict::Unmeasured);
    assert!(failed.reason.starts_with("the base was not measured: workload `depth in a file`"));
    let zero = self::case("base-zero", DEPTH, "depth", ["3", "0"]);
    zero.run().exited(101);
    let reason = outcome(&zero, "depth::depth::x_base").reason;
    assert!(reason.contains("depth is above 0 where it is 0 of base, over the limit"), "{reason}");
    // A command whose code does not meet the limit on it is no reference, and no subject.
    #[cfg(target_os = "linux")]
    for (codes, text) in [
        (["0", "1"], "the base was not measured: `sh` ended with exit code 1"),
        (["1", "0"], "`sh` ended with exit code 1, which the budget's limit on `exit`"),
    ] {
        let budgets = "[budget.app]\ncommand = [\"sh\", \"-c\", \"exit $(cat code)\"]\n\
                       max = { exit = 0, page_faults = \"9 x base\" }\n";
        let case = self::case("base-exits", budgets, "code", codes);
        case.run().exited(101);
        let failed = outcome(&case, "app::page_faults::x_base");
        assert_eq!(failed.verdict, Verdict::Unmeasured, "{failed:#?}");
        assert!(failed.reason.starts_with(text), "{}", failed.reason);
    }
}

fn a_missing_binary_is_an_error() {
    let refused = |run: Run, text: &str| {
        let run = run.exited(2);
        assert!(run.stderr.contains(text), "{run}");
    };
    let nowhere = case("base-nowhere", DEPTH, "depth", ["3", "3"]).env("PERF_BUDGET_BASE", "gone");
    refused(nowhere.run(), "PERF_BUDGET_BASE names `gone`, which is not a file");
    let head = case("base-head", DEPTH, "depth", ["3", "3"]).env("PERF_BUDGET_HEAD", "gone");
    refused(head.run(), "PERF_BUDGET_HEAD names `gone`");
}
