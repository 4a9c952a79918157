//! The one limit that a search is about, in a `budgets.toml` of its own that holds at every commit of the search.
//!
//! It is the project's file as it is now, without the other budgets. So a limit that was set yesterday can be searched
//! for in the commits of last year.

use std::collections::BTreeSet;
use std::path::Path;

use perf_budget_core::budget::{self, Bound, Budget, Budgets, Limit, Reference};
use perf_budget_core::quantity::{Quantity, Unit};
use perf_budget_core::selftest;
use perf_budget_core::suite::{Suite, Test};
use perf_budget_core::verdict::hypothesis::{LEAST_STEP, allowed_below};
use toml_edit::{DocumentMut, InlineTable, Item, Value};

use super::environment;
use crate::failure::Failure;

/// How many names a message lists.
const NAMED: usize = 12;

/// The limit that is searched for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rules {
    /// The text of the file.
    pub(crate) text: String,
    /// The name of the test.
    pub(crate) test: String,
    /// The name of its budget.
    pub(crate) budget: String,
    /// The limit, in words: `1.03 x base`.
    pub(crate) limit: String,
    /// Whether each commit is compared with the good one. If not, it is held against a value.
    pub(crate) is_compared: bool,
    /// Whether the metric is the same each time it is measured.
    pub(crate) is_deterministic: bool,
    /// Whether the limit is that of a benchmark, which has a program of its own.
    pub(crate) is_benchmark: bool,
}

/// Returns the rules for the test or the budget of this name. With `by`, the limit is chosen so that a metric which is
/// worse by this share than at the good commit lies beyond the limit with its tolerance. `red` has the tests that are
/// known to be red: if several tests have the name and one of them is red, it is the one that is searched for.
pub(crate) fn rules(
    text: &str,
    path: &Path,
    name: &str,
    by: Option<f64>,
    red: &BTreeSet<String>,
) -> Result<Rules, Failure> {
    let budgets = budget::parse(text, path)?;
    let suite = Suite::of(&budgets, true);
    let test = select_test(&budgets, &suite, name, by.is_some(), red)?;
    let own = &budgets.budgets[test.budget];
    let is_own = own.limits.iter().any(|limit| limit.label == test.limit.label);
    let mut file: DocumentMut = text
        .parse()
        .map_err(|e| Failure::usage(format!("`{}` cannot be edited: {e}", path.display())))?;
    let is_slope = grows(own, &test.limit);
    let factor = match by {
        Some(by) => Some(factor_for(test, by, is_slope)?),
        // A limit that the settings give to every budget has no place of its own in the file.
        None if !is_own && !is_slope => Some(test.limit.number().0),
        None => None,
    };
    environment::write_out(&mut file, budgets.environment.as_deref());
    narrow(&mut file, own);
    if let Some(factor) = factor {
        replace(&mut file, own, &test.limit, factor);
    }
    let text = file.to_string();
    let edited = budget::parse(&text, path)?;
    let of_edited = Suite::of(&edited, true);
    let is_same = |other: &&Test| {
        edited.budgets[other.budget].name == own.name
            && other.case == test.case
            && other.limit.metric == test.limit.metric
            && other.limit.bound == test.limit.bound
            && (factor.is_some() || other.limit.label == test.limit.label)
    };
    let found = of_edited.tests.iter().find(is_same).ok_or_else(|| {
        Failure::unmeasured(format!(
            "`{}` is not in the rules of the search, which is a fault of this command",
            test.name
        ))
    })?;
    let is_compared = found.limit.reference() == Some(&Reference::Base);
    if is_compared && !perf_budget_core::handover::holds_if_equal(&found.limit) {
        return Err(Failure::usage(format!(
            "`{}` demands that each commit is better than the good one, so that equal code is red; give a limit that equal \
             code holds by `--by 3%`",
            found.name
        )));
    }
    Ok(Rules {
        test: found.name.clone(),
        budget: own.name.clone(),
        limit: describe_limit(&found.limit, by),
        is_compared,
        is_deterministic: found.is_deterministic(),
        is_benchmark: found.is_benchmark(),
        text,
    })
}

/// Returns the factor of a limit against the good commit that finds a step of `by`. `is_slope` says whether the test limits
/// how a metric grows.
fn factor_for(test: &Test, by: f64, is_slope: bool) -> Result<f64, Failure> {
    if is_slope {
        return Err(Failure::usage(format!(
            "`{}` limits how a metric grows, which `--by` does not apply to; leave `--by` out, or name another test",
            test.name
        )));
    }
    if by < LEAST_STEP && !test.is_deterministic() {
        return Err(Failure::usage(format!(
            "`{}` varies, and a step of less than {} cannot be told from its tolerance; name a larger one by `--by`",
            test.name,
            Quantity::new(LEAST_STEP, Unit::Share)
        )));
    }
    // A deterministic value is compared with its limit itself, without a tolerance.
    let allowed = if test.is_deterministic() { by } else { allowed_below(by) };
    Ok(match test.limit.bound {
        Bound::Max => 1.0 + allowed,
        Bound::Min => 1.0 / (1.0 + allowed),
    })
}

/// Whether the test of this name limits how a metric grows. Such a limit cannot be compared with a value at another commit.
pub(crate) fn is_slope(budgets: &Budgets, name: &str) -> bool {
    let suite = Suite::of(budgets, true);
    let named = suite.tests.iter().find(|test| test.name == name);
    named.is_some_and(|test| grows(&budgets.budgets[test.budget], &test.limit))
}

/// Whether a limit of this budget is on how a metric grows.
fn grows(budget: &Budget, limit: &Limit) -> bool {
    budget.scaling.iter().flat_map(|scaling| &scaling.limits).any(|one| one.label == limit.label)
}

/// Returns the limit in words, with the step that it is chosen for.
fn describe_limit(limit: &Limit, by: Option<f64>) -> String {
    let (number, unit) = limit.number();
    let step = by.map(|by| format!(", for a step of {}", Quantity::new(by, Unit::Share)));
    match limit.reference() {
        Some(reference) => {
            let number = (number * 1e4).round() / 1e4;
            format!("{number} x {reference}{}", step.unwrap_or_default())
        }
        None => Quantity::new(number, unit).to_string(),
    }
}

/// Returns the test that has the name or belongs to the budget of this name.
fn select_test<'s>(
    budgets: &Budgets,
    suite: &'s Suite,
    name: &str,
    any_limit: bool,
    red: &BTreeSet<String>,
) -> Result<&'s Test, Failure> {
    let is_of = |test: &&Test| {
        selftest::names(name, &test.name) || budgets.budgets[test.budget].name == name
    };
    if let Some(exact) = suite.tests.iter().find(|test| test.name == name && !any_limit) {
        return Ok(exact);
    }
    let mut tests: Vec<&Test> = suite.tests.iter().filter(is_of).collect();
    if any_limit {
        // Only the metric and the case of the test matter, since it gets another limit.
        tests.dedup_by_key(|test| (test.budget, test.case, test.limit.metric.to_string()));
    }
    let reds: Vec<&Test> = tests.iter().filter(|test| red.contains(&test.name)).copied().collect();
    match (&tests[..], &reds[..]) {
        ([only], _) | (_, [only]) => Ok(only),
        ([], _) => {
            let known: Vec<&str> = suite.tests.iter().map(|test| test.name.as_str()).collect();
            Err(Failure::usage(format!(
                "there is no budget or test `{name}`; there are {}",
                list(&known)
            )))
        }
        (several, _) => {
            let names: Vec<&str> = several.iter().map(|test| test.name.as_str()).collect();
            Err(Failure::usage(format!(
                "`{name}` has several limits; name one of {}",
                list(&names)
            )))
        }
    }
}

fn list(names: &[&str]) -> String {
    let mut text = String::new();
    for (nth, name) in names.iter().take(NAMED).enumerate() {
        text = format!("{text}{}`{name}`", if nth == 0 { "" } else { ", " });
    }
    match names.len().saturating_sub(NAMED) {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}

/// Removes the budgets that the search does not need, and the settings that concern only them.
fn narrow(file: &mut DocumentMut, own: &Budget) {
    let limits = own.limits.iter().chain(own.scaling.iter().flat_map(|scaling| &scaling.limits));
    let mut needed: BTreeSet<String> = limits
        .filter_map(|limit| match limit.reference() {
            Some(Reference::Budget(name)) => Some(name.clone()),
            Some(Reference::Base | Reference::Lock) | None => None,
        })
        .collect();
    needed.insert(own.name.clone());
    if let Some(budgets) = file.get_mut("budget").and_then(Item::as_table_like_mut) {
        let names: Vec<String> = budgets.iter().map(|(name, _)| name.to_owned()).collect();
        for name in names.iter().filter(|name| !needed.contains(*name)) {
            budgets.remove(name);
        }
    }
    if let Some(settings) = file.get_mut("settings").and_then(Item::as_table_like_mut) {
        // If the search is about a limit that this setting gives to the budget, the limit is written into the budget.
        settings.remove("base");
    }
}

/// Gives the budget one limit and no other.
fn replace(file: &mut DocumentMut, own: &Budget, limit: &Limit, factor: f64) {
    let Some(table) = file
        .get_mut("budget")
        .and_then(Item::as_table_like_mut)
        .and_then(|budgets| budgets.get_mut(&own.name))
        .and_then(Item::as_table_like_mut)
    else {
        return;
    };
    for key in ["max", "min", "scaling"] {
        table.remove(key);
    }
    let mut limits = InlineTable::new();
    limits.insert(limit.metric.to_string(), Value::from(format!("{factor} x base")));
    table.insert(limit.bound.side(), Item::Value(Value::InlineTable(limits)));
    // The budget may have `base = false`, by which it would not be compared.
    table.remove("base");
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
[settings]
base = "5 %"
inert = ["art/**"]

[budget.merge]
workload = "merge"
max = { p99 = ["16 ms", "1.2 x base"], allocs = "2 x lock" }
min = { throughput = "100 op/s" }

[budget.sort]
workload = "sort"
params = { n = [1, 2] }
max = { allocs = 3, p50 = "1.5 x merge" }

[budget.fast]
workload = "fast"
max = { p50 = "0.9 x base" }
"#;

    fn rules_for(name: &str, by: Option<f64>, red: &[&str]) -> Result<Rules, String> {
        let red = red.iter().map(|name| (*name).to_owned()).collect();
        rules(FILE, Path::new("budgets.toml"), name, by, &red).map_err(|failure| failure.text)
    }

    #[track_caller]
    fn check(name: &str, by: Option<f64>, test: &str, limit: &str, is_compared: bool) -> Rules {
        let rules = rules_for(name, by, &[]).unwrap();
        assert_eq!((&*rules.test, &*rules.limit, rules.is_compared), (test, limit, is_compared));
        rules
    }

    #[test]
    fn one_limit_is_left() {
        check("merge::p99", None, "merge::p99", "16 ms", false);
        let own = check("merge::p99::x_base", None, "merge::p99::x_base", "1.2 x base", true);
        assert!(!own.text.contains("budget.sort") && own.text.contains("art/**"), "{}", own.text);
        // The settings give a limit to every metric that is limited.
        let implied = check(
            "sort::n=2::allocs::x_base",
            None,
            "sort::n=2::allocs::x_base",
            "1.05 x base",
            true,
        );
        assert!(implied.is_deterministic);
        // A budget that the limit refers to is still there.
        let other = rules_for("sort::n=1::p50::x_merge", None, &[]);
        assert!(other.as_ref().is_ok_and(|rules| rules.text.contains("budget.merge")), "{other:?}");
    }

    #[test]
    fn another_limit_is_set_in_place_of_all() {
        // A step of 3 % is beyond the limit and its tolerance of one point.
        let step = "1.0198 x base, for a step of 3 %";
        check("merge::p99", Some(0.03), "merge::p99::x_base", step, true);
        let rate = "0.808 x base, for a step of 25 %";
        check("merge::throughput", Some(0.25), "merge::throughput::x_base", rate, true);
        check("fast", Some(0.03), "fast::p50::x_base", step, true);
        // A count has no tolerance.
        let count = "1.03 x base, for a step of 3 %";
        check("sort::n=1::allocs", Some(0.03), "sort::n=1::allocs::x_base", count, true);
        let least = rules_for("merge::p99", Some(0.001), &[]).unwrap_err();
        assert!(least.contains("a step of less than 0.20 % cannot be told"), "{least}");
    }

    #[test]
    fn a_limit_on_how_a_metric_grows_is_searched_for_as_it_is() {
        let file = FILE.replace(
            "max = { allocs = 3, p50 = \"1.5 x merge\" }",
            "max = { allocs = 3 }\nscaling = { over = \"n\", max = { p50 = 1.2 } }",
        );
        let file = file.replace("n = [1, 2]", "n = [1, 2, 4]");
        let budgets = budget::parse(&file, Path::new("budgets.toml")).unwrap();
        let slopes: Vec<String> = Suite::of(&budgets, true)
            .tests
            .into_iter()
            .map(|test| test.name)
            .filter(|name| is_slope(&budgets, name))
            .collect();
        assert_eq!(slopes, ["sort::scaling_p50"]);
        let path = Path::new("budgets.toml");
        let rules = |by| rules(&file, path, "sort::scaling_p50", by, &BTreeSet::new());
        assert_eq!(rules(None).unwrap().test, "sort::scaling_p50");
        assert!(rules(Some(0.1)).unwrap_err().text.contains("leave `--by` out"));
    }

    #[test]
    fn a_name_must_mean_one_test() {
        let several = rules_for("merge", None, &[]).unwrap_err();
        assert!(several.contains("`merge` has several limits; name one of `merge::"), "{several}");
        let red = rules_for("merge", None, &["merge::p99::x_base", "sort::n=1::p50"]).unwrap();
        assert_eq!(red.test, "merge::p99::x_base");
        let none = rules_for("merg", None, &[]).unwrap_err();
        assert!(
            none.starts_with("there is no budget or test `merg`; there are `merge::"),
            "{none}"
        );
        let faster = rules_for("fast", None, &[]).unwrap_err();
        assert!(faster.contains("equal code is red"), "{faster}");
    }
}
