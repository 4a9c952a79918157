//! The rules of a search without environments: the changes that `[env.NAME]` makes are written into the budgets themselves,
//! so that the rules are the same for every step.

use toml_edit::{DocumentMut, Item, TableLike};

/// Writes what the environment in force changes into `[settings]` and `[budget.NAME]`, and removes all environments.
pub(super) fn write_out(file: &mut DocumentMut, environment: Option<&str>) {
    let Some(mut all) = file.remove("env") else { return };
    let own = environment.and_then(|name| all.as_table_like_mut()?.remove(name));
    let Some(mut own) = own else { return };
    let Some(own) = own.as_table_like_mut() else { return };
    own.remove("when");
    if let Some(mut budgets) = own.remove("budget") {
        for (name, over) in budgets.as_table_like_mut().into_iter().flat_map(TableLike::iter_mut) {
            let budget = file.get_mut("budget").and_then(|all| all.as_table_like_mut());
            let budget = budget.and_then(|all| all.get_mut(&name)?.as_table_like_mut());
            if let (Some(budget), Some(over)) = (budget, over.as_table_like_mut()) {
                lay_over(budget, over);
            }
        }
    }
    if own.is_empty() {
        return;
    }
    let settings = file.entry("settings").or_insert_with(toml_edit::table);
    if let Some(settings) = settings.as_table_like_mut() {
        for (key, value) in own.iter() {
            put(settings, key, value);
        }
    }
}

fn lay_over(budget: &mut dyn TableLike, over: &dyn TableLike) {
    for (key, value) in over.iter() {
        let side = ["max", "min"].contains(&key).then(|| value.as_table_like()).flatten();
        let below = budget.get_mut(key).and_then(Item::as_table_like_mut);
        match (side, below) {
            (Some(new), Some(limits)) => {
                new.iter().for_each(|(metric, limit)| put(limits, metric, limit));
            }
            _ => put(budget, key, value),
        }
    }
}

/// Puts an item into a table. In braces it has to be a value.
fn put(table: &mut dyn TableLike, key: &str, item: &Item) {
    let value = item.clone().into_value().map_or_else(|item| item, Item::Value);
    table.remove(key);
    table.insert(key, value);
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use perf_budget_core::budget::environment::EnvironmentFacts;
    use perf_budget_core::budget::{Budgets, parse_in};

    use super::*;

    const FILE: &str = r#"
[budget.a]
workload = "a"
params.n = [1, 2]
max = { p99 = ["16 ms", "1.2 x base"], allocs = 2 }

[budget.b]
workload = "b"
max.p50 = "1 ms"

[env.ci]
when = { ci = true }
warn_at = "50 %"

[env.ci.budget.a]
max.p99.n = { 1 = "1 ms", 2 = { limit = "2 ms", why = "slow" } }
min.throughput = "3 op/s"
effort = "1 min"

[env.arm.budget.b]
max.p50 = "9 ms"
"#;

    fn shown(file: &Budgets) -> Vec<String> {
        let text = |budget: &perf_budget_core::budget::Budget| {
            let limits =
                budget.limits.iter().map(|l| (l.label.clone(), l.cases.clone(), l.target.clone()));
            let mut limits: Vec<_> = limits.map(|limit| format!("{limit:?}")).collect();
            limits.sort();
            format!("{} {:?} {limits:?}", budget.name, budget.effort)
        };
        let settings = format!("{:?}", file.settings);
        file.budgets.iter().map(text).chain([settings]).collect()
    }

    #[test]
    fn the_file_means_the_same_without_its_environments() {
        for name in [None, Some("ci"), Some("arm")] {
            let here = EnvironmentFacts::of_record(name);
            let path = Path::new("budgets.toml");
            let with = parse_in(FILE, path, &here).unwrap();
            let mut file: DocumentMut = FILE.parse().unwrap();
            write_out(&mut file, name);
            let text = file.to_string();
            let without = parse_in(&text, path, &here).unwrap_or_else(|e| panic!("{e}\n{text}"));
            assert!(without.environments.is_empty());
            assert_eq!(shown(&without), shown(&with), "{text}");
        }
    }
}
