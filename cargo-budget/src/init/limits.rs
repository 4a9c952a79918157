//! The text of absolute limits on benchmarks, from what each of them takes now.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::Path;

use perf_budget_core::benchmarks::{List, expand};
use perf_budget_core::budget::{self, Bound, Budgets, Library, Subject};
use perf_budget_core::outcome::Outcome;
use perf_budget_core::quantity::Quantity;
use toml_edit::Key;

use crate::edit::headroom;
use crate::edit::number::{Rounding, write_new};

/// The measurement of all benchmarks.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    /// The budgets that they were measured by, one for each library.
    pub(crate) budgets: Option<Budgets>,
    /// The lists of the benchmarks.
    pub(crate) lists: Vec<List>,
    /// The outcomes.
    pub(crate) outcomes: Vec<Outcome>,
}

/// The limits on benchmarks.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    /// The tables to add to `budgets.toml`.
    pub(crate) text: String,
    /// The number of these tables.
    pub(crate) count: usize,
    /// Why a benchmark has no limit, one sentence for each.
    pub(crate) notes: Vec<String>,
}

/// Returns the limits for all benchmarks but those that a budget names already.
pub(crate) fn limits(measured: &Measured, before: &Budgets) -> Limits {
    let mut limits = Limits::default();
    let mut names: HashSet<String> = before.budgets.iter().map(|own| own.name.clone()).collect();
    let is_limited = |library: Library, name: &str| {
        let same = |subject: &Subject| matches!(subject, Subject::Benchmark(of, own) if *of == library && own == name);
        before.budgets.iter().any(|budget| same(&budget.subject))
    };
    let budgets = measured.budgets.iter().flat_map(|file| &file.budgets);
    for (budget, list) in budgets.flat_map(|b| measured.lists.iter().map(move |list| (b, list))) {
        let Subject::Benchmark(library, _) = budget.subject else { continue };
        let mut budget = budget.clone();
        expand(&mut budget, Some(list));
        for case in &budget.cases {
            let Some(name) = budget.benchmark(case).filter(|name| !is_limited(library, name))
            else {
                continue;
            };
            let is_of_case =
                |outcome: &&Outcome| outcome.budget == budget.name && outcome.case == case.label;
            let outcome = measured.outcomes.iter().rev().find(is_of_case);
            match value(outcome, name, before.settings.warn_at) {
                Ok((value, basis)) => {
                    let title = title(&case.label, &mut names);
                    let (key, name) = (Key::new(&title).display_repr().into_owned(), quoted(name));
                    let _ = writeln!(
                        limits.text,
                        "\n[budget.{key}]\n{} = {name}\nmax = {{ mean = \"{value}\" }}  # {basis}",
                        library.key()
                    );
                    limits.count += 1;
                }
                Err(why) => limits.notes.push(format!("`{name}` has no limit: {why}")),
            }
        }
    }
    if limits.count > 0 {
        limits.text = format!(
            "\n# What each benchmark took when `cargo budget init --limits` measured it, with a headroom. The times are those of \
             one\n# machine: a slower one needs limits of its own, or only those against a base.\n{}",
            limits.text
        );
    }
    limits
}

/// Returns the limit on the mean of a benchmark, and what it was derived from.
fn value(outcome: Option<&Outcome>, name: &str, warn_at: f64) -> Result<(String, String), String> {
    if name.contains('*') {
        return Err("in budgets.toml its name would stand for others too".to_owned());
    }
    let outcome = outcome.ok_or("it was not measured")?;
    let goal = headroom::suggested_limit(outcome, None)?;
    let unit = outcome.against.ok_or("its outcome has no limit")?.unit;
    let goal = headroom::clear_of_warning(Bound::Max, unit, goal, warn_at);
    let rounding = Rounding { bound: Bound::Max, tolerance: goal.rounding_share(), whole: false };
    let value = write_new(Quantity::new(goal.limit, unit), rounding);
    Ok((value, headroom::basis(goal, Bound::Max, unit)))
}

/// Returns a name for the budget of a benchmark that no other budget has. A benchmark may have a name that no budget can
/// have, such as `-5`, which the test runner would take for one of its options.
fn title(label: &str, names: &mut HashSet<String>) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./".contains(c);
    let plain = |c: char| if is_plain(c) { c } else { '_' };
    let prefixed = format!("benchmark_{label}");
    let readable = prefixed.chars().map(plain).collect();
    let all = [label.to_owned(), prefixed, readable];
    let mut title = all.into_iter().find(|name| can_name(name)).unwrap_or_default();
    while !names.insert(title.clone()) {
        title.push('~');
    }
    title
}

/// Whether a budget can have this name.
fn can_name(name: &str) -> bool {
    let key = Key::new(name).display_repr().into_owned();
    let text = format!("[budget.{key}]\ncriterion = \"x\"\nmax = {{ mean = \"1 s\" }}\n");
    budget::parse(&text, Path::new("budgets.toml")).is_ok()
}

fn quoted(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use perf_budget_core::outcome::{Against, Estimate, Run};
    use perf_budget_core::quantity::Unit;
    use perf_budget_core::verdict::Verdict;

    use super::*;

    /// The names of the benchmarks, of which the third is red.
    const NAMES: [&str; 4] = ["parse/a b", "fmt::one", "broken", "known"];

    fn measured() -> Measured {
        let names = serde_json::to_string(&NAMES).unwrap();
        let list = r#"{"version":4,"programs":[{"package":"kit","directory":"/w","target":"sums","binary":"/t/sums-1","variables":{},"written":{"path":"/t/sums-1","bytes":9,"modified":1},"content":{"criterion":{"skills":{"exact":true,"quick":true,"serves":false},"names":NAMES}}}],"faults":[],"note":"as built"}"#;
        let list: List = serde_json::from_str(&list.replace("NAMES", &names)).unwrap();
        let text = "[budget.benches]\ncriterion = \"*\"\nmax = { mean = \"1 h\" }\n";
        let budgets = budget::parse(text, Path::new("budgets.toml")).unwrap();
        let outcome = |case: &str, verdict| {
            Outcome {
            budget: "benches".to_owned(),
            case: case.to_owned(),
            metric: "mean".to_owned(),
            verdict,
            reason: "it panicked".to_owned(),
            estimate: Some(Estimate { value: 1e-6, low: Some(0.9e-6), high: Some(1.1e-6) }),
            evidence: Some(serde_json::from_str(r#"{"fail":0,"fail_at":1,"pass":2,"pass_at":1,"detectable":null,"processes":7,"values":7}"#).unwrap()),
            against: Some(Against {
                bound: Bound::Max,
                limit: 3600.0,
                warn: 3240.0,
                tolerance: 360.0,
                unit: Unit::Seconds,
            }),
            run: Run { profile: "release".to_owned(), ..Run::default() },
            ..Outcome::default()
        }
        };
        let outcomes = vec![
            outcome("parse/a_b", Verdict::Pass),
            outcome("fmt.one", Verdict::Pass),
            outcome("broken", Verdict::Unmeasured),
            outcome("known", Verdict::Pass),
        ];
        Measured { budgets: Some(budgets), lists: vec![list], outcomes }
    }

    #[test]
    fn each_benchmark_that_was_measured_gets_a_limit() {
        let text = "[budget.\"fmt.one\"]\nworkload = \"w\"\nmax.p99 = \"1 s\"\n\n[budget.own]\ncriterion = \"known\"\nmax.mean = \"1 s\"\n";
        let before = budget::parse(text, Path::new("budgets.toml")).unwrap();
        let limits = limits(&measured(), &before);
        assert_eq!(limits.count, 2);
        assert_eq!(limits.notes.len(), 1, "{:?}", limits.notes);
        assert!(
            limits.notes[0].contains("`broken` has no limit: it was not measured"),
            "{:?}",
            limits.notes
        );
        let after = budget::parse(&format!("{text}{}", limits.text), Path::new("budgets.toml"));
        let after = after.unwrap_or_else(|e| panic!("{e}\n{}", limits.text));
        let budgets: Vec<(&str, &Subject)> =
            after.budgets.iter().map(|own| (own.name.as_str(), &own.subject)).collect();
        let has = |name: &str, benchmark: &str| {
            let subject = Subject::Benchmark(Library::Criterion, benchmark.to_owned());
            budgets.contains(&(name, &subject))
        };
        // Another budget already has the name `fmt.one`.
        assert!(has("parse/a_b", "parse/a b") && has("fmt.one~", "fmt::one"), "{budgets:?}");
        assert!(limits.text.contains("µs\""), "{}", limits.text);
    }

    #[test]
    fn a_benchmark_whose_name_no_budget_can_have_gets_another_one() {
        let mut names = HashSet::from(["benchmark_--help".to_owned()]);
        let mut check = |label: &str, want: &str| {
            assert_eq!(title(label, &mut names), want);
            assert!(can_name(want), "{want}");
        };
        check("-5", "benchmark_-5");
        check("--help", "benchmark_--help~");
        check("base", "benchmark_base");
        check("fmt.one", "fmt.one");
        check("größe=\"1\"", "größe=\"1\"");
        check("a\u{202e}b", "benchmark_a_b");
    }

    #[test]
    fn a_benchmark_with_a_star_in_its_name_gets_no_limit() {
        assert!(value(None, "a*b", 0.9).unwrap_err().contains("stand for others"));
        assert_eq!(value(None, "a", 0.9).unwrap_err(), "it was not measured");
    }
}
