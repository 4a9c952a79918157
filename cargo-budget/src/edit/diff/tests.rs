//! Tests of the comparison: two texts of budgets.toml, and the changes between them.

use std::path::Path;

use perf_budget_core::budget::{Budgets, parse};

use super::{Change, compare};

fn budgets(text: &str) -> Option<Budgets> {
    (!text.is_empty()).then(|| parse(text, Path::new("budgets.toml")).unwrap())
}

fn changes(before: &str, after: &str) -> Vec<Change> {
    compare(budgets(before).as_ref(), budgets(after).as_ref())
}

/// Checks the changes. Each is `KIND SENTENCE`, preceded by `!` where it weakens the gate without a reason, and by
/// `~` where it does so with a reason.
#[track_caller]
fn check(before: &str, after: &str, want: &[&str]) {
    let got: Vec<String> = changes(before, after)
        .iter()
        .map(|change| {
            let mark = match (change.weakens, change.is_unexplained()) {
                (_, true) => "!",
                (true, false) => "~",
                (false, false) => "",
            };
            format!("{mark}{} {}", change.kind.name(), change.sentence())
        })
        .collect();
    assert_eq!(got, want, "{before}\n----\n{after}");
}

/// Returns a budget `b` with these further lines.
fn b(rest: &str) -> String {
    format!("[budget.b]\nworkload = \"w\"\n{rest}\n")
}

#[test]
fn limits_move_up_and_down() {
    let p99 = |limit: &str| b(&format!("max.p99 = \"{limit}\""));
    check(&p99("10 ms"), &p99("10000 us"), &[]);
    check(&p99("10 ms"), &p99("12 ms"), &["!loosened b::p99: max 10 ms -> max 12 ms"]);
    check(&p99("10 ms"), &p99("8 ms"), &["tightened b::p99: max 10 ms -> max 8 ms"]);
    let floor = |limit: &str| b(&format!("min.throughput = \"{limit}\""));
    check(
        &floor("9 op/s"),
        &floor("8 op/s"),
        &["!loosened b::throughput: min 9 op/s -> min 8 op/s"],
    );
    check(&floor("9 op/s"), &floor("9 B/s"), &["!changed b::throughput: min 9 op/s -> min 9 B/s"]);
    let near = [
        "!loosened b::p99: max 1.00 s (1.0001 in base units) -> max 1.00 s (1.0002 in base units)",
    ];
    check(&p99("1.0001 s"), &p99("1.0002 s"), &near);
}

#[test]
fn a_reason_has_to_be_new() {
    let p99 = |limit: &str, why: &str| b(&format!("max.p99 = \"{limit}\"\n{why}"));
    let loosened = "loosened b::p99: max 1 s -> max 2 s";
    check(&p99("1 s", ""), &p99("2 s", "why = \"slow disk\""), &[&format!("~{loosened}")]);
    let old = "why = \"a frame\"";
    check(&p99("1 s", old), &p99("2 s", old), &[&format!("!{loosened}")]);
    check(&p99("1 s", old), &p99("2 s", "why = \" a frame \""), &[&format!("!{loosened}")]);
    let long = b("max.p99 = { limit = \"2 s\", why = \"slow disk\" }");
    check(&p99("1 s", old), &long, &[&format!("~{loosened}")]);
}

#[test]
fn a_removed_or_different_measurement_weakens() {
    let two = b("max = { p99 = \"1 s\", allocs = 3 }");
    let one = b("max = { p99 = \"1 s\" }");
    check(&two, &one, &["!removed b::allocs: max 3"]);
    check(&one, &two, &["added b::allocs: max 3"]);
    check(&one, "", &["!removed b::p99: max 1 s"]);
    check("", &one, &["added b::p99: max 1 s"]);
    let other = one.replace("\"w\"", "\"v\"");
    check(&one, &other, &["!changed b: subject: workload w -> workload v"]);
    let base = b("max.p99 = \"1.1 x base\"");
    check(&one, &base, &["!changed b::p99::x_base: max 1 s -> max 1.1 x base"]);
    let both = b("max.p99 = [\"1 s\", \"1.1 x base\"]");
    check(&one, &both, &["added b::p99::x_base: max 1.1 x base"]);
    let n = |n: &str| b(&format!("params = {{ n = {n} }}\nmax.p99 = \"1 s\""));
    check(&n("10"), &n("5"), &["!changed b: params: n = 10 -> n = 5"]);
    check(&n("[1, 2]"), &n("[1]"), &["!removed b::n=2: this case"]);
    check(&n("[1]"), &n("[1, 2]"), &["added b::n=2: this case"]);
    check(&n("[1]"), &n("1"), &["!changed b: params: n = 1 -> n = 1"]);
}

#[test]
fn a_renamed_budget_is_recognized_by_its_subject() {
    let one = b("max.p99 = \"1 s\"");
    let renamed = one.replace("budget.b", "budget.\"c.d\"").replace("1 s", "2 s");
    let moved = "!loosened c.d::p99: max 1 s -> max 2 s";
    check(&one, &renamed, &["renamed budget: b -> c.d", moved]);
}

#[test]
fn settings_have_a_stricter_side() {
    let set = |line: &str| format!("[settings]\n{line}\n{}", b("max.p99 = \"1 s\""));
    check(&set(""), &set("effort = \"5 s\""), &["!loosened [settings] effort: 10 s -> 5 s"]);
    check(&set(""), &set("timeout = \"50 s\""), &["tightened [settings] timeout: 60 s -> 50 s"]);
    check(&set(""), &set("alpha = 0.001"), &["!loosened [settings] alpha: 0.01 -> 0.001"]);
    check(&set(""), &set("warn_at = \"95 %\""), &["!loosened [settings] warn_at: 90 % -> 95 %"]);
    check(
        &set("inconclusive = \"fail\""),
        &set(""),
        &["!loosened [settings] inconclusive: fail -> warn"],
    );
    check(
        &set(""),
        &set("inconclusive = \"fail\""),
        &["tightened [settings] inconclusive: warn -> fail"],
    );
    check(&set(""), &set("effort = \"10 s\"\nalpha = 0.01"), &[]);
    let (some, less) = (set("base = \"5 %\""), set("base = \"2 %\""));
    check(&some, &less, &["tightened [settings] base: 5 % -> 2 %"]);
    check(&some, &set(""), &["!loosened [settings] base: 5 % -> none"]);
    let except = |list: &str| set(&format!("base = {{ limit = \"5 %\", except = [{list}] }}"));
    let (one, two) = (except("\"*::p99\""), except("\"*::p99\", \"b::*\""));
    check(&some, &one, &["!loosened [settings] base except: none -> *::p99"]);
    check(&two, &one, &["tightened [settings] base except: *::p99, b::* -> *::p99"]);
    check(&one, &two, &["!loosened [settings] base except: *::p99 -> *::p99, b::*"]);
    check(&set("total = \"1 h\""), &set(""), &["tightened [settings] total: 60 min -> none"]);
    check(&set(""), &set("total = \"1 min\""), &["!loosened [settings] total: none -> 60 s"]);
    check(&set(""), &set("layouts = 1"), &["!loosened [settings] layouts: 16 -> 1"]);
    let units = "!loosened [settings] codegen_units: one -> as built";
    check(&set(""), &set("codegen_units = \"as built\""), &[units]);
}

#[test]
fn efforts_and_warnings_of_one_budget() {
    let one = |rest: &str| b(&format!("max.p99 = \"10 ms\"\n{rest}"));
    check(&one(""), &one("effort = \"1 s\""), &["!loosened b: effort: 10 s -> 1 s"]);
    check(&one(""), &one("base = false"), &["!loosened b: base: true -> false"]);
    check(&one(""), &one("timeout = \"2 min\""), &["!loosened b: timeout: 60 s -> 2 min"]);
    let warn = |limit: &str, warn: &str| {
        b(&format!("max.p99 = {{ limit = \"{limit}\", warn = \"{warn}\" }}"))
    };
    check(
        &warn("10 ms", "8 ms"),
        &warn("10 ms", "9.5 ms"),
        &["!loosened b::p99 warn: 8 ms -> 9.50 ms"],
    );
    check(
        &warn("10 ms", "8 ms"),
        &warn("5 ms", "4 ms"),
        &["tightened b::p99: max 10 ms -> max 5 ms"],
    );
    check(&one(""), &warn("10 ms", "8 ms"), &["tightened b::p99 warn: 9 ms -> 8 ms"]);
    // By default a count warns only beyond its limit, so a removed `warn` loses a warning.
    check(
        &b("max.allocs = { limit = 100, warn = 95 }"),
        &b("max.allocs = 100"),
        &["!loosened b::allocs warn: 95 -> 100"],
    );
}

#[test]
fn slopes_are_limits_too() {
    let slope = |over: &str, most: &str| {
        let lists = "params = { n = [1, 2, 3], m = [1, 2, 3] }";
        b(&format!("{lists}\nscaling = {{ over = \"{over}\", max = {{ rss = {most} }} }}"))
    };
    let moved = "!loosened b::scaling_rss: max 1.10 -> max 2";
    check(&slope("n", "1.1"), &slope("n", "2"), &[moved]);
    check(&slope("n", "1.1"), &slope("m", "1.1"), &["!changed b: scaling over: n -> m"]);
}

#[test]
fn a_waiver_brings_its_own_reason() {
    let plain = b("max.p99 = \"1 s\"");
    let waived = |until: &str, why: &str| {
        let waive = format!("{{ until = \"{until}\", owner = \"ann\", why = \"{why}\" }}");
        b(&format!("max.p99 = \"1 s\"\nwaive = {waive}"))
    };
    let (short, long) = (waived("2027-01-31", "a move"), waived("2027-02-28", "a move"));
    check(&plain, &short, &["~loosened b: waive: until 2027-01-31 by ann"]);
    let moved = "loosened b: waive: until 2027-01-31 by ann -> until 2027-02-28 by ann";
    check(&short, &long, &[&format!("!{moved}")]);
    check(&short, &waived("2027-02-28", "it takes longer"), &[&format!("~{moved}")]);
    check(&long, &plain, &["tightened b: waive: until 2027-02-28 by ann"]);
    let limit = b(
        "max.p99 = { limit = \"1 s\", waive = { until = \"2027-01-31\", owner = \"o\", why = \"w\" } }",
    );
    check(&plain, &limit, &["~loosened b::p99 waive: until 2027-01-31 by o"]);
}

#[test]
fn a_different_build_measures_something_else() {
    let b = |keys: &str| {
        format!(
            "[budget.b]\nartifact = [\"{{bin:b}}\", \"{{wasm:b}}\"]\nmax.size = \"1 MB\"\n{keys}\n"
        )
    };
    let check =
        |before: &str, after: &str, want: &[&str]| super::tests::check(&b(before), &b(after), want);
    check("profile = \"release\"", "", &[]);
    check("", "profile = \"dist\"", &["!changed b: profile: release -> dist"]);
    check("", "features = []", &["!changed b: features: the default ones -> none"]);
    check("features = [\"a\", \"b\"]", "", &["!changed b: features: a, b -> the default ones"]);
    check("wasm-opt = [\"-Oz\"]", "", &["!changed b: wasm-opt: -Oz -> none"]);
    check(
        "build = [\"make\"]",
        "build = [\"make\", \"all\"]",
        &["!changed b: build: make -> make all"],
    );
    check("", "build_timeout = \"2 h\"", &["!loosened b: build_timeout: 60 min -> 120 min"]);
    check("", "build_timeout = \"60 min\"", &[]);
}
