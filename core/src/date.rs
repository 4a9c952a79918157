//! A day of the calendar, in UTC: the last day of a waiver, or the day on which a value was accepted. It does not
//! know the clock; the caller says what the time is.
//!
//! This type has some forty lines of its own, because otherwise every user of the harness would build a library for it.
//! The command has chrono for times of day, which quick-junit brings, but takes days from here; a test of its
//! `history/time.rs` checks that the two agree.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A day of the Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    // The fields are in this order, so that the derived comparison orders days.
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// Makes a day; returns `None` if the calendar does not have it.
    pub fn new(year: u16, month: u8, day: u8) -> Option<Date> {
        let leap =
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        (year <= 9999 && (1..=days).contains(&day)).then_some(Date { year, month, day })
    }

    /// Returns the day in UTC that is `seconds` after the start of 1970. The days of an era of 400 years become a
    /// date as in "chrono-Compatible Low-Level Date Algorithms" (Hinnant 2013), `civil_from_days`.
    pub fn of_unix(seconds: u64) -> Date {
        const LAST: Date = Date { year: 9999, month: 12, day: 31 };
        // The days are counted from 1 March of the year 0, so that the leap day is the last of its year.
        let days = seconds / 86_400 + 719_468;
        let (era, day) = (days / 146_097, days % 146_097);
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let (month, after) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
        let year = u16::try_from(year + era * 400 + after);
        year.ok().and_then(|year| Date::new(year, month as u8, day as u8)).unwrap_or(LAST)
    }
}

impl FromStr for Date {
    type Err = String;

    /// Reads a date in the form `2027-01-31`.
    fn from_str(text: &str) -> Result<Date, String> {
        let digits = |part: &str, n| part.len() == n && part.bytes().all(|b| b.is_ascii_digit());
        let parts: Vec<&str> = text.split('-').collect();
        let date = match parts[..] {
            [year, month, day] if digits(year, 4) && digits(month, 2) && digits(day, 2) => {
                let numbers = (year.parse(), month.parse(), day.parse());
                let (Ok(year), Ok(month), Ok(day)) = numbers else { return Err(no_date(text)) };
                Date::new(year, month, day)
            }
            _ => return Err(format!("`{text}` is not a date as in 2027-01-31")),
        };
        date.ok_or_else(|| no_date(text))
    }
}

fn no_date(text: &str) -> String {
    format!("`{text}` is not a day of the calendar")
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        String::deserialize(source)?.parse().map_err(de::Error::custom)
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(seconds: u64, want: &str) {
        assert_eq!(Date::of_unix(seconds).to_string(), want);
        assert_eq!(want.parse::<Date>().unwrap(), Date::of_unix(seconds));
    }

    // The expected dates are those of `date -u -d @SECONDS +%F`.
    #[test]
    fn seconds_become_days() {
        check(0, "1970-01-01");
        check(86_399, "1970-01-01");
        check(86_400, "1970-01-02");
        check(951_782_400, "2000-02-29");
        check(951_868_800, "2000-03-01");
        check(1_709_164_800, "2024-02-29");
        check(1_793_491_200, "2026-11-01");
        check(1_801_353_600, "2027-01-31");
        check(4_107_542_400, "2100-03-01");
        assert_eq!(Date::of_unix(u64::MAX / 2).to_string(), "9999-12-31");
    }

    #[test]
    fn days_follow_each_other() {
        let mut before = Date::of_unix(0);
        for day in 1..80_000 {
            let next = Date::of_unix(day * 86_400);
            assert!(before < next, "{before} {next}");
            before = next;
        }
    }

    #[track_caller]
    fn refuses(text: &str, want: &str) {
        assert!(text.parse::<Date>().unwrap_err().contains(want), "{text}");
    }

    #[test]
    fn invalid_dates_are_refused() {
        refuses("2027-02-29", "calendar");
        refuses("2027-13-01", "calendar");
        refuses("2027-00-10", "calendar");
        refuses("31.01.2027", "as in 2027-01-31");
        refuses("2027-1-31", "as in 2027-01-31");
        refuses("+027-01-31", "as in 2027-01-31");
        refuses("", "as in 2027-01-31");
    }
}
