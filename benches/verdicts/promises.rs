//! The promises of the page, each with what was found and whether it holds.

use std::fmt::Write as _;

use crate::audit::{FREE, Finding};
use crate::figures::{Rate, Times};
use crate::load::Condition;
use crate::plan::{Question, SUITE, Truth};
use crate::trial::{Record, select};
use crate::workloads::{COMPARED, COMPUTE};

/// The probability with which a whole suite may be red by chance.
const ALPHA: f64 = 0.01;
/// The probability with which a limit that holds may be inconclusive.
const OPEN: f64 = 0.05;
/// The probability with which a value over limit and tolerance may pass.
const MISSED: f64 = 0.05;
/// The probability with which a value over limit and tolerance is found.
const POWER: f64 = 0.95;
/// The least probability with which an interval of 90 % covers the truth, at the verdict.
const COVERS: f64 = 0.85;
/// The number of standard errors from which on a mean difference is not chance.
const ALIKE: f64 = 4.0;

/// Whether trials confirm a promise.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Held {
    /// The interval lies on the right side.
    Yes,
    /// The figure lies on the right side and the interval on both; more trials would settle it.
    AsFarAsSeen,
    /// The interval lies on the wrong side.
    No,
    /// There is no trial of it.
    Unknown,
}

impl Held {
    /// Returns whether the median is at most `most`.
    fn within(times: Option<Times>, most: f64) -> Held {
        times.map_or(Held::Unknown, |times| if times.median <= most { Held::Yes } else { Held::No })
    }

    fn words(self) -> &'static str {
        match self {
            Held::Yes => "yes",
            Held::AsFarAsSeen => "not contradicted",
            Held::No => "**no**",
            Held::Unknown => "no trial",
        }
    }
}

type Row = (String, String, Held);

/// Returns the section of the promises, and whether nothing that was found contradicts one.
pub(crate) fn section(records: &[Record], audit: &[Finding]) -> (String, bool) {
    let mut rows = reds(records);
    rows.extend(power(records));
    rows.extend(passes_and_pairs(records, audit));
    let held = rows.iter().all(|row| row.2 != Held::No);
    let mut text =
        String::from("\n## What is promised\n\n| promise | found | held |\n|---|---|---|\n");
    for (promise, found, held) in rows {
        let _ = writeln!(text, "| {promise} | {found} | {} |", held.words());
    }
    (text, held)
}

/// How often what is within its limits is red, or not settled.
fn reds(records: &[Record]) -> Vec<Row> {
    let red = |records: &[&Record]| Rate::of(records.iter().map(|record| record.is_red()));
    let single = |record: &Record| matches!(record.question, Question::Base { suite: 1, .. });
    let healthy = |record: &Record| record.question.truth() == Truth::Healthy;
    let one = select(records, |record| single(record) && healthy(record));
    let suites = select(records, |record| record.question == Question::Suite);
    let crates = select(records, |record| record.question == Question::Crate);
    let absolute = select(records, |record| is_absolute(record) && healthy(record));
    let limits = crates.iter().flat_map(|record| &record.answers);
    let open = |verdict| verdict == perf_budget_core::verdict::Verdict::Inconclusive;
    vec![
        at_most(
            "a suite of one limit against the base, within it, is red by chance",
            ALPHA,
            red(&one),
        ),
        at_most(
            &format!(
                "a suite of {SUITE} such limits, a fifth exactly at the truth, is red by chance"
            ),
            ALPHA,
            red(&suites),
        ),
        at_most(
            "a crate of 34 limits by `base = \"5 %\"`, compared with itself, is red by chance",
            ALPHA,
            red(&crates),
        ),
        at_most(
            "a limit of that crate is inconclusive",
            OPEN,
            Rate::of(limits.map(|a| open(a.verdict))),
        ),
        at_most("a latency or throughput within its limit is red by chance", ALPHA, red(&absolute)),
    ]
}

/// How often, and how soon, what is over its limits is found.
fn power(records: &[Record]) -> Vec<Row> {
    let red = |records: &[&Record]| Rate::of(records.iter().map(|record| record.is_red()));
    let injected = |wanted: &dyn Fn(usize) -> bool, effect: u32| {
        select(
            records,
            |record| matches!(record.base(), Some((workload, by, 1)) if wanted(workload) && by == effect),
        )
    };
    let mut rows = Vec::new();
    for (effect, within) in [(1, 5.0), (2, 5.0), (5, 1.0), (20, 1.0)] {
        let found = injected(&|workload| workload < COMPUTE.len(), effect);
        let name = format!("+{effect} % of compute-bound work is found, at a limit of +0.5 %");
        rows.push(at_least(&name, POWER, red(&found)));
        let plain: Vec<&Record> =
            found.iter().copied().filter(|r| r.condition == Condition::Plain).collect();
        let name = format!("and that within {within} s, in the median, on the machine as it is");
        rows.push(judged_within(&name, within, &plain));
    }
    let of = |names: &'static [&str]| move |workload: usize| names.contains(&COMPARED[workload]);
    for (name, wanted) in [
        ("memory-bound work", of(&["chase", "copy"])),
        ("work of two threads that wait for each other", of(&["pingpong"])),
        (
            "an operation of 13 ms, costly set-up, random seeds, tasks",
            of(&["long", "setup", "maps", "tasks"]),
        ),
    ] {
        let found = red(&injected(&wanted, 5));
        rows.push(at_least(&format!("+5 % of {name} is found, at a limit of +2 %"), POWER, found));
    }
    let hard = injected(&|workload| workload >= COMPUTE.len(), 20);
    rows.push(at_least(
        "+20 % of any of these is found, at a limit of +2 or +5 %",
        POWER,
        red(&hard),
    ));
    let far = select(records, |record| is_absolute(record) && record.question.is_far_over());
    rows.push(at_least("a latency or throughput of twice its limit is found", POWER, red(&far)));
    let comfortable =
        select(records, |r| r.question == Question::P99(50) && r.condition == Condition::Plain);
    rows.push(within_seconds(
        "a p99 of half its limit passes within 0.6 s, in the median, on the machine as it is",
        0.6,
        &comfortable,
    ));
    rows
}

/// How often a value over its limit passes, how often an interval covers, and whether the places of a pair are alike.
fn passes_and_pairs(records: &[Record], audit: &[Finding]) -> Vec<Row> {
    let broken = select(records, |record| record.question.truth() == Truth::Broken);
    let passes = Rate::of(broken.iter().map(|record| record.passes()));
    let same = select(records, |record| {
        matches!(record.base(), Some((_, 0, 1))) || record.base().is_none()
    });
    let covers = Rate::of(same.iter().flat_map(|record| record.covers_one()));
    let worst = audit
        .iter()
        .filter(|finding| finding.what != FREE)
        .filter_map(|finding| finding.t)
        .fold(0.0_f64, |a, b| a.max(b.abs()));
    vec![
        at_most("what is over limit and tolerance passes", MISSED, passes),
        at_least("an interval of 90 % covers a ratio of 1 of the same code", COVERS, covers),
        (
            format!("the places of a pair are alike: every |t| below {ALIKE}"),
            format!("{worst:.1}"),
            if worst < ALIKE { Held::Yes } else { Held::No },
        ),
    ]
}

/// Whether a question is about an absolute limit.
fn is_absolute(record: &Record) -> bool {
    match record.question {
        Question::P99(_) | Question::Throughput(_) | Question::Sleeps => true,
        Question::Base { .. } | Question::Suite | Question::Crate => false,
    }
}

fn at_most(promise: &str, most: f64, rate: Rate) -> Row {
    let held = match (rate.interval(), rate.at_most()) {
        (Some(interval), _) if interval.low > most => Held::No,
        (_, Some(high)) if high <= most => Held::Yes,
        (Some(_), _) => Held::AsFarAsSeen,
        (None, _) => Held::Unknown,
    };
    let bound = rate
        .at_most()
        .map_or(String::new(), |high| format!("; at most {:.2} % at 95 %", high * 100.0));
    (format!("{promise}: at most {:.0} %", most * 100.0), format!("{rate}{bound}"), held)
}

fn at_least(promise: &str, least: f64, rate: Rate) -> Row {
    let held = rate.interval().map_or(Held::Unknown, |interval| match interval {
        interval if interval.high < least => Held::No,
        interval if interval.low >= least => Held::Yes,
        _ => Held::AsFarAsSeen,
    });
    (format!("{promise}: at least {:.0} %", least * 100.0), rate.to_string(), held)
}

fn within_seconds(promise: &str, most: f64, records: &[&Record]) -> Row {
    let times = Times::of(records.iter().map(|record| record.seconds));
    (promise.to_owned(), format!("{} s", Times::text(times)), Held::within(times, most))
}

/// The seconds until there is a verdict. A red is then explained in the same run, which takes its own time.
fn judged_within(promise: &str, most: f64, records: &[&Record]) -> Row {
    let measured = |record: &&Record| record.answers.iter().map(|answer| answer.seconds).sum();
    let times = Times::of(records.iter().map(measured));
    let whole = Times::text(Times::of(records.iter().map(|record| record.seconds)));
    let found = format!(
        "{} s; {whole} s for the whole run, which then names the functions to blame",
        Times::text(times)
    );
    (promise.to_owned(), found, Held::within(times, most))
}
