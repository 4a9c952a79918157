//! The conversion of times to and from text. All times are in UTC.

use chrono::DateTime;

/// Returns `2026-11-21 08:38` for seconds since 1970, or the number itself where it is beyond the calendar.
pub(crate) fn format_time(seconds: i64) -> String {
    DateTime::from_timestamp(seconds, 0).map_or_else(
        || format!("{seconds} s since 1970"),
        |time| time.format("%Y-%m-%d %H:%M").to_string(),
    )
}

/// Returns the seconds since 1970 of a time such as `2026-11-21T08:38:51+01:00`. A time without a zone is taken for
/// UTC. Returns `None` where the text is neither.
#[cfg(feature = "import")]
pub(crate) fn parse_iso(text: &str) -> Option<i64> {
    // Older versions of some tools write a blank before the time of day.
    let text = &text.replacen(' ', "T", 1);
    let zoned = || DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp());
    // Some tools leave out the colon within the zone.
    let short = || {
        DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z").ok().map(|time| time.timestamp())
    };
    let bare = || text.parse::<chrono::NaiveDateTime>().ok().map(|time| time.and_utc().timestamp());
    zoned().or_else(short).or_else(bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_shown() {
        let check = |seconds: i64, text: &str| assert_eq!(format_time(seconds), text);
        check(0, "1970-01-01 00:00");
        check(951_827_400, "2000-02-29 12:30");
        check(1_795_246_731, "2026-11-21 07:38");
        check(1_795_259_331, "2026-11-21 11:08");
        check(-1, "1969-12-31 23:59");
        check(i64::MAX, "9223372036854775807 s since 1970");
    }

    /// Days are computed by the core and times by chrono. Both have the same calendar, which is checked for the days of
    /// more than 400 years.
    #[test]
    fn both_calendars_are_one() {
        for day in 0..150_000_u64 {
            let seconds = day * 86_400 + 86_399;
            let ours = perf_budget_core::date::Date::of_unix(seconds).to_string();
            assert_eq!(format_time(seconds.cast_signed()).split(' ').next(), Some(&*ours));
        }
    }

    #[cfg(feature = "import")]
    #[test]
    fn times_of_other_tools_are_read() {
        let check = |iso: &str, seconds: i64| assert_eq!(parse_iso(iso), Some(seconds), "{iso}");
        check("1970-01-01T00:00:00Z", 0);
        check("2000-02-29T12:30:00+00:00", 951_827_400);
        check("2026-11-21T08:38:51+01:00", 1_795_246_731);
        check("2026-11-21T08:38:51+0100", 1_795_246_731);
        check("2026-11-21T08:38:51.123456-02:30", 1_795_259_331);
        check("2026-11-21 07:38:51", 1_795_246_731);
        check("2026-11-21T07:38:51", 1_795_246_731);
        check("2026-11-21T07:38:51.5", 1_795_246_731);
        for text in ["yesterday", "2026-11-21", "2026-13-21T08:38:51Z", "2026-11-21T08:38:51+1"] {
            assert_eq!(parse_iso(text), None, "{text}");
        }
    }
}
