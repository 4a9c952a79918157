//! The command line of the tests: what libtest understands and libtest-mimic does not is translated.
//!
//! libtest takes several filters, of which a test needs to match one, and some flags that say how to print. A habit
//! from other tests should not end with "unexpected argument".

use std::num::NonZero;

use libtest_mimic::{Arguments, FormatSetting, Trial};
use perf_budget_core::error::Error;

use crate::os::threads;

/// The options whose value is a word of its own.
const WITH_VALUE: &[&str] = &["--skip", "--test-threads", "--logfile", "--color", "--format", "-Z"];

/// Flags of libtest that change nothing here, each with its name in libtest-mimic, if it has one.
const OTHER_NAMES: &[(&str, Option<&str>)] = &[
    ("--no-capture", Some("--nocapture")),
    // Times are reported anyway, and nothing is shuffled: the order is that of the file.
    ("--report-time", None),
    ("--ensure-time", None),
    ("--exclude-should-panic", None),
    ("--shuffle", None),
];

/// The number of threads and processes that each test needs at once besides its own thread. They are the process that it
/// starts, the supervisor of that, two threads that read its output, and one thread that works beside it.
const BESIDE: usize = 5;

/// The most tests for which each result has a line of its own, if no format is asked for. Of more tests, each has one character.
const MOST_LINES: usize = 200;

/// The arguments, with every filter.
pub(super) struct Selection {
    pub(super) arguments: Arguments,
    /// The arguments with each filter by itself, if there are several. A single one is in `arguments`.
    alternatives: Vec<Arguments>,
}

impl Selection {
    /// Reads the command line of this process. If it makes no sense, the process ends.
    ///
    /// # Errors
    /// If no thread may run a test.
    pub(super) fn of_process() -> Result<Selection, Error> {
        let words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
        Selection::parse(words)
    }

    fn parse(words: impl IntoIterator<Item = String>) -> Result<Selection, Error> {
        let (mut passed_on, mut filters) = (Vec::new(), Vec::new());
        let mut words = words.into_iter();
        passed_on.extend(words.next());
        while let Some(word) = words.next() {
            if word == "--" {
                filters.extend(words.by_ref());
            } else if let Some((_, name)) = OTHER_NAMES.iter().find(|(other, _)| *other == word) {
                passed_on.extend(name.map(ToOwned::to_owned));
            } else if WITH_VALUE.contains(&word.as_str()) {
                passed_on.push(word);
                passed_on.extend(words.next());
            } else if word.starts_with('-') {
                passed_on.push(word);
            } else {
                filters.push(word);
            }
        }
        if let [only] = &filters[..] {
            passed_on.extend(["--".to_owned(), only.clone()]);
            filters.clear();
        }
        let arguments = Arguments::from_iter(passed_on);
        if arguments.test_threads == Some(0) {
            return Err(Error::other(
                "--test-threads is 0, and no test would run; give it at least 1",
            ));
        }
        let with = |filter| Arguments { filter: Some(filter), ..arguments.clone() };
        Ok(Selection { alternatives: filters.into_iter().map(with).collect(), arguments })
    }

    /// Returns the arguments for libtest-mimic in a run of this many tests. libtest-mimic panics if it cannot start a thread. So
    /// if the system has too few threads for all that the tests need at once, they run one after the other in this thread.
    pub(super) fn for_run(&self, tests: usize) -> Arguments {
        let available = || std::thread::available_parallelism().map_or(1, NonZero::get);
        let count = self.arguments.test_threads.unwrap_or_else(available);
        let mut arguments = self.arguments.clone();
        let needed = count.saturating_add(count.min(tests).saturating_mul(BESIDE));
        if count > 1 && !threads::can_start(needed) {
            arguments.test_threads = Some(1);
        }
        if tests > MOST_LINES && arguments.format.is_none() && !arguments.quiet {
            arguments.format = Some(FormatSetting::Terse);
        }
        arguments
    }

    /// Whether a test is left out.
    pub(super) fn is_filtered_out(&self, trial: &Trial) -> bool {
        if self.alternatives.is_empty() {
            return self.arguments.is_filtered_out(trial);
        }
        self.alternatives.iter().all(|one| one.is_filtered_out(trial))
    }

    /// Applies several filters to the tests, which libtest-mimic cannot do.
    pub(super) fn retain(&self, mut trials: Vec<Trial>) -> Vec<Trial> {
        if !self.alternatives.is_empty() {
            trials.retain(|trial| !self.is_filtered_out(trial));
        }
        trials
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(words: &[&str], selected: &[&str]) {
        let words = ["program"].iter().chain(words).map(|word| (*word).to_owned());
        let selection = Selection::parse(words).unwrap();
        let trials = ["a::p50", "a::p99", "b::p50"].map(|name| Trial::test(name, || Ok(())));
        let names = |trials: &[Trial]| {
            let remaining = trials.iter().filter(|trial| !selection.is_filtered_out(trial));
            remaining.map(|trial| trial.name().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(&trials), selected);
        assert_eq!(names(&selection.retain(trials.into())), selected);
    }

    #[test]
    fn a_test_needs_to_match_one_of_several_filters() {
        check(&[], &["a::p50", "a::p99", "b::p50"]);
        check(&["a"], &["a::p50", "a::p99"]);
        check(&["p99", "b"], &["a::p99", "b::p50"]);
        check(&["p99", "b", "--exact"], &[]);
        check(&["--exact", "a::p99", "b::p50", "--no-capture"], &["a::p99", "b::p50"]);
        check(&["p", "a", "--skip", "p50"], &["a::p99"]);
        check(&["--test-threads", "2", "--format=pretty", "--report-time", "b"], &["b::p50"]);
        check(&["--", "p99", "b"], &["a::p99", "b::p50"]);
    }

    #[test]
    fn many_tests_have_one_character_each_if_no_format_is_asked_for() {
        let format = |words: &[&str], tests| {
            let words = ["program"].iter().chain(words).map(|word| (*word).to_owned());
            Selection::parse(words).unwrap().for_run(tests).format
        };
        assert_eq!(format(&[], MOST_LINES), None);
        assert_eq!(format(&[], 1700), Some(FormatSetting::Terse));
        assert_eq!(format(&["--format=pretty"], 1700), Some(FormatSetting::Pretty));
        assert_eq!(format(&["-q"], 1700), None);
    }

    #[test]
    fn no_thread_is_an_error() {
        let words = ["program", "--test-threads", "0"].map(ToOwned::to_owned);
        assert!(
            Selection::parse(words).is_err_and(|error| error.to_string().contains("at least 1"))
        );
    }
}
