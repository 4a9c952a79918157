//! Times as people and formats write them. UTC throughout.

/// `2026-11-21 08:38` of seconds since 1970 (the civil calendar: Hinnant, "chrono-compatible low-level
/// date algorithms").
pub(crate) fn shown(seconds: i64) -> String {
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}", rest / 3600, rest % 3600 / 60)
}

/// Seconds since 1970 of `2026-11-21T08:38:51+01:00`; `None` where it is none of this form.
pub(crate) fn of_iso(text: &str) -> Option<i64> {
    let (date, clock) = text.split_at_checked(10)?;
    let number = |text: &str| text.parse::<i64>().ok();
    let mut parts = date.split('-').map(number);
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let at = clock.get(1..9)?;
    let mut parts = at.split(':').map(number);
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    let zone = clock[9..].trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let offset = match zone.split_at_checked(1) {
        Some((sign @ ("+" | "-"), zone)) => {
            let (hours, minutes) = (number(zone.get(..2)?)?, number(zone.get(zone.len() - 2..)?)?);
            (hours * 60 + minutes) * if sign == "+" { 60 } else { -60 }
        }
        _ => 0,
    };
    let shifted_year = year - i64::from(month <= 2);
    let era = shifted_year.div_euclid(400);
    let year_of_era = shifted_year.rem_euclid(400);
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second - offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways() {
        let check = |iso: &str, seconds: i64, text: &str| {
            assert_eq!(of_iso(iso), Some(seconds), "{iso}");
            assert_eq!(shown(seconds), text);
        };
        check("1970-01-01T00:00:00Z", 0, "1970-01-01 00:00");
        check("2000-02-29T12:30:00+00:00", 951_827_400, "2000-02-29 12:30");
        check("2026-11-21T08:38:51+01:00", 1_795_246_731, "2026-11-21 07:38");
        check("2026-11-21T08:38:51.123456-02:30", 1_795_259_331, "2026-11-21 11:08");
        assert_eq!(of_iso("yesterday"), None);
        assert_eq!(of_iso("2026-11-21"), None);
    }
}
