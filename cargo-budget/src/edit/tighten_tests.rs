//! Properties that hold for every file and every run. The files are generated with comments everywhere and limits in
//! every form, and the outcomes are random; both are seeded.

use std::fmt::Write;
use std::path::Path;

use perf_budget_core::budget::{Bound, Budgets, parse};
use perf_budget_core::outcome::{Against, Estimate, Evidence, Outcome};
use perf_budget_core::quantity::Unit;
use perf_budget_core::verdict::Verdict;

use super::{Decision, plan};

/// A random number generator that gives the same numbers everywhere.
struct SeededRandom(u64);

impl SeededRandom {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn pick<'t>(&mut self, list: &[&'t str]) -> &'t str {
        list[self.roll(list.len() as u64) as usize]
    }

    /// Returns a value between 10^-`orders` and 1.
    fn share(&mut self, orders: f64) -> f64 {
        10_f64.powf(-(self.roll(10_000) as f64) / 10_000.0 * orders)
    }
}

/// Returns a file in which each line has its own comment, so that a lost one is noticed.
fn file(dice: &mut SeededRandom) -> String {
    let nl = dice.pick(&["\n", "\r\n"]);
    let mark = dice.pick(&["", "\u{feff}"]);
    let mut text = format!("{mark}# first{nl}");
    for index in 0..=dice.roll(4) {
        let name = dice
            .pick(&["b", "\"b.c\"", "\"ü\"", "'b\"q'", "b-"])
            .replace('b', &format!("b{index}"));
        let name = name.replace('ü', &format!("ü{index}"));
        let _ = write!(
            text,
            "[budget.{name}] # heading {index}{nl}workload = \"w\"  # subject {index}{nl}"
        );
        let time = dice.pick(&["10ms", "1 s", "1_500 µs", "0.5 s", "2e-1 s", "1 min"]);
        let size = dice.pick(&["1 MB", "100 KiB", "1_000_000 B", "0.5 GB"]);
        let rate = dice.pick(&["1 op/s", "1_000 op/s", "0.5 K op/s", "3 KB/s"]);
        let count = dice.pick(&["1000", "1_000", "0x3e8", "1e3"]);
        let form = match dice.roll(5) {
            0 => format!(
                "max = {{ p99 = \"{time}\", rss = '{size}', allocs = {count} }} # max {index}"
            ),
            1 => format!(
                "max.p99 = \"{time}\" # p99 {index}{nl}  max.allocs = {count}# allocs {index}"
            ),
            2 => format!(
                "max.p50 = {{ limit = \"{time}\", why = \"a # in a text\" }} # long {index}"
            ),
            3 => format!(
                "max.p99 = [ # list {index}{nl} \"{time}\", # one{nl} \"1.05 x base\" # two{nl} ]"
            ),
            _ => format!("max.heap = \"\"\"{size}\"\"\" # heap {index}"),
        };
        let _ = write!(
            text,
            "{form}{nl}min.throughput = '{rate}'\t# rate {index}{nl}{nl}# after {index}{nl}"
        );
    }
    if dice.roll(2) == 0 { text.trim_end().to_owned() } else { text }
}

/// Returns an outcome for nearly every limit, most of them green.
fn outcomes(budgets: &Budgets, dice: &mut SeededRandom) -> Vec<Outcome> {
    let mut all = Vec::new();
    for budget in &budgets.budgets {
        for limit in &budget.limits {
            let (bound, (number, unit)) = (limit.bound, limit.number());
            let away = dice.share(5.0) * 1.3;
            let value = if bound == Bound::Max { number * away } else { number / away };
            let exact = dice.roll(3) == 0;
            let value = if exact { value.ceil() } else { value };
            let noise = if exact { 0.0 } else { dice.share(3.0) };
            let high = (dice.roll(20) > 0).then_some(value * (1.0 + noise));
            let verdict = match dice.roll(12) {
                0 => Verdict::Fail,
                1 => Verdict::Inconclusive,
                2..5 => Verdict::Warn,
                _ => Verdict::Pass,
            };
            if dice.roll(10) == 0 {
                continue;
            }
            all.push(Outcome {
                test: format!("{}::{}", budget.name, limit.label),
                subject: "workload w".to_owned(),
                verdict,
                against: Some(Against {
                    bound,
                    limit: number,
                    warn: number,
                    tolerance: number * 0.1,
                    unit,
                }),
                estimate: Some(Estimate { value, low: Some(value / (1.0 + noise)), high }),
                evidence: (!exact).then_some(Evidence {
                    fail: 0.0,
                    fail_at: 1.0,
                    pass: 2.0,
                    pass_at: 1.0,
                    detectable: None,
                    detectable_longer: None,
                    effort_to_settle: None,
                    processes: 3,
                    values: 100,
                    waited: None,
                    preempted: None,
                }),
                ..Outcome::default()
            });
        }
    }
    all
}

/// Returns the comments of a text, which an edit must not touch.
fn comments(text: &str) -> Vec<&str> {
    text.lines().map(|line| line.rfind("# ").map_or("", |at| &line[at..])).collect()
}

#[test]
fn every_edit_tightens_and_every_comment_stays() {
    let path = Path::new("budgets.toml");
    let mut dice = SeededRandom(0x9e37_79b9_7f4a_7c15);
    let (mut tightened, mut kept, mut skipped) = (0, 0, 0);
    for round in 0..300 {
        let text = file(&mut dice);
        let before = parse(&text, path).unwrap_or_else(|e| panic!("{text}\n{e}"));
        let outcomes = outcomes(&before, &mut dice);
        let headroom = [None, Some(0.0), Some(0.07)][round % 3];
        let plan = plan(&text, &before, &outcomes, &[], headroom, 0.0).unwrap();
        let after = parse(&plan.text, path).unwrap();
        for (old, new) in before.budgets.iter().zip(&after.budgets) {
            assert_eq!((&old.name, &old.subject, &old.why), (&new.name, &new.subject, &new.why));
            for (old, new) in old.limits.iter().zip(&new.limits) {
                let ((from, unit), (to, same)) = (old.number(), new.number());
                assert_eq!((unit, &old.label, old.line), (same, &new.label, new.line));
                let tighter = if old.bound == Bound::Max { to <= from } else { to >= from };
                assert!(tighter, "{from} -> {to}\n{text}");
            }
        }
        for (row, outcome) in plan.rows.iter().filter_map(|row| {
            let outcome = outcomes.iter().find(|outcome| outcome.test == row.name)?;
            Some((row, outcome))
        }) {
            // The run that a limit was derived from would not have broken it.
            let limits = after.budgets.iter().flat_map(|b| b.limits.iter().map(move |l| (b, l)));
            let mut named = limits.filter(|(b, l)| format!("{}::{}", b.name, l.label) == row.name);
            let Some((_, limit)) = named.next() else { panic!("{} is gone", row.name) };
            let (value, estimate) = (limit.number().0, outcome.estimate.unwrap());
            if let Decision::Tightened { .. } = row.decision {
                let holds = match limit.bound {
                    Bound::Max => value >= estimate.high.unwrap_or(estimate.value) * (1.0 - 1e-8),
                    Bound::Min => value <= estimate.low.unwrap_or(estimate.value) * (1.0 + 1e-8),
                };
                assert!(holds, "{} to {value}, {estimate:?}", row.name);
                assert!(!outcome.is_red());
            }
        }
        assert_eq!(comments(&text), comments(&plan.text));
        let plain =
            |text: &str| text.chars().filter(|c| "\r\n\u{feff}".contains(*c)).collect::<String>();
        assert_eq!(plain(&text), plain(&plan.text), "line ends and mark");
        for row in &plan.rows {
            match row.decision {
                Decision::Tightened { .. } => tightened += 1,
                Decision::Kept(_) => kept += 1,
                Decision::Skipped(_) => skipped += 1,
            }
        }
        // A second edit with the same run changes nothing.
        let again = super::plan(&plan.text, &after, &outcomes, &[], headroom, 0.0).unwrap();
        let more = again.rows.iter().find(|row| matches!(row.decision, Decision::Tightened { .. }));
        assert_eq!(more, None, "a second time\n{text}\n{}", plan.text);
    }
    assert!(tightened > 500 && kept > 50 && skipped > 150, "{tightened} {kept} {skipped}");
}

/// The reader refuses a limit of less than a byte on any of these metrics.
#[test]
fn a_size_is_never_tightened_below_a_byte() {
    for word in ["size", "gzip", "brotli", "zstd", "stripped"] {
        let text = format!("[budget.a]\nartifact = \"a\"\nmax.{word} = \"1 KB\"\n");
        let budgets = parse(&text, Path::new("budgets.toml")).unwrap();
        let outcome = Outcome {
            test: format!("a::{word}"),
            subject: "artifact a".to_owned(),
            verdict: Verdict::Pass,
            against: Some(Against {
                bound: Bound::Max,
                limit: 1000.0,
                warn: 900.0,
                tolerance: 0.0,
                unit: Unit::Bytes,
            }),
            estimate: Some(Estimate { value: 0.0, low: Some(0.0), high: Some(0.0) }),
            ..Outcome::default()
        };
        let plan = plan(&text, &budgets, &[outcome], &[], None, 0.0).unwrap();
        let [row] = &plan.rows[..] else { panic!("{:?}", plan.rows) };
        assert!(
            matches!(&row.decision, Decision::Kept(why) if why.ends_with("which is less than one byte")),
            "{row:?}"
        );
        assert_eq!(plan.text, text);
    }
}

#[test]
fn a_limit_on_several_benchmarks_is_tightened_to_the_slowest_of_the_run() {
    let text = "[budget.all]\ncriterion = \"*\"\nmax = { mean = \"10 ms\" }\n";
    let budgets = parse(text, Path::new("budgets.toml")).unwrap();
    let outcome = |case: &str, value: f64| Outcome {
        test: format!("all::{case}::mean"),
        budget: "all".to_owned(),
        case: case.to_owned(),
        metric: "mean".to_owned(),
        subject: "criterion *".to_owned(),
        verdict: Verdict::Pass,
        estimate: Some(Estimate { value, low: Some(value), high: Some(value) }),
        against: Some(Against {
            bound: Bound::Max,
            limit: 0.01,
            warn: 0.009,
            tolerance: 0.05,
            unit: Unit::Seconds,
        }),
        ..Outcome::default()
    };
    let outcomes = [outcome("a/b", 1e-3), outcome("c", 2e-3)];
    let plan = super::plan(text, &budgets, &outcomes, &[], None, 1e-9).unwrap();
    assert!(matches!(plan.rows[0].decision, Decision::Tightened { .. }), "{:?}", plan.rows);
    let (limit, _) =
        parse(&plan.text, Path::new("budgets.toml")).unwrap().budgets[0].limits[0].number();
    assert!((2e-3..2.5e-3).contains(&limit), "{}", plan.text);
    let nothing = super::plan(text, &budgets, &[], &[], None, 1e-9).unwrap();
    assert!(
        matches!(&nothing.rows[0].decision, Decision::Skipped(why) if why.contains("no benchmark of it"))
    );
}
