//! The page `docs/real.md`.

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use perf_budget_core::date::Date;
use perf_budget_core::outcome::Outcome;
use perf_budget_core::stats::clopper_pearson;
use perf_budget_core::verdict::Verdict;

use crate::pairs::Pair;
use crate::truth::Truth;

/// All comparisons so far.
pub(crate) struct Page {
    began: Date,
    runs: usize,
    pub(crate) rows: Vec<Row>,
    /// The pairs that could not be compared, with the reasons.
    pub(crate) failures: Vec<(String, String)>,
}

/// One workload of a pair.
pub(crate) struct Row {
    pair: String,
    pub(crate) work: String,
    truth: Truth,
    pub(crate) runs: Vec<Run>,
}

/// One run of the command.
pub(crate) struct Run {
    ratio: Option<f64>,
    verdict: Verdict,
    pairs: usize,
    seconds: f64,
    load: Option<f64>,
}

impl Row {
    pub(crate) fn new(pair: &Pair, work: &str, truth: Truth) -> Row {
        Row { pair: pair.name(), work: work.to_owned(), truth, runs: Vec::new() }
    }

    pub(crate) fn add(&mut self, outcome: &Outcome, load: Option<f64>) {
        self.runs.push(Run {
            ratio: outcome.estimate.map(|estimate| estimate.value),
            verdict: outcome.verdict,
            pairs: outcome.evidence.map_or(0, |evidence| evidence.processes),
            seconds: outcome.seconds,
            load,
        });
    }

    fn count(&self, verdict: Verdict) -> u64 {
        self.runs.iter().filter(|run| run.verdict == verdict).count() as u64
    }

    /// Whether the truth is so far beyond the limit and its tolerance that it must be found.
    fn must_be_red(&self) -> bool {
        self.truth.ratio() > 1.03 * 1.01 * 1.03
    }
}

impl Page {
    pub(crate) fn new(runs: usize) -> Page {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
        Page { began: Date::of_unix(now), runs, rows: Vec::new(), failures: Vec::new() }
    }

    /// Returns the text of the page.
    pub(crate) fn text(&self) -> String {
        let mut text = String::from("# Published versions of real crates\n\n");
        let (least, most) = self.loads();
        let _ = writeln!(
            text,
            "Written by `benches/real` (`cargo run -- --runs {}` there); do not edit. Made on {}, at a load of \
             {least:.1} to {most:.1} on {} cores.\n",
            self.runs,
            self.began,
            std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        );
        text.push_str(HOW);
        text.push_str(&self.totals());
        text.push_str("\n| versions | workload | instructions | ratio in each run | verdict of each run | pairs | s |\n");
        text.push_str("|---|---|---|---|---|---|---|\n");
        for row in &self.rows {
            text.push_str(&line(row));
        }
        for (pair, reason) in &self.failures {
            let first = reason.lines().next().unwrap_or_default();
            let _ = writeln!(text, "\n{pair} could not be compared: {first}");
        }
        text
    }

    fn totals(&self) -> String {
        let sum = |is: &dyn Fn(&Row) -> bool, verdict: Option<Verdict>| -> u64 {
            let rows = self.rows.iter().filter(|row| is(row));
            rows.map(|row| verdict.map_or(row.runs.len() as u64, |v| row.count(v))).sum()
        };
        let equal = |row: &Row| row.truth.is_equal();
        let worse = |row: &Row| row.must_be_red();
        let rate = |is: &dyn Fn(&Row) -> bool, verdict: Verdict| {
            let (count, of) = (sum(is, Some(verdict)), sum(is, None));
            if of == 0 {
                return "none".to_owned();
            }
            let ends = clopper_pearson(count, of, 0.95);
            format!("{count} of {of} [{:.1}, {:.1}] %", 100.0 * ends.low, 100.0 * ends.high)
        };
        format!(
            "| truth | fail | inconclusive | pass |\n|---|---|---|---|\n\
             | the same instructions | {} | {} | {} |\n| at least 3 % beyond limit and tolerance | {} | {} | {} |\n",
            rate(&equal, Verdict::Fail),
            rate(&equal, Verdict::Inconclusive),
            rate(&equal, Verdict::Pass),
            rate(&worse, Verdict::Fail),
            rate(&worse, Verdict::Inconclusive),
            rate(&worse, Verdict::Pass),
        )
    }

    fn loads(&self) -> (f64, f64) {
        let loads = self.rows.iter().flat_map(|row| &row.runs).filter_map(|run| run.load);
        let ends = loads
            .fold((f64::INFINITY, 0.0_f64), |(low, high), load| (low.min(load), high.max(load)));
        if ends.0.is_finite() { ends } else { (0.0, 0.0) }
    }
}

fn line(row: &Row) -> String {
    let truth = if row.truth.is_equal() {
        "equal".to_owned()
    } else {
        format!("x {:.3}", row.truth.ratio())
    };
    let each = |of: &dyn Fn(&Run) -> String| row.runs.iter().map(of).collect::<Vec<_>>().join(", ");
    let mut seconds: Vec<f64> = row.runs.iter().map(|run| run.seconds).collect();
    seconds.sort_unstable_by(f64::total_cmp);
    let middle = seconds.get(seconds.len() / 2).copied().unwrap_or_default();
    format!(
        "| {} | {} | {truth} | {} | {} | {} | {middle:.1} |\n",
        row.pair,
        row.work,
        each(&|run| run.ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.3}"))),
        each(&|run| run.verdict.name().to_owned()),
        each(&|run| run.pairs.to_string()),
    )
}

const HOW: &str = "\
Each pair is a repository of two commits, between which only the version of the crate changes, and `cargo budget check \
--base HEAD~1` is run on it with a limit of `1.03 x base` (tolerance: one point) on `mean`. Everything is measured, even what is \
proven equal (`PERF_BUDGET_MEASURE=always`), without evidence of earlier runs. The instructions are those of Valgrind, of the second \
version over the first; where they are equal, no code is to blame for any difference of times. The ratio is that of a typical link \
([why](comparison.md#links-and-codegen-units)). Seconds are the median measuring time of a limit, without building and linking. \
Rates have Clopper-Pearson intervals of 95 %.\n\n";
