//! The advice about an outcome: where its limit can be changed, and how its test is run alone.

use crate::budget::Bound;
use crate::outcome::{Doubt, Outcome};
use crate::verdict::Verdict;

/// The name of the test target that the command makes for a project without budgets. Its `budgets.toml` is written anew each
/// time, so that nobody can change a limit there.
pub const MADE: &str = "perf-budget-benches";
/// How many times as long as in the base each benchmark may take there, if the command line does not say.
pub const AT_MOST: f64 = 1.05;

/// Returns what to do about the outcome.
pub fn next(outcome: &Outcome) -> String {
    let from_below = outcome.against.is_some_and(|against| against.bound == Bound::Min);
    let moved = if from_below { "fell" } else { "grew" };
    let place = place(outcome);
    let budget = &outcome.budget;
    match outcome.verdict {
        _ if outcome.waived.is_some() => {
            format!("fix it; or, if it takes longer, move `until` {place} and say why")
        }
        Verdict::Fail if outcome.accepted.as_ref().is_some_and(|a| a.factor.is_some()) => format!(
            "find what {moved}; or, if it must be so, accept it: cargo budget accept --red {budget}"
        ),
        Verdict::Fail => format!(
            "find what {moved}; or, if it must be so, change the limit {place} and say why in `why`"
        ),
        Verdict::Inconclusive if outcome.doubt == Some(Doubt::Noise) => format!(
            "run it on a calm machine; or limit it {place} against `x base` or another budget, which \
             are interleaved with it"
        ),
        Verdict::Inconclusive if outcome.is_cut_off() => {
            "allow a longer `total` in [settings], or measure in several jobs by `--shard`".to_owned()
        }
        Verdict::Inconclusive if outcome.doubt == Some(Doubt::NearLimit) => format!(
            "move the limit {place} away from the value{}",
            effort(outcome).map_or(String::new(), |effort| format!(", or give it more time there ({effort})"))
        ),
        Verdict::Inconclusive if outcome.doubt == Some(Doubt::Layout) => format!(
            "let `cargo budget check --base` make more links of each side where it can (`layouts` in [settings]), move the limit \
             {place} away from the value, or limit what does not depend on layout, such as `allocs`"
        ),
        Verdict::Inconclusive if outcome.awaits_acceptance() => format!(
            "accept the value that this counter counts: cargo budget accept {budget}; or have it counted by the other one \
             (`PERF_BUDGET_COUNTER`)"
        ),
        Verdict::Inconclusive if outcome.counts_differ() => format!(
            "fix what makes the counts differ, such as the seed of a map or the number of threads; or limit a time against `x base`, \
             or set a limit {place} that is wider than the counts differ"
        ),
        Verdict::Inconclusive => match (effort(outcome), outcome.evidence) {
            (Some(effort), _) => format!(
                "give it more time ({effort} {place}), a quieter machine, or a metric that needs fewer values"
            ),
            (None, None) => format!("give it more time (`effort` {place})"),
            (None, Some(_)) => "give it a quieter machine, a metric that needs fewer values, or a limit further from the value".to_owned(),
        },
        Verdict::Pass | Verdict::Warn | Verdict::Unmeasured | Verdict::Skipped => {
            format!("run it alone: {} -- --exact {}", command(outcome), quoted(&outcome.test))
        }
    }
}

/// Returns the effort that would settle the limit, in the form of budgets.toml; `None` if none that was tried would settle it.
fn effort(outcome: &Outcome) -> Option<String> {
    let seconds = outcome.evidence?.effort_to_settle?;
    Some(format!("`effort = \"{seconds} s\"`"))
}

/// Returns the place where the limit can be changed, as in `at budgets.toml:4`.
fn place(outcome: &Outcome) -> String {
    if outcome.run.target == MADE {
        return "in a `budgets.toml` that `cargo budget init` writes".to_owned();
    }
    format!("at {}:{}", outcome.file, outcome.line)
}

/// Returns the command that runs the tests.
fn command(outcome: &Outcome) -> String {
    match outcome.run.target.as_str() {
        "" => "cargo test --release".to_owned(),
        MADE => {
            let base = outcome.run.base.as_ref();
            let base = base.map_or(String::new(), |base| format!(" --base {}", quoted(&base.name)));
            // What was not measured has no limit as a number.
            let limit = outcome.against.map(|against| against.limit);
            let own = limit.filter(|limit| (limit - AT_MOST).abs() > 1e-9);
            let limit = own.map_or_else(String::new, |limit| format!(" --at-most {limit}"));
            format!("cargo budget check{base} --benches{limit}")
        }
        target => format!("cargo test --release --test {target}"),
    }
}

/// Returns a text as one word for a shell. It is put in quotes if it has other characters than names usually have.
pub fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_-:./=@%+,~^".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{Against, BaseRevision, Estimate, Evidence, Run};
    use crate::quantity::Unit;

    #[test]
    fn a_target_that_the_command_made_is_run_by_the_command_and_limited_elsewhere() {
        let base = BaseRevision { name: "HEAD~1".to_owned(), ..BaseRevision::default() };
        let of = |target: &str, verdict| Outcome {
            test: "benches::f64[e]/it's::mean::x_base".to_owned(),
            file: "b.toml".to_owned(),
            line: 4,
            verdict,
            run: Run { target: target.to_owned(), base: Some(base.clone()), ..Run::default() },
            ..Outcome::default()
        };
        let exact = r"-- --exact 'benches::f64[e]/it'\''s::mean::x_base'";
        assert_eq!(
            next(&of("budgets", Verdict::Unmeasured)),
            format!("run it alone: cargo test --release --test budgets {exact}")
        );
        assert_eq!(
            next(&of(MADE, Verdict::Unmeasured)),
            format!("run it alone: cargo budget check --base HEAD~1 --benches {exact}")
        );
        let against = |limit| Against {
            bound: Bound::Max,
            limit,
            warn: limit,
            tolerance: 0.01,
            unit: Unit::Ratio,
        };
        let limited =
            |limit| Outcome { against: Some(against(limit)), ..of(MADE, Verdict::Unmeasured) };
        assert!(next(&limited(1.05)).contains("--benches -- --exact"));
        assert!(next(&limited(1.02)).contains("--benches --at-most 1.02 -- --exact"));
        assert!(
            next(&of("budgets", Verdict::Fail)).contains("change the limit at b.toml:4 and say")
        );
        // More time does not help if the counts differ from process to process.
        let estimate = |low, high| Estimate { value: high, low: Some(low), high: Some(high) };
        let counted = |low, high| Outcome {
            estimate: Some(estimate(low, high)),
            ..of("budgets", Verdict::Inconclusive)
        };
        let differs = next(&counted(1.0, 1.2));
        assert!(differs.contains("the seed") && !differs.contains("effort"), "{differs}");
        assert!(next(&counted(1.2, 1.2)).contains("`effort`"));
        // The effort that would settle a limit is named, unless ten times the effort would not be enough.
        let unsettled = |effort_to_settle, doubt| Outcome {
            evidence: Some(Evidence { effort_to_settle, ..Evidence::default() }),
            doubt: Some(doubt),
            ..of("budgets", Verdict::Inconclusive)
        };
        for doubt in [Doubt::Underpowered, Doubt::NearLimit] {
            let enough = next(&unsettled(Some(90.0), doubt));
            assert!(enough.contains("`effort = \"90 s\"`"), "{enough}");
            let never = next(&unsettled(None, doubt));
            assert!(!never.contains("effort") && never.contains("the value"), "{never}");
        }
        let made = next(&of(MADE, Verdict::Fail));
        assert!(
            made.contains("`cargo budget init` writes and say why") && !made.contains("b.toml")
        );
    }
}
