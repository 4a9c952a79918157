//! The page of the trials: the promises first, each with what was found, and then the figures behind them.

use std::fmt::Write as _;

use perf_budget_core::verdict::Verdict;

use crate::audit::Finding;
use crate::figures::{Rate, Times, day};
use crate::load::Condition;
use crate::plan::{Question, SUITE, Truth, limit};
use crate::promises;
use crate::trial::{Answer, Record, select};
use crate::workloads::COMPARED;

/// The results that a page is written from.
pub(crate) struct Page<'a> {
    pub(crate) records: &'a [Record],
    pub(crate) audit: &'a [Finding],
    /// The section that is simulated.
    pub(crate) simulated: String,
}

impl Page<'_> {
    /// Returns the page, and whether nothing in it contradicts a promise.
    pub(crate) fn render(&self) -> (String, bool) {
        let mut text = self.head();
        let (promises, held) = promises::section(self.records, self.audit);
        text += &promises;
        text += &self.against_a_base();
        text += &self.same_code();
        text += &self.false_reds();
        text += &self.absolute();
        text += &self.simulated;
        text += &self.audited();
        (text, held)
    }

    /// The conditions under which there were trials.
    fn conditions(&self) -> impl Iterator<Item = Condition> {
        let has_any = |wanted: Condition| self.records.iter().any(|r| r.condition == wanted);
        Condition::ALL.into_iter().filter(move |&condition| has_any(condition))
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
             own, questions whose answers are known, and counts. Made on {days} by `cargo bench --bench verdicts`, {}: {} runs \
             of the harness with {verdicts} verdicts, of build `{}`. Everything was measured (`PERF_BUDGET_MEASURE=always`), \
             and both sides are the same binary with one link.\n\n\
             Rates are counts with their Clopper-Pearson interval of 95 %. Times are seconds, the median and what 95 of a \
             hundred stay within, from the start of the test binary to its end. *Red* is any red, whatever its name: `fail` or \
             `unmeasured`. *Inconclusive* is a warning, and is counted apart. Pressure is the share of time in which something waited for a processor (`/proc/pressure/cpu`), before a trial.\n\n\
             | condition | runs | pressure, median | pressure, most |\n|---|---|---|---|\n",
            self.records.last().map_or("", |record| &record.machine),
            self.records.len(),
            self.records.first().map_or("", |record| &record.build),
        );
        for condition in self.conditions() {
            let runs = select(self.records, |record| record.condition == condition);
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

    fn against_a_base(&self) -> String {
        let mut text = String::from(
            "\n## Against a base\n\nRed where a percentage is injected, how many were inconclusive, and the time to any \
             verdict.\n\n",
        );
        text += "| workload, limit | injected | suite of | ";
        for condition in self.conditions() {
            let _ = write!(text, "{}: red | inconclusive | s | ", condition.words());
        }
        text += "\n|---|---|---|";
        text += &"---|---|---|".repeat(self.conditions().count());
        text += "\n";
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
            for condition in self.conditions() {
                let runs =
                    select(self.records, |r| r.base() == Some(kind) && r.condition == condition);
                let red = Rate::of(runs.iter().map(|record| record.is_red()));
                let open = Rate::of(runs.iter().map(|record| record.is_open()));
                let times = Times::text(Times::of(runs.iter().map(|record| record.seconds)));
                let _ = write!(text, " {red} | {} / {} | {times} |", open.count, open.of);
            }
            text += "\n";
        }
        text
    }

    /// Lists the runs with the same code on both sides: those of each workload, and the suites of many limits.
    fn same_code(&self) -> String {
        let mut text = String::from(
            "\n## The same code on both sides\n\nUnder all conditions together. The interval is that of 90 %, at the verdict; \
             it should cover a ratio of 1.\n\n\
             | suite | runs | red | inconclusive | the interval covers 1 | s |\n|---|---|---|---|---|---|\n",
        );
        let mut row = |name: String, runs: &[&Record]| {
            let red = Rate::of(runs.iter().map(|record| record.is_red()));
            let open = Rate::of(runs.iter().map(|record| record.is_open()));
            let covers = Rate::of(runs.iter().flat_map(|record| record.covers_one()));
            let times = Times::text(Times::of(runs.iter().map(|record| record.seconds)));
            let _ =
                writeln!(text, "| {name} | {} | {red} | {open} | {covers} | {times} |", runs.len());
        };
        for (at, workload) in COMPARED.iter().enumerate() {
            let runs = select(self.records, |record| record.base() == Some((at, 0, 1)));
            row(format!("{workload}, +{} %", limit(at)), &runs);
        }
        row(
            format!("{SUITE} limits"),
            &select(self.records, |record| record.question == Question::Suite),
        );
        row(
            "a crate of 34 limits".to_owned(),
            &select(self.records, |r| r.question == Question::Crate),
        );
        text + &self.open_in_crates()
    }

    /// Counts the inconclusive limits of the ordinary crate by their names.
    fn open_in_crates(&self) -> String {
        let crates = select(self.records, |record| record.question == Question::Crate);
        let answers: Vec<&Answer> = crates.iter().flat_map(|record| &record.answers).collect();
        let open = |answer: &Answer| answer.verdict == Verdict::Inconclusive;
        let all = Rate::of(answers.iter().map(|answer| open(answer)));
        let mut names: Vec<&str> =
            answers.iter().filter(|answer| open(answer)).map(|answer| &*answer.test).collect();
        names.sort_unstable();
        let mut text = format!("\nOf the limits of the crates, {all} were inconclusive");
        let mut rest = &names[..];
        let mut sign = ": ";
        while let Some(first) = rest.first() {
            let count = rest.iter().take_while(|name| *name == first).count();
            let _ = write!(text, "{sign}`{first}` {count}");
            (rest, sign) = (&rest[count..], ", ");
        }
        text + ".\n"
    }

    /// Lists the false reds one by one, since each is worth reading.
    fn false_reds(&self) -> String {
        let healthy = select(self.records, |record| record.question.truth() == Truth::Healthy);
        let answers =
            || healthy.iter().flat_map(|r| r.answers.iter().map(move |answer| (r, answer)));
        let all = Rate::of(answers().map(|(_, answer)| answer.verdict.is_red()));
        let open = Rate::of(answers().map(|(_, answer)| answer.verdict == Verdict::Inconclusive));
        let suites = select(self.records, |record| record.question == Question::Suite);
        let mut text = format!(
            "\n## False reds\n\nOf all verdicts about what is within its limit, those of suites included, {all} were red, and \
             {open} inconclusive. A suite of {SUITE} took {} s.\n\n",
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
             of its own, log-normal around 0.2 ms; a hundredth sleeps where that is said. On a busy machine a red by less than half is \
             inconclusive, since other work could be the reason.\n\n\
             | question | right | condition | red | inconclusive | s |\n|---|---|---|---|---|---|\n",
        );
        let mut questions: Vec<(Question, String)> = Vec::new();
        for record in self.records {
            let name = match record.question {
                Question::P99(share) => format!("p99 at {share} % of its limit"),
                Question::Throughput(share) => {
                    format!("throughput, the limit being {share} % of it")
                }
                Question::Sleeps => "2 % of operations sleep for twice the limit of p99".to_owned(),
                Question::Base { .. } | Question::Suite | Question::Crate => continue,
            };
            if !questions.iter().any(|(known, _)| *known == record.question) {
                questions.push((record.question, name));
            }
        }
        questions.sort_by(|a, b| a.1.cmp(&b.1));
        for (question, name) in questions {
            for condition in self.conditions() {
                let runs =
                    select(self.records, |r| r.question == question && r.condition == condition);
                let right = if question.truth() == Truth::Broken { "red" } else { "green" };
                let red = Rate::of(runs.iter().map(|record| record.is_red()));
                let open = Rate::of(runs.iter().map(|record| record.is_open()));
                let times = Times::text(Times::of(runs.iter().map(|record| record.seconds)));
                let _ = writeln!(
                    text,
                    "| {name} | {right} | {} | {red} | {open} | {times} |",
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
