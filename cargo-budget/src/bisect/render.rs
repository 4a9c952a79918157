//! The report of a search, for people and for programs.

use std::fmt::Write as _;

use perf_budget_core::outcome::{Outcome, words};
use perf_budget_core::report::terminal::{interval_text, value_text};
use perf_budget_core::verdict::Verdict;
use serde_json::{Value, json};

use super::commit::Commit;
use super::search::{Answer, SearchResult};
use super::searched::{Searched, SearchedEntry};
use crate::exit::Exit;
use crate::text::{counted, value_shown};

/// The result of a search.
#[derive(Debug)]
pub(crate) struct Report {
    pub(super) test: String,
    pub(super) limit: String,
    pub(super) good: String,
    pub(super) bad: String,
    /// The good side as people are shown it: a toolchain, or a commit.
    pub(super) good_shown: String,
    /// The names of what was searched, and how people are shown them.
    pub(super) entries: Vec<(String, String)>,
    /// The series that was searched.
    pub(super) searched: Searched,
    pub(super) is_compared: bool,
    pub(super) alpha: f64,
    pub(super) most: u32,
    pub(super) found: SearchResult,
    /// The entries that were compared, in the order of the series.
    pub(super) tried: Vec<SearchedEntry>,
    /// The commit that was found, or the red one at the end of a range.
    pub(super) commit: Option<Commit>,
    /// The comparison of that commit with the one before it.
    pub(super) own: Option<Outcome>,
}

impl Report {
    /// Returns the exit of the command.
    pub(crate) fn exit(&self) -> Exit {
        let is_unsettled =
            |tried: &&SearchedEntry| tried.skipped.is_some() && tried.evidence.is_some();
        match self.found {
            SearchResult::One(_) if self.is_split() => Exit::Inconclusive,
            SearchResult::One(_) => Exit::Holds,
            SearchResult::Holds => Exit::Broken,
            SearchResult::Range(..) | SearchResult::Unknown
                if self.open().any(|tried| is_unsettled(&tried)) =>
            {
                Exit::Inconclusive
            }
            SearchResult::Range(..) | SearchResult::Unknown => Exit::Unmeasured,
        }
    }

    /// Whether the commit that was found runs the same code as the one before it, which is green. Then the value of both is
    /// over the limit by less than its tolerance, where either answer is right.
    fn is_split(&self) -> bool {
        self.own.as_ref().is_some_and(|own| own.proven.is_some())
    }

    /// Returns what is between the last green entry and the first red one, or the last entry where nothing is red.
    fn open(&self) -> impl Iterator<Item = &SearchedEntry> {
        let (from, to) = match self.found {
            SearchResult::Range(from, to) => (from, to),
            SearchResult::One(_) | SearchResult::Holds => (1, 0),
            SearchResult::Unknown => (self.entries.len() - 1, self.entries.len() - 1),
        };
        self.tried.iter().filter(move |tried| (from..=to).contains(&tried.at))
    }

    /// Returns the outcome of an entry, compared with the good commit.
    fn outcome(&self, at: usize) -> Option<&Outcome> {
        self.tried.iter().find(|tried| tried.at == at)?.outcome.as_ref()
    }

    /// Returns the last of what was searched, as people are shown it.
    fn bad_shown(&self) -> &str {
        match (self.searched, self.entries.last()) {
            (Searched::Toolchains, Some((_, shown))) => shown,
            (Searched::Toolchains, None) | (Searched::Commits | Searched::Packages, _) => {
                crate::text::short(&self.bad)
            }
        }
    }

    /// Renders the report for people.
    pub(crate) fn text(&self) -> String {
        let mut text = match self.found {
            SearchResult::One(at) if self.is_split() => self.split(at),
            SearchResult::One(at) => self.one_entry(at),
            SearchResult::Range(from, to) => self.range(from, to),
            SearchResult::Holds => {
                let value =
                    self.outcome(self.entries.len() - 1).map(value_shown).unwrap_or_default();
                format!(
                    "`{}` holds {}: {value}, the limit is {}; there is nothing to find\n",
                    self.test,
                    if self.searched == Searched::Toolchains {
                        format!("with {}", self.bad_shown())
                    } else {
                        "at the bad commit".to_owned()
                    },
                    self.limit
                )
            }
            SearchResult::Unknown => {
                let why = self.open().find_map(|tried| tried.skipped.as_deref());
                format!(
                    "{} cannot be judged: {}\n",
                    if self.searched == Searched::Toolchains {
                        self.bad_shown()
                    } else {
                        "the bad commit"
                    },
                    why.unwrap_or("nothing is known of it")
                )
            }
        };
        if let Some(chance) = self.chance() {
            let _ = writeln!(text, "{chance}");
        }
        text
    }

    /// Returns what an entry is called: a commit by its hash, anything else as people are shown it.
    fn entry(&self, at: usize) -> &str {
        let (name, shown) = &self.entries[at];
        if self.searched == Searched::Commits { name } else { shown }
    }

    /// Renders the result that one entry made the limit red.
    fn one_entry(&self, at: usize) -> String {
        let what = self.entry(at);
        let mut text = format!("{what} broke `{}` ({})\n", self.test, self.limit);
        if let Some(commit) = &self.commit {
            commit.describe(&mut text);
        }
        if let Some(outcome) = self.outcome(at) {
            let with = match self.searched {
                _ if !self.is_compared => String::new(),
                Searched::Toolchains => format!(" x that of {}", self.good_shown),
                Searched::Commits | Searched::Packages => " x the good commit".to_owned(),
            };
            let _ =
                writeln!(text, "  measured   {}{with}{}", value_text(outcome), between(outcome));
        }
        if let Some(own) = &self.own {
            let _ = writeln!(
                text,
                "  by itself  {} x the commit before it{}{}",
                value_text(own),
                between(own),
                match own.verdict {
                    Verdict::Pass | Verdict::Warn =>
                        ", which holds the limit: several commits add up",
                    Verdict::Fail
                    | Verdict::Inconclusive
                    | Verdict::Unmeasured
                    | Verdict::Skipped => "",
                }
            );
        }
        let shown = self.own.as_ref().filter(|own| own.is_red()).or_else(|| self.outcome(at));
        let blame = shown.and_then(|outcome| outcome.blame.as_ref());
        for (nth, line) in blame.map(|blame| words::blame(blame)).iter().flatten().enumerate() {
            let _ = writeln!(text, "  {:<10} {line}", if nth == 0 { "blame" } else { "" });
        }
        if let Some(changed) = shown.and_then(|outcome| outcome.changed.as_ref()) {
            let _ = writeln!(text, "  changed    {}", changed.describe());
        }
        text
    }

    /// Renders the result that two commits with the same machine code have different answers.
    fn split(&self, at: usize) -> String {
        let step = self.outcome(at).and_then(|outcome| outcome.estimate).map(|estimate| {
            // The distance of the value from 1, so that it works for limits on either side.
            let worse = estimate.value.max(1.0 / estimate.value) - 1.0;
            format!(", such as `--by {:.2}%`", worse * 100.0 / 2.0)
        });
        format!(
            "{} is red and {} is green, although they run the same machine code: what broke `{}` made it worse by about as \
             much as the limit ({}) and its tolerance allow, where either answer is right; search for a smaller step{}\n",
            self.entries[at].1,
            self.entries[at - 1].1,
            self.test,
            self.limit,
            step.unwrap_or_default()
        )
    }

    fn range(&self, from: usize, to: usize) -> String {
        let mut text = format!(
            "one of {} broke `{}` ({}); what is between cannot be judged\n",
            counted(to - from + 1, self.searched.singular()),
            self.test,
            self.limit
        );
        for tried in self.open() {
            let why =
                tried.skipped.as_deref().map_or("red".to_owned(), |why| format!("skipped, {why}"));
            let _ = writeln!(text, "  {}: {why}", tried.shown);
        }
        text
    }

    /// Whether any entry has an answer.
    fn is_answered(&self) -> bool {
        self.tried.iter().any(|tried| tried.answer != Answer::Unknown)
    }

    /// Whether every answer is certain, because no evidence was needed. If there is no answer, this is false.
    fn is_certain(&self) -> bool {
        self.is_answered() && self.tried.iter().all(|tried| tried.evidence.is_none())
    }

    /// Returns the sentence about the chance of a wrong answer; `None` if there is no answer.
    fn chance(&self) -> Option<String> {
        if self.is_certain() {
            return Some(
                "no answer is left to chance: each value is the same whenever it is measured, or proven"
                    .to_owned(),
            );
        }
        self.is_answered().then(|| {
            format!(
                "the chance that any comparison called a limit red that holds, or green one that is broken by more than \
                 its tolerance, is at most {} %, over all {} together",
                self.alpha * 100.0,
                counted(self.most as usize, "comparison")
            )
        })
    }

    /// Renders the report for programs.
    pub(crate) fn json(&self) -> Value {
        let (result, from, to) = match self.found {
            SearchResult::One(at) if self.is_split() => ("unknown", Some(at - 1), Some(at)),
            SearchResult::One(at) => ("found", Some(at), Some(at)),
            SearchResult::Range(from, to) => ("range", Some(from), Some(to)),
            SearchResult::Holds => ("holds", None, None),
            SearchResult::Unknown => ("unknown", None, None),
        };
        let outcome = to.and_then(|at| self.outcome(at));
        json!({
            "version": 1,
            "test": self.test,
            "limit": self.limit,
            "good": self.good,
            "bad": self.bad,
            "good_shown": self.good_shown,
            "bad_shown": self.bad_shown(),
            "searched": format!("{}s", self.searched.singular()),
            "entries": self.entries.len(),
            "chance_of_a_wrong_answer": if self.is_certain() { 0.0 } else { self.alpha },
            "comparisons": self.most,
            "result": result,
            "first": from.map(|at| self.entry(at)),
            "last": to.map(|at| self.entry(at)),
            "commit": self.commit.as_ref().map(Commit::json),
            "against_good": outcome,
            "against_before": self.own,
            "tried": self.tried.iter().map(SearchedEntry::json).collect::<Vec<_>>(),
        })
    }
}

impl SearchedEntry {
    fn json(&self) -> Value {
        let answer = match self.answer {
            Answer::Red => "red",
            Answer::Green => "green",
            Answer::Unknown => "skipped",
        };
        let estimate = self.outcome.as_ref().and_then(|outcome| outcome.estimate);
        json!({
            "name": self.name,
            "shown": self.shown,
            "answer": answer,
            "estimate": estimate,
            "proven": self.outcome.as_ref().and_then(|outcome| outcome.proven.as_ref()),
            "runs": self.evidence.map_or(u32::from(self.same.is_none()), |evidence| evidence.runs),
            "seconds": self.evidence.map(|evidence| evidence.seconds),
            "skipped": self.skipped,
            "same_as": self.same,
        })
    }
}

/// Returns the interval of an outcome in brackets; empty if it has none, or one that is a single value.
fn between(outcome: &Outcome) -> String {
    let ends = outcome
        .estimate
        .map(|estimate| (estimate.low.map(f64::to_bits), estimate.high.map(f64::to_bits)));
    if ends.is_none_or(|(low, high)| low.is_some() && low == high) {
        return String::new();
    }
    format!(" ({})", interval_text(outcome))
}

#[cfg(test)]
mod tests {
    use perf_budget_core::outcome::{ComparisonMethod, Estimate, Proven};

    use super::*;
    use crate::bisect::evidence::Evidence;

    fn report(own: Option<Outcome>) -> Report {
        let estimate = Estimate { value: 1.028, low: Some(1.026), high: Some(1.031) };
        let outcome = Outcome { estimate: Some(estimate), ..Outcome::default() };
        let tried = SearchedEntry {
            at: 1,
            name: "b".repeat(40),
            shown: "bbbbbbbbb Say more".to_owned(),
            answer: Answer::Red,
            evidence: Some(Evidence::default()),
            outcome: Some(outcome),
            skipped: None,
            same: None,
        };
        Report {
            test: "index::mean::x_base".to_owned(),
            limit: "1.02 x base".to_owned(),
            good: "0".repeat(40),
            bad: "b".repeat(40),
            good_shown: "000000000".to_owned(),
            entries: ["a", "b"].map(|name| (name.repeat(40), format!("{name} Say more"))).into(),
            searched: Searched::Commits,
            is_compared: true,
            alpha: 0.01,
            most: 2,
            found: SearchResult::One(1),
            tried: vec![tried],
            commit: None,
            own,
        }
    }

    #[test]
    fn a_search_without_an_answer_is_not_certain() {
        let mut none = report(None);
        none.found = SearchResult::Unknown;
        let tried = &mut none.tried[0];
        (tried.answer, tried.evidence, tried.outcome) = (Answer::Unknown, None, None);
        tried.skipped = Some("it does not build: oops".to_owned());
        assert_eq!(none.text(), "the bad commit cannot be judged: it does not build: oops\n");
        assert_ne!(none.json()["chance_of_a_wrong_answer"], 0.0);
        let mut certain = report(None);
        certain.tried[0].evidence = None;
        assert!(certain.text().contains("no answer is left to chance"));
        assert_eq!(certain.json()["chance_of_a_wrong_answer"], 0.0);
    }

    #[test]
    fn a_commit_that_runs_the_same_code_as_the_one_before_it_is_no_answer() {
        let proven = Proven { by: ComparisonMethod::Reach, commit: "a".repeat(40) };
        let same = report(Some(Outcome { proven: Some(proven), ..Outcome::default() }));
        assert_eq!(same.exit(), Exit::Inconclusive);
        assert!(same.text().starts_with("b Say more is red and a Say more is green"));
        assert!(same.text().contains("search for a smaller step, such as `--by 1.40%`"));
        assert_eq!(same.json()["result"], "unknown");
        let held = Outcome { verdict: Verdict::Pass, ..Outcome::default() };
        let found = report(Some(held));
        assert_eq!((found.exit(), &found.json()["result"]), (Exit::Holds, &json!("found")));
        assert!(found.text().contains("which holds the limit: several commits add up"));
        assert_eq!(report(None).exit(), Exit::Holds);
    }
}
