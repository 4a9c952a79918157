//! The names of tests and subjects in the record, by which a limit and its outcomes find each other.

use crate::budget::{Budget, Limit, Subject};

/// Returns the name of the test of a limit for one case, as in `merge::records=100::p99` or `merge::p99`. The case's
/// label is empty if the budget has no parameters.
pub fn test(budget: &Budget, case: &str, limit: &Limit) -> String {
    [&self::case(budget, case), limit.label.as_str()].join("::")
}

/// Returns the name of a case, as in `merge::records=100`. The only case of a budget without parameters has the budget's
/// name.
pub fn case(budget: &Budget, label: &str) -> String {
    match label {
        "" => budget.name.clone(),
        label => [budget.name.as_str(), label].join("::"),
    }
}

/// Returns the labels of the cases that a limit has a test for. A slope has one test over all cases, whose label is
/// empty.
pub fn cases<'b>(budget: &'b Budget, limit: &Limit) -> Vec<&'b str> {
    if limit.metric.slope_of().is_some() {
        return vec![""];
    }
    let cases = budget.cases.iter().filter(|case| limit.cases.has(case));
    cases.map(|case| case.label.as_str()).collect()
}

/// Returns the name of a limit without its cases, as in `merge::p99`. A limit of some cases names these, as in
/// `merge::records=100::p99`.
pub fn limit(budget: &Budget, limit: &Limit) -> String {
    let some = if limit.cases.is_all() { String::new() } else { limit.cases.to_string() };
    test(budget, &some, limit)
}

/// Returns a subject's name in outcomes.
pub fn subject(subject: &Subject) -> String {
    match subject {
        Subject::Artifact(patterns) => format!("artifact {}", patterns.join(", ")),
        Subject::Command(command) => format!("command {}", command.argv.join(" ")),
        Subject::Workload(name) => format!("workload {name}"),
        Subject::Benchmark(library, name) => format!("{} {name}", library.key()),
        Subject::Record(name) => format!("criterion {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget;

    const FILE: &str = "
        [budget.merge]
        workload = \"merge\"
        params = { records = [10, 100, 1000] }
        max = { p99 = \"2 ms\" }
        scaling = { over = \"records\", max = { p99 = 1.2 } }

        [budget.start]
        command = [\"tool\", \"--version\"]
        max = { wall_p50 = \"1 s\" }";

    #[test]
    fn tests_and_subjects_have_the_names_of_the_record() {
        let file = budget::parse(FILE, std::path::Path::new("budgets.toml")).unwrap();
        let named = |budget: &Budget| -> Vec<String> {
            let slopes = budget.scaling.iter().flat_map(|scaling| &scaling.limits);
            let limits = budget.limits.iter().chain(slopes);
            let names = limits.flat_map(|limit| {
                cases(budget, limit).into_iter().map(|case| test(budget, case, limit))
            });
            names.collect()
        };
        let all: Vec<String> = file.budgets.iter().flat_map(named).collect();
        assert_eq!(
            all,
            [
                "merge::records=10::p99",
                "merge::records=100::p99",
                "merge::records=1000::p99",
                "merge::scaling_p99",
                "start::wall_p50",
            ]
        );
        let subjects: Vec<String> = file.budgets.iter().map(|b| subject(&b.subject)).collect();
        assert_eq!(subjects, ["workload merge", "command tool --version"]);
    }
}
