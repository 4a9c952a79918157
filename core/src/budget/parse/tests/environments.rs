//! Tests of files with environments: what an environment changes, and what is refused.

use std::path::Path;
use std::time::Duration;

use super::{environment_facts, parse};
use crate::budget::environment::EnvironmentFacts;
use crate::budget::{Bound, Budget, Budgets, Limit, Reference, Target, parse_in};

/// Whole files with mistakes in or about `[env.NAME]`.
pub(super) const FILES: &[&str] = &[
    "env = 3\n",
    "[env]\nci = 3\n",
    "[env.none]\n[env.\"a b\"]\neffort = \"1 s\"\n[env.ci]\nwhen.ci = true\n",
    "[env.ci]\nefort = \"1 s\"\nalpha = 0.1\nwhen = 3\neffort = 3\n",
    "[env.ci]\neffort = \"1 s\"\nwhen = {}\n[env.b]\neffort = \"1 s\"\nwhen = { ci = \"githib\", os = \"Linux\", arch = 64, cpu = \"x\" }\n",
    "[env.a]\neffort = \"1 s\"\nwhen = { processor = \"\", cores = 0 }\n[env.b]\neffort = \"1 s\"\nwhen = { processor = 3, cores = [] }\n[env.c]\neffort = \"1 s\"\nwhen.cores = [2, \"4\", 0]\n[env.d]\neffort = \"1 s\"\nwhen.cores = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17]\n",
    "[budget.a]\nworkload = \"a\"\nload = { shape = \"constant\", rate = \"10 op/s\" }\nmax.p99 = \"1 ms\"\n[env.ci.budget.a]\nmax.allocs = 3\n",
    "[budget.a]\nworkload = \"a\"\nmax.p99 = \"1 ms\"\n[env.ci]\nbudget = 3\n[env.b]\nbudget = {}\n[env.c]\nbudget.a = 3\n",
    "[budget.a]\nworkload = \"a\"\nmax.p99 = \"1 ms\"\n[env.ci.budget.b]\nmax.p99 = \"1 s\"\n[env.ci.budget.merge]\n[env.ci.budget.a]\nwhy = \"slow\"\n",
    "[budget.merge]\nworkload = \"a\"\nmax.p99 = \"1 ms\"\n[env.ci.budget.mrege]\nmax.p99 = \"1 s\"\n[env.ci.budget.merge]\n",
    // a limit has to fit the budget in each environment
    "[budget.a]\nworkload = \"a\"\nmax.p99 = \"9 ms\"\nmin.p99 = \"3 ms\"\n[env.ci.budget.a]\nmax.p99 = \"2 ms\"\n",
    "[budget.a]\nworkload = \"a\"\nmax.p99 = \"9 ms\"\n[env.ci.budget.a]\nmax = { p99 = \"2 KB\", gzip = \"1 KB\", p90 = \"1 x nowhere\" }\n",
    "[budget.a]\nworkload = \"a\"\nmax.p99 = \"9 KB\"\n[env.ci.budget.a]\neffort = \"1 min\"\n",
    // a name that is not there
    "# PERF_BUDGET_ENV=cl\n[budget.a]\nworkload = \"a\"\nmax.p99 = \"9 ms\"\n[env.ci]\neffort = \"1 s\"\n[env.arm.budget.a]\nmax.p99 = \"9 s\"\n",
    "# PERF_BUDGET_ENV=ci\n",
];

const FILE: &str = r#"
[settings]
effort = "5 s"
warn_at = "80 %"

[budget.merge]
workload = "merge"
params.n = [1, 2]
max = { p50 = "1 ms", p99 = ["10 ms", "1.1 x base"] }
min.throughput = "9 op/s"

[budget.other]
workload = "other"
timeout = "9 s"
max.p99 = "1 s"

[env.ci]
when.ci = true
effort = "20 s"

[env.ci.budget.merge]
max.p99 = { n = { 1 = "20 ms", 2 = "40 ms" } }
max.p90 = "15 ms"
effort = "30 s"

[env.github]
when = { ci = "github" }
inconclusive = "fail"

[env.board.budget.other]
max.p99 = "2 x merge_one"
timeout = "60 s"

[budget.merge_one]
workload = "merge"
max.p99 = "1 s"
"#;

fn read(variable: &str) -> Budgets {
    parse(&format!("# {variable}\n{FILE}")).unwrap_or_else(|error| panic!("{error}"))
}

fn budget<'b>(file: &'b Budgets, name: &str) -> &'b Budget {
    file.budgets.iter().find(|budget| budget.name == name).unwrap()
}

fn shown(limit: &Limit) -> String {
    let target = match &limit.target {
        Target::Absolute(quantity) => quantity.to_string(),
        Target::Relative { factor, reference } => format!("{factor} x {reference}"),
    };
    let environment = limit.environment.as_deref().unwrap_or("-");
    format!("{} {target} {environment} {}", limit.label, limit.line)
}

fn limits(file: &Budgets, name: &str) -> Vec<String> {
    budget(file, name).limits.iter().map(|limit| shown(limit)).collect()
}

#[test]
fn without_an_environment_nothing_is_different() {
    for variable in ["nothing=set", "PERF_BUDGET_ENV=none", "CI=false"] {
        let file = read(variable);
        assert_eq!(file.environment, None, "{variable}");
        let names: Vec<_> = file.environments.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["ci", "github", "board"]);
        assert_eq!(file.settings.effort, Duration::from_secs(5));
        let want = ["p50 1 ms - 10", "p99 10 ms - 10", "p99::x_base 1.1 x base - 10"];
        assert_eq!(limits(&file, "merge")[..3], want);
        assert!(file.notes.is_empty());
    }
}

#[test]
fn an_environment_replaces_the_limits_of_the_metrics_that_it_names() {
    for variable in ["PERF_BUDGET_ENV=ci", "CI=true"] {
        let file = read(variable);
        assert_eq!(file.environment.as_deref(), Some("ci"));
        let want = [
            "p50 1 ms - 10",
            "throughput 9 op/s - 11",
            "p99 20 ms ci 23",
            "p99 40 ms ci 23",
            "p90 15 ms ci 24",
        ];
        assert_eq!(limits(&file, "merge"), want);
        assert_eq!(budget(&file, "merge").effort, Some(Duration::from_secs(30)));
        let settings = &file.settings;
        assert_eq!((settings.effort, settings.warn_at), (Duration::from_secs(20), 0.8));
        assert_eq!(limits(&file, "other"), ["p99 1 s - 16"]);
    }
}

#[test]
fn a_named_environment_is_in_force_or_else_the_first_that_fits() {
    assert_eq!(read("GITHUB_ACTIONS=true").environment.as_deref(), Some("ci"));
    let named = read("PERF_BUDGET_ENV=github");
    assert_eq!(named.environment.as_deref(), Some("github"));
    assert_eq!(named.settings.inconclusive.name(), "fail");
    assert_eq!(limits(&named, "merge")[1], "p99 10 ms - 10");
}

#[test]
fn an_environment_may_be_for_a_processor_and_a_number_of_cores() {
    let file = "[budget.a]\nworkload = \"a\"\nmax.p99 = \"1 ms\"\n[env.big]\neffort = \"1 s\"\n\
                when = { processor = \"EPYC\", cores = [16, 32] }\n[env.small]\neffort = \"2 s\"\nwhen.cores = 2\n";
    let check = |processor: Option<&str>, cores, want: Option<&str>| {
        let processor = processor.map(str::to_owned);
        let here = EnvironmentFacts { processor, cores: Some(cores), ..environment_facts("") };
        let read = parse_in(file, Path::new("budgets.toml"), &here).unwrap();
        assert_eq!(read.environment.as_deref(), want, "{here:?}");
        // The environment of this run is in force wherever its record is read.
        let of_record = EnvironmentFacts::of_record(want);
        let read = parse_in(file, Path::new("budgets.toml"), &of_record).unwrap();
        assert_eq!(read.environment.as_deref(), want);
    };
    check(Some("AMD EPYC 7763 64-Core Processor"), 16, Some("big"));
    check(Some("AMD EPYC 7763 64-Core Processor"), 2, Some("small"));
    check(Some("AMD EPYC 7763 64-Core Processor"), 4, None);
    check(Some("Intel(R) Xeon(R)"), 16, None);
    check(None, 2, Some("small"));
}

#[test]
fn a_limit_of_an_environment_may_name_a_budget() {
    let file = read("PERF_BUDGET_ENV=board");
    let other = budget(&file, "other");
    let reference = Reference::Budget("merge_one".to_owned());
    assert_eq!(other.limits[0].reference(), Some(&reference));
    assert_eq!((other.limits[0].bound, other.limits[0].line), (Bound::Max, 32));
    assert_eq!(other.timeout, Some(Duration::from_secs(60)));
}

/// A workspace may have files with and without environments, and one variable for all of them.
#[test]
fn a_file_without_environments_has_a_note() {
    let file = parse("# PERF_BUDGET_ENV=ci\n[budget.a]\nworkload = \"a\"\nmax.p99 = \"1 s\"\n");
    let notes = file.unwrap().notes;
    assert_eq!(notes.len(), 1);
    let want = "note: `PERF_BUDGET_ENV` names the environment `ci`, and the file has none\n";
    assert!(notes[0].starts_with(want), "{}", notes[0]);
}
