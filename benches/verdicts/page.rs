//! The page of the trials: the promises first, each with what was found, and then the figures behind them.

use std::fmt::Write as _;

use perf_budget_core::verdict::Verdict;

use crate::audit::{FREE, Finding};
use crate::figures::{Rate, Times, day};
use crate::load::Condition;
use crate::plan::{Question, SUITE, Truth, limit};
use crate::trial::Record;
use crate::workloads::{COMPARED, COMPUTE};

/// The probability with which a whole suite may be red by chance.
const ALPHA: f64 = 0.01;
/// The probability with which a value over limit and tolerance is found.
const POWER: f64 = 0.95;
/// The number of standard errors from which on a mean difference is not chance.
const ALIKE: f64 = 4.0;

/// The results that a page is written from.
pub(crate) struct Page<'a> {
    pub(crate) records: &'a [Record],
    pub(crate) audit: &'a [Finding],
    pub(crate) command: String,
    pub(crate) processor: &'a str,
}

impl Record {
    fn is_red(&self) -> bool {
        self.answers.iter().any(|answer| answer.verdict.is_red())
    }

    fn fails(&self) -> bool {
        self.answers.iter().any(|answer| answer.verdict == Verdict::Fail)
    }

    fn base(&self) -> Option<(usize, u32, usize)> {
        match self.question {
            Question::Base { workload, effect, suite } => Some((workload, effect, suite)),
            _ => None,
        }
    }
}

impl Page<'_> {
    /// Returns the page, and whether nothing in it contradicts a promise.
    pub(crate) fn render(&self) -> (String, bool) {
        let mut text = self.head();
        let (promises, held) = self.promises();
        text += &promises;
        text += &self.against_a_base();
        text += &self.false_reds();
        text += &self.absolute();
        text += &self.audited();
        (text, held)
    }

    fn some(&self, wanted: impl Fn(&Record) -> bool) -> Vec<&Record> {
        self.records.iter().filter(|record| wanted(record)).collect()
    }

    fn head(&self) -> String {
        let days = self.records.iter().map(|record| day(record.at));
        let (first, last) =
            (days.clone().min().unwrap_or_default(), days.max().unwrap_or_default());
        let days = if first == last { first } else { format!("{first} to {last}") };
        let verdicts: usize = self.records.iter().map(|record| record.answers.len()).sum();
        let mut text = format!(
            "# How good the verdicts are\n\n\
             Written by `benches/verdicts`; do not edit. It asks the real harness, as a test binary in a process of its \
             own, questions whose answers are known, and counts. Made on {days} by `{}`, {}: {} runs of the \
             harness with {verdicts} verdicts, of build `{}`.\n\n\
             Rates are counts with their Clopper-Pearson interval of 95 %. Times are seconds, the median and what 95 of a \
             hundred stay within, from the start of the test binary to its end. *Red* is `fail`; an `inconclusive` verdict is a warning. Pressure is the \
             share of time in which something waited for a processor (`/proc/pressure/cpu`), before a trial.\n\n\
             | condition | runs | pressure, median | pressure, most |\n|---|---|---|---|\n",
            self.command,
            self.processor,
            self.records.len(),
            self.records.first().map_or("", |record| &record.build),
        );
        for condition in Condition::ALL {
            let runs = self.some(|record| record.condition == condition);
            let mut pressure: Vec<f64> = runs.iter().filter_map(|record| record.pressure).collect();
            pressure.sort_by(f64::total_cmp);
            let share = |value: Option<&f64>| {
                value.map_or("-".to_owned(), |value| format!("{:.0} %", value * 100.0))
            };
            let (middle, most) = (share(pressure.get(pressure.len() / 2)), share(pressure.last()));
            let _ =
                writeln!(text, "| {} | {} | {middle} | {most} |", condition.words(), runs.len());
        }
        text
    }

    fn promises(&self) -> (String, bool) {
        let mut rows = Vec::new();
        let single = |record: &Record| matches!(record.question, Question::Base { suite: 1, .. });
        let healthy = self.some(|r| single(r) && r.question.truth() == Truth::Healthy);
        rows.push(at_most(
            "a suite of one limit against the base, within it, is red by chance",
            ALPHA,
            &healthy,
        ));
        let suites = self.some(|record| record.question == Question::Suite);
        let name = format!(
            "a suite of {SUITE} such limits, a fifth exactly at the truth, is red by chance"
        );
        rows.push(at_most(&name, ALPHA, &suites));
        let absolute = self.some(|r| r.base().is_none() && r.question != Question::Suite);
        let healthy: Vec<&Record> =
            absolute.iter().copied().filter(|r| r.question.truth() == Truth::Healthy).collect();
        rows.push(at_most(
            "a latency or throughput within its limit is red by chance",
            ALPHA,
            &healthy,
        ));
        for (effect, within) in [(1, 5.0), (2, 5.0), (5, 1.0), (20, 1.0)] {
            let found = self.some(|r| {
                matches!(r.base(), Some((workload, injected, 1)) if workload < COMPUTE.len() && injected == effect)
            });
            let name = format!("+{effect} % of compute-bound work is found, at a limit of +0.5 %");
            rows.push(at_least(&name, POWER, &found));
            let plain: Vec<&Record> =
                found.iter().copied().filter(|r| r.condition == Condition::Plain).collect();
            let name =
                format!("and that within {within} s, in the median, on the machine as it is");
            rows.push(within_seconds(&name, within, &plain));
        }
        let broken: Vec<&Record> =
            absolute.iter().copied().filter(|r| r.question.truth() == Truth::Broken).collect();
        rows.push(at_least("a latency or throughput over its limit is found", POWER, &broken));
        let comfortable =
            self.some(|r| r.question == Question::P99(50) && r.condition == Condition::Plain);
        rows.push(within_seconds(
            "a p99 of half its limit passes within 0.6 s, in the median, on the machine as it is",
            0.6,
            &comfortable,
        ));
        let worst = self
            .audit
            .iter()
            .filter(|finding| finding.what != FREE)
            .filter_map(|finding| finding.t)
            .fold(0.0_f64, |a, b| a.max(b.abs()));
        rows.push((
            format!("the places of a pair are alike: every |t| below {ALIKE}"),
            format!("{worst:.1}"),
            if worst < ALIKE { Held::Yes } else { Held::No },
        ));
        let held = rows.iter().all(|row| row.2 != Held::No);
        let mut text =
            String::from("\n## What is promised\n\n| promise | found | held |\n|---|---|---|\n");
        for (promise, found, held) in rows {
            let _ = writeln!(text, "| {promise} | {found} | {} |", held.words());
        }
        (text, held)
    }

    fn against_a_base(&self) -> String {
        let mut text = String::from(
            "\n## Against a base\n\nRed where a percentage is injected, and the time to any verdict.\n\n",
        );
        text += "| workload, limit | injected | suite of | ";
        for condition in Condition::ALL {
            let _ = write!(text, "{}: red | s | ", condition.words());
        }
        text += "\n|---|---|---|---|---|---|---|---|---|\n";
        let mut kinds: Vec<(usize, u32, usize)> =
            self.records.iter().filter_map(Record::base).collect();
        kinds.sort_by_key(|&(workload, effect, suite)| (workload, suite, effect));
        kinds.dedup();
        for kind @ (workload, effect, suite) in kinds {
            let truth = Question::Base { workload, effect, suite }.truth();
            let of = match truth {
                Truth::Healthy => ", within the limit",
                Truth::Between => ", within the tolerance",
                Truth::Broken => "",
            };
            let _ = write!(
                text,
                "| {}, +{} % | +{effect} %{of} | {suite} |",
                COMPARED[workload],
                limit(workload)
            );
            for condition in Condition::ALL {
                let runs = self.some(|r| r.base() == Some(kind) && r.condition == condition);
                let red = Rate::of(runs.iter().map(|record| record.is_red()));
                let times = Times::text(Times::of(runs.iter().map(|record| record.seconds)));
                let _ = write!(text, " {red} | {times} |");
            }
            text += "\n";
        }
        text
    }

    /// Lists the false reds one by one, since each is worth reading.
    fn false_reds(&self) -> String {
        let healthy = self.some(|record| record.question.truth() == Truth::Healthy);
        let answers =
            || healthy.iter().flat_map(|r| r.answers.iter().map(move |answer| (r, answer)));
        let all = Rate::of(answers().map(|(_, answer)| answer.verdict.is_red()));
        let fails = Rate::of(answers().map(|(_, answer)| answer.verdict == Verdict::Fail));
        let suites = self.some(|record| record.question == Question::Suite);
        let mut text = format!(
            "\n## False reds\n\nOf all verdicts about what is within its limit, those of suites included, {all} were red, and \
             {fails} `fail`. A suite of {SUITE} took {} s.\n\n",
            Times::text(Times::of(suites.iter().map(|record| record.seconds))),
        );
        for (record, answer) in answers().filter(|(_, answer)| answer.verdict.is_red()) {
            let _ = writeln!(
                text,
                "- {}, {:?}, `{}`: {} ({} pairs or processes, {:.1} s)",
                record.condition.words(),
                record.question,
                answer.test,
                answer.reason,
                answer.processes,
                answer.seconds
            );
        }
        if all.count == 0 {
            text += "There were none.\n";
        }
        text
    }

    fn absolute(&self) -> String {
        let mut text = String::from(
            "\n## Latency and throughput\n\nOperations take a time that is drawn, so that the truth is known: processor time \
             of its own, log-normal around 0.2 ms; a hundredth sleeps where that is said.\n\n\
             | question | right | condition | red | fail | s |\n|---|---|---|---|---|---|\n",
        );
        let mut questions: Vec<(Question, String)> = Vec::new();
        for record in self.records {
            let name = match record.question {
                Question::P99(share) => format!("p99 at {share} % of its limit"),
                Question::Throughput(share) => {
                    format!("throughput, the limit being {share} % of it")
                }
                Question::Sleeps => "2 % of operations sleep for twice the limit of p99".to_owned(),
                Question::Base { .. } | Question::Suite => continue,
            };
            if !questions.iter().any(|(known, _)| *known == record.question) {
                questions.push((record.question, name));
            }
        }
        questions.sort_by(|a, b| a.1.cmp(&b.1));
        for (question, name) in questions {
            for condition in Condition::ALL {
                let runs = self.some(|r| r.question == question && r.condition == condition);
                let right = if question.truth() == Truth::Broken { "red" } else { "green" };
                let red = Rate::of(runs.iter().map(|record| record.is_red()));
                let fail = Rate::of(runs.iter().map(|record| record.fails()));
                let times = Times::text(Times::of(runs.iter().map(|record| record.seconds)));
                let _ = writeln!(
                    text,
                    "| {name} | {right} | {} | {red} | {fail} | {times} |",
                    condition.words()
                );
            }
        }
        text
    }

    fn audited(&self) -> String {
        let mut text = String::from(
            "\n## Are the places of a pair alike?\n\nPairs of the same code, on the machine as it is. The coin keeps verdicts right \
             whatever is found here; a difference would be noise that costs time. Pairs further than five standard \
             deviations from the middle are left out of the mean. The last row of each workload is what pinning is for.\n\n\
             | workload | difference by | pairs | mean | t | sd of a pair |\n|---|---|---|---|---|---|\n",
        );
        for finding in self.audit {
            let t = finding.t.map_or("-".to_owned(), |t| format!("{t:+.1}"));
            let _ = writeln!(
                text,
                "| {} | {} | {} | {:+.3} % | {t} | {:.3} % |",
                finding.workload,
                finding.what,
                finding.pairs,
                finding.mean * 100.0,
                finding.sd * 100.0
            );
        }
        text
    }
}

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

fn at_most(promise: &str, most: f64, records: &[&Record]) -> Row {
    let rate = Rate::of(records.iter().map(|record| record.is_red()));
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

fn at_least(promise: &str, least: f64, records: &[&Record]) -> Row {
    let rate = Rate::of(records.iter().map(|record| record.is_red()));
    let held = rate.interval().map_or(Held::Unknown, |interval| match interval {
        interval if interval.high < least => Held::No,
        interval if interval.low >= least => Held::Yes,
        _ => Held::AsFarAsSeen,
    });
    (format!("{promise}: at least {:.0} %", least * 100.0), rate.to_string(), held)
}

fn within_seconds(promise: &str, most: f64, records: &[&Record]) -> Row {
    let times = Times::of(records.iter().map(|record| record.seconds));
    let held = times
        .map_or(Held::Unknown, |times| if times.median <= most { Held::Yes } else { Held::No });
    (promise.to_owned(), format!("{} s", Times::text(times)), held)
}
