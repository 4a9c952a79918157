//! The implied limits: `base = "5 %"` in `[settings]` limits every metric that has a limit against the base revision
//! too.
//!
//! A limit is only implied for a metric that can be compared with every base, so that no implied limit is red or
//! inconclusive by chance.

use std::sync::Arc;

use crate::budget::{BaseLimits, Bound, Budget, Limit, Reference, Subject, Target};
use crate::metric::{Judged, Metric, Statistic};

/// Returns the implied limits of a budget: each metric that has a limit, but none against the base, must not be worse
/// than in the base by more than the setting allows.
pub(super) fn limits(budget: &Budget, base: &BaseLimits) -> Vec<Arc<Limit>> {
    if !budget.base {
        return Vec::new();
    }
    let limits = &budget.limits;
    let against_base = |limit: &Limit| limit.reference() == Some(&Reference::Base);
    let mut implied: Vec<Arc<Limit>> = Vec::new();
    for limit in limits {
        let same = |other: &Arc<Limit>| {
            let shares_cases = !other.cases.excludes(&limit.cases);
            other.metric == limit.metric && other.bound == limit.bound && shares_cases
        };
        let has_own = limits.iter().any(|other| same(other) && against_base(other));
        if has_own || !compares(budget, &limit.metric) || implied.iter().any(same) {
            continue;
        }
        let factor = match limit.bound {
            Bound::Max => 1.0 + base.limit,
            Bound::Min => 1.0 / (1.0 + base.limit),
        };
        let both = limits.iter().any(|o| o.metric == limit.metric && o.bound != limit.bound);
        let side = match (both, limit.bound) {
            (false, _) => "",
            (true, Bound::Max) => "::max",
            (true, Bound::Min) => "::min",
        };
        implied.push(Arc::new(Limit {
            target: Target::Relative { factor, reference: Reference::Base },
            warn: None,
            label: format!("{}{side}{AGAINST_BASE}", limit.metric),
            ..Limit::clone(limit)
        }));
    }
    implied
}

/// The end of the label of a limit against the base.
const AGAINST_BASE: &str = "::x_base";

/// Whether `except` leaves this test out, by its own name or by that of the limit that implies it.
pub(super) fn is_excepted(base: &BaseLimits, test: &str) -> bool {
    let written = test.strip_suffix(AGAINST_BASE).unwrap_or(test);
    base.except.iter().any(|pattern| pattern.matches(test) || pattern.matches(written))
}

/// Whether a limit against the base can be implied for this metric.
fn compares(budget: &Budget, metric: &Metric) -> bool {
    // Another program measured this subject, so it cannot be interleaved with a base.
    if matches!(budget.subject, Subject::Record(_)) {
        return false;
    }
    match metric.judged() {
        // Such a value is exact, so a value of 0 on both sides is equal.
        Judged::Compared { .. } | Judged::Agreed { .. } => metric.has_ratio(),
        Judged::Statistical(_) | Judged::UntilConstant(_) => {
            metric.has_ratio()
                && metric.is_typical()
                && metric.statistic().is_none_or(|statistic| has_enough_values(budget, statistic))
        }
    }
}

/// Whether every run has enough values for a statistic. A p999 needs thousands of operations, and a greatest value
/// depends on a single one. A workload under a load has only as many values as the time allows, which
/// are enough for a median.
fn has_enough_values(budget: &Budget, statistic: Statistic) -> bool {
    let has_many = matches!(budget.subject, Subject::Workload(_)) && budget.load.is_none();
    match statistic {
        Statistic::Mean | Statistic::Min | Statistic::P50 => true,
        Statistic::P90 | Statistic::P95 | Statistic::P99 => has_many,
        Statistic::P999 | Statistic::Max => false,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::budget;
    use crate::suite::Suite;

    /// Checks which tests against the base these budgets have with this setting.
    #[track_caller]
    fn check(base: &str, budgets: &str, expected: &[&str]) {
        let text = format!("[settings]\nbase = {base}\n{budgets}");
        let file =
            budget::parse(&text, Path::new("budgets.toml")).unwrap_or_else(|e| panic!("{e}"));
        let suite = Suite::of(&file, true);
        let mut names: Vec<_> = suite.tests.iter().map(|test| test.name.as_str()).collect();
        names.retain(|name| name.ends_with("::x_base"));
        names.sort_unstable();
        assert_eq!(names, expected);
        // Without a base the setting implies no limit.
        let without_base = Suite::of(&file, false);
        let of_base =
            without_base.tests.iter().filter(|test| test.name.ends_with("::x_base")).count();
        assert_eq!(of_base, budgets.matches("x base").count());
    }

    const WORKLOAD: &str = "[budget.a]\nworkload = \"a\"\nmax = { p50 = \"1 ms\", p99 = \"1 ms\", p999 = \"1 s\", \
        max = \"1 s\", mean = \"1 ms\", rss = \"1 MB\", rss_growth = \"1 B\", context_switches = 9, \
        error_rate = \"1 %\", allocs = 3, leaked = \"1 KB\", drift = 3 }\n";

    #[test]
    fn a_metric_that_may_be_zero_or_has_too_few_values_has_no_implied_limit() {
        let all = [
            "a::allocs::x_base",
            "a::mean::x_base",
            "a::p50::x_base",
            "a::p99::x_base",
            "a::rss::x_base",
        ];
        check("\"5 %\"", WORKLOAD, &all);
        let load = "load = { shape = \"constant\", rate = \"100 op/s\" }\n";
        let loaded = "[budget.a]\nworkload = \"a\"\nmax = { p50 = \"1 ms\", p99 = \"1 ms\" }\n";
        check("\"5 %\"", &format!("{loaded}{load}"), &["a::p50::x_base"]);
        let command = "[budget.a]\ncommand = [\"a\"]\nmax = { wall_p50 = \"1 s\", wall_p95 = \"1 s\", wall_mean = \"1 s\", \
            wall_min = \"1 s\", wall_max = \"1 s\", startup_p50 = \"1 s\", startup_p99 = \"1 s\", exit = 0 }\n";
        check("\"5 %\"", command, &["a::startup_p50::x_base", "a::wall_p50::x_base"]);
        let written = "[budget.a]\nworkload = \"a\"\nmax = { p999 = [\"1 s\", \"1.5 x base\"] }\n";
        check("\"5 %\"", written, &["a::p999::x_base"]);
    }

    #[test]
    fn a_pattern_or_a_budget_can_opt_out() {
        let two = "[budget.a]\nworkload = \"a\"\nmax = { p50 = \"1 ms\", p99 = \"1 ms\" }\n\
                   [budget.b]\nworkload = \"b\"\nparams = { n = [1, 2] }\nmax = { p50 = \"1 ms\", p99 = \"1 ms\" }\n";
        let except = |patterns: &str| format!("{{ limit = \"5 %\", except = [{patterns}] }}");
        let medians = ["a::p50::x_base", "b::n=1::p50::x_base", "b::n=2::p50::x_base"];
        check(&except("\"*::p99\""), two, &medians);
        let one = [
            "a::p50::x_base",
            "a::p99::x_base",
            "b::n=1::p99::x_base",
            "b::n=2::p50::x_base",
            "b::n=2::p99::x_base",
        ];
        check(&except("\"b::n=1::p50::x_base\""), two, &one);
        check(&except("\"a::*\", \"b::*\""), two, &[]);
        let out = two.replace("[budget.b]", "[budget.b]\nbase = false");
        check("\"5 %\"", &out, &["a::p50::x_base", "a::p99::x_base"]);
        let stay = two.replace("[budget.b]", "[budget.b]\nbase = true");
        check(&except("\"*::p99\""), &stay, &medians);
    }
}
