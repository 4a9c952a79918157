//! The figures of a page: rates with their intervals, and times with their median and 95th percentile.

use std::fmt;

use perf_budget_core::stats::{Interval, clopper_pearson};

/// The confidence of the intervals of rates.
pub(crate) const CONFIDENCE: f64 = 0.95;

/// A count out of a number of trials, with its Clopper-Pearson interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) of: u64,
    pub(crate) count: u64,
}

impl Rate {
    pub(crate) fn of(answers: impl Iterator<Item = bool>) -> Rate {
        answers.fold(Rate { of: 0, count: 0 }, |rate, yes| Rate {
            of: rate.of + 1,
            count: rate.count + u64::from(yes),
        })
    }

    /// The interval of the rate; `None` without trials.
    pub(crate) fn interval(self) -> Option<Interval> {
        (self.of > 0).then(|| clopper_pearson(self.count, self.of, CONFIDENCE))
    }

    /// The one-sided upper bound of the rate, for which the whole error is used; `None` without trials.
    pub(crate) fn at_most(self) -> Option<f64> {
        (self.of > 0).then(|| clopper_pearson(self.count, self.of, 2.0 * CONFIDENCE - 1.0).high)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(Interval { low, high }) = self.interval() else { return write!(f, "-") };
        write!(f, "{} / {} [{:.1}, {:.1}] %", self.count, self.of, low * 100.0, high * 100.0)
    }
}

/// The median and the 95th percentile of times in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Times {
    pub(crate) median: f64,
    pub(crate) most: f64,
}

impl Times {
    /// Returns the figures of times; `None` if there are no times.
    pub(crate) fn of(seconds: impl Iterator<Item = f64>) -> Option<Times> {
        let mut sorted: Vec<f64> = seconds.collect();
        sorted.sort_by(f64::total_cmp);
        let at =
            |share: f64| sorted.get(((sorted.len() as f64 * share) as usize).min(sorted.len() - 1));
        if sorted.is_empty() {
            return None;
        }
        Some(Times { median: *at(0.5)?, most: *at(0.95)? })
    }

    pub(crate) fn text(times: Option<Times>) -> String {
        times.map_or("-".to_owned(), |times| format!("{:.2} / {:.2}", times.median, times.most))
    }
}

/// Returns the day of a time in seconds since 1970 (Hinnant, "chrono-compatible low-level date algorithms").
pub(crate) fn day(seconds: u64) -> String {
    let days = (seconds / 86_400).cast_signed() + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = match month {
        0..10 => (year_of_era + era * 400, month + 3),
        _ => (year_of_era + era * 400 + 1, month - 9),
    };
    format!("{year}-{month:02}-{day:02}")
}
